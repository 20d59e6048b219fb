"""Signals: pure functions of a query and an index, one column over occupations each.

A column is (n,) float64; NaN marks an occupation that has nothing of the kind, so what is absent never scores. *Coarse* columns
compare the query as a whole with every occupation; *fine* columns look for the best statement for each phrase, and only among
candidates, because reading every statement's vector for every phrase would cost a hundred times more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from matcher.contacts import neutral
from matcher.index import CENTROIDS, KINDS, OccupationIndex, Quantised, quantise, similarities
from matcher.lexical import words
from matcher.records import Kind, Phrase, Query

Column = npt.NDArray[np.float64]
#: ``best_statements``, or something that gives the same numbers and remembers some of them.
Best = Callable[[OccupationIndex, Quantised, Column, Kind, npt.NDArray[np.int64]], Column]

COARSE: tuple[str, ...] = (
    "description",
    "centroid",
    "activities",
    "titles",
    "technologies",
    "knowledge",
    "bm25",
    "tfidf",
)
FINE: tuple[str, ...] = ("best_task", "best_activity", "best_title", "title_words")
#: Columns that equal weights leave out, for they are of use only with a weight of their own.
MORE: tuple[str, ...] = ("newest_tasks", "newest_titles", "newest_best_task", "profile")
#: Candidates for the fine columns: the best by the mean of the standardised coarse columns, and the best of each of these.
N_CANDIDATES = 100
N_OF_EACH = 10

#: Years after which what was done in a position counts half. Weights by role (title, duty, skill …) were tried and did not help.
HALF_LIFE = 6.0

#: The standardised value of what an occupation lacks.
ABSENT = 0.0


@dataclass(frozen=True, slots=True)
class QueryVectors:
    """A query as arrays: its phrases (p, dim), their weights (p,) summing to 1, and their weighted mean as one unit row.

    ``newest`` are the places of the phrases that belong to the newest position, ``newest_mean`` their mean as one unit row.
    """

    phrases: tuple[Phrase, ...]
    vectors: Quantised
    weights: Column
    mean: Quantised
    newest: npt.NDArray[np.int64]
    newest_mean: Quantised

    def __len__(self) -> int:
        return len(self.phrases)


def compared(phrases: Sequence[Phrase]) -> list[str]:
    """Return the texts of phrases as they are compared: tidied, and alike for persons of any gender."""
    return [neutral(phrase.text) for phrase in phrases]


def phrase_weights(query: Query) -> Column:
    """Return (p,) weights of the query's phrases, summing to 1: halved for every HALF_LIFE years since their position ended.

    Ages are counted from the newest date in the query itself, never from a clock.
    """
    ages = job_ages(query)
    weights = np.array([1.0 if p.job is None else 0.5 ** (ages[p.job] / HALF_LIFE) for p in query.phrases])
    return weights / weights.sum() if len(weights) else weights


def job_ages(query: Query) -> list[float]:
    """Return for each job the years from its end to the newest date in the query; undated jobs by their place in the list."""
    ends = [_years(job.end) if job.end else (None if not job.current else float("inf")) for job in query.jobs]
    dated = [_years(d) for job in query.jobs for d in (job.start, job.end) if d]
    newest = max(dated, default=0.0)
    return [3.0 * place if end is None else max(0.0, newest - min(end, newest)) for place, end in enumerate(ends)]


def _years(date: tuple[int, int | None]) -> float:
    return date[0] + (date[1] or 6) / 12


def weighted_mean(vectors: npt.NDArray[np.float32], weights: Column) -> npt.NDArray[np.float32]:
    """Return the (1, dim) unit mean of rows, accumulated in float64; zeros where nothing is left."""
    mean = (vectors.astype(np.float64) * weights[:, None]).sum(axis=0)
    length = np.sqrt((mean * mean).sum())
    unit: npt.NDArray[np.float32] = (mean / length if length > 0 else mean).astype(np.float32)[None]
    return unit


def query_vectors(query: Query, encoded: npt.NDArray[np.float32]) -> QueryVectors:
    """Return ``query`` with its ``encoded`` phrases (p, dim)."""
    weights = phrase_weights(query)
    newest = newest_phrases(query)
    return QueryVectors(
        query.phrases,
        quantise(encoded),
        weights,
        quantise(weighted_mean(encoded, weights)),
        newest,
        quantise(weighted_mean(encoded[newest], np.full(len(newest), 1.0))),
    )


def newest_phrases(query: Query) -> npt.NDArray[np.int64]:
    """Return the places of the phrases of the newest positions: the current ones, else those that ended last."""
    ages = job_ages(query)
    return np.array([i for i, p in enumerate(query.phrases) if p.job is not None and ages[p.job] == min(ages)], dtype=np.int64)


def centroid_similarity(index: OccupationIndex, query: QueryVectors, kind: Kind) -> Column:
    """Return the cosine of the query's mean and each occupation's mean over its statements of ``kind``."""
    column: Column = similarities(query.mean, index.centroids[CENTROIDS.index(kind)])[0].astype(np.float64)
    column[~index.present(kind)] = np.nan
    return column


def knowledge_fit(index: OccupationIndex, query: QueryVectors) -> Column:
    """Return how far the knowledge areas near the query are important above the average in each occupation."""
    if index.knowledge_profile.shape[1] == 0:
        return np.full(len(index), np.nan)
    near = similarities(query.mean, index.knowledge_areas)[0].astype(np.float64)
    near = near - near.mean()
    near = np.where(near > 0, near, 0.0)
    # einsum without BLAS: the same order of additions on every machine and with any number of threads.
    column: Column = np.einsum("ok,k->o", index.knowledge_profile.astype(np.float64), near)
    column[~index.present(Kind.KNOWLEDGE)] = np.nan
    return column


def best_statements(index: OccupationIndex, vectors: Quantised, weights: Column, kind: Kind, rows: npt.NDArray[np.int64]) -> Column:
    """Return for each occupation of ``rows`` the weighted mean over phrases of the best cosine with a statement of ``kind``."""
    k = KINDS.index(kind)
    starts, ends = index.bounds[k, rows], index.bounds[k, rows + 1]
    lengths = ends - starts
    column = np.full(len(rows), np.nan)
    full = lengths > 0
    if not full.any() or len(vectors) == 0:
        return column
    total = int(lengths.sum())
    places = np.concatenate(([0], np.cumsum(lengths)[:-1]))
    statements = np.repeat(starts - places, lengths) + np.arange(total)
    # Only non-empty groups reach reduceat: an empty one would get its neighbour's value.
    best = np.maximum.reduceat(similarities(index.vectors.rows(index.text_of[statements]), vectors), places[full], axis=0)
    column[full] = (best.astype(np.float64) * weights[None, :]).sum(axis=1)
    return column


def title_weights(query: QueryVectors) -> Column:
    """Return (p,) the weights of the phrases that are job titles, summing to 1 (or all 0), and 0 for the others."""
    titles = np.where([phrase.role == "title" for phrase in query.phrases], query.weights, 0.0)
    total = titles.sum()
    return titles / total if total > 0 else titles


def title_word_overlap(index: OccupationIndex, query: QueryVectors, rows: npt.NDArray[np.int64]) -> Column:
    """Return for each occupation of ``rows`` how nearly its best title has the words of the titles in the query.

    Of two titles, twice the inverse document frequencies of the words they share over the sum of both titles' (Dice, 1945, weighted);
    the mean over the query's titles by their weights. NaN for a query without a title.
    """
    weights = title_weights(query)
    column = np.zeros(len(rows))
    if not weights.any():
        return np.full(len(rows), np.nan)
    starts, ends = index.bounds[0, rows], index.bounds[0, rows + 1]
    lengths = ends - starts
    places = np.concatenate(([0], np.cumsum(lengths)[:-1]))
    titles = np.repeat(starts - places, lengths) + np.arange(int(lengths.sum()))
    begins = index.title_bounds[titles]
    sizes = index.title_bounds[titles + 1] - begins
    firsts = np.concatenate(([0], np.cumsum(sizes)[:-1]))
    which = index.title_words[np.repeat(begins - firsts, sizes) + np.arange(int(sizes.sum()))]
    size = len(index.lexical.vocabulary)
    idf = np.append(index.lexical.idf[:size].astype(np.float64), 0.0)
    own = np.add.reduceat(idf[which], firsts)
    for number in np.flatnonzero(weights).tolist():
        found = list(dict.fromkeys(words(query.phrases[number].text)))
        known = [index.lexical.vocabulary[w] for w in found if w in index.lexical.vocabulary]
        # A word that no document has is as rare as the rarest.
        total = float(idf[known].sum()) + (len(found) - len(known)) * float(idf.max())
        mask = np.zeros(size + 1)
        mask[known] = idf[known]
        overlap = 2 * np.add.reduceat(mask[which], firsts) / (own + total + 1e-9)
        column += weights[number] * np.maximum.reduceat(overlap, places)
    return column


def coarse_columns(index: OccupationIndex, query: QueryVectors) -> npt.NDArray[np.float64]:
    """Return (n_occupations, len(COARSE))."""
    bm25, tfidf = index.lexical.signals(compared(query.phrases), query.weights * len(query))
    return np.stack(
        [
            centroid_similarity(index, query, Kind.DESCRIPTION),
            centroid_similarity(index, query, Kind.TASK),
            centroid_similarity(index, query, Kind.ACTIVITY),
            centroid_similarity(index, query, Kind.TITLE),
            centroid_similarity(index, query, Kind.TECHNOLOGY),
            knowledge_fit(index, query),
            bm25,
            tfidf,
        ],
        axis=1,
    )


def fine_columns(
    index: OccupationIndex, query: QueryVectors, rows: npt.NDArray[np.int64], best: Best = best_statements
) -> npt.NDArray[np.float64]:
    """Return (len(rows), len(FINE))."""
    return np.stack(
        [
            best(index, query.vectors, query.weights, Kind.TASK, rows),
            best(index, query.vectors, query.weights, Kind.ACTIVITY, rows),
            best(index, query.vectors, query.weights, Kind.TITLE, rows),
            title_word_overlap(index, query, rows),
        ],
        axis=1,
    )


def more_columns(
    index: OccupationIndex, query: QueryVectors, rows: npt.NDArray[np.int64], best: Best = best_statements
) -> npt.NDArray[np.float64]:
    """Return (len(rows), len(MORE)): what the newest position alone is like, and the sum of three centroids' likeness to the whole."""
    columns = np.full((len(rows), len(MORE)), np.nan)
    newest = query.newest
    if len(newest):
        for place, kind in enumerate((Kind.TASK, Kind.TITLE)):
            columns[:, place] = similarities(query.newest_mean, index.centroids[CENTROIDS.index(kind)].rows(rows))[0]
            columns[~index.present(kind)[rows], place] = np.nan
        columns[:, 2] = best(index, query.vectors.rows(newest), np.full(len(newest), 1 / len(newest)), Kind.TASK, rows)
    parts = [
        similarities(query.mean, index.centroids[CENTROIDS.index(kind)].rows(rows))[0]
        for kind in (Kind.TASK, Kind.TITLE, Kind.DESCRIPTION)
    ]
    # An absent centroid is a row of zeros: it adds nothing to the sum.
    columns[:, 3] = np.sum(parts, axis=0, dtype=np.float64)
    return columns


