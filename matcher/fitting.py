"""Fitting of the ranking model: weights of the columns, and the link from a fusion to a probability.

The weights maximise the chance that a softmax over a query's candidates gives to its acceptable codes (conditional logit, McFadden,
1974), each kind of query with the same say, and are held near equal weights by a ridge. Only rows that the encoder was not trained on may
be used: a ranker fitted on others trusts the encoder too much. What is reported is out of fold: rows that share an id, a text or, in
files of one taxonomy, their set of labels are never in the fold that weighs them and in those that it was fitted on.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from matcher.accurate import SECOND, SecondOpinion
from matcher.evaluation import LabelledQuery
from matcher.intervals import estimate
from matcher.match import Matcher, read_inputs
from matcher.ranker import ALL_COLUMNS, COLUMNS, FORMAT, calibrated, query_kind, table_of
from matcher.signals import compared, query_vectors

KINDS: tuple[str, ...] = ("titles", "skills", "text", "positions")
FOLDS = 5
#: What pulls the weights to equal ones, and the size of these at the start: a mean of columns is too flat for a softmax.
RIDGE = 1e-3
EQUAL = 0.2
#: Most say of one file, in rows: more rows than this count as so many.
MOST_SAY = 200
#: The same for the calibration, which needs many rows.
MOST_SAY_OF_CALIBRATION = 900


class FittingError(ValueError):
    """The rows or the index cannot be fitted on; the text says what was expected."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Candidates of many queries, flat: query ``i`` has the rows ``bounds[i]`` to ``bounds[i + 1]`` of ``columns`` and ``hit``.

    ``set`` (q,) is the place in ``names`` of the file a query is from, ``group`` (q,) a number that dependent queries share,
    ``kind`` (q,) the place in KINDS, ``index`` (q,) the number of the index it was compared with, ``likeness`` (q,) that of its table.
    """

    columns: npt.NDArray[np.float64]
    hit: npt.NDArray[np.bool_]
    bounds: npt.NDArray[np.int64]
    set: npt.NDArray[np.int64]
    group: npt.NDArray[np.int64]
    kind: npt.NDArray[np.int64]
    index: npt.NDArray[np.int64]
    likeness: npt.NDArray[np.float64]
    names: tuple[str, ...]
    #: What ``columns`` are.
    columns_are: tuple[str, ...] = ALL_COLUMNS

    def __len__(self) -> int:
        return len(self.bounds) - 1

    @property
    def query(self) -> npt.NDArray[np.int64]:
        """The query of each candidate."""
        return np.repeat(np.arange(len(self)), np.diff(self.bounds))

    def softmax(self, fusion: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the share of each candidate in its query."""
        powers = np.exp(fusion - np.maximum.reduceat(fusion, self.bounds[:-1])[self.query])
        share: npt.NDArray[np.float64] = powers / np.add.reduceat(powers, self.bounds[:-1])[self.query]
        return share


def gather(matchers: Sequence[Matcher], files: Mapping[str, Sequence[LabelledQuery]], second: SecondOpinion | None = None) -> Rows:
    """Return the candidates of every query that is read, over each of ``matchers``' indexes, with ``second``'s columns if given."""
    columns, hits, bounds, sets, groups, kinds, indexes, likeness = [], [], [0], [], [], [], [], []
    for which, matcher in enumerate(matchers):
        codes = [entry.code for entry in matcher.index.entries]
        for number, rows in enumerate(files.values()):
            crosswalk = len({row.labels for row in rows}) < 0.5 * len(rows)
            for row in rows:
                query = read_inputs(text=row.text, skills=row.skills, title=row.title)
                if query.reasons:
                    continue
                vectors = query_vectors(query, matcher.encoder.encode(compared(query.phrases)))
                table = table_of(matcher.index, vectors, more=True)
                if second:
                    table = second.beside(table, vectors)
                columns.append(table.columns.astype(np.float32))
                hits.append(np.array([codes[i] in row.labels for i in table.rows.tolist()]))
                bounds.append(bounds[-1] + len(table.rows))
                sets.append(number)
                indexes.append(which)
                likeness.append(table.likeness)
                kinds.append(KINDS.index(query_kind(vectors)))
                keys = [f"id {row.id}", f"text {(row.text or row.title or ' '.join(row.skills or ())).casefold()}"]
                if crosswalk:
                    keys.append("labels " + " ".join(sorted(row.labels)))
                groups.append(keys)
    if not columns:
        raise FittingError("no query of these files can be read; expected rows with text, skills or title")
    return Rows(
        np.concatenate(columns).astype(np.float64),
        np.concatenate(hits),
        np.array(bounds),
        np.array(sets),
        _components(groups),
        np.array(kinds),
        np.array(indexes),
        np.array(likeness),
        tuple(files),
        ALL_COLUMNS + SECOND if second else ALL_COLUMNS,
    )


