"""The lexical index against the libraries whose scores it promises."""

from __future__ import annotations

import bm25s
import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from matcher.lexical import build_lexical, words

DOCUMENTS = [
    ["Bakers", "Knead dough and shape loaves", "Check the oven"],
    ["Lawyers", "Argue motions in court", "Draft contracts for clients", "court court"],
    ["Cooks", "Chop vegetables and check the oven", "Season meat"],
    ["Programmers", "Write C++ and C# code", "Test code, mend code"],
]


def test_words_are_lower_case_without_plurals_or_stop_words_and_keep_plus_and_sharp() -> None:
    assert words("The Policies of C++ programmers: boss, bus & nurses") == [
        "policy",
        "c++",
        "programmer",
        "boss",
        "bus",
        "nurse",
    ]


@pytest.mark.parametrize("query", ["check the oven", "code in court", "C++ code code", "nothing known here", ""])
def test_bm25_equals_the_library(query: str) -> None:
    index = build_lexical(DOCUMENTS)
    tokens = [[w for text in document for w in words(text)] for document in DOCUMENTS]
    oracle = bm25s.BM25(method="lucene", k1=1.5, b=0.75)
    oracle.index(tokens, show_progress=False)
    known = [w for w in words(query) if any(w in t for t in tokens)]
    expected = oracle.get_scores(known) if known else np.zeros(4)
    np.testing.assert_allclose(index.signals([query], np.ones(1))[0], expected, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("query", ["check oven", "draft contracts court", "vegetables season meat"])
def test_tfidf_equals_scikit_learn_where_every_count_is_one(query: str) -> None:
    index = build_lexical([[text] for texts in DOCUMENTS for text in texts])
    flat = [text for texts in DOCUMENTS for text in texts]
    oracle = TfidfVectorizer(
        analyzer=lambda t: (w := words(t)) + [f"{a} {b}" for a, b in zip(w, w[1:], strict=False)], sublinear_tf=True
    )
    matrix = oracle.fit_transform(flat)
    expected = (matrix @ oracle.transform([query]).T).toarray()[:, 0]
    np.testing.assert_allclose(index.signals([query], np.ones(1))[1], expected, atol=1e-6)


def test_pairs_do_not_cross_from_one_text_into_the_next() -> None:
    index = build_lexical([["green tea", "cup of milk"], ["tea cup", "green milk"]])
    _, tfidf = index.signals(["tea cup"], np.ones(1))
    assert tfidf[1] > tfidf[0]


def test_a_phrase_of_weight_zero_changes_nothing() -> None:
    index = build_lexical(DOCUMENTS)
    alone = index.signals(["check the oven"], np.ones(1))
    beside = index.signals(["check the oven", "zzz"], np.array([1.0, 0.0]))
    assert alone[0].tobytes() == beside[0].tobytes()
    assert alone[1].tobytes() == beside[1].tobytes()


def test_texts_are_never_read_into_one_another_whatever_they_hold() -> None:
    index = build_lexical([["green tea", "cup of milk"], ["tea cup", "green milk"]])
    apart = index.signals(["green", "tea"], np.ones(2))
    assert index.signals(["green\0", "tea"], np.ones(2))[1].tobytes() == apart[1].tobytes()
    assert index.signals(["green tea"], np.ones(1))[1].tobytes() != apart[1].tobytes()
