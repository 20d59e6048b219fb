"""The O*NET text release → occupations; the only holder of O*NET's file and column names.

A release is a folder of tab-separated tables, or the official zip of one. A *layout* is data: ``TABLES`` lists for each table the names
that it has had and for each column the headings that it has had, so that 28.x, 30.1 and the layout from 30.3 on are read by the
same code. We have read 30.1 itself; the names from 30.3 on (31.0 has the same) are what several people who read those files write
of them.
"""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from operator import itemgetter, methodcaller
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from matcher.records import (
    Activity,
    AlternateTitle,
    Dropped,
    Element,
    JobZone,
    Occupation,
    Rating,
    RelatedOccupation,
    Release,
    Share,
    Task,
    Technology,
    Tool,
    derived_id,
)

# A whole release has about 50 tables and 100 MB, its largest table 37 MB.
_MOST_MEMBERS = 500
_MOST_BYTES = 400_000_000
_MOST_TABLE_BYTES = 120_000_000
_CHUNK = 1024  # lines that are split and checked at once: fast, and little memory
_CODE = re.compile(r"[0-9]{2}-[0-9]{4}\.[0-9]{2}")
_NUMBER = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,12})?")
_SPLIT = methodcaller("split", "\t")
_TABS = methodcaller("count", "\t")
_UNKNOWN = frozenset({"n/a", "N/A", ""})
# Columns that name or say something: an empty one is a broken row, not an unknown value.
_FILLED = frozenset({"code", "id", "element", "name", "title", "description", "task", "activity", "scale", "related"})
# What reading an archive that is cut, flipped or made up raises.
_ZIP_ERRORS = (
    OSError,
    EOFError,
    ValueError,
    OverflowError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
)


class OnetError(ValueError):
    """A release is not as expected; the text names file, line and column, the offending value and what was expected."""


