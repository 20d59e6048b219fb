"""The page: what a job seeker sees, its form that needs no JavaScript, and the routes that its modules call.

Every answer is HTML that the templates of ``page_files`` made, so that there is one place where a person's text becomes markup. Nothing that is
given stands in a URL; a file's name is not looked at.
"""

from __future__ import annotations

import asyncio
import functools
import gzip
import hashlib
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from api import match, occupations, page_views
from api.admission import Refused
from api.body import decode, media_type, read_body, read_parts
from api.logs import note
from api.page_views import EXAMPLES, FILES, REFUSALS, render
from api.problems import Refusal
from api.schemas import Code, MatchRequest, Options, parse
from api.service import service_of
from matcher.given import AdviceError
from matcher.match import Matcher, Matches
from matcher.records import Query

HTML = "text/html; charset=utf-8"
FORM, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"
#: A browser writes ``Origin: null`` on a form whose page says no-referrer, and then it could not be told from a foreign one.
_PAGE_HEADERS = {"Referrer-Policy": "same-origin"}
_MEDIA = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
_FIELDS = ("text", "title", "skills")
#: Percent-encoding takes three bytes for one.
_FORM_BYTES = 2 * 1024 * 1024
_INLINE = 64 * 1024
_SPLIT = re.compile(r"[,;\n]")
_NO_CARRIAGE = re.compile(r"\r\n?")

Line = Annotated[str, Field(min_length=1, max_length=400)]


class MoreRequest(MatchRequest):
    """A query and the occupation to tell more of."""

    code: Code


class TryRequest(MatchRequest):
    """A query and what is added to it for a trial."""

    add: list[Line] = Field(min_length=1, max_length=30)


class MovesRequest(MatchRequest):
    """A query and what is wished of the occupations to go on to."""

    pays_more: bool = False
    zone_up: bool = False
    outside_group: bool = False
    less_physical: bool = False
    interests: str | None = Field(None, pattern=r"^[RIASEC]{1,6}$")


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
    """Answer the page with the occupations for what its form holds: the way without JavaScript."""
    given: dict[str, str] = {}

    async def made() -> Response:
        kind, _ = media_type(request)
        document = None
        if kind == MULTIPART:
            parts = await read_parts(request, service_of(request).settings.upload_bytes)
            document = parts.pop("file", b"") or None
            fields = {name: value.decode("utf-8", "replace") for name, value in parts.items()}
        elif kind == FORM:
            fields = await _urlencoded(request)
        else:
            raise Refusal(415, f"expected Content-Type: {FORM} or {MULTIPART}")
        given.update({name: _NO_CARRIAGE.sub("\n", fields[name]) for name in _FIELDS if fields.get(name)})
        number = fields.get("example", "")
        if number.isdecimal() and int(number[:3]) < len(EXAMPLES):
            example = EXAMPLES[int(number[:3])]
            given.clear()
            given.update(text=example.text, title=example.title, skills=example.skills)
            document = None
        return _page(request, answer=await _answered(request, options_of(given), document), given=given)

    return await _refusing(request, made, lambda html, status: _page(request, answer=html, given=given, status=status))


def options_of(fields: Mapping[str, str]) -> Options:
    """Return the fields of the form as options of a match; blank ones are not given."""
    wanted: dict[str, Any] = {name: fields[name] for name in ("text", "title") if fields.get(name, "").strip()}
    skills = [skill.strip() for skill in _SPLIT.split(fields.get("skills", "")) if skill.strip()]
    if skills:
        wanted["skills"] = skills
    return parse(Options, wanted)


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
        return _fragment(await _answered(request, options, document))

    return await _refusing(request, made)


async def _answered(request: Request, options: Options, document: bytes | None) -> str:
    """Return the answer, or why there is none, as HTML."""
    service = service_of(request)
    if document is None and not options.has_query:
        return _refusal("empty")
    matcher = service.holder.current
    query = None
    if document is not None:
        async with service.documents.enter(request):
            query = await match.read_document(request, service, options, document)

    def work() -> tuple[str, Matches]:
        matches = _matches(matcher, options, query)
        if matches.reasons:
            return _refusal(matches.reasons[0]), matches
        return render("answer.html", **page_views.answer(matches, matcher.index)), matches

    html, matches = await service.work(request, work)
    service.metrics.answered(matches.status)
    service.metrics.score(matches[0].score if len(matches) else None)
    note(request.scope, phrases=len(matches.query.phrases))
    return html


