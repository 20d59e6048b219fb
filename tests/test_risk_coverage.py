"""Risk against coverage: the curve by hand, its numbers, and a drawing whose text is text."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.benchmarks.risk_coverage import Curve, curve, draw, figures, spread

FIXTURES = Path(__file__).parent / "fixtures"


def test_the_surest_are_answered_first_and_accuracy_is_of_those_answered() -> None:
    found = curve(np.array([0.2, 0.9, 0.6, 0.4]), np.array([True, True, False, False]), np.ones(4))
    # By score: right, wrong, wrong, right.
    assert found.coverage.tolist() == [0.25, 0.5, 0.75, 1.0]
    assert found.accuracy.tolist() == pytest.approx([1.0, 1 / 2, 1 / 3, 2 / 4])
    assert [found.at(percent) for percent in (10, 25, 26, 50, 100)] == pytest.approx([1.0, 1.0, 1 / 2, 1 / 2, 1 / 2])


def test_weights_count_in_both_directions() -> None:
    found = curve(np.array([0.9, 0.1]), np.array([True, False]), np.array([3.0, 1.0]))
    assert found.coverage.tolist() == [0.75, 1.0]
    assert found.accuracy.tolist() == pytest.approx([1.0, 0.75])


def test_queries_of_one_score_are_answered_together_so_their_order_does_not_matter() -> None:
    right = np.array([True, False, False, True])
    one = curve(np.array([0.5, 0.5, 0.5, 0.9]), right, np.ones(4))
    assert one.accuracy.tolist() == pytest.approx([1.0, 0.5, 0.5, 0.5])
    assert one.accuracy.tolist() == curve(np.array([0.9, 0.5, 0.5, 0.5]), right[::-1], np.ones(4)).accuracy.tolist()


def test_the_five_numbers_are_those_of_the_curve() -> None:
    found = figures({"a": curve(np.linspace(1, 0, 100), np.arange(100) < 50, np.ones(100))})
    assert found == {"a": {"n": 100, "10 %": 1.0, "25 %": 1.0, "50 %": 1.0, "75 %": 0.667, "100 %": 0.5}}


def test_labels_keep_their_order_and_their_distance() -> None:
    heights = spread([0.5, 0.51, 0.9, 0.505], 0.05)
    assert sorted(range(4), key=lambda place: heights[place]) == [0, 3, 1, 2]
    assert np.diff(sorted(heights)).min() >= 0.05 - 1e-3
    assert heights[2] == 0.9


def test_the_drawing_is_small_repeatable_and_its_text_is_text(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    draws = np.random.default_rng(1)
    found: dict[str, Curve] = {
        name: curve(draws.random(3000), draws.random(3000) < 0.5, np.ones(3000))
        for name in ("pooled", "esco_titles", "resumes", "a", "b", "c", "d")
    }
    for name in ("one.svg", "two.svg"):
        draw(found, tmp_path / name, "A note.")
    text = (tmp_path / "one.svg").read_text(encoding="utf-8")
    assert text == (tmp_path / "two.svg").read_text(encoding="utf-8")
    assert len(text) <= 40_000
    assert all(said in text for said in (">ESCO titles (3,000)<", ">résumés (3,000)<", ">A note.<", ">first place right<"))


def test_the_blind_half_has_six_texts_of_each_of_25_kinds_and_shares_none_with_the_fitted_half() -> None:
    fitted, blind = (
        [json.loads(line) for line in (FIXTURES / name).read_text(encoding="utf-8").splitlines()]
        for name in ("not_resumes.jsonl", "not_resumes_blind.jsonl")
    )
    assert len(fitted) == len(blind) == 150
    kinds = [row["kind"] for row in blind]
    assert {kinds.count(kind) for kind in kinds} == {6}
    assert len(set(kinds)) == 25
    assert all(set(row) == {"id", "kind", "text"} and len(row["text"]) > 150 for row in blind)
    assert len({row["text"] for row in fitted + blind}) == len({row["id"] for row in fitted + blind}) == 300
