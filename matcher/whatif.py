"""What if: ranks and scores before and after lines or skills are added to a query, or taken from it; only the change is encoded."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from matcher import cards
from matcher.characters import tidy
from matcher.gaps import ORDER, Gap, Gaps, gaps, gaps_of
from matcher.given import IF_TRUE, AdviceError, Given, row_of
from matcher.index import KINDS, OccupationIndex, Quantised, similarities
from matcher.mentions import Mentions
from matcher.ranker import Ranking
from matcher.records import Kind, Phrase, Query, Role
from matcher.signals import QueryVectors, best_statements, query_vectors
from matcher.standing import standings

#: A line of at most so many words is read as a skill, a longer one as a duty.
_SKILL_WORDS = 3
MOST_CHANGES = 50
MOST_CHARACTERS = 2000
#: Statements that are tried as additions, by kind, and how many of the nearest occupations "opens most" looks at.
_TRIED: Mapping[str, int] = {"knowledge": 5, "technology": 6, "task": 8, "activity": 5, "skill": 3}
_NEAREST = 50
_TRIED_SKILLS = 15


@dataclass(frozen=True, slots=True)
class Place:
    """Where an occupation stands: its rank (None where it was not looked at), fusion, and score once there is a calibration."""

    rank: int | None = None
    fusion: float | None = None
    score: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the place as JSON values."""
        return {"rank": self.rank, "score": self.score, "fusion": self.fusion}


@dataclass(frozen=True, slots=True)
class Change:
    """An occupation before and after."""

    code: str
    title: str
    before: Place
    after: Place

    @property
    def lift(self) -> float | None:
        """How much the score rose (the fusion, while there are no scores); None where one of them is unknown."""
        return _difference(self.before, self.after)


@dataclass(frozen=True, slots=True)
class WhatIf:
    """The occupations that lead before or after a change, in their order after it; ``asked`` is the one that was asked for."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changes: tuple[Change, ...]
    asked: Change | None = None
    note: str = IF_TRUE

    def to_dict(self) -> dict[str, Any]:
        """Return the answer as JSON values."""
        return {
            "added": list(self.added),
            "removed": list(self.removed),
            "occupation": None if self.asked is None else _change_dict(self.asked),
            "matches": [_change_dict(change) for change in self.changes],
            "note": self.note,
        }

    def to_frame(self) -> Any:
        """Return a pandas DataFrame, one row an occupation (extra ``notebooks``)."""
        from matcher.frames import frame

        rows = []
        for change in self.changes:
            row: dict[str, Any] = {"code": change.code, "title": change.title}
            for name, place in (("before", change.before), ("after", change.after)):
                row |= {f"{key}_{name}": value for key, value in place.to_dict().items()}
            rows.append(row)
        return frame(rows)

    def _repr_html_(self) -> str:
        rows: list[list[cards.Cell]] = [
            [f"{c.title} ({c.code})", said(c.before), said(c.after), arrow(c.before, c.after)] for c in self.changes
        ]
        what = "; ".join([*(f"+ {line}" for line in self.added), *(f"− {line}" for line in self.removed)])
        return cards.table(f"What if: {what}", ("occupation", "before", "after", ""), rows, note=self.note)


@dataclass(frozen=True, slots=True)
class Addition:
    """A statement of an occupation that was not found, or partly, and where the occupation would stand with it."""

    gap: Gap
    before: Place
    after: Place
    note: str = IF_TRUE

    @property
    def lift(self) -> float:
        """How much the score, or without scores the fusion, rises."""
        return _difference(self.before, self.after) or 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return the addition as JSON values."""
        return {
            "kind": self.gap.kind,
            "id": self.gap.id,
            "name": self.gap.name,
            "before": self.before.to_dict(),
            "after": self.after.to_dict(),
            "lift": round(self.lift, 6),
            "note": self.note,
        }


@dataclass(frozen=True, slots=True)
class Opening:
    """A skill that was not found, and the near occupations that have it and would rise with it, those that rise most first."""

    kind: str
    name: str
    codes: tuple[str, ...]
    lift: float
    note: str = IF_TRUE

    def to_dict(self) -> dict[str, Any]:
        """Return the opening as JSON values."""
        return {"kind": self.kind, "name": self.name, "codes": list(self.codes), "lift": round(self.lift, 6), "note": self.note}


