"""Advice over HTTP: what is missing for an occupation, what if, where next, and occupations side by side; the library's own answers."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from fastapi import Query as Parameter
from starlette.requests import Request
from starlette.responses import Response

from api.body import decode, read_body, require
from api.logs import note
from api.match import JSON, Answer, dump, read
from api.problems import Fault, Refusal, invalid, unknown_code
from api.schemas import CODE_PATTERN, GapRequest, MovesRequest, QueryIn, WhatIfRequest, parse
from api.service import service_of
from matcher.given import IF_TRUE, AdviceError, row_of
from matcher.index import OccupationIndex
from matcher.match import Matcher, Matches
from matcher.moves import Moves, Unknown

_CODE = CODE_PATTERN.strip("^$")
#: The faults that a change can have: the member, and the number of its line from 1.
_LINE = re.compile(r"(add|remove): (?:line (\d+) )?(.*)", re.S)

Codes = Annotated[
    str,
    Parameter(
        pattern=rf"^{_CODE}(,{_CODE}){{1,2}}$",
        max_length=32,
        description="Two or three different O*NET-SOC 2019 codes, with commas between them.",
    ),
]
Asked = TypeVar("Asked", bound=QueryIn)


async def gap(request: Request) -> Response:
    """Compare one query with one occupation: each of its statements is met, partly met, or not found in what was given."""
    return await _answer(request, GapRequest, gap_answer)


async def what_if(request: Request) -> Response:
    """Rank again with lines or skills added or taken away: ranks and scores before and after."""
    return await _answer(request, WhatIfRequest, what_if_answer)


async def moves(request: Request) -> Response:
    """Show where one could go next, from a query or a code: near occupations, what transfers, what is missing, and the difference in pay."""
    return await _answer(request, MovesRequest, moves_answer)


async def compare(request: Request, codes: Codes) -> Response:
    """Set two or three occupations side by side, what differs most first."""
    service = service_of(request)
    body = await service.work(request, compare_answer, service.holder.current, codes)
    return Response(body, media_type=JSON)


async def _answer(request: Request, model: type[Asked], func: Callable[[Matcher, Asked], Answer]) -> Response:
    service = service_of(request)
    require(request, JSON)
    async with service.admission.enter(request):
        wanted = parse(model, await decode(await read_body(request, service.settings.json_bytes)))
        found = await service.admission.run(
            func, service.holder.current, wanted, seconds=service.settings.match_seconds, client=request
        )
    service.metrics.answered(found.status)
    note(request.scope, phrases=found.phrases)
    return Response(found.body, media_type=JSON)


def gap_answer(matcher: Matcher, wanted: GapRequest) -> Answer:
    """Return ``Matches.gap`` (and ``Matches.best_additions``); Refusal (404, 422) for a code that cannot be compared with."""
    title = matcher.index.entries[_row(matcher.index, wanted.code)].title
    matches = _matches(matcher, wanted)
    if matches.reasons:
        empty = {"code": wanted.code, "title": title, "coverage": {}, "gaps": [], "note": IF_TRUE, "release": matcher.index.release}
        return _whole(matcher, wanted, matches, empty)
    found = matches.gap(wanted.code).to_dict()
    if wanted.best_additions:
        found["best_additions"] = [addition.to_dict() for addition in matches.best_additions(wanted.code)]
    return _whole(matcher, wanted, matches, found)


def what_if_answer(matcher: Matcher, wanted: WhatIfRequest) -> Answer:
    """Return ``Matches.what_if`` (and ``Matches.opens_most``); Refusal (404, 422) for an unknown code or a change that cannot be made."""
    if wanted.code is not None:
        _row(matcher.index, wanted.code, needs_data=False)
    matches = _matches(matcher, wanted)
    found: dict[str, Any] = {"added": [], "removed": [], "occupation": None, "matches": [], "note": IF_TRUE}
    if matches.reasons:
        return _whole(matcher, wanted, matches, found)
    if wanted.add or wanted.remove:
        try:
            found = matches.what_if(add=wanted.add or (), remove=wanted.remove or (), code=wanted.code).to_dict()
        except AdviceError as error:
            raise invalid([_line_fault(str(error))]) from None
    if wanted.opens_most:
        found["opens_most"] = [opening.to_dict() for opening in matches.opens_most()]
    return _whole(matcher, wanted, matches, found)


def moves_answer(matcher: Matcher, wanted: MovesRequest) -> Answer:
    """Return ``Matches.moves`` or ``Matcher.moves_from``; Refusal (404, 422) for a start or a wish that nothing can be compared with."""
    if wanted.code is not None:
        _row(matcher.index, wanted.code, needs_data=not wanted.has_query)
    scores = wanted.interest_scores
    if scores is not None and len(set(scores.model_dump().values())) == 1:
        raise invalid([Fault("six equal scores, expected ones that differ", pointer="/interest_scores")])
    wish: dict[str, Any] = {
        "outside_group": wanted.outside_group,
        "zone_up": wanted.zone_up,
        "pays_more": wanted.pays_more,
        "less_physical": wanted.less_physical,
        "more_employed": wanted.more_employed,
        "interests": scores.model_dump() if scores is not None else "".join(wanted.interests or ()) or None,
    }
    matches = _matches(matcher, wanted) if wanted.has_query else None
    if matches is not None and matches.reasons:
        return _whole(matcher, wanted, matches, {"origin": None, "moves": [], "warnings": [], "note": IF_TRUE})
    try:
        found: Moves
        if matches is not None:
            found = matches.moves(top=wanted.top, start=wanted.code, **wish)
        else:
            found = matcher.moves_from(str(wanted.code), top=wanted.top, **wish)
    except Unknown as error:
        raise invalid(
            [Fault(f"{error.fact} of the origin is unknown, so nothing can be compared", pointer=f"/{error.wish}")]
        ) from None
    return _whole(matcher, wanted, matches, found.to_dict())


def compare_answer(matcher: Matcher, codes: str) -> bytes:
    """Return ``Matcher.compare``; Refusal (404, 422) for codes that are unknown, without data, or the same."""
    wanted = codes.split(",")
    for code in wanted:
        _row(matcher.index, code, parameter="codes")
    if len(set(wanted)) < len(wanted):
        raise invalid([Fault("the same code twice, expected different ones", parameter="codes")])
    return dump({**matcher.compare(*wanted).to_dict(), "engine": dict(matcher.engine)})


def _matches(matcher: Matcher, wanted: QueryIn) -> Matches:
    return matcher.match_query(read(wanted), top=1, explain=False)


def _whole(matcher: Matcher, wanted: QueryIn, matches: Matches | None, found: dict[str, Any]) -> Answer:
    """Return an answer as it is sent: what every one has stands around what the library says."""
    status = "ok" if matches is None else matches.status
    document: dict[str, Any] = {"id": wanted.id, "status": status}
    if matches is not None and matches.reasons:
        document["reasons"] = list(matches.reasons)
    document |= {**found, "engine": dict(matcher.engine)}
    return Answer(dump(document), status, None, 0 if matches is None else len(matches.query.phrases))


def _row(index: OccupationIndex, code: str, *, needs_data: bool = True, parameter: str | None = None) -> int:
    """Return the row of a code; Refusal 404 for an unknown one, 422 for one of which the index has nothing to compare."""
    pointer = None if parameter else "/code"
    if code not in index.row_of:
        detail = unknown_code(index.manifest["source"])
        raise Refusal(404, detail, errors=[Fault(detail, pointer=pointer, parameter=parameter)])
    try:
        return row_of(index, code, needs_data=needs_data)
    except AdviceError:
        detail = "only a title and a description are known of this code, so nothing can be compared with it"
        raise invalid([Fault(detail, pointer=pointer, parameter=parameter)]) from None


def _line_fault(text: str) -> Fault:
    """Return the fault of a change; the library's error names a member and the number of a line, never the line."""
    found = _LINE.fullmatch(text)
    if found is None:
        return Fault("not a change that can be made", pointer="")
    return Fault(found[3], pointer=f"/{found[1]}" + (f"/{int(found[2]) - 1}" if found[2] else ""))
