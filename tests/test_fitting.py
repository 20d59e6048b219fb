"""Fitting of the ranking model: what it is fitted on, what it may not do, and figures that hold for rows it has not seen."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from matcher.fitting import (
    KINDS,
    Firsts,
    FittingError,
    Rows,
    cutoffs,
    expected_calibration_error,
    first_scores,
    fit_link,
    fit_ranker,
    fit_weights,
    folds_of,
    hits,
    out_of_fold,
    say,
)
from matcher.ranker import ALL_COLUMNS

pytest.importorskip("sklearn", reason="the extra 'train' is not installed")


def some_rows(n: int = 600, seed: int = 0) -> Rows:
    """Return invented candidates: the first column tells the acceptable one, the second tells it wrongly, the rest is noise."""
    draws = np.random.default_rng(seed)
    columns = draws.standard_normal((n * 10, len(ALL_COLUMNS)))
    hit = np.zeros(n * 10, bool)
    right = np.arange(n) * 10 + draws.integers(0, 10, n)
    hit[right] = True
    columns[right, 0] += 2.0
    columns[right, 1] -= 1.0
    number = np.arange(n)
    return Rows(
        columns,
        hit,
        np.arange(n + 1) * 10,
        number % 2,
        number // 2,
        number % len(KINDS),
        np.zeros(n, np.int64),
        np.zeros(n),
        ("a", "b"),
    )


def test_a_telling_column_gets_weight_and_one_that_tells_wrongly_gets_none_not_less() -> None:
    rows = some_rows()
    weights = fit_weights(rows, np.ones(len(rows), bool))
    assert weights[0] > 0.5
    assert weights[1] == 0.0
    assert (weights >= 0).all()


def test_dependent_rows_are_in_one_fold() -> None:
    rows = some_rows()
    fold = folds_of(rows)
    assert len(set(fold.tolist())) == 5
    assert all(len(set(fold[rows.group == group].tolist())) == 1 for group in set(rows.group.tolist()))


def test_hits_by_hand() -> None:
    rows = Rows(
        np.zeros((5, len(ALL_COLUMNS))), np.array([False, True, False, False, True]), np.array([0, 3, 5]),
        np.zeros(2, np.int64), np.arange(2), np.zeros(2, np.int64), np.zeros(2, np.int64), np.zeros(2), ("a",),
    )  # fmt: skip
    fusion = np.array([3.0, 2.0, 1.0, 0.0, 5.0])
    assert hits(rows, fusion, 1).tolist() == [False, True]
    assert hits(rows, fusion, 2).tolist() == [True, True]


def test_files_have_the_same_say_whatever_their_size_and_small_ones_no_more_than_their_rows() -> None:
    rows = some_rows(1000)
    rows = Rows(
        rows.columns,
        rows.hit,
        rows.bounds,
        (np.arange(1000) >= 900).astype(np.int64),
        rows.group,
        rows.kind,
        rows.index,
        rows.likeness,
        rows.names,
    )
    weights = say(rows, np.ones(1000, bool), 200)
    # 900 rows with the say of 200, and 100 rows with their own: 200 / 300 and 100 / 300
    assert weights[:900].sum() == pytest.approx(2 / 3)
    assert weights[900:].sum() == pytest.approx(1 / 3)


def test_probabilities_of_first_places_are_right_as_often_as_they_say() -> None:
    rows = some_rows(3000)
    firsts = first_scores(rows, out_of_fold(rows))
    weight = np.ones(len(rows))
    assert firsts.score.mean() == pytest.approx(firsts.right.mean(), abs=0.03)
    assert expected_calibration_error(firsts.score, firsts.right, weight) < 0.05


def test_the_link_increases() -> None:
    rows = some_rows()
    share = rows.softmax(rows.columns[:, 0])
    link = fit_link(rows, share, np.ones(len(rows), bool))
    assert set(link) == {"a", "b", *KINDS, "likeness"}
    assert link["a"] > 0
    assert link["b"] >= 0


def test_the_calibration_error_by_hand() -> None:
    score, right = np.array([0.2, 0.2, 0.8, 0.8]), np.array([False, False, True, False])
    # two bins: |0.2 - 0| and |0.8 - 0.5|, half the mass each
    assert expected_calibration_error(score, right, np.ones(4), bins=2) == pytest.approx(0.25)


def test_high_is_said_where_85_percent_are_right_and_never_where_they_are_not() -> None:
    score = np.linspace(0, 1, 1000)
    firsts = Firsts(score, np.random.default_rng(1).random(1000) < score)
    found = cutoffs(firsts, np.ones(1000))
    assert firsts.right[score >= found["high"]].mean() >= 0.849  # the cut-off is rounded
    assert found["medium"] < found["high"]
    never = Firsts(score, np.zeros(1000, bool))
    assert cutoffs(never, np.ones(1000)) == {"high": 1.0, "medium": 1.0}


def test_a_ranker_is_written_that_loads_and_its_figures_are_told(tmp_path: Path) -> None:
    from matcher import Matcher
    from matcher.evaluation import LabelledQuery
    from matcher.index import OccupationIndex, build_index
    from matcher.ranker import LearnedRanker
    from tests.invented import RELEASE, WordEncoder

    build_index(RELEASE, WordEncoder(), tmp_path / "index")
    matcher = Matcher(OccupationIndex.load(tmp_path / "index"), WordEncoder())
    rows = [LabelledQuery(f"t{i}", frozenset({"51-3011.00"}), title=f"Baker {i}") for i in range(12)]
    rows += [LabelledQuery(f"c{i}", frozenset({"35-2014.00"}), title=f"Line Cook {i}") for i in range(12)]
    rows += [LabelledQuery(f"w{i}", frozenset({"23-1011.00"}), title=f"Baker {i}") for i in range(12, 18)]
    with pytest.raises(FittingError, match="two or more kinds"):
        fit_ranker([matcher], {"titles": rows}, tmp_path / "model")
    told = fit_ranker([matcher], {"titles": rows[::2], "others": rows[1::2]}, tmp_path / "model")
    ranker = LearnedRanker.load(tmp_path / "model" / "ranker.json")
    assert ranker.encoder == WordEncoder().digest
    assert not ranker.suits(matcher.index), "five occupations are not all of them"
    assert told["indexes"][RELEASE.name]["titles"]["n"] == 15
    assert json.loads((tmp_path / "model" / "ranker.json").read_text())["weights"].keys() == set(ALL_COLUMNS)


def test_a_query_that_is_like_no_occupation_is_trusted_less() -> None:
    rows = some_rows()
    likeness = np.random.default_rng(1).random(len(rows))
    # Below a half, what comes first is wrong.
    hit = rows.hit & (likeness >= 0.5)[rows.query]
    rows = replace(rows, hit=hit, likeness=likeness)
    link = fit_link(rows, rows.softmax(rows.columns[:, 0]), np.ones(len(rows), bool))
    assert link["likeness"] > 1.0
