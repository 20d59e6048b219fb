"""Estimators: scikit-learn's own checks, and what they say of texts."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from matcher import Matcher
from matcher.encoder import load_encoder
from matcher.given import AdviceError
from matcher.index import build_index
from matcher.ranker import ALL_COLUMNS
from matcher.resources import encoder_path
from tests.invented import RELEASE, WAGES

pytest.importorskip("sklearn")

from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_estimator

from matcher.estimator import OccupationClassifier, OccupationSignals

BAKER, LAWYER = "51-3011.00", "23-1011.00"
DOUGH = [
    "Kneaded dough and shaped loaves before dawn",
    "Baked bread and rolls in a deck oven",
    "Mixed flour, yeast and water for bread dough",
]
LAW = ["Wrote contracts and advised clients on the law", "Represented clients in court", "Prepared legal briefs and argued appeals"]
#: Names of checks that are expected to fail, and why: none.
EXPECTED_FAILED_CHECKS: dict[str, str] = {}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index over the invented release."""
    folder = tmp_path_factory.mktemp("estimator") / "index"
    build_index(RELEASE, load_encoder(encoder_path()), folder, wages=WAGES, notice="Invented.")
    return folder


@pytest.mark.filterwarnings("ignore:SCIPY_ARRAY_API")
@pytest.mark.parametrize("made", ["scores", "signals", "classifier"])
def test_scikit_learns_checks_pass(folder: Path, made: str) -> None:
    estimators: dict[str, Any] = {
        "scores": OccupationSignals(index=folder),
        "signals": OccupationSignals(index=folder, code=BAKER),
        "classifier": OccupationClassifier(index=folder),
    }
    found = check_estimator(estimators[made], expected_failed_checks=EXPECTED_FAILED_CHECKS, on_fail=None, on_skip=None)
    assert [(check["check_name"], repr(check["exception"])) for check in found if check["status"] in ("failed", "xfail")] == []
    assert len([check for check in found if check["status"] == "passed"]) > 40


def test_the_top_code_is_that_of_the_matcher(folder: Path) -> None:
    matcher = Matcher.load(folder)
    texts = [*DOUGH, *LAW]
    found = OccupationClassifier(index=folder).fit(texts)
    assert found.predict(texts).tolist() == [matcher.match(text, top=1)[0].code for text in texts]
    assert np.allclose(found.predict_proba(texts).sum(axis=1), 1)


def test_scores_are_shares_by_code_and_signals_are_named(folder: Path) -> None:
    scores = OccupationSignals(index=folder).fit(DOUGH)
    table = scores.transform(DOUGH)
    assert table.shape == (3, len(scores.get_feature_names_out()))
    assert np.allclose(table.sum(axis=1), 1)
    assert scores.get_feature_names_out()[table[1].argmax()] == BAKER
    signals = OccupationSignals(index=folder, code=BAKER).fit(DOUGH)
    assert signals.get_feature_names_out().tolist() == list(ALL_COLUMNS)
    baking, law = signals.transform([DOUGH[1], LAW[1]])
    assert baking.mean() > law.mean()
    with pytest.raises(AdviceError, match="not in this index"):
        OccupationSignals(index=folder, code="99-9999.00").fit(DOUGH)


def test_labels_of_ones_own_are_learned_alone_and_in_a_pipeline(folder: Path) -> None:
    texts, labels = [*DOUGH, *LAW], ["kitchen"] * 3 + ["office"] * 3
    own = OccupationClassifier(index=folder)
    assert cross_val_predict(own, texts, labels, cv=3).tolist() == labels
    line = make_pipeline(OccupationSignals(index=folder), LogisticRegression(C=100.0))
    assert clone(line).fit(texts, labels).predict(["Made dough for bread", "Argued a case in court"]).tolist() == [
        "kitchen",
        "office",
    ]


def test_a_class_that_is_a_code_knows_itself_without_rows_of_its_own(folder: Path) -> None:
    # Both rows are about law, one is labelled as if it were baking: the code's own occupation still wins.
    found = OccupationClassifier(index=folder).fit([LAW[0], LAW[1]], [BAKER, LAWYER])
    assert found.predict([DOUGH[1]]).tolist() == [BAKER]


def test_weights_count_rows(folder: Path) -> None:
    texts, labels = [DOUGH[0], DOUGH[0]], ["a", "b"]
    found = OccupationClassifier(index=folder).fit(texts, labels, sample_weight=[3.0, 1.0])
    # Three rows of four, whatever is smoothed towards the same frequencies.
    assert found.predict_proba([DOUGH[0]])[0].tolist() == pytest.approx([0.75, 0.25])


def test_cells_of_a_row_are_one_text_and_empty_ones_are_nothing(folder: Path) -> None:
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({"title": ["Baker", None], "duties": [DOUGH[1], LAW[0]]})
    found = OccupationSignals(index=folder).fit(table)
    assert found.feature_names_in_.tolist() == ["title", "duties"]
    assert np.array_equal(found.transform(table)[1], OccupationSignals(index=folder).fit([LAW[0]]).transform([LAW[0]])[0])


def test_a_row_that_cannot_be_read_has_no_signals_and_the_frequencies_of_the_classes(folder: Path) -> None:
    assert not OccupationSignals(index=folder).fit(DOUGH).transform(["?"]).any()
    found = OccupationClassifier(index=folder).fit([*DOUGH, LAW[0]], ["a", "a", "a", "b"])
    assert found.predict_proba(["?"])[0].tolist() == pytest.approx([0.75, 0.25])


def test_a_fitted_estimator_is_small_when_pickled_and_answers_the_same(folder: Path) -> None:
    found = OccupationSignals(index=folder).fit(DOUGH)
    data = pickle.dumps(found)
    assert len(data) < 5000
    again = pickle.loads(data)  # noqa: S301 - the bytes of the line above
    assert np.array_equal(again.transform(LAW), found.transform(LAW))


def test_scikit_learn_is_imported_with_this_module_only_and_asked_for_by_its_extra() -> None:
    code = "import sys; from matcher import Matcher; print('sklearn' in sys.modules); sys.modules['sklearn'] = None\ntry:\n import matcher.estimator\nexcept ImportError as error: print(error)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["False", "matcher.estimator needs scikit-learn: pip install 'occupation-matcher[train]'"]
