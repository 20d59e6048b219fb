"""The O*NET text release → occupations; the only holder of O*NET's file and column names.

A release is a folder of tab-separated tables, or the official zip of one. A *layout* is data: ``TABLES`` lists for each table the names
that it has had and for each column the headings that it has had, so that 28.x, 30.1 and the layout from 30.3 on are read by the
same code. The names from 30.3 on are known to us from other people's loaders only.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
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

_MOST_MEMBERS = 500
_MOST_BYTES = 400_000_000
_CODE = re.compile(r"\d\d-\d{4}\.\d\d")
_UNKNOWN = frozenset({"n/a", "N/A", ""})


class OnetError(ValueError):
    """A release is not as expected; the text names file, line and column, the offending value and what was expected."""


@dataclass(frozen=True, slots=True)
class Table:
    """One table of a release: the names it has had, its columns with the headings they have had, and the columns of its key.

    ``names`` are alternatives; several of them present at once are read one after the other (from 30.3 on skills are two tables).
    Columns in ``optional`` may be absent. An empty ``key`` means that O*NET itself repeats rows there.
    """

    key_name: str
    names: tuple[str, ...]
    columns: Mapping[str, tuple[str, ...]]
    key: tuple[str, ...] = ()
    optional: frozenset[str] = frozenset()
    required: bool = False


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
        ("Occupation Data",),
        {**_OCCUPATION, "title": ("Title",), "description": ("Description",)},
        ("code",),
        required=True,
    ),
    Table(
        "tasks",
        ("Task Statements",),
        {**_OCCUPATION, "id": ("Task ID",), "task": ("Task",), "type": ("Task Type",)},
        ("code", "id"),
        frozenset({"type"}),
        required=True,
    ),
    Table("activities", ("DWA Reference",), {"id": ("DWA ID",), "title": ("DWA Title",)}, ("id",), required=True),
    Table(
        "task_activities",
        ("Tasks to DWAs",),
        {**_OCCUPATION, "task": ("Task ID",), "activity": ("DWA ID",)},
        ("code", "task", "activity"),
        required=True,
    ),
    Table(
        "alternate_titles",
        ("Alternate Titles", "Job Titles"),
        {**_OCCUPATION, "title": ("Alternate Title", "Job Title", "Title"), "short": ("Short Title",)},
        (),
        frozenset({"short"}),
        required=True,
    ),
    Table(
        "technologies",
        ("Technology Skills", "Software Skills"),
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
    Table("knowledge", ("Knowledge",), _RATING, _RATING_KEY, _SUPPRESS, required=True),
    Table("skills", ("Skills", "Essential Skills", "Transferable Skills"), _RATING, _RATING_KEY, _SUPPRESS),
    Table("abilities", ("Abilities",), _RATING, _RATING_KEY, _SUPPRESS),
    Table("work_activities", ("Work Activities",), _RATING, _RATING_KEY, _SUPPRESS),
    Table("interests", ("Interests", "Career Interest Types"), _RATING, _RATING_KEY, _SUPPRESS),
    Table("work_values", ("Work Values",), _RATING, _RATING_KEY, _SUPPRESS),
    Table("work_styles", ("Work Styles",), _RATING, _RATING_KEY, _SUPPRESS),
    Table("work_context", ("Work Context",), _SHARE, ("code", "element", "scale", "category"), _SUPPRESS | {"category"}),
    Table(
        "context_categories",
        ("Work Context Categories",),
        {
            "element": ("Element ID",),
            "scale": ("Scale ID",),
            "category": ("Category",),
            "answer": ("Category Description",),
        },
    ),
    Table(
        "education",
        ("Education, Training, and Experience", "Education", "Required Education"),
        _SHARE,
        ("code", "element", "scale", "category"),
        _SUPPRESS,
    ),
    Table(
        "education_categories",
        ("Education, Training, and Experience Categories", "Education Categories"),
        {
            "element": ("Element ID",),
            "scale": ("Scale ID",),
            "category": ("Category",),
            "answer": ("Category Description",),
        },
    ),
    Table("reported_titles", ("Sample of Reported Titles",), {**_OCCUPATION, "title": ("Reported Job Title",)}),
    Table(
        "related",
        ("Related Occupations",),
        {
            **_OCCUPATION,
            "related": ("Related O*NET-SOC Code",),
            "tier": ("Relatedness Tier",),
            "index": ("Index", "Related Index"),
        },
        ("code", "related"),
        frozenset({"tier", "index"}),
    ),
    Table("job_zones", ("Job Zones",), {**_OCCUPATION, "zone": ("Job Zone",)}, ("code",)),
    Table(
        "job_zone_reference",
        ("Job Zone Reference",),
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
        ("Tools Used",),
        {**_OCCUPATION, "name": ("Example",), "category": ("Commodity Title",), "commodity": ("Commodity Code",)},
        (),
        frozenset({"commodity"}),
    ),
    Table(
        "emerging",
        ("Emerging Tasks",),
        {**_OCCUPATION, "task": ("Task",), "category": ("Category",), "original": ("Original Task ID",)},
    ),
    Table(
        "task_ratings",
        ("Task Ratings",),
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
        ("Occupation Level Metadata",),
        {**_OCCUPATION, "item": ("Item",), "response": ("Response",), "percent": ("Percent",)},
    ),
    Table(
        "content_model",
        ("Content Model Reference",),
        {"element": ("Element ID",), "description": ("Description",)},
        ("element",),
    ),
)

#: Tables of 30.1 that are left unread on purpose.
UNREAD: dict[str, str] = {
    "Abilities to Work Activities": "which ability serves which activity: no statement about an occupation",
    "Abilities to Work Context": "as above",
    "Skills to Work Activities": "as above",
    "Skills to Work Context": "as above",
    "Basic Interests to RIASEC": "finer interests that no occupation is rated on in the tables that are read",
    "IWA Reference": "activities between the general and the detailed ones; no query is that vague",
    "Interests Illustrative Activities": "examples for questionnaires",
    "Interests Illustrative Occupations": "examples for questionnaires",
    "RIASEC Keywords": "examples for questionnaires",
    "Level Scale Anchors": "what the points of the level scale mean; shown nowhere",
    "Scales Reference": "names and bounds of scales, which the code states where it uses them",
    "Survey Booklet Locations": "where a question stands in the paper questionnaire",
    "Task Categories": "names of the frequency categories of Task Ratings, of which only importance is used",
    "UNSPSC Reference": "classes above the commodities that Technology Skills and Tools Used already name",
    "Essential Skills to Work Activities": "as its namesakes above",
}

Row = dict[str, str]
_T = TypeVar("_T")


class _Source:
    """The tables of a folder or of a zip, by name; a zip is read in memory and within limits."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._zip: zipfile.ZipFile | None = None
        self._members: dict[str, str] = {}
        if path.is_dir():
            names = sorted(p.name for p in path.glob("*.txt"))
            if not names:
                inner = [p for p in sorted(path.iterdir()) if p.is_dir() and (p / "Occupation Data.txt").exists()]
                if len(inner) == 1:  # the official zip unpacked with its inner folder
                    self.path = inner[0]
                    names = sorted(p.name for p in inner[0].glob("*.txt"))
            self.tables = {PurePosixPath(name).stem: name for name in names}
            return
        if not path.exists():
            raise OnetError(f"{path}: not found; expected the folder or the zip of an O*NET text release")
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError) as error:
            raise OnetError(f"{path}: neither a folder nor a zip archive ({error})") from None
        members = self._zip.infolist()
        if len(members) > _MOST_MEMBERS or sum(m.file_size for m in members) > _MOST_BYTES:
            raise OnetError(f"{path}: more than {_MOST_MEMBERS} files or {_MOST_BYTES:,} bytes; not an O*NET text release")
        self.tables = {}
        for member in members:
            inner_path = PurePosixPath(member.filename)
            if inner_path.suffix == ".txt" and "__MACOSX" not in inner_path.parts:
                self.tables.setdefault(inner_path.stem, member.filename)

    def name(self, table: str) -> str:
        return f"{self.path}/{self.tables[table]}"

    def text(self, table: str) -> str:
        name = self.tables[table]
        try:
            if self._zip is None:
                data = (self.path / name).read_bytes()
            else:
                with self._zip.open(name) as handle:
                    data = handle.read(_MOST_BYTES + 1)
        except (OSError, zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
            raise OnetError(f"{self.name(table)}: cannot be read ({error})") from None
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            start = data.rfind(b"\n", 0, error.start) + 1
            column = data.count(b"\t", start, error.start) + 1
            raise OnetError(
                f"{self.name(table)}, line {line}, column {column}: byte {data[error.start]:#04x} is not UTF-8"
            ) from None

    def close(self) -> None:
        if self._zip is not None:
            self._zip.close()


class _Reader:
    """Reads tables row by row, each row checked against its heading."""

    def __init__(self, source: _Source) -> None:
        self.source = source
        self.codes: frozenset[str] | None = None

    def present(self, table: Table) -> list[str]:
        return [name for name in table.names if name in self.source.tables]

    def rows(self, table: Table) -> Iterator[tuple[str, int, list[str]]]:
        """Yield (table name, line, values in the order of ``table.columns``; absent optional columns are empty)."""
        width_of = list(table.columns)
        for name in self.present(table):
            lines = io.StringIO(self.source.text(name), newline=None)
            heading = lines.readline().rstrip("\n").split("\t")
            places = [self._place(name, heading, column, table) for column in width_of]
            n = len(heading)
            seen: set[tuple[str, ...]] = set()
            keys = [width_of.index(column) for column in table.key]
            keys = [k for k in keys if places[k] >= 0]
            code_place = width_of.index("code") if "code" in table.columns else -1
            for number, line in enumerate(lines, 2):
                values = line.rstrip("\n").split("\t")
                if len(values) != n:
                    if not line.strip():
                        continue
                    missing = heading[min(len(values), n - 1)]
                    raise OnetError(
                        f"{self.source.name(name)}, line {number}, column {missing!r}: {len(values)} fields, expected {n}"
                    )
                row = [values[place] if place >= 0 else "" for place in places]
                if keys:
                    key = tuple(row[k] for k in keys)
                    if key in seen:
                        raise OnetError(
                            f"{self.source.name(name)}, line {number}, column {heading[places[keys[0]]]!r}: {' / '.join(key)} stands twice"
                        )
                    seen.add(key)
                if code_place >= 0 and self.codes is not None and row[code_place] not in self.codes:
                    raise OnetError(
                        f"{self.source.name(name)}, line {number}, column {heading[places[code_place]]!r}: "
                        f"{row[code_place]!r} is not a code of Occupation Data"
                    )
                yield name, number, row

    def _place(self, name: str, heading: list[str], column: str, table: Table) -> int:
        for accepted in table.columns[column]:
            if accepted in heading:
                return heading.index(accepted)
        if column in table.optional:
            return -1
        wanted = " or ".join(repr(c) for c in table.columns[column])
        raise OnetError(f"{self.source.name(name)}, line 1: no column {wanted}; found {', '.join(heading)}")

    def number(self, name: str, line: int, column: str, value: str, convert: Callable[[str], _T]) -> _T | None:
        """Return a number, or None for ``n/a``, which is unknown and not 0."""
        if value in _UNKNOWN:
            return None
        try:
            return convert(value)
        except ValueError:
            raise OnetError(f"{self.source.name(name)}, line {line}, column {column!r}: {value!r} is not a number or n/a") from None


_TABLE = {table.key_name: table for table in TABLES}


def read_release(path: Path | str) -> Release:
    """Read an O*NET text release from a folder or the official zip.

    Raises OnetError, naming file, line and column, for a missing table or column, a row of another length, bytes that are not UTF-8,
    a code that Occupation Data lacks and a key that stands twice.
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
        wanted = ", ".join(" or ".join(table.names) for table in missing)
        raise OnetError(f"{source.path}: missing table {wanted}; tables found: {found}")
    occupations: dict[str, tuple[str, str]] = {}
    for name, line, (code, title, description) in reader.rows(_TABLE["occupations"]):
        if not _CODE.fullmatch(code):
            raise OnetError(
                f"{source.name(name)}, line {line}, column 'O*NET-SOC Code': {code!r}, expected a code such as '15-1252.00'"
            )
        occupations[code] = (title, description)
    reader.codes = frozenset(occupations)
    dropped: list[Dropped] = []
    descriptions = {element: text for _, _, (element, text) in reader.rows(_TABLE["content_model"])}
    rated: dict[str, Any] = {kind: _elements(reader, _TABLE[kind], descriptions) for kind in _RATED}
    titles = {identity: title for _, _, (identity, title) in reader.rows(_TABLE["activities"])}
    tasks, activities = _tasks(reader, titles, dropped)
    technologies = _grouped(
        (row[0], Technology(row[1], row[2], row[3] or None, _flag(row[4]), _flag(row[5])))
        for _, _, row in reader.rows(_TABLE["technologies"])
    )
    tools = _grouped((row[0], Tool(row[1], row[2], row[3] or None)) for _, _, row in reader.rows(_TABLE["tools"]))
    alternates = _grouped(
        (code, AlternateTitle(title, None if short in _UNKNOWN else short))
        for _, _, (code, title, short) in reader.rows(_TABLE["alternate_titles"])
    )
    reported = _grouped((code, title) for _, _, (code, title) in reader.rows(_TABLE["reported_titles"]))
    education, experience = _education(reader)
    context = _context(reader)
    zones = {
        code: reader.number(name, line, "Job Zone", zone, int) for name, line, (code, zone) in reader.rows(_TABLE["job_zones"])
    }
    metadata = _grouped(
        (code, Share(None, item, response, reader.number(name, line, "Percent", percent, float)))
        for name, line, (code, item, response, percent) in reader.rows(_TABLE["metadata"])
    )
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
        job_zones=tuple(
            JobZone(int(zone), *rest) for _, _, (zone, *rest) in reader.rows(_TABLE["job_zone_reference"]) if zone.isdigit()
        ),
        dropped=tuple(dropped),
    )


_RATED = ("knowledge", "skills", "abilities", "work_activities", "interests", "work_values", "work_styles")


def _name(source: _Source) -> str:
    if "Read Me" in source.tables:
        found = re.search(r"O\*NET\D{0,12}(\d\d\.\d)", source.text("Read Me"))
        if found:
            return f"O*NET {found[1]}"
    found = re.search(r"(\d\d)[._](\d)", source.path.name)
    return f"O*NET {found[1]}.{found[2]}" if found else "O*NET (unknown release)"


def _grouped(pairs: Iterable[tuple[str, _T]]) -> dict[str, tuple[_T, ...]]:
    """Return the values of each code, in the table's order and without repeats."""
    table: dict[str, dict[_T, None]] = {}
    for code, value in pairs:
        table.setdefault(code, {})[value] = None
    return {code: tuple(values) for code, values in table.items()}


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
            rating = shared[key] = Rating(scale, reader.number(name, line, "Data Value", value, float), _flag(suppress))
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


def _tasks(
    reader: _Reader, titles: Mapping[str, str], dropped: list[Dropped]
) -> tuple[dict[str, tuple[Task, ...]], dict[str, tuple[Activity, ...]]]:
    """Return tasks (statements, then emerging ones) and detailed activities by (task order, title), as O*NET's own pages show them."""
    importance: dict[tuple[str, str], Rating] = {}
    for name, line, (code, task, scale, _, value, suppress) in reader.rows(_TABLE["task_ratings"]):
        if scale == "IM":
            importance[code, task] = Rating("IM", reader.number(name, line, "Data Value", value, float), _flag(suppress))
    links: dict[tuple[str, str], list[str]] = {}
    statements: dict[str, list[tuple[str, str, str]]] = {}
    known: set[tuple[str, str]] = set()
    for _, _, (code, identity, text, kind) in reader.rows(_TABLE["tasks"]):
        statements.setdefault(code, []).append((identity, text, kind))
        known.add((code, identity))
    for name, line, (code, task, activity) in reader.rows(_TABLE["task_activities"]):
        if (code, task) not in known:
            raise OnetError(
                f"{reader.source.name(name)}, line {line}, column 'Task ID': {task!r} is not a task of {code} in Task Statements"
            )
        if activity not in titles:
            raise OnetError(f"{reader.source.name(name)}, line {line}, column 'DWA ID': {activity!r} is not in DWA Reference")
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
    for _, line, (code, text, category, original) in reader.rows(_TABLE["emerging"]):
        if category == "Revision":
            # The wording of an existing task as it may become: the statement in force stays, so that a duty does not count twice.
            dropped.append(
                Dropped(
                    f"Emerging Tasks, line {line}",
                    f"revision of task {original} of {code}",
                    "the task in force is kept",
                )
            )
            continue
        tasks[code] = (*tasks.get(code, ()), Task(derived_id(text), text, emerging=True))
    return tasks, activities


def _education(reader: _Reader) -> tuple[dict[str, tuple[Share, ...]], dict[str, tuple[Share, ...]]]:
    """Return shares of required education (element 2.D.1), and of experience and training."""
    answers = {(scale, category): answer for _, _, (_, scale, category, answer) in reader.rows(_TABLE["education_categories"])}
    education: dict[str, list[Share]] = {}
    experience: dict[str, list[Share]] = {}
    for name, line, (code, element, label, scale, value, suppress, category) in reader.rows(_TABLE["education"]):
        number = reader.number(name, line, "Category", category, int)
        share = Share(
            element,
            label,
            answers.get((scale, category), category),
            reader.number(name, line, "Data Value", value, float),
            number,
            _flag(suppress),
        )
        (education if scale == "RL" else experience).setdefault(code, []).append(share)
    return {c: tuple(s) for c, s in education.items()}, {c: tuple(s) for c, s in experience.items()}


def _context(reader: _Reader) -> dict[str, tuple[Share, ...]]:
    """Return shares of answers on work context; the mean of a scale (no category) has the answer ``mean`` and is not a percentage."""
    answers = {
        (element, scale, category): answer for _, _, (element, scale, category, answer) in reader.rows(_TABLE["context_categories"])
    }
    context: dict[str, list[Share]] = {}
    for name, line, (code, element, label, scale, value, suppress, category) in reader.rows(_TABLE["work_context"]):
        number = reader.number(name, line, "Category", category, int)
        if number is None:
            continue
        share = Share(
            element,
            label,
            answers.get((element, scale, category), category),
            reader.number(name, line, "Data Value", value, float),
            number,
            _flag(suppress),
        )
        context.setdefault(code, []).append(share)
    return {code: tuple(shares) for code, shares in context.items()}


def _related(reader: _Reader, titles: Mapping[str, str]) -> dict[str, tuple[RelatedOccupation, ...]]:
    related: dict[str, list[RelatedOccupation]] = {}
    for name, line, (code, other, tier, index) in reader.rows(_TABLE["related"]):
        if other not in titles:
            raise OnetError(f"{reader.source.name(name)}, line {line}: related code {other!r} is not a code of Occupation Data")
        related.setdefault(code, []).append(
            RelatedOccupation(other, titles[other], tier or None, reader.number(name, line, "Index", index, int))
        )
    return {code: tuple(rows) for code, rows in related.items()}
