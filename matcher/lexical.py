"""The lexical index: BM25 and TF-IDF of one document an occupation, as a few flat arrays.

BM25 scores are computed when the index is built (``bm25s``: the score of a term in a document does not depend on the query), so
a query is a sparse sum. TF-IDF is over words and pairs of neighbouring words, with sublinear counts and unit rows, as
scikit-learn's ``TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)`` gives it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

_WORD = re.compile(r"[a-z0-9]+[+#]*")
#: The same, and the border between two texts that are read as one.
_WORD_OR_BORDER = re.compile(r"[a-z0-9]+[+#]*|\0")
_STOP = frozenset(
    (
        "a an and are as at be been but by can do for from had has have he her his i in into is it its may me my no not of on "
        "or our she so such than that the their them then there these they this those to up us was we were which who will with "
        "you your"
    ).split()
)


def _stem(word: str) -> str:
    """Strip a plural ending (Harman's S-stemmer, 1991): ``policies`` → ``policy``, ``nurses`` → ``nurse``."""
    if len(word) < 4 or word[-1] != "s" or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies") and not word.endswith(("eies", "aies")):
        return word[:-3] + "y"
    return word[:-1]


def words(text: str) -> list[str]:
    """Return the words of ``text`` in order: lower case, plural endings and stop words removed; ``c++`` and ``c#`` stay whole."""
    return [_stem(word) for word in _WORD.findall(text.lower()) if word not in _STOP]


@dataclass(frozen=True, slots=True)
class Postings:
    """A sparse term × document matrix: of term ``t``, ``weights[bounds[t]:bounds[t+1]]`` belong to ``documents[…]``."""

    bounds: npt.NDArray[np.int64]
    documents: npt.NDArray[np.int32]
    weights: npt.NDArray[np.float32]

    def scores(
        self, terms: npt.NDArray[np.int64], query_weights: npt.NDArray[np.float64], n_documents: int
    ) -> npt.NDArray[np.float64]:
        """Return the (n_documents,) weighted sums over ``terms``, each in float64 and in the order of the terms."""
        starts = self.bounds[terms]
        lengths = self.bounds[terms + 1] - starts
        total = int(lengths.sum())
        if total == 0:
            return np.zeros(n_documents, dtype=np.float64)
        offsets = np.repeat(starts - np.concatenate(([0], np.cumsum(lengths)[:-1])), lengths) + np.arange(total)
        contributions = self.weights[offsets].astype(np.float64) * np.repeat(query_weights, lengths)
        return np.bincount(self.documents[offsets], weights=contributions, minlength=n_documents).astype(np.float64)


@dataclass(frozen=True, slots=True)
class LexicalIndex:
    """Words, neighbouring pairs and their postings over ``n_documents`` occupations.

    ``pairs`` holds the known pairs as sorted keys ``first × n_words + second``; ``idf`` is of the words and then the pairs.
    """

    vocabulary: Mapping[str, int]
    pairs: npt.NDArray[np.int64]
    idf: npt.NDArray[np.float32]
    bm25: Postings
    tfidf: Postings
    n_documents: int

    def signals(
        self, texts: Sequence[str], weights: npt.NDArray[np.float64]
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Return the BM25 and the TF-IDF column, each (n_documents,), of phrases weighted by ``weights`` (len(texts),)."""
        size = len(self.vocabulary)
        numbers = self.numbers(texts)
        words_at = np.flatnonzero(numbers >= 0)
        if not len(words_at):
            return np.zeros(self.n_documents), np.zeros(self.n_documents)
        weight_of = weights[np.cumsum(numbers == BORDER)]
        terms, amounts = _summed(numbers[words_at], weight_of[words_at])
        bm25 = self.bm25.scores(terms, amounts, self.n_documents)
        seconds = words_at[(words_at > 0) & (numbers[words_at - 1] >= 0)]
        keys, key_amounts = _summed(numbers[seconds - 1] * size + numbers[seconds], weight_of[seconds])
        places = np.minimum(np.searchsorted(self.pairs, keys), max(len(self.pairs) - 1, 0))
        known = self.pairs[places] == keys if len(self.pairs) else np.zeros(len(keys), dtype=bool)
        all_terms = np.concatenate((terms, places[known] + size))
        values = np.log1p(np.concatenate((amounts, key_amounts[known]))) * self.idf[all_terms]
        norm = np.sqrt(np.sum(values * values))
        return bm25, self.tfidf.scores(all_terms, values / (norm or 1.0), self.n_documents)

    def numbers(self, texts: Sequence[str]) -> npt.NDArray[np.int64]:
        """Return the numbers of the words of all texts in order, stop words aside: unknown words are −1, borders of texts BORDER."""
        find = self.vocabulary.get
        whole = "\0".join([text.replace("\0", " ") for text in texts]).lower()
        known: dict[str, int] = {"\0": BORDER}
        numbers: list[int] = []
        for word in _WORD_OR_BORDER.findall(whole):
            number = known.get(word)
            if number is None:
                number = known[word] = _STOPPED if word in _STOP else find(_stem(word), -1)
            if number != _STOPPED:
                numbers.append(number)
        return np.array(numbers, dtype=np.int64)


#: What stands for the border between two texts, and for a stop word, among the numbers of words.
BORDER, _STOPPED = -2, -3


def _summed(keys: npt.NDArray[np.int64], weights: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Return the different keys, ascending, and the sum of each one's weights, added up in order."""
    unique, which = np.unique(keys, return_inverse=True)
    return unique, np.bincount(which, weights=weights, minlength=len(unique)).astype(np.float64)


def build_lexical(documents: Iterable[Sequence[str]]) -> LexicalIndex:
    """Return the lexical index of one list of texts a document; pairs never cross from one text into the next.

    BM25 is Lucene's (k1 = 1.5, b = 0.75) as ``bm25s`` computes it.
    """
    import bm25s

    vocabulary: dict[str, int] = {}
    corpus: list[list[list[int]]] = []
    for texts in documents:
        corpus.append([[vocabulary.setdefault(word, len(vocabulary)) for word in words(text)] for text in texts])
    size, n = len(vocabulary), len(corpus)
    flat = [[token for text in document for token in text] for document in corpus]
    retriever = bm25s.BM25(method="lucene", k1=1.5, b=0.75)
    retriever.index((flat, dict(vocabulary)), show_progress=False)  # it adds an entry of its own to the dict
    scores = retriever.scores
    bm25 = Postings(
        np.asarray(scores["indptr"], np.int64)[: size + 1],
        np.asarray(scores["indices"], np.int32),
        np.asarray(scores["data"], np.float32),
    )
    pair_documents: list[Counter[int]] = [
        Counter(a * size + b for text in document for a, b in zip(text, text[1:], strict=False)) for document in corpus
    ]
    pairs = np.array(sorted(set().union(*pair_documents)), dtype=np.int64)
    rows: list[npt.NDArray[np.int64]] = []
    terms: list[npt.NDArray[np.int64]] = []
    values: list[npt.NDArray[np.float64]] = []
    for number, (tokens, counted) in enumerate(zip(flat, pair_documents, strict=True)):
        singles, amounts = np.unique(np.array(tokens, dtype=np.int64), return_counts=True)
        keys = np.array(sorted(counted), dtype=np.int64)
        terms.append(np.concatenate((singles, np.searchsorted(pairs, keys) + size)))
        values.append(1 + np.log(np.concatenate((amounts, np.array([counted[k] for k in keys.tolist()])))))
        rows.append(np.full(len(terms[-1]), number))
    term, row, value = np.concatenate(terms), np.concatenate(rows), np.concatenate(values)
    frequency = np.bincount(term, minlength=size + len(pairs))
    idf = np.log((1 + n) / (1 + frequency)) + 1  # scikit-learn's smooth_idf
    value = value * idf[term]
    norms = np.sqrt(np.bincount(row, weights=value * value, minlength=n))
    value = value / norms[row]
    order = np.lexsort((row, term))
    bounds = np.concatenate(([0], np.cumsum(frequency)))
    tfidf = Postings(bounds.astype(np.int64), row[order].astype(np.int32), value[order].astype(np.float32))
    return LexicalIndex(vocabulary, pairs, idf.astype(np.float32), bm25, tfidf, n)
