"""Standing: how far what was given points to each rated area of work, such as a knowledge area or a skill.

Nobody writes "Economics and Accounting" below a duty of bookkeeping. So an area is read off the work: occupations like the query vote
with their ratings. ``standing[a]`` is the mean over occupations of the area's importance, in standard deviations above its mean over all
occupations, weighted by exp(likeness / TEMPERATURE) (a kernel mean: Nadaraya, 1964). It looks at the query and the index only, never at which
occupation somebody asks about.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from matcher.index import CENTROIDS, KINDS, OccupationIndex
from matcher.records import Kind
from matcher.signals import QueryVectors, centroid_similarity, standardise

RATED: tuple[Kind, ...] = (Kind.KNOWLEDGE, Kind.SKILL, Kind.WORK_ACTIVITY)
#: Of 0.3, 0.5 and 0.8 the one that tells résumés of an occupation from others best (tests/benchmarks/gaps.py).
TEMPERATURE = 0.5
#: An index holds elements of importance 50 and more; what is below is taken as 37, what has no rating (a profile page) as 75.
_BELOW, _LISTED = 37.0, 75.0


@dataclass(frozen=True, slots=True)
class Profiles:
    """The areas of one kind: ``texts`` (a,) their texts in the index, ``importance`` (n, a) 0–100, ``z`` (n, a) standardised over the
    occupations that are ``present`` (n,), 0 for the others."""

    kind: Kind
    texts: npt.NDArray[np.int64]
    importance: npt.NDArray[np.float64]
    z: npt.NDArray[np.float64]
    present: npt.NDArray[np.bool_]

    def place(self, text: int) -> int:
        """Return the column of the area with the index's text number ``text``."""
        return int(np.searchsorted(self.texts, text))


@dataclass(frozen=True, slots=True)
class Standings:
    """For one query: the (a,) standing of every area by kind, and what gave it: the (n,) weights of occupations."""

    profiles: dict[Kind, Profiles]
    standing: dict[Kind, npt.NDArray[np.float64]]
    weights: dict[Kind, npt.NDArray[np.float64]]


_kept: dict[tuple[str, Kind], Profiles] = {}
_sums: dict[str, npt.NDArray[np.float32]] = {}
_MOST_KEPT = 12
_MOST_SUMS = 4
_HARDLY = 1e-3


def profiles(index: OccupationIndex, kind: Kind) -> Profiles:
    """Return the areas of ``kind`` (one of RATED) over the occupations of ``index``; kept for the last few indexes."""
    key = (index.digest, kind)
    if (known := _kept.get(key)) is not None:
        return known
    k = KINDS.index(kind)
    first, last = int(index.bounds[k, 0]), int(index.bounds[k, -1])
    texts, area = np.unique(index.text_of[first:last].astype(np.int64), return_inverse=True)
    rows = np.repeat(np.arange(len(index)), np.diff(index.bounds[k]))
    rated = index.importance[first:last].astype(np.float64)
    importance = np.full((len(index), len(texts)), _BELOW)
    importance[rows, area] = np.where(rated < 0, _LISTED, rated)
    present = index.present(kind)
    z = np.zeros_like(importance)
    if present.any() and len(texts):
        spread = importance[present].std(axis=0)
        z[present] = (importance[present] - importance[present].mean(axis=0)) / np.where(spread > 0, spread, np.inf)
    made = Profiles(kind, texts, importance, z, present)
    while len(_kept) >= _MOST_KEPT:
        _kept.pop(next(iter(_kept)), None)
    _kept[key] = made
    return made


def likeness(index: OccupationIndex, query: QueryVectors) -> npt.NDArray[np.float64]:
    """Return (n,) how like the query is to each occupation: the mean of the standardised likenesses to its centroids."""
    columns = np.stack([centroid_similarity(index, query, kind) for kind in CENTROIDS], axis=1)
    mean: npt.NDArray[np.float64] = standardise(columns).mean(axis=1)
    return mean


def standings(
    index: OccupationIndex,
    query: QueryVectors,
    *,
    kinds: tuple[Kind, ...] = (Kind.KNOWLEDGE, Kind.SKILL),
    like: npt.NDArray[np.float64] | None = None,
) -> Standings:
    """Return where the query stands in every area of ``kinds``. ``like`` is its ``likeness`` where that is known already."""
    like = likeness(index, query) if like is None else like
    found: dict[Kind, Profiles] = {}
    standing: dict[Kind, npt.NDArray[np.float64]] = {}
    weights: dict[Kind, npt.NDArray[np.float64]] = {}
    for kind in kinds:
        profile = profiles(index, kind)
        found[kind] = profile
        share = np.zeros(len(index))
        if profile.present.any():
            among = like[profile.present]
            raw = np.exp((among - among.max()) / TEMPERATURE)
            share[profile.present] = raw / raw.sum()
        weights[kind] = share
        # einsum without BLAS: the same order of additions on every machine.
        standing[kind] = np.einsum("o,oa->a", share, profile.z)
    return Standings(found, standing, weights)


def centroid_sums(index: OccupationIndex) -> npt.NDArray[np.float32]:
    """Return (n, dim) the sum of each occupation's centroids; kept for the last few indexes."""
    if (known := _sums.get(index.digest)) is not None:
        return known
    total = np.zeros((len(index), index.vectors.values.shape[1]), np.float32)
    for group in index.centroids:
        total += group.values.astype(np.float32) * group.scales[:, None]
    while len(_sums) >= _MOST_SUMS:
        _sums.pop(next(iter(_sums)), None)
    _sums[index.digest] = total
    return total


def phrase_shares(index: OccupationIndex, query: QueryVectors, of: Standings, kind: Kind) -> npt.NDArray[np.float64]:
    """Return (a, p) how much each phrase moves each area's standing: weight × phrase · gradient of the standing by the query's mean.

    The gradient, up to a factor, is Σ w (z − standing) c over occupations, c the sum of their centroids.
    """
    weights = of.weights[kind]
    # Occupations that hardly vote change no phrase's place.
    voting = np.flatnonzero(weights > weights.max(initial=0.0) * _HARDLY)
    lean = weights[voting, None] * (of.profiles[kind].z[voting] - of.standing[kind][None, :])
    gradient = lean.T @ centroid_sums(index)[voting].astype(np.float64)
    phrases = query.vectors.values.astype(np.float64) * query.vectors.scales[:, None]
    shares: npt.NDArray[np.float64] = np.round((gradient @ phrases.T) * query.weights[None, :], 9)
    return shares
