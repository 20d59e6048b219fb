"""Parts of a batch: ranges of rows of the input files, each of which becomes one file of the output, whoever makes it and how often.

OUT is a folder. A part is named by its input file and its rows, is written to ``_temporary/`` and renamed when it is whole, and carries what
it was made with in its own footer; so what is there is finished, and a second making gives the same rows. ``_manifest.json`` says the
settings, the engine, the inputs and, once all is done, every part. Readers of Parquet folders pass over names that begin with ``_``.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib import import_module
from itertools import islice
from typing import Any

from matcher.batch_rows import (
    BatchError,
    Read,
    Settings,
    Tally,
    answer,
    ask,
    is_input,
    json_rows,
    need_pyarrow,
    parquet_columns,
    parquet_rows,
    tally_of,
)
from matcher.batch_table import read_notes, write_lines
from matcher.match import Matcher

MANIFEST = "_manifest.json"
TEMPORARY = "_temporary"
SUFFIXES = (".jsonl", ".ndjson", ".parquet")
#: The key of a part's footer under which its note is.
NOTE = "matcher.part"
#: Of a part so many bad rows are told one by one; all of them are in the output.
MOST_FAULTS = 20
_END = 1 << 20


@dataclass(frozen=True, slots=True)
class Cut:
    """Where a range of rows begins and ends in its file: ``first`` and ``line`` count from 0 and 1; bytes only of JSON Lines."""

    first: int
    rows: int
    line: int = 1
    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class Survey:
    """One input file: its size, the sha256 of its first and last megabyte, and how its rows are cut."""

    name: str
    path: str
    size: int
    sha256_ends: str
    cuts: tuple[Cut, ...]

    @property
    def rows(self) -> int:
        """The number of rows."""
        return sum(cut.rows for cut in self.cuts)

    def to_dict(self) -> dict[str, Any]:
        """Return what the manifest says of an input."""
        return {"name": self.name, "size": self.size, "sha256_ends": self.sha256_ends, "rows": self.rows}


@dataclass(frozen=True, slots=True)
class Piece:
    """A range of rows to be matched; ``place`` is the number of its first row in the whole input, from 0."""

    part: str
    path: str
    place: int
    cut: Cut


@dataclass(frozen=True, slots=True)
class Made:
    """A part that is there: its tally, the bad rows of it that are told, the seconds it took and its size in bytes."""

    part: str
    tally: Tally
    faults: tuple[str, ...] = ()
    seconds: float = 0.0
    size: int = 0


def locate(address: str) -> tuple[Any, str]:
    """Return pyarrow's file system of an address and the path in it; what pyarrow does not know is asked of fsspec."""
    need_pyarrow(address)
    import pyarrow as pa
    from pyarrow import fs

    if "://" not in address:
        from pathlib import Path

        return fs.LocalFileSystem(), str(Path(address).absolute())
    try:
        filesystem, path = fs.FileSystem.from_uri(address)
        return filesystem, str(path)
    except pa.ArrowInvalid:
        pass
    scheme = address.partition("://")[0]
    try:
        known, path = import_module("fsspec").core.url_to_fs(address)
    except (ImportError, ValueError) as error:
        raise BatchError(f"{address}: neither pyarrow nor fsspec can open {scheme}:// here ({error})") from None
    return fs.PyFileSystem(fs.FSSpecHandler(known)), str(path)


def list_inputs(address: str) -> list[tuple[str, str]]:
    """Return (name, path) of every input file at an address, a file or a folder, by name."""
    from pyarrow import fs

    filesystem, path = locate(address)
    found = filesystem.get_file_info(path)
    if found.type == fs.FileType.NotFound:
        raise BatchError(f"{address}: cannot be read (no such file or folder)")
    if found.type == fs.FileType.File:
        if not path.endswith(SUFFIXES):
            raise BatchError(f"{address}: expected a name ending in {', '.join(SUFFIXES)} (CSV: the local engine reads it)")
        return [(path.rsplit("/", 1)[-1], path)]
    root = path.rstrip("/") + "/"
    below = (info.path for info in filesystem.get_file_info(fs.FileSelector(path, recursive=True)) if info.is_file)
    names = sorted(name.removeprefix(root) for name in below)
    files = [(name, root + name) for name in names if is_input(name, SUFFIXES)]
    others = [name for name in names if is_input(name, (".csv",))]
    if others:
        raise BatchError(f"{address}: {others[0]} is CSV, which only the local engine reads")
    if not files:
        raise BatchError(f"{address}: expected files ending in {', '.join(SUFFIXES)}, found none")
    return files


