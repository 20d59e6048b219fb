"""Admission: how many matches run at once, how long a request waits for its turn, and what is refused.

Work runs in threads that admission owns, so a full house is a decision, not an accident of a thread pool. A request whose turn would
come too late is refused when it arrives, not after it has waited: a refusal costs next to nothing and comes in milliseconds.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol, TypeVar

Result = TypeVar("Result")

#: How much of the last run counts in the mean time of a run.
_FRESH = 0.1
#: Which share of ``queue_seconds`` the mean case may need, its own run included: some runs take several times the mean.
_SAFE = 0.5


class Client(Protocol):
    """Whoever waits for the answer; Starlette's Request is one."""

    def is_disconnected(self) -> Awaitable[bool]:
        """Whether nobody waits any more."""
        ...


class Refused(Exception):
    """The work was not done.

    ``status`` is 503, ``retry_after`` whole seconds, ``reason`` is ``queue_full`` (its turn would come too late), ``queue_timeout`` (it
    waited in vain), ``deadline`` (it ran too long), ``gone`` (nobody waits for it) or ``draining`` (the service is being stopped).
    """

    def __init__(self, status: int, retry_after: int, reason: str) -> None:
        super().__init__(f"{status} {reason}")
        self.status = status
        self.retry_after = retry_after
        self.reason = reason


class Admitted:
    """One request that was let in; ``client`` is asked whether it still waits before its work starts."""

    def __init__(self, client: Client | None) -> None:
        self.client = client


class Admission:
    """Runs functions in ``max_concurrent`` threads and refuses what would wait more than ``queue_seconds``.

    Used from one event loop. ``refused`` is called with the reason of every refusal.
    """

    def __init__(
        self,
        max_concurrent: int,
        queue_seconds: float,
        *,
        name: str = "match",
        first_guess: float = 0.05,
        refused: Callable[[str], None] | None = None,
    ) -> None:
        self.max_concurrent = max_concurrent
        self.queue_seconds = queue_seconds
        self.waiting = 0
        self.running = 0
        #: Mean seconds of a run, newer ones counting more.
        self.mean_seconds = first_guess
        self._slots = asyncio.Semaphore(max_concurrent)
        self._pool = ThreadPoolExecutor(max_concurrent, thread_name_prefix=name)
        self._tell = refused or (lambda reason: None)

    def expected_wait(self) -> float:
        """Return the seconds until a request that comes now would start."""
        ahead = self.waiting + self.running - self.max_concurrent + 1
        return max(0, ahead) * self.mean_seconds / self.max_concurrent

    @contextlib.asynccontextmanager
    async def enter(self, client: Client | None = None) -> AsyncIterator[Admitted]:
        """Let a request in, or refuse it at once, before its body costs anything. Raises Refused."""
        self._refuse_if_full()
        yield Admitted(client)

    async def run(
        self,
        func: Callable[..., Result],
        *args: object,
        seconds: float,
        client: Client | None = None,
        patient: bool = False,
    ) -> Result:
        """Return ``func(*args)``, run in a thread for at most ``seconds``.

        With ``client``, work for one that has gone never starts. ``patient`` work (a line of a batch) waits for its turn as long as it
        takes, up to ``seconds``, and is not refused for a queue. Work that outlasts ``seconds`` cannot be stopped: its slot stays taken until it
        ends, and its result is dropped. Raises Refused, or what ``func`` raises.
        """
        if not patient:
            self._refuse_if_full()
        await self._turn(seconds if patient else self.queue_seconds)
        started = False
        try:
            if client is not None and await client.is_disconnected():
                raise self._refusal("gone")
            loop = asyncio.get_running_loop()
            begin = loop.time()
            self.running += 1
            try:
                work = self._pool.submit(func, *args)
            except RuntimeError:
                self.running -= 1
                raise self._refusal("draining") from None
            started = True
        finally:
            if not started:
                self._slots.release()

        def ended(_: Future[Result]) -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended, so nobody counts any more
                loop.call_soon_threadsafe(self._free, begin)

        work.add_done_callback(ended)
        waiter = asyncio.wrap_future(work)
        done, _ = await asyncio.wait({waiter}, timeout=seconds)
        if not done:
            waiter.add_done_callback(lambda late: late.cancelled() or late.exception())
            raise self._refusal("deadline")
        return waiter.result()

    def close(self) -> None:
        """Take no more work; what runs goes on."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _turn(self, seconds: float) -> None:
        self.waiting += 1
        try:
            async with asyncio.timeout(seconds):
                await self._slots.acquire()
        except TimeoutError:
            raise self._refusal("queue_timeout") from None
        finally:
            self.waiting -= 1

    def _free(self, begin: float) -> None:
        self.running -= 1
        self._slots.release()
        took = asyncio.get_running_loop().time() - begin
        self.mean_seconds += _FRESH * (took - self.mean_seconds)

    def _refuse_if_full(self) -> None:
        if self.waiting and self.expected_wait() + self.mean_seconds > _SAFE * self.queue_seconds:
            raise self._refusal("queue_full")

    def _refusal(self, reason: str) -> Refused:
        self._tell(reason)
        return Refused(503, max(1, math.ceil(self.expected_wait())), reason)
