"""The official O*NET text release → a verified local copy.

Nothing is replaced before the new file is whole: it is downloaded beside its place, its zip checked, its tables read and counted. The
archives' digests are not published, so the first download's sha256 is written beside the copy and every later one must equal it.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matcher.onet import OnetError, read_release
from matcher.records import Release

BASE_URL = "https://www.onetcenter.org/dl_files/database/"
#: Occupations and those with tasks of releases that we have seen; others must have at least LEAST.
KNOWN_COUNTS: dict[str, tuple[int, int]] = {"30.1": (1016, 923)}
LEAST = (900, 800)


class FetchError(ValueError):
    """A release could not be had or is not what it should be; the text names the address or file and what to do."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A verified copy: the unpacked folder, the archive beside it, and the archive's sha256."""

    folder: Path
    archive: Path
    sha256: str


def archive_name(release: str) -> str:
    """Return the official name of a release's text archive, such as ``db_30_1_text.zip``."""
    if not re.fullmatch(r"\d\d\.\d", release):
        raise FetchError(f"release {release!r}: expected two numbers such as '30.1'")
    return f"db_{release.replace('.', '_')}_text.zip"


def fetch_release(
    release: str,
    out: Path | str,
    *,
    sha256: str | None = None,
    base_url: str = BASE_URL,
    progress: Callable[[str, float], None] | None = None,
) -> Fetched:
    """Download a release into ``out`` (or take the archive that lies there), verify and unpack it to ``out/<release>``.

    ``sha256`` (64 hex digits) states what the archive's digest must be. Raises FetchError; an earlier copy is then still as it was.
    """
    name = archive_name(release)
    if sha256 is not None and not re.fullmatch(r"[0-9a-f]{64}", sha256):
        raise FetchError(f"sha256 {sha256!r}: expected 64 hex digits in lower case")
    root = Path(out)
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FetchError(f"{root}: cannot be written ({error.strerror})") from None
    archive, pinned, folder = root / name, root / f"{name}.sha256", root / release
    expected = sha256 or (_pinned(pinned) if pinned.exists() else None)
    tell = progress or (lambda what, share: None)
    if archive.exists() and expected in (None, digest := _sha256(archive)):
        _unpack(archive, folder, release, tell)
        _pin(pinned, name, digest)
        return Fetched(folder, archive, digest)
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=root) as temporary:
        fresh = Path(temporary) / name
        _download(base_url + name, fresh, archive, tell)
        digest = _sha256(fresh)
        if expected is not None and digest != expected:
            stated = "--sha256" if sha256 else str(pinned)
            raise FetchError(f"{base_url + name}: sha256 is {digest}, {stated} says {expected}; nothing was replaced")
        _unpack(fresh, folder, release, tell)
        fresh.replace(archive)
    _pin(pinned, name, digest)
    return Fetched(folder, archive, digest)


def _pinned(path: Path) -> str:
    words = path.read_text(encoding="utf-8").split()
    if not words or not re.fullmatch(r"[0-9a-f]{64}", words[0]):
        raise FetchError(f"{path}: expected a sha256 of 64 hex digits; remove the file to pin the next download anew")
    return words[0]


def _pin(path: Path, name: str, digest: str) -> None:
    temporary = path.with_name(f".{path.name}")
    temporary.write_text(f"{digest}  {name}\n", encoding="utf-8")
    temporary.replace(path)


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _download(url: str, target: Path, by_hand: Path, tell: Callable[[str, float], None]) -> None:
    """Download ``url``; a cut or a wrong length is tried again from the start, three times in all."""
    import logging

    import pooch
    import requests

    pooch.get_logger().setLevel(logging.ERROR)
    meter = _Meter(tell)
    problem = ""
    for _ in range(3):
        target.unlink(missing_ok=True)
        try:
            downloader = pooch.HTTPDownloader(progressbar=meter, timeout=30, headers={"Accept-Encoding": "identity"})
            pooch.retrieve(url, known_hash=None, fname=target.name, path=target.parent, downloader=downloader)
        except (requests.RequestException, OSError) as error:
            problem = _in_short(error)
            if isinstance(error, requests.HTTPError):
                break  # the server has answered: asking again gives the same
            continue
        if meter.stated and target.stat().st_size != meter.stated:
            problem = f"{target.stat().st_size} bytes came, {meter.stated} were promised"
            continue
        return
    raise FetchError(
        f"{url}: could not be downloaded ({problem}); with a browser elsewhere, save it as {by_hand} and run this again"
    )


