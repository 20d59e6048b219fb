"""Keys: who may call. A store keeps the sha256 of each secret, never the secret.

A token is ``mk_<id>_<secret>``: the id is public and finds the record, the secret is 256 random bits. One round of sha256 suffices for such a
secret, which cannot be guessed as a password can. A token is shown once, when it is made.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import hashlib
import hmac
import json
import os
import re
import secrets
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

Scope = Literal["match", "admin"]

FORMAT = 1
_TOKEN = re.compile(r"mk_([0-9a-f]{16})_([A-Za-z0-9_-]{43})")
#: What a token of an unknown id is compared with, so that it takes as long as a known one.
_NOBODY = hashlib.sha256(b"nobody").hexdigest()
#: Seconds for which the store is not looked at again: a revoked key works no longer than this.
_STALE = 0.5


class KeyStoreError(ValueError):
    """The key store is missing, unreadable, readable by others or corrupt, or has no such key; the text names the file or the id."""


@dataclass(frozen=True, slots=True)
class Key:
    """One key without its secret; times are seconds since 1970, ``expires`` None for never."""

    id: str
    name: str
    scope: Scope
    sha256: str
    created: int
    expires: int | None = None
    revoked: bool = False

    def state(self, now: float) -> Literal["active", "expired", "revoked"]:
        """Return whether the key opens anything at ``now``."""
        if self.revoked:
            return "revoked"
        return "expired" if self.expires is not None and now >= self.expires else "active"


class KeyStore:
    """The keys in one file, mode 0600; readers see a change within a second, writers take turns."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._keys: dict[str, Key] = {}
        self._stamp: tuple[int, int, int] | None = None
        self._looked = -1.0

    def load(self) -> dict[str, Key]:
        """Return the keys by id, in order of creation. Raises KeyStoreError where the file is missing, open to others or corrupt."""
        try:
            with self.path.open("rb") as handle:
                facts = os.fstat(handle.fileno())
                data = handle.read()
        except FileNotFoundError:
            raise KeyStoreError(
                f"{self.path}: no key store here; make one with `matcher keys create NAME --keys {self.path}`"
            ) from None
        except OSError as error:
            raise KeyStoreError(f"{self.path}: cannot be read ({error.strerror})") from None
        if facts.st_mode & 0o077:
            raise KeyStoreError(f"{self.path}: others can read it; run `chmod 600 {self.path}`")
        try:
            document = json.loads(data)
            if document["format"] != FORMAT:
                raise ValueError("format")
            keys = {str(row["id"]): _key(row) for row in document["keys"]}
        except (ValueError, TypeError, LookupError):
            raise KeyStoreError(f"{self.path}: not a key store of format {FORMAT}") from None
        self._keys, self._stamp = keys, (facts.st_ino, facts.st_mtime_ns, facts.st_size)
        return keys

    def verify(self, token: str, *, scope: Scope = "match") -> Key | None:
        """Return the key of a token that opens ``scope`` now, else None; it takes as long either way.

        A store that becomes unreadable while the service runs keeps the keys that were read before.
        """
        self._refresh()
        parts = _TOKEN.fullmatch(token)
        key = self._keys.get(parts.group(1)) if parts else None
        secret = parts.group(2) if parts else token
        same = hmac.compare_digest(_sha256(secret), _NOBODY if key is None else key.sha256)
        return key if key is not None and same and key.scope == scope and key.state(time.time()) == "active" else None

    def create(self, name: str, *, scope: Scope = "match", days: float | None = None) -> tuple[Key, str]:
        """Make a key that lives ``days`` (None: until it is revoked); return it and its token, which is kept nowhere."""
        with self._writing() as keys:
            return self._new(keys, name, scope, days)

    def list(self) -> list[Key]:
        """Return all keys, revoked ones as well."""
        return list(self.load().values())

    def revoke(self, identity: str) -> Key:
        """Shut a key now. Raises KeyStoreError for an unknown id."""
        with self._writing() as keys:
            keys[identity] = dataclasses.replace(self._known(keys, identity), revoked=True)
            return keys[identity]

    def rotate(self, identity: str, *, overlap_days: float = 7, days: float | None = None) -> tuple[Key, str]:
        """Make a successor of a key, which itself still works for ``overlap_days``; return the new key and its token."""
        with self._writing() as keys:
            old = self._known(keys, identity)
            now = time.time()
            if old.state(now) != "active":
                raise KeyStoreError(f"{identity}: {old.state(now)}; make a new key with `matcher keys create`")
            last = int(now + overlap_days * 86_400)
            keys[identity] = dataclasses.replace(old, expires=last if old.expires is None else min(last, old.expires))
            return self._new(keys, old.name, old.scope, days)

    def _known(self, keys: dict[str, Key], identity: str) -> Key:
        if identity not in keys:
            raise KeyStoreError(f"{identity}: no key of this id in {self.path}; `matcher keys list` shows them")
        return keys[identity]

    @staticmethod
    def _new(keys: dict[str, Key], name: str, scope: Scope, days: float | None) -> tuple[Key, str]:
        if not (name.strip() and len(name) <= 100 and name.isprintable()):
            raise KeyStoreError("a key's name should be 1 to 100 printable characters")
        now = time.time()
        secret = secrets.token_urlsafe(32)
        key = Key(secrets.token_hex(8), name, scope, _sha256(secret), int(now), None if days is None else int(now + days * 86_400))
        keys[key.id] = key
        return key, f"mk_{key.id}_{secret}"

    def _refresh(self) -> None:
        now = time.monotonic()
        if 0 <= now - self._looked < _STALE:
            return
        self._looked = now
        with contextlib.suppress(OSError, KeyStoreError):
            facts = self.path.stat()
            if self._stamp != (facts.st_ino, facts.st_mtime_ns, facts.st_size):
                self.load()

    @contextlib.contextmanager
    def _writing(self) -> Iterator[dict[str, Key]]:
        """Give the keys to change, one writer at a time, and put the file in place whole."""
        folder = self.path.parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock = os.open(folder / f".{self.path.name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise KeyStoreError(f"{error.filename or self.path}: cannot be written ({error.strerror})") from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            keys = dict(self.load()) if self.path.exists() else {}
            yield keys
            data = json.dumps({"format": FORMAT, "keys": [dataclasses.asdict(key) for key in keys.values()]}, indent=1).encode()
            try:
                self._replace(data)
            except OSError as error:
                raise KeyStoreError(f"{error.filename or self.path}: cannot be written ({error.strerror})") from None
            self.load()
        finally:
            os.close(lock)

    def _replace(self, data: bytes) -> None:
        # mkstemp makes it 0600 before a byte is in it.
        descriptor, name = tempfile.mkstemp(prefix=f".{self.path.name}.", dir=self.path.parent)
        try:
            with os.fdopen(descriptor, "wb") as handle:
                handle.write(data)
                handle.flush()
                os.fsync(handle.fileno())
            Path(name).replace(self.path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        parent = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(parent)
        finally:
            os.close(parent)


def _key(row: Any) -> Key:
    key = Key(**row)
    whole = isinstance(key.created, int) and (key.expires is None or isinstance(key.expires, int)) and isinstance(key.revoked, bool)
    if not (whole and key.scope in ("match", "admin") and re.fullmatch(r"[0-9a-f]{64}", key.sha256) and isinstance(key.name, str)):
        raise ValueError("a key")
    return key


def _sha256(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
