"""Derives the thresholds of ``matcher.gaps`` from the development résumés, and measures gaps with them, with 95 % intervals.

    python tests/benchmarks/gaps.py --index build/onet ../shared/eval/resumes.dev.jsonl

For every résumé: the occupations that are its labels ("own"), and all occupations with data of other major groups ("other"). A figure
is the mean over résumés of the mean over occupations of the share of statements that are not found; the interval is over résumés.
The rules: knowledge "partly" is the middle of the range where own gaps are at most 25 % and other gaps at least 60 %, "met" is reached three times as
often by own as by other; both bounds of skills are where as many own statements stay below as of knowledge; tasks and activities reach "partly" three and
"met" five times as often (a tail ratio). Each figure stands twice: with the shipped
thresholds, and with thresholds derived on the other four of five folds of résumés.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from matcher import Matcher
from matcher.evaluation import read_labelled
from matcher.gaps import FIRM_WORDS, NAMED, THRESHOLDS, proving
from matcher.index import similarities
from matcher.intervals import estimate
from matcher.match import read_inputs
from matcher.records import Kind
from matcher.signals import query_vectors
from matcher.standing import standings

Values = list[npt.NDArray[np.float64]]
Flat = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]
Table = list[tuple[Flat, Flat]]
MOST_OWN, LEAST_OTHER, TOP = 0.25, 0.60, 5


def main() -> None:
    """Print thresholds and figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--index", type=Path)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    matcher = Matcher.load(options.index)
    index = matcher.index
    rows = []
    for row in read_labelled(options.file):
        own = [index.row_of[c] for c in sorted(row.labels) if c in index.row_of and index.entries[index.row_of[c]].has_tasks]
        query = read_inputs(text=row.text)
        if own and not query.reasons:
            rows.append((query_vectors(query, matcher.encoder.encode([p.text for p in query.phrases])), own))
    groups = np.array([entry.code[:2] for entry in index.entries])
    folds = np.random.default_rng(options.seed).permutation(len(rows)) % 5
    print(f"{len(rows)} résumés, {matcher.engine['release']}, {matcher.engine['encoder']}")  # noqa: T201

    tables: dict[Kind, Table] = {kind: [] for kind in THRESHOLDS}
    firm_tables: dict[Kind, Table] = {}
    for query, own in rows:
        at = standings(index, query)
        others = [r for r, e in enumerate(index.entries) if e.has_tasks and groups[r] not in set(groups[own])]
        for kind in tables:
            if kind in (Kind.KNOWLEDGE, Kind.SKILL):
                pair = (_standing(index, query, at, kind, own), _standing(index, query, at, kind, others))
            else:
                some = np.random.default_rng(len(tables[kind])).choice(others, 30, replace=False).tolist()
                pair = (_cosines(index, query, kind, own), _cosines(index, query, kind, some))
                firm = (_cosines(index, query, kind, own, FIRM_WORDS), _cosines(index, query, kind, some, FIRM_WORDS))
                if all(firm):
                    firm_tables.setdefault(kind, []).append((_flat(firm[0]), _flat(firm[1])))
            if all(pair):
                tables[kind].append((_flat(pair[0]), _flat(pair[1])))

    partly: dict[Kind, Callable[[Table], float]] = {
        Kind.KNOWLEDGE: _between,
        Kind.SKILL: lambda table: _at_share(table, _share(tables[Kind.KNOWLEDGE], _between(tables[Kind.KNOWLEDGE]))[0].mean()),
        Kind.TASK: lambda table: _at_ratio(table, 3),
        Kind.ACTIVITY: lambda table: _at_ratio(table, 3),
    }
    knowledge = tables[Kind.KNOWLEDGE]
    met: dict[Kind, Callable[[Table], float]] = {
        Kind.KNOWLEDGE: lambda table: _at_ratio(table, 3),
        Kind.SKILL: lambda table: _at_share(table, _share(knowledge, _at_ratio(knowledge, 3))[0].mean()),
        Kind.TASK: lambda table: _at_ratio(table, 5),
        Kind.ACTIVITY: lambda table: _at_ratio(table, 5),
    }
    for kind, table in tables.items():
        firmly = firm_tables.get(kind, table)
        derived = (partly[kind](table), met[kind](firmly))
        print(f"{kind}: derived {derived[0]:.3f} {derived[1]:.3f}, shipped {THRESHOLDS[kind]}")  # noqa: T201
        own, other = _share(table, THRESHOLDS[kind][0])
        print(f"  not found, shipped thresholds: own {_shown(own)}, other {_shown(other)}")  # noqa: T201
        own, other = _share(firmly, THRESHOLDS[kind][1])
        print(f"  not met, shipped thresholds:   own {_shown(own)}, other {_shown(other)}")  # noqa: T201
        parts = []
        for fold in range(5):
            threshold = partly[kind]([t for t, f in zip(table, folds, strict=False) if f != fold])
            parts.append(_share([t for t, f in zip(table, folds, strict=False) if f == fold], threshold))
        own, other = (np.concatenate([p[i] for p in parts]) for i in (0, 1))
        print(f"  not found, by folds:           own {_shown(own)}, other {_shown(other)}")  # noqa: T201


