"""The log: JSON lines of facts about requests, never of what they said.

A request's line has its id, the pattern of its route, method, status, milliseconds, phrases and the caller's key id. There is no path, query
string, header or body. An exception is told by its type and places in the code: its message could quote what a person wrote.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
import traceback
from collections.abc import Callable
from types import TracebackType
from typing import Any, TextIO

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.metrics import Metrics

#: Loggers of the standard library whose messages are ours or uvicorn's; of others nothing is kept, whatever the level.
_KNOWN = ("api", "uvicorn.error", "asyncio", "py.warnings")
#: The key in ``scope["state"]`` under which a route leaves facts (numbers) for its line.
FACTS = "facts"
UNMATCHED = "(none)"


def configure(level: str = "info", stream: TextIO | None = None) -> None:
    """Send the log of this process to ``stream`` (standard error), from ``level`` up."""
    out = stream or sys.stderr
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(sort_keys=True),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    handler = _Bridge(number)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(number)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = name != "uvicorn.access"
        # Not uvicorn's "trace", which prints messages of the protocol.
        logger.setLevel(max(number, logging.INFO))
    sys.excepthook = _uncaught
    threading.excepthook = lambda args: _uncaught(args.exc_type, args.exc_value, args.exc_traceback)
    sys.unraisablehook = lambda args: _uncaught(args.exc_type, args.exc_value, args.exc_traceback)


def log() -> Any:
    """Return the logger."""
    return structlog.get_logger()


def describe(error: BaseException) -> dict[str, Any]:
    """Return an exception as its type and places, innermost last, without its message."""
    places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    facts: dict[str, Any] = {"error": type(error).__qualname__, "where": places[-12:]}
    if isinstance(error, BaseExceptionGroup):
        facts["errors"] = [type(part).__qualname__ for part in error.exceptions]
    if cause is not None:
        facts["cause"] = type(cause).__qualname__
    return facts


class _Bridge(logging.Handler):
    """Brings what uvicorn and asyncio log into ours, without what could quote a request."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.name not in _KNOWN or (record.name == "asyncio" and record.levelno < logging.WARNING):
            return
        # asyncio goes on with the repr of whatever failed.
        lines = record.getMessage().splitlines() or [""]
        facts: dict[str, Any] = {"logger": record.name}
        if record.exc_info and record.exc_info[1] is not None:
            facts |= describe(record.exc_info[1])
        log().log(record.levelno, lines[0][:200], **facts)


def _uncaught(kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
    if error is None:
        log().error("uncaught", error=getattr(kind, "__qualname__", "?"))
    elif isinstance(error, KeyboardInterrupt):
        log().info("interrupted")
    else:
        log().error("uncaught", **describe(error.with_traceback(trace)))


class RequestLog:
    """Middleware: one line and one measurement a request. A's request-id middleware stands around it."""

    def __init__(self, app: ASGIApp, metrics: Metrics, clock: Callable[[], float] = time.perf_counter) -> None:
        self.app = app
        self.metrics = metrics
        self.clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begin = self.clock()
        status = 0
        finished = False
        failure: BaseException | None = None

        async def watch(message: Message) -> None:
            nonlocal status, finished
            if message["type"] == "http.response.start":
                status = message["status"]
            elif message["type"] == "http.response.body" and not message.get("more_body"):
                finished = True
            await send(message)

        self.metrics.in_flight.inc()
        try:
            await self.app(scope, receive, watch)
        except BaseException as error:
            failure = error
            status = status or 500
            raise
        finally:
            self.metrics.in_flight.dec()
            seconds = self.clock() - begin
            route = route_of(scope)
            self.metrics.observe(route, status, seconds)
            state = scope.get("state", {})
            facts: dict[str, Any] = dict(state.get(FACTS, ()))
            if failure is not None:
                facts |= describe(failure)
            if not finished:
                facts["cut"] = True
            write = log().error if status >= 500 and status != 503 else log().info
            write(
                "request",
                request_id=state.get("request_id"),
                route=route,
                method=scope["method"] if scope["method"] in _METHODS else "?",
                status=status,
                ms=round(seconds * 1000, 1),
                key=state.get("key_id"),
                **facts,
            )


_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))


def note(scope: Scope, **facts: float | str | bool | None) -> None:
    """Leave facts for the request's line, such as ``phrases=41``; never anything that was sent."""
    scope.setdefault("state", {}).setdefault(FACTS, {}).update(facts)


def route_of(scope: Scope) -> str:
    """Return the pattern of the route that answers, ``(none)`` where no route does."""
    path = getattr(scope.get("route"), "path", None)
    return path if isinstance(path, str) else UNMATCHED
