"""The directory of an index's names: occupations by title in spite of typos, and names to offer while somebody types.

A keyword is taken word by word. Each finds the words of titles that are equal to it, begin with it, or differ by a typo or two, and a
title is as good as its words: how much of the keyword it has, and how little else.
"""

from __future__ import annotations

import heapq
import math
import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from rapidfuzz import fuzz, process
from rapidfuzz.distance import OSA

from matcher.index import KINDS, OccupationIndex
from matcher.records import Kind

#: Of the weight of a keyword's words at least so much must be in a title.
LEAST_COVERAGE = 0.55
#: What a title is worth that has all of the keyword and a lot more; one that has nothing more is worth 1.
_LONG_TITLE = 0.6
#: What it adds that an occupation's own title, not just one that people use, has the keyword.
_OFFICIAL = 0.2
_PLURAL = 0.99
_PREFIX = 0.93
_TYPO = 0.88
_MOST_WORDS = 12
_SKILLS = (Kind.TECHNOLOGY, Kind.SKILL, Kind.KNOWLEDGE)
_WORD = re.compile(r"[^\W_]+[+#]*")
_SMALL = frozenset("a an and at by except for from in of on or other the to with all".split())


@dataclass(frozen=True, slots=True)
class Found:
    """An occupation (``row`` of the index) that a keyword found, by ``title``; ``closeness`` is higher for better ones, at most 1.2."""

    row: int
    title: str
    closeness: float


@dataclass(frozen=True, slots=True)
class Name:
    """A name to offer; ``row`` is the occupation it leads to, None for a skill."""

    text: str
    row: int | None


def fold(text: str) -> str:
    """Return a text without case, accents and marks, its words parted by single blanks."""
    return " ".join(_words(text))


def _words(text: str) -> list[str]:
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return _WORD.findall(plain)


def _typos(word: str) -> int:
    return 0 if len(word) < 4 or not word.isalpha() else 1 if len(word) < 8 else 2


@dataclass(frozen=True, slots=True)
class _Names:
    """Names in the order of what they begin with, from every word of theirs on."""

    texts: list[str]
    folded: list[str]
    rows: list[int | None]
    #: How good a name is by itself, smaller is better.
    ranks: list[tuple[int, int, str]]
    starts: list[str]
    names: list[int]
    at: list[int]
    #: What the shortest beginnings find, once somebody asked: they have the most names.
    short: dict[str, list[int]]

    @classmethod
    def of(cls, items: Iterable[tuple[str, int | None, int]]) -> _Names:
        texts, folded, rows, ranks = [], [], [], []
        entries: list[tuple[str, int, int]] = []
        for number, (text, row, worth) in enumerate(items):
            texts.append(text)
            rows.append(row)
            ranks.append((-worth, len(text), text))
            words = _words(text)
            folded.append(" ".join(words))
            for place in range(min(len(words), 8)):
                entries.append((" ".join(words[place:]), number, place))
        entries.sort()
        starts, names, at = [e[0] for e in entries], [e[1] for e in entries], [e[2] for e in entries]
        return cls(texts, folded, rows, ranks, starts, names, at, {})

    def beginning_with(self, prefix: str, limit: int) -> list[int]:
        if (known := self.short.get(prefix)) is not None and limit <= len(known):
            return known[:limit]
        first = bisect_left(self.starts, prefix)
        last = bisect_left(self.starts, prefix + "\U0010ffff")
        best: dict[int, int] = {}
        for place in range(first, last):
            name, at = self.names[place], min(self.at[place], 1)
            best[name] = min(at, best.get(name, at))
        found = heapq.nsmallest(limit, best, key=lambda name: (best[name], self.ranks[name]))
        if len(prefix) <= 2 and prefix.isascii():
            self.short[prefix] = found
        return found


