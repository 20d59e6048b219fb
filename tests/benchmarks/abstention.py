"""Measures abstention: which non-résumés are refused, which real queries are, and risk against coverage; fits its model.

    python tests/benchmarks/abstention.py --index build/index --eval ../shared/eval
    python tests/benchmarks/abstention.py --index build/onet --eval ../shared/eval --fit models/abstention.json

Refused means the status ``insufficient``. Intervals are Wilson's, 95 %. ``--json FILE`` writes every figure and, from the labelled files,
the risk-coverage curves: of the queries answered with most confidence, the share without a hit among the first and the first five.
``--fit`` (needs scikit-learn and the ``*.train`` rows) makes the model anew for the encoder of the index, and prints what it refuses of
queries that it has not seen: non-résumés with their whole kind left out, and in five folds.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from matcher import Matcher
from matcher.abstention import FEATURES, Abstention, unknown_share
from matcher.evaluation import estimate, matcher_ranker, measures_of, read_labelled
from matcher.index import KINDS
from matcher.match import Matches, read_inputs
from matcher.records import Kind, Query
from matcher.signals import COARSE, FINE, candidates, coarse_columns, fine_columns, query_vectors, standardise

FIXTURES = Path(__file__).parents[1] / "fixtures"
Row = dict[str, Any]
Floats = npt.NDArray[np.float64]


def rows_of(path: Path) -> list[Row]:
    """Return the rows of a JSON Lines file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def inputs_of(row: Row) -> Row:
    """Return what of a row is a query."""
    return {name: row[name] for name in ("text", "skills", "title") if row.get(name) is not None}


def fragments(rows: Sequence[Row], draws: random.Random) -> list[Row]:
    """Return one, three and six neighbouring duties of each résumé, without anything else of it."""
    found = []
    for row in rows:
        duties = [
            p.text for p in read_inputs(text=row["text"]).phrases if p.role in ("duty", "summary") and len(p.text.split()) >= 6
        ]
        for count in (1, 3, 6):
            if len(duties) >= count:
                first = draws.randrange(len(duties) - count + 1)
                text = "\n".join(duty.rstrip(".") + "." for duty in duties[first : first + count])
                found.append({"id": row["id"], "text": text})
    return found


def populations(folder: Path, draws: random.Random) -> dict[str, list[Row]]:
    """Return the real queries that should be answered, by kind."""
    resumes = rows_of(folder / "resumes.dev.jsonl")
    lists = rows_of(folder / "resume_skill_lists.dev.jsonl")
    titles = rows_of(folder / "h1b_titles.dev.jsonl")
    return {
        "résumés": resumes,
        "titles, H-1B": titles,
        "titles, ESCO": rows_of(folder / "esco_titles.dev.jsonl"),
        "skill lists": lists,
        "ICT skill lists": rows_of(folder / "ict_skill_lists.dev.jsonl"),
        "ESCO descriptions": rows_of(folder / "esco_descriptions.dev.jsonl"),
        "1, 3 or 6 duties of a résumé, nothing else": fragments(resumes, draws),
        "skill lists as a text": [{"id": r["id"], "text": ", ".join(r["skills"])} for r in lists],
        "titles as a text, H-1B": [{"id": r["id"], "text": r["title"]} for r in titles],
        "plain sentences (our own)": rows_of(FIXTURES / "plain_words.jsonl"),
    }


def cell(values: Sequence[float]) -> str:
    """Return a share with its interval."""
    found = estimate(values)
    return f"{int(sum(values))}/{found.n}  {found.mean:.3f} ({found.low:.3f}-{found.high:.3f})"


def refused(matcher: Matcher, rows: Sequence[Row]) -> list[float]:
    """Return 1 for each row without a ranking, else 0."""
    return [float(matcher.match(**inputs_of(row), top=1, explain=False).status == "insufficient") for row in rows]


def curve(matcher: Matcher, path: Path) -> dict[str, Any]:
    """Return risk against coverage of one labelled file; what is refused comes last and counts as a miss."""
    rank = matcher_ranker(matcher)
    table = []
    for row in read_labelled(path):
        answer: Matches = matcher.match(text=row.text, skills=row.skills, title=row.title, top=1, explain=False)
        sure = -np.inf if not len(answer) else float(answer[0].fusion if answer[0].score is None else answer[0].score)
        found = measures_of(rank(row), row.labels)
        table.append((-sure, 1 - found["hit@1"], 1 - found["hit@5"]))
    array = np.array(sorted(table, key=lambda entry: entry[0]))
    counts = np.arange(1, len(array) + 1)
    places = np.unique(np.linspace(1, len(array), 50).astype(int)) - 1
    risks = np.cumsum(array[:, 1:], axis=0) / counts[:, None]
    return {
        "n": len(array),
        "coverage": [round(float(counts[p] / len(array)), 4) for p in places],
        "risk@1": [round(float(risks[p, 0]), 4) for p in places],
        "risk@5": [round(float(risks[p, 1]), 4) for p in places],
        "area under risk@1": round(float(risks[:, 0].mean()), 4),
    }