@dataclass(frozen=True, slots=True)
class Table:
    """One table of a release: the names it has had, its columns with the headings they have had, and the columns of its key.

    ``layouts`` are alternatives, one for each way in which releases have had this table; the names in one of them are parts that are
    read one after the other (from 30.3 on skills are two tables). Columns in ``optional`` may be absent. An empty ``key`` means that
    O*NET declares none: a row that is there twice is then dropped and listed.
    """

    key_name: str
    layouts: tuple[tuple[str, ...], ...]
    columns: Mapping[str, tuple[str, ...]]
    key: tuple[str, ...] = ()
    optional: frozenset[str] = frozenset()
    required: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that the table, or a part of it, has had."""
        return tuple(name for parts in self.layouts for name in parts)


_OCCUPATION = {"code": ("O*NET-SOC Code",)}
_ELEMENT = {"element": ("Element ID",), "name": ("Element Name",)}
_RATING = {
    **_OCCUPATION,
    **_ELEMENT,
    "scale": ("Scale ID",),
    "value": ("Data Value",),
    "suppress": ("Recommend Suppress",),
}
_RATING_KEY = ("code", "element", "scale")
_SHARE = {**_RATING, "category": ("Category",)}
_SUPPRESS = frozenset({"suppress"})

TABLES: tuple[Table, ...] = (
    Table(
        "occupations",
        (("Occupation Data",),),
        {**_OCCUPATION, "title": ("Title",), "description": ("Description",)},
        ("code",),
        required=True,
    ),
    Table(
        "tasks",
        (("Task Statements",),),
        {**_OCCUPATION, "id": ("Task ID",), "task": ("Task",), "type": ("Task Type",)},
        ("code", "id"),
        frozenset({"type"}),
        required=True,
    ),
    Table(
        "activities",
        (("DWA Reference",), ("GWAs to IWAs to DWAs",)),
        {"id": ("DWA ID", "DWA Element ID"), "title": ("DWA Title", "DWA Element Name")},
        ("id",),
        required=True,
    ),
    Table(
        "task_activities",
        (("Tasks to DWAs",),),
        {**_OCCUPATION, "task": ("Task ID",), "activity": ("DWA ID", "DWA Element ID")},
        ("code", "task", "activity"),
        required=True,
    ),
    Table(
        "alternate_titles",
        (("Alternate Titles",), ("Job Titles",)),
        {**_OCCUPATION, "title": ("Alternate Title", "Job Title"), "short": ("Short Title",)},
        (),
        frozenset({"short"}),
        required=True,
    ),
    Table(
        "technologies",
        (("Technology Skills",), ("Software Skills",)),
        {
            **_OCCUPATION,
            "name": ("Example", "Workplace Example"),
            "category": ("Commodity Title", "Element Name"),
            "commodity": ("Commodity Code", "Element ID"),
            "hot": ("Hot Technology",),
            "in_demand": ("In Demand",),
        },
        (),
        frozenset({"hot", "in_demand", "commodity"}),
        required=True,
    ),
    Table("knowledge", (("Knowledge",),), _RATING, _RATING_KEY, _SUPPRESS, required=True),
    Table("skills", (("Skills",), ("Essential Skills", "Transferable Skills")), _RATING, _RATING_KEY, _SUPPRESS),
    Table("abilities", (("Abilities",),), _RATING, _RATING_KEY, _SUPPRESS),
    Table("work_activities", (("Work Activities",),), _RATING, _RATING_KEY, _SUPPRESS),
    Table("interests", (("Interests",), ("Career Interest Types",)), _RATING, _RATING_KEY, _SUPPRESS),
    Table("work_values", (("Work Values",),), _RATING, _RATING_KEY, _SUPPRESS),
    Table("work_styles", (("Work Styles",),), _RATING, _RATING_KEY, _SUPPRESS),
    Table("work_context", (("Work Context",),), _SHARE, ("code", "element", "scale", "category"), _SUPPRESS | {"category"}),
    Table(
        "context_categories",
        (("Work Context Categories",),),
        {
            "element": ("Element ID",),
            "scale": ("Scale ID",),
            "category": ("Category",),
            "answer": ("Category Description",),
        },
        ("element", "scale", "category"),
    ),
    Table(
        "education",
        (("Education, Training, and Experience",), ("Education", "Training and Experience")),
        _SHARE,
        ("code", "element", "scale", "category"),
        _SUPPRESS,
    ),
    Table(
        "education_categories",
        (("Education, Training, and Experience Categories",), ("Education Categories", "Training and Experience Categories")),
        {
            "element": ("Element ID",),
            "scale": ("Scale ID",),
            "category": ("Category",),
            "answer": ("Category Description",),
        },
        ("element", "scale", "category"),
    ),
    Table("reported_titles", (("Sample of Reported Titles",),), {**_OCCUPATION, "title": ("Reported Job Title",)}),
    Table(
        "related",
        (("Related Occupations",),),
        {
            **_OCCUPATION,
            "related": ("Related O*NET-SOC Code",),
            "tier": ("Relatedness Tier",),
            "index": ("Index",),
        },
        ("code", "related"),
        frozenset({"tier", "index"}),
    ),
    Table("job_zones", (("Job Zones",),), {**_OCCUPATION, "zone": ("Job Zone",)}, ("code",)),
    Table(
        "job_zone_reference",
        (("Job Zone Reference",),),
        {
            "zone": ("Job Zone",),
            "name": ("Name",),
            "experience": ("Experience",),
            "education": ("Education",),
            "training": ("Job Training",),
            "examples": ("Examples",),
            "svp_range": ("SVP Range",),
        },
        ("zone",),
    ),
    Table(
        "tools",
        (("Tools Used",),),
        {**_OCCUPATION, "name": ("Example",), "category": ("Commodity Title",), "commodity": ("Commodity Code",)},
        (),
        frozenset({"commodity"}),
    ),
    Table(
        "emerging",
        (("Emerging Tasks",),),
        {**_OCCUPATION, "task": ("Task",), "category": ("Category",), "original": ("Original Task ID",)},
    ),
    Table(
        "task_ratings",
        (("Task Ratings",),),
        {
            **_OCCUPATION,
            "task": ("Task ID",),
            "scale": ("Scale ID",),
            "category": ("Category",),
            "value": ("Data Value",),
            "suppress": ("Recommend Suppress",),
        },
        ("code", "task", "scale", "category"),
        _SUPPRESS | {"category"},
    ),
    Table(
        "metadata",
        (("Occupation Level Metadata",),),
        {**_OCCUPATION, "item": ("Item",), "response": ("Response",), "percent": ("Percent",)},
    ),
    Table(
        "content_model",
        (("Content Model Reference",),),
        {"element": ("Element ID",), "description": ("Description",)},
        ("element",),
    ),
)

#: Tables that are left unread on purpose, in any layout.
UNREAD: dict[str, str] = {
    "Abilities to Work Activities": "which ability serves which activity: no statement about an occupation",
    "Abilities to Work Context": "as above",
    "Skills to Work Activities": "as above",
    "Skills to Work Context": "as above",
    "Essential Skills to Work Activities": "as above",
    "Essential Skills to Work Context": "as above",
    "Transferable Skills to Work Activities": "as above",
    "Transferable Skills to Work Context": "as above",
    "Work Styles to Work Activities": "as above",
    "Work Styles to Work Context": "as above",
    "Basic Interests to RIASEC": "finer interests; filters and answers speak of the six of RIASEC",
    "Specific Interest Areas": "as above",
    "Specific Interest Areas to Career Interest Types": "as above",
    "IWA Reference": "activities between the general and the detailed ones; no query is that vague",
    "GWAs to IWAs": "as above",
    "Interests Illustrative Activities": "examples for questionnaires",
    "Interests Illustrative Occupations": "examples for questionnaires",
    "RIASEC Keywords": "examples for questionnaires",
    "Career Interest Type Keywords": "examples for questionnaires",
    "Level Scale Anchors": "what the points of the level scale mean; shown nowhere",
    "Scales Reference": "names and bounds of scales, which the code states where it uses them",
    "Survey Booklet Locations": "where a question stands in the paper questionnaire",
    "Task Categories": "names of the frequency categories of Task Ratings, of which only importance is used",
    "UNSPSC Reference": "classes above the commodities that Technology Skills and Tools Used already name",
}

#: Rows that are left unread on purpose, by table, in tables that are otherwise read.
UNREAD_ROWS: dict[str, str] = {
    "Work Context": "means (scales CX and CT, no category): the shares of the answers say more",
    "Education, Training, and Experience": "importance of certificates and apprenticeships (scale IM, no category): no share of answers",
    "Task Ratings": "frequency and relevance (scales FT and RT)",
}

_T = TypeVar("_T")


class _Source:
    """The tables of a folder or of a zip, by name; a zip is read in memory and within limits."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.tables: dict[str, str] = {}
        self._zip: zipfile.ZipFile | None = None
        if path.is_dir():
            self._open_folder()
        elif path.exists():
            self._open_zip()
        else:
            raise OnetError(f"{path}: not found; expected the folder or the zip of an O*NET text release")

    def _open_folder(self) -> None:
        names = sorted(p.name for p in self.path.glob("*.txt"))
        if not names:
            inner = [p for p in sorted(self.path.iterdir()) if p.is_dir() and (p / "Occupation Data.txt").exists()]
            if len(inner) == 1:  # the official zip unpacked with its inner folder
                self.path = inner[0]
                names = sorted(p.name for p in inner[0].glob("*.txt"))
        self.tables = {PurePosixPath(name).stem: name for name in names}

    def _open_zip(self) -> None:
        try:
            self._zip = zipfile.ZipFile(self.path)
            members = self._zip.infolist()
        except _ZIP_ERRORS as error:
            raise OnetError(f"{self.path}: neither a folder nor a zip archive ({error})") from None
        if len(members) > _MOST_MEMBERS or sum(m.file_size for m in members) > _MOST_BYTES:
            raise OnetError(f"{self.path}: more than {_MOST_MEMBERS} files or {_MOST_BYTES:,} bytes; not an O*NET text release")
        for member in members:
            inner = PurePosixPath(member.filename)
            if inner.suffix != ".txt" or "__MACOSX" in inner.parts:
                continue
            if inner.stem in self.tables:
                raise OnetError(
                    f"{self.path}: {inner.stem} stands twice, as {self.tables[inner.stem]} and {member.filename}; expected one release"
                )
            self.tables[inner.stem] = member.filename

    def name(self, table: str) -> str:
        return f"{self.path}/{self.tables[table]}"

    def data(self, table: str) -> bytes:
        """Return the bytes of a table; what an archive declares is not believed, what comes out is counted."""
        name = self.tables[table]
        try:
            if self._zip is None:
                with (self.path / name).open("rb") as handle:
                    data = handle.read(_MOST_TABLE_BYTES + 1)
            else:
                if self._zip.getinfo(name).compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    raise zipfile.BadZipFile("neither stored nor deflated")
                with self._zip.open(name) as member:
                    data = member.read(_MOST_TABLE_BYTES + 1)
        except _ZIP_ERRORS as error:
            raise OnetError(f"{self.name(table)}: cannot be read ({error})") from None
        if len(data) > _MOST_TABLE_BYTES:
            raise OnetError(f"{self.name(table)}: more than {_MOST_TABLE_BYTES:,} bytes; not a table of O*NET")
        return data

    def text(self, table: str) -> str:
        data = self.data(table)
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            # With a byte-order mark the codec counts from behind it.
            at = error.start + (3 if data.startswith(b"\xef\xbb\xbf") else 0)
            line = data.count(b"\n", 0, at) + 1
            start = data.rfind(b"\n", 0, at) + 1
            heading = data.partition(b"\n")[0].decode("utf-8-sig", "replace").rstrip("\r").split("\t")
            column = heading[min(data.count(b"\t", start, at), len(heading) - 1)]
            raise OnetError(f"{self.name(table)}, line {line}, column {column!r}: byte {data[at]:#04x} is not UTF-8") from None
        return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text

    def close(self) -> None:
        if self._zip is not None:
            self._zip.close()


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Some rows of a table on their way through the checks; ``places[i]`` is where column ``i`` stands, -1 for an absent one."""

    table: Table
    file: str
    headings: list[str]
    places: list[int]
    numbers: Sequence[int]
    values: list[tuple[str, ...]]

    def column(self, column: str) -> list[str]:
        return list(map(itemgetter(list(self.table.columns).index(column)), self.values))

    def error(self, row: int, column: str, what: str) -> OnetError:
        heading = self.headings[self.places[list(self.table.columns).index(column)]]
        return OnetError(f"{self.file}, line {self.numbers[row]}, column {heading!r}: {what}")


class _Reader:
    """Reads tables row by row, each row checked against its heading."""

    def __init__(self, source: _Source) -> None:
        self.source = source
        self.codes: frozenset[str] | None = None
        self.dropped: list[Dropped] = []
        self._headings: dict[tuple[str, str], str] = {}
        self._numbers: dict[str, float | None] = dict.fromkeys(_UNKNOWN)
        self._wholes: dict[str, int | None] = dict.fromkeys(_UNKNOWN)

    def present(self, table: Table) -> list[str]:
        """Return the names under which the release has the table; more than one of its layouts is an error."""
        found = [[name for name in parts if name in self.source.tables] for parts in table.layouts]
        found = [names for names in found if names]
        if len(found) > 1:
            both = " and ".join(names[0] for names in found)
            raise OnetError(f"{self.source.path}: {both} are one table in two layouts; expected one release")
        return found[0] if found else []

    def rows(self, table: Table) -> Iterator[tuple[str, int, tuple[str, ...]]]:
        """Yield (table name, line, values in the order of ``table.columns``; absent optional columns are empty).

        Rows are checked a chunk at a time; the guilty one is searched only where there is one.
        """
        seen: set[Any] = set()
        for name in self.present(table):
            text = self.source.text(name)
            hollow = any(sign in text for sign in ("\t\t", "\n\t", "\t\n")) or text.endswith("\t")
            heading, *lines = text.split("\n")
            headings = heading.split("\t")
            places = [self._place(name, headings, column, table) for column in table.columns]
            self._headings.update(((table.key_name, c), headings[p]) for c, p in zip(table.columns, places, strict=True) if p >= 0)
            pick = itemgetter(*places)
            for start in range(0, len(lines), _CHUNK):
                numbers, kept = self._kept(name, headings, start + 2, lines[start : start + _CHUNK])
                if -1 in places:
                    kept = [line + "\t" for line in kept]  # the last field, to which an absent column's -1 points
                values: list[tuple[str, ...]] = list(map(pick, map(_SPLIT, kept)))
                chunk = _Chunk(table, self.source.name(name), headings, places, numbers, values)
                if hollow:
                    _check_filled(chunk)
                _check_keys(chunk, seen)
                if self.codes is not None:
                    _check_codes(chunk, self.codes)
                yield from zip(repeat(name), numbers, values)

    def _kept(self, name: str, headings: list[str], first: int, lines: list[str]) -> tuple[Sequence[int], list[str]]:
        """Return the lines that are not blank, with their numbers; raise for one that has another number of fields."""
        numbers: Sequence[int] = range(first, first + len(lines))
        if set(map(_TABS, lines)) == {len(headings) - 1} and "" not in lines:
            return numbers, lines
        kept = [(number, line) for number, line in zip(numbers, lines, strict=True) if line.strip()]
        for number, line in kept:
            fields = line.count("\t") + 1
            if fields != len(headings):
                column = headings[min(fields, len(headings) - 1)]
                raise OnetError(
                    f"{self.source.name(name)}, line {number}, column {column!r}: {fields} fields, expected {len(headings)}"
                )
        return [number for number, _ in kept], [line for _, line in kept]

    def _place(self, name: str, heading: list[str], column: str, table: Table) -> int:
        for accepted in table.columns[column]:
            if accepted in heading:
                return heading.index(accepted)
        if column in table.optional:
            return -1
        wanted = " or ".join(repr(c) for c in table.columns[column])
        raise OnetError(f"{self.source.name(name)}, line 1: no column {wanted}; found {', '.join(heading)}")

    def error(self, table: str, name: str, line: int, column: str, what: str) -> OnetError:
        heading = self._headings[table, column]
        return OnetError(f"{self.source.name(name)}, line {line}, column {heading!r}: {what}")

    def number(self, name: str, line: int, column: str, value: str) -> float | None:
        """Return a number, or None for ``n/a``, which is unknown and not 0."""
        if value in self._numbers:
            return self._numbers[value]
        if not _NUMBER.fullmatch(value):  # so that nan, 1e999 and 1_000, which Python takes for numbers, are refused
            raise OnetError(f"{self.source.name(name)}, line {line}, column {column!r}: {value!r} is not a number or n/a")
        number = self._numbers[value] = float(value)
        return number

    def whole(self, name: str, line: int, column: str, value: str) -> int | None:
        """Return a whole number, or None for ``n/a``."""
        if value in self._wholes:
            return self._wholes[value]
        number = self.number(name, line, column, value)
        if number is None or not number.is_integer():
            raise OnetError(f"{self.source.name(name)}, line {line}, column {column!r}: {value!r} is not a whole number or n/a")
        whole = self._wholes[value] = int(number)
        return whole

    def grouped(self, pairs: Iterable[tuple[str, int, str, _T]]) -> dict[str, tuple[_T, ...]]:
        """Return the values of each code in the table's order, from (table name, line, code, value); repeats are dropped and listed."""
        values: dict[str, dict[_T, None]] = {}
        for name, line, code, value in pairs:
            mine = values.setdefault(code, {})
            if value in mine:
                self.dropped.append(Dropped(f"{name}, line {line}", f"a row of {code}", "the same row stands above"))
            mine[value] = None
        return {code: tuple(mine) for code, mine in values.items()}


