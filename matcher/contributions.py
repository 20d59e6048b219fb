"""Contributions: an occupation's fusion split by phrase of the query, beside its split by signal.

A column of a ranking is ``(x − mean) / spread``, and ``x`` is a sum over phrases: of cosines with a centroid, of best cosines, of the words
that BM25 counts. A phrase's part of a contribution is its summand less what that is on average over the occupations that the column was
standardised over, times weight over spread. Two columns are no plain sums, and are split so that nothing is left: TF-IDF takes logarithms
of counts, and gives each word's value to the phrases that have it by their amounts; knowledge drops the areas that the query as a whole is
not near, and each phrase has its part in those that stay. What rounding leaves is given to the phrases by their weights.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from matcher.index import CENTROIDS, OccupationIndex, Quantised, quantise, similarities
from matcher.lexical import BORDER, Postings
from matcher.ranker import Ranking
from matcher.records import Kind
from matcher.signals import QueryVectors, best_statements, compared, title_weights, title_word_overlap

Parts = npt.NDArray[np.float64]

#: Rows from each end of a ranking that show a column's scale: the same ones however many rows are asked for.
_ENDS = 5
#: How far rows must be apart to show a scale, and else how far from the mean, as parts of what phrases add regardless of sign: less may be
#: rounding.
_APART = 0.01
_TELLING = 0.05
_WHOLE = {
    "description": Kind.DESCRIPTION,
    "centroid": Kind.TASK,
    "activities": Kind.ACTIVITY,
    "titles": Kind.TITLE,
    "technologies": Kind.TECHNOLOGY,
}
_NEWEST = {"newest_tasks": Kind.TASK, "newest_titles": Kind.TITLE}
_BEST = {"best_task": Kind.TASK, "best_activity": Kind.ACTIVITY, "best_title": Kind.TITLE, "newest_best_task": Kind.TASK}
_PROFILE = (Kind.TASK, Kind.TITLE, Kind.DESCRIPTION)
#: Columns of the accurate mode are split as those that they are like.
_ACCURATE = "accurate_"


@dataclass(frozen=True, slots=True)
class Seen:
    """``best_statements`` that keeps, of each kind, the rows (r,) and the best cosines (r, p) of one ranking, so that a split costs none."""

    kept: dict[Kind, tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]] = field(default_factory=dict)

    def __call__(
        self, index: OccupationIndex, vectors: Quantised, kind: Kind, rows: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.float32]:
        """Return what ``matcher.signals.best_statements`` returns."""
        best = best_statements(index, vectors, kind, rows)
        self.kept[kind] = (rows, best)
        return best


def by_phrase(index: OccupationIndex, query: QueryVectors, ranking: Ranking, seen: Seen, count: int) -> Parts:
    """Return (count, p): the fusion of the first ``count`` rows of ``ranking`` split by phrase; each row sums to its fusion.

    ``seen`` is what the ranking was made with; what it has not seen is compared anew.
    """
    many = len(ranking.rows)
    showing = np.unique(np.concatenate((np.arange(min(_ENDS, many)), np.arange(max(0, many - _ENDS), many))))
    places = np.unique(np.concatenate((np.arange(count), showing)))
    among = np.isin(places, showing)
    candidates = next((rows for rows, _ in seen.kept.values()), np.sort(ranking.rows))
    split = _Split(index, query, seen, ranking.rows[places], candidates)
    found = {
        number: parts
        for number, name in enumerate(ranking.columns)
        if ranking.contributions[:, number].any() and (parts := split.of(name.removeprefix(_ACCURATE))) is not None
    }
    fusion = ranking.contributions[:count].sum(axis=1)
    shares = np.zeros((count, len(query)))
    if found:
        summands = np.stack(list(found.values()))
        there = ~np.isnan(summands[:, :, 0])
        summands[~there] = 0.0
        scales = _scales(summands, ranking.contributions[places][:, list(found)].T, there & among)
        # einsum without BLAS: the same order of additions on every machine and with any number of threads.
        shares = np.einsum("c,crp->rp", scales, summands[:, :count])
    shares += (fusion - shares.sum(axis=1))[:, None] * query.weights
    return shares


def _scales(summands: Parts, given: Parts, shown: npt.NDArray[np.bool_]) -> Parts:
    """Return (c,) weight over spread: how contributions (c, r) grow with what phrases (c, r, p) add up to, by least squares over ``shown``."""
    counts = np.maximum(shown.sum(axis=1), 1)
    sums = summands.sum(axis=2)
    size = (np.abs(summands).sum(axis=2) * shown).sum(axis=1) / counts
    apart = (sums - ((sums * shown).sum(axis=1) / counts)[:, None]) * shown
    among = (apart * apart).sum(axis=1)
    scales: Parts = (apart * given).sum(axis=1) / np.where(among > 0, among, 1.0)
    # One row, or rows that are alike: their distance from the mean shows the scale, unless that is nearly nothing.
    first = np.argmax(shown, axis=1)[:, None]
    one, value = np.take_along_axis(sums, first, axis=1)[:, 0], np.take_along_axis(given, first, axis=1)[:, 0]
    tells = np.abs(one) > _TELLING * size
    alone = np.where(tells, value / np.where(tells, one, 1.0), 0.0)
    return np.where(np.sqrt(among / counts) > _APART * size, scales, alone)


class _Split:
    """The summands of one query's columns at ``rows``, less their means, without the columns' scales."""

    def __init__(
        self,
        index: OccupationIndex,
        query: QueryVectors,
        seen: Seen,
        rows: npt.NDArray[np.int64],
        candidates: npt.NDArray[np.int64],
    ) -> None:
        self.index, self.query, self.seen, self.rows, self.candidates = index, query, seen, rows, candidates
        self._means = _means(index)
        few = [_mean(index.centroids[CENTROIDS.index(kind)], self.candidates) for kind in _PROFILE]
        blocks = [*(centroids.rows(rows) for centroids in index.centroids), self._means.centroids, *few, index.knowledge_areas]
        together = Quantised(np.concatenate([b.values for b in blocks]), np.concatenate([b.scales for b in blocks]))
        cosines = similarities(together, query.vectors).astype(np.float64)
        ends = np.cumsum([len(rows) * len(CENTROIDS), len(CENTROIDS), len(_PROFILE)])
        own, self._all, self._few, self._near_areas = np.split(cosines, ends)
        self._own = own.reshape(len(CENTROIDS), len(rows), len(query))
        self._words: dict[str, Parts] = {}

    def of(self, name: str) -> Parts | None:
        """Return (r, p) summands, NaN where an occupation has nothing of the kind; None for a column that is not known."""
        weights = self.query.weights
        if name in _WHOLE:
            return self._absent(self._to_all(_WHOLE[name]) * weights, _WHOLE[name])
        if name in _NEWEST:
            return self._absent(self._of_newest(self._to_few(_NEWEST[name])), _NEWEST[name])
        if name == "profile":
            return np.sum([self._to_few(kind) for kind in _PROFILE], axis=0, dtype=np.float64) * weights
        if name in _BEST:
            best = self._best(_BEST[name])
            return self._of_newest(best) if name == "newest_best_task" else best * weights
        if name == "knowledge":
            return self._absent(self._knowledge(), Kind.KNOWLEDGE)
        if name in ("bm25", "tfidf"):
            if not self._words:
                self._words["bm25"], self._words["tfidf"] = self._lexical()
            return self._words[name]
        return self._title_words() if name == "title_words" else None

    def _absent(self, parts: Parts, kind: Kind) -> Parts:
        parts[~self.index.present(kind)[self.rows]] = np.nan
        return parts

    def _of_newest(self, parts: Parts) -> Parts:
        only = np.zeros(len(self.query))
        only[self.query.newest] = 1.0
        return parts * only

    def _to_all(self, kind: Kind) -> Parts:
        """Return (r, p) cosines with the centroids of ``kind``, less those with the mean of all."""
        k = CENTROIDS.index(kind)
        parts: Parts = self._own[k] - self._all[k]
        return parts

    def _to_few(self, kind: Kind) -> Parts:
        """Return (r, p) cosines with the centroids of ``kind``, less those with the mean of the candidates."""
        parts: Parts = self._own[CENTROIDS.index(kind)] - self._few[_PROFILE.index(kind)]
        return parts

    def _best(self, kind: Kind) -> Parts:
        if kind not in self.seen.kept:
            self.seen(self.index, self.query.vectors, kind, self.candidates)
        rows, best = self.seen.kept[kind]
        there = ~np.isnan(best[:, 0])
        mean = best[there].sum(axis=0, dtype=np.float64) / max(1, int(there.sum()))
        parts: Parts = best[np.searchsorted(rows, self.rows)].astype(np.float64) - mean
        return parts

    def _knowledge(self) -> Parts:
        near = similarities(self.query.mean, self.index.knowledge_areas)[0].astype(np.float64)
        counts = near > near.mean()
        cosines = (self._near_areas - self._near_areas.mean(axis=0))[counts] * self.query.weights
        important = self.index.knowledge_profile[self.rows].astype(np.float64) - self._means.areas
        parts: Parts = np.einsum("rk,kp->rp", important[:, counts], cosines)
        return parts

    def _lexical(self) -> tuple[Parts, Parts]:
        """Return the summands of BM25 and TF-IDF: the words and pairs of each phrase."""
        lexical, query = self.index.lexical, self.query
        size = len(lexical.vocabulary)
        numbers = lexical.numbers(compared(query.phrases))
        owner = np.cumsum(numbers == BORDER)
        amounts = (query.weights * len(query))[owner]
        single = np.flatnonzero(numbers >= 0)
        second = single[(single > 0) & (numbers[single - 1] >= 0)]
        keys = numbers[second - 1] * size + numbers[second]
        at = np.minimum(np.searchsorted(lexical.pairs, keys), max(len(lexical.pairs) - 1, 0))
        known = lexical.pairs[at] == keys if len(lexical.pairs) else np.zeros(len(keys), dtype=bool)
        terms, place = np.concatenate((numbers[single], at[known] + size)), np.concatenate((single, second[known]))
        order = np.argsort(owner[place], kind="stable")
        terms, place = terms[order], place[order]
        unique, which = np.unique(terms, return_inverse=True)
        given, owners = amounts[place], owner[place]
        total = np.bincount(which, weights=given, minlength=len(unique))
        value = np.log1p(total) * lexical.idf[unique] / np.where(total > 0, total, 1.0)
        tfidf = self._by_owner(lexical.tfidf, self._means.tfidf, unique, which, given * value[which], owners)
        # Words come before pairs among the terms.
        word = terms < size
        bm25 = self._by_owner(lexical.bm25, self._means.bm25, unique[unique < size], which[word], given[word], owners[word])
        return bm25, tfidf

    def _by_owner(
        self,
        postings: Postings,
        means: Parts,
        terms: npt.NDArray[np.int64],
        which: npt.NDArray[np.int64],
        amounts: Parts,
        owner: npt.NDArray[np.int64],
    ) -> Parts:
        """Return (r, p) sums of each owner's occurrences (t,) of ``terms[which]``, by their amounts, less their ``means`` over all documents.

        Owners ascend.
        """
        parts = np.zeros((len(self.query), len(self.rows)))
        if len(terms) == 0:
            return parts.T
        starts = postings.bounds[terms]
        lengths = postings.bounds[terms + 1] - starts
        begins = np.cumsum(lengths) - lengths
        offsets = np.repeat(starts - begins, lengths) + np.arange(int(lengths.sum()))
        column = np.full(self.index.lexical.n_documents, -1, dtype=np.int64)
        column[self.rows] = np.arange(len(self.rows))
        at = column[postings.documents[offsets]]
        ours = np.flatnonzero(at >= 0)
        table = np.repeat(-means[terms][:, None], len(self.rows), axis=1)
        table[np.searchsorted(begins, ours, side="right") - 1, at[ours]] += postings.weights[offsets[ours]]
        counts = np.bincount(owner, minlength=len(self.query))
        found = np.flatnonzero(counts)
        parts[found] = np.add.reduceat(table[which] * amounts[:, None], (np.cumsum(counts) - counts)[found], axis=0)
        return parts.T

    def _title_words(self) -> Parts:
        weights = title_weights(self.query)
        parts = np.zeros((len(self.rows), len(self.query)))
        places = np.searchsorted(self.candidates, self.rows)
        for number in np.flatnonzero(weights).tolist():
            alone = dataclasses.replace(self.query, phrases=(self.query.phrases[number],), weights=np.ones(1))
            overlap = title_word_overlap(self.index, alone, self.candidates)
            parts[:, number] = weights[number] * (overlap[places] - overlap.mean())
        return parts


def _mean(centroids: Quantised, rows: npt.NDArray[np.int64]) -> Quantised:
    """Return the mean of some centroids as one row; those of occupations that have none are zeros and left out."""
    taken = centroids.rows(rows)
    there = taken.values.any(axis=1)
    mean = np.einsum("r,rd->d", taken.scales[there].astype(np.float64), taken.values[there].astype(np.float64))
    return quantise((mean / max(1, int(there.sum()))).astype(np.float32)[None])


@dataclass(frozen=True, slots=True)
class _Means:
    """Of an index: the mean centroids in the order of CENTROIDS, the mean knowledge profile, and each term's mean in BM25 and in TF-IDF."""

    centroids: Quantised
    areas: Parts
    bm25: Parts
    tfidf: Parts


_kept: dict[str, _Means] = {}
_MOST_KEPT = 4


def _means(index: OccupationIndex) -> _Means:
    """Return the means of an index; kept for the last few indexes."""
    if (known := _kept.get(index.digest)) is not None:
        return known
    every = np.arange(len(index))
    rows = [_mean(centroids, every) for centroids in index.centroids]
    there = index.present(Kind.KNOWLEDGE)
    made = _Means(
        Quantised(np.concatenate([r.values for r in rows]), np.concatenate([r.scales for r in rows])),
        index.knowledge_profile[there].sum(axis=0, dtype=np.float64) / max(1, int(there.sum())),
        _mean_weights(index.lexical.bm25, len(index)),
        _mean_weights(index.lexical.tfidf, len(index)),
    )
    while len(_kept) >= _MOST_KEPT:
        _kept.pop(next(iter(_kept)), None)
    _kept[index.digest] = made
    return made


def _mean_weights(postings: Postings, n: int) -> Parts:
    terms = np.repeat(np.arange(len(postings.bounds) - 1), np.diff(postings.bounds))
    means: Parts = np.bincount(terms, weights=postings.weights, minlength=len(postings.bounds) - 1) / n
    return means
