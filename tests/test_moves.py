"""Moves: filters, names, what transfers and what is missing; comparisons."""

from __future__ import annotations

import pytest

from matcher.given import AdviceError, Given
from matcher.match import Matcher, read_inputs
from matcher.moves import Facts, Moves, Wish, compare, moves, name_of
from tests.advice_fixture import RESUME, make_matcher

BAKER, HEAD, COOK, LAWYER, MECHANIC = "51-3011.00", "51-1011.00", "35-2014.00", "23-1011.00", "49-3023.00"


@pytest.fixture(scope="module")
def matcher(tmp_path_factory: pytest.TempPathFactory) -> Matcher:
    return make_matcher(tmp_path_factory.mktemp("moves"))


def codes(found: Moves) -> list[str]:
    return [move.code for move in found]


def test_the_nearest_move_from_a_code_shares_its_work_and_is_named(matcher: Matcher) -> None:
    found = moves((matcher.index, BAKER))
    assert codes(found)[0] == HEAD
    first = found[0]
    assert (first.name, first.related) == ("step up", "Primary-Short")
    assert "Food Production" in first.transfers
    # 48,000 against 17.00 × 2,080 = 35,360
    assert first.pay_difference == 48000 - 35360
    assert first.facts.education == "associate's degree"
    assert BAKER not in codes(found)
    assert "51-9199.00" not in codes(found)


def test_moves_from_a_query_compare_pay_with_its_best_match(matcher: Matcher) -> None:
    found = moves(Given.of(matcher, read_inputs(text=RESUME)))
    assert found.from_query
    assert found.origin.code in (BAKER, HEAD)
    assert moves(Given.of(matcher, read_inputs(text=RESUME)), start=COOK).origin.code == COOK
    lawyer = next(move for move in found if move.code == LAWYER)
    assert "Westlaw" in lawyer.missing


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        (Wish(outside_group=True), {COOK, LAWYER, MECHANIC}),
        (Wish(zone_up=True), {HEAD, LAWYER, MECHANIC}),
        # 35,360 × 1.37 = 48,443: the head baker's 48,000 is not enough
        (Wish(pays_more=0.37), {LAWYER, MECHANIC}),
        # the baker is 75: a general 4.0 and a strength 4.0 are both 75; at most 65 are the head baker (50) and the lawyer
        (Wish(less_physical=True), {HEAD, LAWYER}),
        (Wish(more_employed=True), {LAWYER, MECHANIC}),
        (Wish(interests="EI"), {LAWYER}),
        (Wish(outside_group=True, zone_up=True, pays_more=1.0), {LAWYER}),
    ],
)
def test_filters_keep_what_passes(matcher: Matcher, wish: Wish, expected: set[str]) -> None:
    assert set(codes(moves((matcher.index, BAKER), wish=wish))) == expected


def test_what_is_unknown_is_left_out_and_counted(matcher: Matcher) -> None:
    found = moves((matcher.index, BAKER), wish=Wish(pays_more=0.1))
    assert found.warnings == ("pay: 1 nearer occupations left out because it is unknown of them",)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pays_more": -1}, "pays_more: -1"),
        ({"interests": "XY"}, "interests: 'XY'"),
        ({"interests": [1, 2, 3]}, "interests: 3 scores"),
        ({"interests": [1, 1, 1, 1, 1, 1]}, "six equal scores"),
        ({"interests": {"R": 1}}, "a score for each of RIASEC"),
    ],
)
def test_a_bad_wish_is_one_clear_error(options: dict[str, object], message: str) -> None:
    with pytest.raises(AdviceError, match=message):
        Wish(**options)  # type: ignore[arg-type]


def test_unknown_codes_codes_without_data_and_missing_facts_are_errors(matcher: Matcher) -> None:
    with pytest.raises(AdviceError, match="'1' is not in this index"):
        moves((matcher.index, "1"))
    with pytest.raises(AdviceError, match="only a title"):
        moves((matcher.index, "51-9199.00"))
    with pytest.raises(AdviceError, match=r"pay of 35-2014.00 .* is unknown"):
        moves((matcher.index, COOK), wish=Wish(pays_more=0.1))
    with pytest.raises(AdviceError, match="top: 0"):
        moves((matcher.index, COOK), top=0)


def facts(code: str, zone: int | None, pay: float | None) -> Facts:
    return Facts(code, code, zone, pay, None, None, None, None, "")


