"""Signals: pure functions of a query and an index, one column over occupations each.

A column is (n,) float64; NaN marks an occupation that has nothing of the kind, so what is absent never scores. *Coarse* columns
compare the query as a whole with every occupation; *fine* columns look for the best statement for each phrase, and only among
candidates, because reading every statement's vector for every phrase would cost a hundred times more.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from matcher.contacts import neutral
from matcher.index import CENTROIDS, KINDS, OccupationIndex, Quantised, quantise, similarities
from matcher.lexical import words
from matcher.records import Kind, Phrase, Query

Column = npt.NDArray[np.float64]
#: ``best_statements``, or something that gives the same numbers and remembers some of them.
Best = Callable[[OccupationIndex, Quantised, Kind, npt.NDArray[np.int64]], npt.NDArray[np.float32]]

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
#: The centroids whose likenesses "profile" is the sum of.
_PROFILE = (Kind.TASK, Kind.TITLE, Kind.DESCRIPTION)
#: The coarse columns in the order of CENTROIDS.
_CENTROID_COLUMNS = [COARSE.index(name) for name in ("titles", "description", "centroid", "activities", "technologies")]
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
    youngest = min(ages, default=0.0)
    return np.array([i for i, p in enumerate(query.phrases) if p.job is not None and ages[p.job] == youngest], dtype=np.int64)


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


def best_statements(index: OccupationIndex, vectors: Quantised, kind: Kind, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    """Return (len(rows), len(vectors)) the best cosine of each phrase with a statement of ``kind`` of each occupation.

    NaN where an occupation has no statement of the kind.
    """
    k = KINDS.index(kind)
    starts = index.bounds[k, rows]
    lengths = index.bounds[k, rows + 1] - starts
    best = np.full((len(rows), len(vectors)), np.nan, dtype=np.float32)
    # Statements are taken in turns: the first of every occupation, the second of every one that has two, and so on. The occupations with
    # most stand first, so each turn is one block that lies under the one before, and the greatest is found by whole blocks.
    order = np.argsort(-lengths, kind="stable")[: np.count_nonzero(lengths)]
    if not len(order) or not len(vectors):
        return best
    turns = np.arange(lengths[order[0]])[:, None]
    has = turns < lengths[order]
    texts = index.text_of[(starts[order] + turns)[has]]
    if kind is Kind.ACTIVITY:
        # Occupations share activities: each is compared once.
        texts, where = np.unique(texts, return_inverse=True)
        cosines = similarities(index.vectors.rows(texts), vectors)[where]
    else:
        cosines = similarities(index.vectors.rows(texts), vectors)
    sizes = has.sum(axis=1).tolist()
    most, at = cosines[: sizes[0]], sizes[0]
    for size in sizes[1:]:
        np.maximum(most[:size], cosines[at : at + size], out=most[:size])
        at += size
    best[order] = most
    return best


def weighted(best: npt.NDArray[np.float32], weights: Column) -> Column:
    """Return (r,) the weighted means of the rows of ``best`` (r, p), accumulated in float64; NaN stays NaN."""
    column: Column = (best.astype(np.float64) * weights[None, :]).sum(axis=1)
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
    columns = np.empty((len(index), len(COARSE)))
    for place, kind in zip(_CENTROID_COLUMNS, CENTROIDS, strict=True):
        columns[:, place] = centroid_similarity(index, query, kind)
    columns[:, COARSE.index("knowledge")] = knowledge_fit(index, query)
    columns[:, COARSE.index("bm25")], columns[:, COARSE.index("tfidf")] = index.lexical.signals(
        compared(query.phrases), query.weights * len(query)
    )
    return columns


def fine_columns(
    index: OccupationIndex,
    query: QueryVectors,
    rows: npt.NDArray[np.int64],
    best: Best = best_statements,
    needed: Collection[str] = FINE + MORE,
) -> npt.NDArray[np.float64]:
    """Return (len(rows), len(FINE) + len(MORE)) columns of the occupations at ``rows``.

    Tasks and activities are always compared; any other column that is not ``needed`` is 0. MORE is what the newest position alone is
    like, and the sum of three centroids' likeness to the whole.
    """
    columns = np.zeros((len(rows), len(FINE) + len(MORE)))
    of = {name: columns[:, place] for place, name in enumerate(FINE + MORE)}
    tasks = best(index, query.vectors, Kind.TASK, rows)
    of["best_task"][:] = weighted(tasks, query.weights)
    of["best_activity"][:] = weighted(best(index, query.vectors, Kind.ACTIVITY, rows), query.weights)
    if "best_title" in needed:
        of["best_title"][:] = weighted(best(index, query.vectors, Kind.TITLE, rows), query.weights)
    if "title_words" in needed:
        of["title_words"][:] = title_word_overlap(index, query, rows)
    newest = query.newest
    for name, kind in (("newest_tasks", Kind.TASK), ("newest_titles", Kind.TITLE)):
        if name in needed:
            of[name][:] = similarities(query.newest_mean, index.centroids[CENTROIDS.index(kind)].rows(rows))[0]
            of[name][~index.present(kind)[rows] if len(newest) else slice(None)] = np.nan
    if "newest_best_task" in needed:
        among = np.ascontiguousarray(tasks[:, newest])
        of["newest_best_task"][:] = weighted(among, np.full(len(newest), 1 / len(newest))) if len(newest) else np.nan
    if "profile" in needed:
        parts = [similarities(query.mean, index.centroids[CENTROIDS.index(kind)].rows(rows))[0] for kind in _PROFILE]
        # An absent centroid is a row of zeros: it adds nothing to the sum.
        of["profile"][:] = np.sum(parts, axis=0, dtype=np.float64)
    return columns


def standardise(columns: npt.NDArray[np.float64], sample: npt.NDArray[np.bool_] | None = None) -> npt.NDArray[np.float64]:
    """Return columns of mean 0 and deviation 1 over what is present in the rows of ``sample`` (all rows by default).

    What is absent becomes ABSENT, and a column without spread is 0 throughout, for it tells nothing.
    """
    absent = np.isnan(columns)
    filled = np.where(absent, 0.0, columns)
    among, missing = (filled, absent) if sample is None else (filled[sample], absent[sample])
    counts = np.maximum(len(missing) - missing.sum(axis=0), 1)
    mean = among.sum(axis=0) / counts
    spread = np.sqrt((np.where(missing, 0.0, among - mean) ** 2).sum(axis=0) / counts)
    z: npt.NDArray[np.float64] = (filled - mean) / np.where(spread > 1e-9, spread, np.inf)
    z[absent] = ABSENT
    return z


def alike(standardised: npt.NDArray[np.float64]) -> Column:
    """Return (n,) how like the query is to each occupation: the mean of the standardised likenesses to its centroids.

    ``standardised`` are the coarse columns (n, len(COARSE)).
    """
    mean: Column = np.ascontiguousarray(standardised[:, _CENTROID_COLUMNS]).mean(axis=1)
    return mean


def candidates(standardised: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Return the rows, ascending, that the fine columns look at: best by the mean, and the best of each column."""
    chosen = np.zeros(len(standardised), dtype=bool)
    chosen[top(standardised.mean(axis=1), N_CANDIDATES)] = True
    for column in np.ascontiguousarray(standardised.T):
        chosen[top(column, N_OF_EACH)] = True
    return np.flatnonzero(chosen)


def top(values: npt.NDArray[np.float64], k: int) -> npt.NDArray[np.int64]:
    """Return the places of the ``k`` largest values, largest first, ties by place (occupations are in code order)."""
    if 0 < 4 * k < len(values):
        # Few of many: sort those alone that are no smaller than the k-th. Values are numbers, never NaN.
        places = np.flatnonzero(values >= np.partition(values, -k)[-k])
        return places[np.argsort(-values[places], kind="stable")[:k]].astype(np.int64)
    return np.argsort(-values, kind="stable")[:k].astype(np.int64)
