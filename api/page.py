"""The page: what a job seeker sees, its form that needs no JavaScript, and the routes that its modules call.

Every answer is HTML that the templates of ``page_files`` made, so that there is one place where a person's text becomes markup. Nothing that is
given stands in a URL; a file's name is not looked at.
"""

from __future__ import annotations

import contextlib
import functools
import gzip
import hashlib
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import orjson
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from api import advice, match, occupations, page_views
from api.admission import Refused
from api.body import decode, media_type, read_body, read_parts
from api.logs import note
from api.page_form import MULTIPART, Form, read_form
from api.page_views import FILES, REFUSALS, render
from api.problems import Refusal
from api.schemas import Code, GapRequest, MovesRequest, Options, WhatIfRequest, parse
from api.service import service_of
from matcher.given import AdviceError
from matcher.match import Matcher, Matches
from matcher.records import Query

HTML = "text/html; charset=utf-8"
#: A browser writes ``Origin: null`` on a form whose page says no-referrer, and then it could not be told from a foreign one.
_PAGE_HEADERS = {"Referrer-Policy": "same-origin"}
_MEDIA = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
#: What came stands in the window's title, too: it is what a screen reader says first of a new page. It is markup already.
_HEADING = re.compile(r'id="answer-h"[^>]*>([^<]+)<')
#: Next steps that are shown.
_MOVES = 8


class CompareRequest(BaseModel):
    """The occupations to stand side by side."""

    model_config = ConfigDict(strict=True, extra="forbid", hide_input_in_errors=True)

    codes: list[Code] = Field(min_length=2, max_length=3)


class SuggestRequest(BaseModel):
    """What has been typed so far; in a body, for a URL stands in logs of others."""

    model_config = ConfigDict(strict=True, extra="forbid", hide_input_in_errors=True)

    prefix: str = Field(max_length=100)
    kind: Literal["title", "skill"] = "title"


@dataclass(frozen=True, slots=True)
class Asset:
    """A file that the page loads, as it is and compressed."""

    plain: bytes
    packed: bytes
    media: str


@functools.cache
def assets() -> tuple[str, Mapping[str, Asset]]:
    """Return the version of the page's files, which their addresses bear, and the files by name."""
    found = {}
    for path in sorted(FILES.iterdir()):
        if path.suffix in _MEDIA:
            data = path.read_bytes()
            found[path.name] = Asset(data, gzip.compress(data, 9, mtime=0), _MEDIA[path.suffix])
    version = hashlib.sha256(b"".join(name.encode() + asset.plain for name, asset in found.items())).hexdigest()[:12]
    return version, found


def add_routes(app: FastAPI) -> None:
    """Add the page and what belongs to it."""
    for path, handler, method in (
        ("/", index, "GET"),
        ("/", form, "POST"),
        ("/page/match", match_fragment, "POST"),
        ("/page/more", more_fragment, "POST"),
        ("/page/whatif", what_if_fragment, "POST"),
        ("/page/moves", moves_fragment, "POST"),
        ("/page/compare", compare_fragment, "POST"),
        ("/page/suggest", suggest, "POST"),
        ("/page/assets/{version}/{name}", asset, "GET"),
    ):
        app.add_api_route(path, handler, methods=[method], include_in_schema=False)


async def index(request: Request) -> Response:
    """Answer the page."""
    return _page(request)


async def asset(request: Request, version: str, name: str) -> Response:
    """Answer a file of the page; its address changes with its content."""
    current, files = assets()
    if name not in files or version != current:
        raise Refusal(404, "the page has no such file")
    found = files[name]
    headers = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(found.packed, media_type=found.media, headers={**headers, "Content-Encoding": "gzip"})
    return Response(found.plain, media_type=found.media, headers=headers)


async def form(request: Request) -> Response:
    """Answer the page with the occupations for what its form holds, and the advice that is asked for: the way without JavaScript."""
    held = Form()

    async def made() -> Response:
        nonlocal held
        held = await read_form(request, service_of(request).settings.upload_bytes)
        if (wait := request.scope["state"].get("retry_after")) is not None:
            raise Refused(429, wait, "rate_limit")
        html, held = await _answered(request, held.options, held.document, held)
        return _page(request, answer=html, given=held.given)

    def shown(html: str, status: int) -> Response:
        return _page(request, answer=html, given=held.given, status=status)

    return await _refusing(request, made, shown, lambda: held)


