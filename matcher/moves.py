"""Moves: occupations near in what is done and known, from a query or from a code, each with what transfers and what is missing.

Near is the mean of five standardised likenesses: tasks, activities, titles and descriptions by their centroids, knowledge by its profile.
O*NET's own list of related occupations is not used to find any; each move says whether it stands there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from matcher import cards, degrees
from matcher.gaps import Gap, degrees_in, gaps
from matcher.given import IF_TRUE, AdviceError, Given, annual_pay, row_of
from matcher.index import CENTROIDS, Entry, OccupationIndex, similarities
from matcher.mentions import Mentions
from matcher.records import Kind
from matcher.signals import centroid_similarity, standardise
from matcher.standing import profiles, standings

Name = Literal["step up", "sideways", "similar", "new field"]
#: What nearness is the mean of. Titles tell as well what people go over to (O*NET's related occupations use them, too).
COLUMNS = ("tasks", "activities", "titles", "descriptions", "knowledge")
_CENTROIDS = (Kind.TASK, Kind.ACTIVITY, Kind.TITLE, Kind.DESCRIPTION)
#: A column found a move where it stands this many deviations above the mean of all occupations.
_FOUND_BY = 1.5
#: Pay that is this much higher is a step up within a field: a choice.
STEP_UP_PAY = 0.10
#: O*NET's element of physical work activity, and the beginning of the ids of its physical abilities.
_GENERAL_PHYSICAL, _PHYSICAL_ABILITIES = "4.A.3.a.1", "1.A.3."
#: Less physical is this many points less on 0–100: about a third of the spread over occupations.
LESS_PHYSICAL = 10.0
#: Profiles of six interests are alike from here: the one-sided 10 % critical value of a correlation over six pairs.
LIKE_INTERESTS = 0.608
_LETTERS = "RIASEC"
_MANAGEMENT = "11"


class Unknown(AdviceError):
    """A fact of the origin that a wish compares with is unknown: ``wish`` is the member of Wish, ``fact`` what is unknown."""

    def __init__(self, wish: str, fact: str, origin: str) -> None:
        super().__init__(f"{fact} of {origin} is unknown, so nothing can be compared with it")
        self.wish = wish
        self.fact = fact


@dataclass(frozen=True, slots=True)
class Wish:
    """Which moves are wanted. An occupation of which a wanted fact is unknown is left out, and counted.

    ``pays_more`` is a share (0.1: ten percent more than the origin's median). ``interests`` are letters of RIASEC, all of which must be among an
    occupation's leading interests, or six scores by letter, whose profile must be alike (LIKE_INTERESTS).
    """

    outside_group: bool = False
    zone_up: bool = False
    pays_more: float | None = None
    less_physical: bool = False
    more_employed: bool = False
    interests: str | Mapping[str, float] | Sequence[float] | None = None

    def __post_init__(self) -> None:
        if self.pays_more is not None and not 0 <= self.pays_more <= 10:
            raise AdviceError(f"pays_more: {self.pays_more!r}, expected a share from 0 to 10 such as 0.1 for 10 % more")
        self.profile()

    def profile(self) -> tuple[str, npt.NDArray[np.float64] | None]:
        """Return the letters wanted, or the six scores in the order RIASEC. Raises AdviceError for anything else."""
        wanted = self.interests
        if wanted is None:
            return "", None
        if isinstance(wanted, str):
            letters = wanted.upper()
            if not letters or any(letter not in _LETTERS for letter in letters):
                raise AdviceError(f"interests: {wanted!r}, expected letters of {_LETTERS} or six scores")
            return letters, None
        if isinstance(wanted, Mapping):
            by_letter = {str(key)[:1].upper(): value for key, value in wanted.items()}
            if sorted(by_letter) != sorted(_LETTERS):
                raise AdviceError(f"interests: expected a score for each of {_LETTERS}, got {', '.join(map(str, wanted))}")
            wanted = [by_letter[letter] for letter in _LETTERS]
        scores = np.array([float(value) for value in wanted])
        if len(scores) != 6 or not np.isfinite(scores).all():
            raise AdviceError(f"interests: {len(scores)} scores, expected six numbers in the order {_LETTERS}")
        if scores.std() <= 0:
            raise AdviceError("interests: six equal scores, expected ones that differ")
        return "", scores


@dataclass(frozen=True, slots=True)
class Facts:
    """What moves and comparisons tell of an occupation. Pay in dollars a year, employment in people, ``physical`` 0–100."""

    code: str
    title: str
    job_zone: int | None
    pay: float | None
    pay_source: str | None
    employment: int | None
    education: str | None
    physical: float | None
    interests: str

    def to_dict(self) -> dict[str, Any]:
        """Return the facts as JSON values."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Move:
    """An occupation to go to. ``nearness`` is comparable within one answer; ``pay_difference`` in dollars a year, ``pay_share`` of the origin's pay.

    ``related`` is the tier of O*NET's list of related occupations of the origin, if it stands there.
    """

    facts: Facts
    name: Name
    nearness: float
    found_by: tuple[str, ...]
    related: str | None
    transfers: tuple[str, ...]
    missing: tuple[str, ...]
    pay_difference: float | None
    pay_share: float | None

    @property
    def code(self) -> str:
        """The occupation's code."""
        return self.facts.code

    @property
    def title(self) -> str:
        """The occupation's title."""
        return self.facts.title

    def to_dict(self) -> dict[str, Any]:
        """Return the move as JSON values."""
        return {
            **self.facts.to_dict(),
            "move": self.name,
            "nearness": self.nearness,
            "found_by": list(self.found_by),
            "onet_related": self.related,
            "transfers": list(self.transfers),
            "missing": list(self.missing),
            "pay_difference": self.pay_difference,
            "pay_share": self.pay_share,
        }


@dataclass(frozen=True, slots=True)
class Moves(Sequence[Move]):
    """Moves, nearest first. ``origin`` is the code asked for, or the best match of a query: pay and zones are compared with it."""

    origin: Facts
    from_query: bool
    items: tuple[Move, ...]
    warnings: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, place: Any) -> Any:
        return self.items[place]

    @property
    def note(self) -> str:
        """How to read them."""
        asked = (
            "what was given; pay and job zone are compared with its best match" if self.from_query else "what the occupation has"
        )
        return f"Compared with {asked}. Missing means not found there. {IF_TRUE}"

    def to_dict(self) -> dict[str, Any]:
        """Return the answer as JSON values."""
        return {
            "origin": self.origin.to_dict(),
            "from": "query" if self.from_query else "code",
            "moves": [move.to_dict() for move in self.items],
            "warnings": list(self.warnings),
            "note": self.note,
        }

    def to_frame(self) -> Any:
        """Return a pandas DataFrame, one row a move (extra ``notebooks``)."""
        from matcher.frames import frame

        return frame([move.to_dict() for move in self.items])

    def _repr_html_(self) -> str:
        rows: list[list[cards.Cell]] = [
            [f"{m.title} ({m.code})", m.name, pay_words(m), m.facts.education or "", ", ".join(m.transfers), ", ".join(m.missing)]
            for m in self.items
        ]
        head = ("to", "move", "pay", "typical education", "transfers", "not found")
        return cards.table(f"Moves from {self.origin.title} ({self.origin.code})", head, rows, note=self.note)