class Memory:
    """``best_statements`` that remembers: the same numbers to the last bit, but for known rows only new phrases are compared.

    Known are the phrases of ``query`` and the occupations at ``rows`` (r,). Nothing in it changes after it is made.
    """

    kinds: tuple[Kind, ...] = (Kind.TASK, Kind.ACTIVITY, Kind.TITLE)

    def __init__(self, index: OccupationIndex, query: QueryVectors, rows: npt.NDArray[np.int64]) -> None:
        self._place = np.full(len(index), -1, dtype=np.int64)
        self._place[rows] = np.arange(len(rows))
        self._column = {key: i for i, key in enumerate(_keys(query.vectors))}
        self._known: dict[Kind, _Known] = {}
        for kind in self.kinds:
            k = KINDS.index(kind)
            starts, ends = index.bounds[k, rows], index.bounds[k, rows + 1]
            lengths = ends - starts
            full = np.flatnonzero(lengths > 0)
            places = np.concatenate(([0], np.cumsum(lengths)[:-1])).astype(np.int64)[full]
            statements = np.repeat(starts - (np.cumsum(lengths) - lengths), lengths) + np.arange(int(lengths.sum()))
            taken = index.vectors.rows(index.text_of[statements])
            best = np.full((len(rows), len(query)), np.nan, dtype=np.float32)
            if len(full):
                best[full] = np.maximum.reduceat(similarities(taken, query.vectors), places, axis=0)
            # Whole numbers are exact in float32: kept so, a change costs no conversion.
            self._known[kind] = _Known(taken.values.astype(np.float32), taken.scales, places, full, best)

    def __call__(
        self, index: OccupationIndex, vectors: Quantised, kind: Kind, rows: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.float32]:
        """Return what ``matcher.signals.best_statements`` returns."""
        known = self._known.get(kind)
        if known is None or len(vectors) == 0:
            return best_statements(index, vectors, kind, rows)
        at = self._place[rows]
        seen = at >= 0
        where = np.array([self._column.get(key, -1) for key in _keys(vectors)], dtype=np.int64)
        old, new = np.flatnonzero(where >= 0), np.flatnonzero(where < 0)
        best = np.full((int(seen.sum()), len(vectors)), np.nan, dtype=np.float32)
        best[:, old] = known.best[at[seen][:, None], where[old][None, :]]
        if len(new) and len(known.full):
            fresh = vectors.rows(new)
            products = known.values @ fresh.values.astype(np.float32).T
            products *= known.scales[:, None]
            products *= fresh.scales[None, :]
            whole = np.full((len(known.best), len(new)), np.nan, dtype=np.float32)
            whole[known.full] = np.maximum.reduceat(products, known.places, axis=0)
            best[:, new] = whole[at[seen]]
        if seen.all():
            return best
        whole = np.empty((len(rows), len(vectors)), dtype=np.float32)
        whole[seen] = best
        whole[~seen] = best_statements(index, vectors, kind, rows[~seen])
        return whole


@dataclass(frozen=True, slots=True)
class _Known:
    """Of one kind: the statements of all known rows (s, dim) as floats, where each row's begin, rows that have any, best cosines (r, p)."""

    values: npt.NDArray[np.float32]
    scales: npt.NDArray[np.float32]
    places: npt.NDArray[np.int64]
    full: npt.NDArray[np.int64]
    best: npt.NDArray[np.float32]


def _keys(vectors: Quantised) -> list[bytes]:
    """Return what tells each row from others: its bytes and its scale's."""
    whole = np.concatenate((vectors.values.view(np.uint8), vectors.scales[:, None].view(np.uint8)), axis=1)
    data, wide = whole.tobytes(), whole.shape[1]
    return [data[i : i + wide] for i in range(0, len(data), wide)]


class Trial:
    """Changes tried on one query: what the first match compared is kept, each change costs its own phrases only."""

    def __init__(self, given: Given, *, allowed: npt.NDArray[np.bool_] | None = None) -> None:
        self.given = given
        self.allowed = allowed
        self.index = given.engine.index
        self._takes_best = "best" in inspect.signature(given.engine.ranker.rank).parameters
        self.before = given.engine.ranker.rank(self.index, given.vectors, allowed)
        self.then = places(self.before)
        self._memory: Memory | None = None
        if self._takes_best:
            self._memory = Memory(self.index, given.vectors, np.sort(self.before.rows))

    def changed(self, remove: Iterable[int], phrases: Sequence[Phrase], encoded: npt.NDArray[np.float32]) -> QueryVectors:
        """Return the query without the phrases numbered ``remove`` and with ``phrases``, encoded (a, dim)."""
        given = self.given
        gone = set(remove)
        kept = [i for i in range(len(given.query.phrases)) if i not in gone]
        query = replace(given.query, phrases=(*(given.query.phrases[i] for i in kept), *phrases))
        if not query.phrases:
            raise AdviceError("remove: nothing would be left")
        return query_vectors(query, np.concatenate((given.encoded[kept], encoded)))

    def rank(self, query: QueryVectors) -> Ranking:
        """Return the ranking of a changed query."""
        rank: Any = self.given.engine.ranker.rank
        ranking: Ranking = rank(self.index, query, self.allowed, **({} if self._memory is None else {"best": self._memory}))
        return ranking

    def alone(self, row: int, query: QueryVectors | None = None) -> Ranking:
        """Return the ranking of one occupation only, as it would be valued among all."""
        only = np.zeros(len(self.index), dtype=bool)
        only[row] = True
        return self.given.engine.ranker.rank(self.index, self.given.vectors if query is None else query, only)

    def add_statement(self, row: int, gap: Gap) -> Ranking:
        """Return the ranking with a statement of the occupation at ``row`` added; its vector is the index's own where it has one."""
        role: Role = "skill" if gap.kind in ("knowledge", "skill", "technology") else "duty"
        phrase = added_phrase(gap.name, self.given.query, role=role)
        known = _vector_of(self.index, row, gap)
        if known is None:
            return self.rank(self.changed((), (phrase,), self.given.engine.encoder.encode([phrase.text])))
        return self.rank(self.changed((), (phrase,), known.values.astype(np.float32) * known.scales[:, None]))