def _check_filled(chunk: _Chunk) -> None:
    """Raise for an empty cell in a column that names or says something."""
    for column in chunk.table.columns:
        if column in chunk.table.optional or column not in _FILLED:
            continue
        cells = chunk.column(column)
        if "" in cells:
            raise chunk.error(cells.index(""), column, "is empty")


def _check_keys(chunk: _Chunk, seen: set[Any]) -> None:
    """Raise for a key that stands twice, here or among ``seen``, and add the keys to ``seen``."""
    columns = list(chunk.table.columns)
    key = [column for column in chunk.table.key if chunk.places[columns.index(column)] >= 0]
    if not key:
        return
    keys = list(map(itemgetter(*map(columns.index, key)), chunk.values))
    if len(set(keys)) < len(keys) or not seen.isdisjoint(keys):
        for row, one in enumerate(keys):
            if one in seen:
                raise chunk.error(row, key[0], f"{one if isinstance(one, str) else ' / '.join(one)} stands twice")
            seen.add(one)
    seen.update(keys)


def _check_codes(chunk: _Chunk, codes: frozenset[str]) -> None:
    """Raise for a code that Occupation Data lacks."""
    for column in chunk.table.columns:
        if column not in ("code", "related"):
            continue
        cells = chunk.column(column)
        if not codes.issuperset(cells):
            row = next(i for i, code in enumerate(cells) if code not in codes)
            raise chunk.error(row, column, f"{cells[row]!r} is not a code of Occupation Data")


