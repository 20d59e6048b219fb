"""Readings: what has been read so far of all the inputs of a query, and the limits of each."""

from __future__ import annotations

from dataclasses import dataclass, field

from matcher.periods import Date
from matcher.records import Phrase

MAX_TEXT = 200_000
MAX_SKILLS = 500
MAX_SKILL = 200
MAX_TITLE = 300
#: Words beyond this are not read, and the query says ``truncated``.
MAX_WORDS = 20_000
MAX_PHRASES = 4_000
#: A phrase is at most so many words; longer ones are cut where the sentence allows it.
MAX_PHRASE_WORDS = 40
#: A run of characters longer than this is no word.
MAX_WORD = 80


class QueryError(ValueError):
    """An input is too long or of a wrong type; the text names the field, the limit and what was found, never the content."""


@dataclass(slots=True)
class Draft:
    """A position while it is being read, in the order of the text."""

    title: str | None = None
    start: Date | None = None
    end: Date | None = None
    current: bool = False


@dataclass(slots=True)
class Reading:
    """What has been read so far of all inputs."""

    phrases: list[Phrase] = field(default_factory=list)
    jobs: list[Draft] = field(default_factory=list)
    degrees: list[str] = field(default_factory=list)
    contact: int = 0
    references: int = 0
    truncated: bool = False
    #: Of inputs beside the text and the file, by JSON pointer or source: where characters beyond U+FFFF stand.
    wide: dict[str, tuple[int, ...]] = field(default_factory=dict)

    def see(self, text: str, source: str, pointer: str | None) -> None:
        """Note the characters of one input that UTF-16 counts twice."""
        if source not in ("text", "file") and (places := tuple(i for i, c in enumerate(text) if c > "\uffff")):
            self.wide[source if pointer is None else pointer] = places
