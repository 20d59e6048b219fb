"""The application: routes, what stands before and around them, and what is shared by all requests."""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
from collections.abc import AsyncIterator
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import about, admin, advice, docs, match, occupations, page, streams
from api.admission import Admission, Refused
from api.docs import operation
from api.holder import MatcherHolder, teller
from api.keys import KeyStore
from api.logs import RequestLog, describe, log
from api.metrics import Metrics
from api.problems import REQUEST_ID, Refusal, invalid, parameter_faults, problem
from api.rates import open_rates
from api.security import add_middleware
from api.service import Directories, Service
from api.settings import Settings, load_settings

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_WAITS = {
    "queue_full": "more is asked at once than can be answered in time",
    "queue_timeout": "more is asked at once than can be answered in time",
    "deadline": "the match took longer than is allowed",
    "gone": "nobody waits for the answer",
    "draining": "the service is being stopped",
}
#: Seconds a document waits for a child; with the five that it may take there, and the ends of both, an answer comes within six.
_DOCUMENT_QUEUE = 0.4
_BODY = (400, 413, 415, 422, 503)


def create_app(settings: Settings | None = None) -> FastAPI:
    """Return the application; the index and the encoder are loaded and checked before it is there.

    Raises SettingsError, KeyStoreError, OccupationIndexError, EncoderError or ResourceError where it cannot answer.
    """
    settings = settings or load_settings()
    metrics = Metrics()
    directories = Directories()
    tell = teller(metrics)

    def told(event: str, **facts: Any) -> None:
        tell(event, **facts)
        if event == "index_changed":
            # Made now, so that nobody's search waits for it.
            asyncio.get_running_loop().run_in_executor(None, directories.of, holder.current)

    holder = MatcherHolder(settings, tell=told)
    metrics.index(holder.digest)
    keys = None
    if settings.keys_file is not None:
        keys = KeyStore(settings.keys_file)
        keys.load()
    rates = open_rates(settings)
    service = Service(
        settings=settings,
        holder=holder,
        admission=Admission(settings.max_concurrent, settings.queue_seconds, refused=metrics.refused),
        documents=Admission(
            settings.document_children,
            min(settings.queue_seconds, _DOCUMENT_QUEUE),
            name="document",
            first_guess=0.2,
            refused=metrics.refused,
        ),
        metrics=metrics,
        rates=rates,
        directories=directories,
    )

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await asyncio.to_thread(directories.of, holder.current)
        watching = asyncio.create_task(holder.watch())
        try:
            yield
        finally:
            watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watching
            service.admission.close()
            service.documents.close()

    app = FastAPI(lifespan=lifespan, openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.state.service = service
    app.state.settings, app.state.holder, app.state.metrics, app.state.admission = settings, holder, metrics, service.admission
    _add_routes(app)
    _add_handlers(app)
    # The one added last stands outermost.
    app.add_middleware(LastResort)
    add_middleware(app, settings, keys, rates, metrics)
    app.add_middleware(RequestLog, metrics=metrics)
    app.add_middleware(LastResort)
    app.add_middleware(RequestIds)
    return app


def _add_routes(app: FastAPI) -> None:
    query = {"application/json": {"$ref": "#/components/schemas/MatchRequest"}}
    linked = ("application/json", match.LINKED)
    app.add_api_route(
        "/v1/match",
        match.match,
        methods=["POST"],
        **operation("match", "match", "MatchAnswer", refusals=_BODY, request=query, media=linked),
    )
    upload = {
        "multipart/form-data": {
            "type": "object",
            "properties": {
                "file": {
                    "type": "string",
                    "format": "binary",
                    "description": "PDF, .docx, text, Markdown or JSON Resume, told by its content; 5 MB with all the rest.",
                },
                "options": {"$ref": "#/components/schemas/Options"},
            },
            "required": ["file"],
            "additionalProperties": False,
        }
    }
    app.add_api_route(
        "/v1/match/file", match.match_file, methods=["POST"],
        **operation("matchFile", "match", "MatchAnswer", refusals=_BODY, request=upload, media=linked),
    )  # fmt: skip
    lines = {
        streams.NDJSON: {
            "type": "string",
            "description": "One MatchRequest a line; a line at most 512 KB, 4 MB and 10,000 lines in all.",
        }
    }
    app.add_api_route(
        "/v1/match/batch", streams.match_batch, methods=["POST"],
        **operation("matchBatch", "match", "BatchLine", refusals=(413, 415, 503), request=lines, media=(streams.NDJSON,)),
    )  # fmt: skip
    for path, asked, name, wanted, answer in (
        ("/v1/gap", advice.gap, "gap", "GapRequest", "GapAnswer"),
        ("/v1/whatif", advice.what_if, "whatIf", "WhatIfRequest", "WhatIfAnswer"),
        ("/v1/moves", advice.moves, "moves", "MovesRequest", "MovesAnswer"),
    ):
        asking = {"application/json": {"$ref": f"#/components/schemas/{wanted}"}}
        app.add_api_route(
            path, asked, methods=["POST"], **operation(name, "advice", answer, refusals=(*_BODY, 404), request=asking)
        )
    app.add_api_route(
        "/v1/compare", advice.compare, methods=["GET"], **operation("compare", "advice", "CompareAnswer", refusals=(404, 422, 503))
    )
    app.add_api_route(
        "/v1/occupations", occupations.list_occupations, methods=["GET"],
        **operation("listOccupations", "occupations", "OccupationList", refusals=(422, 503)),
    )  # fmt: skip
    app.add_api_route(
        "/v1/occupations/{code}", occupations.get_occupation, methods=["GET"],
        **operation("getOccupation", "occupations", "Occupation", refusals=(404, 422, 503)),
    )  # fmt: skip
    app.add_api_route(
        "/v1/occupations/{code}/related", occupations.list_related, methods=["GET"],
        **operation("listRelated", "occupations", "RelatedList", refusals=(404, 422, 503)),
    )  # fmt: skip
    app.add_api_route(
        "/v1/suggest", occupations.suggest, methods=["GET"],
        **operation("suggest", "occupations", "Suggestions", refusals=(422, 503)),
    )  # fmt: skip
    app.add_api_route("/v1/about", about.about, methods=["GET"], **operation("about", "operations", "About"))
    app.add_api_route("/healthz", about.health, methods=["GET"], **operation("health", "operations", "Health", secured=False))
    app.add_api_route(
        "/readyz", about.ready, methods=["GET"], **operation("ready", "operations", "Health", refusals=(503,), secured=False)
    )
    app.add_api_route("/metrics", about.metrics, methods=["GET"], include_in_schema=False)
    app.add_api_route("/docs", docs.page, methods=["GET"], include_in_schema=False)
    app.add_api_route("/docs/{name}", docs.asset, methods=["GET"], include_in_schema=False)
    app.add_api_route("/problems/{name}", docs.problem_kind, methods=["GET"], include_in_schema=False)
    page.add_routes(app)
    app.include_router(admin.router())

    described: list[bytes] = []

    async def openapi() -> Response:
        if not described:
            described.append(match.dump(app.openapi()))
        return Response(described[0], media_type="application/json")

    app.add_api_route("/openapi.json", openapi, methods=["GET"], include_in_schema=False)
    document: dict[str, Any] = {}

    def described_once() -> dict[str, Any]:
        if not document:
            document.update(docs.describe(app))
        return document

    app.openapi = described_once  # type: ignore[method-assign]


def _add_handlers(app: FastAPI) -> None:
    async def refusal(_: Request, error: Exception) -> Response:
        assert isinstance(error, Refusal)
        return error.response()

    async def refused(_: Request, error: Exception) -> Response:
        assert isinstance(error, Refused)
        return problem(error.status, _WAITS.get(error.reason, "not now"), headers={"Retry-After": str(error.retry_after)})

    async def bad_parameter(_: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return invalid(parameter_faults(error.errors())).response()

    async def http_error(_: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        detail = {404: "there is nothing here", 405: "this path does not take that method"}.get(
            error.status_code, "not as expected"
        )
        return problem(error.status_code, detail, headers=dict(error.headers or {}))

    app.add_exception_handler(Refusal, refusal)
    app.add_exception_handler(Refused, refused)
    app.add_exception_handler(RequestValidationError, bad_parameter)
    app.add_exception_handler(HTTPException, http_error)


class LastResort:
    """Middleware: whatever a route lets through ends in a problem without its text, and in a log line with places only."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except ClientDisconnect:
            return
        except Exception as error:  # noqa: BLE001 - the last resort
            log().error("failed", request_id=scope.get("state", {}).get("request_id"), **describe(error))
            # Once an answer has begun, all that is left is to end without its end; the server then closes the connection.
            if not started:
                await problem(500, "this could not be answered, by a fault of ours")(scope, receive, send)


class RequestIds:
    """Middleware: every answer has the caller's request id or a new one, and HEAD is GET without a body."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = [value for name, value in scope["headers"] if name == b"x-request-id"]
        known = len(given) == 1 and _REQUEST_ID.fullmatch(given[0]) is not None
        identity = given[0].decode("ascii") if known else secrets.token_hex(16)
        scope.setdefault("state", {})["request_id"] = identity
        token = REQUEST_ID.set(identity)
        head = scope["method"] == "HEAD"
        if head:
            scope = {**scope, "method": "GET"}

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [pair for pair in message.get("headers", ()) if pair[0].lower() != b"x-request-id"]
                message = {**message, "headers": [*headers, (b"x-request-id", identity.encode("ascii"))]}
            elif head and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        try:
            await self.app(scope, receive, marked)
        finally:
            REQUEST_ID.reset(token)