def pay_words(move: Move) -> str:
    """Return a move's pay and its difference, such as ``$61,000 (+12 %)``."""
    if move.facts.pay is None:
        return "pay unknown"
    more = "" if move.pay_share is None else f" ({move.pay_share:+.0%})"
    return f"${move.facts.pay:,.0f}{more}"


def near(index: OccupationIndex, row: int) -> npt.NDArray[np.float64]:
    """Return (n, len(COLUMNS)) how near each occupation is to the one at ``row``, standardised; its own row is left out (0)."""
    columns = []
    for kind in _CENTROIDS:
        group = index.centroids[CENTROIDS.index(kind)]
        column = similarities(group.rows(slice(row, row + 1)), group)[0].astype(np.float64)
        column[~index.present(kind)] = np.nan
        columns.append(column if index.present(kind)[row] else np.full(len(index), np.nan))
    profile = profiles(index, Kind.KNOWLEDGE)
    columns.append(_alike(profile.z, profile.z[row], profile.present) if profile.present[row] else np.full(len(index), np.nan))
    return _standardised(np.stack(columns, axis=1), row)


def near_query(given: Given, origin: int) -> npt.NDArray[np.float64]:
    """Return the same for a query; the row ``origin`` (its best match) is left out."""
    index = given.engine.index
    columns = [centroid_similarity(index, given.vectors, kind) for kind in _CENTROIDS]
    at = standings(index, given.vectors, kinds=(Kind.KNOWLEDGE,))
    profile = at.profiles[Kind.KNOWLEDGE]
    columns.append(_alike(profile.z, at.standing[Kind.KNOWLEDGE], profile.present))
    return _standardised(np.stack(columns, axis=1), origin)