def _components(keys: Sequence[Sequence[str]]) -> npt.NDArray[np.int64]:
    """Return a number for each item, the same for items that are joined by shared keys."""
    parent: dict[str, str] = {}

    def root(key: str) -> str:
        while parent.setdefault(key, key) != key:
            parent[key] = parent[parent[key]]
            key = parent[key]
        return key

    for own in keys:
        for other in own[1:]:
            parent[root(other)] = root(own[0])
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(root(own[0]), len(numbers)) for own in keys])


def say(rows: Rows, chosen: npt.NDArray[np.bool_], most: int = MOST_SAY) -> npt.NDArray[np.float64]:
    """Return (q,) weights of the chosen queries, summing to 1: each file has the say of ``most`` rows, or of what it has."""
    weights = np.zeros(len(rows))
    for number in range(len(rows.names)):
        mine = chosen & (rows.set == number)
        if mine.any():
            weights[mine] = min(most, int(mine.sum())) / mine.sum()
    total: npt.NDArray[np.float64] = weights / weights.sum()
    return total


def fit_weights(rows: Rows, chosen: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """Return (c,) weights of the columns, fitted on the chosen queries."""
    from scipy.optimize import minimize

    found = np.add.reduceat(rows.hit, rows.bounds[:-1]) > 0
    if not (chosen & found).any():
        raise FittingError("no row has an acceptable code among its candidates; expected labels that are codes of the index")
    use = np.flatnonzero(chosen & found)
    which = np.concatenate([np.arange(rows.bounds[i], rows.bounds[i + 1]) for i in use])
    sizes = np.diff(rows.bounds)[use]
    starts = np.concatenate(([0], np.cumsum(sizes)[:-1]))
    of = np.repeat(np.arange(len(use)), sizes)
    x, hit = rows.columns[which], rows.hit[which]
    weight = say(rows, chosen)[use]
    weight = weight / weight.sum()
    prior = np.array([EQUAL if name in COLUMNS else 0.0 for name in rows.columns_are])

    def loss(w: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        s = x @ w
        s = s - np.maximum.reduceat(s, starts)[of]
        powers = np.exp(s)
        share = powers / np.add.reduceat(powers, starts)[of]
        right = np.add.reduceat(np.where(hit, share, 0.0), starts)
        # d ln(right) / ds = share among the hits − share among all
        pull = np.where(hit, share / right[of], 0.0) - share
        value = -(weight * np.log(right + 1e-300)).sum() + RIDGE * ((w - prior) ** 2).sum()
        return float(value), -(x.T @ (pull * weight[of])) + 2 * RIDGE * (w - prior)

    # A likeness never speaks against an occupation: that would be noise, and no one could be told so.
    bounds = [(0.0, None)] * len(prior)
    fitted = minimize(loss, prior, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 200})
    weights: npt.NDArray[np.float64] = fitted.x
    return weights


def folds_of(rows: Rows, seed: int = 0) -> npt.NDArray[np.int64]:
    """Return (q,) folds; a group is in one."""
    return np.random.default_rng(seed).integers(0, FOLDS, int(rows.group.max()) + 1)[rows.group]


def out_of_fold(rows: Rows) -> npt.NDArray[np.float64]:
    """Return the fusion of each candidate by weights that were fitted without its query's fold."""
    fold = folds_of(rows)
    fusion = np.zeros(len(rows.hit))
    for number in range(FOLDS):
        mine = (fold == number)[rows.query]
        fusion[mine] = rows.columns[mine] @ fit_weights(rows, fold != number)
    return fusion


def without_kind(rows: Rows) -> npt.NDArray[np.float64]:
    """Return the fusion of each candidate by weights that were fitted without its whole file: what decides."""
    fusion = np.zeros(len(rows.hit))
    for number in range(len(rows.names)):
        mine = (rows.set == number)[rows.query]
        fusion[mine] = rows.columns[mine] @ fit_weights(rows, rows.set != number)
    return fusion


def hits(rows: Rows, fusion: npt.NDArray[np.float64], k: int) -> npt.NDArray[np.bool_]:
    """Return (q,) whether one of the first ``k`` candidates is acceptable."""
    order = np.lexsort((-fusion, rows.query))
    place = np.arange(len(order)) - np.repeat(rows.bounds[:-1], np.diff(rows.bounds))
    first = rows.hit[order] & (place < k)
    return np.add.reduceat(first, rows.bounds[:-1]) > 0


def fit_link(rows: Rows, share: npt.NDArray[np.float64], chosen: npt.NDArray[np.bool_]) -> dict[str, float]:
    """Return the link's numbers, fitted on the ten best candidates of the chosen queries, the first with ten times the say."""
    from sklearn.linear_model import LogisticRegression

    order = np.lexsort((-share, rows.query))
    place = np.arange(len(order)) - np.repeat(rows.bounds[:-1], np.diff(rows.bounds))
    best, rank = order[place < 10], place[place < 10]
    keep = chosen[rows.query[best]]
    best, rank = best[keep], rank[keep]
    query = rows.query[best]
    inside = np.clip(share[best], 1e-9, 1 - 1e-9)
    kinds = np.eye(len(KINDS))[rows.kind[query]]
    features = np.column_stack([np.log(inside), -np.log1p(-inside), kinds, rows.likeness[query]])
    weight = say(rows, chosen, MOST_SAY_OF_CALIBRATION)[query] * np.where(rank == 0, 1.0, 0.1)
    model = LogisticRegression(C=1e4, fit_intercept=False, max_iter=2000)
    model.fit(features, rows.hit[best], sample_weight=weight / weight.mean())
    numbers = model.coef_[0]
    if numbers[1] < 0:  # the link has to increase: without its second term it is Platt's
        model.fit(np.delete(features, 1, axis=1), rows.hit[best], sample_weight=weight / weight.mean())
        numbers = np.insert(model.coef_[0], 1, 0.0)
    return {"a": float(numbers[0]), "b": float(numbers[1]), **dict(zip((*KINDS, "likeness"), map(float, numbers[2:]), strict=True))}


@dataclass(frozen=True, slots=True)
class Firsts:
    """The first candidate of each query, out of fold: its probability, and whether it is acceptable."""

    score: npt.NDArray[np.float64]
    right: npt.NDArray[np.bool_]


def first_scores(rows: Rows, fusion: npt.NDArray[np.float64]) -> Firsts:
    """Return each query's first candidate with a probability from a link that was fitted without its fold."""
    fold = folds_of(rows)
    share = rows.softmax(fusion)
    order = np.lexsort((-fusion, rows.query))[rows.bounds[:-1]]
    score = np.zeros(len(rows))
    for number in range(FOLDS):
        link = fit_link(rows, share, fold != number)
        for place, kind in enumerate(KINDS):
            mine = (fold == number) & (rows.kind == place)
            score[mine] = calibrated(share[order[mine]], link, kind, rows.likeness[mine])
    return Firsts(score, rows.hit[order])


def expected_calibration_error(
    score: npt.NDArray[np.float64], right: npt.NDArray[np.bool_], weight: npt.NDArray[np.float64], bins: int = 15
) -> float:
    """Return Σ |mean score − accuracy| over bins of equal mass, each by its share of the weight."""
    order = np.argsort(score, kind="stable")
    edges = np.searchsorted(np.cumsum(weight[order]), np.linspace(0, weight.sum(), bins + 1)[1:-1])
    error = 0.0
    for part in np.split(order, edges):
        if len(part):
            w = weight[part]
            error += w.sum() / weight.sum() * abs(np.average(score[part], weights=w) - np.average(right[part], weights=w))
    return float(error)


def cutoffs(firsts: Firsts, weight: npt.NDArray[np.float64]) -> dict[str, float]:
    """Return the least scores of ``high`` (right in 85 % of first places, so that 80 % is safe) and ``medium`` (in 50 %)."""
    found = {}
    order = np.argsort(-firsts.score, kind="stable")
    mass = np.cumsum(weight[order])
    accuracy = np.cumsum(weight[order] * firsts.right[order]) / mass
    for name, wanted in (("high", 0.85), ("medium", 0.6)):
        enough = np.flatnonzero((accuracy >= wanted) & (mass >= 0.01 * mass[-1]))
        found[name] = round(float(firsts.score[order[enough[-1]]]), 3) if len(enough) else 1.0
    return found


def fit_ranker(
    matchers: Sequence[Matcher],
    files: Mapping[str, Sequence[LabelledQuery]],
    out: Path | str,
    *,
    second: SecondOpinion | None = None,
) -> dict[str, Any]:
    """Fit weights and link on all rows, write ``ranker.json`` to the folder ``out``, and return the out-of-fold figures.

    With a ``second`` opinion it is the accurate mode's ``accurate.json``. Raises FittingError where nothing can be fitted, or the
    matchers have different encoders, and RankerError where the second opinion is of other occupations.
    """
    if len(files) < 2:
        raise FittingError(
            f"expected files of two or more kinds of query, found {len(files)}: what holds for one kind only is not kept"
        )
    encoders = {matcher.encoder.digest for matcher in matchers}
    if len(encoders) != 1:
        raise FittingError(f"expected indexes of one encoder, found {len(encoders)}")
    if second:
        for matcher in matchers:
            second.require(matcher.index)
    rows = gather(matchers, files, second)
    everything = np.ones(len(rows), bool)
    fusion = out_of_fold(rows)
    firsts = first_scores(rows, fusion)
    weight = say(rows, everything, MOST_SAY_OF_CALIBRATION)
    weights = fit_weights(rows, everything)
    model = {
        "format": FORMAT,
        "encoder": encoders.pop(),
        "weights": {name: round(float(w), 5) for name, w in zip(rows.columns_are, weights, strict=True)},
        "link": {name: round(v, 5) for name, v in fit_link(rows, rows.softmax(fusion), everything).items()},
        "cutoffs": cutoffs(firsts, weight),
        "about": {
            "indexes": [m.index.release for m in matchers],
            "queries": {n: len(r) for n, r in files.items()},
            **({"second": second.encoder.digest} if second else {}),
        },
    }
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ("accurate.json" if second else "ranker.json")).write_text(json.dumps(model, indent=1) + "\n", encoding="utf-8")
    return {"model": model, **report(rows, fusion, firsts, weight, [m.index.release for m in matchers])}


