"""The frozen nouns that every other module speaks of.

An *occupation* is what O*NET (or the starter catalogue) says of one code. A *statement* is one thing it says. A *query* is
what a person gives; a *phrase* is a piece of it, with its place in the source. A *match* joins the two and carries *evidence*.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import Enum
from typing import Literal


class Kind(str, Enum):
    """What a statement is about; the values are those of the wire format."""

    TITLE = "title"
    DESCRIPTION = "description"
    TASK = "task"
    ACTIVITY = "activity"
    KNOWLEDGE = "knowledge"
    SKILL = "skill"
    ABILITY = "ability"
    WORK_ACTIVITY = "work_activity"
    TECHNOLOGY = "technology"
    TOOL = "tool"
    EDUCATION = "education"

    def __str__(self) -> str:
        return self.value


def derived_id(text: str) -> str:
    """Return a stable id (``~`` and eight hex digits) for a statement whose source gives none, such as a profile page."""
    return "~" + hashlib.sha256(" ".join(text.casefold().split()).encode()).hexdigest()[:8]


@dataclass(frozen=True, slots=True)
class Rating:
    """One value on one of O*NET's scales (*Scales Reference*): ``IM`` 1–5, ``LV`` 0–7, ``OI`` 1–7, ``EX`` 1–7 and so on.

    ``value`` is None where O*NET says ``n/a``: unknown, which is not 0. ``suppress`` is O*NET's "Recommend Suppress"
    (None where the table has no such column or says ``n/a``).
    """

    scale: str
    value: float | None
    suppress: bool | None = None


def importance_percent(rating: Rating | None) -> int | None:
    """Return 0–100, ``round((IM − 1) × 25)`` of O*NET's 1–5 importance scale, or None where it is unknown."""
    if rating is None or rating.value is None:
        return None
    return round((rating.value - 1) * 25)


@dataclass(frozen=True, slots=True)
class Element:
    """A rated element of O*NET's content model: a knowledge area, skill, ability, work activity, interest, value or style.

    ``importance`` and ``level`` are the IM and LV ratings where the table has them; every other rating is in ``ratings``.
    """

    id: str
    name: str
    description: str | None = None
    importance: Rating | None = None
    level: Rating | None = None
    ratings: tuple[Rating, ...] = ()


@dataclass(frozen=True, slots=True)
class Task:
    """One duty. ``importance`` is the IM rating of *Task Ratings*, None where that table is absent or silent."""

    id: str
    text: str
    core: bool | None = None
    importance: Rating | None = None
    activity_ids: tuple[str, ...] = ()
    emerging: bool = False


@dataclass(frozen=True, slots=True)
class Activity:
    """A detailed work activity (DWA): a duty as shared by several occupations."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class AlternateTitle:
    """A title that people use. ``short`` is O*NET's short form of it, if any."""

    title: str
    short: str | None = None


@dataclass(frozen=True, slots=True)
class Technology:
    """A named technology with its category (UNSPSC commodity). ``hot`` and ``in_demand`` are O*NET's flags, None if unknown."""

    name: str
    category: str
    commodity_code: str | None = None
    hot: bool | None = None
    in_demand: bool | None = None


@dataclass(frozen=True, slots=True)
class Tool:
    """A named tool with its category (UNSPSC commodity)."""

    name: str
    category: str
    commodity_code: str | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """The percentage (0–100) of respondents who gave one answer, as in education or work context."""

    element_id: str | None
    element: str
    answer: str
    percent: float | None
    category: int | None = None
    suppress: bool | None = None


@dataclass(frozen=True, slots=True)
class RelatedOccupation:
    """An occupation that O*NET calls related. ``tier`` and ``index`` are unknown on a profile page, ``bright_outlook`` in a release."""

    code: str
    title: str
    tier: str | None = None
    index: int | None = None
    bright_outlook: bool | None = None


@dataclass(frozen=True, slots=True)
class Wage:
    """Median pay in US dollars with its year. ``source`` names who says so; ``soc`` the code that was surveyed."""

    year: int
    median_annual: float | None
    median_hourly: float | None
    source: str
    soc: str | None = None
    match: str | None = None
    employment: int | None = None


