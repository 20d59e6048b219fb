"""Rows of a batch: how each is read from a file, checked, answered and counted, alike in every engine."""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from matcher.match import Filters, Matcher

SUFFIXES = (".jsonl", ".ndjson", ".csv", ".parquet")
COLUMNS = ("id", "text", "skills", "title")
#: What bytes that are not UTF-8 become when they are read with ``surrogateescape``.
_UNDECODED = re.compile("[\udc80-\udcff]")


class BatchError(ValueError):
    """A batch file cannot be read, written or continued; the text names it and what was expected."""


class BatchRowError(ValueError):
    """One row of a batch is not a query; the text says why, without repeating what the row holds."""


Read = tuple[str, Mapping[str, Any] | BatchRowError]


@dataclass(frozen=True, slots=True)
class Settings:
    """What is asked of every row of a batch."""

    top: int = 10
    explain: bool = False
    filters: Filters = field(default_factory=Filters)

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as JSON values."""
        return {"top": self.top, "explain": self.explain, "filters": dataclasses.asdict(self.filters)}

    @classmethod
    def of(cls, stated: Mapping[str, Any]) -> Settings:
        """Return the settings that ``to_dict`` gave."""
        filters: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in stated["filters"].items()
        }
        return cls(stated["top"], stated["explain"], Filters(**filters))


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a worker loads its matcher from: an index (the bundled one where None) and, if need be, an encoder by name or path."""

    index: str | None = None
    encoder: str | None = None

    def load(self) -> Matcher:
        """Open the index and its encoder; raises what ``Matcher.load`` raises."""
        return Matcher.load(self.index, encoder=self.encoder)


@dataclass(frozen=True, slots=True)
class Asked:
    """One row as it was read: a query, or ``fault``, which says why it is none.

    ``place`` is its number in the whole input, from 0; ``where`` tells a person where it stands in its file.
    """

    place: int
    where: str
    id: str | int
    text: str | None = None
    skills: list[str] | None = None
    title: str | None = None
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """One row as it is written: a line of JSON without its end, and what is counted of it."""

    place: int
    where: str
    line: bytes
    status: str

    @property
    def fault(self) -> str | None:
        """Why the row is bad, or None."""
        return str(json.loads(self.line)["error"]["detail"]) if self.status == "error" else None


@dataclass(frozen=True, slots=True)
class Tally:
    """How many rows were written, how many of these were insufficient or bad, and what they hold.

    ``total`` is the sum, modulo 2^256, of the sha256 of each row's place and line: whoever answers which rows, in whatever order, the sum
    of all of them is the same if and only if every row is there once with the same content.
    """

    rows: int = 0
    insufficient: int = 0
    errors: int = 0
    total: int = 0

    @property
    def digest(self) -> str:
        """The total as text: equal for two batches with the same rows."""
        return f"sum-sha256:{self.total:064x}"

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.rows + other.rows,
            self.insufficient + other.insufficient,
            self.errors + other.errors,
            (self.total + other.total) % 2**256,
        )


def tally_of(place: int, line: bytes, status: str) -> Tally:
    """Return the tally of one row."""
    value = int.from_bytes(hashlib.sha256(b"%d " % place + line).digest(), "big")
    return Tally(1, int(status == "insufficient"), int(status == "error"), value)


def ask(place: int, where: str, row: Mapping[str, Any] | BatchRowError) -> Asked:
    """Return a row as a query, or with its fault; a row without an ``id`` is called by its number, from 1."""
    identity: Any = place + 1
    try:
        if isinstance(row, BatchRowError):
            raise row
        identity = row.get("id", place + 1)
        if not isinstance(identity, str | int):
            identity = place + 1
            raise BatchRowError("'id' should be a string or a whole number")
        text, skills, title = _inputs(row)
    except BatchRowError as error:
        return Asked(place, where, identity, fault=str(error))
    return Asked(place, where, identity, text, skills, title)


def _inputs(row: Mapping[str, Any]) -> tuple[str | None, list[str] | None, str | None]:
    text, title, skills = row.get("text"), row.get("title"), row.get("skills")
    for name, value in (("text", text), ("title", title)):
        if not isinstance(value, str | None):
            raise BatchRowError(f"{name!r} should be a text")
    if isinstance(skills, str):
        skills = [part.strip() for part in skills.split(";") if part.strip()] or None
    if skills is not None and not (isinstance(skills, list) and all(isinstance(s, str) for s in skills)):
        raise BatchRowError("'skills' should be a list of texts (in CSV, separated by ';')")
    if not text and not title and not skills:
        raise BatchRowError("expected one or more of 'text', 'skills', 'title'")
    return text or None, skills or None, title or None


def answer(matcher: Matcher, asked: Asked, settings: Settings) -> Answered:
    """Match one row. A bad row has the status ``error`` and its fault; nothing that a row holds stops a batch."""
    if asked.fault is not None:
        return refused(asked, BatchRowError.__name__, asked.fault)
    try:
        found = matcher.match(
            text=asked.text,
            skills=asked.skills,
            title=asked.title,
            top=settings.top,
            explain=settings.explain,
            filters=settings.filters,
        )
    except ValueError as error:
        return refused(asked, type(error).__name__, str(error))
    except (ArithmeticError, AssertionError, AttributeError, LookupError, RecursionError, TypeError) as error:
        # A fault of ours that one row in millions meets: its text may hold what the row holds, so only its kind is told.
        return refused(asked, "InternalError", f"an internal error ({type(error).__name__})")
    whole = found.to_dict()
    keep = ("rank", "code", "title", "score", "fusion") + (("evidence",) if settings.explain else ())
    row: dict[str, Any] = {
        "id": asked.id,
        "matches": [{name: match[name] for name in keep} for match in whole["matches"]],
        "status": found.status,
        "error": None,
    }
    if found.reasons:
        row["reasons"] = list(found.reasons)
    return _written(asked, row)