def _in_short(error: Exception) -> str:
    import requests

    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"HTTP {error.response.status_code}"
    if isinstance(error, requests.exceptions.ConnectionError | requests.exceptions.Timeout):
        return "no connection, or it was cut"
    return type(error).__name__


class _Meter:
    """What pooch calls to show progress, turned into a share of 1."""

    def __init__(self, tell: Callable[[str, float], None]) -> None:
        self.tell = tell
        self.total: float = 0
        self.stated = 0
        self.done = 0.0

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)
        if name == "total":
            object.__setattr__(self, "stated", int(value))
            object.__setattr__(self, "done", 0.0)

    def update(self, size: float) -> None:
        self.done += size
        self.tell("downloading", min(1.0, self.done / self.total) if self.total else 0.0)

    def reset(self) -> None:
        self.done = 0.0

    def close(self) -> None:
        self.tell("downloaded", 1.0)


def _unpack(archive: Path, folder: Path, release: str, tell: Callable[[str, float], None]) -> None:
    """Check an archive and put its tables into ``folder``, which is replaced only when all is well."""
    tell("checking", 1.0)
    try:
        with zipfile.ZipFile(archive) as bundle:
            members = bundle.infolist()
            tables = [Path(m.filename).name for m in members if not m.is_dir() and m.filename.endswith(".txt")]
            if len(members) > 500 or sum(m.file_size for m in members) > 400_000_000 or len(set(tables)) != len(tables):
                raise FetchError(f"{archive.name}: too many files, too large, or a table twice; nothing was replaced")
            damaged = bundle.testzip()
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError) as error:
        raise FetchError(f"{archive.name}: not an intact zip archive ({error}); nothing was replaced") from None
    if damaged:
        raise FetchError(f"{archive.name}: {damaged} in it is damaged; nothing was replaced")
    try:
        found = read_release(archive)
    except OnetError as error:
        raise FetchError(f"{archive.name}: not an O*NET text release: {error}; nothing was replaced") from None
    _counted(found, release, archive.name)
    temporary = Path(tempfile.mkdtemp(prefix=".unpack-", dir=folder.parent))
    temporary.chmod(0o755)
    try:
        with zipfile.ZipFile(archive) as bundle:
            for member in bundle.infolist():
                # Only the tables, by their own names: a path inside the archive is never followed.
                name = Path(member.filename).name
                if not member.is_dir() and name.endswith(".txt"):
                    with bundle.open(member) as source, (temporary / name).open("wb") as target:
                        shutil.copyfileobj(source, target)
        if folder.exists():
            aside = folder.with_name(f".{folder.name}.{os.getpid()}")
            folder.rename(aside)
            temporary.rename(folder)
            shutil.rmtree(aside)
        else:
            temporary.rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _counted(found: Release, release: str, name: str) -> None:
    counts = (len(found.occupations), sum(bool(o.tasks) for o in found.occupations))
    exact = KNOWN_COUNTS.get(release)
    if (exact and counts != exact) or (not exact and (counts[0] < LEAST[0] or counts[1] < LEAST[1])):
        wanted = exact or LEAST
        raise FetchError(
            f"{name}: {counts[0]} occupations, {counts[1]} with tasks; release {release} should have "
            f"{'' if exact else 'at least '}{wanted[0]} and {wanted[1]}; nothing was replaced"
        )
    if found.name.startswith("O*NET ") and found.name not in (f"O*NET {release}", "O*NET (unknown release)"):
        raise FetchError(f"{name}: calls itself {found.name}, asked for was {release}; nothing was replaced")
