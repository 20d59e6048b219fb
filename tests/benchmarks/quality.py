"""Makes the figures of ranking quality on labelled queries, and the tables of README.md and docs/quality.md from them.

    python tests/benchmarks/quality.py --index full=build/onet --index catalogue=build/index --index minilm=build/onet-minilm \
        --fitting ranker.json --accurate accurate.json --write ../shared/eval/*.dev.jsonl

An index is named NAME=DIR: ``full`` (the full release) is the one of the tables, ``catalogue`` stands beside it, ``minilm`` was made with
``--encoder minilm``. ``--accurate`` is what it printed with ``--accurate-index``. ``--fitting`` is what ``matcher train ranker`` printed: its figures are out of fold, those of the shipped ranker on the
same rows are not (it was fitted on them) and serve to notice a change only. Without ``--write`` nothing is changed. ``--tables`` writes the
tables again from ``models/ranker/figures.json``.
"""

from __future__ import annotations

import argparse
import datetime
import json
import re
import sys
from pathlib import Path
from typing import Any

from matcher import Matcher
from matcher.evaluation import LabelledQuery, baseline_ranker, matcher_ranker, read_labelled, run
from matcher.intervals import estimate, paired_difference
from matcher.ranker import EqualWeights

ROOT = Path(__file__).parents[2]
FIGURES = ROOT / "models" / "ranker" / "figures.json"
ORDER = ("esco_descriptions", "esco_titles", "h1b_titles", "ict_skill_lists", "resumes", "resume_skill_lists")


def with_equal_weights(matcher: Matcher) -> Matcher:
    """Return the same matcher with equal weights."""
    return Matcher(matcher.index, matcher.encoder, EqualWeights(), abstention=matcher.abstention)


def measure(matchers: dict[str, Matcher], rows: list[LabelledQuery]) -> dict[str, Any]:
    """Return hit@1 and hit@5 with intervals by ranker, and hit@1's paired differences to the baselines."""
    full = matchers["full"]
    rankers = {"shipped": matcher_ranker(full), "equal weights": matcher_ranker(with_equal_weights(full))}
    rankers |= {name: baseline_ranker(name, full.index) for name in ("bm25", "tfidf", "random")}
    if "catalogue" in matchers:
        rankers["catalogue"] = matcher_ranker(matchers["catalogue"])
        rankers["catalogue, equal weights"] = matcher_ranker(with_equal_weights(matchers["catalogue"]))
    if "minilm" in matchers:
        rankers["minilm, equal weights"] = matcher_ranker(matchers["minilm"])
    tables = {name: run(ranker, rows) for name, ranker in rankers.items()}
    found: dict[str, Any] = {"n": len(rows)}
    for name, table in tables.items():
        found[name] = {m: [round(v, 4) for v in (e.mean, e.low, e.high)] for m in ("hit@1", "hit@5") for e in (estimate(table[m]),)}
    for name in ("bm25", "tfidf"):
        gain = paired_difference(tables["equal weights"]["hit@1"], tables[name]["hit@1"])
        found[f"equal weights over {name}"] = [round(v, 4) for v in (gain.mean, gain.low, gain.high)]
    return found


def by_group(matcher: Matcher, other: Matcher, rows: list[LabelledQuery]) -> dict[str, list[float]]:
    """Return for each major group of a row's first label (n, hit@5 of ``matcher``, hit@5 of ``other``)."""
    groups: dict[str, list[float]] = {}
    ours, theirs = (run(matcher_ranker(m), rows)["hit@5"] for m in (matcher, other))
    for row, a, b in zip(rows, ours, theirs, strict=True):
        cell = groups.setdefault(min(row.labels)[:2], [0, 0, 0])
        cell[0] += 1
        cell[1] += a
        cell[2] += b
    return {group: [n, round(a / n, 4), round(b / n, 4)] for group, (n, a, b) in sorted(groups.items())}


def _cell(found: dict[str, Any], name: str) -> str:
    if name not in found:
        return "-"
    one, five = found[name]["hit@1"], found[name]["hit@5"]
    return f"{one[0]:.3f} ({one[1]:.2f}-{one[2]:.2f}) / {five[0]:.3f}"


def _pair(figures: dict[str, Any], name: str, label: str, mode: str = "full") -> str:
    found = figures["fitting"][mode][name][label]
    return f"{found[0]:.3f} / {found[1]:.3f}"


