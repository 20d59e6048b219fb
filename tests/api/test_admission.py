"""Admission: work starts in turn, or is refused when it arrives; what nobody waits for never starts."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from api.admission import Admission, Refused


class Client:
    def __init__(self, gone: bool = False) -> None:
        self.gone = gone

    async def is_disconnected(self) -> bool:
        return self.gone


class Gate:
    """Work that begins, says so and ends when it is let."""

    def __init__(self) -> None:
        self.begun = 0
        self.most = 0
        self.open = threading.Event()
        self._lock = threading.Lock()
        self._now = 0

    def __call__(self, value: int = 0) -> int:
        with self._lock:
            self.begun += 1
            self._now += 1
            self.most = max(self.most, self._now)
        self.open.wait(10)
        with self._lock:
            self._now -= 1
        return value


def run(test: Callable[[], Awaitable[Any]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(20):
            await test()

    asyncio.run(bounded())


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.005)


def reasons(results: list[Any]) -> list[str]:
    return [result.reason for result in results if isinstance(result, Refused)]


def test_no_more_than_max_concurrent_run_at_once_and_all_are_answered() -> None:
    async def test() -> None:
        admission, gate = Admission(2, 5.0, first_guess=0.001), Gate()
        jobs = [asyncio.create_task(admission.run(gate, i, seconds=5)) for i in range(9)]
        await until(lambda: gate.begun == 2)
        await asyncio.sleep(0.05)
        assert (gate.begun, admission.running, admission.waiting) == (2, 2, 7)
        gate.open.set()
        assert await asyncio.gather(*jobs) == list(range(9))
        assert gate.most == 2
        await until(lambda: admission.running == 0)
        admission.close()

    run(test)


def test_what_would_wait_too_long_is_refused_at_once_with_a_time_to_come_back() -> None:
    async def test() -> None:
        told: list[str] = []
        admission, gate = Admission(1, 1.0, first_guess=0.16, refused=told.append), Gate()
        jobs = [asyncio.create_task(admission.run(gate, seconds=5)) for _ in range(10)]
        await until(lambda: sum(job.done() for job in jobs) >= 7)
        # With 0.16 s each, the third in the queue would end after 0.64 s; the mean case may take half of the second.
        assert (admission.running, admission.waiting) == (1, 2)
        with pytest.raises(Refused) as caught:
            async with admission.enter():
                raise AssertionError("let in")
        assert (caught.value.status, caught.value.reason) == (503, "queue_full")
        assert caught.value.retry_after == 1
        gate.open.set()
        results = await asyncio.gather(*jobs, return_exceptions=True)
        assert reasons(results) == ["queue_full"] * 7
        assert told == ["queue_full"] * 8
        admission.close()

    run(test)


def test_what_waits_in_vain_is_refused_after_queue_seconds() -> None:
    async def test() -> None:
        admission, gate = Admission(1, 0.1, first_guess=0.001), Gate()
        first = asyncio.create_task(admission.run(gate, seconds=5))
        await until(lambda: gate.begun == 1)
        with pytest.raises(Refused, match="queue_timeout"):
            await admission.run(gate, seconds=5)
        gate.open.set()
        await first
        assert (gate.begun, admission.waiting) == (1, 0)
        admission.close()

    run(test)


def test_work_that_outlasts_its_deadline_is_answered_for_and_keeps_its_slot() -> None:
    async def test() -> None:
        admission, gate = Admission(1, 0.1, first_guess=0.001), Gate()
        with pytest.raises(Refused, match="deadline"):
            await admission.run(gate, seconds=0.05)
        assert admission.running == 1
        with pytest.raises(Refused, match="queue_timeout"):
            await admission.run(gate, seconds=5)
        gate.open.set()
        await until(lambda: admission.running == 0)
        assert await admission.run(gate, 7, seconds=5) == 7
        admission.close()

    run(test)


def test_work_for_a_client_that_has_gone_never_starts() -> None:
    async def test() -> None:
        admission, gate = Admission(1, 5.0, first_guess=0.001), Gate()
        clients = [Client() for _ in range(100)]
        first = asyncio.create_task(admission.run(gate, seconds=5))
        await until(lambda: gate.begun == 1)
        jobs = [asyncio.create_task(admission.run(gate, seconds=5, client=client)) for client in clients]
        await until(lambda: admission.waiting == 100)
        for client in clients:
            client.gone = True
        gate.open.set()
        await first
        assert reasons(await asyncio.gather(*jobs, return_exceptions=True)) == ["gone"] * 100
        assert gate.begun == 1
        assert await admission.run(gate, 3, seconds=5, client=Client()) == 3
        admission.close()

    run(test)


def test_the_lines_of_a_batch_wait_their_turn_and_are_not_refused_for_a_queue() -> None:
    async def test() -> None:
        admission, gate = Admission(1, 0.05, first_guess=9.0), Gate()
        jobs = [asyncio.create_task(admission.run(gate, i, seconds=5, patient=True)) for i in range(4)]
        await asyncio.sleep(0.2)
        assert gate.begun == 1
        gate.open.set()
        assert await asyncio.gather(*jobs) == [0, 1, 2, 3]
        admission.close()

    run(test)


def test_an_error_of_the_work_is_raised_and_frees_the_slot() -> None:
    async def test() -> None:
        admission = Admission(1, 1.0)
        for _ in range(3):
            with pytest.raises(ZeroDivisionError):
                await admission.run(lambda: 1 // 0, seconds=1)
        assert await admission.run(lambda: 5, seconds=1) == 5
        admission.close()

    run(test)


def test_a_request_that_is_cancelled_in_the_queue_takes_no_slot() -> None:
    async def test() -> None:
        admission, gate = Admission(1, 5.0, first_guess=0.001), Gate()
        first = asyncio.create_task(admission.run(gate, seconds=5))
        await until(lambda: gate.begun == 1)
        second = asyncio.create_task(admission.run(gate, seconds=5))
        await until(lambda: admission.waiting == 1)
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        gate.open.set()
        await first
        assert await admission.run(gate, 2, seconds=5) == 2
        assert (gate.begun, admission.waiting) == (2, 0)
        admission.close()

    run(test)


def test_the_mean_of_runs_follows_how_long_they_take() -> None:
    async def test() -> None:
        admission = Admission(1, 1.0, first_guess=0.0)
        for _ in range(30):
            await admission.run(time.sleep, 0.01, seconds=1)
        await asyncio.sleep(0.01)
        assert 0.009 < admission.mean_seconds < 0.1
        assert admission.expected_wait() == 0
        admission.close()

    run(test)


def test_after_it_is_closed_all_work_is_refused() -> None:
    async def test() -> None:
        admission = Admission(1, 1.0)
        admission.close()
        with pytest.raises(Refused, match="draining"):
            await admission.run(lambda: 1, seconds=1)

    run(test)
