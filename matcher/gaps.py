"""Gaps: what is said of one occupation, each statement met, partly met or not found in what a person gave.

"Not found" is about the text, not about the person. Tasks and activities are met by the phrase nearest to them; technologies by
their name; knowledge areas and skills by where the query stands in them (``matcher.standing``), or by their name; education and job zone by
the degrees recognised.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from matcher import cards, degrees
from matcher.given import IF_TRUE, Engine, Given, row_of
from matcher.index import OccupationIndex, similarities
from matcher.mentions import Mentions
from matcher.records import Kind, Phrase, Query
from matcher.signals import QueryVectors
from matcher.standing import Standings, phrase_shares, standings

if TYPE_CHECKING:
    from matcher.cards import Cell

Status = Literal["met", "partly", "not_found"]
#: How a status is said.
WORDS: Mapping[str, str] = {"met": "met", "partly": "partly", "not_found": "not found in what you gave"}
#: The kinds of a gap, in the order in which they are told.
ORDER = ("knowledge", "technology", "task", "activity", "skill", "education", "job_zone")
#: Least value for "partly" and for "met", derived from development résumés by the rules of tests/benchmarks/gaps.py. Tasks and activities: cosine of
#: the best phrase, which statements of a résumé's own occupation reach three and five times as often as those of another major group.
#: Knowledge and skills: standing in deviations; "partly" of knowledge is the middle of the range in which both bounds on
#: gaps hold, the mean of the full release's (0.287) and the bundled catalogue's (0.319).
THRESHOLDS: Mapping[Kind, tuple[float, float]] = {
    Kind.TASK: (0.221, 0.256),
    Kind.ACTIVITY: (0.226, 0.270),
    Kind.KNOWLEDGE: (0.303, 0.819),
    Kind.SKILL: (0.337, 0.706),
}
#: Words of a phrase that can show a duty in full; two words show it partly.
FIRM_WORDS = 3
#: A phrase this near to the name of a knowledge area or a skill names it (the floor of evidence of knowledge).
NAMED = 0.55
#: Percent of workers who require no more than the highest degree found for "partly": a choice, not a measurement.
_SOME_REQUIRE_LESS = 25.0
#: What a technology weighs: in demand, hot, neither.
_IN_DEMAND, _HOT, _PLAIN = 100, 75, 25
#: What a statement weighs whose importance is unknown.
_UNKNOWN = 50
_NAMING_ROLES = frozenset({"skill", "education", "other", "summary"})


@dataclass(frozen=True, slots=True)
class Gap:
    """One statement of an occupation with its status.

    ``importance`` is 0–100 or None, ``weight`` what it counts for in coverage and order; ``phrase`` is what met it, best of its kind, and
    ``similarity`` their cosine where words were compared. ``in_demand`` and ``hot`` are O*NET's flags of technologies.
    """

    kind: str
    id: str | None
    name: str
    status: Status
    importance: int | None = None
    weight: float = _UNKNOWN
    phrase: Phrase | None = None
    similarity: float | None = None
    in_demand: bool | None = None
    hot: bool | None = None
    note: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the gap as JSON values (the wire format's gap with more fields)."""
        phrase = self.phrase
        return {
            "kind": self.kind,
            "id": self.id,
            "name": self.name,
            "importance": self.importance,
            "status": self.status,
            "in_demand": self.in_demand,
            "hot": self.hot,
            "phrase": None if phrase is None else phrase.raw,
            "source": None if phrase is None else phrase.source,
            "start": None if phrase is None else phrase.start,
            "end": None if phrase is None else phrase.end,
            "pointer": None if phrase is None else phrase.pointer,
            "similarity": self.similarity,
            "note": self.note,
        }


