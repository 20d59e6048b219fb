"""Matching over HTTP: one query as JSON, or one document with options, and its answer as JSON or linked data."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from api.body import decode, read_body, read_parts, require
from api.linked import item_list
from api.logs import note
from api.problems import Fault, Refusal, invalid
from api.schemas import MatchRequest, Options, QueryIn, parse
from api.service import Service, service_of
from matcher.documents import DocumentError
from matcher.match import FilterError, Filters, Matcher, read_inputs
from matcher.reading import QueryError
from matcher.records import Query

JSON = "application/json"
LINKED = "application/ld+json"
_MEMBER = re.compile(r"resume, member (\S+): (.*)", re.S)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it is sent, and what the metrics count of it."""

    body: bytes
    status: str
    score: float | None
    phrases: int


async def match(request: Request) -> Response:
    """Rank occupations for one query."""
    service = service_of(request)
    require(request, JSON)
    async with service.admission.enter(request):
        wanted = parse(MatchRequest, await decode(await read_body(request, service.settings.json_bytes)))
        matcher, linked = service.holder.current, wants_linked(request.headers.get("accept", ""))
        found = await service.admission.run(answer, matcher, wanted, linked, seconds=service.settings.match_seconds, client=request)
    return _respond(request, service, found, linked)


async def match_file(request: Request) -> Response:
    """Rank occupations for a document."""
    service = service_of(request)
    settings = service.settings
    async with service.documents.enter(request):
        document, options = await _file_and_options(await read_parts(request, settings.upload_bytes))
        matcher, linked = service.holder.current, wants_linked(request.headers.get("accept", ""))
        filters = filters_of(matcher, options)
        query = await read_document(request, service, options, document)
        del document  # not held while the match waits for its turn
    found = await service.admission.run(
        answer_query, matcher, query, options, filters, linked, seconds=settings.match_seconds, client=request
    )
    return _respond(request, service, found, linked)


async def read_document(request: Request, service: Service, options: Options, document: bytes) -> Query:
    """Return a document, with its options, as one query, read in a child that ``service.documents`` has let in, and counted."""
    try:
        query = await service.documents.run(
            _read_counted, service, options, document, seconds=service.settings.document_seconds, client=request
        )
    except Refusal as refusal:
        service.metrics.document(refusal.reason or "invalid")
        raise
    finally:
        service.uploads.ended()
    service.metrics.document("ok")
    return query


def _read_counted(service: Service, options: Options, document: bytes) -> Query:
    with service.metrics.document_children.track_inprogress():
        return read(options, document)


async def _file_and_options(parts: Mapping[str, bytes]) -> tuple[bytes, Options]:
    if "file" not in parts:
        raise invalid([Fault("missing, and needed: the part with the document", pointer="/file")])
    if set(parts) - {"file", "options"}:
        raise invalid([Fault("has a part that is not known; known are file, options", pointer="")])
    if "options" not in parts:
        return parts["file"], Options.model_validate({})
    try:
        return parts["file"], parse(Options, await decode(parts["options"]))
    except Refusal as refusal:
        raise _under("/options", refusal) from None


def _under(part: str, refusal: Refusal) -> Refusal:
    """Return the refusal of one part of a body with pointers that begin with the part's name."""
    faults = [Fault(f.detail, pointer=part + (f.pointer or "")) for f in refusal.errors] or [Fault(refusal.detail, pointer=part)]
    if refusal.status == 422:
        return invalid(faults)
    return Refusal(refusal.status, f"{part}: {refusal.detail}", type=refusal.type, errors=faults)


def _respond(request: Request, service: Service, found: Answer, linked: bool) -> Response:
    service.metrics.answered(found.status)
    service.metrics.score(found.score)
    note(request.scope, phrases=found.phrases)
    return Response(found.body, media_type=LINKED if linked else JSON, headers={"Vary": "Accept"})


def answer(matcher: Matcher, wanted: MatchRequest, linked: bool = False) -> Answer:
    """Return the answer to a request; Refusal (422) with pointers where it is well formed and yet cannot be answered."""
    filters = filters_of(matcher, wanted)
    return answer_query(matcher, read(wanted), wanted, filters, linked)


