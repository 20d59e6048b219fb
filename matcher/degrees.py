"""Degrees: levels of education, in a query's degree lines and in what workers of an occupation say is required.

The twelve levels are those of O*NET's *Required Level of Education* (element 2.D.1, categories 1–12).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

#: Level, its short name, how O*NET's answer begins, and how people write such a degree (None where they don't).
_LEVELS: tuple[tuple[int, str, str, str | None], ...] = (
    (12, "post-doctoral training", "post-doctoral", r"post-?doc"),
    (
        11,
        "doctoral degree",
        "doctoral",
        r"(?<!juris )doctor(?!\s+of\s+(?:law|jurisprudence|medicine|pharmacy|dental))|\bph\.?\s?d|\bed\.?d\b|\bd\.?b\.?a\b|\bsc\.?d\b|\bd\.?n\.?p\b",
    ),
    (
        10,
        "first professional degree",
        "first professional",
        r"\bj\.?d\b|juris|\bm\.?d\b|\bd\.?d\.?s\b|\bd\.?m\.?d\b|\bd\.?v\.?m\b|pharm\.?\s?d|doctor\s+of\s+(?:law|medicine|pharmacy|dental)",
    ),
    (9, "post-master's certificate", "post-master", r"post-?\s?master|education specialist|\bed\.?s\b"),
    (
        8,
        "master's degree",
        "master",
        r"\bmaster|\bm\.?b\.?a\b|\bm\.?s\.?c?\b|\bm\.?a\b|\bm\.?ed\b|\bm\.?f\.?a\b|\bm\.?s\.?w\b|\bm\.?eng\b|\bm\.?p\.?[ah]\b|\bll\.?m\b|\bmphil\b",
    ),
    (7, "post-baccalaureate certificate", "post-baccalaureate", r"post-?\s?bacc|(?:post)?graduate\s+(?:diploma|certificate)"),
    (
        6,
        "bachelor's degree",
        "bachelor",
        r"\bbachelor|\bbaccalaureate|\bb\.?s\.?c?\b|\bb\.?a\b|\bb\.?b\.?a\b|\bb\.?f\.?a\b|\bb\.?s\.?n\b|\bb\.?eng\b|\bb\.?e\b|\bb\.?tech\b|\bb\.?com\b|\bb\.?ed\b|\bll\.?b\b|\bundergraduate degree",
    ),
    (5, "associate's degree", "associate", r"\bassociate|\ba\.?a\.?s?\b|\ba\.?s\b|\bhnd\b"),
    (4, "some college courses", "some college", r"some college|\bcollege (?:courses|credits)|\bhnc\b"),
    (3, "post-secondary certificate", "post-secondary", r"certificat|\bdiploma|\bbtec\b|\bnvq\b|apprentice"),
    (2, "high school diploma", "high school", r"high\s?-?school|\bg\.?e\.?d\b|\ba-levels?\b|\bgcses?\b|secondary school"),
    (1, "less than a high school diploma", "less than", None),
)
NAMES: Mapping[int, str] = {level: name for level, name, _, _ in _LEVELS}
_WRITTEN = tuple((level, re.compile(pattern, re.I)) for level, _, _, pattern in _LEVELS if pattern)
_STATED = re.compile(
    r"\b(?:associate|bachelor|master|doctora)\w*(?:['’]s)?\s+(?:degree\b|of\s+(?:science|arts|engineering)\b)|\bhigh\s+school\s+diploma|\bph\.?d\b",
    re.I,
)
#: The job zone that a level of education usually leads to (O*NET's *Job Zone Reference*: high school 2, vocational or associate's 3,
#: bachelor's 4, graduate school 5).
_ZONES = {2: 2, 3: 3, 4: 3, 5: 3, 6: 4, 7: 4, 8: 5, 9: 5, 10: 5, 11: 5, 12: 5}


def level_of(degree: str) -> int | None:
    """Return the level 1–12 of a degree line, or None where no degree is recognised. ``High School Diploma`` is no diploma."""
    found = [level for level, pattern in _WRITTEN if pattern.search(degree)]
    if 2 in found and set(found) <= {2, 3, 4}:
        return 2
    return max(found, default=None)


def stated(texts: Iterable[str]) -> list[str]:
    """Return those texts that say a degree in so many words, wherever they stand."""
    return [text for text in texts if _STATED.search(text)]


def highest(degrees: Iterable[str]) -> tuple[int, str] | None:
    """Return the highest level among degree lines and the first line that has it, or None."""
    levels = [(level, degree) for degree in degrees if (level := level_of(degree)) is not None]
    return max(levels, key=lambda pair: pair[0], default=None)


def zone_of(level: int | None) -> int:
    """Return the job zone that a level of education usually leads to, 1 where there is none."""
    return 1 if level is None else _ZONES.get(level, 1)


#: Percent of the workers' answers.
_LEAST_KNOWN = 50.0


@dataclass(frozen=True, slots=True)
class Required:
    """What workers of an occupation say is required: percent by level, ascending, and the level that half of them say or less."""

    percent: tuple[tuple[int, float], ...]
    typical: int

    def enough(self, level: int | None) -> float:
        """Return the percentage of them who require at most ``level``."""
        return sum(share for at, share in self.percent if level is not None and at <= level)

    @property
    def most_said(self) -> tuple[int, float]:
        """The level that most of them say, and their percentage."""
        return max(self.percent, key=lambda pair: (pair[1], -pair[0]))


def required(education: Sequence[Mapping[str, Any]]) -> Required | None:
    """Return what an occupation's *education* section requires, None where it says nothing that is understood.

    None as well where less than half of the answers are there (a table that leaves out suppressed ones): what half of the workers say is then
    unknown.
    """
    shares: dict[int, float] = {}
    for answer in education:
        level = next((at for at, _, begins, _ in _LEVELS if str(answer.get("answer", "")).casefold().startswith(begins)), None)
        if level is not None and answer.get("percent") is not None and not answer.get("suppress"):
            shares[level] = shares.get(level, 0.0) + float(answer["percent"])
    if sum(shares.values()) < _LEAST_KNOWN:
        return None
    half, total, typical = sum(shares.values()) / 2, 0.0, max(shares)
    for at in sorted(shares):
        total += shares[at]
        if total >= half:
            typical = at
            break
    return Required(tuple(sorted(shares.items())), typical)