def _standing(index, query, at, kind, rows):  # type: ignore[no-untyped-def]
    """Return for each occupation the standing of its five most important areas (of all its skills' the same); named ones count as inf."""
    naming = np.array([p.role in ("skill", "education", "other", "summary") for p in query.phrases])
    texts = at.profiles[kind].texts
    named = np.zeros(len(texts), dtype=bool)
    if naming.any():
        named = (np.where(naming[None, :], similarities(index.vectors.rows(texts), query.vectors), -1.0) >= NAMED).any(axis=1)
    values = np.where(named, np.inf, at.standing[kind])
    found = []
    for row in rows:
        first, last = index.group(kind, row)
        best = sorted(range(first, last), key=lambda s: -int(index.importance[s]))[:TOP]
        if best:
            found.append(values[[at.profiles[kind].place(int(index.text_of[s])) for s in best]])
    return found


def _cosines(index, query, kind, rows, words=2):  # type: ignore[no-untyped-def]
    found = []
    for row in rows:
        first, last = index.group(kind, row)
        if last > first:
            cosines = similarities(index.vectors.rows(index.text_of[first:last]), query.vectors)
            found.append(np.where(proving(query, words=words)[None, :], cosines, -1.0).max(axis=1).astype(np.float64))
    return found


def _flat(rows: Values) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the values of one résumé, sorted, and the share of what is below each: every occupation weighs the same."""
    values = np.concatenate(rows)
    weights = np.concatenate([np.full(len(v), 1 / (len(v) * len(rows))) for v in rows])
    order = np.argsort(values, kind="stable")
    return values[order], np.concatenate(([0.0], np.cumsum(weights[order])))


def _share(table: Table, threshold: float) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return by résumé the mean share below ``threshold``, of its own occupations and of others."""
    own, other = (
        np.array([below[np.searchsorted(values, threshold)] for values, below in (row[i] for row in table)]) for i in (0, 1)
    )
    return own, other


def _grid(table: Table) -> npt.NDArray[np.float64]:
    values = np.concatenate([own[0] for own, _ in table])
    return np.unique(np.round(np.quantile(values[np.isfinite(values)], np.linspace(0.01, 0.99, 99)), 3))


def _between(table: Table) -> float:
    grid = _grid(table)
    shares = [[s.mean() for s in _share(table, t)] for t in grid.tolist()]
    low = next((t for t, s in zip(grid, shares, strict=True) if s[1] >= LEAST_OTHER), grid[-1])
    high = max((t for t, s in zip(grid, shares, strict=True) if s[0] <= MOST_OWN), default=grid[0])
    return round(float((low + high) / 2), 3)


def _at_share(table: Table, share: float) -> float:
    grid = _grid(table)
    return float(grid[int(np.argmin([abs(_share(table, t)[0].mean() - share) for t in grid.tolist()]))])


def _at_ratio(table: Table, ratio: float) -> float:
    for threshold in _grid(table).tolist():
        own, other = (1 - s.mean() for s in _share(table, threshold))
        if own >= ratio * other:
            return float(threshold)
    return float("nan")


def _shown(values: npt.NDArray[np.float64]) -> str:
    found = estimate(values.tolist())
    return f"{found.mean:.3f} [{found.low:.3f}, {found.high:.3f}]"


if __name__ == "__main__":
    main()