_TABLE = {table.key_name: table for table in TABLES}


def read_release(path: Path | str) -> Release:
    """Read an O*NET text release from a folder or the official zip.

    Raises OnetError, naming file, line and column, for a missing table or column, a row of another length, bytes that are not UTF-8,
    a code that Occupation Data lacks, a key that stands twice, an empty name and a number that is none. ``Release.dropped`` lists
    revised tasks, repeated rows and tables that this reader does not know.
    """
    source = _Source(Path(path))
    try:
        return _read(source)
    finally:
        source.close()


def _read(source: _Source) -> Release:
    reader = _Reader(source)
    missing = [table for table in TABLES if table.required and not reader.present(table)]
    if missing:
        found = ", ".join(sorted(source.tables)) or "none"
        wanted = ", ".join(" or ".join(" + ".join(parts) for parts in table.layouts) for table in missing)
        raise OnetError(f"{source.path}: missing table {wanted}; tables found: {found}")
    known = {name for table in TABLES for name in table.names} | UNREAD.keys() | {"Read Me"}
    for name in sorted(source.tables.keys() - known):
        reader.dropped.append(Dropped(name, "the whole table", "not a table that this reader knows"))
    occupations: dict[str, tuple[str, str]] = {}
    for name, line, (code, title, description) in reader.rows(_TABLE["occupations"]):
        if not _CODE.fullmatch(code):
            raise reader.error("occupations", name, line, "code", f"{code!r}, expected a code such as '15-1252.00'")
        occupations[code] = (title, description)
    reader.codes = frozenset(occupations)
    descriptions = {element: text for _, _, (element, text) in reader.rows(_TABLE["content_model"])}
    rated: dict[str, Any] = {kind: _elements(reader, _TABLE[kind], descriptions) for kind in _RATED}
    titles = {identity: title for _, _, (identity, title) in reader.rows(_TABLE["activities"])}
    tasks, activities = _tasks(reader, titles)
    technologies = reader.grouped(
        (
            (name, line, row[0], Technology(row[1], row[2], row[3] or None, _flag(row[4]), _flag(row[5])))
            for name, line, row in reader.rows(_TABLE["technologies"])
        ),
    )
    tools = reader.grouped(
        ((name, line, row[0], Tool(row[1], row[2], row[3] or None)) for name, line, row in reader.rows(_TABLE["tools"])),
    )
    alternates = reader.grouped(
        (
            (name, line, code, AlternateTitle(title, None if short in _UNKNOWN else short))
            for name, line, (code, title, short) in reader.rows(_TABLE["alternate_titles"])
        ),
    )
    reported = reader.grouped(
        ((name, line, code, title) for name, line, (code, title) in reader.rows(_TABLE["reported_titles"])),
    )
    education, experience = _education(reader)
    context = _context(reader)
    metadata = reader.grouped(
        (
            (name, line, code, Share(None, item, response, reader.number(name, line, "Percent", percent)))
            for name, line, (code, item, response, percent) in reader.rows(_TABLE["metadata"])
        ),
    )
    zones = {code: reader.whole(name, line, "Job Zone", zone) for name, line, (code, zone) in reader.rows(_TABLE["job_zones"])}
    related = _related(reader, {code: title for code, (title, _) in occupations.items()})
    return Release(
        name=_name(source),
        occupations=tuple(
            Occupation(
                code=code,
                title=title,
                description=description,
                alternate_titles=alternates.get(code, ()),
                reported_titles=reported.get(code, ()),
                tasks=tasks.get(code, ()),
                activities=activities.get(code, ()),
                technologies=technologies.get(code, ()),
                tools=tools.get(code, ()),
                **{kind: table.get(code, ()) for kind, table in rated.items()},
                work_context=context.get(code, ()),
                education=education.get(code, ()),
                experience=experience.get(code, ()),
                job_zone=zones.get(code),
                related=related.get(code, ()),
                metadata=metadata.get(code, ()),
            )
            for code, (title, description) in sorted(occupations.items())
        ),
        activities=tuple(Activity(identity, title) for identity, title in titles.items()),
        job_zones=_job_zones(reader),
        dropped=tuple(reader.dropped),
    )