async def match_fragment(request: Request) -> Response:
    """Answer the occupations as a piece of the page; as JSON where that is asked for."""
    if request.headers.get("accept", "") == match.JSON:
        return await match.match(request)

    async def made() -> Response:
        if media_type(request)[0] == MULTIPART:
            parts = await read_parts(request, service_of(request).settings.upload_bytes)
            document = parts.get("file") or None
            options = parse(Options, await decode(parts["options"])) if "options" in parts else Options.model_validate({})
        else:
            document, options = None, await _json(request, Options)
        return _fragment((await _answered(request, options, document))[0])

    return await _refusing(request, made)


async def _answered(request: Request, options: Options, document: bytes | None, held: Form | None = None) -> tuple[str, Form]:
    """Return the answer, or why there is none, as HTML; with a form, all that it asks for, and the form with the text of its file."""
    service = service_of(request)
    if document is None and not options.has_query:
        return _refusal("empty"), held or Form()
    matcher = service.holder.current
    query = None
    if document is not None:
        async with service.documents.enter(request):
            query = await match.read_document(request, service, options, document)

    def work() -> tuple[str, Matches, Form]:
        matches = _matches(matcher, options, query)
        form = (held or Form()).with_text_of(None if query is None else query.text)
        if matches.reasons:
            return _refusal(matches.reasons[0]), matches, form
        plain = form if held else None
        told, opened = _pieces(matcher, form), (matches[0].code, form.opened)
        html = render(
            "answer.html",
            **page_views.answer(matches, matcher.index),
            plain=plain,
            told=told,
            more=_opened(matches, matcher, opened),
        )
        return html, matches, form

    html, matches, form = await service.work(request, work)
    service.metrics.answered(matches.status)
    service.metrics.score(matches[0].score if len(matches) else None)
    note(request.scope, phrases=len(matches.query.phrases))
    return html, form


def _matches(matcher: Matcher, options: Options, query: Query | None = None) -> Matches:
    filters = match.filters_of(matcher, options)
    return matcher.match_query(match.read(options) if query is None else query, top=10, filters=filters)


def _opened(matches: Matches, matcher: Matcher, codes: Iterable[str]) -> dict[str, str]:
    """Return what is told of opened occupations by code.

    The first one's comes with the answer: a wide screen shows it open, and what comes late would move what is being read.
    """
    told = {}
    for code in dict.fromkeys(codes):
        with contextlib.suppress(AdviceError):
            told[code] = render("more.html", **page_views.more(matches.gap(code).to_dict(), matcher.index.section(code)))
    return told


def _pieces(matcher: Matcher, form: Form) -> dict[str, str]:
    """Return the advice that a form asks for, as HTML by name, empty where it asks for none."""

    def piece(work: Callable[[Matcher, Any], str], model: type[BaseModel], wanted: Mapping[str, Any]) -> str:
        try:
            return work(matcher, parse(model, dict(wanted)))
        except Refusal:
            return _refusal("advice", alone=False)

    query, wishes = form.query, form.wishes
    return {
        "what_if": piece(_what_if, WhatIfRequest, {**query, "add": list(form.added)}) if form.added else "",
        "moves": "" if wishes is None else piece(_moves, MovesRequest, {**query, **page_views.wanted(wishes)}),
        "compare": piece(_compare, CompareRequest, {"codes": list(form.compared)}) if len(form.compared) > 1 else "",
    }


# What the library says comes from the functions that answer /v1, so that the page cannot say anything else.


def _more(matcher: Matcher, wanted: GapRequest) -> str:
    found = _found(advice.gap_answer(matcher, wanted))
    return render("more.html", **page_views.more(found, matcher.index.section(wanted.code)))


def _what_if(matcher: Matcher, wanted: WhatIfRequest) -> str:
    return render("whatif.html", **page_views.what_if(_found(advice.what_if_answer(matcher, wanted))))


