"""The fit of abstention: its threshold by hand, folds that keep ids together, and damage that is the same each time."""

from __future__ import annotations

import random

import pytest

from tests.benchmarks.abstention import DUTIES, FITTED_ON, FOLDS, damaged, folds_of, mistyped, raised


def test_the_threshold_rises_to_the_middle_between_the_last_refused_and_the_next() -> None:
    # Three of four below: between .5 and 1.5.
    assert raised([-1.0, 1.5, 0.5, -2.0], 3) == pytest.approx(1.0)
    assert raised([-1.0, 1.5, 0.5, -2.0], 4) == pytest.approx(2.0)


def test_a_threshold_that_refuses_enough_already_is_left() -> None:
    assert raised([-1.0, -0.5, 3.0], 1) == 0.0
    assert raised([-1.0, -0.5, 3.0], 0) == 0.0


def test_an_id_is_in_one_fold_and_folds_are_of_one_size() -> None:
    ids = [f"r{n // 3}" for n in range(60)]
    found = folds_of(ids, random.Random(1))
    assert len(found) == 20
    assert sorted(found.values()) == sorted(list(range(FOLDS)) * 4)


def test_letters_are_mistyped_the_same_each_time_and_the_row_stays_itself() -> None:
    rows = [{"id": "a", "kind": "k", "text": "Knead and shape dough for loaves and rolls each night. " * 4}] * 2
    once, again = mistyped(rows, 0.05), mistyped(rows, 0.05)
    assert once == again
    assert once[0]["text"] != rows[0]["text"]
    assert (once[0]["id"], once[0]["kind"]) == ("a", "k")
    assert once[0]["text"] != once[1]["text"]
    assert mistyped(rows, 0.0) == rows


def test_mistyped_duties_are_fitted_on_and_named_apart() -> None:
    assert {damaged(DUTIES, 0.01), damaged(DUTIES, 0.05), DUTIES} <= set(FITTED_ON)
    assert damaged("x", 0.05) == "x, 5% of letters mistyped"
