"""The holder: the one reference to the matcher that answers now, swapped whole when a new index has been checked."""

from __future__ import annotations

import asyncio
import fcntl
import os
import re
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from api.logs import log
from api.metrics import Metrics
from api.settings import Settings
from matcher import Matcher
from matcher.encoder import load_encoder
from matcher.index import CURRENT, IndexBusy, OccupationIndex, OccupationIndexError
from matcher.resources import encoder_path, index_path

#: Seconds until a version that was refused is tried again; its files may have been mended.
_AGAIN = 30.0


class MatcherHolder:
    """Holds the current matcher. A request takes ``current`` once and keeps it, so each answer names one index.

    Raises OccupationIndexError, EncoderError or ResourceError where the first index or the encoder is missing, corrupt or foreign.
    """

    def __init__(self, settings: Settings, *, tell: Callable[..., None] | None = None) -> None:
        self.root: Path = settings.index or index_path()
        self.poll_seconds = settings.reload_seconds
        self.draining = False
        #: Whether the last attempt to take a new index failed.
        self.refused: str | None = None
        self._tell = tell or (lambda event, **facts: None)
        self._encoder = load_encoder(settings.encoder or encoder_path())
        self._accurate = settings.accurate_index
        self._busy = asyncio.Lock()
        self._bad: tuple[bytes, float] | None = None
        self.current: Matcher = self._load()
        warm_up(self.current)

    @property
    def digest(self) -> str:
        """``sha256:…`` of the index that answers now."""
        return self.current.index.digest

    @property
    def ready(self) -> bool:
        """Whether new requests should be sent here."""
        return not self.draining

    def catch_up(self) -> None:
        """Take the index that the pointer names now, if it verifies; for a worker that starts long after the first."""
        if self._pointer() != self._now():
            try:
                self.current = self._load()
            except (ValueError, OSError) as error:
                self.refused = str(error)
                self._tell("index_refused", error=str(error), kept=self.digest)

    async def watch(self) -> None:
        """Follow the index's pointer until cancelled; an index that does not verify is said so once and left alone."""
        while True:
            await asyncio.sleep(self.poll_seconds)
            pointer = self._pointer()
            if pointer == self._now():
                self._bad = None  # who points back and then there again has mended it
                continue
            if self._bad and self._bad[0] == pointer and time.monotonic() < self._bad[1]:
                continue
            try:
                await self._take()
            except (ValueError, OSError) as error:
                self._bad = (pointer, time.monotonic() + _AGAIN)
                self.refused = str(error)
                self._tell("index_refused", error=str(error), kept=self.digest)

    async def reload(self, version: str | None = None) -> str:
        """Take the index that the pointer names, or point at ``version`` of the same folder first; return the digest.

        The version is checked before the pointer changes; the other workers follow the pointer. Raises OccupationIndexError where it is
        missing, corrupt or foreign: then nothing has changed.
        """
        if version is not None:
            if not re.fullmatch(r"[0-9a-f]{16}", version):
                raise OccupationIndexError("expected the name of a version, 16 hex digits")
            await asyncio.to_thread(self._point, version)
        try:
            await self._take()
        except (ValueError, OSError) as error:
            self._tell("index_refused", error=str(error), kept=self.digest)
            raise
        return self.digest

    def _now(self) -> bytes:
        return self.current.index.path.name.encode() + b"\n"

    def _pointer(self) -> bytes:
        try:
            return (self.root / CURRENT).read_bytes()
        except OSError:
            return b""

    async def _take(self) -> None:
        async with self._busy:
            if self._pointer() == self._now():
                return
            new = await asyncio.to_thread(self._load)
            await asyncio.to_thread(warm_up, new)
            old, self.current = self.digest, new
            self._bad = self.refused = None
            self._tell("index_changed", old=old, new=self.digest)

    def _load(self) -> Matcher:
        return Matcher.load(self.root, encoder=self._encoder, accurate=self._accurate)

    def _point(self, version: str) -> None:
        """Check a version, then point at it."""
        name = version.encode() + b"\n"
        if name == self._pointer():
            return
        if not (self.root / version).is_dir():
            raise OccupationIndexError(f"{self.root / version}: no such version")
        # A folder of its own with the pointer to come: what loads there will load here.
        with tempfile.TemporaryDirectory(prefix="matcher-") as trial:
            (Path(trial) / CURRENT).write_bytes(name)
            (Path(trial) / version).symlink_to((self.root / version).resolve())
            OccupationIndex.load(trial, encoder=self._encoder)
        with (self.root / ".lock").open("a+b") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise IndexBusy(f"{self.root}: another process is writing this index") from None
            pointer = self.root / f".{CURRENT}"
            with pointer.open("wb") as handle:
                handle.write(name)
                handle.flush()
                os.fsync(handle.fileno())
            pointer.replace(self.root / CURRENT)
            folder = os.open(self.root, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)


def warm_up(matcher: Matcher) -> None:
    """Answer one query, so that what is made at first use is made before anybody waits for it."""
    matcher.match(skills=["Writing reports"], title="Clerk")


def teller(metrics: Metrics) -> Callable[..., None]:
    """Return what to give a holder as ``tell``: its events go to the log and to ``metrics``."""

    def tell(event: str, **facts: Any) -> None:
        if event == "index_changed":
            metrics.index(facts["new"])
            metrics.reload("taken")
            log().info(event, **facts)
        else:
            metrics.reload("refused")
            log().error(event, **facts)

    return tell
