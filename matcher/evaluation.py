"""Measures of rankings against labelled queries, with intervals, and the baselines that a result is read beside.

Words of the field: *qrels* are the acceptable codes of each query, a *run* is the ranking of each query, a *measure* is a number
in [0, 1] a query; reports give the mean over queries with a 95 % interval.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from matcher.index import OccupationIndex
from matcher.intervals import Estimate, estimate

if TYPE_CHECKING:
    from matcher.match import Matcher

MEASURES: tuple[str, ...] = ("hit@1", "hit@5", "hit@10", "MRR", "nDCG@10")
BASELINES: tuple[str, ...] = ("random", "bm25", "tfidf")
DEPTH = 100


class EvaluationError(ValueError):
    """A file of labelled queries is not one; the text names file, line and what was expected."""


@dataclass(frozen=True, slots=True)
class LabelledQuery:
    """One row of an evaluation file: a query and every code that is acceptable for it."""

    id: str
    labels: frozenset[str]
    text: str | None = None
    skills: tuple[str, ...] | None = None
    title: str | None = None


def read_labelled(path: Path | str) -> list[LabelledQuery]:
    """Read a JSON Lines file of ``id``, ``labels`` and one or more of ``text``, ``skills``, ``title``."""
    rows = list(_labelled(Path(path)))
    if not rows:
        raise EvaluationError(f"{path}: no rows; expected one JSON object a line")
    return rows


def _labelled(path: Path) -> Iterator[LabelledQuery]:
    try:
        handle = path.open(encoding="utf-8")
    except OSError as error:
        raise EvaluationError(f"{path}: cannot be read ({error.strerror})") from None
    with handle:
        try:
            for number, line in enumerate(handle, 1):
                if line.strip():
                    yield _row(path, number, line)
        except UnicodeDecodeError:
            raise EvaluationError(f"{path}: not UTF-8") from None


def _row(path: Path, number: int, line: str) -> LabelledQuery:
    where = f"{path}, line {number}"
    try:
        row = json.loads(line)
    except ValueError:
        raise EvaluationError(f"{where}: not JSON") from None
    if not isinstance(row, dict):
        raise EvaluationError(f"{where}: expected an object")
    labels, skills = row.get("labels"), row.get("skills")
    if not (isinstance(labels, list) and labels and all(isinstance(code, str) for code in labels)):
        raise EvaluationError(f"{where}: 'labels' should be a list of one or more codes")
    if skills is not None and not (isinstance(skills, list) and all(isinstance(s, str) for s in skills)):
        raise EvaluationError(f"{where}: 'skills' should be a list of strings")
    for name in ("text", "title"):
        if not isinstance(row.get(name), str | None):
            raise EvaluationError(f"{where}: {name!r} should be a string")
    if row.get("text") is None and row.get("title") is None and skills is None:
        raise EvaluationError(f"{where}: expected one or more of 'text', 'skills', 'title'")
    return LabelledQuery(
        str(row.get("id", number)),
        frozenset(labels),
        row.get("text"),
        tuple(skills) if skills is not None else None,
        row.get("title"),
    )


def unknown_labels(rows: Iterable[LabelledQuery], index: OccupationIndex) -> list[str]:
    """Return the labels, sorted, that are no code of ``index``: a ranking cannot hold them, so they count as misses."""
    return sorted({code for row in rows for code in row.labels if code not in index.row_of})


def measures_of(ranking: Sequence[str], labels: frozenset[str]) -> dict[str, float]:
    """Return every measure of one ranking (codes, best first) against its acceptable codes.

    MRR is 1 / rank of the first acceptable code within 100, else 0; nDCG@10 has gain 1 for each acceptable code and the discount
    1 / log2(rank + 1) of Järvelin and Kekäläinen (2002).
    """
    hits = [code in labels for code in ranking[:DEPTH]]
    first = hits.index(True) + 1 if True in hits else None
    gain = sum(1 / math.log2(place + 2) for place, hit in enumerate(hits[:10]) if hit)
    ideal = sum(1 / math.log2(place + 2) for place in range(min(10, len(labels))))
    return {
        **{f"hit@{k}": float(first is not None and first <= k) for k in (1, 5, 10)},
        "MRR": 1 / first if first else 0.0,
        "nDCG@10": gain / ideal,
    }


Ranker = Callable[[LabelledQuery], Sequence[str]]


def matcher_ranker(matcher: Matcher) -> Ranker:
    """Return the ranker that is the product itself; an ``insufficient`` answer is an empty ranking, counted as a miss."""

    def rank(row: LabelledQuery) -> Sequence[str]:
        answer = matcher.match(text=row.text, skills=row.skills, title=row.title, top=DEPTH, explain=False)
        return [match.code for match in answer]

    return rank


def baseline_ranker(name: str, index: OccupationIndex, *, seed: int = 0) -> Ranker:
    """Return one of BASELINES over the index: a random order, or BM25 or TF-IDF alone over the whole query."""
    codes = [entry.code for entry in index.entries]
    draws = np.random.default_rng(seed)

    def rank(row: LabelledQuery) -> Sequence[str]:
        if name == "random":
            return [codes[i] for i in draws.permutation(len(codes))[:DEPTH]]
        texts = [row.text or "", row.title or "", *(row.skills or ())]
        bm25, tfidf = index.lexical.signals(texts, np.ones(len(texts)))
        column = bm25 if name == "bm25" else tfidf
        return [codes[i] for i in np.argsort(-column, kind="stable")[:DEPTH] if column[i] > 0]

    return rank


def run(ranker: Ranker, rows: Iterable[LabelledQuery]) -> dict[str, list[float]]:
    """Return every measure of every row, in order."""
    table: dict[str, list[float]] = {name: [] for name in MEASURES}
    for row in rows:
        for name, value in measures_of(ranker(row), row.labels).items():
            table[name].append(value)
    return table


def summarise(table: Mapping[str, Sequence[float]]) -> dict[str, Estimate]:
    """Return the estimate of each measure of a run."""
    return {name: estimate(values) for name, values in table.items()}


def evaluate(matcher: Matcher, rows: Iterable[LabelledQuery | Mapping[str, Any]]) -> dict[str, Estimate]:
    """Return hit@1, hit@5, hit@10, MRR and nDCG@10 of ``matcher`` over labelled rows (mappings as in an evaluation file, too)."""
    labelled = [
        row if isinstance(row, LabelledQuery) else _row(Path("rows"), number, json.dumps(dict(row)))
        for number, row in enumerate(rows, 1)
    ]
    return summarise(run(matcher_ranker(matcher), labelled))
