"""Batches: a file of queries in, a file of matches out, one row a query, in order, in constant memory.

While a batch runs its rows are in ``OUT.part`` with its settings in ``OUT.part.json``; when it is whole it takes the name OUT. A
batch that was cut off goes on with ``resume=True`` and ends in the same bytes as one that was not.
"""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from matcher.match import Filters, Matcher

SUFFIXES = (".jsonl", ".ndjson", ".csv", ".parquet")
_ROW_GROUP = 5000
_SYNC_EVERY = 200
#: What bytes that are not UTF-8 become when they are read with ``surrogateescape``.
_UNDECODED = re.compile("[\udc80-\udcff]")


class BatchError(ValueError):
    """A batch file cannot be read, written or continued; the text names it and what was expected."""


class BatchRowError(ValueError):
    """One row of a batch is not a query; the text says why, without repeating what the row holds."""


@dataclass(frozen=True, slots=True)
class Tally:
    """How many rows a batch wrote, and of these how many were insufficient or bad."""

    rows: int
    insufficient: int
    errors: int


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
    """Match every row of ``source`` (JSON Lines, CSV or Parquet) and write ``out`` (JSON Lines or Parquet).

    A bad row becomes a row with ``status: "error"`` and a line to ``report``. Raises BatchError where a file cannot be read or written, or
    where ``resume`` finds that the settings or the input are not those of the part that is there.
    """
    if out.suffix not in (".jsonl", ".ndjson", ".parquet"):
        raise BatchError(f"{out}: expected a name ending in .jsonl, .ndjson or .parquet")
    (filters or Filters()).allowed(matcher.index)  # a filter that cannot be must stop the batch, not spoil each row
    if out.exists() and source.exists() and out.samefile(source):
        raise BatchError(f"{out}: is the input, too; name another file")
    if out.suffix == ".parquet":
        _need_pyarrow(out)
    part, settings = out.with_name(out.name + ".part"), out.with_name(out.name + ".part.json")
    stated = {
        "engine": dict(matcher.engine),
        "top": top,
        "explain": explain,
        "filters": dataclasses.asdict(filters or Filters()),
        "input": _fingerprint(source),
    }
    text = json.dumps(stated, sort_keys=True, indent=1)
    done = _rows_done(part, settings, text) if resume else None
    rows = insufficient = errors = 0
    try:
        if not done:
            _write_whole(settings, text)
        handle = part.open("r+b" if done else "wb")
    except OSError as error:
        raise BatchError(f"{part}: cannot be written ({error.strerror})") from None
    with handle:
        if done:
            rows, insufficient, errors, size = done
            handle.truncate(size)
            handle.seek(size)
        _hold(handle, part)
        for place, (where, row) in enumerate(read_rows(source)):
            if place < rows:
                continue
            answer = _answer(matcher, row, place, top, explain, filters)
            insufficient += answer["status"] == "insufficient"
            if answer["status"] == "error":
                errors += 1
                report(f"{source}, {where}: {answer['error']['detail']}")
            handle.write(json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n")
            rows += 1
            if rows % _SYNC_EVERY == 0:
                handle.flush()
                progress(rows)
        handle.flush()
        os.fsync(handle.fileno())
    if out.suffix == ".parquet":
        _to_parquet(part, out, explain)
        part.unlink()
    else:
        part.replace(out)
    settings.unlink(missing_ok=True)
    progress(rows)
    return Tally(rows, insufficient, errors)


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
    """Return the size of a file and the sha256 of its first megabyte: enough to notice another input."""
    try:
        with path.open("rb") as handle:
            return {"size": path.stat().st_size, "sha256_1mb": hashlib.sha256(handle.read(1 << 20)).hexdigest()}
    except OSError as error:
        raise BatchError(f"{path}: cannot be read ({error.strerror})") from None


def _rows_done(part: Path, settings: Path, stated: str) -> tuple[int, int, int, int] | None:
    """Return rows, insufficient, errors and bytes of the whole lines in a part, or None where there is nothing to go on from."""
    if not part.exists() or not settings.exists():
        return None
    if settings.read_text(encoding="utf-8") != stated:
        raise BatchError(f"{part}: was made with other settings, another index or another input; remove it to start anew")
    rows = insufficient = errors = size = 0
    with part.open("rb") as handle:
        for line in handle:
            try:
                status = json.loads(line)["status"] if line.endswith(b"\n") else None
            except (ValueError, KeyError):
                status = None
            if status is None:  # a line that the cut left half written
                break
            rows, insufficient, errors = (
                rows + 1,
                insufficient + (status == "insufficient"),
                errors + (status == "error"),
            )
            size += len(line)
    return rows, insufficient, errors, size


def _answer(
    matcher: Matcher,
    row: Mapping[str, Any] | BatchRowError,
    place: int,
    top: int,
    explain: bool,
    filters: Filters | None,
) -> dict[str, Any]:
    identity: Any = place + 1
    try:
        if isinstance(row, BatchRowError):
            raise row
        identity = row.get("id", place + 1)
        if not isinstance(identity, str | int):
            identity = place + 1
            raise BatchRowError("'id' should be a string or a whole number")
        text, skills, title = _inputs(row)
        answer = matcher.match(text=text, skills=skills, title=title, top=top, explain=explain, filters=filters)
    except ValueError as error:
        return {
            "id": identity,
            "matches": [],
            "status": "error",
            "error": {"type": type(error).__name__, "detail": str(error)},
        }
    whole = answer.to_dict()
    keep = ("rank", "code", "title", "score", "fusion") + (("evidence",) if explain else ())
    found: dict[str, Any] = {
        "id": identity,
        "matches": [{k: m[k] for k in keep} for m in whole["matches"]],
        "status": answer.status,
        "error": None,
    }
    if answer.reasons:
        found["reasons"] = list(answer.reasons)
    return found


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


def read_rows(path: Path) -> Iterator[tuple[str, Mapping[str, Any] | BatchRowError]]:
    """Yield (where, row) of a file of queries; a row that cannot be read comes as the error that says why."""
    if path.suffix in (".jsonl", ".ndjson"):
        return _json_rows(path)
    if path.suffix == ".csv":
        return _csv_rows(path)
    if path.suffix == ".parquet":
        return _parquet_rows(path)
    raise BatchError(f"{path}: expected a name ending in {', '.join(SUFFIXES)}")


def _json_rows(path: Path) -> Iterator[tuple[str, Mapping[str, Any] | BatchRowError]]:
    with path.open("rb") as handle:
        for number, line in enumerate(handle, 1):
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


def _csv_rows(path: Path) -> Iterator[tuple[str, Mapping[str, Any] | BatchRowError]]:
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


def _parquet_rows(path: Path) -> Iterator[tuple[str, Mapping[str, Any] | BatchRowError]]:
    _need_pyarrow(path)
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
        wanted = [name for name in ("id", "text", "skills", "title") if name in file.schema_arrow.names]
        if not set(wanted) - {"id"}:
            raise BatchError(f"{path}: expected a column text, skills or title, found {file.schema_arrow.names}")
        number = 0
        for block in file.iter_batches(batch_size=1000, columns=wanted):
            for row in block.to_pylist():
                number += 1
                yield f"row {number}", {k: v for k, v in row.items() if v is not None}
    except pa.ArrowException as error:
        raise BatchError(f"{path}: not a Parquet file ({str(error).splitlines()[0]})") from None


def _need_pyarrow(path: Path) -> None:
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        raise BatchError(f"{path}: Parquet needs pyarrow; install the extra 'parquet'") from None


def _to_parquet(part: Path, out: Path, explain: bool) -> None:
    """Rewrite the finished rows as Parquet; row groups of a fixed size, so that the bytes do not depend on where a run was cut."""
    _need_pyarrow(out)
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = _schema(explain)
    temporary = out.with_name(f".{out.name}.writing")
    with pq.ParquetWriter(temporary, schema) as writer, part.open("rb") as handle:
        block: list[dict[str, Any]] = []
        for line in handle:
            row = json.loads(line)
            block.append({**row, "id": str(row["id"])})  # a column has one type
            if len(block) == _ROW_GROUP:
                writer.write_table(pa.Table.from_pylist(block, schema=schema))
                block = []
        if block:
            writer.write_table(pa.Table.from_pylist(block, schema=schema))
    temporary.replace(out)


def _schema(explain: bool) -> Any:
    import pyarrow as pa

    text, number = pa.string(), pa.float64()
    match = [("rank", pa.int32()), ("code", text), ("title", text), ("score", number), ("fusion", number)]
    if explain:
        pair = [
            ("kind", text),
            ("id", text),
            ("statement", text),
            ("importance", pa.int32()),
            ("source", text),
            ("phrase", text),
        ]
        pair += [("start", pa.int64()), ("end", pa.int64()), ("pointer", text), ("similarity", number)]
        match.append(("evidence", pa.list_(pa.struct(pair))))
    return pa.schema(
        [
            ("id", text),
            ("matches", pa.list_(pa.struct(match))),
            ("status", text),
            ("error", pa.struct([("type", text), ("detail", text)])),
            ("reasons", pa.list_(text)),
        ]
    )
