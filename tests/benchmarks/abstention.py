"""Measures abstention: which non-résumés are refused, and which real queries are; fits its model.

    python tests/benchmarks/abstention.py --index build/index --eval ../shared/eval
    python tests/benchmarks/abstention.py --index build/onet --eval ../shared/eval --fit models/abstention.json

Refused means the status ``insufficient``. Intervals are Wilson's, 95 %. Of the 300 non-résumés one half is fitted on; the other, blind half
was written when the first model (abstention/1) was frozen, by someone who had seen neither them nor the first half. It is never fitted on and is reported
apart. ``--json FILE`` writes every figure. ``--fit`` (needs scikit-learn and the ``*.train`` rows) makes the model anew for the encoder of
the index, and prints what it refuses of queries that it has not seen: non-résumés with their whole kind left out, and in five folds; real
queries in five folds of their ids. ``--model FILE`` measures a model as if it were the shipped one. Risk against coverage is in
``risk_coverage.py``.
"""

from __future__ import annotations

import argparse
import json
import math
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from matcher import Matcher
from matcher.abstention import FEATURES, Abstention, phrase_sides, unknown_share
from matcher.audit import with_typos
from matcher.index import KINDS
from matcher.intervals import estimate
from matcher.match import read_inputs
from matcher.ranker import table_of
from matcher.records import Kind, Query
from matcher.signals import query_vectors

FIXTURES = Path(__file__).parents[1] / "fixtures"
Row = dict[str, Any]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


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


DUTIES = "1, 3 or 6 duties of a résumé, nothing else"
DAMAGE = (0.01, 0.05)

#: At most this share may be refused (of non-résumés: at least).
GOALS = {"non-résumés": 0.95, "résumés": 0.01, "titles, H-1B": 0.03, "titles, ESCO": 0.03}


def mistyped(rows: Sequence[Row], share: float) -> list[Row]:
    """Return rows with a share of the letters of their texts mistyped, the same ones each time."""
    return [
        {**row, "text": with_typos(row["text"], share, random.Random(f"{row['id']} {place}"))} for place, row in enumerate(rows)
    ]


def damaged(name: str, share: float) -> str:
    """Return the name of a population with a share of its letters mistyped."""
    return f"{name}, {share:.0%} of letters mistyped"