def _moves(matcher: Matcher, wanted: MovesRequest) -> str:
    found = _found(advice.moves_answer(matcher, wanted.model_copy(update={"top": _MOVES})))
    return render("moves.html", **page_views.moves(found, matcher.index))


def _compare(matcher: Matcher, wanted: CompareRequest) -> str:
    return render("compare.html", **page_views.compare(orjson.loads(advice.compare_answer(matcher, ",".join(wanted.codes)))))


def _found(answer: match.Answer) -> dict[str, Any]:
    if answer.status != "ok":
        raise Refusal(422, "there is too little to go on", reason="advice")
    found: dict[str, Any] = orjson.loads(answer.body)
    return found


async def more_fragment(request: Request) -> Response:
    """Answer what is told of an occupation when it is opened."""
    return await _advice(request, GapRequest, _more)


async def what_if_fragment(request: Request) -> Response:
    """Answer ranks before and after lines are added."""
    return await _advice(request, WhatIfRequest, _what_if)


async def moves_fragment(request: Request) -> Response:
    """Answer occupations to go on to."""
    return await _advice(request, MovesRequest, _moves)


async def compare_fragment(request: Request) -> Response:
    """Answer two or three occupations side by side."""
    return await _advice(request, CompareRequest, _compare)


async def suggest(request: Request) -> Response:
    """Offer names while somebody types."""
    wanted = await _json(request, SuggestRequest)
    return await occupations.suggest(request, wanted.prefix, wanted.kind)


async def _advice(request: Request, model: Any, work: Callable[[Matcher, Any], str]) -> Response:
    async def made() -> Response:
        service, wanted = service_of(request), await _json(request, model)
        try:
            return _fragment(await service.work(request, work, service.holder.current, wanted))
        except Refusal as refusal:
            raise Refusal(refusal.status, refusal.detail, reason="advice") from None

    return await _refusing(request, made)


async def _json(request: Request, model: Any) -> Any:
    return parse(model, await decode(await read_body(request, service_of(request).settings.json_bytes)))


async def _refusing(
    request: Request,
    made: Callable[[], Awaitable[Response]],
    shown: Callable[[str, int], Response] | None = None,
    held: Callable[[], Form] | None = None,
) -> Response:
    """Return what is made, or a refusal in plain words with the status and the headers that it has anywhere.

    With ``held``, a refusal that passes by itself has a button that sends the same form again.
    """
    headers: Mapping[str, str]
    wait = 0
    try:
        return await made()
    except Refused as refused:
        kind, status, wait = "often" if refused.status == 429 else "busy", refused.status, refused.retry_after
        # The gate marks a refusal of its own.
        headers = {} if status == 429 else {"Retry-After": str(wait)}
    except Refusal as refusal:
        kind, status, headers = _kind(refusal), refusal.status, refusal.headers
    html = _refusal(kind, wait=wait, again=held() if held and wait else None)
    answer = shown(html, status) if shown else _fragment(html, status)
    answer.headers.update(headers)
    return answer


def _kind(refusal: Refusal) -> str:
    if refusal.reason in REFUSALS:
        return str(refusal.reason)
    return {413: "too_large", 415: "unsupported", 422: "invalid", 503: "busy"}.get(refusal.status, "broken")


def _refusal(kind: str, *, wait: int = 0, again: Form | None = None, alone: bool = True) -> str:
    return render("refusal.html", kind=kind, refused=REFUSALS.get(kind, REFUSALS["broken"]), wait=wait, again=again, alone=alone)


def _fragment(html: str, status: int = 200) -> Response:
    return Response(html, status_code=status, headers={**_PAGE_HEADERS, "Content-Type": HTML})


def _page(request: Request, *, answer: str | None = None, given: Mapping[str, str] | None = None, status: int = 200) -> Response:
    matcher = service_of(request).holder.current
    heading = _HEADING.search(answer or "")
    html = render(
        "page.html",
        heading=heading and heading[1],
        assets=f"/page/assets/{assets()[0]}",
        answer=answer,
        given=given or {},
        occupations=len(matcher.index),
        release=matcher.engine["release"],
        attribution=matcher.index.manifest["notice"],
    )
    return _fragment(html, status)
