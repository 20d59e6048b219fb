"""Batches: a file or folder of queries in, a file of matches out, one row a query, in order, in constant memory.

While a batch runs its rows are in ``OUT.part`` with its settings in ``OUT.part.json``; when it is whole it takes the name OUT. A
batch that was cut off goes on with ``resume=True`` and ends in the same bytes as one that was not.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from matcher.batch_rows import (
    Answered,
    Asked,
    BatchError,
    BatchRowError,
    Settings,
    Tally,
    answer,
    ask,
    input_files,
    need_pyarrow,
    read_rows,
    tally_of,
)
from matcher.batch_table import write_lines
from matcher.match import Filters, Matcher

__all__ = ["BatchError", "BatchRowError", "Tally", "read_rows", "run_batch"]

_SYNC_EVERY = 200


def run_batch(
    matcher: Matcher,
    source: Path,
    out: Path,
    *,
    top: int = 10,
    explain: bool = False,
    filters: Filters | None = None,
    resume: bool = False,
    report: Callable[[str], None] = lambda line: None,
    progress: Callable[[int], None] = lambda rows: None,
) -> Tally:
    """Match every row of ``source`` (JSON Lines, CSV or Parquet, or a folder of such) and write ``out`` (JSON Lines or Parquet).

    A bad row becomes a row with ``status: "error"`` and a line to ``report``. Raises BatchError where a file cannot be read or written, or
    where ``resume`` finds that the settings or the input are not those of the part that is there. ``matcher.batch_workers`` does the
    same in several processes, ``matcher.batch_ray`` on several machines.
    """
    settings = Settings(top, explain, filters or Filters())
    check_names(source, out)
    settings.filters.allowed(matcher.index)  # a filter that cannot be must stop the batch, not spoil each row
    return write_batch(
        lambda rows: (answer(matcher, asked, settings) for asked in rows),
        matcher.engine,
        source,
        out,
        settings,
        resume=resume,
        report=report,
        progress=progress,
    )


def check_names(source: Path, out: Path) -> None:
    """Raise BatchError where ``out`` is no name for matches, or is the input."""
    if out.suffix not in (".jsonl", ".ndjson", ".parquet"):
        raise BatchError(f"{out}: expected a name ending in .jsonl, .ndjson or .parquet")
    if source.exists() and out.exists() and out.samefile(source):
        raise BatchError(f"{out}: is the input, too; name another file")
    if source.is_dir() and out.resolve().is_relative_to(source.resolve()):
        raise BatchError(f"{out}: lies in the input folder; name a file elsewhere")
    if out.suffix == ".parquet":
        need_pyarrow(out)


def write_batch(
    answers: Callable[[Iterator[Asked]], Iterator[Answered]],
    engine: Mapping[str, str],
    source: Path,
    out: Path,
    settings: Settings,
    *,
    resume: bool,
    report: Callable[[str], None],
    progress: Callable[[int], None],
) -> Tally:
    """Write to ``out`` what ``answers`` makes of the rows of ``source``: one answer a row, in order."""
    part, stated = out.with_name(out.name + ".part"), out.with_name(out.name + ".part.json")
    text = json.dumps({"engine": dict(engine), **settings.to_dict(), "input": _fingerprint(source)}, sort_keys=True, indent=1)
    done = _rows_done(part, stated, text) if resume else None
    tally = Tally()
    try:
        if not done:
            _write_whole(stated, text)
        handle = part.open("r+b" if done else "wb")
    except OSError as error:
        raise BatchError(f"{part}: cannot be written ({error.strerror})") from None
    with handle:
        if done:
            tally, size = done
            handle.truncate(size)
            handle.seek(size)
        _hold(handle, part)
        for answered in answers(_asked(source, skip=tally.rows)):
            if answered.status == "error":
                report(f"{source}, {answered.where}: {answered.fault}")
            handle.write(answered.line + b"\n")
            tally += tally_of(answered.place, answered.line, answered.status)
            if tally.rows % _SYNC_EVERY == 0:
                handle.flush()
                progress(tally.rows)
        handle.flush()
        os.fsync(handle.fileno())
    if out.suffix == ".parquet":
        _to_parquet(part, out, settings.explain)
        part.unlink()
    else:
        part.replace(out)
    stated.unlink(missing_ok=True)
    progress(tally.rows)
    return tally


def _asked(source: Path, skip: int) -> Iterator[Asked]:
    for place, (where, row) in enumerate(read_rows(source)):
        if place >= skip:
            yield ask(place, where, row)


def _write_whole(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


def _hold(handle: BinaryIO, part: Path) -> None:
    """Keep a second batch from writing the same part; the kernel frees it when the process dies."""
    try:
        import fcntl
    except ImportError:  # Windows: two batches with one OUT are the user's to avoid
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise BatchError(f"{part}: another batch is writing it") from None


def _fingerprint(path: Path) -> dict[str, Any]:
    """Return the size of a file and the sha256 of its first megabyte, of a folder's files by name: enough to notice another input."""
    if path.is_dir():
        return {file.relative_to(path).as_posix(): _fingerprint(file) for file in input_files(path)}
    try:
        with path.open("rb") as handle:
            return {"size": path.stat().st_size, "sha256_1mb": hashlib.sha256(handle.read(1 << 20)).hexdigest()}
    except OSError as error:
        raise BatchError(f"{path}: cannot be read ({error.strerror})") from None


def _rows_done(part: Path, settings: Path, stated: str) -> tuple[Tally, int] | None:
    """Return the tally and the bytes of the whole lines in a part, or None where there is nothing to go on from."""
    if not part.exists() or not settings.exists():
        return None
    if settings.read_text(encoding="utf-8") != stated:
        raise BatchError(f"{part}: was made with other settings, another index or another input; remove it to start anew")
    tally, size = Tally(), 0
    with part.open("rb") as handle:
        for line in handle:
            try:
                status = json.loads(line)["status"] if line.endswith(b"\n") else None
            except (ValueError, KeyError):
                status = None
            if status is None:  # a line that the cut left half written
                break
            tally += tally_of(tally.rows, line[:-1], status)
            size += len(line)
    return tally, size


def _to_parquet(part: Path, out: Path, explain: bool) -> None:
    """Rewrite the finished rows as Parquet."""
    temporary = out.with_name(f".{out.name}.writing")
    with part.open("rb") as handle:
        write_lines(temporary, handle, explain=explain).close()
    temporary.replace(out)