_RATED = ("knowledge", "skills", "abilities", "work_activities", "interests", "work_values", "work_styles")


def _name(source: _Source) -> str:
    """Return the release's name, from its Read Me, else from the name of its folder or archive."""
    if "Read Me" in source.tables:
        found = re.search(r"O\*NET\D{0,12}(\d\d\.\d)", source.data("Read Me").decode("utf-8", "replace"))
        if found:
            return f"O*NET {found[1]}"
    inner = PurePosixPath(source.tables["Occupation Data"]).parent.name
    for name in (source.path.name, inner):
        if found := re.search(r"(?<!\d)(\d\d)[._](\d)(?!\d)", name):
            return f"O*NET {found[1]}.{found[2]}"
    return "O*NET (unknown release)"


def _job_zones(reader: _Reader) -> tuple[JobZone, ...]:
    zones = []
    for name, line, (value, *rest) in reader.rows(_TABLE["job_zone_reference"]):
        zone = reader.whole(name, line, "Job Zone", value)
        if zone is not None:
            zones.append(JobZone(zone, *rest))
    return tuple(zones)


def _flag(value: str) -> bool | None:
    return {"Y": True, "N": False}.get(value)


def _elements(reader: _Reader, table: Table, descriptions: Mapping[str, str]) -> dict[str, tuple[Element, ...]]:
    """Return the rated elements of each code; IM and LV apart, every other scale (OI, IH, EX, VH, WI, DR) among the ratings."""
    grouped: dict[str, dict[str, tuple[str, dict[str, Rating]]]] = {}
    shared: dict[tuple[str, str, str], Rating] = {}
    for name, line, (code, element, label, scale, value, suppress) in reader.rows(table):
        key = (scale, value, suppress)
        rating = shared.get(key)
        if rating is None:
            rating = shared[key] = Rating(scale, reader.number(name, line, "Data Value", value), _flag(suppress))
        grouped.setdefault(code, {}).setdefault(element, (label, {}))[1][scale] = rating
    return {
        code: tuple(
            Element(
                element,
                label,
                descriptions.get(element),
                ratings.get("IM"),
                ratings.get("LV"),
                tuple(r for scale, r in ratings.items() if scale not in ("IM", "LV")),
            )
            for element, (label, ratings) in elements.items()
        )
        for code, elements in grouped.items()
    }


