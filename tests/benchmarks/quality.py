"""Makes the table of ranking quality on labelled queries: encoders side by side with BM25, TF-IDF and chance, as Markdown and JSON.

    python tests/benchmarks/quality.py --index default=build/onet --index minilm=build/onet-minilm ../shared/eval/*.dev.jsonl

An index is named NAME=DIR; the name ``minilm`` (or a path) is also the encoder, any other name means the shipped one.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from matcher import Matcher
from matcher.evaluation import baseline_ranker, estimate, matcher_ranker, paired_difference, read_labelled, run


def main() -> None:
    """Print the table; with ``--json FILE`` also write every figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--index", action="append", required=True, help="NAME=DIR")
    parser.add_argument("--json", type=Path)
    words = parser.parse_args()
    matchers = {}
    for pair in words.index:
        name, _, folder = pair.partition("=")
        matchers[name] = Matcher.load(folder, encoder="minilm" if name == "minilm" else None)
    first = next(iter(matchers.values()))
    report: dict[str, dict[str, dict[str, object]]] = {}
    lines = ["| queries | n | " + " | ".join([*matchers, "BM25", "TF-IDF", "chance"]) + " |", "|---" * (len(matchers) + 5) + "|"]
    for path in words.files:
        rows = read_labelled(path)
        rankers = {name: matcher_ranker(m) for name, m in matchers.items()}
        rankers |= {name: baseline_ranker(name, first.index) for name in ("bm25", "tfidf", "random")}
        cells = []
        tables = {}
        for name, ranker in rankers.items():
            tables[name] = run(ranker, rows)
            found = {measure: estimate(values) for measure, values in tables[name].items()}
            report.setdefault(path.stem, {})[name] = {m: [round(v, 4) for v in (e.mean, e.low, e.high)] for m, e in found.items()}
            one = found["hit@1"]
            cells.append(f"{one.mean:.3f} ({one.low:.2f}-{one.high:.2f}) / {found['hit@5'].mean:.3f}")
            print(path.stem, name, cells[-1], file=sys.stderr, flush=True)  # noqa: T201
        for name in ("bm25", "tfidf"):
            gain = paired_difference(tables[next(iter(matchers))]["hit@1"], tables[name]["hit@1"])
            report[path.stem][f"gain over {name}"] = {"hit@1": [round(v, 4) for v in (gain.mean, gain.low, gain.high)]}
        lines.append(f"| {path.stem.removesuffix('.dev').replace('_', ' ')} | {len(rows)} | " + " | ".join(cells) + " |")
    print("\n".join(lines))  # noqa: T201
    if words.json:
        words.json.write_text(json.dumps({"engine": dict(first.engine), "figures": report}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
