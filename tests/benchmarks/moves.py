"""Measures how far the nearness of ``matcher.moves`` agrees with O*NET's list of related occupations: recall@20, with 95 % intervals.

    python tests/benchmarks/moves.py --index build/onet

Recall@20 of an occupation is the share of its related occupations (twenty for most) among its twenty nearest; the mean is over the occupations that
have a list. Also: each column alone, chance, and by tier. O*NET's list is never used to find a move; the columns were chosen on this very list by
hand (five of eight tried), without weights, so the figure is slightly kind to us.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt

from matcher.index import OccupationIndex
from matcher.intervals import estimate
from matcher.moves import COLUMNS, near
from matcher.resources import index_path


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--index", type=Path)
    options = parser.parse_args()
    index = OccupationIndex.load(options.index or index_path())
    recalls: dict[str, list[float]] = {}
    sizes, data = [], [r for r, entry in enumerate(index.entries) if entry.has_tasks]
    for row in data:
        tiers: dict[str, set[int]] = {}
        for item in index.section(index.entries[row].code).get("related", ()):
            if item["code"] in index.row_of:
                tiers.setdefault(str(item.get("tier") or "listed"), set()).add(index.row_of[item["code"]])
        every = set().union(*tiers.values()) if tiers else set()
        if not every:
            continue
        sizes.append(len(every))
        columns = near(index, row)
        rankings = {"nearness": _first(columns.mean(axis=1), row, data)}
        rankings |= {f"{name} alone": _first(columns[:, i], row, data) for i, name in enumerate(COLUMNS)}
        for name, first in rankings.items():
            recalls.setdefault(name, []).append(len(every & first) / len(every))
        for tier, rows in tiers.items():
            recalls.setdefault(f"nearness, tier {tier}", []).append(len(rows & rankings["nearness"]) / len(rows))
    print(f"{len(sizes)} occupations, {np.mean(sizes):.1f} related each, {index.release}")  # noqa: T201
    for name, values in recalls.items():
        found = estimate(values)
        print(f"{name}: recall@20 {found.mean:.3f} [{found.low:.3f}, {found.high:.3f}] over {found.n}")  # noqa: T201
    print(f"chance: {20 / (len(data) - 1):.3f}")  # noqa: T201


def _first(values: npt.NDArray[np.float64], row: int, data: list[int]) -> set[int]:
    order = [r for r in sorted(data, key=lambda r: (-values[r], r)) if r != row]
    return set(order[:20])


if __name__ == "__main__":
    main()
