"""Times the building and the loading of an index, and a match, in a fresh process each, with the peak of memory.

python tests/benchmarks/index.py --onet ../shared/onet/30.1
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

BUILD = """
import json, resource, sys, time
from pathlib import Path
start = time.perf_counter()
from matcher.onet import read_release
release = read_release(sys.argv[1])
read = time.perf_counter()
from matcher.encoder import StaticEncoder
from matcher.index import build_index
from matcher.resources import encoder_path
build_index(release, StaticEncoder.load(encoder_path()), Path(sys.argv[2]))
done = time.perf_counter()
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"read_s": read - start, "build_s": done - read, "total_s": done - start, "peak_mb": peak}))
"""
LOAD = """
import json, resource, sys, time
start = time.perf_counter()
from matcher.match import Matcher
imported = time.perf_counter()
from matcher.encoder import StaticEncoder
from matcher.index import OccupationIndex
from matcher.resources import encoder_path
encoder = StaticEncoder.load(encoder_path())
encoded = time.perf_counter()
index = OccupationIndex.load(sys.argv[2])
loaded = time.perf_counter()
m = Matcher(index, encoder)
text = open(sys.argv[3], encoding="utf-8").read()
m.match(text)
times = []
for _ in range(50):
    before = time.perf_counter()
    m.match(text)
    times.append(time.perf_counter() - before)
times.sort()
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"import_s": imported - start, "encoder_s": encoded - imported, "index_s": loaded - encoded,
                  "match_p50_ms": 1000 * times[25], "match_p99_ms": 1000 * times[-1], "peak_mb": peak}))
"""


def main() -> None:
    """Print one JSON document: medians of three rounds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--onet", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=3)
    words = parser.parse_args()
    example = Path(__file__).parents[2] / "data" / "examples" / "resume.txt"
    found: dict[str, list[float]] = {}
    for _ in range(words.rounds):
        with tempfile.TemporaryDirectory() as folder:
            for code in (BUILD, LOAD):
                done = subprocess.run(
                    [sys.executable, "-c", code, str(words.onet), folder, str(example)], capture_output=True, text=True, check=True
                )
                for name, value in json.loads(done.stdout).items():
                    found.setdefault(f"{'build' if code is BUILD else 'load'}.{name}", []).append(value)
    print(json.dumps({name: round(sorted(values)[len(values) // 2], 3) for name, values in found.items()}, indent=1))  # noqa: T201


if __name__ == "__main__":
    main()