def populations(folder: Path, draws: random.Random) -> dict[str, list[Row]]:
    """Return the real queries that should be answered, by kind."""
    resumes = rows_of(folder / "resumes.dev.jsonl")
    lists = rows_of(folder / "resume_skill_lists.dev.jsonl")
    titles = rows_of(folder / "h1b_titles.dev.jsonl")
    duties = fragments(resumes, draws)
    return {
        "résumés": resumes,
        **{damaged("résumés", share): mistyped(resumes, share) for share in DAMAGE},
        "titles, H-1B": titles,
        "titles, ESCO": rows_of(folder / "esco_titles.dev.jsonl"),
        "skill lists": lists,
        "ICT skill lists": rows_of(folder / "ict_skill_lists.dev.jsonl"),
        "ESCO descriptions": rows_of(folder / "esco_descriptions.dev.jsonl"),
        DUTIES: duties,
        **{damaged(DUTIES, share): mistyped(duties, share) for share in DAMAGE},
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


def with_model(matcher: Matcher, model: Abstention) -> Matcher:
    """Return the same matcher with another model of abstention."""
    return Matcher(matcher.index, matcher.encoder, matcher.ranker, abstention=model)


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
        self._signals: dict[int, tuple[Query, list[float]]] = {}  # by identity; the query is kept so that its id stays its own
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

    def read(self, rows: Sequence[Row]) -> list[tuple[Row, Query]]:
        """Return the rows that reach the model, with their queries."""
        pairs = [(row, read_inputs(**inputs_of(row))) for row in rows]
        return [(row, query) for row, query in pairs if query.phrases and not query.reasons]

    def features(self, queries: Sequence[Query], direction: tuple[Floats, float]) -> Floats:
        """Return (n, len(FEATURES)) the features of queries."""
        found = np.zeros((len(queries), len(FEATURES)))
        for place, query in enumerate(queries):
            vectors = query_vectors(query, self.matcher.encoder.encode([phrase.text for phrase in query.phrases]))
            about = float(np.einsum("p,p->", phrase_sides(vectors, direction[0]), vectors.weights)) + direction[1]
            if id(query) not in self._signals:
                table = table_of(self.index, vectors, more=False)
                self._signals[id(query)] = (query, [table.near, table.best, unknown_share(self.index, vectors)])
            found[place] = [about, *self._signals[id(query)][1]]
        return np.nan_to_num(found)


def logistic(features: Floats, answers: Floats, weights: Floats) -> tuple[Floats, float]:
    """Return weights and intercept of a logistic function of standardised features, in the features' own units."""
    from sklearn.linear_model import LogisticRegression

    mean, spread = features.mean(axis=0), features.std(axis=0)
    model = LogisticRegression(C=1.0).fit((features - mean) / spread, answers, sample_weight=weights)
    own = model.coef_[0] / spread
    return own, float(model.intercept_[0] - (own * mean).sum())


#: Which real queries the four weights are fitted on, and how much each kind counts beside NOT_RESUMES for the non-résumés.
FITTED_ON = {
    "ESCO descriptions": 100.0,
    DUTIES: 100.0,
    damaged(DUTIES, 0.01): 40.0,
    damaged(DUTIES, 0.05): 60.0,
    "skill lists as a text": 60.0,
    "plain sentences (our own)": 60.0,
}
NOT_RESUMES = 300.0
#: A mistyped recipe is a recipe: else typing errors alone would speak for work. Share of letters, and how much they count.
NOT_RESUMES_MISTYPED = (0.05, 75.0)
FOLDS = 5


#: The threshold lies where this share of non-résumés is refused by models that have seen nothing of their kind.
AIM = 0.95


def fit(matcher: Matcher, folder: Path, other: Sequence[Row], out: Path, *, seed: int) -> dict[str, Any]:
    """Fit the model, write it, and return what it refuses of queries that it has not seen."""
    fitting = Fitting(matcher, folder, seed)
    digest = matcher.encoder.digest
    # Non-résumés as they are and, for the weights alone, mistyped; what the reading itself refuses does not reach the model.
    clean = fitting.read(other)
    pairs = clean + fitting.read(mistyped(other, NOT_RESUMES_MISTYPED[0]))
    no_ids = np.array([row["id"] for row, _ in pairs])
    no_shares = np.full(len(pairs), NOT_RESUMES_MISTYPED[1] / len(other))
    no_shares[: len(clean)] = NOT_RESUMES / len(other)
    vectors, owners = fitting.other_rows([query for _, query in clean])
    fold_of = folds_of([row["id"] for row in other], fitting.draws)
    kind_of = {row["id"]: row["kind"] for row in other}

    def direction_without(group_of: dict[str, Any], group: object) -> tuple[Floats, float]:
        keep = np.array([group_of[row["id"]] != group for row, _ in clean])
        return fitting.direction(vectors[keep[owners]])

    # They take part in the weights with the features that they have in folds: seen by the direction they would look easier than they are.
    directions = [direction_without(fold_of, fold) for fold in range(FOLDS)]
    no = np.vstack([fitting.features([query], directions[fold_of[row["id"]]]) for row, query in pairs])
    direction = fitting.direction(vectors)

    wanted = populations(folder, random.Random(seed))
    good = [(name, row, query) for name in FITTED_ON for row, query in fitting.read(wanted[name])]
    yes = fitting.features([query for _, _, query in good], direction)
    sizes = {name: sum(n == name for n, _, _ in good) for name in FITTED_ON}
    yes_shares = np.array([FITTED_ON[name] / sizes[name] for name, _, _ in good])
    yes_fold_of = folds_of([row["id"] for name in FITTED_ON for row in wanted[name]], fitting.draws)
    yes_fold = np.array([yes_fold_of[row["id"]] for _, row, _ in good])
    all_yes, all_no = np.ones(len(yes), dtype=bool), np.ones(len(no), dtype=bool)

    def model(keep_yes: Mask, keep_no: Mask, direction: tuple[Floats, float], less: float = 0.0) -> Abstention:
        features = np.vstack((yes[keep_yes], no[keep_no]))
        answers = np.r_[np.ones(keep_yes.sum()), np.zeros(keep_no.sum())]
        own, intercept = logistic(features, answers, np.r_[yes_shares[keep_yes], no_shares[keep_no]])
        return Abstention(direction[0], direction[1], own, intercept - less, digest)

    def without(group_of: dict[str, Any], group: object, less: float = 0.0) -> Abstention:
        keep = np.array([group_of[id_] != group for id_ in no_ids])
        return model(all_yes, keep, direction_without(group_of, group), less)

    odds = []
    for kind in sorted(set(kind_of.values())):
        unseen = without(kind_of, kind)
        away = fitting.features([query for row, query in clean if row["kind"] == kind], (unseen.direction, unseen.offset))
        odds += (away @ unseen.weights + unseen.intercept).tolist()
    less = raised(odds, math.ceil(AIM * len(other)) - (len(other) - len(clean)))
    made = model(all_yes, all_no, direction, less)
    made.save(out, name="abstention/2", seed=seed, index=str(matcher.index.manifest["source"]))
    report: dict[str, Any] = {
        "weights": dict(zip(FEATURES, made.weights.round(3).tolist(), strict=True)),
        "intercept": round(made.intercept, 3),
        "threshold raised by": round(less, 3),
    }
    for name, group_of in (("its kind left out", kind_of), ("five folds", fold_of)):
        values: list[float] = []
        worse: list[float] = []
        for group in sorted(set(group_of.values())):
            other_matcher = with_model(matcher, without(group_of, group, less))
            left = [row for row in other if group_of[row["id"]] == group]
            values += refused(other_matcher, left)
            worse += refused(other_matcher, mistyped(left, 0.05))
        report[f"non-résumés refused, {name}"] = cell(values)
        report[f"non-résumés, 5% of letters mistyped, refused, {name}"] = cell(worse)
    matchers = [with_model(matcher, model(yes_fold != fold, all_no, direction, less)) for fold in range(FOLDS)]
    for name, rows in wanted.items():
        if all("text" in row for row in rows):
            found = [refused(matchers[yes_fold_of.get(row["id"], 0)], [row])[0] for row in rows]
            report[f"{name} refused, {'out of fold' if name in FITTED_ON else 'not fitted on'}"] = cell(found)
    return report


def raised(odds: Sequence[float], least: int) -> float:
    """Return by how much the threshold has to rise so that ``least`` of the texts with these log odds are below it; never less than 0."""
    order = sorted(odds)
    if least <= 0 or least > len(order):
        return 0.0
    above = order[least] if least < len(order) else order[-1] + 1.0
    return max(0.0, (order[least - 1] + above) / 2)


def folds_of(ids: Sequence[str], draws: random.Random) -> dict[str, int]:
    """Return the fold of each id."""
    different = sorted(set(ids))
    return {id_: place % FOLDS for place, id_ in enumerate(draws.sample(different, len(different)))}


def told(
    report: dict[str, Any], name: str, values: Sequence[float], *, at_least: float | None = None, at_most: float | None = None
) -> None:
    """Keep and print one line."""
    report[name] = cell(values)
    share = sum(values) / len(values)
    goal = "" if at_least is None else f"  goal >= {at_least:.0%}: {'met' if share >= at_least else 'missed'}"
    goal = goal if at_most is None else f"  goal <= {at_most:.0%}: {'met' if share <= at_most else 'missed'}"
    print(f"  {name:<76} {report[name]}{goal}", flush=True)  # noqa: T201


def main() -> None:
    """Print the tables; with ``--json FILE`` also write every figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--index", type=Path, help="folder of an index; the bundled one by default")
    parser.add_argument("--eval", type=Path, required=True, help="folder of the labelled queries")
    parser.add_argument("--fit", type=Path, help="fit the model and write it here, instead of measuring")
    parser.add_argument("--model", type=Path, help="measure this model, as if the matcher had it")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", type=Path)
    words = parser.parse_args()
    matcher = Matcher.load(words.index)
    halves = {"fitted half": rows_of(FIXTURES / "not_resumes.jsonl"), "blind half": rows_of(FIXTURES / "not_resumes_blind.jsonl")}
    if words.fit:
        report = fit(matcher, words.eval, halves["fitted half"], words.fit, seed=words.seed)
        for name, value in report.items():
            print(f"{name}: {value}", flush=True)  # noqa: T201
    else:
        report = measure(
            matcher if words.model is None else with_model(matcher, Abstention.load(words.model)), words.eval, halves, words.seed
        )
    if words.json:
        words.json.write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def measure(matcher: Matcher, folder: Path, halves: dict[str, list[Row]], seed: int) -> dict[str, Any]:
    """Print and return what is refused of everything."""
    report: dict[str, Any] = {"engine": dict(matcher.engine), "not résumés": {}, "passed": {}, "real": {}}
    print("Should be refused:")  # noqa: T201
    values = {half: refused(matcher, rows) for half, rows in halves.items()}
    told(report["not résumés"], "both halves", [v for half in values.values() for v in half], at_least=GOALS["non-résumés"])
    for half, rows in halves.items():
        told(report["not résumés"], half, values[half], at_least=GOALS["non-résumés"])
        for kind in dict.fromkeys(row["kind"] for row in rows):
            told(
                report["not résumés"],
                f"{half}: {kind}",
                [v for v, row in zip(values[half], rows, strict=True) if row["kind"] == kind],
            )
        report["passed"][half] = [row["id"] for v, row in zip(values[half], rows, strict=True) if not v]
        print("    passed: " + " ".join(report["passed"][half]))  # noqa: T201
        told(report["not résumés"], damaged(half, 0.05), refused(matcher, mistyped(rows, 0.05)))
    print("Should be answered, but refused:")  # noqa: T201
    for name, rows in populations(folder, random.Random(seed)).items():
        told(report["real"], name, refused(matcher, rows), at_most=GOALS.get(name))
    return report


if __name__ == "__main__":
    main()
