"""Evidence: which phrases of a query met which statements of an occupation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from matcher.index import OccupationIndex, similarities
from matcher.records import Evidence, Kind
from matcher.signals import QueryVectors

#: Least similarity of a pair that is shown, and most pairs of one kind, by kind. Measured on development résumés: duties reach the floors
#: of tasks and activities ten times as often with a statement of the résumé's own occupation as with one of another major group.
FLOORS: dict[Kind, float] = {
    Kind.TASK: 0.33,
    Kind.ACTIVITY: 0.36,
    Kind.KNOWLEDGE: 0.55,
    Kind.TECHNOLOGY: 0.8,
    Kind.TITLE: 0.6,
}
MOST: dict[Kind, int] = {Kind.TASK: 3, Kind.ACTIVITY: 2, Kind.KNOWLEDGE: 1, Kind.TECHNOLOGY: 2, Kind.TITLE: 1}
_KINDS = tuple(FLOORS)
#: Which part of all occupations makes a technology a commonplace; in an index of few occupations nothing is one.
_COMMON = 0.25
_FEW = 10
#: Pairs looked at in one go; it bounds memory (about 20 bytes a pair), the result is the same.
_MOST_PAIRS = 2_000_000
#: What reads like a title may be a duty in few words: it counts as one only if it is this near.
FLOOR_OF_A_TITLE = 0.75
#: Which phrases can prove what: a single skill proves no title, a sentence no technology.
_ROLES: dict[Kind, frozenset[str]] = {
    Kind.TASK: frozenset({"duty", "summary", "other", "skill", "education", "title"}),
    Kind.ACTIVITY: frozenset({"duty", "summary", "other", "skill", "title"}),
    Kind.KNOWLEDGE: frozenset({"skill", "education", "other", "summary"}),
    Kind.TECHNOLOGY: frozenset({"skill", "other"}),
    Kind.TITLE: frozenset({"title"}),
}


def evidence(index: OccupationIndex, query: QueryVectors, rows: Sequence[int], *, limit: int = 5) -> list[tuple[Evidence, ...]]:
    """Return for each occupation of ``rows`` up to ``limit`` pairs above the floors, strongest first.

    A pair's strength is its similarity, raised by up to a tenth for the phrases that weigh most. No phrase and no statement is
    used twice for one occupation.
    """
    statements = [_statements(index, row) for row in rows]
    if len(rows) > 1 and len(query) * sum(map(len, statements)) > _MOST_PAIRS:
        half = len(rows) // 2
        return evidence(index, query, rows[:half], limit=limit) + evidence(index, query, rows[half:], limit=limit)
    if len(query) == 0 or not any(len(s) for s in statements):
        return [() for _ in rows]
    together = np.concatenate(statements)
    cosines = similarities(index.vectors.rows(index.text_of[together]), query.vectors)
    kinds = _kind_of(index, together)
    floors = np.array([FLOORS[kind] for kind in _KINDS], dtype=np.float32)[kinds]
    fits = np.array([[phrase.role in _ROLES[kind] for phrase in query.phrases] for kind in _KINDS])
    titles = np.array([phrase.role == "title" for phrase in query.phrases])
    needed = np.where(titles[None, :] & (kinds != _KINDS.index(Kind.TITLE))[:, None], np.float32(FLOOR_OF_A_TITLE), floors[:, None])
    shown = (cosines >= needed) & fits[kinds] & ~_commonplace(index, together, kinds)[:, None]
    strength = cosines * (1.0 + 0.1 * query.weights / (query.weights.max() or 1.0))[None, :].astype(np.float32)
    result = []
    first = 0
    for block in statements:
        part = slice(first, first + len(block))
        first += len(block)
        result.append(_choose(index, query, block, kinds[part], cosines[part], np.where(shown[part], strength[part], -1.0), limit))
    return result


def _commonplace(index: OccupationIndex, statements: npt.NDArray[np.int64], kinds: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Tell which statements are technologies that a quarter of all occupations use: e-mail and word processing prove none of them."""
    first, last = index.group(Kind.TECHNOLOGY, 0)[0], index.group(Kind.TECHNOLOGY, len(index) - 1)[1]
    users = np.bincount(index.text_of[first:last], minlength=len(index.texts))
    common = users > max(_FEW, _COMMON * len(index))
    told: npt.NDArray[np.bool_] = common[index.text_of[statements]] & (kinds == _KINDS.index(Kind.TECHNOLOGY))
    return told


def _statements(index: OccupationIndex, row: int) -> npt.NDArray[np.int64]:
    return np.concatenate([np.arange(*index.group(kind, row), dtype=np.int64) for kind in _KINDS])


def _kind_of(index: OccupationIndex, statements: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the place in ``_KINDS`` of each statement."""
    kinds = np.zeros(len(statements), dtype=np.int64)
    for place, kind in enumerate(_KINDS):
        first, last = index.group(kind, 0)[0], index.group(kind, len(index) - 1)[1]
        kinds[(statements >= first) & (statements < last)] = place
    return kinds


def _choose(
    index: OccupationIndex,
    query: QueryVectors,
    statements: npt.NDArray[np.int64],
    kinds: npt.NDArray[np.int64],
    cosines: npt.NDArray[np.float32],
    strength: npt.NDArray[np.float32],
    limit: int,
) -> tuple[Evidence, ...]:
    chosen: list[Evidence] = []
    phrases_used: set[str] = set()
    statements_used: set[str] = set()
    by_kind: dict[Kind, int] = {}
    places, phrases = np.nonzero(strength > 0)
    for pair in np.argsort(-strength[places, phrases], kind="stable").tolist():
        place, number = int(places[pair]), int(phrases[pair])
        kind, phrase = _KINDS[kinds[place]], query.phrases[number]
        statement = index.texts[int(index.text_of[statements[place]])]
        if by_kind.get(kind, 0) >= MOST[kind] or phrase.text.casefold() in phrases_used or statement in statements_used:
            continue
        phrases_used.add(phrase.text.casefold())
        statements_used.add(statement)
        by_kind[kind] = by_kind.get(kind, 0) + 1
        importance = int(index.importance[statements[place]])
        chosen.append(
            Evidence(
                kind=kind,
                id=index.ids[int(statements[place])] or None,
                statement=statement,
                importance=None if importance < 0 else importance,
                phrase=phrase,
                similarity=round(float(cosines[place, number]), 4),
            )
        )
        if len(chosen) == limit:
            break
    return tuple(chosen)
