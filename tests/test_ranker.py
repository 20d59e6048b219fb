"""Signals and their fusion: what is absent never scores, filters change nothing but who is answered, ties go by code."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.index import OccupationIndex, build_index, similarities
from matcher.ranker import ALL_COLUMNS, COLUMNS, EqualWeights, LearnedRanker, RankerError, calibrated, table_of
from matcher.records import Job, Kind, Phrase, Query, Release
from matcher.resources import ranker_path
from matcher.signals import (
    best_statements,
    centroid_similarity,
    coarse_columns,
    job_ages,
    phrase_weights,
    query_vectors,
    standardise,
    top,
    weighted,
)
from tests.invented import BAKER, OTHER, RELEASE, WAGES, WordEncoder

ENCODER = WordEncoder()


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> OccupationIndex:
    path = tmp_path_factory.mktemp("ranker")
    build_index(RELEASE, ENCODER, path, wages=WAGES)
    return OccupationIndex.load(path)


def a_query(*texts: str, role: str = "duty") -> Query:
    return Query(tuple(Phrase(t, t, 0, len(t), role=role) for t in texts))  # type: ignore[arg-type]


def vectors_of(query: Query):  # type: ignore[no-untyped-def]
    return query_vectors(query, ENCODER.encode([p.text for p in query.phrases]))


def test_an_occupation_without_statements_of_a_kind_is_absent_not_its_neighbour(index: OccupationIndex) -> None:
    query = vectors_of(a_query("Gem cutting"))
    rows = np.arange(len(index))
    found = best_statements(index, query.vectors, Kind.TASK, rows)
    assert np.isnan(found[:, 0]).tolist() == [e.code == OTHER.code for e in index.entries]
    assert np.isnan(centroid_similarity(index, query, Kind.TASK)).tolist() == [e.code == OTHER.code for e in index.entries]


def test_the_best_statement_is_found_for_each_phrase_by_hand(index: OccupationIndex) -> None:
    query = vectors_of(a_query("Knead and shape dough for loaves and rolls", "Set oven temperatures and watch the bake"))
    row = index.row_of[BAKER.code]
    found = best_statements(index, query.vectors, Kind.TASK, np.array([row]))
    np.testing.assert_allclose(found, [[1.0, 1.0]], atol=0.01)
    assert weighted(found, query.weights)[0] == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("kind", [Kind.TASK, Kind.ACTIVITY, Kind.TITLE])
def test_the_best_statements_are_to_the_bit_those_of_comparing_one_by_one(index: OccupationIndex, kind: Kind) -> None:
    query = vectors_of(a_query("Knead dough", "Replace brake pads", "Chop vegetables and grill meat"))
    rows = np.array([3, 0, len(index) - 1, 1, 2])
    found = best_statements(index, query.vectors, kind, rows)
    for row, best in zip(rows.tolist(), found, strict=True):
        first, last = index.group(kind, row)
        for number, value in enumerate(best.tolist()):
            alone = [
                similarities(index.vectors.rows(index.text_of[place : place + 1]), query.vectors.rows(np.array([number])))[0, 0]
                for place in range(first, last)
            ]
            assert value == max(alone) if alone else np.isnan(value)


@given(st.lists(st.integers(0, 6), min_size=30, max_size=60), st.integers(0, 12))
def test_the_first_of_many_are_those_of_a_stable_sort(values: list[int], k: int) -> None:
    expected = sorted(range(len(values)), key=lambda place: -values[place])[:k]
    assert top(np.array(values, dtype=np.float64), k).tolist() == expected


def test_a_column_without_weight_changes_no_fusion_whether_it_is_computed_or_not(index: OccupationIndex) -> None:
    query = vectors_of(a_query("Baker", "Knead dough", role="title"))
    weights = {"best_task": 0.5, "titles": 0.25, "profile": 1.0}
    link = {"a": 1.0, "b": 1.0, "titles": 0.0, "skills": 0.0, "text": 0.0, "positions": 0.0, "likeness": 0.0}
    ranking = LearnedRanker(weights, link, {"high": 0.8, "medium": 0.4}, "").rank(index, query)
    every = table_of(index, query, more=True)
    fusion = (every.columns * [weights.get(name, 0.0) for name in ALL_COLUMNS]).sum(axis=1)
    assert ranking.fusion.tolist() == sorted(fusion.tolist(), reverse=True)
    needed = table_of(index, query, more=True, needed=list(weights))
    assert every.columns[:, ALL_COLUMNS.index("title_words")].any()
    assert not needed.columns[:, ALL_COLUMNS.index("title_words")].any()


def test_standardised_columns_have_mean_0_and_deviation_1_and_the_absent_are_average() -> None:
    columns = np.array([[1.0, 5.0], [3.0, 5.0], [np.nan, np.nan], [5.0, 5.0]])
    z = standardise(columns)
    # (1, 3, 5): mean 3, deviation sqrt(8/3)
    np.testing.assert_allclose(z[:, 0], [-1.2247449, 0, 0, 1.2247449], atol=1e-6)
    assert z[:, 1].tolist() == [0, 0, 0, 0]


def test_an_empty_profile_is_found_by_its_title_and_never_wins_by_default(index: OccupationIndex) -> None:
    ranker = EqualWeights()

    def first(query: Query) -> str:
        return index.entries[int(ranker.rank(index, vectors_of(query)).rows[0])].code

    assert first(a_query("Gem Setter", role="title")) == OTHER.code
    for text in ("Replace brake pads", "Draft contracts", "unheard of words", "shape dough"):
        assert first(a_query(text)) != OTHER.code


def test_contributions_sum_to_the_fusion(index: OccupationIndex) -> None:
    ranking = EqualWeights().rank(index, vectors_of(a_query("Chop vegetables", "Grill meat")))
    assert ranking.contributions.shape == (len(index), len(COLUMNS))
    np.testing.assert_allclose(ranking.contributions.sum(axis=1), ranking.fusion)


def test_a_filter_changes_who_is_answered_and_no_ones_fusion(index: OccupationIndex) -> None:
    query = vectors_of(a_query("Replace brake pads", "Prepare ingredients"))
    every = EqualWeights().rank(index, query)
    allowed = np.array([e.code[:2] != "49" for e in index.entries])
    some = EqualWeights().rank(index, query, allowed)
    kept = [(r, f) for r, f in zip(every.rows.tolist(), every.fusion.tolist(), strict=True) if allowed[r]]
    assert list(zip(some.rows.tolist(), some.fusion.tolist(), strict=True)) == kept


def test_equal_occupations_are_ranked_by_code(tmp_path: Path) -> None:
    twins = tuple(replace(BAKER, code=f"51-301{i}.00") for i in (3, 1, 2))
    build_index(Release("Twins", twins), ENCODER, tmp_path)
    index = OccupationIndex.load(tmp_path)
    ranking = EqualWeights().rank(index, vectors_of(a_query("shape dough")))
    assert [index.entries[r].code for r in ranking.rows.tolist()] == ["51-3011.00", "51-3012.00", "51-3013.00"]


def test_a_phrase_said_twice_is_no_louder_than_one_phrase(index: OccupationIndex) -> None:
    once, twice = vectors_of(a_query("shape dough")), vectors_of(a_query("shape dough", "shape dough"))
    np.testing.assert_allclose(coarse_columns(index, once)[:, :6], coarse_columns(index, twice)[:, :6], atol=1e-6)


def test_an_old_position_weighs_less_and_ages_count_from_the_newest_date_in_the_query() -> None:
    jobs = (
        Job("Baker", (2015, 1), None, current=True),
        Job("Cook", (2005, 1), (2012, 6)),
        Job("Clerk", (2000, 1), (2003, 6)),
    )
    phrases = tuple(Phrase(f"p{i}", f"p{i}", 0, 2, role="duty", job=i) for i in range(3))
    query = Query(phrases, jobs=jobs)
    ages = job_ages(query)
    assert ages[0] == 0
    assert ages[1] == pytest.approx(2015 + 1 / 12 - 2012.5)
    weights = phrase_weights(query)
    assert weights[0] > weights[1] > weights[2]
    assert weights.sum() == pytest.approx(1.0)


def test_undated_positions_age_by_their_place() -> None:
    query = Query((), jobs=(Job("A"), Job("B"), Job("C")))
    assert job_ages(query) == [0.0, 3.0, 6.0]


@given(st.lists(st.sampled_from(["title", "duty", "skill", "summary", "education", "other"]), min_size=1, max_size=8))
def test_weights_of_phrases_sum_to_one(roles: list[str]) -> None:
    query = Query(tuple(Phrase("a", "a", 0, 1, role=r) for r in roles))  # type: ignore[arg-type]
    assert phrase_weights(query).sum() == pytest.approx(1.0)


LEARNED = LearnedRanker(
    {"titles": 1.0, "best_task": 0.5}, {"a": 1.0, "b": 0.2, "titles": 0.1, "skills": 0.2, "text": 0.3, "positions": 0.4, "likeness": 0.6},
    {"high": 0.8, "medium": 0.4}, ENCODER.digest, least_occupations=3,
)  # fmt: skip


def test_the_shares_of_columns_sum_to_the_fusion(index: OccupationIndex) -> None:
    found = LEARNED.rank(index, vectors_of(a_query("Knead and shape dough for loaves and rolls", "Line Cook")))
    assert found.contributions.sum(axis=1) == pytest.approx(found.fusion)
    assert found.contributions.shape == (len(found.rows), len(found.columns))


def test_a_score_is_a_probability_that_falls_with_the_rank(index: OccupationIndex) -> None:
    found = LEARNED.rank(index, vectors_of(a_query("Knead and shape dough for loaves and rolls")))
    assert found.score is not None
    assert ((found.score > 0) & (found.score < 1)).all()
    assert (np.diff(found.score) <= 0).all()


def test_a_filter_changes_no_score(index: OccupationIndex) -> None:
    query = vectors_of(a_query("Knead and shape dough for loaves and rolls"))
    whole = LEARNED.rank(index, query)
    only = np.zeros(len(index), bool)
    only[whole.rows[2]] = True
    alone = LEARNED.rank(index, query, only)
    assert whole.score is not None
    assert alone.score is not None
    assert alone.rows.tolist() == [whole.rows[2]]
    assert alone.score[0] == whole.score[2]


def test_the_link_by_hand() -> None:
    # ln .5 = -.693: 1 * -.693 + .2 * .693 + .1 + .6 * .5 = -.1545, whose logistic is .4614
    assert calibrated(np.array([0.5]), LEARNED.link, "titles", 0.5)[0] == pytest.approx(0.4614, abs=1e-4)


def test_confidence_is_a_word_by_the_cut_offs() -> None:
    assert [LEARNED.confidence(s) for s in (0.9, 0.8, 0.5, 0.1)] == ["high", "high", "medium", "low"]


def test_weights_hold_for_their_encoder_and_for_an_index_of_enough_occupations(index: OccupationIndex) -> None:
    assert LEARNED.suits(index)
    assert not replace(LEARNED, least_occupations=900).suits(index)
    assert not replace(LEARNED, encoder="sha256:" + "0" * 64).suits(index)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 7}, "ranker format 7, expected 2"),
        ({"weights": {"likeability": 1.0}}, "unknown column 'likeability'"),
        ({"weights": {"titles": "much"}}, "'weights' should be an object of numbers"),
        ({"link": {"a": 1.0}}, "'link' or 'cutoffs' has other members"),
        (
            {"link": {"a": -1.0, "b": 0, "titles": 0, "skills": 0, "text": 0, "positions": 0, "likeness": 0}},
            "the link should be increasing",
        ),
        ({"encoder": None}, "'encoder' should be a digest"),
    ],
)
def test_a_ranking_model_of_another_form_is_refused_by_name(tmp_path: Path, change: dict[str, object], message: str) -> None:
    model = json.loads(ranker_path().read_text(encoding="utf-8")) | change
    (tmp_path / "ranker.json").write_text(json.dumps(model))
    with pytest.raises(RankerError, match=message):
        LearnedRanker.load(tmp_path / "ranker.json")
    with pytest.raises(RankerError, match=r"nothing\.json: cannot be read"):
        LearnedRanker.load(tmp_path / "nothing.json")
