"""JSON Resume: its members (schema v1, jsonresume.org) read into phrases with JSON pointers; what is unknown is ignored."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from matcher.characters import tidy
from matcher.page import read_line, read_prose
from matcher.periods import Date
from matcher.reading import MAX_TEXT, MAX_WORDS, Draft, QueryError, Reading
from matcher.records import Role

MAX_ITEMS = 1_000
_ISO = re.compile(r"((?:19|20)\d\d)(?:-(\d{1,2}))?(?:-\d{1,2})?(?:T.*)?\Z")
_CONTACT = ("name", "email", "phone", "url", "website", "image", "picture")


class _Budget:
    """Counts what has been read, so that a huge document stops being read where a text would."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.words = 0
        self.characters = 0

    def allows(self, text: str) -> bool:
        self.words += len(text.split())
        self.characters += len(text)
        if self.words > MAX_WORDS or self.characters > MAX_TEXT:
            self.reading.truncated = True
            return False
        return True


def read_json_resume(resume: Mapping[str, Any], reading: Reading) -> None:
    """Add a résumé's phrases, jobs and degrees to ``reading``.

    Offsets are into the member that ``pointer`` (RFC 6901) names. Raises QueryError, naming the member, for a value of a wrong type.
    """
    add = _Adder(reading)
    basics = _mapping(resume, "basics", "")
    if basics is not None:
        at = "/basics"
        add.line(basics, "label", at, "title")
        add.prose(basics, "summary", at, "summary")
        reading.contact += sum(bool(basics.get(name)) for name in _CONTACT)
        reading.contact += bool(_mapping(basics, "location", at)) + len(_list(basics, "profiles", at))
    for item, at in _items(resume, "work"):
        job = add.position(item, at)
        add.line(item, "position", at, "title", job)
        add.prose(item, "summary", at, "duty", job)
        add.lines(item, "highlights", at, "duty", job)
        add.lines(item, "skills", at, "skill", job)
    for item, at in _items(resume, "volunteer"):
        add.line(item, "position", at, "other")
        add.prose(item, "summary", at, "other")
        add.lines(item, "highlights", at, "other")
    for item, at in _items(resume, "projects"):
        add.prose(item, "description", at, "duty")
        add.lines(item, "highlights", at, "duty")
        add.lines(item, "keywords", at, "skill")
        add.lines(item, "roles", at, "other")
    for item, at in _items(resume, "education"):
        kind, area = _string(item, "studyType", at), _string(item, "area", at)
        degree = " in ".join(tidy(part) for part in (kind, area) if part and part.strip())
        if degree:
            reading.degrees.append(degree)
        add.line(item, "area" if area and area.strip() else "studyType", at, "education")
        add.lines(item, "courses", at, "education")
    for place, skill in enumerate(_list(resume, "skills", "")):
        at = f"/skills/{place}"
        if isinstance(skill, str):
            add.text(skill, at, "skill")
            continue
        if not isinstance(skill, Mapping):
            raise _wrong(at, "an object or a string", skill)
        _string(skill, "level", at)
        add.line(skill, "name", at, "skill")
        add.lines(skill, "keywords", at, "skill")
    for member in ("certificates", "certifications"):
        for item, at in _items(resume, member):
            add.line(item, "name", at, "skill")
    for member, name in (
        ("awards", "title"),
        ("publications", "name"),
        ("languages", "language"),
        ("interests", "name"),
    ):
        for item, at in _items(resume, member):
            add.line(item, name, at, "other")
            add.lines(item, "keywords", at, "other")
    reading.references += len(_list(resume, "references", ""))


class _Adder:
    """Adds members of a résumé to a reading."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.budget = _Budget(reading)

    def position(self, item: Mapping[str, Any], at: str) -> int:
        title = _string(item, "position", at)
        start, end = _date(item, "startDate", at), _date(item, "endDate", at)
        current = start is not None and end is None
        self.reading.jobs.append(Draft(tidy(title) or None if title else None, start, end, current))
        return len(self.reading.jobs) - 1

    def line(self, item: Mapping[str, Any], name: str, at: str, role: Role, job: int | None = None) -> None:
        value = _string(item, name, at)
        if value:
            self.text(value, f"{at}/{name}", role, job)

    def prose(self, item: Mapping[str, Any], name: str, at: str, role: Role, job: int | None = None) -> None:
        value = _string(item, name, at)
        if value and self.budget.allows(value):
            read_prose(value, "resume", role, self.reading, pointer=f"{at}/{name}", job=job)

    def lines(self, item: Mapping[str, Any], name: str, at: str, role: Role, job: int | None = None) -> None:
        values = item.get(name)
        if values is None:
            return
        if isinstance(values, str):
            self.prose(item, name, at, role, job)
            return
        for place, value in enumerate(_list(item, name, at)):
            if not isinstance(value, str):
                raise _wrong(f"{at}/{name}/{place}", "a string", value)
            if role == "duty":
                if self.budget.allows(value):
                    read_prose(value, "resume", role, self.reading, pointer=f"{at}/{name}/{place}", job=job)
            else:
                self.text(value, f"{at}/{name}/{place}", role, job)

    def text(self, value: str, pointer: str, role: Role, job: int | None = None) -> None:
        if not self.budget.allows(value):
            return
        if len(value) > 200:
            read_prose(value, "resume", role, self.reading, pointer=pointer, job=job)
        elif any(c.isalpha() for c in value):
            read_line(value, "resume", role, self.reading, pointer=pointer, job=job)


def _wrong(pointer: str, expected: str, found: object) -> QueryError:
    kind = {dict: "an object", list: "a list", str: "a string", bool: "true or false", type(None): "null"}.get(
        type(found), "a number"
    )
    return QueryError(f"resume, member {pointer or '/'}: expected {expected}, found {kind}")


def _mapping(item: Mapping[str, Any], name: str, at: str) -> Mapping[str, Any] | None:
    value = item.get(name)
    if value is None or isinstance(value, Mapping):
        return value
    raise _wrong(f"{at}/{name}", "an object", value)


def _list(item: Mapping[str, Any], name: str, at: str) -> Sequence[Any]:
    value = item.get(name)
    if value is None:
        return ()
    if not isinstance(value, list | tuple):
        raise _wrong(f"{at}/{name}", "a list", value)
    if len(value) > MAX_ITEMS:
        raise QueryError(f"resume, member {at}/{name}: at most {MAX_ITEMS} items, found {len(value)}")
    return value


def _items(resume: Mapping[str, Any], name: str) -> Iterator[tuple[Mapping[str, Any], str]]:
    for place, item in enumerate(_list(resume, name, "")):
        if not isinstance(item, Mapping):
            raise _wrong(f"/{name}/{place}", "an object", item)
        yield item, f"/{name}/{place}"


def _string(item: Mapping[str, Any], name: str, at: str) -> str | None:
    value = item.get(name)
    if value is None or isinstance(value, str):
        return value
    raise _wrong(f"{at}/{name}", "a string", value)


def _date(item: Mapping[str, Any], name: str, at: str) -> Date | None:
    value = _string(item, name, at)
    match = _ISO.match(value.strip()) if value else None
    if not match:
        return None
    month = int(match[2]) if match[2] else None
    return int(match[1]), month if month is None or 1 <= month <= 12 else None
