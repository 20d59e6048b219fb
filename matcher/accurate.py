"""The accurate mode: how a slower encoder sees the candidates, beside the usual signals.

The candidates are the usual ones. An index of the same occupations that was made with the slower encoder has its vectors of their
statements; it encodes the query's phrases too, which is what takes the time. Weights and link are fitted over the columns of both.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from matcher.encoder import Encoder
from matcher.index import CENTROIDS, OccupationIndex, quantise, similarities
from matcher.ranker import ALL_COLUMNS, LearnedRanker, RankerError, Ranking, Table, table_of
from matcher.records import Kind
from matcher.signals import (
    FINE,
    MORE,
    Best,
    QueryVectors,
    best_statements,
    compared,
    fine_columns,
    standardise,
    weighted_mean,
)

_WHOLE = {"description": Kind.DESCRIPTION, "titles": Kind.TITLE}
_FINE = ("best_task", "best_activity", "best_title", "newest_titles", "newest_best_task", "profile")
#: The slower encoder's columns, called after those that they are like.
SECOND: tuple[str, ...] = tuple(f"accurate_{name}" for name in (*_WHOLE, *_FINE))


@dataclass(frozen=True, slots=True)
class SecondOpinion:
    """A slower encoder, and an index that was made with it."""

    encoder: Encoder
    index: OccupationIndex

    @classmethod
    def load(cls, path: Path | str, encoder: Encoder) -> SecondOpinion:
        """Open the index at ``path``; raises OccupationIndexError where it is not one of this encoder."""
        index = OccupationIndex.load(path)
        index.require(encoder)
        return cls(encoder, index)

    def require(self, index: OccupationIndex) -> None:
        """Raise RankerError unless this index and ``index`` have the same occupations."""
        if [e.code for e in self.index.entries] != [e.code for e in index.entries]:
            raise RankerError(
                f"accurate mode: its index is of {self.index.release} ({len(self.index):,} occupations), expected one of "
                f"{index.release} ({len(index):,}), made with `matcher index --encoder {self.encoder.name}`"
            )

    def beside(self, table: Table, query: QueryVectors) -> Table:
        """Return the table with the columns SECOND after its own."""
        encoded = self.encoder.encode(compared(query.phrases))
        newest = encoded[query.newest]
        seen = dataclasses.replace(
            query,
            vectors=quantise(encoded),
            mean=quantise(weighted_mean(encoded, query.weights)),
            newest_mean=quantise(weighted_mean(newest, np.full(len(newest), 1.0))),
        )
        fine = fine_columns(self.index, seen, table.rows, best_statements, _FINE)
        columns = [self._likeness(seen, kind, table.rows) for kind in _WHOLE.values()]
        columns += [fine[:, (FINE + MORE).index(name)] for name in _FINE]
        return dataclasses.replace(
            table, columns=np.concatenate((table.columns, standardise(np.stack(columns, axis=1), table.usual)), axis=1)
        )

    def _likeness(self, query: QueryVectors, kind: Kind, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        likeness = similarities(query.mean, self.index.centroids[CENTROIDS.index(kind)].rows(rows))[0]
        cosines: npt.NDArray[np.float64] = likeness.astype(np.float64)
        cosines[~self.index.present(kind)[rows]] = np.nan
        return cosines


@dataclass(frozen=True, slots=True)
class AccurateRanker:
    """The learned ranker over the columns of both encoders."""

    model: LearnedRanker
    second: SecondOpinion

    @classmethod
    def load(cls, path: Path | str, second: SecondOpinion, index: OccupationIndex) -> AccurateRanker:
        """Read ``accurate.json`` for an index and a second opinion; raises RankerError where they do not belong together."""
        model = LearnedRanker.load(path, ALL_COLUMNS + SECOND)
        second.require(index)
        if not model.suits(index):
            raise RankerError(
                f"accurate mode: {path} was fitted for another encoder than that of {index.release}, or for more occupations"
            )
        if model.about.get("second") != second.encoder.digest:
            raise RankerError(f"accurate mode: {path} was fitted with another encoder than {second.encoder.name!r}")
        return cls(model, second)

    @property
    def name(self) -> str:
        """What answers call the ranker."""
        return f"accurate {self.model.digest[:19]} with {self.second.encoder.name} {self.second.encoder.digest[:19]}"

    def rank(
        self,
        index: OccupationIndex,
        query: QueryVectors,
        allowed: npt.NDArray[np.bool_] | None = None,
        *,
        best: Best = best_statements,
    ) -> Ranking:
        """Return the candidates among ``allowed`` (n_occupations,), ties in code order."""
        table = self.second.beside(table_of(index, query, allowed, more=True, best=best), query)
        return self.model.weigh(table, query, allowed)

    def confidence(self, score: float) -> Literal["high", "medium", "low"]:
        """Return the word for a score, by the cut-offs of this mode."""
        return self.model.confidence(score)