def _alike(
    table: npt.NDArray[np.float64], wanted: npt.NDArray[np.float64], present: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float64]:
    """Return the cosine of each row of ``table`` (n, a) and ``wanted`` (a,), NaN where nothing is present."""
    lengths = np.sqrt(np.einsum("oa,oa->o", table, table)) * np.sqrt(np.einsum("a,a->", wanted, wanted))
    cosine: npt.NDArray[np.float64] = np.einsum("oa,a->o", table, wanted) / np.where(lengths > 0, lengths, np.inf)
    return np.where(present, cosine, np.nan)


def _standardised(columns: npt.NDArray[np.float64], own: int) -> npt.NDArray[np.float64]:
    others = np.ones(len(columns), dtype=bool)
    others[own] = False
    z = standardise(columns, others)
    z[own] = 0.0
    return z


def moves(
    origin: Given | tuple[OccupationIndex, str], *, wish: Wish | None = None, top: int = 10, start: str | None = None
) -> Moves:
    """Return up to ``top`` occupations to go to, nearest first.

    ``origin`` is what was given, or an index and a code. ``start`` is the code that pay, zone and group are compared with, the best
    match of the query by default. Raises AdviceError for an unknown code, one without data, or a bad wish.
    """
    wish = wish or Wish()
    if not 1 <= top <= 100:
        raise AdviceError(f"top: {top!r}, expected 1 to 100")
    if isinstance(origin, Given):
        index = origin.engine.index
        row = row_of(index, start, needs_data=False) if start else int(origin.engine.ranker.rank(index, origin.vectors).rows[0])
        columns = near_query(origin, row)
    else:
        index, code = origin
        row = row_of(index, code)
        columns = near(index, row)
    nearness = columns.mean(axis=1)
    own = index.section(index.entries[row].code)
    base = facts_of(index.entries[row], own)
    related = {item["code"]: str(item.get("tier") or "listed") for item in own.get("related", ())}
    order = [r for r in np.argsort(-nearness, kind="stable").tolist() if r != row and index.entries[r].has_tasks]
    unknown: dict[str, int] = {}
    at = mentions = None
    if isinstance(origin, Given):
        at, mentions = standings(index, origin.vectors), Mentions(origin.query.phrases)
    found: list[Move] = []
    for place, section in _passing(index, order, base, own, wish, unknown):
        entry = index.entries[place]
        facts = facts_of(entry, section)
        if isinstance(origin, Given):
            known = gaps(
                index, origin.vectors, place, degrees_found=degrees_in(origin.query), at=at, mentions=mentions, section=section
            )
            transfers, missing = _met(known.items), tuple(gap.name for gap in known.missing())
        else:
            transfers, missing = shared(own, section)
        pay = None if base.pay is None or facts.pay is None else facts.pay - base.pay
        found.append(
            Move(
                facts,
                name_of(base, facts),
                round(float(nearness[place]), 4),
                tuple(name for name, value in zip(COLUMNS, columns[place].tolist(), strict=True) if value >= _FOUND_BY),
                related.get(entry.code),
                transfers,
                missing,
                pay,
                None if pay is None or not base.pay else round(pay / base.pay, 4),
            )
        )
        if len(found) == top:
            break
    warnings = [f"{name}: {count} nearer occupations left out because it is unknown of them" for name, count in unknown.items()]
    return Moves(base, isinstance(origin, Given), tuple(found), tuple(warnings))


def name_of(origin: Facts, to: Facts) -> Name:
    """Return what a move is.

    Step up: within the major group, or from another into management, to a higher job zone, or at the same one for STEP_UP_PAY more. New
    field: any other move to another major group. Similar: the same job zone and minor group (first four digits). Sideways: the rest.
    """
    more = origin.pay is not None and to.pay is not None and to.pay >= round(origin.pay * (1 + STEP_UP_PAY), 2)
    zones = None if origin.job_zone is None or to.job_zone is None else to.job_zone - origin.job_zone
    up = zones is not None and (zones > 0 or (zones == 0 and more))
    if origin.code[:2] != to.code[:2]:
        return "step up" if up and more and to.code[:2] == _MANAGEMENT else "new field"
    if up:
        return "step up"
    return "similar" if zones in (0, None) and origin.code[:5] == to.code[:5] else "sideways"


