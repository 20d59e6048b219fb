"""Mentions: which named technologies stand in a query, word for word or by the short forms that people use."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from matcher.records import Phrase

_TOKEN = re.compile(r"[^\W_]+(?:[+#]+|(?:\.[^\W_]+)+)?")
#: Makers whose name people leave out. What is left may be a common word (Access, Project), so it has to be written like a name.
_MAKERS = frozenset(
    (
        "adobe amazon apache apple atlassian autodesk blackbaud cisco citrix epic esri google ibm intuit medical microsoft mongodb oracle "
        "red salesforce sap sas servicenow tableau vmware yahoo"
    ).split()
)
#: Words at the end of a name that say what kind of thing it is.
_TAILS = frozenset(
    "app application applications database platform program programs server software suite system systems tool tools".split()
)
#: Names of products that are common words: alone they have to be a whole skill.
_COMMON = frozenset(
    "access admin drive edge exchange office one outlook pages project publisher query teams windows word works".split()
)
#: The longest skill phrase that may be a bare name among others.
_SHORT = 4


def tokens(text: str) -> list[tuple[str, str]]:
    """Return the words of ``text`` as (lower case, as written); ``c++``, ``c#`` and ``node.js`` stay whole."""
    return [(match.group().casefold(), match.group()) for match in _TOKEN.finditer(text)]


@lru_cache(maxsize=20_000)
def forms(name: str, category: str = "") -> tuple[tuple[tuple[str, ...], bool], ...]:
    """Return the ways to write a technology's name as word tuples, each with whether it is sure: a bare short form is not.

    A name that is its whole category (``Accounting software``) is no name, and is only found as it stands.
    ``Structured query language SQL`` is written in full, without the abbreviation, or by it alone; ``Microsoft Excel`` as ``Excel``.
    """
    whole = tokens(name)
    lower = tuple(word for word, _ in whole)
    found: dict[tuple[str, ...], bool] = {}

    def add(words: tuple[str, ...], sure: bool) -> None:
        if words and (len(words) > 1 or len(words[0]) > 1 or words == lower):
            found[words] = found.get(words, False) or sure

    add(lower, len(lower) > 1)
    if name.casefold() == category.casefold():
        return tuple(found.items())
    body = list(whole)
    while len(body) > 1 and body[-1][0] in _TAILS:
        body.pop()
    core = tuple(word for word, _ in body)
    add(core, len(core) > 1)
    if len(body) > 2 and body[-1][1].isupper() and len(body[-1][1]) > 1 and not all(written.isupper() for _, written in body):
        add(core[:-1], True)
        add(core[-1:], False)
    if len(body) > 1 and core[0] in _MAKERS:
        add(core[1:], len(core) > 2)
    return tuple(found.items())


class Mentions:
    """Finds technologies in phrases. A sure form counts wherever its words stand side by side; any other has to look like a name: in a
    short skill, or with a capital or a digit and not at the beginning of a sentence."""

    def __init__(self, phrases: Sequence[Phrase]) -> None:
        self._phrases = phrases
        self._words = [tokens(phrase.text) for phrase in phrases]
        self._where: dict[str, list[tuple[int, int]]] = {}
        for number, written in enumerate(self._words):
            for place, (word, _) in enumerate(written):
                self._where.setdefault(word, []).append((number, place))

    def find(self, name: str, category: str = "") -> Phrase | None:
        """Return the first phrase that names the technology, or None."""
        hits = [number for words, sure in forms(name, category) if (number := self._find(words, sure)) is not None]
        return self._phrases[min(hits)] if hits else None

    def _find(self, words: tuple[str, ...], sure: bool) -> int | None:
        for number, place in self._where.get(words[0], ()):
            written = self._words[number]
            part = written[place : place + len(words)]
            if tuple(word for word, _ in part) != words:
                continue
            short_skill = self._phrases[number].role in ("skill", "other") and len(written) <= _SHORT
            alone = len(written) == len(words)
            wordlike = words[0] in _COMMON or len(words[0]) == 1
            if sure or (short_skill and (alone or not wordlike)) or (not wordlike and _like_a_name(part, place)):
                return number
        return None


def _like_a_name(part: list[tuple[str, str]], place: int) -> bool:
    first = part[0][1]
    marked = any(c.isdigit() or c in "+#." for c in first) or (
        len(first) > 1 and not first.islower() and first[1:] != first[1:].lower()
    )
    return marked or (place > 0 and first[0].isupper())