def _matches(matcher: Matcher, options: Options, query: Query | None = None, explain: bool = True) -> Matches:
    filters = match.filters_of(matcher, options)
    return matcher.match_query(match.read(options) if query is None else query, top=10, explain=explain, filters=filters)


async def more_fragment(request: Request) -> Response:
    """Answer what is told of an occupation when it is opened."""

    def work(matcher: Matcher, wanted: MoreRequest) -> str:
        return render("more.html", **page_views.more(_matches(matcher, wanted, explain=False), wanted.code, matcher))

    return await _advice(request, MoreRequest, work)


async def what_if_fragment(request: Request) -> Response:
    """Answer ranks before and after lines are added."""

    def work(matcher: Matcher, wanted: TryRequest) -> str:
        return render("whatif.html", **page_views.what_if(_matches(matcher, wanted, explain=False).what_if(add=wanted.add)))

    return await _advice(request, TryRequest, work)


async def moves_fragment(request: Request) -> Response:
    """Answer occupations to go on to."""

    def work(matcher: Matcher, wanted: MovesRequest) -> str:
        found = _matches(matcher, wanted, explain=False).moves(
            top=8,
            pays_more=0.1 if wanted.pays_more else None,
            zone_up=wanted.zone_up,
            outside_group=wanted.outside_group,
            less_physical=wanted.less_physical,
            interests=wanted.interests,
        )
        return render("moves.html", **page_views.moves(found))

    return await _advice(request, MovesRequest, work)


async def compare_fragment(request: Request) -> Response:
    """Answer two or three occupations side by side."""

    def work(matcher: Matcher, wanted: CompareRequest) -> str:
        return render("compare.html", **page_views.compare(matcher.compare(*wanted.codes)))

    return await _advice(request, CompareRequest, work)


async def suggest(request: Request) -> Response:
    """Offer names while somebody types."""
    wanted = await _json(request, SuggestRequest)
    return await occupations.suggest(request, wanted.prefix, wanted.kind)


async def _advice(request: Request, model: Any, work: Callable[..., str]) -> Response:
    async def made() -> Response:
        wanted = await _json(request, model)

        def checked() -> str:
            try:
                return work(service_of(request).holder.current, wanted)
            except AdviceError:
                raise Refusal(422, "no advice can be given on this", reason="advice") from None

        return _fragment(await service_of(request).work(request, checked))

    return await _refusing(request, made)


async def _json(request: Request, model: Any) -> Any:
    return parse(model, await decode(await read_body(request, service_of(request).settings.json_bytes)))


async def _urlencoded(request: Request) -> dict[str, str]:
    raw = await read_body(request, _FORM_BYTES)

    def read() -> dict[str, str]:
        return dict(parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True, errors="replace", max_num_fields=16))

    try:
        return read() if len(raw) <= _INLINE else await asyncio.to_thread(read)
    except ValueError:
        raise Refusal(400, "the form is broken") from None


async def _refusing(
    request: Request,
    made: Callable[[], Awaitable[Response]],
    shown: Callable[[str, int], Response] | None = None,
) -> Response:
    """Return what is made, or a refusal in plain words with the status and the headers that it has anywhere."""
    headers: Mapping[str, str]
    try:
        return await made()
    except Refused as refused:
        kind, status, headers = "busy", refused.status, {"Retry-After": str(refused.retry_after)}
    except Refusal as refusal:
        kind, status, headers = _kind(refusal), refusal.status, refusal.headers
    html = _refusal(kind)
    answer = shown(html, status) if shown else _fragment(html, status)
    answer.headers.update(headers)
    return answer


def _kind(refusal: Refusal) -> str:
    if refusal.reason in REFUSALS:
        return str(refusal.reason)
    return {413: "too_large", 415: "unsupported", 422: "invalid", 503: "busy"}.get(refusal.status, "broken")


def _refusal(kind: str) -> str:
    return render("refusal.html", kind=kind, refused=REFUSALS.get(kind, REFUSALS["broken"]))


def _fragment(html: str, status: int = 200) -> Response:
    return Response(html, status_code=status, headers={**_PAGE_HEADERS, "Content-Type": HTML})


def _page(request: Request, *, answer: str | None = None, given: Mapping[str, str] | None = None, status: int = 200) -> Response:
    matcher = service_of(request).holder.current
    html = render(
        "page.html",
        assets=f"/page/assets/{assets()[0]}",
        answer=answer,
        given=given or {},
        occupations=len(matcher.index),
        release=matcher.engine["release"],
        attribution=matcher.index.manifest["notice"],
    )
    return _fragment(html, status)