@pytest.mark.parametrize(
    ("to", "name"),
    [
        (facts("15-1253.00", 4, 100), "similar"),
        (facts("15-1253.00", 4, 110), "step up"),
        (facts("15-1211.00", 5, 90), "step up"),
        (facts("15-2031.00", 4, 105), "sideways"),
        (facts("15-1211.00", 3, 150), "sideways"),
        (facts("11-3021.00", 5, 150), "step up"),
        (facts("11-3021.00", 4, 90), "new field"),
        (facts("27-1024.00", 5, 150), "new field"),
        (facts("15-1253.00", None, None), "similar"),
    ],
)
def test_a_move_is_named_by_group_zone_and_pay(to: Facts, name: str) -> None:
    assert name_of(facts("15-1252.00", 4, 100), to) == name


def test_a_comparison_sets_facts_and_ratings_side_by_side(matcher: Matcher) -> None:
    found = compare(matcher.index, BAKER, LAWYER)
    assert [f.job_zone for f in found.facts] == [2, 5]
    assert ("knowledge", "Law and Government", (12.0, 98.0)) in found.rows
    assert found.only[1][:2] == ("Law and Government", "Westlaw")
    assert {row[0] for row in found.rows} >= {"knowledge", "skills", "work_activities"}
    assert "Side by side" in found._repr_html_()


def test_tools_values_styles_and_context_stand_side_by_side_where_a_release_has_them(
    matcher: Matcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    def context(*said: tuple[str, str, float]) -> list[dict[str, object]]:
        return [{"element": element, "answer": answer, "percent": percent} for element, answer, percent in said]

    extra = {
        BAKER: {
            "tools": [{"name": "Dough mixers"}, {"name": "Notebook computers"}],
            "work_values": [{"name": "Recognition", "ratings": [{"scale": "EX", "value": 4.0}]}],
            "work_styles": [{"name": "Innovation", "ratings": [{"scale": "DR", "value": 7.0}, {"scale": "WI", "value": 0.0}]}],
            "work_context": context(("Noise", "Often", 40.0), ("Noise", "Always", 60.0), ("Heat", "Always", 90.0)),
        },
        LAWYER: {
            "tools": [{"name": "notebook computers"}, {"name": "Shredders"}],
            "work_values": [{"name": "Recognition", "ratings": [{"scale": "EX", "value": 7.0}]}],
            "work_styles": [{"name": "Innovation", "ratings": [{"scale": "WI", "value": 3.0}]}],
            "work_context": context(("Noise", "Never", 100.0)),
        },
    }
    real = type(matcher.index).section
    monkeypatch.setattr(type(matcher.index), "section", lambda self, code: {**real(self, code), **extra.get(code, {})})
    found = compare(matcher.index, BAKER, LAWYER)
    assert found.tools_shared == ("Notebook computers",)
    assert found.tools_only == (("Dough mixers",), ("Shredders",))
    # (4 − 1) / 6 and (7 − 1) / 6; (0 + 3) / 6 and (3 + 3) / 6
    assert ("work_values", "Recognition", (50.0, 100.0)) in found.rows
    assert ("work_styles", "Innovation", (50.0, 100.0)) in found.rows
    # Noise differs by 40 + 60 + 100 points; of Heat one knows nothing.
    assert found.context == (("Noise", ("Always", "Never")), ("Heat", ("Always", None)))
    document = found.to_dict()
    assert document["tools"] == {"shared": ["Notebook computers"], "only": [["Dough mixers"], ["Shredders"]]}
    assert document["work_context"][0] == {"name": "Noise", "answers": ["Always", "Never"]}
    assert "Dough mixers" in found._repr_html_()


def test_a_comparison_has_no_tools_or_context_where_a_release_has_none(matcher: Matcher) -> None:
    found = compare(matcher.index, BAKER, LAWYER)
    assert found.context == ()
    assert found.tools_only == ((), ())


@pytest.mark.parametrize("chosen", [(), (BAKER,), (BAKER, BAKER), (BAKER, COOK, LAWYER, MECHANIC), (BAKER, "x")])
def test_a_comparison_needs_two_or_three_known_codes(matcher: Matcher, chosen: tuple[str, ...]) -> None:
    with pytest.raises(AdviceError):
        compare(matcher.index, *chosen)
