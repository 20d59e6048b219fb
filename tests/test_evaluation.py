"""Measures against hand arithmetic and against ir_measures."""

from __future__ import annotations

import json
import math
from pathlib import Path

import ir_measures
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ir_measures import RR, Qrel, ScoredDoc, Success, nDCG

from matcher.evaluation import EvaluationError, measures_of, read_labelled
from matcher.intervals import estimate, paired_difference


def test_measures_by_hand() -> None:
    values = measures_of(["a", "b", "c", "d"], frozenset({"b", "d"}))
    assert values["hit@1"] == 0
    assert values["hit@5"] == values["hit@10"] == 1
    assert values["MRR"] == 0.5
    # gains at ranks 2 and 4: 1/log2(3) + 1/log2(5); ideal at 1 and 2: 1 + 1/log2(3)
    assert values["nDCG@10"] == pytest.approx((1 / math.log2(3) + 1 / math.log2(5)) / (1 + 1 / math.log2(3)))


def test_an_empty_ranking_scores_nothing() -> None:
    assert set(measures_of([], frozenset({"a"})).values()) == {0.0}


CODES = [f"c{i:02d}" for i in range(30)]


@given(st.permutations(CODES), st.sets(st.sampled_from(CODES), min_size=1, max_size=12))
def test_measures_equal_ir_measures(ranking: list[str], labels: set[str]) -> None:
    ours = measures_of(ranking, frozenset(labels))
    qrels = [Qrel("q", code, 1) for code in labels]
    run = [ScoredDoc("q", code, -float(place)) for place, code in enumerate(ranking)]
    theirs = ir_measures.calc_aggregate([Success @ 1, Success @ 5, Success @ 10, RR, nDCG @ 10], qrels, run)
    names = {"hit@1": Success @ 1, "hit@5": Success @ 5, "hit@10": Success @ 10, "MRR": RR, "nDCG@10": nDCG @ 10}
    for name, measure in names.items():
        assert ours[name] == pytest.approx(theirs[measure], abs=1e-9), name


def test_the_interval_of_a_share_is_wilsons() -> None:
    # 8 of 10: centre (0.8 + 1.9208/10) / (1 + 3.8415/10) = 0.71673, half width 0.22661 (Wilson 1927)
    found = estimate([1.0] * 8 + [0.0] * 2)
    assert (found.mean, found.n) == (0.8, 10)
    assert found.low == pytest.approx(0.4902, abs=1e-3)
    assert found.high == pytest.approx(0.9433, abs=1e-3)


def test_the_bootstrapped_interval_covers_a_known_mean_about_as_often_as_it_says() -> None:
    draws = np.random.default_rng(3)
    covered = 0
    for seed in range(100):
        found = estimate(draws.beta(2, 3, 80).tolist(), seed=seed)
        covered += found.low <= 0.4 <= found.high
    assert 88 <= covered <= 100


def test_a_paired_difference_of_equal_runs_is_nought() -> None:
    found = paired_difference([1, 0, 1], [1, 0, 1])
    assert (found.mean, found.low, found.high) == (0, 0, 0)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("nonsense", "line 2: not JSON"),
        ("[]", "line 2: expected an object"),
        ('{"title": "x"}', "line 2: 'labels'"),
        ('{"title": "x", "labels": []}', "line 2: 'labels'"),
        ('{"labels": ["a"]}', "line 2: expected one or more"),
        ('{"skills": "x", "labels": ["a"]}', "line 2: 'skills'"),
        ('{"text": 3, "labels": ["a"]}', "line 2: 'text'"),
    ],
)
def test_a_bad_row_is_named_by_file_and_line(tmp_path: Path, row: str, message: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({"id": "1", "title": "Baker", "labels": ["51-3011.00"]}) + "\n" + row + "\n")
    with pytest.raises(EvaluationError, match=message):
        read_labelled(path)


def test_a_file_that_is_missing_or_not_utf8_is_named(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match=r"none\.jsonl: cannot be read"):
        read_labelled(tmp_path / "none.jsonl")
    (tmp_path / "latin.jsonl").write_bytes(b'{"title": "caf\xe9"}\n')
    with pytest.raises(EvaluationError, match="not UTF-8"):
        read_labelled(tmp_path / "latin.jsonl")