def survey(address: str, name: str, path: str, part_rows: int) -> Survey:
    """Return how the rows of an input file are cut. Of JSON Lines every byte is read once, of Parquet the footer."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    filesystem, _ = locate(address)
    try:
        with filesystem.open_input_file(path) as handle:
            size, ends = handle.size(), hashlib.sha256(handle.read(_END))
            handle.seek(max(0, size - _END))
            ends.update(handle.read(_END))
            if path.endswith(".parquet"):
                file = pq.ParquetFile(handle)
                parquet_columns(file, path)
                rows = file.metadata.num_rows
                cuts = tuple(Cut(first, min(part_rows, rows - first)) for first in range(0, rows, part_rows))
            else:
                handle.seek(0)
                cuts = tuple(_line_cuts(io.BufferedReader(handle, 1 << 20), part_rows))
    except pa.ArrowException as error:
        raise BatchError(f"{path}: not a Parquet file ({str(error).splitlines()[0]})") from None
    return Survey(name, path, size, ends.hexdigest(), cuts)


def _line_cuts(lines: Any, part_rows: int) -> Iterator[Cut]:
    first = rows = at = start = 0
    line = 1
    for number, text in enumerate(lines, 1):
        if rows == part_rows:
            yield Cut(first, rows, line, start, at)
            first, rows, start, line = first + rows, 0, at, number
        at += len(text)
        rows += bool(text.strip())
    if rows:
        yield Cut(first, rows, line, start, at)


def pieces_of(surveys: list[Survey]) -> list[Piece]:
    """Return every piece of the inputs in order. The names of parts, in order, give the order of the rows."""
    pieces: list[Piece] = []
    place = 0
    for number, found in enumerate(surveys):
        stem = re.sub(r"[^A-Za-z0-9-]+", "_", found.name.rsplit(".", 1)[0])[-60:].strip("_") or "rows"
        for cut in found.cuts:
            part = f"{number:06d}-{stem}-{cut.first:012d}-{cut.first + cut.rows - 1:012d}.parquet"
            pieces.append(Piece(part, found.path, place, cut))
            place += cut.rows
    return pieces


def read_piece(filesystem: Any, piece: Piece) -> Iterator[Read]:
    """Yield (where, row) of the rows of a piece."""
    import pyarrow.parquet as pq

    with filesystem.open_input_file(piece.path) as handle:
        if piece.path.endswith(".parquet"):
            # Read as it is needed: a row group of a million rows would not fit beside the index.
            file = pq.ParquetFile(handle, pre_buffer=False, buffer_size=1 << 20)
            yield from parquet_rows(file, piece.path, first=piece.cut.first, rows=piece.cut.rows)
        else:
            handle.seek(piece.cut.start)
            yield from json_rows(_lines(handle, piece.cut.end - piece.cut.start), piece.cut.line)


def _lines(handle: Any, size: int) -> Iterator[bytes]:
    lines = io.BufferedReader(handle, 1 << 20)
    while size > 0 and (line := lines.readline()):
        size -= len(line)
        yield line


def make_part(matcher: Matcher, source: str, out: str, piece: Piece, settings: Settings, stamp: str) -> Made:
    """Match the rows of a piece and write its part; the part appears whole or not at all.

    ``stamp`` is what ``finished`` must find. Raises OSError where a file cannot be read or written, BatchError where the input has
    changed since it was surveyed.
    """
    started = time.perf_counter()
    incoming, _ = locate(source)
    outgoing, root = locate(out)
    temporary = f"{root}/{TEMPORARY}/{uuid.uuid4().hex}"
    tally, faults = Tally(), list[str]()

    def lines() -> Iterator[bytes]:
        nonlocal tally
        for place, (where, row) in enumerate(islice(read_piece(incoming, piece), piece.cut.rows), piece.place):
            found = answer(matcher, ask(place, where, row), settings)
            if found.status == "error" and len(faults) < MOST_FAULTS:
                faults.append(f"{piece.path}, {where}: {found.fault}")
            tally += tally_of(place, found.line, found.status)
            yield found.line

    outgoing.create_dir(f"{root}/{TEMPORARY}", recursive=True)
    try:
        writer = write_lines(temporary, lines(), explain=settings.explain, filesystem=outgoing)
        with writer:
            seconds = round(time.perf_counter() - started, 3)
            writer.add_key_value_metadata({NOTE: json.dumps({"stamp": stamp, "seconds": seconds, **asdict(tally)})})
        if tally.rows != piece.cut.rows:
            raise BatchError(f"{piece.path}: has {tally.rows} rows where {piece.cut.rows} were; it changed during the batch")
        size = int(outgoing.get_file_info(temporary).size)
        outgoing.move(temporary, f"{root}/{piece.part}")
    except BaseException:
        _delete(outgoing, temporary)
        raise
    return Made(piece.part, tally, tuple(faults), seconds, size)


def _delete(filesystem: Any, path: str) -> None:
    try:
        filesystem.delete_file(path)
    except OSError:  # it was not there yet, or is swept at the end
        return


def finished(filesystem: Any, root: str, piece: Piece, stamp: str) -> Made | None:
    """Return what is there of a piece, or None where it has to be made: not there, not whole, or of another batch."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = f"{root}/{piece.part}"
    try:
        with filesystem.open_input_file(path) as handle:
            file = pq.ParquetFile(handle)
            note = json.loads(read_notes(file).get(NOTE, "{}"))
            rows, size = file.metadata.num_rows, handle.size()
    except (OSError, ValueError, pa.ArrowException):
        return None
    if note.pop("stamp", None) != stamp or rows != piece.cut.rows:
        return None
    seconds = note.pop("seconds")
    return Made(piece.part, Tally(**note), seconds=seconds, size=size)


