"""Abstention: the logistic function, its file, and the readings that refuse before it."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from matcher.abstention import Abstention, AbstentionError, phrase_sides, unknown_share
from matcher.index import OccupationIndex, build_index
from matcher.resume import read_query
from matcher.signals import QueryVectors, query_vectors
from tests.invented import RELEASE, WordEncoder

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> OccupationIndex:
    out = tmp_path_factory.mktemp("index")
    build_index(RELEASE, WordEncoder(), out)
    return OccupationIndex.load(out)


def vectors_of(text: str) -> QueryVectors:
    query = read_query(text=text)
    return query_vectors(query, WordEncoder().encode([phrase.text for phrase in query.phrases]))


def test_the_log_odds_are_the_weighted_features_and_the_intercept(index: OccupationIndex) -> None:
    vectors = vectors_of("Replace brake pads, rotors and calipers on zeppelins.")
    direction = np.zeros(32)
    direction[3] = 2.0
    model = Abstention(direction, 0.5, np.array([1.0, 10.0, 100.0, -4.0]), 7.0, "sha256:x")
    side = float(vectors.vectors.values[0, 3]) * float(vectors.vectors.scales[0]) * 2.0 + 0.5
    # Of "replace brake pad rotor caliper zeppelin" ("and" and "on" are stop words or known) one word of six or seven is unknown.
    unknown = unknown_share(index, vectors)
    assert model.features(index, vectors, near=0.3, best=0.2).tolist() == pytest.approx([side, 0.3, 0.2, unknown])
    assert model.log_odds(index, vectors, near=0.3, best=0.2) == pytest.approx(side + 3.0 + 20.0 - 4.0 * unknown + 7.0)


def test_words_that_no_occupation_has_are_unknown(index: OccupationIndex) -> None:
    assert unknown_share(index, vectors_of("Knead dough for loaves now.")) < 0.5
    assert unknown_share(index, vectors_of("Zeppelin gyroscope quasar nebula.")) == 1.0


def test_a_side_is_the_product_of_a_phrase_and_the_direction() -> None:
    vectors = vectors_of("Knead dough for loaves. Grill meat and fish.")
    direction = np.arange(32, dtype=np.float64)
    rows = vectors.vectors.values.astype(np.float64) * vectors.vectors.scales[:, None].astype(np.float64)
    assert phrase_sides(vectors, direction).tolist() == pytest.approx((rows @ direction).tolist())


def test_a_signal_that_the_index_lacks_counts_as_none(index: OccupationIndex) -> None:
    model = Abstention(np.zeros(32), 0.0, np.array([0.0, 5.0, 5.0, 0.0]), -1.0, "")
    assert model.log_odds(index, vectors_of("Knead dough for loaves."), near=math.nan, best=0.4) == pytest.approx(1.0)


def test_a_model_is_the_same_after_its_file(tmp_path: Path) -> None:
    model = Abstention(np.array([0.25, -1.5]), 0.125, np.array([1.0, 2.0, 3.0, -4.0]), -0.5, "sha256:abc")
    model.save(tmp_path / "model.json", seed=1)
    again = Abstention.load(tmp_path / "model.json")
    assert (again.direction.tolist(), again.weights.tolist()) == ([0.25, -1.5], [1.0, 2.0, 3.0, -4.0])
    assert (again.offset, again.intercept, again.encoder) == (0.125, -0.5, "sha256:abc")


@pytest.mark.parametrize("content", ["{", "{}", '{"format": 2, "features": []}', "[]"])
def test_a_file_that_is_no_model_is_named(content: str, tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(AbstentionError, match=r"model\.json"):
        Abstention.load(path)
    with pytest.raises(AbstentionError, match=r"none\.json"):
        Abstention.load(tmp_path / "none.json")


def test_code_is_no_resume() -> None:
    rows = [json.loads(line) for line in (FIXTURES / "not_resumes.jsonl").read_text(encoding="utf-8").splitlines()]
    code = [row for row in rows if row["kind"] == "code"]
    refused = [row["id"] for row in code if read_query(text=row["text"]).reasons]
    assert len(refused) >= 9, sorted({row["id"] for row in code} - set(refused))


@pytest.mark.parametrize(
    "text",
    [
        "Python | SQL | Docker | AWS | Kubernetes | Git | Linux | Bash",
        "Word; Excel; PowerPoint; Outlook; Access; Visio; Project; Teams",
        "Excel (advanced), Word (basic), SQL (5 years), Python (2 years), R (1 year), C++ (1 year)",
        "C++/C# Developer [Remote] {Contract}",
        "Built pipelines in C++ & Python; cut costs by $40,000 (12%), response times by >50% and errors to <1%.",
    ],
)
def test_lists_with_marks_of_all_kinds_are_no_code(text: str) -> None:
    assert read_query(text=text).reasons == ()


def test_code_in_a_resume_with_positions_is_left_alone() -> None:
    text = (
        "Software Developer, Acme Corp, 2015 to 2020\n- Wrote int main(void) { return x->y; } a thousand times; {[<>]} == {[<>]}\n"
    )
    assert read_query(text=text).reasons == ()


def test_a_few_words_said_over_and_over_are_noise() -> None:
    assert read_query(text="test test test testing 123 test").reasons == ("nothing_recognised",)
    assert read_query(text="yes no yes no yes no yes no").reasons == ("nothing_recognised",)
    assert read_query(text="Unit testing, load testing, API testing, test plans").reasons == ()


def test_the_texts_are_what_the_benchmark_expects() -> None:
    for name, least in (("not_resumes.jsonl", 150), ("plain_words.jsonl", 36)):
        rows = [json.loads(line) for line in (FIXTURES / name).read_text(encoding="utf-8").splitlines()]
        assert len(rows) == len({row["id"] for row in rows}) == len({row["text"] for row in rows}) >= least
        assert all(set(row) == {"id", "kind", "text"} and 1 <= len(row["text"].split()) <= 300 for row in rows)