def tables(figures: dict[str, Any]) -> dict[str, str]:
    """Return the Markdown of each table by the name of its place."""
    sets = [name for name in ORDER if name in figures["sets"]]
    main = [
        "| queries | n | learned, out of fold | learned, without this kind | accurate mode, out of fold | equal weights | MiniLM, equal weights "
        "| BM25 | TF-IDF | chance |",
        "|---" * 10 + "|",
    ]
    parity = ["| queries | n | full release, hit@5 | catalogue, hit@5 | share |", "|---" * 5 + "|"]
    paired = ["| queries | hit@1 over BM25 | hit@1 over TF-IDF |", "|---" * 3 + "|"]
    for name in sets:
        found = figures["sets"][name]
        said = (
            name.replace("_", " ").replace("esco", "ESCO").replace("h1b", "H-1B").replace("ict", "ICT").replace("resume", "résumé")
        )
        names = ("equal weights", "minilm, equal weights", "bm25", "tfidf", "random")
        learned = [_pair(figures, name, label) for label in ("out of fold", "without this file")]
        learned.append(_pair(figures, name, "out of fold", "accurate"))
        main.append(f"| {said} | {found['n']} | " + " | ".join([*learned, *(_cell(found, n) for n in names)]) + " |")
        a, b = found["shipped"]["hit@5"], found["catalogue"]["hit@5"]
        parity.append(
            f"| {said} | {found['n']} | {a[0]:.3f} ({a[1]:.2f}-{a[2]:.2f}) | {b[0]:.3f} ({b[1]:.2f}-{b[2]:.2f}) | {b[0] / a[0]:.3f} |"
        )
        gains = [
            f"{g[0]:+.3f} ({g[1]:+.3f} to {g[2]:+.3f})" for n in ("bm25", "tfidf") for g in (found[f"equal weights over {n}"],)
        ]
        paired.append(f"| {said} | " + " | ".join(gains) + " |")
    groups = ["| major group | n | full release, hit@5 | catalogue, hit@5 |", "|---" * 4 + "|"]
    groups += [f"| {group} | {n} | {a:.3f} | {b:.3f} |" for group, (n, a, b) in figures["groups"].items()]
    measured = figures["fitting"]["calibration"]
    low, middle, top = measured["ECE of a perfect score"]
    share, right = measured["high"]
    calibration = [
        f"- Expected calibration error of first places (15 bins of equal mass, {measured['n']} rows): {measured['ECE']:.3f}; a perfectly "
        f"calibrated score would show {middle:.3f} ({low:.3f}-{top:.3f}) by chance.",
        f"- AUROC of right against wrong first places: {measured['AUROC']:.3f}; equal weights' fusion has {measured['AUROC of equal weights']:.3f}.",
        f"- `high` is said of {share:.0%} of first places; {right:.0%} of these are right.",
        "",
        "| queries | mean score minus accuracy (95 % interval) |",
        "|---|---|",
    ]
    for name in sets:
        gap = figures["fitting"]["full"][name]["mean score minus accuracy"]
        calibration.append(f"| {name.replace('_', ' ')} | {gap[0]:+.3f} ({gap[1]:+.3f} to {gap[2]:+.3f}) |")
    return {
        "calibration": "\n".join(calibration),
        "ranking": "\n".join(main),
        "parity": "\n".join(parity),
        "paired": "\n".join(paired),
        "groups": "\n".join(groups),
    }


def fill(text: str, parts: dict[str, str]) -> str:
    """Return ``text`` with each part between its markers ``<!-- name -->`` and ``<!-- /name -->``."""
    for name, part in parts.items():
        text = re.sub(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", lambda m, part=part: f"{m[1]}{part}\n{m[2]}", text, flags=re.S)  # type: ignore[misc]
    return text


def write_tables() -> None:
    """Put the tables into README.md and docs/quality.md."""
    parts = tables(json.loads(FIGURES.read_text(encoding="utf-8")))
    for path in (ROOT / "README.md", ROOT / "docs" / "quality.md"):
        path.write_text(fill(path.read_text(encoding="utf-8"), parts), encoding="utf-8")


def main() -> None:
    """Measure, print, and with ``--write`` keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--index", action="append", default=[], help="NAME=DIR")
    parser.add_argument("--fitting", type=Path, help="what `matcher train ranker` printed for the full release")
    parser.add_argument("--accurate", type=Path, help="what `matcher train ranker --accurate-index` printed")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--tables", action="store_true")
    words = parser.parse_args()
    if words.tables:
        write_tables()
        return
    matchers = {name: Matcher.load(folder) for name, _, folder in (pair.partition("=") for pair in words.index)}
    named = {path.name.removesuffix(".dev.jsonl"): read_labelled(path) for path in words.files}
    figures: dict[str, Any] = {"date": datetime.date.today().isoformat(), "engine": dict(matchers["full"].engine), "sets": {}}
    for name, rows in named.items():
        figures["sets"][name] = measure(matchers, rows)
        print(name, {k: v["hit@1"][0] for k, v in figures["sets"][name].items() if isinstance(v, dict)}, file=sys.stderr)  # noqa: T201
    everything = [row for rows in named.values() for row in rows]
    figures["groups"] = by_group(matchers["full"], matchers["catalogue"], everything)
    fitting = json.loads(words.fitting.read_text(encoding="utf-8"))
    slower = json.loads(words.accurate.read_text(encoding="utf-8"))
    release = matchers["full"].index.release
    figures["fitting"] = {
        mode: {name.removesuffix(".dev.jsonl"): v for name, v in found["indexes"][release].items()}
        for mode, found in (("full", fitting), ("accurate", slower))
    }
    figures["fitting"] |= {"calibration": fitting["calibration"], "calibration of accurate": slower["calibration"]}
    print(tables(figures)["ranking"])  # noqa: T201
    if words.write:
        FIGURES.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
        write_tables()


if __name__ == "__main__":
    main()
