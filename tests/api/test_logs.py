"""The log tells what happened to a request and nothing of what it said."""

from __future__ import annotations

import io
import json
import logging
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.testclient import TestClient

from api import logs
from api.metrics import Metrics

CANARY = "c4n4ry"


@pytest.fixture
def lines() -> Iterator[Any]:
    """The log at its most talkative; what was set up before is put back."""
    stream = io.StringIO()
    root = logging.getLogger()
    before = (root.handlers[:], root.level, sys.excepthook, threading.excepthook, sys.unraisablehook)
    logs.configure("debug", stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers[:], level, sys.excepthook, threading.excepthook, sys.unraisablehook = before
    root.setLevel(level)
    structlog.reset_defaults()


async def _good(request: Request) -> Response:
    logs.note(request.scope, phrases=7)
    return PlainTextResponse("ok")


async def _bad(request: Request) -> Response:
    raise ValueError(f"cannot read {CANARY}")


def served(metrics: Metrics) -> TestClient:
    app = FastAPI(openapi_url=None)
    app.add_api_route("/v1/things/{name}", _good)
    app.add_api_route("/bad/{name}", _bad)
    app.add_middleware(logs.RequestLog, metrics=metrics)
    return TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False)


def test_a_request_has_one_line_with_the_pattern_of_its_route_and_no_path_or_query(lines: Any) -> None:
    metrics = Metrics()
    served(metrics).get(f"/v1/things/{CANARY}?q={CANARY}")
    (line,) = [entry for entry in lines() if entry["event"] == "request"]
    assert (line["route"], line["method"], line["status"], line["phrases"]) == ("/v1/things/{name}", "GET", 200, 7)
    assert line["ms"] >= 0
    assert CANARY not in str(lines()) + metrics.render().decode()
    assert b'matcher_request_seconds_count{route="/v1/things/{name}",status="200"} 1.0' in metrics.render()


def test_paths_without_a_route_are_all_one_route_so_that_nobody_can_fill_the_metrics(lines: Any) -> None:
    metrics = Metrics()
    client = served(metrics)
    for number in range(5):
        client.get(f"/{CANARY}{number}")
    client.request(CANARY.upper(), "/nowhere")
    assert {entry["route"] for entry in lines()} == {logs.UNMATCHED}
    assert {entry["method"] for entry in lines()} == {"GET", "?"}
    assert metrics.render().count(b"matcher_request_seconds_count{") == 1


def test_an_exception_is_told_by_type_and_place_and_not_by_its_message(lines: Any) -> None:
    metrics = Metrics()
    served(metrics).get(f"/bad/{CANARY}")
    (line,) = [entry for entry in lines() if entry["event"] == "request"]
    assert (line["status"], line["error"], line["level"]) == (500, "ValueError", "error")
    assert line["where"][-1].endswith("_bad")
    assert CANARY not in str(lines())
    assert b"matcher_in_flight 0.0" in metrics.render()


def test_what_uvicorn_and_asyncio_say_comes_in_without_values(lines: Any) -> None:
    try:
        raise KeyError(CANARY)
    except KeyError as error:
        logging.getLogger("uvicorn.error").error("Exception in ASGI application\n", exc_info=error)
    logging.getLogger("asyncio").error("Task exception was never retrieved\nfuture: <Task exception=ValueError('%s')>", CANARY)
    assert [entry["event"] for entry in lines()] == ["Exception in ASGI application", "Task exception was never retrieved"]
    assert lines()[0]["error"] == "KeyError"
    assert CANARY not in str(lines())


@pytest.mark.parametrize("name", ["python_multipart.multipart", "httpx", "matcher.anything", "uvicorn.access", "root"])
def test_loggers_that_are_not_known_say_nothing_at_any_level(lines: Any, name: str) -> None:
    logging.getLogger(name).critical(CANARY)
    assert lines() == []


def test_what_ends_a_thread_is_told_without_its_message(lines: Any) -> None:
    def fail() -> None:
        raise RuntimeError(CANARY)

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    (line,) = lines()
    assert (line["event"], line["error"]) == ("uncaught", "RuntimeError")
    assert CANARY not in str(line)


def test_a_cause_and_the_parts_of_a_group_are_named_by_type() -> None:
    try:
        try:
            raise KeyError(CANARY)
        except KeyError as inner:
            raise ExceptionGroup(CANARY, [ValueError(CANARY), OSError(CANARY)]) from inner
    except ExceptionGroup as group:
        facts = logs.describe(group)
    assert (facts["error"], facts["errors"], facts["cause"]) == ("ExceptionGroup", ["ValueError", "OSError"], "KeyError")
    assert CANARY not in str(facts)
