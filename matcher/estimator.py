"""Estimators: the matcher in scikit-learn's terms, for Pipelines and grid searches (extra ``train``).

Importing this module imports scikit-learn; nothing else in the package imports it. ``X`` is a list of texts, or a table (n, f) whose rows are one
person each and whose cells are pieces of what that person gave: the cells of a row are read as the lines of one text, and an empty cell (None, NaN)
as nothing. Both estimators pass ``check_estimator`` without an expected failure. A row that cannot be read as a query (too short, only numbers) has zeros for signals and the frequencies of the classes as
probabilities.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from matcher.given import Given, row_of
from matcher.match import Matcher
from matcher.ranker import ALL_COLUMNS, table_of
from matcher.resume import read_query

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
    from sklearn.utils import assert_all_finite, check_consistent_length, column_or_1d
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data
except ImportError:
    raise ImportError("matcher.estimator needs scikit-learn: pip install 'occupation-matcher[train]'") from None

#: What the code of an occupation counts as, in rows of the training data, where a class is that code.
_OWN_CODE = 1.0
#: How much of the frequencies of the classes, in rows, is mixed into what is known of each occupation.
_SMOOTHING = 0.05


@functools.lru_cache(maxsize=4)
def _matcher(index: str | None) -> Matcher:
    return Matcher.load(index)


class _OnTexts(BaseEstimator):  # type: ignore[misc]
    """What both estimators share: the index, and rows as texts."""

    index: str | Path | None

    def _engine(self) -> Matcher:
        # Not an attribute: an index is mapped from its folder, and a pickle holds the folder's name.
        return _matcher(None if self.index is None else str(self.index))

    def _texts(self, X: Any, *, reset: bool) -> list[str]:
        if not hasattr(X, "columns"):
            cells = X.tolist() if hasattr(X, "tolist") and getattr(X, "ndim", 0) == 1 else X
            if isinstance(cells, Sequence) and not isinstance(cells, str) and cells and all(isinstance(x, str) for x in cells):
                X = np.array(cells, dtype=object)[:, None]
        table = validate_data(self, X, dtype=None, ensure_all_finite=False, reset=reset)
        return ["\n".join(str(cell) for cell in row if cell is not None and cell == cell) for row in table.tolist()]

    def _given(self, text: str) -> Given | None:
        query = read_query(text=text)
        return None if query.reasons or not query.phrases else Given.of(self._engine(), query)

    def _shares(self, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        """Return (n, occupations) how the fused scores are shared among occupations: rows sum to 1, or are 0 where nothing can be read."""
        engine = self._engine()
        found = np.zeros((len(texts), len(engine.index)))
        for place, text in enumerate(texts):
            if (given := self._given(text)) is not None:
                ranking = engine.ranker.rank(engine.index, given.vectors)
                share = np.exp(ranking.fusion - ranking.fusion.max())
                found[place, ranking.rows] = share / share.sum()
        return found

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.allow_nan = True
        return tags


class OccupationSignals(TransformerMixin, _OnTexts):  # type: ignore[misc]
    """Turn texts into signals.

    Without ``code``: the fused scores of a text over all occupations as shares, (n, occupations), one column a code, 0 for those that were not
    looked at. With ``code``: the signals of that one occupation, (n, 16), standardised over the occupations that were looked at; columns are
    ``matcher.ranker.ALL_COLUMNS``. ``index`` is the folder of an index, by default the bundled one.

    Raises AdviceError in ``fit`` for an unknown code or one without data.
    """

    def __init__(self, *, code: str | None = None, index: str | Path | None = None) -> None:
        self.code = code
        self.index = index

    def fit(self, X: Any, y: Any = None) -> OccupationSignals:
        """Check ``X`` and the parameters; there is nothing to learn."""
        self._texts(X, reset=True)
        index = self._engine().index
        if self.code is not None:
            row_of(index, self.code)
        self.n_signals_ = len(index) if self.code is None else len(ALL_COLUMNS)
        return self

    def transform(self, X: Any) -> npt.NDArray[np.float64]:
        """Return the signals, float64; see the class."""
        check_is_fitted(self)
        texts = self._texts(X, reset=False)
        if self.code is None:
            return self._shares(texts)
        index = self._engine().index
        row = row_of(index, self.code)
        only = np.zeros(len(index), dtype=bool)
        only[row] = True
        found = np.zeros((len(texts), len(ALL_COLUMNS)))
        for place, text in enumerate(texts):
            if (given := self._given(text)) is not None:
                table = table_of(index, given.vectors, only, more=True)
                found[place] = table.columns[int(np.flatnonzero(table.rows == row)[0])]
        return found

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:
        """Return the codes, or the names of the signals."""
        check_is_fitted(self)
        names = ALL_COLUMNS if self.code is not None else [entry.code for entry in self._engine().index.entries]
        return np.array(names, dtype=object)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.requires_fit = True
        return tags


class OccupationClassifier(ClassifierMixin, _OnTexts):  # type: ignore[misc]
    """Say which class each text belongs to: O*NET-SOC codes, or labels of your own (job families, another classification).

    ``fit(X)`` learns nothing: the classes are the codes of the index. ``fit(X, y)`` learns from labelled rows how occupations map to labels:
    ``P(label | text) = Σ P(occupation | text) P(label | occupation)``, the second factor counted from the shares of the training rows, where
    a label that is a code counts itself once, and smoothed by the frequencies of the labels. Probabilities are shares, not calibrated ones.
    """

    def __init__(self, *, index: str | Path | None = None) -> None:
        self.index = index

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> OccupationClassifier:
        """Learn labels, or nothing without ``y`` (n,)."""
        index = self._engine().index
        if y is None:
            self._texts(X, reset=True)
            self.classes_ = np.array([entry.code for entry in index.entries], dtype=object)
            self.frequencies_ = np.full(len(index), 1 / len(index))
            self.label_of_occupation_ = np.eye(len(index))
            return self
        y = column_or_1d(y, warn=True)
        assert_all_finite(y, input_name="y")
        check_consistent_length(X, y)
        texts = self._texts(X, reset=True)
        check_classification_targets(y)
        weights = _check_sample_weight(sample_weight, texts, dtype=np.float64)
        self.classes_, numbers = np.unique(y, return_inverse=True)
        counts = np.zeros((len(index), len(self.classes_)))
        np.add.at(counts.T, numbers, self._shares(texts) * weights[:, None])
        self.frequencies_ = np.bincount(numbers, weights, minlength=len(self.classes_)) / max(weights.sum(), 1e-300)
        for number, label in enumerate(self.classes_.tolist()):
            if label in index.row_of:
                counts[index.row_of[label], number] += _OWN_CODE
        counts += _SMOOTHING * self.frequencies_[None, :]
        self.label_of_occupation_ = counts / counts.sum(axis=1, keepdims=True)
        return self

    def predict_proba(self, X: Any) -> npt.NDArray[np.float64]:
        """Return (n, classes); rows sum to 1."""
        check_is_fitted(self)
        shares = self._shares(self._texts(X, reset=False))
        found = np.einsum("no,ol->nl", shares, self.label_of_occupation_)
        found[~shares.any(axis=1)] = self.frequencies_
        rows: npt.NDArray[np.float64] = found / found.sum(axis=1, keepdims=True)
        return rows

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """Return the most probable class of each text (n,); ties go to the first in the order of ``classes_``."""
        check_is_fitted(self)
        best: npt.NDArray[Any] = self.classes_[self.predict_proba(X).argmax(axis=1)]
        return best

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = False
        # It learns from texts about work; of numbers, which the checks bring, it knows nothing.
        tags.classifier_tags.poor_score = True
        return tags