def what_if(
    given: Given | Trial,
    *,
    add: Sequence[str] = (),
    remove: Sequence[str] = (),
    code: str | None = None,
    top: int = 10,
) -> WhatIf:
    """Rank again with lines or skills added or taken away, and say where occupations stood and stand.

    ``remove`` names phrases by their text, or by a part of it. ``code`` is followed as well, however far down. Give a ``Trial`` to
    try several changes. Raises AdviceError for an empty change, a line that was never given, or an unknown code.
    """
    trial = given if isinstance(given, Trial) else Trial(given)
    base, index = trial.given, trial.index
    added = _checked("add", add)
    removed = _checked("remove", remove)
    if not added and not removed:
        raise AdviceError("what if: nothing to change, expected one or more lines or skills to add or remove")
    asked = None if code is None else row_of(index, code, needs_data=False)
    gone: list[int] = []
    for number, line in enumerate(removed):
        hits = _named(base.query.phrases, line)
        if not hits:
            raise AdviceError(f"remove: line {number + 1} was not found in what was given")
        gone.extend(hits)
    phrases = tuple(added_phrase(line, base.query, place) for place, line in enumerate(added))
    encoded = (
        base.engine.encoder.encode([phrase.text for phrase in phrases])
        if phrases
        else np.zeros((0, base.encoded.shape[1]), np.float32)
    )
    changed = trial.changed(gone, phrases, encoded)
    after = trial.rank(changed)
    rows = list(dict.fromkeys([*after.rows[:top].tolist(), *trial.before.rows[:top].tolist()]))
    then, now = dict(trial.then), places(after)
    if asked is not None:
        # An occupation that no ranking looked at has no rank, but a value it has.
        for found, query in ((then, None), (now, changed)):
            if asked not in found:
                found[asked] = replace(places(trial.alone(asked, query))[asked], rank=None)
    return WhatIf(
        tuple(phrase.raw for phrase in phrases),
        tuple(base.query.phrases[i].raw for i in dict.fromkeys(gone)),
        tuple(_change(index, row, then, now) for row in rows),
        None if asked is None else _change(index, asked, then, now),
    )


def best_additions(given: Given | Trial, code: str, *, most: int = 3, found: Gaps | None = None) -> tuple[Addition, ...]:
    """Return the ``most`` statements of ``code``, of those not found or only partly, whose adding lifts it most.

    Tried are the statements that weigh most of each kind. Raises AdviceError for an unknown code or one without data.
    """
    trial = given if isinstance(given, Trial) else Trial(given)
    row = row_of(trial.index, code)
    known = gaps_of(trial.given, code, row=row) if found is None else found
    before = trial.then.get(row, Place())
    tried: list[Addition] = []
    for kind in ORDER:
        unmet = [gap for status in ("not_found", "partly") for gap in known.of(kind, status)][: _TRIED.get(kind, 0)]
        for gap in unmet:
            after = places(trial.add_statement(row, gap)).get(row, Place())
            tried.append(Addition(gap, before, after))
    rising = [addition for addition in tried if addition.lift > 0 or (before.rank is None and addition.after.rank is not None)]
    return tuple(sorted(rising, key=lambda a: (a.after.rank or 10**9, -a.lift) if before.rank is None else (0, -a.lift))[:most])