def check_out(out: str, stated: Mapping[str, Any], *, resume: bool) -> bool:
    """Return whether a folder holds a batch to go on with.

    Raises BatchError where it holds something and ``resume`` is not given, or a batch of which something in ``stated`` was otherwise.
    """
    before = read_manifest(out)
    if before is None:
        from pyarrow import fs

        filesystem, root = locate(out)
        if any(info.is_file for info in filesystem.get_file_info(fs.FileSelector(root, allow_not_found=True))):
            raise BatchError(f"{out}: holds other files; name a folder that is new or empty")
        return False
    if not resume:
        raise BatchError(f"{out}: holds a batch ({before['state']}); give --continue to go on with it, or name another folder")
    changed = [name for name in stated if before.get(name) != stated[name]]
    if changed:
        raise BatchError(f"{out}: was made with other {', '.join(changed)}; name another folder")
    return True


def begin(out: str, stated: Mapping[str, Any], *, resume: bool) -> str:
    """Make or continue the folder of a batch and return its stamp, the digest of ``stated``; raises what ``check_out`` raises."""
    stamp = hashlib.sha256(json.dumps(stated, sort_keys=True).encode()).hexdigest()
    if check_out(out, stated, resume=resume):
        sweep(out)  # what a killed run left half written
    filesystem, root = locate(out)
    filesystem.create_dir(root, recursive=True)
    write_manifest(out, {"format": 1, "state": "running", "stamp": stamp, **stated})
    return stamp


def end(out: str, stated: Mapping[str, Any], stamp: str, made: list[Made]) -> Tally:
    """Write the manifest of a whole batch, with every part, and sweep what is left over."""
    whole = sum((one.tally for one in made), Tally())
    parts = [
        {
            "name": one.part, "rows": one.tally.rows, "insufficient": one.tally.insufficient, "errors": one.tally.errors,
            "digest": one.tally.digest, "bytes": one.size, "seconds": one.seconds,
        }
        for one in sorted(made, key=lambda one: one.part)
    ]  # fmt: skip
    totals = {"rows": whole.rows, "insufficient": whole.insufficient, "errors": whole.errors, "digest": whole.digest}
    write_manifest(out, {"format": 1, "state": "complete", "stamp": stamp, **stated, **totals, "parts": parts})
    sweep(out)
    return whole


def read_manifest(out: str) -> dict[str, Any] | None:
    """Return the manifest of a folder, or None where it has none."""
    filesystem, root = locate(out)
    try:
        with filesystem.open_input_stream(f"{root}/{MANIFEST}") as handle:
            found = json.loads(handle.read())
    except FileNotFoundError:
        return None
    except ValueError:
        found = None
    if not isinstance(found, dict) or not {"stamp", "state"} <= found.keys():
        raise BatchError(f"{out}/{MANIFEST}: is not the manifest of a batch; name another folder")
    return found


def write_manifest(out: str, content: Mapping[str, Any]) -> None:
    """Write a manifest, whole or not at all."""
    filesystem, root = locate(out)
    temporary = f"{root}/{TEMPORARY}/{uuid.uuid4().hex}"
    filesystem.create_dir(f"{root}/{TEMPORARY}", recursive=True)
    with filesystem.open_output_stream(temporary) as handle:
        handle.write(json.dumps(content, indent=1, ensure_ascii=False).encode())
    filesystem.move(temporary, f"{root}/{MANIFEST}")


def sweep(out: str) -> None:
    """Remove what runs that were killed left half written."""
    filesystem, root = locate(out)
    try:
        filesystem.delete_dir(f"{root}/{TEMPORARY}")
    except FileNotFoundError:
        return
