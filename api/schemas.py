"""Schemas: what may be sent and what is answered, as the wire formats fix them.

Requests are checked by these models. Answers are made by ``Matches.to_dict`` and described here for readers and for generated clients; a
member that a model does not name may come with any release.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from api.problems import faults_of, invalid
from matcher.match import Filters
from matcher.reading import MAX_SKILL, MAX_SKILLS, MAX_TEXT, MAX_TITLE

CODE_PATTERN = r"^[0-9]{2}-[0-9]{4}\.[0-9]{2}$"
MAX_ID = 200
#: Lines of a batch.
MOST_LINES = 10_000
MOST_EXCLUDED = 2_000
MOST_DOLLARS = 10_000_000


def _expected(what: str) -> PydanticCustomError:
    return PydanticCustomError("expected", "{what}", {"what": what})


def _whole(value: Any) -> Any:
    """Take 10.0 for 10, as JSON does, and nothing else that is not a whole number."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


Zone = Annotated[int, Field(ge=1, le=5), BeforeValidator(_whole)]
Top = Annotated[int, Field(ge=1, le=100, description="How many occupations."), BeforeValidator(_whole)]
Code = Annotated[str, Field(pattern=CODE_PATTERN, examples=["15-1252.00"])]
MajorGroup = Annotated[str, Field(pattern=r"^[0-9]{2}$", examples=["15"])]
Letter = Literal["R", "I", "A", "S", "E", "C"]


