"""Contributions: the split of a fusion by phrase."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from matcher import Filters, Matcher
from matcher.contributions import Seen, _scales, by_phrase
from matcher.given import Given
from matcher.index import OccupationIndex, build_index
from matcher.match import read_inputs
from matcher.ranker import ALL_COLUMNS, LearnedRanker, Ranking
from matcher.records import Kind
from matcher.signals import best_statements, compared
from tests.invented import RELEASE, WordEncoder

RESUME = """Robin Example

EXPERIENCE
Baker, Corner Bakery - Springfield
March 2019 to Current
- Knead and shape dough for loaves and rolls
- Set oven temperatures and watch the bake each night

Line Cook, Harbor Grill
2014 - 2017
- Grill and season meat and fish to order
- Grill and season meat and fish to order

SKILLS
Microsoft Excel, Food Production, Westlaw
"""
LINK = {"a": 1.0, "b": 0.0, "titles": 0.0, "skills": 0.0, "text": 0.0, "positions": 0.0, "likeness": 0.0}
QUERIES: list[dict[str, Any]] = [
    {"text": RESUME},
    {"text": "They knead dough and watch the oven. They argue motions in court. They read fault codes with a scan tool."},
    {"title": "Pastry Baker"},
    {"skills": ["Westlaw", "Legal research", "Draft contracts"]},
    {"skills": ["Qwxyz", "Knead and shape dough for loaves and rolls"]},
    {"text": RESUME, "title": "Auto Mechanic", "skills": ["Westlaw"]},
]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> OccupationIndex:
    path = tmp_path_factory.mktemp("contributions")
    build_index(RELEASE, WordEncoder(), path, notice="Invented.")
    return OccupationIndex.load(path)


def learned(weights: dict[str, float]) -> LearnedRanker:
    return LearnedRanker(weights, LINK, {"high": 0.8, "medium": 0.3}, encoder="any")


def weighing(index: OccupationIndex, *names: str) -> Matcher:
    return Matcher(index, WordEncoder(), learned({name: 0.5 + 0.1 * place for place, name in enumerate(names)}))


def split(matcher: Matcher, **query: Any) -> tuple[Given, Ranking, Any]:
    given, seen = Given.of(matcher, read_inputs(**query)), Seen()
    ranking = matcher.ranker.rank(matcher.index, given.vectors, best=seen)
    return given, ranking, by_phrase(matcher.index, given.vectors, ranking, seen, len(ranking.rows))


def standing_alone(ranking: Ranking, whole: Any, part: Any) -> Any:
    """Return what a phrase adds to a standardised column: its summand less its mean, over the spread of the whole (rows of the ranking)."""
    return ((part - part.mean()) / whole.std())[ranking.rows]


@pytest.mark.parametrize("query", QUERIES, ids=range(len(QUERIES)))
@pytest.mark.parametrize("ranker", ["equal weights", "learned"])
def test_phrases_and_signals_sum_to_the_fusion_for_every_kind_of_query(index: OccupationIndex, query: Any, ranker: str) -> None:
    matcher = Matcher(index, WordEncoder()) if ranker == "equal weights" else weighing(index, *ALL_COLUMNS)
    answer = matcher.match(**query)
    assert len(answer)
    for match in answer:
        assert [number for number, _ in match.phrases] == list(range(len(answer.query.phrases)))
        assert sum(share for _, share in match.phrases) == pytest.approx(match.fusion, abs=1e-6)
        assert sum(share for _, share in match.contributions) == pytest.approx(match.fusion, abs=1e-6)


def test_filters_keep_the_sum_even_where_they_leave_one_occupation(index: OccupationIndex) -> None:
    for filters in (Filters(major_group=("23",)), Filters(exclude=("51-3011.00",)), Filters(job_zone=(1, 2))):
        for match in weighing(index, *ALL_COLUMNS).match(text=RESUME, filters=filters):
            assert sum(share for _, share in match.phrases) == pytest.approx(match.fusion, abs=1e-6)
            assert max(abs(share) for _, share in match.phrases) < 50


def test_what_is_asked_for_beside_an_occupation_does_not_change_its_split(index: OccupationIndex) -> None:
    matcher = weighing(index, *ALL_COLUMNS)
    assert matcher.match(text=RESUME, top=1)[0].phrases == matcher.match(text=RESUME, top=10)[0].phrases
    assert [m.phrases for m in matcher.match_many([RESUME, RESUME])[1]] == [m.phrases for m in matcher.match(text=RESUME)]


def test_without_evidence_nothing_is_split(index: OccupationIndex) -> None:
    assert all(match.phrases == () for match in Matcher(index, WordEncoder()).match(text=RESUME, explain=False))


def test_of_bm25_a_phrase_has_what_its_own_words_score(index: OccupationIndex) -> None:
    given, ranking, shares = split(weighing(index, "bm25"), text=RESUME)
    texts, amounts = compared(given.query.phrases), given.vectors.weights * len(given.vectors)
    whole = index.lexical.signals(texts, amounts)[0]
    for number, text in enumerate(texts):
        alone = index.lexical.signals([text], amounts[[number]])[0]
        assert shares[:, number] == pytest.approx(0.5 * standing_alone(ranking, whole, alone), abs=1e-9)


def test_of_tfidf_phrases_that_share_a_word_share_its_value(index: OccupationIndex) -> None:
    given, _, shares = split(weighing(index, "tfidf"), skills=["dough", "dough.", "Westlaw", "of the"])
    assert shares[:, 0] == pytest.approx(shares[:, 1])
    assert np.abs(shares[:, 0]).max() > 0.1
    assert shares[:, 3] == pytest.approx(0, abs=1e-9)  # no word of its own
    assert len(given.vectors) == 4


@pytest.mark.parametrize("name", ["best_task", "newest_best_task"])
def test_of_best_tasks_a_phrase_has_its_own_cosines(index: OccupationIndex, name: str) -> None:
    given, ranking, shares = split(weighing(index, name), text=RESUME)
    rows = np.sort(ranking.rows)
    best = best_statements(index, given.vectors.vectors, Kind.TASK, rows).astype(np.float64)
    there = ~np.isnan(best[:, 0])
    if name == "best_task":
        weights = given.vectors.weights
    else:
        weights = np.isin(np.arange(len(given.vectors)), given.vectors.newest) / len(given.vectors.newest)
    summands = best[there] * weights
    expected = 0.5 * (summands - summands.mean(axis=0)) / summands.sum(axis=1).std()
    places = [int(np.flatnonzero(ranking.rows == row)[0]) for row in rows[there]]
    assert shares[places] == pytest.approx(expected, abs=1e-5)


def test_of_the_likeness_of_titles_a_phrase_has_its_own_part(index: OccupationIndex) -> None:
    given, ranking, shares = split(weighing(index, "titles"), text=RESUME)
    centroids = index.centroids[0].values * index.centroids[0].scales[:, None].astype(np.float64)
    phrases = given.encoded.astype(np.float64) * given.vectors.weights[:, None]
    summands = centroids @ phrases.T
    expected = 0.5 * (summands - summands.mean(axis=0)) / summands.sum(axis=1).std()
    assert shares == pytest.approx(expected[ranking.rows], abs=0.03)  # vectors of a query are kept in 8 bits


def test_of_knowledge_a_phrase_has_its_part_in_the_areas_that_the_query_is_near(index: OccupationIndex) -> None:
    given, ranking, shares = split(weighing(index, "knowledge"), skills=["Food Production", "Law and order", "Qwxyz"])
    areas = index.knowledge_areas.values * index.knowledge_areas.scales[:, None].astype(np.float64)
    near = areas @ (given.encoded.astype(np.float64) * given.vectors.weights[:, None]).T
    near -= near.mean(axis=0)
    counts = near.sum(axis=1) > 0
    assert 0 < counts.sum() < len(counts)
    there = index.present(Kind.KNOWLEDGE)
    summands = index.knowledge_profile[there][:, counts] @ near[counts]
    expected = np.zeros((len(index), len(given.vectors)))
    expected[there] = 0.5 * (summands - summands.mean(axis=0)) / summands.sum(axis=1).std()
    assert shares == pytest.approx(expected[ranking.rows], abs=0.03)


def test_of_title_words_only_titles_have_a_part(index: OccupationIndex) -> None:
    given, _, shares = split(weighing(index, "title_words"), text=RESUME)
    titles = np.array([phrase.role == "title" for phrase in given.query.phrases])
    assert shares[:, ~titles] == pytest.approx(0, abs=1e-9)
    assert np.abs(shares[:, titles]).max() > 0.1


def test_what_speaks_for_another_occupation_lowers_this_one(index: OccupationIndex) -> None:
    answer = Matcher(index, WordEncoder()).match(skills=["Knead and shape dough for loaves and rolls", "Westlaw", "Bread Baker"])
    baker = next(match for match in answer if match.code == "51-3011.00")
    shares = dict(baker.phrases)
    assert shares[0] > 0 > shares[1]


def test_columns_of_the_accurate_mode_are_split_as_those_they_are_like(index: OccupationIndex) -> None:
    matcher = weighing(index, "best_task")
    given, seen = Given.of(matcher, read_inputs(text=RESUME)), Seen()
    ranking = matcher.ranker.rank(index, given.vectors, best=seen)
    named = tuple("accurate_best_task" if name == "best_task" else name for name in ranking.columns)
    accurate = dataclasses.replace(ranking, columns=named)
    usual, other = (by_phrase(index, given.vectors, r, seen, 3) for r in (ranking, accurate))
    assert other == pytest.approx(usual)


def test_what_a_ranking_did_not_show_is_compared_anew(index: OccupationIndex) -> None:
    matcher = weighing(index, *ALL_COLUMNS)
    given, seen = Given.of(matcher, read_inputs(text=RESUME)), Seen()
    ranking = matcher.ranker.rank(index, given.vectors, best=seen)
    assert np.array_equal(by_phrase(index, given.vectors, ranking, Seen(), 3), by_phrase(index, given.vectors, ranking, seen, 3))


def test_a_column_that_is_not_known_goes_to_the_phrases_by_their_weights(index: OccupationIndex) -> None:
    matcher = weighing(index, "best_task")
    given, seen = Given.of(matcher, read_inputs(text=RESUME)), Seen()
    ranking = matcher.ranker.rank(index, given.vectors, best=seen)
    strange = dataclasses.replace(ranking, columns=tuple(f"strange {name}" for name in ranking.columns))
    shares = by_phrase(index, given.vectors, strange, seen, 2)
    assert shares == pytest.approx(ranking.fusion[:2, None] * given.vectors.weights[None, :])


def test_the_split_is_that_of_the_bundled_ranking_too() -> None:
    answer = Matcher.load().match(text=RESUME)
    assert answer[0].score is not None
    for match in answer:
        assert sum(share for _, share in match.phrases) == pytest.approx(match.fusion, abs=1e-6)
    dough = [number for number, phrase in enumerate(answer.query.phrases) if "dough" in phrase.text]
    assert dict(answer[0].phrases)[dough[0]] > 0


def test_rows_that_differ_by_rounding_alone_show_no_scale_of_their_own() -> None:
    summands = np.array([[[0.2, 0.1], [0.2, 0.1 + 1e-6]]])
    assert _scales(summands, np.array([[0.9, 0.91]]), np.array([[True, True]])) == pytest.approx([3.0])
    assert _scales(summands * [[[1], [2]]], np.array([[0.9, 1.8]]), np.array([[True, True]])) == pytest.approx([3.0], abs=1e-4)