def refused(asked: Asked, kind: str, detail: str) -> Answered:
    """Return the answer to a row that has none: status ``error``, with what is wrong."""
    return _written(asked, {"id": asked.id, "matches": [], "status": "error", "error": {"type": kind, "detail": detail}})


def _written(asked: Asked, row: dict[str, Any]) -> Answered:
    line = json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    return Answered(asked.place, asked.where, line, row["status"])


def read_rows(path: Path) -> Iterator[Read]:
    """Yield (where, row) of a file of queries; a row that cannot be read comes as the error that says why.

    Of a folder, the rows of its files in the order of their names (as ``input_files`` gives them).
    """
    if path.is_dir():
        return _folder_rows(path)
    if path.suffix in (".jsonl", ".ndjson"):
        return _json_file(path)
    if path.suffix == ".csv":
        return _csv_rows(path)
    if path.suffix == ".parquet":
        return _parquet_rows(path)
    raise BatchError(f"{path}: expected a name ending in {', '.join(SUFFIXES)}")


def input_files(folder: Path) -> list[Path]:
    """Return the files of queries in a folder and below it, by name; what begins with '.' or '_' is none."""
    found = sorted(
        (path for path in folder.rglob("*") if path.is_file() and is_input(path.relative_to(folder).as_posix())),
        key=lambda path: path.relative_to(folder).as_posix(),
    )
    if not found:
        raise BatchError(f"{folder}: expected files ending in {', '.join(SUFFIXES)}, found none")
    return found


def is_input(name: str, suffixes: tuple[str, ...] = SUFFIXES) -> bool:
    """Return whether a path below a folder (with '/') is a file of queries."""
    return name.endswith(suffixes) and not any(part.startswith((".", "_")) for part in name.split("/"))


def _folder_rows(folder: Path) -> Iterator[Read]:
    for path in input_files(folder):
        for where, row in read_rows(path):
            yield f"{path.relative_to(folder).as_posix()}, {where}", row


def _json_file(path: Path) -> Iterator[Read]:
    with path.open("rb") as handle:
        yield from json_rows(handle)


def json_rows(lines: Iterable[bytes], first: int = 1) -> Iterator[Read]:
    """Yield (where, row) of lines of JSON, of which the first is line number ``first``; empty lines are no rows."""
    for number, line in enumerate(lines, first):
        if not line.strip():
            continue
        where = f"line {number}"
        try:
            row = json.loads(line)
        except UnicodeDecodeError:
            yield where, BatchRowError("not UTF-8")
        except (ValueError, RecursionError):
            yield where, BatchRowError("not JSON")
        else:
            yield where, row if isinstance(row, dict) else BatchRowError("expected an object")


def _csv_rows(path: Path) -> Iterator[Read]:
    csv.field_size_limit(10_000_000)
    try:
        # Bytes that are not UTF-8 come through as lone surrogates, so that they spoil their own row alone.
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as handle:
            reader = csv.DictReader(handle)
            if not set(reader.fieldnames or ()) & {"text", "skills", "title"}:
                raise BatchError(f"{path}, line 1: expected a header with one or more of text, skills, title")
            for row in reader:
                where = f"line {reader.line_num}"
                if None in row:
                    yield where, BatchRowError(f"more fields than the header's {len(reader.fieldnames or ())}")
                elif any(_UNDECODED.search(value) for value in row.values() if value):
                    yield where, BatchRowError("not UTF-8")
                else:
                    yield where, {k: v for k, v in row.items() if v not in (None, "")}
    except csv.Error as error:
        raise BatchError(f"{path}: not CSV ({error})") from None


def _parquet_rows(path: Path) -> Iterator[Read]:
    need_pyarrow(path)
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
        yield from parquet_rows(file, path)
    except pa.ArrowException as error:
        raise BatchError(f"{path}: not a Parquet file ({str(error).splitlines()[0]})") from None


def parquet_columns(file: Any, path: Path | str) -> list[str]:
    """Return the columns of a Parquet file that are read."""
    wanted = [name for name in COLUMNS if name in file.schema_arrow.names]
    if not set(wanted) - {"id"}:
        raise BatchError(f"{path}: expected a column text, skills or title, found {file.schema_arrow.names}")
    return wanted


def parquet_rows(file: Any, path: Path | str, *, first: int = 0, rows: int | None = None) -> Iterator[Read]:
    """Yield (where, row) of ``rows`` rows (all where None) of an open Parquet file from row ``first``, from 0."""
    columns = parquet_columns(file, path)
    end = file.metadata.num_rows if rows is None else first + rows
    groups, number, start = [], None, 0
    for group in range(file.num_row_groups):
        size = file.metadata.row_group(group).num_rows
        if start < end and start + size > first:
            groups.append(group)
            number = start if number is None else number
        start += size
    if number is None:
        return
    for block in file.iter_batches(batch_size=500, columns=columns, row_groups=groups):
        low, high = max(first - number, 0), min(end - number, len(block))
        # Rows of another part are not even made into Python values.
        for place, row in enumerate(block.slice(low, high - low).to_pylist() if high > low else (), number + low + 1):
            yield f"row {place}", {name: value for name, value in row.items() if value is not None}
        number += len(block)
        if number >= end:
            return


def need_pyarrow(path: Path | str) -> None:
    """Raise BatchError where Parquet cannot be read or written."""
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        raise BatchError(f"{path}: Parquet needs pyarrow; install the extra 'parquet'") from None