def _tasks(reader: _Reader, titles: Mapping[str, str]) -> tuple[dict[str, tuple[Task, ...]], dict[str, tuple[Activity, ...]]]:
    """Return tasks (statements, then emerging ones) and detailed activities by (task order, title), as O*NET's own pages show them."""
    importance: dict[tuple[str, str], Rating] = {}
    for name, line, (code, task, scale, _, value, suppress) in reader.rows(_TABLE["task_ratings"]):
        if scale == "IM":
            importance[code, task] = Rating("IM", reader.number(name, line, "Data Value", value), _flag(suppress))
    links: dict[tuple[str, str], list[str]] = {}
    statements: dict[str, list[tuple[str, str, str]]] = {}
    known: set[tuple[str, str]] = set()
    for _, _, (code, identity, text, kind) in reader.rows(_TABLE["tasks"]):
        statements.setdefault(code, []).append((identity, text, kind))
        known.add((code, identity))
    for name, line, (code, task, activity) in reader.rows(_TABLE["task_activities"]):
        if (code, task) not in known:
            raise reader.error("task_activities", name, line, "task", f"{task!r} is not a task of {code} in Task Statements")
        if activity not in titles:
            where = " + ".join(reader.present(_TABLE["activities"]))
            raise reader.error("task_activities", name, line, "activity", f"{activity!r} is not in {where}")
        links.setdefault((code, task), []).append(activity)
    tasks: dict[str, tuple[Task, ...]] = {}
    activities: dict[str, tuple[Activity, ...]] = {}
    for code, rows in statements.items():
        tasks[code] = tuple(
            Task(
                identity,
                text,
                {"Core": True, "Supplemental": False}.get(kind),
                importance.get((code, identity)),
                tuple(links.get((code, identity), ())),
            )
            for identity, text, kind in rows
        )
        ordered: dict[str, None] = {}
        for identity, _, _ in rows:
            for activity in sorted(links.get((code, identity), ()), key=titles.__getitem__):
                ordered[activity] = None
        if ordered:
            activities[code] = tuple(Activity(activity, titles[activity]) for activity in ordered)
    emerging: set[tuple[str, str]] = set()
    for name, line, (code, text, category, original) in reader.rows(_TABLE["emerging"]):
        why = ""
        if category == "Revision":
            # The wording of an existing task as it may become: the statement in force stays, so that a duty does not count twice.
            why = "the task in force is kept"
        elif (code, text) in emerging:
            why = "the same task stands above"
        if why:
            what = f"revision of task {original} of {code}" if category == "Revision" else f"emerging task of {code}"
            reader.dropped.append(Dropped(f"{name}, line {line}", what, why))
            continue
        emerging.add((code, text))
        tasks[code] = (*tasks.get(code, ()), Task(derived_id(text), text, emerging=True))
    return tasks, activities