def _passing(
    index: OccupationIndex, order: Sequence[int], base: Facts, own: Mapping[str, Any], wish: Wish, unknown: dict[str, int]
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the rows that pass, with their sections; sections are decoded only where the cheap facts pass."""
    letters, scores = wish.profile()
    needs: list[tuple[str, str, object]] = [("zone_up", "job zone", base.job_zone)] if wish.zone_up else []
    needs += [("pays_more", "pay", base.pay)] if wish.pays_more is not None else []
    needs += [("more_employed", "employment", base.employment)] if wish.more_employed else []
    needs += [("less_physical", "physical work", base.physical)] if wish.less_physical else []
    for member, name, value in needs:
        if value is None:
            raise Unknown(member, name, f"{base.code} ({base.title})")

    def lacks(name: str, value: object) -> bool:
        if value is None:
            unknown[name] = unknown.get(name, 0) + 1
        return value is None

    for row in order:
        entry = index.entries[row]
        if wish.outside_group and entry.code[:2] == base.code[:2]:
            continue
        if wish.zone_up and (lacks("job zone", entry.job_zone) or (entry.job_zone or 0) <= (base.job_zone or 0)):
            continue
        pay = annual_pay(entry.wage)
        if wish.pays_more is not None and (lacks("pay", pay) or (pay or 0) < round((base.pay or 0) * (1 + wish.pays_more), 2)):
            continue
        people = None if entry.wage is None else entry.wage.employment
        if wish.more_employed and (lacks("employment", people) or (people or 0) <= (base.employment or 0)):
            continue
        if letters and (lacks("interests", entry.interests or None) or not all(x in entry.interests for x in letters)):
            continue
        section = index.section(entry.code)
        if wish.less_physical:
            physical = physical_of(section)
            if lacks("physical work", physical) or (physical or 0) > (base.physical or 0) - LESS_PHYSICAL:
                continue
        if scores is not None:
            profile = interests_of(section)
            if (
                lacks("interests", None if profile is None else 1)
                or profile is None
                or _correlation(scores, profile) < LIKE_INTERESTS
            ):
                continue
        yield row, section


def _correlation(left: npt.NDArray[np.float64], right: npt.NDArray[np.float64]) -> float:
    a, b = left - left.mean(), right - right.mean()
    length = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum() / length) if length > 0 else 0.0


def facts_of(entry: Entry, section: Mapping[str, Any]) -> Facts:
    """Return the facts of an occupation."""
    wanted = degrees.required(section.get("education", ()))
    wage = entry.wage
    return Facts(
        entry.code, entry.title, entry.job_zone, annual_pay(wage), None if wage is None else wage.source,
        None if wage is None else wage.employment, None if wanted is None else degrees.NAMES[wanted.typical],
        physical_of(section), entry.interests,
    )  # fmt: skip


def physical_of(section: Mapping[str, Any]) -> float | None:
    """Return how physical an occupation is, 0–100: the mean of the importance of General Physical Activities and of the physical abilities'."""
    general = [_percent(x) for x in section.get("work_activities", ()) if x.get("id") == _GENERAL_PHYSICAL]
    abilities = [_percent(x) for x in section.get("abilities", ()) if str(x.get("id", "")).startswith(_PHYSICAL_ABILITIES)]
    parts = [[v for v in values if v is not None] for values in (general, abilities)]
    if not all(parts):
        return None
    return round(sum(sum(values) / len(values) for values in parts) / 2, 1)


def interests_of(section: Mapping[str, Any]) -> npt.NDArray[np.float64] | None:
    """Return the six interest ratings in the order RIASEC, None where one is unknown."""
    rated = {
        str(x["name"])[0]: r.get("value")
        for x in section.get("interests", ())
        for r in x.get("ratings", ())
        if r.get("scale") == "OI"
    }
    if any(rated.get(letter) is None for letter in _LETTERS):
        return None
    return np.array([float(rated[letter]) for letter in _LETTERS])


def _percent(element: Mapping[str, Any]) -> int | None:
    value = (element.get("importance") or {}).get("value")
    return None if value is None else round((value - 1) * 25)


def _met(items: Sequence[Gap]) -> tuple[str, ...]:
    """Return five statements that are met, in turn of each kind, those that weigh most."""
    queues = [
        [g.name for g in items if g.kind == kind and g.status == "met"] for kind in ("knowledge", "technology", "task", "activity")
    ]
    mixed = [queue[i] for i in range(max(map(len, queues))) for queue in queues if i < len(queue)]
    return tuple(dict.fromkeys(mixed))[:5]


def shared(own: Mapping[str, Any], to: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return five things that two occupations share and five that only the second has: knowledge, technologies in demand, activities in turn."""
    queues: tuple[list[list[str]], list[list[str]]] = ([], [])
    for name in ("knowledge", "technologies", "activities"):
        has = {key for key, _, _ in _things(own, name, all_of=True)}
        wanted = sorted(_things(to, name), key=lambda thing: -thing[2])
        queues[0].append([text for key, text, _ in wanted if key in has])
        queues[1].append([text for key, text, _ in wanted if key not in has])
    both, only = ([q[i] for i in range(max(map(len, side))) for q in side if i < len(q)] for side in queues)
    return tuple(both[:5]), tuple(only[:5])


def _things(section: Mapping[str, Any], name: str, *, all_of: bool = False) -> list[tuple[str, str, float]]:
    """Return (key, name, weight) of what matters in one part of a section; of technologies those in demand or hot unless ``all_of``."""
    found = []
    for item in section.get(name, ()):
        if name == "knowledge":
            percent = _percent(item)
            if item.get("importance") is None or (percent is not None and percent >= 50 and not item["importance"].get("suppress")):
                found.append((str(item["name"]), str(item["name"]), float(75 if percent is None else percent)))
        elif name == "technologies":
            if all_of or item.get("in_demand") or item.get("hot"):
                found.append((str(item["name"]).casefold(), str(item["name"]), 2.0 if item.get("in_demand") else 1.0))
        else:
            found.append((str(item["text"]), str(item["text"]), 1.0))
    return found


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two or three occupations side by side: their facts, and rows of (kind, name, value in each: 0–100, or None where unknown).

    ``shared`` and ``only`` are knowledge, technologies and activities that all have, and that each has alone; ``tools_shared`` and
    ``tools_only`` the same of tools. ``context`` are rows of (what was asked of work context, the most frequent answer in each or None).
    What a release does not have is empty.
    """

    facts: tuple[Facts, ...]
    rows: tuple[tuple[str, str, tuple[float | None, ...]], ...]
    shared: tuple[str, ...]
    only: tuple[tuple[str, ...], ...]
    tools_shared: tuple[str, ...] = ()
    tools_only: tuple[tuple[str, ...], ...] = ()
    context: tuple[tuple[str, tuple[str | None, ...]], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the comparison as JSON values."""
        return {
            "occupations": [facts.to_dict() for facts in self.facts],
            "rows": [{"kind": kind, "name": name, "values": list(values)} for kind, name, values in self.rows],
            "shared": list(self.shared),
            "only": [list(names) for names in self.only],
            "tools": {"shared": list(self.tools_shared), "only": [list(names) for names in self.tools_only]},
            "work_context": [{"name": name, "answers": list(answers)} for name, answers in self.context],
        }

    def to_frame(self) -> Any:
        """Return a pandas DataFrame: kind, name and one column a code (extra ``notebooks``)."""
        from matcher.frames import frame

        codes = [facts.code for facts in self.facts]
        rows = [{"kind": kind, "name": name, **dict(zip(codes, values, strict=True))} for kind, name, values in self.rows]
        return frame(rows, columns=["kind", "name", *codes])

    def _repr_html_(self) -> str:
        rows: list[list[cards.Cell]] = [[label, *values] for label, values in fact_rows(self.facts)]
        for kind, name, values in self.rows[:25]:
            bars = [cards.Bar(value / 100, f"{value:.0f}") if value is not None else "" for value in values]
            rows.append([f"{kind.replace('_', ' ')}: {name}", *bars])
        rows.extend([f"work context: {name}", *(answer or "unknown" for answer in answers)] for name, answers in self.context[:6])
        if any(self.tools_only):
            rows.append(["tools that only it has", *("; ".join(names[:6]) for names in self.tools_only)])
        return cards.table("Side by side", ("", *(f"{f.title} ({f.code})" for f in self.facts)), rows)


def fact_rows(facts: Sequence[Facts]) -> list[tuple[str, list[str]]]:
    """Return the facts as rows of words."""
    return [
        ("job zone", ["unknown" if f.job_zone is None else str(f.job_zone) for f in facts]),
        ("median pay a year", ["unknown" if f.pay is None else f"${f.pay:,.0f}" for f in facts]),
        ("people employed", ["unknown" if f.employment is None else f"{f.employment:,}" for f in facts]),
        ("typical education", [f.education or "unknown" for f in facts]),
        ("physical (0–100)", ["unknown" if f.physical is None else f"{f.physical:.0f}" for f in facts]),
        ("interests", [f.interests or "unknown" for f in facts]),
    ]


#: The parts of a comparison; work values (EX 1–7) and styles are there where a release has them.
_PARTS = ("knowledge", "skills", "work_activities", "work_values", "work_styles")


def compare(index: OccupationIndex, *codes: str) -> Comparison:
    """Set two or three occupations side by side, what differs most first. Raises AdviceError for unknown, repeated or too many codes."""
    if not 2 <= len(codes) <= 3 or len(set(codes)) != len(codes):
        raise AdviceError(f"compare: {', '.join(codes) or 'nothing'}; expected two or three different codes")
    rows = [row_of(index, code) for code in codes]
    sections = [index.section(code) for code in codes]
    table: list[tuple[str, str, tuple[float | None, ...]]] = []
    for part in _PARTS:
        names = dict.fromkeys(str(item["name"]) for section in sections for item in section.get(part, ()))
        found = [(part, name, tuple(_value(section, part, name) for section in sections)) for name in names]
        known = [row for row in found if any(v is not None for v in row[2])]
        table.extend(sorted(known, key=lambda row: (-_spread(row[2]), row[1])))
    both, only = _common(
        [
            [(key, text) for name in ("knowledge", "technologies", "activities") for key, text, _ in _things(s, name)]
            for s in sections
        ]
    )
    tools, own_tools = _common([[(str(x["name"]).casefold(), str(x["name"])) for x in s.get("tools", ())] for s in sections])
    facts = tuple(facts_of(index.entries[r], s) for r, s in zip(rows, sections, strict=True))
    return Comparison(facts, tuple(table), both, only, tools, own_tools, _context(sections))


def _common(things: Sequence[Sequence[tuple[str, str]]]) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Return the names of what all have, and of what each has alone, from (key, name) of each."""
    keys = [{key for key, _ in own} for own in things]
    both = tuple(dict.fromkeys(text for key, text in things[0] if all(key in other for other in keys)))
    only = tuple(
        tuple(dict.fromkeys(text for key, text in own if not any(key in other for j, other in enumerate(keys) if j != i)))
        for i, own in enumerate(things)
    )
    return both, only


def _context(sections: Sequence[Mapping[str, Any]]) -> tuple[tuple[str, tuple[str | None, ...]], ...]:
    """Return the most frequent answer on each element of work context, those elements first on which the shares of answers differ most."""
    shares: list[dict[str, dict[str, float]]] = []
    for section in sections:
        said: dict[str, dict[str, float]] = {}
        for share in section.get("work_context", ()):
            if share.get("percent") is not None and not share.get("suppress"):
                said.setdefault(str(share["element"]), {})[str(share["answer"])] = float(share["percent"])
        shares.append(said)
    rows = []
    for element in dict.fromkeys(name for said in shares for name in said):
        each = [said.get(element, {}) for said in shares]
        answers = {answer for one in each for answer in one}
        apart = sum(_spread([one.get(answer, 0.0) for one in each]) for answer in answers) if all(each) else 0.0
        rows.append((apart, element, tuple(max(one, key=lambda a: one[a]) if one else None for one in each)))
    return tuple((element, said_most) for _, element, said_most in sorted(rows, key=lambda row: (-row[0], row[1])))


def _value(section: Mapping[str, Any], part: str, name: str) -> float | None:
    """Return 0–100: importance, or of values (EX, 1–7) and styles (WI, −3 to 3, or an importance) the same share of their scale."""
    for item in section.get(part, ()):
        if item.get("name") == name:
            if (percent := _percent(item)) is not None:
                return float(percent)
            for rating in item.get("ratings", ()):
                value = rating.get("value")
                if value is not None and rating.get("scale") == "EX":
                    return float(round((value - 1) / 6 * 100))
                if value is not None and rating.get("scale") == "WI":
                    return float(round((value + 3) / 6 * 100))
    return None


def _spread(values: Sequence[float | None]) -> float:
    known = [value for value in values if value is not None]
    return max(known) - min(known) if len(known) > 1 else 0.0
