"""From signals to a ranking: standardised columns, fused, with every column's share kept; and from a fusion to a probability."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from matcher.index import CENTROIDS, OccupationIndex
from matcher.signals import (
    COARSE,
    FINE,
    MORE,
    Best,
    QueryVectors,
    alike,
    best_statements,
    candidates,
    coarse_columns,
    fine_columns,
    standardise,
    top,
)

#: The columns of equal weights, and those that a learned ranker can weigh.
COLUMNS: tuple[str, ...] = COARSE + FINE
ALL_COLUMNS: tuple[str, ...] = COLUMNS + MORE
FORMAT = 2
_N_CENTROIDS = len(CENTROIDS)


class RankerError(ValueError):
    """A ranking model is missing, damaged or of another form; the text names the file and what was expected."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """Rows of the index, best first, with their fusion (r,) and its split by column (r, len(columns)), which sums to it.

    ``likeness`` is the greatest cosine between the query as a whole and a centroid of any occupation, ``near`` the same of tasks and
    activities alone, ``best`` the greatest weighted mean over phrases of the best cosine with a task, or an activity, of one occupation:
    how much the query is about work at all. ``score`` (r,) is the calibrated probability of each, ``share`` (r,) the part of the softmax over all candidates that is its own;
    both are None for a ranker without calibration. ``alike`` (n,) is how like the query is to every occupation of the index
    (``matcher.signals.alike``), None where that was not kept.
    """

    rows: npt.NDArray[np.int64]
    fusion: npt.NDArray[np.float64]
    contributions: npt.NDArray[np.float64]
    likeness: float
    near: float = 0.0
    best: float = 0.0
    columns: tuple[str, ...] = COLUMNS
    score: npt.NDArray[np.float64] | None = None
    share: npt.NDArray[np.float64] | None = None
    alike: npt.NDArray[np.float64] | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A query's candidates: rows of the index (r,), which of them an unfiltered query looks at (r,), and ALL_COLUMNS (r, c).

    ``likeness``, ``near``, ``best`` and ``alike`` are those of ``Ranking``.
    """

    rows: npt.NDArray[np.int64]
    usual: npt.NDArray[np.bool_]
    columns: npt.NDArray[np.float64]
    likeness: float
    near: float
    best: float
    alike: npt.NDArray[np.float64]


class Ranker(Protocol):
    """Orders an index's occupations for a query. ``name`` stands in answers."""

    @property
    def name(self) -> str:
        """What answers call the ranker."""
        ...

    def rank(
        self,
        index: OccupationIndex,
        query: QueryVectors,
        allowed: npt.NDArray[np.bool_] | None = None,
        *,
        best: Best = best_statements,
    ) -> Ranking:
        """Return the candidates among ``allowed`` (n_occupations,), best first, ties in code order."""
        ...

    def confidence(self, score: float) -> Literal["high", "medium", "low"] | None:
        """Return the word for a score, None for a ranker without calibration."""
        ...


def table_of(
    index: OccupationIndex,
    query: QueryVectors,
    allowed: npt.NDArray[np.bool_] | None = None,
    *,
    more: bool,
    best: Best = best_statements,
    needed: Collection[str] = ALL_COLUMNS,
) -> Table:
    """Return the standardised columns of a query's candidates; with ``more`` also MORE's, else only those of equal weights.

    A filter never changes a row's columns: they are standardised over what an unfiltered query would look at. Of the columns that are not
    ``needed`` those are left 0 that nothing else asks for.
    """
    raw = coarse_columns(index, query)
    likeness = _greatest(raw[:, :_N_CENTROIDS])
    coarse = standardise(raw)
    rows = usual = candidates(coarse)
    looked_at = np.ones(len(rows), dtype=bool)
    if allowed is not None:
        kept = np.flatnonzero(allowed)
        rows = np.union1d(usual, kept[top(coarse[kept].mean(axis=1), len(usual))])
        looked_at = np.isin(rows, usual)
    width = len(ALL_COLUMNS) if more else len(COLUMNS)
    fine = fine_columns(index, query, rows, best, set(needed) & set(ALL_COLUMNS[:width]))[:, : width - len(COARSE)]
    columns = np.concatenate((coarse[rows], standardise(fine, looked_at)), axis=1)
    near = _greatest(raw[:, [COARSE.index("centroid"), COARSE.index("activities")]])
    closest = _greatest(fine[looked_at][:, [FINE.index("best_task"), FINE.index("best_activity")]])
    return Table(rows, looked_at, columns, likeness, near, closest, alike(coarse))


