"""Schemas: what may be sent and what is answered, as the wire formats fix them.

Requests are checked by these models. Answers are made by ``Matches.to_dict`` and described here for readers and for generated clients; a
member that a model does not name may come with any release.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from api.problems import faults_of, invalid
from matcher.match import Filters
from matcher.reading import MAX_SKILL, MAX_SKILLS, MAX_TEXT, MAX_TITLE
from matcher.whatif import MOST_CHANGES, MOST_CHARACTERS

CODE_PATTERN = r"^[0-9]{2}-[0-9]{4}\.[0-9]{2}$"
MAX_ID = 200
#: Lines of a batch.
MOST_LINES = 10_000
MOST_EXCLUDED = 2_000
MOST_DOLLARS = 10_000_000
#: More than any interest profiler gives.
MOST_POINTS = 1_000


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
#: The major groups of the Standard Occupational Classification 2018.
MajorGroup = Literal[
    "11",
    "13",
    "15",
    "17",
    "19",
    "21",
    "23",
    "25",
    "27",
    "29",
    "31",
    "33",
    "35",
    "37",
    "39",
    "41",
    "43",
    "45",
    "47",
    "49",
    "51",
    "53",
    "55",
]
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


class QueryIn(_Request):
    """What a person gives; several members together are one query."""

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

    @property
    def has_query(self) -> bool:
        """Whether there is anything to match."""
        return any(getattr(self, name) is not None for name in _QUERY)


class Options(QueryIn):
    """The options of a match; with `POST /v1/match/file` they stand in the part `options`, all may be left out."""

    top: Top = 10
    explain: bool = Field(True, description="Answer the evidence of each match.")
    accurate: bool = Field(False, description="Take more time for a better order, where the service has a model for that.")
    return_text: bool = Field(False, description="Answer the text that offsets refer to, as `query.text`.")
    offset_unit: Literal["code_point", "utf16"] = Field(
        "code_point", description="What `start` and `end` count: Unicode code points, or UTF-16 units as JavaScript has them."
    )
    filters: FiltersIn | None = None


def _one_of(*names: str) -> dict[str, Any]:
    """Return what a JSON schema says of an object that needs one of ``names``.

    What is left out, or null, everywhere is not there. Generators of clients take an anyOf for a union of classes, but not this.
    """
    return {"not": {"properties": {name: {"type": "null"} for name in names}}}


def _require_a_query(given: QueryIn) -> None:
    if not given.has_query:
        raise _expected("expected one or more of text, skills, title, resume")


class MatchRequest(Options):
    """A query: at least one of `text`, `skills`, `title`, `resume`; several together are one query."""

    model_config = ConfigDict(json_schema_extra=_one_of(*_QUERY))

    @model_validator(mode="after")
    def _needs_a_query(self) -> MatchRequest:
        _require_a_query(self)
        return self


class GapRequest(QueryIn):
    """A query and the occupation that it is compared with."""

    model_config = ConfigDict(json_schema_extra=_one_of(*_QUERY))

    code: Code = Field(description="The occupation; `GET /v1/occupations` finds one.")
    best_additions: bool = Field(
        False, description="Also answer the three statements whose adding would lift the occupation most, if they are true."
    )

    @model_validator(mode="after")
    def _needs_a_query(self) -> GapRequest:
        _require_a_query(self)
        return self


Line = Annotated[str, Field(min_length=1, max_length=MOST_CHARACTERS)]


_NO_CHANGE = {"add": {"maxItems": 0}, "remove": {"maxItems": 0}, "opens_most": {"const": False}}
_NO_QUERY_OR_NO_CHANGE: dict[str, Any] = {"not": {"anyOf": [_one_of(*_QUERY)["not"], {"properties": _NO_CHANGE}]}}


class WhatIfRequest(QueryIn):
    """A query and a change of it: at least one line in `add` or `remove`, or the question what `opens_most`."""

    model_config = ConfigDict(json_schema_extra=_NO_QUERY_OR_NO_CHANGE)

    add: list[Line] | None = Field(None, max_length=MOST_CHANGES, description="Lines or skills to add; a few words are a skill.")
    remove: list[Line] | None = Field(
        None, max_length=MOST_CHANGES, description="Lines to take away, each by its text or a part of it."
    )
    code: Code | None = Field(None, description="Follow this occupation as well, however far down it stands.")
    opens_most: bool = Field(
        False, description="Also answer which skills that were not found would lift most of the near occupations, if they are true."
    )

    @model_validator(mode="after")
    def _needs_a_query_and_a_change(self) -> WhatIfRequest:
        _require_a_query(self)
        if not (self.add or self.remove or self.opens_most):
            raise _expected("expected one or more lines in add or remove, or opens_most")
        return self


Points = Annotated[float, Field(ge=0, le=MOST_POINTS)]


class InterestScores(_Request):
    """Six scores, as O*NET's Interest Profiler gives them; only how they stand to each other counts."""

    R: Points
    I: Points  # noqa: E741 - the letters of RIASEC
    A: Points
    S: Points
    E: Points
    C: Points


