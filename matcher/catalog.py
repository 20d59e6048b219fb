"""The starter catalogue: our own prose and O*NET's facts, kept in separate files, as the same records as a release.

``data/catalog/11.toml`` is what people write (``GUIDE.md``), ``data/catalog/facts/11.json`` what ``refresh_facts`` takes from a release:
names, codes and ratings, never a sentence.
"""

from __future__ import annotations

import json
import math
import os
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matcher.lexical import words
from matcher.records import (
    Activity,
    AlternateTitle,
    Element,
    JobZone,
    Occupation,
    Rating,
    RelatedOccupation,
    Release,
    Share,
    Task,
    Technology,
    derived_id,
)

_CODE = re.compile(r"\d\d-\d{4}\.\d\d")
_GROUP_FILE = re.compile(r"\d\d\.toml")
_RATED: tuple[str, ...] = ("knowledge", "skills", "abilities", "work_activities")
_LEAST_TITLES = 8
_MOST_TITLES = 17
_MOST_TECHNOLOGIES = 20


class CatalogError(ValueError):
    """The catalogue is not as ``GUIDE.md`` says; the text names file, line, code and field."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What a refresh of the facts found: codes without prose, prose without a code, and titles that differ."""

    new: tuple[str, ...]
    retired: tuple[str, ...]
    renamed: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where something stands in a prose file, for the text of an error."""

    path: Path
    lines: tuple[str, ...]

    def at(self, code: str, field: str = "") -> str:
        header = next((n for n, line in enumerate(self.lines, 1) if line.startswith("[occupation") and code in line), 0)
        number = header
        if field:
            for n in range(header, len(self.lines)):
                if self.lines[n].startswith("["):
                    break
                if re.match(rf"{field}\s*=", self.lines[n]):
                    number = n + 1
                    break
        return f"{self.path}, line {number}: {code}" + (f", field {field}" if field else "")


def read_catalog(folder: Path | str) -> Release:
    """Read the starter catalogue.

    Raises CatalogError for a file that is not TOML, a code that stands twice, that has no facts or whose facts have no prose, an
    unknown field, knowledge area or activity, an empty list, and a title that two occupations claim as their first.
    """
    folder = Path(folder)
    about, elements, facts = _read_facts(folder / "facts")
    edition = _toml(folder / "catalog.toml")[0]
    occupations: dict[str, Occupation] = {}
    titles: dict[str, str] = {}
    for field in ("name", "version"):
        if not isinstance(edition.get(field), str):
            raise CatalogError(f"{folder / 'catalog.toml'}: expected a text {field!r}")
    for path in sorted(p for p in folder.iterdir() if _GROUP_FILE.fullmatch(p.name)):
        document, place = _toml(path)
        table = document.get("occupation", {})
        if not isinstance(table, dict) or not all(isinstance(prose, dict) for prose in table.values()):
            raise CatalogError(f"{path}: 'occupation' should hold one table a code")
        activities = _activities(path, document)
        for code, prose in document.get("occupation", {}).items():
            if code in occupations:
                raise CatalogError(f"{place.at(code)}: the code stands twice")
            if not _CODE.fullmatch(code) or code[:2] != path.stem:
                raise CatalogError(f"{place.at(code)}: expected a code of group {path.stem} such as '{path.stem}-1011.00'")
            if code not in facts:
                raise CatalogError(f"{place.at(code)}: no facts for this code; run `matcher catalog refresh`")
            occupation = _occupation(code, prose, facts[code], activities, elements, place)
            claimed = titles.setdefault(occupation.title.casefold(), code)
            if claimed != code:
                raise CatalogError(f"{place.at(code, 'title')}: {occupation.title!r} is already the title of {claimed}")
            occupations[code] = occupation
    if missing := sorted(set(facts) - set(occupations)):
        raise CatalogError(
            f"{folder / (missing[0][:2] + '.toml')}: {missing[0]} is missing ({len(missing)} codes of the facts have no prose)"
        )
    named = {o.code: o.title for o in occupations.values()}
    for code, occupation in occupations.items():
        for related in occupation.related:
            if related.code not in named:
                raise CatalogError(f"{folder / 'facts'}: {code}, field related: unknown code {related.code}")
    return Release(
        name=f"{edition['name']} {edition['version']}, facts of {about['release']}",
        occupations=tuple(occupations[code] for code in sorted(occupations)),
        job_zones=tuple(JobZone(zone, name) for zone, name in about["job_zones"]),
    )


def _toml(path: Path) -> tuple[dict[str, Any], _Place]:
    try:
        text = path.read_text(encoding="utf-8")
        return tomllib.loads(text), _Place(path, tuple(text.splitlines()))
    except OSError as error:
        raise CatalogError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError as error:
        raise CatalogError(f"{path}: not UTF-8 (byte {error.start})") from None
    except tomllib.TOMLDecodeError as error:
        raise CatalogError(f"{path}: not TOML: {error}") from None


def _activities(path: Path, document: Mapping[str, Any]) -> dict[str, Activity]:
    table = document.get("activities", {})
    if not isinstance(table, dict) or not all(isinstance(text, str) and text for text in table.values()):
        raise CatalogError(f"{path}: 'activities' should be a table of sentences")
    if unknown := sorted(set(document) - {"activities", "occupation"}):
        raise CatalogError(f"{path}: unknown table {unknown[0]!r}, expected 'activities' and 'occupation'")
    return {key: Activity(f"{path.stem}.{key}", text) for key, text in table.items()}


def _occupation(
    code: str,
    prose: Mapping[str, Any],
    facts: Mapping[str, Any],
    activities: Mapping[str, Activity],
    elements: Mapping[str, Sequence[Sequence[str]]],
    place: _Place,
) -> Occupation:
    if unknown := sorted(set(prose) - {"title", "description", "tasks", "activities"}):
        raise CatalogError(f"{place.at(code, unknown[0])}: unknown field, expected title, description, tasks, activities")
    for field in ("title", "description"):
        if not isinstance(prose.get(field), str) or not prose[field].strip():
            raise CatalogError(f"{place.at(code, field)}: expected a text")
    full = bool(facts["full"])
    for field in ("tasks", "activities"):
        value = prose.get(field, [])
        if not isinstance(value, list) or not all(isinstance(v, str) and v.strip() for v in value):
            raise CatalogError(f"{place.at(code, field)}: expected a list of texts")
        if full and not value:
            raise CatalogError(f"{place.at(code, field)}: the list is empty")
        if len(set(value)) != len(value):
            raise CatalogError(f"{place.at(code, field)}: {next(v for v, n in Counter(value).items() if n > 1)!r} stands twice")
    for key in prose.get("activities", []):
        if key not in activities:
            raise CatalogError(f"{place.at(code, 'activities')}: {key!r} is not in the file's table of activities")
    rated: dict[str, Any] = {kind: _elements(facts.get(kind), elements[kind]) for kind in _RATED}
    return Occupation(
        code=code,
        title=prose["title"],
        description=prose["description"],
        alternate_titles=tuple(AlternateTitle(title) for title in facts["titles"]),
        tasks=tuple(Task(derived_id(text), text) for text in prose.get("tasks", [])),
        activities=tuple(activities[key] for key in prose.get("activities", [])),
        technologies=tuple(
            Technology(name, category, None, bool(hot), bool(wanted)) for name, category, hot, wanted in facts["technologies"]
        ),
        interests=tuple(
            Element(identity, name, ratings=(Rating("IH" if name.endswith("High-Point") else "OI", value),))
            for (identity, name), value in zip(elements["interests"], facts.get("interests") or (), strict=False)
        ),
        education=tuple(Share("2.D.1", "Required Level of Education", answer, percent) for answer, percent in facts["education"]),
        job_zone=facts["job_zone"],
        related=tuple(RelatedOccupation(other, title, tier, place_) for other, title, tier, place_ in facts["related"]),
        **rated,
    )


def _elements(values: Sequence[float | None] | None, names: Sequence[Sequence[str]]) -> tuple[Element, ...]:
    """Return the rated elements; a null is unknown or suppressed by O*NET and left out."""
    if values is None:
        return ()
    return tuple(
        Element(identity, name, importance=Rating("IM", value, False))
        for (identity, name), value in zip(names, values, strict=True)
        if value is not None
    )


def _read_facts(folder: Path) -> tuple[dict[str, Any], dict[str, Any], dict[str, dict[str, Any]]]:
    try:
        about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
        elements = json.loads((folder / "elements.json").read_text(encoding="utf-8"))
        facts: dict[str, dict[str, Any]] = {}
        for path in sorted(folder.glob("[0-9][0-9].json")):
            facts |= json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CatalogError(f"{error.filename}: cannot be read ({error.strerror}); run `matcher catalog refresh`") from None
    except ValueError as error:
        raise CatalogError(f"{folder}: a file of facts is not JSON ({error})") from None
    for code, fact in facts.items():
        for kind in _RATED:
            if fact.get(kind) is not None and len(fact[kind]) != len(elements[kind]):
                raise CatalogError(
                    f"{folder / (code[:2] + '.json')}: {code}, field {kind}: {len(fact[kind])} values for {len(elements[kind])} named elements"
                )
    return about, elements, facts


def refresh_facts(folder: Path | str, release: Release) -> Changes:
    """Write ``facts/`` anew from a release, for the codes that have prose, and return what the prose must follow; it is never touched."""
    folder = Path(folder)
    facts = folder / "facts"
    facts.mkdir(exist_ok=True)
    prose = {
        code: text["title"]
        for path in sorted(folder.iterdir())
        if _GROUP_FILE.fullmatch(path.name)
        for code, text in _toml(path)[0].get("occupation", {}).items()
    }
    elements: dict[str, list[list[str]]] = {}
    for kind in (*_RATED, "interests"):
        found = {
            e.id: e.name for o in release.occupations for e in getattr(o, kind) if kind != "interests" or e.id.startswith("1.B.1")
        }
        elements[kind] = [[identity, name] for identity, name in sorted(found.items())]
    titles = choose_titles(release.occupations)
    technologies = choose_technologies(release.occupations)
    groups: dict[str, dict[str, Any]] = {}
    for o in release.occupations:
        if o.code not in prose:
            continue
        groups.setdefault(o.code[:2], {})[o.code] = {
            "title": o.title,
            "full": bool(o.tasks),
            "job_zone": o.job_zone,
            "titles": titles[o.code],
            "technologies": technologies[o.code],
            **{kind: _values(getattr(o, kind), elements[kind]) for kind in _RATED},
            "interests": [_interest(o.interests, identity) for identity, _ in elements["interests"]] if o.interests else None,
            "education": [[s.answer, s.percent] for s in o.education if s.percent and not s.suppress and s.element_id == "2.D.1"],
            "related": [[r.code, r.title, r.tier, r.index] for r in o.related if r.code in prose],
        }
    _write_json(facts / "about.json", {"release": release.name, "job_zones": [[z.zone, z.name] for z in release.job_zones]})
    _write_json(facts / "elements.json", elements)
    for group, table in groups.items():
        lines = ",\n".join(f"{json.dumps(code)}: {json.dumps(fact, ensure_ascii=False)}" for code, fact in sorted(table.items()))
        _write(facts / f"{group}.json", "{\n" + lines + "\n}\n")
    for path in facts.glob("[0-9][0-9].json"):
        if path.stem not in groups:
            path.unlink()
    named = {o.code: o.title for o in release.occupations}
    return Changes(
        new=tuple(sorted(set(named) - set(prose))),
        retired=tuple(sorted(set(prose) - set(named))),
        renamed=tuple((code, prose[code], named[code]) for code in sorted(set(prose) & set(named)) if prose[code] != named[code]),
    )


def _values(elements: Iterable[Element], names: Sequence[Sequence[str]]) -> list[float | None] | None:
    by_id = {e.id: e.importance.value for e in elements if e.importance is not None and not e.importance.suppress}
    return [by_id.get(identity) for identity, _ in names] if by_id else None


def _interest(elements: Iterable[Element], identity: str) -> float | None:
    return next((r.value for e in elements if e.id == identity for r in e.ratings if r.scale in ("OI", "IH")), None)


def _write_json(path: Path, value: Any) -> None:
    _write(path, json.dumps(value, ensure_ascii=False, indent=1) + "\n")


def _write(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


def choose_titles(occupations: Sequence[Occupation]) -> dict[str, list[str]]:
    """Return 17 titles a code at most, by one rule for all: first those that O*NET says incumbents reported, then alternates.

    Alternates are taken one by one, each time the one whose words not yet covered by the chosen titles weigh most (inverse
    frequency over occupations, divided by the root of its number of words), so that few titles cover most wordings. Titles that
    four or more occupations share say little of any: they are taken only where fewer than eight are found without them. Titles of
    more than six words are passed over.
    """
    holders = Counter(t for o in occupations for t in {a.title.casefold() for a in o.alternate_titles})
    frequency = Counter(w for o in occupations for w in {w for a in o.alternate_titles for w in words(a.title)})
    chosen: dict[str, list[str]] = {}
    for o in occupations:
        titles = {o.title.casefold(): o.title}
        for title in o.reported_titles:
            titles.setdefault(title.casefold(), title)
        short = sorted({a.title for a in o.alternate_titles if len(a.title.split()) <= 6})
        own = [title for title in short if holders[title.casefold()] < 4]
        shared = [title for title in short if holders[title.casefold()] >= 4]
        _add_by_gain(titles, own, frequency, len(occupations), _MOST_TITLES)
        _add_by_gain(titles, shared, frequency, len(occupations), _LEAST_TITLES)
        chosen[o.code] = list(titles.values())[1 : _MOST_TITLES + 1]
    return chosen


def _add_by_gain(titles: dict[str, str], pool: list[str], frequency: Mapping[str, int], n: int, most: int) -> None:
    """Add titles of ``pool`` to ``titles`` (the occupation's own is the first and does not count) until there are ``most``."""
    covered = Counter(w for title in titles.values() for w in words(title))
    pool = [title for title in pool if title.casefold() not in titles]
    while pool and len(titles) <= most:
        gains = [_gain(words(title), covered, frequency, n) for title in pool]
        title = pool.pop(max(range(len(pool)), key=lambda i: (gains[i], -i)))
        titles.setdefault(title.casefold(), title)
        covered.update(words(title))


def _gain(title: Sequence[str], covered: Mapping[str, int], frequency: Mapping[str, int], n: int) -> float:
    weight = sum(math.log(n / frequency[w]) / (1 + covered.get(w, 0)) ** 2 for w in title if frequency.get(w))
    return weight / math.sqrt(max(1, len(title)))


def choose_technologies(occupations: Sequence[Occupation]) -> dict[str, list[list[Any]]]:
    """Return 20 technologies a code at most: in demand first, then hot ones, then those that the fewest occupations use."""
    holders = Counter(t for o in occupations for t in {t.name for t in o.technologies})
    chosen = {}
    for o in occupations:
        ranked = sorted(o.technologies, key=lambda t: (not t.in_demand, not t.hot, holders[t.name], t.name))
        unique = {
            t.name: [t.name, t.category, int(bool(t.hot)), int(bool(t.in_demand))] for t in reversed(ranked[:_MOST_TECHNOLOGIES])
        }
        chosen[o.code] = sorted(unique.values())
    return chosen
