"""Times batches of many made rows: engines, workers, memory, skew; and, from these, what 10^8 rows would take.

    python tests/benchmarks/million.py --resumes ../shared/eval/resumes.dev.jsonl --index build/onet --rows 1000000 --engine ray --workers 2
    python tests/benchmarks/million.py --resumes ../shared/eval/resumes.dev.jsonl --index build/onet --compare --rows 400 --write

The rows are made from the résumés of ``--resumes`` (JSON Lines with ``text``) by recombination: each takes its lines from two of them, and no
two rows are the same. They are written to a temporary folder as Parquet and removed with it; nothing of them is kept. ``--compare`` runs
local and Ray, with 1 and 2 workers, in turns, from the start of the command to its end, at a fixed size and at a tenth of it, so that start
and rate come apart. ``--write`` puts the table into docs/scale.md. Without ``--compare`` one batch runs, in full.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from quality import fill

ROOT = Path(__file__).parents[2]
FILE_ROWS = 50_000
GROUP_ROWS = 5_000


def made(resumes: Path, rows: int) -> Iterator[dict[str, str]]:
    """Yield rows: the first part of one résumé's lines and the last part of another's, each cut where a seeded draw says."""
    with resumes.open(encoding="utf-8") as handle:
        texts = [json.loads(line)["text"].splitlines() for line in handle if line.strip()]
    draws = random.Random(0)
    for number in range(rows):
        one, other = draws.choice(texts), draws.choice(texts)
        lines = one[: draws.randint(1, len(one))] + other[draws.randint(0, len(other) - 1) :]
        yield {"id": f"{number:09d}", "text": "\n".join([*lines, f"Reference {number}"])}


def write_rows(folder: Path, resumes: Path, rows: int) -> int:
    """Write rows as Parquet files, in row groups of a part's size, and return the bytes of their texts."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.mkdir()
    schema, size, writer, group = pa.schema([("id", pa.string()), ("text", pa.string())]), 0, None, list[dict[str, str]]()
    for number, row in enumerate(made(resumes, rows)):
        if number % FILE_ROWS == 0:
            writer = pq.ParquetWriter(folder / f"rows-{number:09d}.parquet", schema)
        group.append(row)
        size += len(row["text"].encode())
        if len(group) == GROUP_ROWS or number == rows - 1:
            assert writer is not None
            writer.write_table(pa.Table.from_pylist(group, schema=schema))
            group = []
        if (number + 1) % FILE_ROWS == 0 or number == rows - 1:
            assert writer is not None
            writer.close()
    return size


class Watch:
    """Sees, four times a second, the memory of a process and of those below it."""

    def __init__(self, root: int) -> None:
        self._root, self._done = root, threading.Event()
        #: The most, in MB: of all together, of what only they hold, and of one worker.
        self.peak = {"all": 0.0, "private": 0.0, "worker": 0.0, "worker_private": 0.0}
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._done.wait(0.25):
            seen = [one for pid in _below(self._root) if (one := _memory(pid))]
            if not seen:
                continue
            workers = [one for one in seen if one[2]]
            found = {
                "all": sum(one[0] for one in seen),
                "private": sum(one[1] for one in seen),
                "worker": max((one[0] for one in workers), default=0.0),
                "worker_private": max((one[1] for one in workers), default=0.0),
            }
            self.peak = {name: max(self.peak[name], value) for name, value in found.items()}

    def stop(self) -> dict[str, int]:
        """Return the peaks in MB."""
        self._done.set()
        self._thread.join()
        return {name: round(value) for name, value in self.peak.items()}


def _below(root: int) -> list[int]:
    found, queue = [], [root]
    while queue:
        pid = queue.pop()
        found.append(pid)
        try:
            queue += [int(n) for task in Path(f"/proc/{pid}/task").iterdir() for n in (task / "children").read_text().split()]
        except OSError:
            continue
    return found


def _memory(pid: int) -> tuple[float, float, bool] | None:
    """Return resident and private MB of a process, and whether it is one that matches."""
    try:
        rollup = dict(line.split()[:2] for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:])
        words = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return None
    private = (int(rollup["Private_Clean:"]) + int(rollup["Private_Dirty:"])) / 1024
    works = words.startswith(b"ray::Worker") or b"matcher.batch_workers" in words or (b"matcher.cli" in words and pid == _ROOT[0])
    return int(rollup["Rss:"]) / 1024, private, works


#: The process whose own memory counts as a worker's: of a batch without workers.
_ROOT = [0]