class MovesRequest(QueryIn):
    """Where to go from: a query, a code, or both (then pay and job zone are compared with those of the code); and what is wished."""

    model_config = ConfigDict(json_schema_extra=_one_of(*_QUERY, "code"))

    code: Code | None = Field(None, description="Start from this occupation.")
    top: Top = 10
    outside_group: bool = Field(False, description="Only outside the major group.")
    zone_up: bool = Field(False, description="Only to a higher job zone.")
    pays_more: float | None = Field(None, ge=0, le=10, description="Only what pays this share more: 0.1 for 10 %.", examples=[0.1])
    less_physical: bool = Field(False, description="Only less physical work.")
    more_employed: bool = Field(False, description="Only where more people are employed.")
    interests: list[Letter] | None = Field(
        None, min_length=1, max_length=6, description="Only with all of these among the leading interests (RIASEC)."
    )
    interest_scores: InterestScores | None = Field(
        None, description="Only with a profile of interests like this one; not together with `interests`."
    )

    @model_validator(mode="after")
    def _needs_a_start(self) -> MovesRequest:
        if not self.has_query and self.code is None:
            raise _expected("expected one or more of text, skills, title, resume, code")
        if self.interests is not None and self.interest_scores is not None:
            raise _expected("expected interests or interest_scores, not both")
        return self


def _members(model: type[BaseModel]) -> Sequence[str]:
    return list(model.model_fields)


M = TypeVar("M", bound=BaseModel)


def parse(model: type[M], value: Any) -> M:
    """Return ``value`` as ``model``; Refusal (422) with a pointer for every fault."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        known = {"": _members(model), "/filters": _members(FiltersIn), "/interest_scores": _members(InterestScores)}
        raise invalid(faults_of(error, known=known)) from None


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
    contribution: float = Field(description="The piece's part of the match's `fusion`.")


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


FoundBy = list[Literal["tasks", "activities", "titles", "descriptions", "knowledge"]]


class NearRef(OccupationRef):
    """An occupation that we find near: how near (comparable within one answer), by what, and O*NET's tier where it lists it, too."""

    nearness: float
    found_by: FoundBy
    onet_related: str | None


class Agreement(_Answer):
    """How many of the occupations that O*NET lists, and this index can compare, are among our nearest."""

    listed: int = Field(ge=0)
    among_near: int = Field(ge=0)


class RelatedList(_Answer):
    """The occupations that O*NET calls related to one, and the twenty that we find nearest without that list, nearest first."""

    code: Code
    title: str
    related_occupations: list[RelatedRef]
    near: list[NearRef] | None = None
    agreement: Agreement | None = None


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


AdviceStatus = Literal["ok", "insufficient"]
InsufficientReasons = list[Reason] | None
GapKind = Literal["knowledge", "technology", "task", "activity", "skill", "education", "job_zone"]