def _share_right(firsts: Firsts, weight: npt.NDArray[np.float64], least: float) -> list[float]:
    """Return which part of first places has at least this score, and which part of these is right."""
    high = firsts.score >= least
    if not high.any():
        return [0.0, 0.0]
    return [
        round(float(weight[high].sum() / weight.sum()), 4),
        round(float(np.average(firsts.right[high], weights=weight[high])), 4),
    ]


def report(
    rows: Rows, fusion: npt.NDArray[np.float64], firsts: Firsts, weight: npt.NDArray[np.float64], indexes: Sequence[str]
) -> dict[str, Any]:
    """Return hit@1 and hit@5 by index and file for equal weights, out of fold and without the file; and the calibration."""
    from sklearn.metrics import roc_auc_score

    equal = rows.columns[:, : len(COLUMNS)].mean(axis=1)
    spared = without_kind(rows)
    found = {
        label: [hits(rows, f, k) for k in (1, 5)]
        for label, f in (("equal weights", equal), ("out of fold", fusion), ("without this file", spared))
    }
    by_index: dict[str, Any] = {}
    for which, index in enumerate(indexes):
        for number, name in enumerate(rows.names):
            mine = (rows.set == number) & (rows.index == which)
            difference = estimate((firsts.score - firsts.right)[mine].tolist())
            by_index.setdefault(index, {})[name] = {
                "n": int(mine.sum()),
                **{label: [round(float(one[mine].mean()), 4) for one in both] for label, both in found.items()},
                "mean score minus accuracy": [round(v, 4) for v in (difference.mean, difference.low, difference.high)],
            }
    draws = np.random.default_rng(0)
    chance = [expected_calibration_error(firsts.score, draws.random(len(rows)) < firsts.score, weight) for _ in range(200)]
    order = np.lexsort((-equal, rows.query))[rows.bounds[:-1]]
    return {
        "indexes": by_index,
        "calibration": {
            "n": len(rows),
            "high": _share_right(firsts, weight, cutoffs(firsts, weight)["high"]),
            "ECE": round(expected_calibration_error(firsts.score, firsts.right, weight), 4),
            "ECE of a perfect score": [round(float(q), 4) for q in np.quantile(chance, (0.025, 0.5, 0.975))],
            "AUROC": round(float(roc_auc_score(firsts.right, firsts.score, sample_weight=weight)), 4),
            "AUROC of equal weights": round(float(roc_auc_score(rows.hit[order], equal[order], sample_weight=weight)), 4),
        },
    }
