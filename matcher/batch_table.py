"""The Parquet form of a batch's answers: one schema, written in row groups of a fixed size."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

#: Rows of a row group: fixed, so that the bytes of a file do not depend on where a run was cut.
ROW_GROUP = 5000
#: Rows that stand as Python values at a time.
_BLOCK = 250


def write_lines(where: Any, lines: Iterable[bytes], *, explain: bool, filesystem: Any = None) -> Any:
    """Write lines of answers as Parquet to ``where`` (a path or an open file) and return the open writer, to be closed."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = schema_of(explain)
    writer = pq.ParquetWriter(where, schema, filesystem=filesystem)
    try:
        group: list[Any] = []
        block: list[dict[str, Any]] = []
        held = 0
        for line in lines:
            row = json.loads(line)
            block.append({**row, "id": str(row["id"])})  # a column has one type
            held += 1
            if len(block) == _BLOCK or held == ROW_GROUP:
                group.append(pa.Table.from_pylist(block, schema=schema))
                block = []
            if held == ROW_GROUP:
                writer.write_table(pa.concat_tables(group).combine_chunks())
                group, held = [], 0
        if block:
            group.append(pa.Table.from_pylist(block, schema=schema))
        if group:
            writer.write_table(pa.concat_tables(group).combine_chunks())
    except BaseException:
        writer.close()
        raise
    return writer


def read_notes(file: Any) -> Mapping[str, str]:
    """Return the notes (``add_key_value_metadata``) of an open Parquet file."""
    return {key.decode(): value.decode() for key, value in (file.metadata.metadata or {}).items()}


def schema_of(explain: bool) -> Any:
    """Return the schema of answers, with their evidence where ``explain``."""
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
        pair += [("start", pa.int64()), ("end", pa.int64()), ("pointer", text), ("similarity", number), ("contribution", number)]
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
