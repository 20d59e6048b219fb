"""Rates: how many calls each caller has left, counted over all workers in one mapped file.

The file is a table of rows of 32 bytes: 16 bytes of a keyed digest of the caller, the start of its window and the calls in it. A window begins
with a caller's first call and lasts ``period_seconds``, so exactly ``limit`` calls pass in it. Changes are made under ``flock``, which the kernel
frees when a worker dies. The digest's key is made with the file, and nothing in it names a caller.
"""

from __future__ import annotations

import fcntl
import hashlib
import math
import mmap
import os
import secrets
import stat
import struct
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from api.settings import Settings

_MAGIC = b"matcher rates 1\n"
_HEADER = 64
_ROW = struct.Struct("<16sdII")  # digest, start of the window (wall clock), calls, unused
_ROWS = 1 << 16
#: Rows that are looked at for a caller before the oldest of them is taken.
_PROBES = 16


class RatesError(ValueError):
    """The shared counter cannot be opened; the text names the file."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a call may pass, and what its caller has left until ``reset_seconds`` from now."""

    allowed: bool
    limit: int
    remaining: int
    reset_seconds: int

    def headers(self, period_seconds: float) -> list[tuple[bytes, bytes]]:
        """Return ``RateLimit-Policy`` and ``RateLimit`` (draft-ietf-httpapi-ratelimit-headers-10), and ``Retry-After`` where refused."""
        pairs = [
            (b"ratelimit-policy", b'"default";q=%d;w=%d' % (self.limit, round(period_seconds))),
            (b"ratelimit", b'"default";r=%d;t=%d' % (self.remaining, self.reset_seconds)),
        ]
        if not self.allowed:
            pairs.append((b"retry-after", b"%d" % max(1, self.reset_seconds)))
        return pairs


def open_rates(settings: Settings) -> RateLimiter | None:
    """Return the counter that all workers with these settings share, None where no limit applies."""
    if settings.rate_limit is None and not settings.public_page:
        return None
    return RateLimiter(
        settings.rates_file or default_path(settings), settings.rate_limit or settings.public_rate_limit, settings.rate_seconds
    )


def default_path(settings: Settings) -> Path:
    """Return a file in a folder that is this user's alone, of its own for each address that is served."""
    folder = Path(tempfile.gettempdir()) / f"matcher-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    facts = folder.lstat()
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.getuid() or facts.st_mode & 0o077:
        raise RatesError(f"{folder}: should be a folder that only this user can enter; set MATCHER_RATES_FILE")
    return folder / f"rates-{hashlib.sha256(f'{settings.host}:{settings.port}'.encode()).hexdigest()[:16]}"


class RateLimiter:
    """Lets ``limit`` calls of a caller pass in ``period_seconds``; processes that open the same ``path`` share the count."""

    def __init__(
        self, path: Path | str, limit: int, period_seconds: float = 60.0, *, clock: Callable[[], float] = time.time
    ) -> None:
        self.path = Path(path)
        self.limit = limit
        self.period_seconds = period_seconds
        self._clock = clock
        self._thread = threading.Lock()  # flock is the open file's: threads need their own
        self._open()

    def _open(self) -> None:
        size = _HEADER + _ROWS * _ROW.size
        try:
            # O_NOFOLLOW: the path may be in a folder where others can write.
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            fcntl.flock(self._file, fcntl.LOCK_EX)
            try:
                facts = os.fstat(self._file)
                if facts.st_uid != os.getuid():
                    raise RatesError(f"{self.path}: belongs to another user")
                fresh = facts.st_size == 0
                if not fresh and (facts.st_size != size or os.pread(self._file, len(_MAGIC), 0) != _MAGIC):
                    raise RatesError(f"{self.path}: is not a counter of this version; remove it")
                if fresh:
                    os.ftruncate(self._file, size)
                    os.pwrite(self._file, secrets.token_bytes(32), len(_MAGIC))
                    os.pwrite(self._file, _MAGIC, 0)
                self._map = mmap.mmap(self._file, size)
            except BaseException:
                os.close(self._file)
                raise
            fcntl.flock(self._file, fcntl.LOCK_UN)
        except OSError as error:
            raise RatesError(f"{self.path}: cannot be opened ({error.strerror})") from None
        self._secret = bytes(self._map[len(_MAGIC) : len(_MAGIC) + 32])
        self._owner = os.getpid()

    def take(self, identity: str, cost: int = 1, *, limit: int | None = None) -> Decision:
        """Count ``cost`` calls of ``identity`` if all of them may pass, none if not; ``limit`` instead of the usual one."""
        most = self.limit if limit is None else limit
        digest = hashlib.blake2b(identity.encode("utf-8", "surrogatepass"), digest_size=16, key=self._secret).digest()
        with self._thread:
            if self._owner != os.getpid():
                # A fork shares the open file, and with it the lock: two workers would both hold it.
                self._open()
            fcntl.flock(self._file, fcntl.LOCK_EX)
            try:
                return self._count(digest, cost, most)
            finally:
                fcntl.flock(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        """Let go of the file; the count stays in it."""
        self._map.close()
        os.close(self._file)

    def _count(self, digest: bytes, cost: int, limit: int) -> Decision:
        now = self._clock()
        place, start, calls = self._find(digest, now)
        # A clock that was set back must not lock anybody out.
        if not start <= now < start + self.period_seconds:
            start, calls = now, 0
        allowed = calls + cost <= limit
        if allowed:
            calls += cost
        _ROW.pack_into(self._map, place, digest, start, min(calls, 0xFFFF_FFFF), 0)
        return Decision(allowed, limit, max(0, limit - calls), max(0, math.ceil(start + self.period_seconds - now)))

    def _find(self, digest: bytes, now: float) -> tuple[int, float, int]:
        """Return the caller's row, or the row that is given to it: a free one, else the one whose window began first."""
        first = int.from_bytes(digest[:4], "little")
        oldest, oldest_start = -1, math.inf
        for step in range(_PROBES):
            place = _HEADER + (first + step) % _ROWS * _ROW.size
            owner, start, calls, _ = _ROW.unpack_from(self._map, place)
            if owner == digest:
                return place, start, calls
            if not start <= now < start + self.period_seconds:
                start = -1.0
            if start < oldest_start:
                oldest, oldest_start = place, start
        return oldest, -1e18, 0