class _Request(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _one_unknown_member(cls, value: Any) -> Any:
        """Keep one of the members that are not known: it is refused, and thousands of them cost no more than one."""
        if type(value) is dict and len(value) > len(cls.model_fields):
            unknown = next(name for name in value if name not in cls.model_fields)
            return {name: item for name, item in value.items() if name in cls.model_fields or name == unknown}
        return value


class FiltersIn(_Request):
    """Which occupations may be answered. One that lacks a filtered value is left out, and `warnings` counts those."""

    job_zone: list[Zone] | None = Field(None, max_length=5, description="Keep these job zones, 1 to 5.")
    major_group: list[MajorGroup] | None = Field(None, max_length=30, description="Keep these major groups, two digits each.")
    exclude: list[Code] | None = Field(None, max_length=MOST_EXCLUDED, description="Leave out these codes.")
    exclude_major_group: list[MajorGroup] | None = Field(None, max_length=30, description="Leave out these major groups.")
    min_median_wage: float | None = Field(
        None, ge=0, le=MOST_DOLLARS, description="Keep at least this median pay, US dollars a year."
    )
    interests: list[Letter] | None = Field(
        None, max_length=6, description="Keep occupations among whose leading interests (RIASEC) all of these are."
    )

    def filters(self) -> Filters:
        """Return them as the matcher takes them."""
        return Filters(
            job_zone=tuple(self.job_zone or ()),
            major_group=tuple(self.major_group or ()),
            exclude=tuple(self.exclude or ()),
            exclude_major_group=tuple(self.exclude_major_group or ()),
            min_median_wage=self.min_median_wage,
            interests=tuple(self.interests or ()),
        )


_QUERY = ("text", "skills", "title", "resume")


class Options(_Request):
    """The options of a match; with `POST /v1/match/file` they stand in the part `options`, all may be left out."""

    id: str | None = Field(None, max_length=MAX_ID, description="Your own name for the query; it comes back as it is.")
    text: str | None = Field(
        None,
        max_length=MAX_TEXT,
        description="A résumé, a job posting, or any text about work. A JSON Resume as text is read as one.",
    )
    skills: list[Annotated[str, Field(max_length=MAX_SKILL)]] | None = Field(
        None, max_length=MAX_SKILLS, description="Skills, one each."
    )
    title: str | None = Field(None, max_length=MAX_TITLE, description="A job title.")
    resume: dict[str, Any] | None = Field(
        None,
        description="A JSON Resume (v1, jsonresume.org). Unknown members are ignored; `work[].skills` and free-text levels are read.",
    )
    top: Top = 10
    explain: bool = Field(True, description="Answer the evidence of each match.")
    accurate: bool = Field(False, description="Take more time for a better order, where the service has a model for that.")
    return_text: bool = Field(False, description="Answer the text that offsets refer to, as `query.text`.")
    offset_unit: Literal["code_point", "utf16"] = Field(
        "code_point", description="What `start` and `end` count: Unicode code points, or UTF-16 units as JavaScript has them."
    )
    filters: FiltersIn | None = None

    @property
    def has_query(self) -> bool:
        """Whether there is anything to match."""
        return any(getattr(self, name) is not None for name in _QUERY)


class MatchRequest(Options):
    """A query: at least one of `text`, `skills`, `title`, `resume`; several together are one query."""

    model_config = ConfigDict(
        # What is left out, or null, everywhere is no query. Generators of clients take an anyOf for a union of classes, but not this.
        json_schema_extra={"not": {"properties": {name: {"type": "null"} for name in _QUERY}}}
    )

    @model_validator(mode="after")
    def _needs_a_query(self) -> MatchRequest:
        if not self.has_query:
            raise _expected("expected one or more of text, skills, title, resume")
        return self


def _members(model: type[BaseModel]) -> Sequence[str]:
    return list(model.model_fields)


_KNOWN: Mapping[str, Sequence[str]] = {"": _members(Options), "/filters": _members(FiltersIn)}


M = TypeVar("M", bound=BaseModel)


def parse(model: type[M], value: Any) -> M:
    """Return ``value`` as ``model``; Refusal (422) with a pointer for every fault."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise invalid(faults_of(error, known=_KNOWN)) from None


class _Answer(BaseModel):
    model_config = ConfigDict(extra="allow")


Percent = Annotated[int, Field(ge=0, le=100)]
Kind = Literal[
    "title", "description", "task", "activity", "knowledge", "skill", "ability", "work_activity", "technology", "tool", "education"
]
Reason = Literal["too_short", "no_text_layer", "garbled_text", "not_english", "nothing_recognised"]


class Evidence(_Answer):
    """A piece of the query and the statement about the occupation that it met."""

    kind: Kind
    id: str | None = Field(description="O*NET's id of the statement, where it has one.")
    statement: str
    importance: Percent | None = Field(description="0 to 100, or null where unknown.")
    source: str = Field(description="`text`, `title`, `skills/3`, `file` or `resume`.", examples=["text"])
    phrase: str = Field(description="The piece, exactly as it was given.")
    start: int = Field(ge=0, description="Where the piece begins in its source.")
    end: int = Field(ge=0, description="Where it ends; half open.")
    pointer: str | None = Field(description="For `resume`: the member (JSON Pointer, RFC 6901) that the offsets count in.")
    similarity: float = Field(ge=-1.01, le=1.01)


class Gap(_Answer):
    """A statement about the occupation that was not found in what was given; not one that the person lacks."""

    kind: Kind
    id: str | None
    name: str
    importance: Percent | None
    status: Literal["not_found"]


class MedianWage(_Answer):
    """Median pay of the surveyed occupation `soc`; `match` says how it stands to the code."""

    annual: float | None = Field(ge=0)
    hourly: float | None = Field(None, ge=0)
    currency: Literal["USD"]
    source: str
    soc: str | None
    match: str | None


class Match(_Answer):
    """One ranked occupation."""

    rank: int = Field(ge=1, le=100)
    code: Code
    title: str
    score: float | None = Field(ge=0, le=1, description="Calibrated probability, or null until a calibration ships.")
    confidence: Literal["high", "medium", "low"] | None
    fusion: float | None = Field(None, description="Comparable within this answer only.")
    soc_2018: str
    href: str
    onet_online: str
    job_zone: Annotated[int, Field(ge=1, le=5)] | None
    median_wage: MedianWage | None
    evidence: list[Evidence]
    gaps: list[Gap] | None = None


class Group(_Answer):
    """One major group with the sum of its occupations' probabilities."""

    code: str
    title: str
    probability: float = Field(ge=0, le=1.000001)


class Position(_Answer):
    """A position that was read in a résumé."""

    title: str | None
    start: str | None
    end: str | None
    current: bool


class SetAside(_Answer):
    """How many lines were counted and neither matched nor echoed."""

    contact: int = Field(ge=0)
    references: int = Field(ge=0)


class QueryRead(_Answer):
    """How the query was read."""

    phrases: int = Field(ge=0)
    language: str
    jobs: list[Position] | None = None
    degrees: list[str] | None = None
    set_aside: SetAside
    truncated: bool = Field(description="Whether there was more than is read.")
    text: str | None = Field(description="With `return_text`: what offsets of the sources `text` and `file` refer to.")


class Engine(_Answer):
    """What answered: same engine, same query, same bytes."""

    release: str
    index: str
    encoder: str
    ranker: str
    version: str


class MatchAnswer(_Answer):
    """The answer to one query."""

    id: str | None
    status: Literal["ok", "insufficient"] = Field(description="`insufficient`: a ranking would be invented; `reasons` says why.")
    reasons: list[Reason] | None = None
    matches: list[Match] = Field(max_length=100)
    groups: list[Group] | None = None
    query: QueryRead
    engine: Engine
    warnings: list[str]


class FaultOut(_Answer):
    """One thing that is wrong."""

    detail: str
    pointer: str | None = Field(None, description="JSON Pointer (RFC 6901) into the body.")
    parameter: str | None = Field(None, description="The query or path parameter.")


class Problem(_Answer):
    """A refusal (RFC 9457). It never repeats what was sent."""

    type: str
    title: str
    status: int = Field(ge=400, le=599)
    detail: str
    instance: str | None = None
    errors: list[FaultOut] | None = None


class BatchLine(_Answer):
    """One line of a batch's answer: that of a match, or `status: "error"` with the problem."""

    id: str | None
    status: Literal["ok", "insufficient", "error"]
    matches: list[Match]
    error: Problem | None = None


class OccupationRef(_Answer):
    """An occupation in a list."""

    code: Code
    title: str
    href: str


class OccupationFound(OccupationRef):
    """An occupation that a search found, with the title that met the keyword where it is not the official one."""

    also_known_as: str | None = None


class OccupationList(_Answer):
    """One page of occupations; `start` and `end` count from 1."""

    start: int = Field(ge=1)
    end: int = Field(ge=0)
    total: int = Field(ge=0)
    next: str | None = None
    prev: str | None = None
    occupation: list[OccupationFound]


class RelatedRef(OccupationRef):
    """A related occupation; `tier` is O*NET's."""

    href: str | None  # type: ignore[assignment]
    tier: str | None = None


class RelatedList(_Answer):
    """The occupations that O*NET calls related to one."""

    code: Code
    title: str
    related_occupations: list[RelatedRef]


class Rated(_Answer):
    """An element of O*NET's content model; `importance` and `level` are 0 to 100."""

    id: str
    name: str
    description: str | None = None
    importance: Percent | None = None
    level: Percent | None = None


class Task(_Answer):
    """A duty."""

    id: str
    name: str
    importance: Percent | None = None
    core: bool | None = None
    emerging: bool | None = None


class Named(_Answer):
    """A named thing: a detailed work activity, a technology, a tool."""

    name: str
    id: str | None = None
    category: str | None = None


class ShareOf(_Answer):
    """How many percent gave one answer."""

    element: str
    answer: str
    percent: float | None = Field(None, ge=0, le=100)


class WageOf(_Answer):
    """Median pay in US dollars, and who says so."""

    year: int
    source: str
    median_annual: float | None = None
    median_hourly: float | None = None


class Occupation(_Answer):
    """All that the index holds of one code. A section that it lacks is left out."""

    code: Code
    title: str
    description: str | None = None
    href: str
    onet_online: str
    soc_2018: str
    job_zone: Annotated[int, Field(ge=1, le=5)] | None = None
    job_zone_name: str | None = None
    alternate_titles: list[str] | None = None
    sample_of_reported_titles: list[str] | None = None
    tasks: list[Task] | None = None
    detailed_work_activities: list[Named] | None = None
    technology_skills: list[Named] | None = None
    tools_used: list[Named] | None = None
    knowledge: list[Rated] | None = None
    skills: list[Rated] | None = None
    abilities: list[Rated] | None = None
    work_activities: list[Rated] | None = None
    interests: list[Rated] | None = None
    work_values: list[Rated] | None = None
    work_styles: list[Rated] | None = None
    work_context: list[ShareOf] | None = None
    education: list[ShareOf] | None = None
    experience: list[ShareOf] | None = None
    related_occupations: list[RelatedRef] | None = None
    wages: list[WageOf] | None = None


class Suggestion(_Answer):
    """A name to offer while somebody types; for a title with the code that it leads to."""

    text: str
    code: Code | None = None
    title: str | None = None


class Suggestions(_Answer):
    """At most ten names, best first."""

    kind: Literal["title", "skill"]
    suggestions: list[Suggestion] = Field(max_length=10)


class Limits(_Answer):
    """What is accepted."""

    json_bytes: int
    batch_bytes: int
    batch_line_bytes: int
    upload_bytes: int
    text_characters: int
    skills: int
    skill_characters: int
    title_characters: int
    top: int


class About(_Answer):
    """Which data and models answer, under which licences, within which limits."""

    engine: Engine
    counts: dict[str, int]
    attribution: str
    licences: dict[str, str]
    cut_offs: dict[str, float] | None = Field(
        description="The scores from which confidence is high or medium; null without calibration."
    )
    evaluation: dict[str, Any] | None
    limits: Limits
    not_for: str


class Health(_Answer):
    """Whether the service lives, or is ready."""

    status: Literal["ok", "ready"]
    index: str | None = None


#: The models whose schemas stand in OpenAPI's components.
ANSWERS: tuple[type[BaseModel], ...] = (
    MatchAnswer, BatchLine, Problem, OccupationList, Occupation, RelatedList, Suggestions, About, Health,
)  # fmt: skip
REQUESTS: tuple[type[BaseModel], ...] = (MatchRequest, Options)