def _greatest(columns: npt.NDArray[np.float64]) -> float:
    """Return the greatest value that is there, 0 for none."""
    return float(np.max(columns, where=~np.isnan(columns), initial=0.0))


@dataclass(frozen=True, slots=True)
class EqualWeights:
    """The mean of the standardised columns: the baseline that any learned fusion must beat."""

    name: str = "equal-weights/1"

    def rank(
        self,
        index: OccupationIndex,
        query: QueryVectors,
        allowed: npt.NDArray[np.bool_] | None = None,
        *,
        best: Best = best_statements,
    ) -> Ranking:
        """Return the candidates among ``allowed`` (n_occupations,), ties in code order."""
        table = table_of(index, query, allowed, more=False, best=best)
        shares = table.columns / len(COLUMNS)
        fusion = shares.sum(axis=1)
        order = _order(fusion, table.rows, allowed)
        return Ranking(table.rows[order], fusion[order], shares[order], table.likeness, table.near, table.best, alike=table.alike)

    def confidence(self, score: float) -> None:
        """Return None: a fusion is no probability."""
        return None


def _order(
    fusion: npt.NDArray[np.float64], rows: npt.NDArray[np.int64], allowed: npt.NDArray[np.bool_] | None
) -> npt.NDArray[np.int64]:
    order = top(fusion, len(fusion))
    return order if allowed is None else order[allowed[rows[order]]]


def query_kind(query: QueryVectors) -> str:
    """Return ``titles``, ``skills``, ``text`` or ``positions`` (a text that tells of positions held): the calibration's kinds of query."""
    sources = {phrase.source.split("/")[0] for phrase in query.phrases}
    if sources <= {"title"}:
        return "titles"
    if sources <= {"skills"}:
        return "skills"
    return "positions" if len(query.newest) else "text"