@dataclass(frozen=True, slots=True)
class Gaps(Sequence[Gap]):
    """All statements of one occupation, by kind (ORDER) and in each by weight; ``coverage`` is percent by kind, met 1 and partly ½."""

    code: str
    title: str
    items: tuple[Gap, ...]
    coverage: Mapping[str, int]
    release: str

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, place: Any) -> Any:
        return self.items[place]

    def of(self, kind: str, status: Status | None = None) -> tuple[Gap, ...]:
        """Return the statements of ``kind``, those with ``status`` where it is given."""
        return tuple(gap for gap in self.items if gap.kind == kind and status in (None, gap.status))

    def missing(self, limit: int = 5) -> tuple[Gap, ...]:
        """Return the ``limit`` statements that matter most among those not found: in turn one of each kind, by weight."""
        queues = [[g for g in self.of(kind, "not_found") if kind != "technology" or g.weight > _PLAIN] for kind in ORDER[:5]]
        chosen: list[Gap] = []
        for place in range(max(map(len, queues), default=0)):
            chosen.extend(queue[place] for queue in queues if place < len(queue))
        return tuple(chosen[:limit])

    def to_dict(self) -> dict[str, Any]:
        """Return the gaps as JSON values."""
        return {
            "code": self.code,
            "title": self.title,
            "coverage": dict(self.coverage),
            "gaps": [gap.to_dict() for gap in self.items],
            "note": f"not_found means: not found in what was given. {IF_TRUE}",
            "release": self.release,
        }

    def to_frame(self) -> Any:
        """Return a pandas DataFrame, one row a statement (extra ``notebooks``)."""
        from matcher.frames import frame

        return frame([{"code": self.code, **gap.to_dict()} for gap in self.items])

    def _repr_html_(self) -> str:
        covered = " · ".join(f"{kind.replace('_', ' ')} {percent} %" for kind, percent in self.coverage.items())
        rows: list[list[Cell]] = []
        for kind in ORDER:
            for gap in self.of(kind)[:8]:
                rows.append([kind.replace("_", " "), gap.name, cards.Bar(gap.weight / 100), cards.Mark(gap.status, WORDS[gap.status]),
                             "" if gap.phrase is None else gap.phrase.raw])  # fmt: skip
        return cards.table(
            f"{self.code} {self.title}",
            ("kind", "what the occupation has", "weight", "in what you gave", "by"),
            rows,
            note=f"Covered: {covered}. The first eight of each kind. {IF_TRUE}",
        )


def gaps(
    index: OccupationIndex,
    query: QueryVectors,
    row: int,
    *,
    degrees_found: Iterable[str] = (),
    at: Standings | None = None,
    mentions: Mentions | None = None,
    section: Mapping[str, Any] | None = None,
) -> Gaps:
    """Compare a query with everything that the index says of the occupation at ``row``.

    ``degrees_found`` are the query's degree lines. ``at``, ``mentions`` and ``section`` are what is known already, for many rows of one query.
    """
    entry = index.entries[row]
    section = index.section(entry.code) if section is None else section
    at = standings(index, query) if at is None else at
    items = [
        *_rated(index, query, row, Kind.KNOWLEDGE, at),
        *_technologies(mentions or Mentions(query.phrases), section),
        *_duties(index, query, row, Kind.TASK, {}),
        *_duties(index, query, row, Kind.ACTIVITY, _importance_of_activities(section)),
        *_rated(index, query, row, Kind.SKILL, at),
        *_schooling(section, tuple(degrees_found), entry.job_zone),
    ]
    return Gaps(entry.code, entry.title, tuple(items), _coverage(items), index.release)


def gap(engine: Engine, query: Query, code: str) -> Gaps:
    """Compare a query with the occupation ``code``. Raises AdviceError for an unknown code, one without data, or an unreadable query."""
    row = row_of(engine.index, code)
    return gaps_of(Given.of(engine, query), code, row=row)


def gaps_of(given: Given, code: str, *, row: int | None = None) -> Gaps:
    """Compare what was given with the occupation ``code``, encoding nothing. Raises AdviceError as ``gap`` does."""
    place = row_of(given.engine.index, code) if row is None else row
    return gaps(given.engine.index, given.vectors, place, degrees_found=degrees_in(given.query))


def degrees_in(query: Query) -> tuple[str, ...]:
    """Return the degree lines of a query, and other phrases that state a degree in so many words."""
    return (*query.degrees, *degrees.stated(phrase.text for phrase in query.phrases))


def _status(value: float, bounds: tuple[float, float]) -> Status:
    return "met" if value >= bounds[1] else "partly" if value >= bounds[0] else "not_found"


