"""Rates: exactly the limit passes, whoever counts."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import api.rates
from api.rates import RateLimiter, RatesError, default_path
from api.settings import Settings
from tests.reliability.harness import ROOT


class Hesitant(RateLimiter):
    """Waits between looking and writing, as a processor that is taken away does; only a lock then keeps the count."""

    def _find(self, digest: bytes, now: float) -> tuple[int, float, int]:
        found = super()._find(digest, now)
        time.sleep(0.001)
        return found


CALLER = """
import sys, time
from api.rates import RateLimiter
class Hesitant(RateLimiter):
    def _find(self, digest, now):
        found = super()._find(digest, now)
        time.sleep(0.001)
        return found
limiter = Hesitant(sys.argv[1], 100, 600)
sys.stdin.readline()
print(sum(limiter.take("key:a").allowed for _ in range(75)))
"""


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_exactly_100_of_150_pass_and_the_headers_tell_what_is_left(tmp_path: Path, clock: Clock) -> None:
    limiter = RateLimiter(tmp_path / "rates", 100, 60, clock=clock)
    decisions = [limiter.take("key:a") for _ in range(150)]
    assert [d.allowed for d in decisions] == [True] * 100 + [False] * 50
    assert [d.remaining for d in decisions] == [*range(99, -1, -1), *[0] * 50]
    clock.now += 17.5
    assert limiter.take("key:a").headers(60) == [
        (b"ratelimit-policy", b'"default";q=100;w=60'),
        (b"ratelimit", b'"default";r=0;t=43'),
        (b"retry-after", b"43"),
    ]
    clock.now += 42.5
    assert limiter.take("key:a").remaining == 99
    limiter.close()


def test_callers_are_counted_apart(tmp_path: Path, clock: Clock) -> None:
    limiter = RateLimiter(tmp_path / "rates", 2, 60, clock=clock)
    for caller in ("a", "b", "c\ud800"):
        assert [limiter.take(caller).allowed for _ in range(3)] == [True, True, False]
    limiter.close()


def test_two_processes_let_100_of_150_pass_together(tmp_path: Path) -> None:
    words = [sys.executable, "-c", CALLER, str(tmp_path / "rates")]
    callers = [subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) for _ in range(2)]
    for caller in callers:
        assert caller.stdin is not None
        caller.stdin.write(b"\n")
        caller.stdin.flush()
    passed = [int(caller.communicate()[0]) for caller in callers]
    assert sum(passed) == 100
    assert all(passed)


def test_workers_that_inherit_the_counter_by_a_fork_count_together(tmp_path: Path) -> None:
    limiter = Hesitant(tmp_path / "rates", 100, 600)
    context = multiprocessing.get_context("fork")

    def call() -> None:
        for _ in range(40):
            limiter.take("a")
        os._exit(0)

    children = [context.Process(target=call) for _ in range(3)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    assert limiter.take("a", 0, limit=1000).remaining == 900
    limiter.close()


def test_threads_count_together(tmp_path: Path) -> None:
    limiter = Hesitant(tmp_path / "rates", 100, 600)
    allowed: list[bool] = []
    threads = [threading.Thread(target=lambda: allowed.extend(limiter.take("a").allowed for _ in range(40))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(allowed), sum(allowed)) == (160, 100)
    limiter.close()


def test_a_call_that_costs_more_than_is_left_takes_nothing(tmp_path: Path, clock: Clock) -> None:
    limiter = RateLimiter(tmp_path / "rates", 10, 60, clock=clock)
    assert limiter.take("a", 8).remaining == 2
    assert not limiter.take("a", 3).allowed
    assert limiter.take("a", 2).allowed
    limiter.close()


def test_a_clock_that_is_set_back_locks_nobody_out(tmp_path: Path, clock: Clock) -> None:
    limiter = RateLimiter(tmp_path / "rates", 1, 60, clock=clock)
    limiter.take("a")
    clock.now -= 3600
    assert limiter.take("a").allowed
    limiter.close()


def test_a_full_table_gives_the_row_of_the_oldest_window_away(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api.rates, "_ROWS", 16)
    limiter = RateLimiter(tmp_path / "rates", 1, 60, clock=clock)
    for number in range(16):
        clock.now += 1
        assert limiter.take(f"caller {number}").allowed
    assert not limiter.take("caller 1").allowed
    assert limiter.take("one more").allowed
    assert limiter.take("caller 0").allowed  # its row was given away
    assert not limiter.take("caller 15").allowed
    limiter.close()


def test_nothing_in_the_file_names_a_caller(tmp_path: Path) -> None:
    limiter = RateLimiter(tmp_path / "rates", 5)
    limiter.take("address:192.0.2.77")
    data = (tmp_path / "rates").read_bytes()
    assert b"192.0.2.77" not in data
    assert (tmp_path / "rates").stat().st_mode & 0o077 == 0
    limiter.close()


@pytest.mark.parametrize("content", [b"x", b"\x00" * (64 + 65536 * 32)])
def test_a_file_that_is_no_counter_is_named_and_left_alone(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "rates").write_bytes(content)
    with pytest.raises(RatesError, match="rates: is not a counter"):
        RateLimiter(tmp_path / "rates", 5)
    assert (tmp_path / "rates").read_bytes() == content


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "rates").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RatesError, match="cannot be opened"):
        RateLimiter(tmp_path / "rates", 5)
    assert not (tmp_path / "elsewhere").exists()


def test_the_default_file_is_one_for_each_address_in_a_folder_of_the_users_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api.rates.tempfile, "gettempdir", lambda: str(tmp_path))
    one, other = default_path(Settings(port=1)), default_path(Settings(port=2))
    assert one != other
    assert one.parent.stat().st_mode & 0o077 == 0
    one.parent.chmod(0o755)
    with pytest.raises(RatesError, match="only this user"):
        default_path(Settings(port=1))


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 5), st.floats(0, 40)), max_size=40))
def test_in_no_window_of_a_caller_pass_more_than_the_limit(
    tmp_path_factory: pytest.TempPathFactory, calls: list[tuple[str, int, float]]
) -> None:
    clock = Clock()
    limiter = RateLimiter(tmp_path_factory.mktemp("rates") / "file", 7, 60, clock=clock)
    model: dict[str, tuple[float, int]] = {}
    for caller, cost, pause in calls:
        clock.now += pause
        start, used = model.get(caller, (-1e9, 0))
        if clock.now >= start + 60:
            start, used = clock.now, 0
        allowed = used + cost <= 7
        model[caller] = (start, used + cost if allowed else used)
        assert limiter.take(caller, cost).allowed == allowed
    limiter.close()
