"""Standing: which areas a query points to, by the occupations it is like."""

from __future__ import annotations

import numpy as np
import pytest

from matcher.given import Given
from matcher.match import Matcher, read_inputs
from matcher.records import Kind
from matcher.standing import phrase_shares, profiles, standings
from tests.advice_fixture import RESUME, make_matcher


@pytest.fixture(scope="module")
def matcher(tmp_path_factory: pytest.TempPathFactory) -> Matcher:
    return make_matcher(tmp_path_factory.mktemp("standing"))


def area(matcher: Matcher, name: str) -> int:
    texts = profiles(matcher.index, Kind.KNOWLEDGE).texts.tolist()
    return next(i for i, text in enumerate(texts) if matcher.index.texts[text] == name)


def test_duties_of_baking_point_to_food_and_away_from_law(matcher: Matcher) -> None:
    at = standings(matcher.index, Given.of(matcher, read_inputs(text=RESUME)).vectors).standing[Kind.KNOWLEDGE]
    assert at[area(matcher, "Food Production")] > 0 > at[area(matcher, "Law and Government")]


def test_profiles_are_standardised_over_the_occupations_that_have_them(matcher: Matcher) -> None:
    profile = profiles(matcher.index, Kind.KNOWLEDGE)
    assert np.allclose(profile.z[profile.present].mean(axis=0), 0)
    assert np.allclose(profile.z[~profile.present], 0)


def test_weights_of_occupations_sum_to_one_and_leave_out_those_without_ratings(matcher: Matcher) -> None:
    at = standings(matcher.index, Given.of(matcher, read_inputs(text=RESUME)).vectors)
    assert at.weights[Kind.KNOWLEDGE].sum() == pytest.approx(1)
    assert at.weights[Kind.KNOWLEDGE][matcher.index.row_of["51-9199.00"]] == 0


def test_the_phrase_that_moves_an_area_most_is_one_about_it(matcher: Matcher) -> None:
    given = Given.of(matcher, read_inputs(skills=["argue motions in court", "knead and shape dough"]))
    at = standings(matcher.index, given.vectors)
    shares = phrase_shares(matcher.index, given.vectors, at, Kind.KNOWLEDGE)
    assert shares[area(matcher, "Law and Government")].argmax() == 0
    assert shares[area(matcher, "Food Production")].argmax() == 1