@dataclass(frozen=True, slots=True)
class LearnedRanker:
    """A weighted sum of standardised columns, and one increasing link from it to a probability.

    ``fusion = Σ weight × column``. ``share = softmax(fusion)`` over an unfiltered query's candidates. ``score = σ(a ln share −
    b ln(1 − share) + c + d likeness)``, with ``c`` by kind of query and the ``likeness`` of ``Ranking``: beta calibration (Kull, Silva
    Filho and Flach, 2017), and less trust in an answer to a query that is like no occupation. Weights and link are
    fitted by ``matcher train ranker``; they hold for one encoder, and for an index of (nearly) all occupations.
    """

    weights: Mapping[str, float]
    link: Mapping[str, float]
    cutoffs: Mapping[str, float]
    encoder: str
    digest: str = ""
    about: Mapping[str, Any] = field(default_factory=dict)
    #: An index of fewer occupations offers fewer wrong ones: its probabilities would be too low.
    least_occupations: int = 900
    #: What it can weigh, in the order of a table's columns.
    columns: tuple[str, ...] = ALL_COLUMNS

    @property
    def name(self) -> str:
        """What answers call the ranker."""
        return f"learned/{FORMAT} {self.digest[:19]}"

    @classmethod
    def load(cls, path: Path | str, columns: tuple[str, ...] = ALL_COLUMNS) -> LearnedRanker:
        """Read ``ranker.json``, weights of some of ``columns``; raises RankerError for a file that is missing, damaged or of another form."""
        file = Path(path)
        try:
            data = file.read_bytes()
        except OSError as error:
            raise RankerError(f"{file}: cannot be read ({error.strerror})") from None
        try:
            found = json.loads(data)
        except ValueError:
            raise RankerError(f"{file}: not JSON") from None
        if not isinstance(found, dict) or found.get("format") != FORMAT:
            raise RankerError(
                f"{file}: ranker format {found.get('format') if isinstance(found, dict) else None!r}, expected {FORMAT}"
            )
        numbers = {name: found.get(name) for name in ("weights", "link", "cutoffs")}
        for name, value in numbers.items():
            if not (isinstance(value, dict) and all(isinstance(v, int | float) and abs(v) < 1e6 for v in value.values())):
                raise RankerError(f"{file}: {name!r} should be an object of numbers")
        if strange := set(found["weights"]) - set(columns):
            raise RankerError(f"{file}: unknown column {sorted(strange)[0]!r}, expected some of {', '.join(columns)}")
        if not {"a", "b", "titles", "skills", "text", "positions", "likeness"} == set(found["link"]) or set(found["cutoffs"]) != {
            "high",
            "medium",
        }:
            raise RankerError(f"{file}: 'link' or 'cutoffs' has other members than expected")
        if found["link"]["a"] < 0 or found["link"]["b"] < 0:
            raise RankerError(f"{file}: the link should be increasing")
        if not isinstance(found.get("encoder"), str):
            raise RankerError(f"{file}: 'encoder' should be a digest")
        digest = "sha256:" + hashlib.sha256(data).hexdigest()
        return cls(**numbers, encoder=found["encoder"], digest=digest, about=found.get("about", {}), columns=columns)  # type: ignore[arg-type]

    def suits(self, index: OccupationIndex) -> bool:
        """Tell whether the weights were fitted for the index's encoder and for as many occupations."""
        return bool(index.manifest["encoder"]["digest"] == self.encoder) and len(index) >= self.least_occupations

    def rank(
        self,
        index: OccupationIndex,
        query: QueryVectors,
        allowed: npt.NDArray[np.bool_] | None = None,
        *,
        best: Best = best_statements,
    ) -> Ranking:
        """Return the candidates among ``allowed`` (n_occupations,), ties in code order."""
        needed = [name for name in self.columns if self.weights.get(name)]
        return self.weigh(table_of(index, query, allowed, more=True, best=best, needed=needed), query, allowed)

    def weigh(self, table: Table, query: QueryVectors, allowed: npt.NDArray[np.bool_] | None = None) -> Ranking:
        """Return the rows of a table of ``self.columns``, those that are ``allowed`` (n_occupations,), best first, ties in code order."""
        shares = table.columns * np.array([self.weights.get(name, 0.0) for name in self.columns])
        fusion = shares.sum(axis=1)
        share = softmax_over(fusion, table.usual)
        order = _order(fusion, table.rows, allowed)
        score = calibrated(share, self.link, query_kind(query), table.likeness)
        return Ranking(
            table.rows[order],
            fusion[order],
            shares[order],
            table.likeness,
            table.near,
            table.best,
            self.columns,
            score=score[order],
            share=share[order],
            alike=table.alike,
        )

    def confidence(self, score: float) -> Literal["high", "medium", "low"]:
        """Return the word for a score, by the published cut-offs."""
        if score >= self.cutoffs["high"]:
            return "high"
        return "medium" if score >= self.cutoffs["medium"] else "low"


def softmax_over(fusion: npt.NDArray[np.float64], usual: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """Return exp(fusion) over its sum in ``usual``: rows beside those get what they would have if they were in."""
    peak = fusion.max()
    powers = np.exp(fusion - peak)
    inside = powers[usual].sum()
    share: npt.NDArray[np.float64] = powers / np.where(usual, inside, inside + powers)
    return share


def calibrated(
    share: npt.NDArray[np.float64], link: Mapping[str, float], kind: str, likeness: float | npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Return σ(a ln share − b ln(1 − share) + c + d likeness), c being the link's number for ``kind``."""
    inside = np.clip(share, 1e-9, 1 - 1e-9)
    z = link["a"] * np.log(inside) - link["b"] * np.log1p(-inside) + link[kind] + link["likeness"] * likeness
    probability: npt.NDArray[np.float64] = 1.0 / (1.0 + np.exp(-z))
    return probability
