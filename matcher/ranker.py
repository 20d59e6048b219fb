"""From signals to a ranking: standardised columns, fused, with every column's share kept."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from matcher.index import CENTROIDS, OccupationIndex
from matcher.signals import COARSE, FINE, QueryVectors, candidates, coarse_columns, fine_columns, standardise, top

COLUMNS: tuple[str, ...] = COARSE + FINE
_N_CENTROIDS = len(CENTROIDS)


@dataclass(frozen=True, slots=True)
class Ranking:
    """Rows of the index, best first, with their fusion (r,) and its split by column (r, len(COLUMNS)), which sums to it.

    ``likeness`` is the greatest cosine between the query as a whole and a centroid of any occupation: how much it is about work at all.
    """

    rows: npt.NDArray[np.int64]
    fusion: npt.NDArray[np.float64]
    contributions: npt.NDArray[np.float64]
    likeness: float
    columns: tuple[str, ...] = COLUMNS


@dataclass(frozen=True, slots=True)
class EqualWeights:
    """The mean of the standardised columns: the baseline that any learned fusion must beat."""

    name: str = "equal-weights/1"

    def rank(self, index: OccupationIndex, query: QueryVectors, allowed: npt.NDArray[np.bool_] | None = None) -> Ranking:
        """Return the candidates among ``allowed`` (n_occupations,), ties in code order.

        A filter never changes an occupation's fusion: columns are standardised over what an unfiltered query would look at.
        """
        raw = coarse_columns(index, query)
        likeness = float(np.nanmax(raw[:, :_N_CENTROIDS]))
        coarse = standardise(raw)
        usual = candidates(coarse)
        rows = usual
        if allowed is not None:
            kept = np.flatnonzero(allowed)
            rows = np.union1d(usual, kept[top(coarse[kept].mean(axis=1), len(usual))])
        fine = standardise(fine_columns(index, query, rows), np.isin(rows, usual))
        table = np.concatenate((coarse[rows], fine), axis=1) / len(COLUMNS)
        if allowed is not None:
            rows, table = rows[allowed[rows]], table[allowed[rows]]
        fusion = table.sum(axis=1)
        order = top(fusion, len(fusion))
        return Ranking(rows[order], fusion[order], table[order], likeness)