def opens_most(given: Given | Trial, *, most: int = 5) -> tuple[Opening, ...]:
    """Return the skills, not found in what was given, whose adding lifts the near occupations that have them most, all in all.

    Near are the first 50. Of each the ten most important knowledge areas and the technologies in demand or hot count; the fifteen skills that
    most of them have are tried one by one.
    """
    trial = given if isinstance(given, Trial) else Trial(given)
    index, base = trial.index, trial.given
    at, mentions = standings(index, base.vectors), Mentions(base.query.phrases)
    having: dict[tuple[str, str], list[tuple[int, Gap]]] = {}
    for row in trial.before.rows[:_NEAREST].tolist():
        known = gaps(index, base.vectors, row, at=at, mentions=mentions)
        wanted = [*known.of("knowledge")[:10], *(gap for gap in known.of("technology") if gap.in_demand or gap.hot)]
        for gap in wanted:
            if gap.status == "not_found":
                having.setdefault((gap.kind, gap.name), []).append((row, gap))
    common = sorted(having.items(), key=lambda pair: (-len(pair[1]), pair[0]))[:_TRIED_SKILLS]
    then = trial.then
    found: list[Opening] = []
    for (kind, name), rows in common:
        now = places(trial.add_statement(*rows[0]))
        lifts = {row: _difference(then[row], now.get(row, Place())) or 0.0 for row, _ in rows}
        rising = sorted((row for row, lift in lifts.items() if lift > 0), key=lambda row: (-lifts[row], row))
        if rising:
            found.append(Opening(kind, name, tuple(index.entries[row].code for row in rising), sum(lifts[row] for row in rising)))
    return tuple(sorted(found, key=lambda o: (-o.lift, o.name))[:most])


def added_phrase(line: str, query: Query, place: int = 0, *, role: Role | None = None) -> Phrase:
    """Return an added line as a phrase of today; a few words are a skill, more are a duty. It stands behind the skills of ``query``."""
    text = tidy(line)
    behind = sum(phrase.source.startswith("skills/") for phrase in query.phrases) + place
    chosen: Role = role or ("skill" if len(text.split()) <= _SKILL_WORDS else "duty")
    return Phrase(text, line, 0, len(line), f"skills/{behind}", chosen)


def places(ranking: Ranking) -> dict[int, Place]:
    """Return where each row of a ranking stands. Scores are None without a calibration."""
    scores = ranking.score
    return {
        row: Place(place + 1, round(float(ranking.fusion[place]), 6), None if scores is None else round(float(scores[place]), 6))
        for place, row in enumerate(ranking.rows.tolist())
    }


def arrow(before: Place, after: Place) -> str:
    """Return the move in ranks in words, such as ``▲ 3``."""
    if after.rank is None or before.rank is None:
        return "new" if before.rank is None and after.rank is not None else "gone" if before.rank is not None else ""
    moved = before.rank - after.rank
    return f"▲ {moved}" if moved > 0 else f"▼ {-moved}" if moved < 0 else "="


def said(place: Place) -> str:
    if place.fusion is None:
        return "not looked at"
    value = f"{place.score:.0%}" if place.score is not None else f"{place.fusion:.2f}"
    return f"{'far down' if place.rank is None else f'{place.rank}.'} ({value})"


def _difference(before: Place, after: Place) -> float | None:
    if before.score is not None and after.score is not None:
        return after.score - before.score
    return None if before.fusion is None or after.fusion is None else after.fusion - before.fusion


def _change(index: OccupationIndex, row: int, then: Mapping[int, Place], now: Mapping[int, Place]) -> Change:
    entry = index.entries[row]
    return Change(entry.code, entry.title, then.get(row, Place()), now.get(row, Place()))


def _change_dict(change: Change) -> dict[str, Any]:
    return {"code": change.code, "title": change.title, "before": change.before.to_dict(), "after": change.after.to_dict()}


def _checked(name: str, lines: Sequence[str]) -> tuple[str, ...]:
    if isinstance(lines, str):
        raise AdviceError(f"{name}: expected a list of lines, not one string")
    if len(lines) > MOST_CHANGES:
        raise AdviceError(f"{name}: {len(lines)} lines, expected at most {MOST_CHANGES}")
    for number, line in enumerate(lines):
        if not isinstance(line, str) or not any(c.isalnum() for c in line):
            raise AdviceError(f"{name}: line {number + 1} is empty, expected a line or a skill")
        if len(line) > MOST_CHARACTERS:
            raise AdviceError(f"{name}: line {number + 1} has {len(line)} characters, expected at most {MOST_CHARACTERS}")
    return tuple(lines)


def _named(phrases: Sequence[Phrase], line: str) -> list[int]:
    """Return the phrases that are ``line``, or else that hold it or stand in it."""
    wanted = tidy(line).casefold()
    texts = [phrase.text.casefold() for phrase in phrases]
    same = [i for i, text in enumerate(texts) if text == wanted]
    return same or [i for i, text in enumerate(texts) if wanted in text or (len(text) > 3 and text in wanted)]


def _vector_of(index: OccupationIndex, row: int, gap: Gap) -> Quantised | None:
    kind = Kind(gap.kind)
    if kind not in KINDS:
        return None
    first, last = index.group(kind, row)
    for place in range(first, last):
        text = int(index.text_of[place])
        if index.texts[text] == gap.name:
            return index.vectors.rows(np.array([text]))
    return None
