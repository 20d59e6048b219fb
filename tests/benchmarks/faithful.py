"""Measures whether evidence is what ranked: removal of it, statements added in other words, and pairs judged by a reader.

    python tests/benchmarks/faithful.py removal --index INDEX ../shared/eval/resumes.dev.jsonl ../shared/eval/esco_descriptions.dev.jsonl
    python tests/benchmarks/faithful.py paraphrases ../shared/eval/resumes.dev.jsonl
    python tests/benchmarks/faithful.py sheet --index INDEX --minilm MINILM_INDEX --out FOLDER ../shared/eval/resumes.dev.jsonl
    python tests/benchmarks/faithful.py verdicts --out FOLDER

``removal`` deletes the phrases of an occupation's first three pairs (wherever they stand in the query), ranks again and compares; beside
it three other phrases of about the same length, drawn five times. ``paraphrases`` adds statements of the bundled catalogue in other
words (tests/fixtures/paraphrases.jsonl, invented) to résumés for which their occupation ranks 2nd to 20th. ``sheet`` writes pairs of ours
and of plain MiniLM, shuffled, without saying whose they are; ``verdicts`` reads ``verdicts.txt`` (a number and same, related or wrong, one
pair a line) and the key. What is written there holds texts of résumés and stays out of the repository. docs/evidence.md has the rubric.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from matcher import Matcher
from matcher.contributions import Seen, by_phrase
from matcher.evaluation import LabelledQuery, read_labelled
from matcher.explain import evidence
from matcher.given import Given
from matcher.index import OccupationIndex, similarities
from matcher.match import read_inputs
from matcher.ranker import Ranking
from matcher.records import Evidence, Kind, Query
from matcher.signals import QueryVectors, query_vectors
from matcher.whatif import Trial, added_phrase

PAIRS, DRAWS, NEAREST = 3, 5, 5
PARAPHRASES = Path(__file__).parents[1] / "fixtures" / "paraphrases.jsonl"
Select = Callable[[OccupationIndex, QueryVectors, list[int], npt.NDArray[np.float64]], list[tuple[Evidence, ...]]]


def by_similarity(
    index: OccupationIndex, query: QueryVectors, rows: list[int], shares: npt.NDArray[np.float64]
) -> list[tuple[Evidence, ...]]:
    """Return the evidence there would be if every phrase contributed the same: the nearest pairs above the floors."""
    return evidence(index, query, rows, np.ones_like(shares))


SELECTIONS: dict[str, Select] = {"by contribution and similarity": evidence, "by similarity alone": by_similarity}


@dataclass(frozen=True, slots=True)
class Removed:
    """One case: how much the fusion and the score fell without its evidence (2,), and without other phrases, on average (2,)."""

    row: str
    first: bool
    drop: npt.NDArray[np.float64]
    others: npt.NDArray[np.float64]


def say(text: str, end: str = "\n") -> None:
    """Print a line, or a part of one."""
    print(text, end=end, flush=True)  # noqa: T201


def _query(row: LabelledQuery) -> Query:
    return read_inputs(text=row.text, skills=row.skills, title=row.title)


def _value(ranking: Ranking) -> npt.NDArray[np.float64]:
    return np.array([ranking.fusion[0], np.nan if ranking.score is None else ranking.score[0]])


def _without(given: Given, texts: set[str]) -> QueryVectors | None:
    """Return the query without the phrases that have one of ``texts``; None where nothing would be left."""
    kept = [i for i, phrase in enumerate(given.query.phrases) if phrase.text.casefold() not in texts]
    if not kept:
        return None
    query = replace(given.query, phrases=tuple(given.query.phrases[i] for i in kept))
    return query_vectors(query, given.encoded[kept])


def removals(
    matcher: Matcher, row: LabelledQuery, selections: dict[str, Select], random: np.random.Generator
) -> dict[str, list[Removed]]:
    """Return, by way of selection, the cases of one row: the first occupation, and the right one where it is among the first ten."""
    query = _query(row)
    found: dict[str, list[Removed]] = {name: [] for name in selections}
    if query.reasons or len({p.text.casefold() for p in query.phrases}) <= PAIRS:
        return found
    given, seen = Given.of(matcher, query), Seen()
    ranking = matcher.ranker.rank(matcher.index, given.vectors, best=seen)
    codes = [matcher.index.entries[r].code for r in ranking.rows[:10].tolist()]
    targets = {0} | {place for place, code in enumerate(codes) if code in row.labels}
    trial = Trial(given)
    shares = by_phrase(matcher.index, given.vectors, ranking, seen, len(codes))
    lengths = {phrase.text.casefold(): len(phrase.text) for phrase in query.phrases}
    for name, select in selections.items():
        for place in sorted(targets):
            target = int(ranking.rows[place])
            pairs = select(matcher.index, given.vectors, [target], shares[place : place + 1])[0][:PAIRS]
            taken = [pair.phrase.text.casefold() for pair in pairs]
            before = np.array([ranking.fusion[place], np.nan if ranking.score is None else ranking.score[place]])
            less = _without(given, set(taken))
            if len(taken) < PAIRS or less is None:
                continue
            drop = before - _value(trial.alone(target, less))
            others = []
            for _ in range(DRAWS):
                drawn: set[str] = set()
                for text in taken:
                    rest = sorted(set(lengths) - set(taken) - drawn, key=lambda t: (abs(lengths[t] - lengths[text]), t))[:NEAREST]
                    if rest:
                        drawn.add(rest[int(random.integers(len(rest)))])
                left = _without(given, drawn)
                if left is not None and len(drawn) == PAIRS:
                    others.append(before - _value(trial.alone(target, left)))
            mean = np.mean(others, axis=0) if others else np.full(2, np.nan)
            found[name].append(Removed(row.id, place == 0, drop, mean))
    return found


def _interval(hits: int, n: int) -> str:
    """Return a share with its 95 % interval (Wilson, 1927)."""
    if n == 0:
        return "no cases"
    z, share = 1.96, hits / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return f"{share:.3f} [{middle - half:.3f}, {middle + half:.3f}] of {n}"


def _bootstrapped(cases: Sequence[Removed], statistic: Callable[[npt.NDArray[np.int64]], float]) -> str:
    """Return a statistic of the places of cases, and its 95 % interval over resampled rows."""
    ids = {row: i for i, row in enumerate(dict.fromkeys(case.row for case in cases))}
    of = [np.flatnonzero([ids[case.row] == i for case in cases]) for i in range(len(ids))]
    random = np.random.default_rng(0)
    drawn = [statistic(np.concatenate([of[i] for i in random.integers(len(of), size=len(of))])) for _ in range(2000)]
    low, high = np.quantile(drawn, (0.025, 0.975))
    return f"{statistic(np.arange(len(cases))):.3f} [{low:.3f}, {high:.3f}]"


def removal(matcher: Matcher, files: Iterable[Path]) -> None:
    """Print, by file and by way of selection, what removing evidence does."""
    for file in files:
        random = np.random.default_rng(7)
        rows = read_labelled(file)
        cases: dict[str, list[Removed]] = {name: [] for name in SELECTIONS}
        for row in rows:
            for name, found in removals(matcher, row, SELECTIONS, random).items():
                cases[name].extend(found)
        for name, found in cases.items():
            usable = [case for case in found if not np.isnan(case.others).any()]
            say(f"{file.name}, {name}: {len({c.row for c in found})} of {len(rows)} rows have {PAIRS} pairs")
            for which, part in (
                ("first", [c for c in found if c.first]),
                ("right, in the first ten", [c for c in found if not c.first]),
            ):
                for place, value in enumerate(("fusion", "score")):
                    say(f"  {which}: {value} lower in {_interval(sum(bool(c.drop[place] > 0) for c in part), len(part))}")
            if not usable:
                continue
            for place, value in enumerate(("fusion", "score")):
                drop, others = (np.array([getattr(c, what)[place] for c in usable]) for what in ("drop", "others"))
                say(f"  {value}: mean drop {_bootstrapped(usable, lambda at, x=drop: float(x[at].mean()))}, ", end="")
                say(f"without other phrases {_bootstrapped(usable, lambda at, x=others: float(x[at].mean()))}, ", end="")
                ratio = _bootstrapped(usable, lambda at, x=drop, y=others: float(x[at].mean() / np.abs(y[at]).mean()))
                say(f"times the mean size of a change without others {ratio}; ", end="")
                say(f"more than others in {_interval(int((drop > others).sum()), len(drop))}")


def paraphrases(matcher: Matcher, files: Iterable[Path]) -> None:
    """Print how often a statement in other words raises the score of its occupation, for queries that rank it 2nd to 20th."""
    lines = [json.loads(line) for line in PARAPHRASES.read_text(encoding="utf-8").splitlines()]
    wanted: dict[int, list[dict[str, str]]] = {}
    for line in lines:
        row = matcher.index.row_of[line["code"]]
        first, last = matcher.index.group(Kind.TASK, row)
        if line["id"] not in {matcher.index.ids[i] for i in range(first, last)}:
            raise SystemExit(f"{line['code']} has no task {line['id']}: expected the bundled catalogue")
        wanted.setdefault(row, []).append(line)
    found: dict[str, list[tuple[bool, bool, bool]]] = {line["text"]: [] for line in lines}
    for labelled in (row for file in files for row in read_labelled(file)):
        query = _query(labelled)
        if query.reasons:
            continue
        trial = Trial(Given.of(matcher, query))
        for place, row in enumerate(trial.before.rows[1:20].tolist(), 1):
            for line in wanted.get(row, ()):
                if len(found[line["text"]]) >= 5:
                    continue
                phrase = added_phrase(line["text"], query)
                after = trial.rank(trial.changed((), (phrase,), matcher.encoder.encode([phrase.text])))
                now = np.flatnonzero(after.rows == row)
                if len(now) == 0:
                    found[line["text"]].append((False, False, False))
                    continue
                score = (
                    trial.before.score is not None and after.score is not None and after.score[now[0]] > trial.before.score[place]
                )
                found[line["text"]].append(
                    (bool(score), bool(after.fusion[now[0]] > trial.before.fusion[place]), bool(now[0] < place))
                )
    cases = [case for tried in found.values() for case in tried]
    say(
        f"{len(cases)} additions of {sum(bool(tried) for tried in found.values())} paraphrases (of {len(lines)}), at most 5 queries each"
    )
    for place, name in enumerate(("score higher", "fusion higher", "rank better")):
        say(f"  {name} in {_interval(sum(case[place] for case in cases), len(cases))}")


RUBRIC = ("same", "related", "wrong")


def sheet(matcher: Matcher, files: Iterable[Path], minilm: Path, out: Path, *, rows: int = 100, pairs: int = 2) -> None:
    """Write ``sheet.txt`` (pairs, shuffled) and ``key.json`` (whose each is) to ``out``."""
    second = Matcher.load(minilm)
    random = np.random.default_rng(11)
    labelled = [row for file in files for row in read_labelled(file)]
    found: dict[tuple[str, str, str, str], list[str]] = {}
    taken = 0
    for number in random.permutation(len(labelled)).tolist():
        query = _query(labelled[number])
        if query.reasons or taken == rows:
            continue
        taken += 1
        first = matcher.match_query(query, top=1)[0]
        ours = [(first.title, str(pair.kind), pair.phrase.text, pair.statement) for pair in first.evidence[:pairs]]
        theirs = [(first.title, *pair) for pair in _plain_pairs(second, query, first.code, pairs)]
        for system, chosen in (("ours", ours), ("minilm", theirs)):
            for pair in chosen:
                found.setdefault(pair, []).append(f"{system} {labelled[number].id}")
    order = list(found)
    random.shuffle(order)
    out.mkdir(parents=True, exist_ok=True)
    lines = [f"{i}\t[{title}] {phrase}\t-> {statement}" for i, (title, _, phrase, statement) in enumerate(order)]
    (out / "sheet.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    key = [{"kind": pair[1], "of": found[pair]} for pair in order]
    (out / "key.json").write_text(json.dumps(key), encoding="utf-8")


def _plain_pairs(second: Matcher, query: Query, code: str, most: int) -> list[tuple[str, str, str]]:
    """Return the pairs of a phrase and a task or activity that are nearest by another encoder: (kind, phrase, statement)."""
    given, index = Given.of(second, query), second.index
    statements = [(kind, i) for kind in (Kind.TASK, Kind.ACTIVITY) for i in range(*index.group(kind, index.row_of[code]))]
    cosines = similarities(index.vectors.rows(index.text_of[[i for _, i in statements]]), given.vectors.vectors)
    chosen: list[tuple[str, str, str]] = []
    for place in np.argsort(-cosines, axis=None, kind="stable").tolist():
        kind, statement = statements[place // len(given.vectors)]
        pair = str(kind), given.query.phrases[place % len(given.vectors)].text, index.texts[int(index.text_of[statement])]
        if all(pair[1].casefold() != p[1].casefold() and pair[2] != p[2] for p in chosen):
            chosen.append(pair)
        if len(chosen) == most:
            break
    return chosen


def verdicts(out: Path) -> None:
    """Print the verdicts by system."""
    key = json.loads((out / "key.json").read_text(encoding="utf-8"))
    given: dict[int, str] = {}
    for line in (out / "verdicts.txt").read_text(encoding="utf-8").splitlines():
        number, verdict = line.split()
        if verdict not in RUBRIC:
            raise SystemExit(f"verdict {number}: {verdict!r}, expected one of {', '.join(RUBRIC)}")
        given[int(number)] = verdict
    if len(given) != len(key):
        raise SystemExit(f"{len(given)} verdicts, expected {len(key)}")
    judged = [(of.split()[0], entry["kind"], given[i]) for i, entry in enumerate(key) for of in entry["of"]]
    for name, part in (
        ("ours", [v for system, _, v in judged if system == "ours"]),
        ("ours, duties only", [v for system, kind, v in judged if system == "ours" and kind in ("task", "activity")]),
        ("plain MiniLM", [v for system, _, v in judged if system == "minilm"]),
    ):
        say(f"{name}: same or related {_interval(sum(v != 'wrong' for v in part), len(part))}; ", end="")
        say(", ".join(f"{verdict} {part.count(verdict)}" for verdict in RUBRIC))


def main() -> None:
    """Run one of the measurements."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("removal", "paraphrases", "sheet", "verdicts"))
    parser.add_argument("files", type=Path, nargs="*")
    parser.add_argument("--index", type=Path)
    parser.add_argument("--minilm", type=Path, help="an index that MiniLM made")
    parser.add_argument("--out", type=Path, help="a folder outside the repository")
    options = parser.parse_intermixed_args()
    if options.what == "verdicts":
        return verdicts(options.out)
    matcher = Matcher.load(options.index)
    say(f"{matcher.engine['release']}, {matcher.ranker.name}, {matcher.engine['encoder']}")
    if options.what == "removal":
        return removal(matcher, options.files)
    if options.what == "paraphrases":
        return paraphrases(matcher, options.files)
    return sheet(matcher, options.files, options.minilm, options.out)


if __name__ == "__main__":
    main()