class Statement(_Answer):
    """A statement of an occupation: met, partly met, or not found in what was given; with the phrase that met it."""

    kind: GapKind
    id: str | None
    name: str
    importance: Percent | None
    status: Literal["met", "partly", "not_found"]
    in_demand: bool | None = Field(description="Of technologies: O*NET's flag.")
    hot: bool | None = Field(description="Of technologies: O*NET's flag.")
    phrase: str | None
    source: str | None
    start: int | None = Field(ge=0, description="Unicode code points into the source.")
    end: int | None = Field(ge=0)
    pointer: str | None
    similarity: float | None = Field(ge=-1.01, le=1.01)
    note: str | None


class Place(_Answer):
    """Where an occupation stands; `rank` is null where it was not among those looked at."""

    rank: int | None = Field(ge=1)
    score: float | None = Field(ge=0, le=1)
    fusion: float | None


class Addition(_Answer):
    """A statement whose adding would lift the occupation, if it is true."""

    kind: GapKind
    id: str | None
    name: str
    before: Place
    after: Place
    lift: float
    note: str


class GapAnswer(_Answer):
    """All statements of one occupation beside one query. `not_found` is about what was given, not about the person."""

    id: str | None
    status: AdviceStatus
    reasons: InsufficientReasons = None
    code: Code
    title: str
    coverage: dict[str, Percent] = Field(description="Percent by kind, weighted by importance: met counts 1, partly a half.")
    gaps: list[Statement] = Field(description="By kind, and in each those that weigh most first.")
    best_additions: list[Addition] | None = None
    note: str
    release: str
    engine: Engine


class Change(_Answer):
    """An occupation before and after the change."""

    code: Code
    title: str
    before: Place
    after: Place


class Opening(_Answer):
    """A skill that was not found, and the near occupations that would rise with it, if it is true."""

    kind: GapKind
    name: str
    codes: list[Code]
    lift: float
    note: str


class WhatIfAnswer(_Answer):
    """Ranks and scores before and after; `matches` are those that lead before or after, in their order after."""

    id: str | None
    status: AdviceStatus
    reasons: InsufficientReasons = None
    added: list[str]
    removed: list[str]
    occupation: Change | None = Field(description="The one that `code` asked for.")
    matches: list[Change]
    opens_most: list[Opening] | None = None
    note: str
    engine: Engine


class Facts(_Answer):
    """What is known of an occupation; null where the index does not know."""

    code: Code
    title: str
    job_zone: Annotated[int, Field(ge=1, le=5)] | None
    pay: float | None = Field(ge=0, description="Median, US dollars a year.")
    pay_source: str | None
    employment: int | None = Field(ge=0, description="People employed in the United States.")
    education: str | None = Field(description="The typical one.")
    physical: float | None = Field(ge=0, le=100)
    interests: str = Field(description="The leading interests, letters of RIASEC.")


class Move(Facts):
    """An occupation to go to, what transfers to it, and what was not found for it."""

    move: Literal["step up", "sideways", "similar", "new field"]
    nearness: float = Field(description="Comparable within one answer.")
    found_by: FoundBy
    onet_related: str | None
    transfers: list[str]
    missing: list[str]
    pay_difference: float | None
    pay_share: float | None


class MovesAnswer(_Answer):
    """Moves, nearest first. `origin` is the code that was asked for, or the best match: pay and job zone are compared with it."""

    id: str | None
    status: AdviceStatus
    reasons: InsufficientReasons = None
    origin: Facts | None
    moves: list[Move] = Field(max_length=100)
    warnings: list[str]
    note: str
    engine: Engine


class ComparedRow(_Answer):
    """One element, and its value (0 to 100, null where unknown) in each occupation."""

    kind: str
    name: str
    values: list[float | None]


class CompareAnswer(_Answer):
    """Two or three occupations side by side, what differs most first."""

    occupations: list[Facts] = Field(min_length=2, max_length=3)
    rows: list[ComparedRow]
    shared: list[str]
    only: list[list[str]] = Field(description="What each has alone, in the order of `occupations`.")
    engine: Engine


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
    GapAnswer, WhatIfAnswer, MovesAnswer, CompareAnswer,
)  # fmt: skip
REQUESTS: tuple[type[BaseModel], ...] = (MatchRequest, Options, GapRequest, WhatIfRequest, MovesRequest)
