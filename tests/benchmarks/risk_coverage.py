"""Draws how often the first place is right against the share of queries answered, when the least sure are left unanswered first.

    PYTHONPATH=. python tests/benchmarks/risk_coverage.py --index build/onet --plot docs/quality/risk-coverage.svg ../shared/eval/*.dev.jsonl

Writes the drawing as SVG and, beside it, the five numbers of each curve as JSON: accuracy of the first place where 10, 25, 50, 75 and 100 %
of the queries are answered. Every score is out of fold: weights and link are fitted by ``matcher.fitting`` on the other folds of these same
files, so they differ a little from those of the shipped ranker, which was fitted on all. Files are pooled with the weights of the calibration
(no file has the say of more than 900 rows). Needs scikit-learn and matplotlib, both in the extra ``dev``.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from matcher import Matcher
from matcher.evaluation import read_labelled
from matcher.fitting import MOST_SAY_OF_CALIBRATION, first_scores, gather, out_of_fold, say

COVERAGES = (10, 25, 50, 75, 100)
POOLED = "pooled"
#: A drawn curve has so many points, and begins where one answer more or less moves it by no more than this.
POINTS = 60
LEAST_ANSWERED = 10
#: Ten colours that people with defective colour vision tell apart begin with these (Okabe and Ito, 2008).
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Curve:
    """Accuracy of the first place among the surest queries: ``accuracy[i]`` where the share ``coverage[i]`` is answered, ascending."""

    coverage: Floats
    accuracy: Floats
    n: int

    def at(self, percent: float) -> float:
        """Return the accuracy where at least ``percent`` % are answered."""
        return float(self.accuracy[min(int(np.searchsorted(self.coverage, percent / 100 - 1e-9)), self.n - 1)])


def curve(score: Floats, right: npt.NDArray[np.bool_], weight: Floats) -> Curve:
    """Return the curve of queries (n,), surest first. Queries of one score are answered together: each has their mean accuracy."""
    order = np.argsort(-score, kind="stable")
    _, group, size = np.unique(-score[order], return_inverse=True, return_counts=True)
    mass = np.bincount(group, weight[order])
    hits = np.bincount(group, weight[order] * right[order])
    return Curve(np.cumsum(mass).repeat(size) / mass.sum(), (np.cumsum(hits) / np.cumsum(mass)).repeat(size), len(score))


def curves(matcher: Matcher, files: Mapping[str, Path]) -> dict[str, Curve]:
    """Return the curve of each file and, first, of all pooled; scores are out of fold."""
    rows = gather([matcher], {name: read_labelled(path) for name, path in files.items()})
    firsts = first_scores(rows, out_of_fold(rows))
    weight = say(rows, np.ones(len(rows), bool), MOST_SAY_OF_CALIBRATION)
    found = {POOLED: curve(firsts.score, firsts.right, weight)}
    for number, name in enumerate(rows.names):
        mine = rows.set == number
        found[name] = curve(firsts.score[mine], firsts.right[mine], np.ones(int(mine.sum())))
    return found


def figures(found: Mapping[str, Curve]) -> dict[str, Any]:
    """Return the five numbers of each curve."""
    return {name: {"n": one.n, **{f"{c} %": round(one.at(c), 3) for c in COVERAGES}} for name, one in found.items()}


def spread(wanted: Sequence[float], apart: float) -> list[float]:
    """Return heights as near to those ``wanted`` as may be, in the same order and ``apart`` from each other or more."""
    order = np.argsort(wanted, kind="stable")
    heights = np.array(wanted, dtype=np.float64)[order]
    for _ in range(200):
        gaps = np.diff(heights)
        tight = np.flatnonzero(gaps < apart - 1e-6)
        for place in tight:
            push = (apart - (heights[place + 1] - heights[place])) / 2
            heights[place] -= push
            heights[place + 1] += push
        if not len(tight):
            break
    found = np.empty(len(heights))
    found[order] = heights
    return [float(height) for height in found]


def called(name: str) -> str:
    """Return what a file of queries is called in the drawing."""
    words = {"esco": "ESCO", "h1b": "H-1B", "ict": "ICT", "resume": "résumé", "resumes": "résumés"}
    return " ".join(words.get(word, word) for word in name.split("_"))


def draw(found: Mapping[str, Curve], path: Path, note: str) -> None:
    """Write the curves as an SVG whose text stays text; the same curves give the same bytes."""
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot as plt

    style: dict[str, Any] = {"svg.fonttype": "none", "svg.hashsalt": "risk-coverage", "font.family": "sans-serif", "font.size": 10}
    style |= {"axes.spines.top": False, "axes.spines.right": False}
    with mpl.rc_context(style):  # type: ignore[arg-type]
        figure, axes = plt.subplots(figsize=(8.2, 4.8))
        ends = spread([one.at(100) for one in found.values()], 0.045)
        for place, (name, one) in enumerate(found.items()):
            colour = "#111111" if name == POOLED else COLOURS[(place - 1) % len(COLOURS)]
            first = min(LEAST_ANSWERED, one.n) - 1
            points = np.unique(np.linspace(first, one.n - 1, POINTS).astype(int))
            x, y = 100 * one.coverage[points], one.accuracy[points]
            axes.plot(x, y, color=colour, linewidth=2.6 if name == POOLED else 1.4, zorder=3 if name == POOLED else 2)
            said = f"{called(name)} ({one.n:,})"
            weight = "bold" if name == POOLED else "normal"
            axes.annotate(
                said,
                (100, one.at(100)),
                (105, ends[place]),
                color=colour,
                va="center",
                annotation_clip=False,
                fontweight=weight,
                arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 0.7, "shrinkA": 1, "shrinkB": 1},
            )
        axes.set(xlim=(0, 100), ylim=(0, 1.02), xlabel="queries answered, the surest first (%)", ylabel="first place right")
        axes.grid(axis="y", color="#dddddd", linewidth=0.7)
        axes.set_title("The surer the score, the more often the first place is right", loc="left", fontsize=12)
        figure.text(0.01, 0.01, note, fontsize=8, color="#555555")
        figure.subplots_adjust(left=0.08, right=0.72, bottom=0.16, top=0.92)
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, metadata={"Date": None, "Title": "Accuracy of the first place against the share of queries answered"})
        plt.close(figure)


def main() -> None:
    """Draw, and write and print the numbers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--index", type=Path, help="folder of an index; the bundled one by default")
    parser.add_argument("--plot", type=Path, required=True, help="the SVG; the numbers go beside it as JSON")
    words = parser.parse_args()
    matcher = Matcher.load(words.index)
    found = curves(matcher, {path.name.removesuffix(".jsonl").removesuffix(".dev"): path for path in words.files})
    note = f"{matcher.index.release}. Development queries, out of fold; pooled: no file has the say of more than {MOST_SAY_OF_CALIBRATION} rows."
    draw(found, words.plot, note)
    report = {"engine": dict(matcher.engine), "scores": "out of fold", "accuracy of the first place at coverage": figures(found)}
    words.plot.with_suffix(".json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    for name, numbers in figures(found).items():
        print(name, numbers)  # noqa: T201


if __name__ == "__main__":
    main()
