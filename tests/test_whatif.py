"""What if: changes, their places before and after, and that only the change is encoded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pytest

import matcher.signals as signals
from matcher.given import AdviceError, Given
from matcher.index import OccupationIndex
from matcher.match import Matcher, read_inputs
from matcher.ranker import EqualWeights, Ranking
from matcher.records import Kind
from matcher.signals import QueryVectors, best_statements, query_vectors
from matcher.whatif import Memory, Trial, added_phrase, best_additions, opens_most, what_if
from tests.advice_fixture import RESUME, make_matcher


@pytest.fixture(scope="module")
def matcher(tmp_path_factory: pytest.TempPathFactory) -> Matcher:
    return make_matcher(tmp_path_factory.mktemp("whatif"))


@pytest.fixture
def given(matcher: Matcher) -> Given:
    return Given.of(matcher, read_inputs(text=RESUME))


def test_an_added_duty_lifts_its_occupation_and_the_wording_asks_whether_it_is_true(given: Given) -> None:
    answer = what_if(given, add=["Argue motions and question witnesses in court"], code="23-1011.00")
    assert answer.asked is not None
    assert answer.asked.lift is not None
    assert answer.asked.lift > 0
    assert answer.note == "If you have done this, say so."


def test_a_change_is_the_same_as_matching_the_changed_query(matcher: Matcher) -> None:
    skills = ["knead and shape dough", "set oven temperatures", "season meat"]
    given = Given.of(matcher, read_inputs(skills=skills))
    answer = what_if(given, add=["scan tool"], remove=["season meat"], top=6)
    whole = matcher.match(skills=[*skills[:2], "scan tool"], top=6)
    after = {c.code: (c.after.rank, c.after.fusion) for c in answer.changes if c.after.rank}
    assert after == {m.code: (m.rank, m.fusion) for m in whole}


def test_only_the_change_is_encoded(given: Given) -> None:
    encoder = given.engine.encoder
    trial = Trial(given)
    before = encoder.texts_seen  # type: ignore[attr-defined]
    what_if(trial, add=["one", "two"])
    assert encoder.texts_seen == before + 2  # type: ignore[attr-defined]
    what_if(trial, remove=["Microsoft Excel"])
    assert encoder.texts_seen == before + 2  # type: ignore[attr-defined]


def test_removing_takes_the_phrase_that_is_the_line_or_holds_it(given: Given) -> None:
    assert what_if(given, remove=["microsoft excel"]).removed == ("Microsoft Excel",)
    assert what_if(given, remove=["oven temperatures"]).removed == ("Set oven temperatures and watch the bake each night",)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "nothing to change"),
        ({"add": []}, "nothing to change"),
        ({"add": ["  "]}, "add: line 1 is empty"),
        ({"add": ["ok", "…"]}, "add: line 2 is empty"),
        ({"add": "one string"}, "add: expected a list"),
        ({"add": ["x" * 2001]}, "add: line 1 has 2001 characters"),
        ({"remove": ["flew to the moon"]}, "remove: line 1 was not found in what was given"),
        ({"add": ["ok"], "code": "00-0000.00"}, "'00-0000.00' is not in this index"),
    ],
)
def test_bad_changes_are_one_clear_error_without_the_text(given: Given, options: dict[str, object], message: str) -> None:
    with pytest.raises(AdviceError) as error:
        what_if(given, **options)  # type: ignore[arg-type]
    assert message in str(error.value)
    assert "moon" not in str(error.value)


def test_removing_everything_is_an_error(matcher: Matcher) -> None:
    with pytest.raises(AdviceError, match="nothing would be left"):
        what_if(Given.of(matcher, read_inputs(skills=["Westlaw"])), remove=["Westlaw"])


def test_best_additions_are_unmet_statements_of_the_occupation_that_lift_it_most_first(given: Given) -> None:
    found = best_additions(given, "51-1011.00")
    assert 1 <= len(found) <= 3
    lifts = [addition.lift for addition in found]
    assert lifts == sorted(lifts, reverse=True)
    assert all(addition.gap.status != "met" and addition.lift > 0 for addition in found)
    assert found[0].to_dict()["note"] == "If you have done this, say so."


def test_what_opens_most_was_not_found_and_lifts_occupations_that_have_it(given: Given) -> None:
    found = opens_most(given)
    assert found
    assert all(opening.codes and opening.lift > 0 for opening in found)
    assert "Microsoft Excel" not in {opening.name for opening in found}


def test_an_added_line_stands_behind_the_skills_that_were_given() -> None:
    query = read_inputs(skills=["a b", "c d"])
    assert added_phrase("Westlaw", query).source == "skills/2"
    assert added_phrase("Argue motions in the court", query).role == "duty"


@dataclass(frozen=True)
class Remembering:
    """Equal weights that take ``best`` as the lead's rankers are to."""

    name: str = "remembering"

    def rank(
        self,
        index: OccupationIndex,
        query: QueryVectors,
        allowed: npt.NDArray[np.bool_] | None = None,
        *,
        best: Callable[..., npt.NDArray[np.float64]] = best_statements,
    ) -> Ranking:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(signals, "best_statements", best)
            return EqualWeights().rank(index, query, allowed)


@pytest.mark.parametrize("kind", [Kind.TASK, Kind.ACTIVITY, Kind.TITLE, Kind.KNOWLEDGE])
def test_memory_returns_the_same_bits_as_comparing_everything(given: Given, kind: Kind) -> None:
    index = given.engine.index
    memory = Memory(index, given.vectors, np.array([0, 2, 5]))
    added = added_phrase("Read fault codes with a scan tool", given.query)
    encoded = np.concatenate((given.encoded[1:], given.engine.encoder.encode([added.text])))
    changed = query_vectors(replace(given.query, phrases=(*given.query.phrases[1:], added)), encoded)
    rows = np.arange(len(index))
    expected = best_statements(index, changed.vectors, kind, rows)
    assert memory(index, changed.vectors, kind, rows).tobytes() == expected.tobytes()


def test_a_ranker_that_remembers_gives_the_same_answer(matcher: Matcher) -> None:
    plain = Given.of(matcher, read_inputs(text=RESUME))
    other = Matcher(matcher.index, matcher.encoder)
    other.ranker = Remembering()  # type: ignore[assignment]
    quick = Given.of(other, read_inputs(text=RESUME))
    options = {"add": ["Westlaw", "Read fault codes with a scan tool"], "remove": ["Microsoft Excel"]}
    assert what_if(quick, **options) == what_if(plain, **options)  # type: ignore[arg-type]