# -- fitting --

DUTY_FORMS = (
    "I {}.", "My job is to {}.", "I had to {}.", "I was asked to {}.", "We {} every day.", "I like to {}, and I am good at it.",
    "I {} and help my team.", "She had to {}.", "Looking for work where I can {}.", "You {} here.",
)  # fmt: skip
TITLE_FORMS = (
    "I am a {} and I am looking for work.", "I have been a {} for six years.", "I worked as a {}.", "He was a {} until last year.",
    "Looking for a job as {}.",
)  # fmt: skip


class Fitting:
    """The parts of a fit: encoder, index, and texts about work."""

    def __init__(self, matcher: Matcher, folder: Path, seed: int) -> None:
        self.matcher, self.index = matcher, matcher.index
        self.draws = random.Random(seed)
        self.work = self._texts_about_work(folder)

    def statements(self, kind: Kind, n: int) -> list[str]:
        k = KINDS.index(kind)
        texts = sorted({self.index.texts[int(i)] for i in self.index.text_of[self.index.bounds[k, 0] : self.index.bounds[k, -1]]})
        return self.draws.sample(texts, min(n, len(texts)))

    def mean(self, texts: Sequence[str]) -> Floats:
        found: Floats = self.matcher.encoder.encode(list(texts)).astype(np.float64).mean(axis=0)
        return found

    def _texts_about_work(self, folder: Path) -> Floats:
        draws = self.draws
        told = [row["text"] for row in rows_of(folder / "esco_descriptions.train.jsonl")]
        rows = [self.of_query(read_inputs(text=text)) for text in told[:1200]]
        for text in told:
            # Half a description or a sentence of it, as a person would say it of themselves.
            parts = [phrase.text for phrase in read_inputs(text=text.replace("They ", "I ").replace("their ", "my ")).phrases]
            rows.append(self.mean(draws.sample(parts, max(1, len(parts) // draws.choice((1, 2, 4))))))
        tasks, activities = self.statements(Kind.TASK, 4000), self.statements(Kind.ACTIVITY, 2000)
        titles = self.statements(Kind.TITLE, 4000)
        names = self.statements(Kind.TECHNOLOGY, 2000) + self.statements(Kind.KNOWLEDGE, 100)
        for number in range(1500):
            rows.append(self.mean(draws.sample(tasks if number % 2 else activities, draws.choice((1, 2, 3, 5)))))
        for _ in range(600):
            rows.append(self.mean(draws.sample(names, draws.choice((3, 6, 12)))))
        for _ in range(1500):
            parts = []
            for _ in range(draws.choice((1, 1, 2, 3))):
                duty = draws.random() < 0.7
                filler = draws.choice(titles if not duty else tasks if draws.random() < 0.6 else activities)
                parts.append(draws.choice(DUTY_FORMS if duty else TITLE_FORMS).format(filler[0].lower() + filler[1:].rstrip(".")))
            rows.append(self.mean(parts))
        return np.array(rows)

    def of_query(self, query: Query) -> Floats:
        return self.mean([phrase.text for phrase in query.phrases])

    def other_rows(self, queries: Sequence[Query]) -> tuple[Floats, npt.NDArray[np.int64]]:
        """Return vectors of texts that are not about work, whole and by phrase, and of which query each is."""
        vectors, owners = [], []
        for number, query in enumerate(queries):
            rows = self.matcher.encoder.encode([phrase.text for phrase in query.phrases]).astype(np.float64)
            for row in [rows.mean(axis=0), *rows] if len(rows) > 1 else rows:
                vectors.append(row)
                owners.append(number)
        return np.array(vectors), np.array(owners)

    def direction(self, others: Floats) -> tuple[Floats, float]:
        from sklearn.linear_model import LogisticRegression

        model = LogisticRegression(C=0.5, max_iter=1000, class_weight="balanced")
        model.fit(np.vstack((self.work, others)), np.r_[np.ones(len(self.work)), np.zeros(len(others))])
        return model.coef_[0].astype(np.float64), float(model.intercept_[0])

    def rest(self, query: Query) -> Floats:
        """Return the features of a query with 0 for the one that needs a direction."""
        return signal_features(self.matcher, query)


def signal_features(matcher: Matcher, query: Query) -> Floats:
    """Return the features of a query that need no direction: 0, near, best, unknown."""
    vectors = query_vectors(query, matcher.encoder.encode([phrase.text for phrase in query.phrases]))
    raw = coarse_columns(matcher.index, vectors)
    fine = fine_columns(matcher.index, vectors, candidates(standardise(raw)))
    near = np.nanmax(raw[:, [COARSE.index("centroid"), COARSE.index("activities")]])
    best = np.nanmax(fine[:, [FINE.index("best_task"), FINE.index("best_activity")]])
    return np.array([0.0, near, best, unknown_share(matcher.index, vectors)])


def abouts(fitting: Fitting, queries: Sequence[Query], direction: tuple[Floats, float]) -> Floats:
    """Return the ``about`` feature of queries."""
    model = Abstention(direction[0], direction[1], np.array([1.0, 0, 0, 0]), 0.0, "")
    found = []
    for query in queries:
        vectors = query_vectors(query, fitting.matcher.encoder.encode([phrase.text for phrase in query.phrases]))
        found.append(model.features(fitting.index, vectors, near=0.0, best=0.0)[0])
    return np.array(found)


def logistic(features: Floats, answers: Floats, weights: Floats) -> tuple[Floats, float]:
    """Return weights and intercept of a logistic function of standardised features, in the features' own units."""
    from sklearn.linear_model import LogisticRegression

    mean, spread = features.mean(axis=0), features.std(axis=0)
    model = LogisticRegression(C=1.0).fit((features - mean) / spread, answers, sample_weight=weights)
    own = model.coef_[0] / spread
    return own, float(model.intercept_[0] - (own * mean).sum())


#: Which real queries the four weights are fitted on, and how much each kind counts beside 300 for the non-résumés.
FITTED_ON = {
    "ESCO descriptions": 100.0,
    "1, 3 or 6 duties of a résumé, nothing else": 100.0,
    "skill lists as a text": 60.0,
    "plain sentences (our own)": 60.0,
}


def fit(matcher: Matcher, folder: Path, other: Sequence[Row], out: Path, *, seed: int) -> dict[str, Any]:
    """Fit the model, write it, and return what it refuses of queries that it has not seen."""
    fitting = Fitting(matcher, folder, seed)
    read: Callable[[Row], Query] = lambda row: read_inputs(**inputs_of(row))  # noqa: E731
    queries = [(row, read(row)) for row in other]
    unread = sum(bool(query.reasons) or not query.phrases for _, query in queries)
    queries = [(row, query) for row, query in queries if query.phrases and not query.reasons]
    vectors, owners = fitting.other_rows([query for _, query in queries])
    kinds = np.array([row["kind"] for row, _ in queries])
    folds = np.array(fitting.draws.sample([place % 5 for place in range(len(queries))], len(queries)))
    rest = np.array([fitting.rest(query) for _, query in queries])
    unseen = {"its kind left out": np.zeros(len(queries)), "five folds": np.zeros(len(queries))}
    for name, groups in (("its kind left out", kinds), ("five folds", folds)):
        for group in sorted(set(groups.tolist())):
            away = groups == group
            direction = fitting.direction(vectors[~away[owners]])
            unseen[name][away] = abouts(fitting, [query for (_, query), left in zip(queries, away, strict=True) if left], direction)
    direction = fitting.direction(vectors)
    blocks, weights, ids, names = [], [], [], []
    wanted = populations(folder, random.Random(seed))
    for name, weight in FITTED_ON.items():
        good = [(row, query) for row in wanted[name] for query in [read(row)] if query.phrases and not query.reasons]
        block = np.array([fitting.rest(query) for _, query in good])
        block[:, 0] = abouts(fitting, [query for _, query in good], direction)
        blocks.append(block)
        weights.append(np.full(len(block), weight / len(block)))
        ids += [row["id"] for row, _ in good]
        names += [name] * len(good)
    yes = np.vstack(blocks)
    # Non-résumés take part with the side they have in folds: seen by the direction they would look easier than they are.
    no = rest + np.outer(unseen["five folds"], [1.0, 0, 0, 0])
    answers = np.r_[np.ones(len(yes)), np.zeros(len(no))]
    shares = np.r_[np.concatenate(weights), np.full(len(no), 300 / len(no))]
    own, intercept = logistic(np.vstack((yes, no)), answers, shares)
    Abstention(direction[0], direction[1], own, intercept, matcher.encoder.digest).save(
        out, name="abstention/1", seed=seed, index=str(matcher.index.manifest["source"])
    )
    report: dict[str, Any] = {"weights": dict(zip(FEATURES, own.round(3).tolist(), strict=True)), "intercept": round(intercept, 3)}
    for name, sides in unseen.items():
        odds = (rest + np.outer(sides, [1.0, 0, 0, 0])) @ own + intercept
        report[f"non-résumés refused, {name}"] = cell([*[1.0] * unread, *(odds < 0).astype(float).tolist()])
    # Real queries by folds of their ids: the weights of each fold are fitted without it.
    place_of = {id_: place for place, id_ in enumerate(fitting.draws.sample(sorted(set(ids)), len(set(ids))))}
    fold_of = np.array([place_of[id_] % 5 for id_ in ids])
    odds = np.zeros(len(yes))
    for fold in range(5):
        keep = np.r_[fold_of != fold, np.ones(len(no), dtype=bool)]
        some, level = logistic(np.vstack((yes, no))[keep], answers[keep], shares[keep])
        odds[fold_of == fold] = yes[fold_of == fold] @ some + level
    for name in FITTED_ON:
        report[f"{name} refused, out of fold"] = cell((odds[np.array(names) == name] < 0).astype(float).tolist())
    return report


def ruled(matcher: Matcher, model: Abstention, rows: Sequence[Row]) -> list[float]:
    """Return 1 for each row that the model (or the reading) refuses, else 0; titles and skills given as such are answered as they are."""
    found = []
    for row in rows:
        query = read_inputs(**inputs_of(row))
        if query.reasons or not query.phrases or "text" not in row:
            found.append(float(matcher.match(**inputs_of(row), top=1, explain=False).status == "insufficient"))
            continue
        vectors = query_vectors(query, matcher.encoder.encode([phrase.text for phrase in query.phrases]))
        _, near, best, _ = signal_features(matcher, query).tolist()
        found.append(float(model.log_odds(matcher.index, vectors, near=near, best=best) < 0))
    return found


def main() -> None:
    """Print the tables; with ``--json FILE`` also write every figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--index", type=Path, help="folder of an index; the bundled one by default")
    parser.add_argument("--eval", type=Path, required=True, help="folder of the labelled queries")
    parser.add_argument("--not-resumes", type=Path, action="append", help="more or other files of texts that are not about work")
    parser.add_argument("--fit", type=Path, help="fit the model and write it here, instead of measuring")
    parser.add_argument("--model", type=Path, help="measure this model's rule, as if the matcher had it")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", type=Path)
    words = parser.parse_args()
    matcher = Matcher.load(words.index)
    other = [row for path in words.not_resumes or [FIXTURES / "not_resumes.jsonl"] for row in rows_of(path)]
    if words.fit:
        for name, value in fit(matcher, words.eval, other, words.fit, seed=words.seed).items():
            print(f"{name}: {value}")  # noqa: T201
        return
    model = Abstention.load(words.model) if words.model else None

    def refuses(rows: Sequence[Row]) -> list[float]:
        return refused(matcher, rows) if model is None else ruled(matcher, model, rows)

    report: dict[str, Any] = {"engine": dict(matcher.engine), "not résumés": {}, "real": {}, "risk and coverage": {}}
    print("Should be refused:")  # noqa: T201
    values = refuses(other)
    for kind in ["overall", *dict.fromkeys(row["kind"] for row in other)]:
        report["not résumés"][kind] = cell([v for v, row in zip(values, other, strict=True) if kind in ("overall", row["kind"])])
        print(f"  {kind:<44} {report['not résumés'][kind]}")  # noqa: T201
    report["passed"] = [row["id"] for v, row in zip(values, other, strict=True) if not v]
    print("  passed: " + " ".join(report["passed"]))  # noqa: T201
    print("Should be answered, but refused:")  # noqa: T201
    for name, rows in populations(words.eval, random.Random(words.seed)).items():
        report["real"][name] = cell(refuses(rows))
        print(f"  {name:<44} {report['real'][name]}", flush=True)  # noqa: T201
    if words.json:
        for path in sorted(words.eval.glob("*.dev.jsonl")):
            report["risk and coverage"][path.name] = curve(matcher, path)
        words.json.write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
