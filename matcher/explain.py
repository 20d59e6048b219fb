"""Evidence: which phrases of a query met which statements of an occupation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from matcher.index import KINDS, OccupationIndex, similarities
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
_MOST = [MOST[kind] for kind in _KINDS]
_PLACES = [KINDS.index(kind) for kind in _KINDS]
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


def evidence(
    index: OccupationIndex, query: QueryVectors, rows: Sequence[int], shares: npt.NDArray[np.float64], *, limit: int = 5
) -> list[tuple[Evidence, ...]]:
    """Return for each occupation of ``rows`` up to ``limit`` pairs above the floors, strongest first.

    ``shares`` (r, p) is each occupation's fusion split by phrase (``matcher.contributions``). A pair's strength is its similarity over the
    floor that it has to reach, times the root of its phrase's share: the similarity squared and the share weigh alike. What lowered the
    fusion is no evidence for it. No phrase and no statement is used twice for one occupation.
    """
    occupations = np.array(rows, dtype=np.int64)
    size = int((index.bounds[_PLACES][:, occupations + 1] - index.bounds[_PLACES][:, occupations]).sum())
    if len(rows) > 1 and len(query) * size > _MOST_PAIRS:
        half = len(rows) // 2
        return [
            *evidence(index, query, rows[:half], shares[:half], limit=limit),
            *evidence(index, query, rows[half:], shares[half:], limit=limit),
        ]
    if len(query) == 0 or size == 0:
        return [() for _ in rows]
    shares = together(query, shares)
    return _choose(index, query, _pairs(index, query, occupations, shares), shares, limit)


def together(query: QueryVectors, shares: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return ``shares`` (r, p) with each phrase's the sum of those of all phrases that have its text: what is said twice counts twice."""
    number: dict[str, int] = {}
    said = np.array([number.setdefault(phrase.text.casefold(), len(number)) for phrase in query.phrases], dtype=np.int64)
    if len(number) == len(said):
        return shares
    sums = np.zeros((len(number), len(shares)))
    np.add.at(sums, said, shares.T)
    return sums[said].T


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Pairs above the floors, by occupation and then strongest first: the place of the occupation, that of the kind in ``_KINDS``, the
    statement, the phrase, and their cosine."""

    owner: npt.NDArray[np.int64]
    kind: npt.NDArray[np.int64]
    statement: npt.NDArray[np.int64]
    phrase: npt.NDArray[np.int64]
    cosine: npt.NDArray[np.float32]


def _pairs(index: OccupationIndex, query: QueryVectors, rows: npt.NDArray[np.int64], shares: npt.NDArray[np.float64]) -> _Pairs:
    roles = [phrase.role for phrase in query.phrases]
    titles = np.array([role == "title" for role in roles])
    found: list[tuple[npt.NDArray[Any], ...]] = []
    for number, kind in enumerate(_KINDS):
        phrases = np.array([place for place, role in enumerate(roles) if role in _ROLES[kind]], dtype=np.int64)
        starts = index.bounds[_PLACES[number], rows]
        lengths = index.bounds[_PLACES[number], rows + 1] - starts
        statements = np.repeat(starts - np.cumsum(lengths) + lengths, lengths) + np.arange(int(lengths.sum()))
        owners = np.repeat(np.arange(len(rows)), lengths)
        if kind is Kind.TECHNOLOGY:
            # What a quarter of all occupations use, such as e-mail and word processing, proves none of them.
            telling = _users(index)[index.text_of[statements]] <= max(_FEW, _COMMON * len(index))
            statements, owners = statements[telling], owners[telling]
        if not len(phrases) or not len(statements):
            continue
        cosines = similarities(index.vectors.rows(index.text_of[statements]), query.vectors.rows(phrases))
        floor = np.full(len(phrases), FLOORS[kind], dtype=np.float32)
        if kind is not Kind.TITLE:
            floor[titles[phrases]] = FLOOR_OF_A_TITLE
        place, column = np.nonzero(cosines >= floor[None, :])
        cosine, phrase, owner = cosines[place, column], phrases[column], owners[place]
        # Floors are what makes the similarities of kinds comparable; a negative share makes no evidence.
        strength = cosine / floor[column] * np.sqrt(np.maximum(shares[owner, phrase], 0.0))
        found.append((owner, np.full(len(place), number), statements[place], phrase, cosine, strength))
    if not found:
        none = np.zeros(0, dtype=np.int64)
        return _Pairs(none, none, none, none, none.astype(np.float32))
    owner, kinds, statement, phrase, cosine, strength = (np.concatenate(part) for part in zip(*found, strict=True))
    order = np.lexsort((-strength, owner))
    order = order[strength[order] > 0]
    return _Pairs(owner[order], kinds[order], statement[order], phrase[order], cosine[order])


_kept: dict[str, npt.NDArray[np.int64]] = {}
_MOST_KEPT = 4


def _users(index: OccupationIndex) -> npt.NDArray[np.int64]:
    """Return (n_texts,) how many occupations use each as a technology; kept for the last few indexes."""
    if (known := _kept.get(index.digest)) is not None:
        return known
    first, last = index.group(Kind.TECHNOLOGY, 0)[0], index.group(Kind.TECHNOLOGY, len(index) - 1)[1]
    made = np.bincount(index.text_of[first:last], minlength=len(index.texts))
    while len(_kept) >= _MOST_KEPT:
        _kept.pop(next(iter(_kept)), None)
    _kept[index.digest] = made
    return made


def _choose(
    index: OccupationIndex, query: QueryVectors, pairs: _Pairs, shares: npt.NDArray[np.float64], limit: int
) -> list[tuple[Evidence, ...]]:
    """Return the evidence of each occupation, one a row of ``shares``."""
    bounds = np.searchsorted(pairs.owner, np.arange(len(shares) + 1)).tolist()
    kinds, statements, numbers = pairs.kind.tolist(), pairs.statement.tolist(), pairs.phrase.tolist()
    texts = index.text_of[pairs.statement].tolist()
    said = [phrase.text.casefold() for phrase in query.phrases]
    result = []
    for row, (first, last) in enumerate(zip(bounds, bounds[1:], strict=False)):
        chosen: list[Evidence] = []
        phrases_used: set[str] = set()
        texts_used: set[int] = set()
        of_kind = [0] * len(_KINDS)
        for pair in range(first, last):
            place, number, text = kinds[pair], numbers[pair], texts[pair]
            if of_kind[place] >= _MOST[place] or said[number] in phrases_used or text in texts_used:
                continue
            phrases_used.add(said[number])
            texts_used.add(text)
            of_kind[place] += 1
            importance = int(index.importance[statements[pair]])
            chosen.append(
                Evidence(
                    kind=_KINDS[place],
                    id=index.ids[statements[pair]] or None,
                    statement=index.texts[text],
                    importance=None if importance < 0 else importance,
                    phrase=query.phrases[number],
                    similarity=round(float(pairs.cosine[pair]), 4),
                    contribution=round(float(shares[row, number]), 6),
                )
            )
            if len(chosen) == limit:
                break
        result.append(tuple(chosen))
    return result