def _best_phrases(
    index: OccupationIndex, query: QueryVectors, texts: npt.NDArray[np.int64], usable: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Return for each text the best cosine with a usable phrase (−1 without one) and that phrase's number."""
    if not len(texts) or not usable.any():
        return np.full(len(texts), -1.0), np.zeros(len(texts), dtype=np.int64)
    cosines = np.where(usable[None, :], similarities(index.vectors.rows(texts), query.vectors).astype(np.float64), -1.0)
    best = cosines.argmax(axis=1)
    return cosines[np.arange(len(texts)), best], best


def proving(query: QueryVectors, *, words: int = 2) -> npt.NDArray[np.bool_]:
    """Return (p,) which phrases can show a duty: those of ``words`` words or more that are no job title."""
    return np.array([phrase.role != "title" and len(phrase.text.split()) >= words for phrase in query.phrases], dtype=bool)


def _duties(index: OccupationIndex, query: QueryVectors, row: int, kind: Kind, importance: Mapping[str, int]) -> list[Gap]:
    first, last = index.group(kind, row)
    texts = index.text_of[first:last].astype(np.int64)
    values, best = _best_phrases(index, query, texts, proving(query))
    firm, firm_best = _best_phrases(index, query, texts, proving(query, words=FIRM_WORDS))
    found = []
    for place in range(last - first):
        identity = index.ids[first + place] or None
        own = int(index.importance[first + place])
        rated = own if own >= 0 else importance.get(identity or "")
        status: Status = "not_found"
        value, number = float(values[place]), int(best[place])
        if firm[place] >= THRESHOLDS[kind][1]:
            status, value, number = "met", float(firm[place]), int(firm_best[place])
        elif value >= THRESHOLDS[kind][0]:
            status = "partly"
        found.append(
            Gap(str(kind), identity, index.texts[int(texts[place])], status, rated, _UNKNOWN if rated is None else rated,
                query.phrases[number] if status != "not_found" else None, round(value, 4))
        )  # fmt: skip
    return _by_weight(found)


def _importance_of_activities(section: Mapping[str, Any]) -> dict[str, int]:
    """Return the importance of each activity: that of the most important task that is linked to it."""
    found: dict[str, int] = {}
    for task in section.get("tasks", ()):
        value: float | None = (task.get("importance") or {}).get("value")
        if value is None:
            continue
        for activity in task.get("activity_ids", ()):
            found[activity] = max(found.get(activity, 0), round((value - 1) * 25))
    return found


def missing_knowledge(
    index: OccupationIndex, query: QueryVectors, rows: Sequence[int], at: Standings, most: int = 5
) -> list[tuple[tuple[str | None, str, int | None], ...]]:
    """Return for each of ``rows`` (id, name, importance) of up to ``most`` knowledge areas that were not found, the most important first.

    They are those of ``gaps``, without the rest of it, which costs a hundred times more.
    """
    profile, standing = at.profiles[Kind.KNOWLEDGE], at.standing[Kind.KNOWLEDGE]
    absent = standing < THRESHOLDS[Kind.KNOWLEDGE][0]
    naming = np.flatnonzero(_naming(query))
    if len(naming) and absent.any():
        named = similarities(index.vectors.rows(profile.texts), query.vectors.rows(naming)).max(axis=1)
        absent &= named.astype(np.float64) < NAMED
    names = {text: index.texts[text] for text in profile.texts[absent].tolist()}
    result = []
    for row in rows:
        first, last = index.group(Kind.KNOWLEDGE, row)
        texts, rated = index.text_of[first:last].tolist(), index.importance[first:last].tolist()
        found = [(place, own) for place, (text, own) in enumerate(zip(texts, rated, strict=True)) if text in names]
        found.sort(key=lambda pair: (-(_UNKNOWN if pair[1] < 0 else pair[1]), names[texts[pair[0]]]))
        result.append(
            tuple((index.ids[first + place] or None, names[texts[place]], None if own < 0 else own) for place, own in found[:most])
        )
    return result


def _naming(query: QueryVectors) -> npt.NDArray[np.bool_]:
    """Return (p,) which phrases can name a knowledge area or a skill."""
    return np.array([phrase.role in _NAMING_ROLES for phrase in query.phrases], dtype=bool)


def _rated(index: OccupationIndex, query: QueryVectors, row: int, kind: Kind, at: Standings) -> list[Gap]:
    first, last = index.group(kind, row)
    if last == first:
        return []
    profile, standing = at.profiles[kind], at.standing[kind]
    texts = index.text_of[first:last].astype(np.int64)
    named, by = _best_phrases(index, query, texts, _naming(query))
    shares = phrase_shares(index, query, at, kind)
    found = []
    for place in range(last - first):
        area = profile.place(int(texts[place]))
        own = int(index.importance[first + place])
        rated = None if own < 0 else own
        status = _status(float(standing[area]), THRESHOLDS[kind])
        phrase: Phrase | None = None
        similarity: float | None = None
        if named[place] >= NAMED:
            status, phrase, similarity = "met", query.phrases[int(by[place])], round(float(named[place]), 4)
        elif status != "not_found" and shares[area].max(initial=0.0) > 0:
            phrase = query.phrases[int(shares[area].argmax())]
        found.append(
            Gap(str(kind), index.ids[first + place] or None, index.texts[int(texts[place])], status, rated,
                _UNKNOWN if rated is None else rated, phrase, similarity)
        )  # fmt: skip
    return _by_weight(found)


def _technologies(mentions: Mentions, section: Mapping[str, Any]) -> list[Gap]:
    """Return the technologies, in demand first; one whose category has another that is named is partly met."""
    named: dict[str, Phrase] = {}
    by_category: dict[str, tuple[str, Phrase]] = {}
    unique: dict[str, Mapping[str, Any]] = {}
    for technology in section.get("technologies", ()):
        name = str(technology["name"])
        if name.casefold() not in unique:
            unique[name.casefold()] = technology
            kind = str(technology.get("category", ""))
            if (phrase := mentions.find(name, kind)) is not None:
                named[name] = phrase
                by_category.setdefault(kind, (name, phrase))
    found = []
    for technology in unique.values():
        name, category = str(technology["name"]), str(technology.get("category", ""))
        in_demand, hot = technology.get("in_demand"), technology.get("hot")
        weight = _IN_DEMAND if in_demand else _HOT if hot else _PLAIN
        status: Status = "met" if name in named else "partly" if category in by_category else "not_found"
        note = category or None
        phrase = named.get(name)
        if status == "partly":
            other, phrase = by_category[category]
            note = f"{category}: {other} was found"
        found.append(
            Gap("technology", technology.get("commodity_code"), name, status, None, weight, phrase, None, in_demand, hot, note)
        )
    return _by_weight(found)


def _schooling(section: Mapping[str, Any], lines: Sequence[str], zone: int | None) -> list[Gap]:
    """Return education and job zone against the highest degree recognised."""
    best = degrees.highest(lines)
    level = best[0] if best else None
    seen = f"found: {degrees.NAMES[level]}" if level is not None else "no degree was recognised"
    found = []
    wanted = degrees.required(section.get("education", ()))
    if wanted is not None:
        enough = wanted.enough(level)
        status: Status = "met" if (level or 1) >= wanted.typical else "partly" if enough >= _SOME_REQUIRE_LESS else "not_found"
        said, share = wanted.most_said
        note = f"{share:.0f} % of workers say {degrees.NAMES[said]}; {seen}"
        if status != "met" and level is not None:
            note += f", enough for {enough:.0f} % of them"
        found.append(Gap("education", None, degrees.NAMES[wanted.typical], status, None, 100, note=note))
    if zone is not None:
        reached = degrees.zone_of(level)
        status = "met" if reached >= zone else "partly" if reached == zone - 1 and level is not None else "not_found"
        found.append(
            Gap("job_zone", str(zone), f"job zone {zone}", status, None, 100, note=f"{seen}; experience may count as well")
        )
    return found


def _by_weight(found: list[Gap]) -> list[Gap]:
    return sorted(found, key=lambda g: -g.weight)


def _coverage(items: Sequence[Gap]) -> dict[str, int]:
    """Return percent by kind, weighted; of technologies only those in demand, without such the hot ones, else all."""
    covered = {}
    for kind in ORDER:
        group = [item for item in items if item.kind == kind]
        if kind == "technology":
            top = max((item.weight for item in group), default=0)
            group = [item for item in group if item.weight == top]
        total = sum(item.weight for item in group)
        if total > 0:
            credit = sum(item.weight * {"met": 1.0, "partly": 0.5, "not_found": 0.0}[item.status] for item in group)
            covered[kind] = round(100 * credit / total)
    return covered
