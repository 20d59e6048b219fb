"""Gaps: statuses, order, coverage and errors of one occupation against a query."""

from __future__ import annotations

import pytest

from matcher.gaps import THRESHOLDS, Gaps, gap, gaps_of
from matcher.given import AdviceError, Given
from matcher.match import Matcher, read_inputs
from matcher.records import Kind
from tests.advice_fixture import RESUME, make_matcher


@pytest.fixture(scope="module")
def matcher(tmp_path_factory: pytest.TempPathFactory) -> Matcher:
    return make_matcher(tmp_path_factory.mktemp("gaps"))


@pytest.fixture(scope="module")
def baker(matcher: Matcher) -> Gaps:
    return gap(matcher, read_inputs(text=RESUME), "51-3011.00")


def test_what_stands_in_the_resume_is_met_by_the_phrase_that_says_it(baker: Gaps) -> None:
    first = baker.of("task")[0]
    assert (first.name, first.status, first.importance) == ("Knead and shape dough for loaves and rolls", "met", 90)
    assert first.phrase is not None
    assert first.phrase.raw == "Knead and shape dough for loaves and rolls"
    assert next(g for g in baker.of("knowledge") if g.name == "Food Production").status == "met"
    excel = next(g for g in baker.of("technology") if g.name == "Microsoft Excel")
    assert (excel.status, excel.hot) == ("met", True)


def test_what_is_foreign_to_the_resume_is_not_found_and_the_words_never_say_you_lack(matcher: Matcher) -> None:
    found = gap(matcher, read_inputs(text=RESUME), "23-1011.00")
    assert {g.name for g in found.of("technology", "not_found")} == {"Westlaw", "Microsoft Word"}
    assert found.of("knowledge")[0].status == "not_found"
    assert found.coverage["technology"] == 0
    assert "lack" not in str(found.to_dict()).lower() + found._repr_html_().lower()


def test_technologies_in_demand_come_first_and_coverage_counts_only_those(matcher: Matcher) -> None:
    found = gap(matcher, read_inputs(skills=["Microsoft Word", "Contracts"]), "23-1011.00")
    assert [g.name for g in found.of("technology")] == ["Westlaw", "Microsoft Word"]
    assert found.coverage["technology"] == 0
    assert gap(matcher, read_inputs(skills=["Westlaw"]), "23-1011.00").coverage["technology"] == 100


def test_education_and_job_zone_stand_against_the_highest_degree(matcher: Matcher, baker: Gaps) -> None:
    (education,) = baker.of("education")
    assert (education.name, education.status) == ("high school diploma", "met")
    assert education.note == "60 % of workers say high school diploma; found: associate's degree"
    assert baker.of("job_zone")[0].status == "met"
    lawyer = gap(matcher, read_inputs(text=RESUME), "23-1011.00")
    assert lawyer.of("education")[0].status == "not_found"
    assert lawyer.of("job_zone")[0].status == "not_found"


def test_no_degree_is_told_as_not_recognised(matcher: Matcher) -> None:
    found = gap(matcher, read_inputs(skills=["Westlaw"]), "51-1011.00")
    assert found.of("education")[0].note == "70 % of workers say associate's degree; no degree was recognised"


def test_statements_are_sorted_by_weight_and_kinds_stand_together(baker: Gaps) -> None:
    for kind in ("knowledge", "technology", "task", "skill"):
        weights = [g.weight for g in baker.of(kind)]
        assert weights == sorted(weights, reverse=True)
    kinds = [g.kind for g in baker]
    assert kinds == sorted(kinds, key=lambda k: kinds.index(k))


def test_coverage_is_the_weighted_share_with_partly_as_a_half(baker: Gaps) -> None:
    tasks = baker.of("task")
    credit = sum(g.weight * {"met": 1, "partly": 0.5, "not_found": 0}[g.status] for g in tasks)
    assert baker.coverage["task"] == round(100 * credit / sum(g.weight for g in tasks))


def test_a_job_title_alone_shows_no_duty(matcher: Matcher) -> None:
    found = gap(matcher, read_inputs(title="Baker"), "51-3011.00")
    assert {g.status for g in (*found.of("task"), *found.of("activity"))} == {"not_found"}


def test_the_brief_gaps_are_the_ones_not_found_that_weigh_most_in_turn_of_kinds(matcher: Matcher) -> None:
    missing = gap(matcher, read_inputs(text=RESUME), "23-1011.00").missing(3)
    assert [g.kind for g in missing][:2] == ["knowledge", "technology"]
    assert all(g.status == "not_found" for g in missing)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("99-9999.99", "code: '99-9999.99' is not in this index (Invented 1.0), expected one such as '23-1011.00'"),
        ("51-9199.00", "code: 51-9199.00 (Production Workers, All Other) has no data in this index (Invented 1.0): only a title"),
    ],
)
def test_an_unknown_code_and_one_without_data_are_one_clear_error(matcher: Matcher, code: str, message: str) -> None:
    with pytest.raises(AdviceError) as error:
        gap(matcher, read_inputs(text=RESUME), code)
    assert str(error.value).startswith(message)


def test_a_query_that_could_not_be_read_gets_no_advice(matcher: Matcher) -> None:
    with pytest.raises(AdviceError, match="too_short"):
        gap(matcher, read_inputs(text="hi"), "51-3011.00")


def test_advice_on_what_was_given_encodes_nothing_again(matcher: Matcher) -> None:
    given = Given.of(matcher, read_inputs(text=RESUME))
    before = matcher.encoder.texts_seen  # type: ignore[attr-defined]
    gaps_of(given, "51-3011.00")
    assert matcher.encoder.texts_seen == before  # type: ignore[attr-defined]


def test_partly_is_never_above_met() -> None:
    assert all(partly < met for partly, met in THRESHOLDS.values())
    assert set(THRESHOLDS) == {Kind.TASK, Kind.ACTIVITY, Kind.KNOWLEDGE, Kind.SKILL}


def test_html_escapes_what_was_given(matcher: Matcher) -> None:
    found = gap(matcher, read_inputs(skills=["Food Production <script>"]), "51-3011.00")
    assert "<script>" not in found._repr_html_()
    assert "color:#" not in found._repr_html_()