def standardise(columns: npt.NDArray[np.float64], sample: npt.NDArray[np.bool_] | None = None) -> npt.NDArray[np.float64]:
    """Return columns of mean 0 and deviation 1 over what is present in the rows of ``sample`` (all rows by default).

    What is absent becomes ABSENT, and a column without spread is 0 throughout, for it tells nothing.
    """
    reference = columns if sample is None else columns[sample]
    known = ~np.isnan(reference)
    counts = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, reference, 0.0).sum(axis=0) / counts
    spread = np.sqrt((np.where(known, reference - mean, 0.0) ** 2).sum(axis=0) / counts)
    scale = np.where(spread > 1e-9, spread, np.inf)
    z: npt.NDArray[np.float64] = np.where(
        np.isnan(columns), np.where(known.any(axis=0), ABSENT, 0.0), (np.nan_to_num(columns) - mean) / scale
    )
    return z


def candidates(standardised: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Return the rows, ascending, that the fine columns look at: best by the mean, and the best of each column."""
    chosen = set(top(standardised.mean(axis=1), N_CANDIDATES).tolist())
    for column in standardised.T:
        chosen.update(top(column, N_OF_EACH).tolist())
    return np.array(sorted(chosen), dtype=np.int64)


def top(values: npt.NDArray[np.float64], k: int) -> npt.NDArray[np.int64]:
    """Return the places of the ``k`` largest values, largest first, ties by place (occupations are in code order)."""
    return np.argsort(-values, kind="stable")[:k].astype(np.int64)
