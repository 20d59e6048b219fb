"""Groups: roll-up with summed probability, and nothing made up without one."""

from __future__ import annotations

import pytest

from matcher.groups import roll_up


def test_probabilities_are_summed_by_soc_and_major_group() -> None:
    found = roll_up([("15-1299.08", "Architects", 0.2), ("15-1299.09", "Managers", 0.1), ("11-3021.00", "IT Managers", 0.4)])
    assert [(g.code, g.probability) for g in found.major] == [("11-0000", 0.4), ("15-0000", 0.3)]
    assert [(g.code, g.probability) for g in found.soc] == [("11-3021", 0.4), ("15-1299", 0.3)]
    assert found.soc[1].codes == ("15-1299.08", "15-1299.09")
    assert found.sentence() == "about 40 % Management Occupations"


def test_probabilities_that_sum_to_more_than_one_are_divided_by_their_sum() -> None:
    # 0.9 + 0.9 + 0.2 = 2.0
    found = roll_up([("11-1011.00", "A", 0.9), ("11-1021.00", "B", 0.9), ("15-1252.00", "C", 0.2)])
    assert [g.probability for g in found.major] == [0.9, 0.1]


def test_without_probabilities_there_are_no_groups_and_it_says_so() -> None:
    found = roll_up([("11-1011.00", "A", None)])
    assert (found.soc, found.major) == ((), ())
    assert found.note is not None
    assert "not probabilities" in found.sentence()


def test_what_is_no_probability_is_refused() -> None:
    with pytest.raises(ValueError, match="not a probability"):
        roll_up([("11-1011.00", "A", 4.2)])
