"""Measures what a change costs after the first match, and what advice costs, in milliseconds (wall, and of the processor).

    OPENBLAS_NUM_THREADS=1 python tests/benchmarks/whatif.py --index build/onet ../shared/eval/resumes.dev.jsonl

One résumé in four, each change the best of five runs, for other work on the machine slows single ones. "first" is encoding, ranking and remembering; "change" adds a line and a skill, or takes a line away; a ranker that does not take
``best`` compares everything anew, and the first line says so.
"""

from __future__ import annotations

import argparse
import inspect
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from matcher import Matcher
from matcher.evaluation import read_labelled
from matcher.gaps import gaps_of
from matcher.given import Given
from matcher.match import read_inputs
from matcher.moves import moves
from matcher.whatif import Trial, best_additions, opens_most, what_if

ADDED = ("Python", "Led five people who moved a customer database to another supplier")


def main() -> None:
    """Print medians and 90th percentiles."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--index", type=Path)
    options = parser.parse_args()
    matcher = Matcher.load(options.index)
    remembers = "best" in inspect.signature(matcher.ranker.rank).parameters
    print(f"{matcher.engine['release']}, {matcher.ranker.name}, {'remembers' if remembers else 'compares everything anew'}")  # noqa: T201
    times: dict[str, list[tuple[float, float]]] = {}

    def timed(name: str, work: Callable[[], Any], *, repeats: int = 1) -> Any:
        tried = []
        for _ in range(repeats):
            wall, processor = time.perf_counter(), time.process_time()
            result = work()
            tried.append((time.perf_counter() - wall, time.process_time() - processor))
        times.setdefault(name, []).append(min(tried))
        return result

    for number, row in enumerate(read_labelled(options.file)[::4]):
        query = read_inputs(text=row.text)
        if query.reasons:
            continue
        trial = timed("first", lambda query=query: Trial(Given.of(matcher, query)))
        timed("change", lambda trial=trial: what_if(trial, add=ADDED), repeats=5)
        timed("change", lambda trial=trial: what_if(trial, remove=[trial.given.query.phrases[0].text]), repeats=5)
        code = next(matcher.index.entries[r].code for r in trial.before.rows[3:].tolist() if matcher.index.entries[r].has_tasks)
        timed("gaps", lambda trial=trial, code=code: gaps_of(trial.given, code))
        if number % 4 == 0:
            timed("best additions", lambda trial=trial, code=code: best_additions(trial, code))
            timed("opens most", lambda trial=trial: opens_most(trial))
            timed("moves", lambda trial=trial: moves(trial.given))
    for name, pairs in times.items():
        wall, processor = (np.array([pair[i] for pair in pairs]) * 1e3 for i in (0, 1))
        figures = [f"median {np.median(x):.1f}, 90 % below {np.quantile(x, 0.9):.1f}" for x in (wall, processor)]
        print(f"{name} ({len(pairs)}): wall {figures[0]}; processor {figures[1]} ms")  # noqa: T201


if __name__ == "__main__":
    main()