def run(words: argparse.Namespace, engine: str, workers: int, source: Path, rows: int) -> dict[str, Any]:
    """Run one batch in a fresh process and return its figures."""
    with tempfile.TemporaryDirectory(dir=words.scratch) as folder:
        out = Path(folder) / ("out" if engine == "ray" else "out.parquet")
        command = [sys.executable, "-m", "matcher.cli", "batch", str(source), str(out), "--index", str(words.index)]
        command += ["--engine", engine, "--workers", str(workers), "--top", "5"]
        if engine == "ray":
            command += ["--part-rows", str(min(GROUP_ROWS, max(10, rows // (8 * workers))))]
        started = time.perf_counter()
        child = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
        _ROOT[0] = child.pid if workers == 1 and engine == "local" else 0
        watch = Watch(child.pid)
        _, told = child.communicate()
        seconds = time.perf_counter() - started
        memory = watch.stop()
        if child.returncode:
            raise SystemExit(f"{engine} with {workers}: {told.strip().splitlines()[-1]}")
        found: dict[str, Any] = {
            "engine": engine, "workers": workers, "rows": rows, "seconds": round(seconds, 2), "rows_per_s": round(rows / seconds, 1),
            "memory_mb": memory, "digest": told.strip().splitlines()[-1].split()[-1],
        }  # fmt: skip
        if engine == "ray":
            parts = [part["seconds"] for part in json.loads((out / "_manifest.json").read_text())["parts"]]
            middle = sorted(parts)[len(parts) // 2]
            found["skew"] = {"parts": len(parts), "slowest over median": round(max(parts) / middle, 2)}
        return found


def compare(words: argparse.Namespace) -> dict[str, Any]:
    """Run every engine with 1 and 2 workers in turns at two sizes; start and rate are those of the line through the medians."""
    small, large = max(10, words.rows // 10), words.rows
    figures: dict[str, Any] = {
        "date": datetime.date.today().isoformat(),
        "load": round(os.getloadavg()[1], 1),
        "rows": [small, large],
        "ways": {},
    }
    with tempfile.TemporaryDirectory(dir=words.scratch) as folder:
        for size in (small, large):
            figures["bytes_a_row"] = round(write_rows(Path(folder) / str(size), words.resumes, size) / size)
        ways = [(engine, workers) for engine in ("local", "ray") for workers in (1, 2)]
        runs: dict[tuple[str, int, int], list[dict[str, Any]]] = {}
        for turn in range(words.rounds):
            for engine, workers in ways[turn % 4 :] + ways[: turn % 4]:
                for size in (small, large):
                    found = run(words, engine, workers, Path(folder) / str(size), size)
                    runs.setdefault((engine, workers, size), []).append(found)
                    _say(json.dumps(found))
    for size in (small, large):
        if len({one["digest"] for (_, _, of), found in runs.items() if of == size for one in found}) != 1:
            raise SystemExit("the engines' rows differ")
    for engine, workers in ways:
        low, high = (_median([one["seconds"] for one in runs[engine, workers, size]]) for size in (small, large))
        rate = (large - small) / max(high - low, 1e-9)
        last = runs[engine, workers, large][-1]
        figures["ways"][f"{engine}, {workers}"] = {
            "start_s": round(max(0.0, low - small / rate), 1), "rows_per_s": round(rate, 1), "memory_mb": last["memory_mb"], "skew": last.get("skew"),
        }  # fmt: skip
    return figures


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


def table(figures: dict[str, Any]) -> str:
    """Return the Markdown of a comparison."""
    ways = figures["ways"]
    lines = [
        "| engine, workers | start s | rows/s after it | times 1 worker | MB of a worker (its own) | MB of all together, own |",
        "|---" * 6 + "|",
    ]
    for name, one in ways.items():
        times = one["rows_per_s"] / ways[f"{name.split(',')[0]}, 1"]["rows_per_s"]
        memory = one["memory_mb"]
        lines.append(
            f"| {name} | {one['start_s']} | {one['rows_per_s']} | {times:.2f} | {memory['worker']} ({memory['worker_private']}) | {memory['private']} |"
        )
    local, ray = ways["local, 2"], ways["ray, 2"]
    gain = 1 / local["rows_per_s"] - 1 / ray["rows_per_s"]
    meet = (
        f"{(ray['start_s'] - local['start_s']) / gain:,.0f} rows" if gain > 0 and ray["start_s"] > local["start_s"] else "no size"
    )
    rate = ray["rows_per_s"] / 2
    lines += [
        "",
        f"{figures['date']}, load average {figures['load']}, {figures['rows'][1]} rows of {figures['bytes_a_row']} bytes; the digests of all are equal. "
        f"On one machine with 2 workers Ray catches up at {meet}.",
        "",
        f"10^8 such rows at {rate:.0f} rows/s a worker: {1e8 / rate / 3600:,.0f} core-hours, {1e8 / rate / 3600 / 500:.1f} hours on 500 cores; "
        f"{1e8 * figures['bytes_a_row'] / 1e9:,.0f} GB of text; 20,000 parts of 5,000 rows, {5000 / rate:.0f} s each.",
    ]
    return "\n".join(lines)


def _say(line: str) -> None:
    print(line, file=sys.stderr)  # noqa: T201


def main() -> None:
    """Measure and print JSON; with ``--compare --write`` put the table into docs/scale.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--resumes", type=Path, required=True)
    parser.add_argument("--index", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--engine", choices=("local", "ray"), default="ray")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--compare", action="store_true")
    parser.add_argument("--scratch", type=Path, help="where the rows are for the time of the run")
    parser.add_argument("--write", action="store_true")
    words = parser.parse_args()
    words.resumes, words.index = words.resumes.absolute(), words.index.absolute()
    if words.compare:
        figures = compare(words)
        text = table(figures)
        print(json.dumps(figures, indent=1))  # noqa: T201
        print(text)  # noqa: T201
        if words.write:
            page = ROOT / "docs" / "scale.md"
            page.write_text(fill(page.read_text(encoding="utf-8"), {"scale": text}), encoding="utf-8")
        return
    with tempfile.TemporaryDirectory(dir=words.scratch) as folder:
        size = write_rows(Path(folder) / "in", words.resumes, words.rows)
        found = run(words, words.engine, words.workers, Path(folder) / "in", words.rows)
    print(json.dumps({**found, "bytes_a_row": round(size / words.rows), "load": round(os.getloadavg()[1], 1)}, indent=1))  # noqa: T201


if __name__ == "__main__":
    main()