class Directory:
    """Every name of one index, ready to be searched; nothing in it changes."""

    def __init__(self, index: OccupationIndex) -> None:
        self.digest = index.digest
        self._codes = [entry.code for entry in index.entries]
        bounds = index.bounds[KINDS.index(Kind.TITLE)]
        first, last = int(bounds[0]), int(bounds[-1])
        texts = index.texts
        self._titles = [texts[int(i)] for i in index.text_of[first:last]]
        self._row = np.repeat(np.arange(len(index)), np.diff(bounds))
        self._official = np.zeros(len(self._titles), dtype=bool)
        # An occupation's first title is its own.
        self._official[bounds[:-1][np.diff(bounds) > 0] - first] = True
        self._index_words()
        self._title_names = self._collect_titles()
        self._skill_names = _Names.of(self._collect_skills(index))

    def _index_words(self) -> None:
        self._vocabulary: list[str] = []
        places: dict[str, int] = {}
        postings: list[list[int]] = []
        for number, title in enumerate(self._titles):
            for word in dict.fromkeys(_words(title)):
                if word not in places:
                    places[word] = len(self._vocabulary)
                    self._vocabulary.append(word)
                    postings.append([])
                postings[places[word]].append(number)
        self._place = places
        self._postings = [np.array(p, dtype=np.int32) for p in postings]
        n = max(1, len(self._titles))
        self._weight = np.array(
            [0.1 if word in _SMALL else math.log(1 + n / len(p)) for word, p in zip(self._vocabulary, postings, strict=True)]
        )
        self._sorted = sorted(range(len(self._vocabulary)), key=self._vocabulary.__getitem__)
        self._sorted_words = [self._vocabulary[i] for i in self._sorted]
        self._length = np.zeros(len(self._titles))
        for weight, posting in zip(self._weight, self._postings, strict=True):
            self._length[posting] += weight
        self._heaviest = float(self._weight.max(initial=1.0))

    def _collect_titles(self) -> _Names:
        owners: dict[str, tuple[str, int, int]] = {}
        for title, row, official in zip(self._titles, self._row.tolist(), self._official.tolist(), strict=True):
            key = title.casefold()
            known = owners.get(key)
            if known is None or (official and known[2] < 1000):
                owners[key] = (title, row, 1000 if official else 1)
        return _Names.of(owners.values())

    def _collect_skills(self, index: OccupationIndex) -> Iterable[tuple[str, int | None, int]]:
        counts: dict[str, tuple[str, int]] = {}
        for kind in _SKILLS:
            bounds = index.bounds[KINDS.index(kind)]
            which, occurrences = np.unique(index.text_of[int(bounds[0]) : int(bounds[-1])], return_counts=True)
            for i, count in zip(which.tolist(), occurrences.tolist(), strict=True):
                text = index.texts[i]
                counts.setdefault(text.casefold(), (text, count))
        return ((text, None, count) for text, count in counts.values())

    def search(self, keyword: str) -> list[Found]:
        """Return the occupations that ``keyword`` finds, best first, ties by code; the beginning of a code finds those that have it."""
        if re.fullmatch(r"\d\d-?[\d.-]*", code := keyword.strip()):
            return [Found(row, self.title_of(row), 1.0) for row, own in enumerate(self._codes) if own.startswith(code)]
        words = list(dict.fromkeys(_words(keyword)))[:_MOST_WORDS]
        if not words or not self._titles:
            return []
        had = np.zeros(len(self._titles))
        taken = np.zeros(len(self._titles))
        whole = 0.0
        for word in words:
            near = self._near(word)
            # A word that no title has weighs as much as the rarest.
            weight = max((float(self._weight[place]) for place, _ in near[-1:]), default=self._heaviest)
            whole += weight
            best = np.zeros(len(self._titles))
            size = np.zeros(len(self._titles))
            for place, quality in near:  # better ones later
                best[self._postings[place]] = quality
                size[self._postings[place]] = self._weight[place]
            had += best * weight
            taken += size * (best > 0)
        coverage = had / whole
        rest = np.clip(taken / np.maximum(self._length, 1e-9), 0.0, 1.0)
        coverage[coverage < LEAST_COVERAGE] = 0.0
        closeness = coverage * (_LONG_TITLE + (1 - _LONG_TITLE) * rest)
        own = dict(zip(self._row[self._official].tolist(), coverage[self._official].tolist(), strict=True))
        best_of: dict[int, int] = {}
        for number in np.flatnonzero(closeness).tolist():
            row = int(self._row[number])
            if row not in best_of or closeness[number] > closeness[best_of[row]]:
                best_of[row] = number
        found = [
            Found(row, self._titles[number], float(closeness[number]) + _OFFICIAL * own.get(row, 0.0))
            for row, number in best_of.items()
        ]
        return sorted(found, key=lambda f: (-round(f.closeness, 6), self._codes[f.row]))

    def title_of(self, row: int) -> str:
        """Return the official title of the occupation at ``row``."""
        return self._titles[int(np.searchsorted(self._row, row))]

    def _near(self, word: str) -> list[tuple[int, float]]:
        """Return (place in the vocabulary, quality) of the words that ``word`` may mean, better ones later."""
        near: dict[int, float] = {}
        typos = _typos(word)
        if typos:
            distances: npt.NDArray[np.uint8] = process.cdist(
                [word], self._vocabulary, scorer=OSA.distance, score_cutoff=typos, dtype=np.uint8
            )[0]
            for place in np.flatnonzero(distances <= typos).tolist():
                # The first letter is seldom wrong.
                same = self._vocabulary[place][:1] == word[:1]
                near[place] = (_TYPO if same else _TYPO - 0.15) * (1 - float(distances[place]) / (2 * len(word)))
        if len(word) >= 2:
            first = bisect_left(self._sorted_words, word)
            last = bisect_left(self._sorted_words, word + "\U0010ffff")
            for i in range(first, last):
                place = self._sorted[i]
                quality = _PREFIX * (len(word) / len(self._vocabulary[place])) ** 0.25
                near[place] = max(quality, near.get(place, 0.0))
        for form, quality in ((word + "s", _PLURAL), (word.removesuffix("s"), _PLURAL), (word, 1.0)):
            if (len(word) > 2 or quality == 1.0) and form in self._place:
                near[self._place[form]] = quality
        return sorted(near.items(), key=lambda pair: (pair[1], pair[0]))

    def suggest_titles(self, prefix: str, limit: int = 10) -> list[Name]:
        """Return titles that begin with ``prefix``, then those with a word that does, then those that it may mean."""
        names = self._title_names
        found = [Name(names.texts[i], names.rows[i]) for i in names.beginning_with(fold(prefix), limit)] if fold(prefix) else []
        if not found:
            alike: dict[str, Name] = {}
            for match in self.search(prefix):
                alike.setdefault(match.title.casefold(), Name(match.title, match.row))
            found = list(alike.values())[:limit]
        return found

    def suggest_skills(self, prefix: str, limit: int = 10) -> list[Name]:
        """Return technologies, skills and knowledge areas that begin with ``prefix``, have a word that does, or are written alike."""
        names, folded = self._skill_names, fold(prefix)
        if not folded:
            return []
        places = names.beginning_with(folded, limit)
        if not places and _typos(folded.replace(" ", "")):
            alike = process.extract(folded, names.folded, scorer=fuzz.WRatio, score_cutoff=82, limit=limit)
            places = [int(place) for _, _, place in alike]
        return [Name(names.texts[i], None) for i in places]