def _education(reader: _Reader) -> tuple[dict[str, tuple[Share, ...]], dict[str, tuple[Share, ...]]]:
    """Return shares of required education (scale RL of element 2.D.1), and of experience and training; see UNREAD_ROWS for the rest."""
    answers = _answers(reader, _TABLE["education_categories"])
    education: dict[str, list[Share]] = {}
    experience: dict[str, list[Share]] = {}
    for scale, code, share in _shares(reader, _TABLE["education"], answers):
        (education if scale == "RL" else experience).setdefault(code, []).append(share)
    return {c: tuple(s) for c, s in education.items()}, {c: tuple(s) for c, s in experience.items()}


def _context(reader: _Reader) -> dict[str, tuple[Share, ...]]:
    """Return shares of answers on work context; see UNREAD_ROWS for the rest."""
    context: dict[str, list[Share]] = {}
    for _, code, share in _shares(reader, _TABLE["work_context"], _answers(reader, _TABLE["context_categories"])):
        context.setdefault(code, []).append(share)
    return {code: tuple(shares) for code, shares in context.items()}


def _answers(reader: _Reader, table: Table) -> dict[tuple[str, str, str], str]:
    return {(element, scale, category): answer for _, _, (element, scale, category, answer) in reader.rows(table)}


def _shares(reader: _Reader, table: Table, answers: Mapping[tuple[str, str, str], str]) -> Iterator[tuple[str, str, Share]]:
    """Yield (scale, code, share) of each row with a category: a row without one is a rating or a mean, not a percentage."""
    for name, line, (code, element, label, scale, value, suppress, category) in reader.rows(table):
        number = reader.whole(name, line, "Category", category)
        if number is None:
            continue
        answer = answers.get((element, scale, category), category)
        yield scale, code, Share(element, label, answer, reader.number(name, line, "Data Value", value), number, _flag(suppress))


def _related(reader: _Reader, titles: Mapping[str, str]) -> dict[str, tuple[RelatedOccupation, ...]]:
    related: dict[str, list[RelatedOccupation]] = {}
    for name, line, (code, other, tier, index) in reader.rows(_TABLE["related"]):
        rank = reader.whole(name, line, "Index", index)
        related.setdefault(code, []).append(RelatedOccupation(other, titles[other], tier or None, rank))
    return {code: tuple(rows) for code, rows in related.items()}