@dataclass(frozen=True, slots=True)
class Occupation:
    """All that one source says of one O*NET-SOC code. Empty tuples are what the source does not have."""

    code: str
    title: str
    description: str
    alternate_titles: tuple[AlternateTitle, ...] = ()
    reported_titles: tuple[str, ...] = ()
    tasks: tuple[Task, ...] = ()
    activities: tuple[Activity, ...] = ()
    technologies: tuple[Technology, ...] = ()
    tools: tuple[Tool, ...] = ()
    knowledge: tuple[Element, ...] = ()
    skills: tuple[Element, ...] = ()
    abilities: tuple[Element, ...] = ()
    work_activities: tuple[Element, ...] = ()
    interests: tuple[Element, ...] = ()
    work_values: tuple[Element, ...] = ()
    work_styles: tuple[Element, ...] = ()
    work_context: tuple[Share, ...] = ()
    education: tuple[Share, ...] = ()
    experience: tuple[Share, ...] = ()
    job_zone: int | None = None
    related: tuple[RelatedOccupation, ...] = ()
    wages: tuple[Wage, ...] = ()
    metadata: tuple[Share, ...] = ()


@dataclass(frozen=True, slots=True)
class JobZone:
    """What one of O*NET's five job zones means (*Job Zone Reference*)."""

    zone: int
    name: str
    experience: str = ""
    education: str = ""
    training: str = ""
    examples: str = ""
    svp_range: str = ""


@dataclass(frozen=True, slots=True)
class Dropped:
    """Something that a reader met and left out, and why; shown by ``--verbose``, never silent."""

    where: str
    what: str
    why: str


@dataclass(frozen=True, slots=True)
class Release:
    """A set of occupations in code order, with the name of their source (``O*NET 30.1``) and what its reader dropped.

    ``activities`` are all detailed work activities that the source defines, those that no task is linked to as well.
    """

    name: str
    occupations: tuple[Occupation, ...]
    activities: tuple[Activity, ...] = ()
    job_zones: tuple[JobZone, ...] = ()
    dropped: tuple[Dropped, ...] = ()


Role = Literal["title", "duty", "skill", "summary", "education", "other"]
Reason = Literal["too_short", "no_text_layer", "garbled_text", "not_english", "nothing_recognised"]


@dataclass(frozen=True, slots=True)
class Phrase:
    """A piece of a query.

    ``raw`` is exactly ``source_text[start:end]`` (Unicode code points, half open); ``text`` is its tidied form, the one that is
    encoded. ``source`` is ``text``, ``title``, ``skills/3``, ``file`` or ``resume``; for ``resume``, ``pointer`` (RFC 6901)
    names the member and the offsets are into that member. ``job`` is an index into ``Query.jobs``, or None.
    """

    text: str
    raw: str
    start: int
    end: int
    source: str = "text"
    role: Role = "other"
    job: int | None = None
    pointer: str | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """One position held, newest first in ``Query.jobs``. Dates are ``(year, month or None)``; ``current`` means no end yet."""

    title: str | None = None
    start: tuple[int, int | None] | None = None
    end: tuple[int, int | None] | None = None
    current: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """What a person gave, read into phrases. ``reasons`` is not empty where a ranking would be invented.

    ``text`` is what offsets of the sources ``text`` and ``file`` refer to; with both given it is the file's, and ``typed`` the other.
    ``wide`` has, of every other input (by JSON pointer, or source) that holds any, the places of characters beyond U+FFFF.
    """

    phrases: tuple[Phrase, ...]
    jobs: tuple[Job, ...] = ()
    degrees: tuple[str, ...] = ()
    text: str | None = None
    typed: str | None = None
    language: str = "en"
    set_aside: dict[str, int] = field(default_factory=lambda: {"contact": 0, "references": 0})
    truncated: bool = False
    reasons: tuple[Reason, ...] = ()
    wide: dict[str, tuple[int, ...]] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Evidence:
    """A phrase of the query and the statement that it met. ``similarity`` is a cosine; ``importance`` 0–100 or None.

    ``contribution`` is the phrase's part of the occupation's fusion, wherever its text stands in the query.
    """

    kind: Kind
    id: str | None
    statement: str
    importance: int | None
    phrase: Phrase
    similarity: float
    contribution: float = 0.0


@dataclass(frozen=True, slots=True)
class Match:
    """One ranked occupation. ``score`` (a probability) and ``confidence`` are None where no calibration holds.

    ``fusion`` is comparable within one answer only. ``contributions`` splits it by signal and ``phrases``, where evidence was asked for, by
    phrase (its number in ``Query.phrases``); both sum to it. ``gaps`` are (id, name,
    importance) of knowledge areas that were not found in the query; ``Matches.gap`` has all kinds.
    """

    rank: int
    code: str
    title: str
    fusion: float
    score: float | None = None
    confidence: Literal["high", "medium", "low"] | None = None
    job_zone: int | None = None
    wage: Wage | None = None
    evidence: tuple[Evidence, ...] = ()
    contributions: tuple[tuple[str, float], ...] = ()
    gaps: tuple[tuple[str | None, str, int | None], ...] = ()
    phrases: tuple[tuple[int, float], ...] = ()