def answer_query(matcher: Matcher, query: Query, options: Options, filters: Filters, linked: bool) -> Answer:
    """Return the answer to a query that has been read."""
    try:
        matches = matcher.match_query(
            query,
            top=options.top,
            explain=options.explain,
            filters=filters,
            id=options.id,
            accurate=options.accurate and matcher.accurate is not None,
        )
    except FilterError:
        raise invalid([Fault("a value is not one that the index knows", pointer="/filters")]) from None
    document = matches.to_dict(return_text=options.return_text, offset_unit=options.offset_unit)
    document["warnings"] = [*document["warnings"], *_warnings(options, filters, slower=matcher.accurate is not None)]
    first = document["matches"][0] if document["matches"] else {}
    body = dump(item_list(document, matcher.index) if linked else document)
    return Answer(body, document["status"], first.get("score"), len(query.phrases))


def filters_of(matcher: Matcher, options: Options) -> Filters:
    """Return the filters as the index of ``matcher`` takes them: a code that it does not have needs no leaving out."""
    if options.filters is None:
        return Filters()
    wanted = options.filters.filters()
    return dataclasses.replace(wanted, exclude=tuple(code for code in wanted.exclude if code in matcher.index.row_of))


def _warnings(options: Options, filters: Filters, *, slower: bool) -> list[str]:
    """Return what the service itself has to say of an answer."""
    warnings = []
    unknown = len((options.filters and options.filters.exclude) or ()) - len(filters.exclude)
    if unknown:
        warnings.append(f"filter exclude: {unknown} codes are not in this index")
    if options.accurate and not slower:
        warnings.append("accurate: this service has no slower model; the usual one answered")
    return warnings


def read(options: QueryIn, document: bytes | None = None) -> Query:
    """Return what was given as one query; Refusal (415, 422) for a document, or a member of a JSON Resume, that cannot be read."""
    try:
        return read_inputs(
            document=document, name="file", text=options.text, skills=options.skills, title=options.title, resume=options.resume
        )
    except DocumentError as error:
        kind = "unsupported-media-type" if error.reason == "unsupported" else "unreadable-document"
        raise Refusal(
            415 if error.reason == "unsupported" else 422,
            error.detail,
            type=kind,
            errors=[Fault(f"{error.reason}: {error.detail}", pointer="/file")],
            reason=error.reason,
        ) from None
    except QueryError as error:
        raise invalid([_member_fault(str(error), options, document is not None)]) from None


def _member_fault(text: str, options: QueryIn, with_file: bool) -> Fault:
    """Return the fault of a JSON Resume; the error names members and types only, never values."""
    found = _MEMBER.fullmatch(text)
    at, detail = (found[1].rstrip("/"), found[2]) if found else ("", "not what is expected here")
    prefix = "/options" if with_file else ""
    if options.resume is not None:
        return Fault(detail, pointer=f"{prefix}/resume{at}")
    # A text or a file that is itself a JSON Resume: a pointer cannot lead into a string.
    where = "/file" if with_file and options.text is None else f"{prefix}/text"
    return Fault(f"the JSON Resume in it, {at or 'as a whole'}: {detail}", pointer=where)


def dump(document: Any) -> bytes:
    """Return JSON in UTF-8; a lone surrogate, which UTF-8 cannot hold, becomes U+FFFD."""
    try:
        return orjson.dumps(document)
    except TypeError:
        return orjson.dumps(_whole_characters(document))


def _whole_characters(value: Any) -> Any:
    if isinstance(value, str):
        # Pairs of surrogates become the one character that they stand for.
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, dict):
        return {_whole_characters(name): _whole_characters(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_whole_characters(item) for item in value]
    return value


def wants_linked(accept: str) -> bool:
    """Whether an Accept header prefers linked data to plain JSON."""
    quality = {JSON: 0.0, LINKED: 0.0}
    for part in accept.split(","):
        kind, *parameters = (piece.strip().lower() for piece in part.split(";"))
        if kind not in quality:
            continue
        quality[kind] = 1.0
        for parameter in parameters:
            if parameter.startswith("q="):
                try:
                    quality[kind] = float(parameter[2:])
                except ValueError:
                    quality[kind] = 0.0
    return quality[LINKED] > quality[JSON]
