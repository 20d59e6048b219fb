"""POST /v1/match/batch: lines in, lines out, in order, one at a time, and none spoils another."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from api import streams
from api.app import create_app
from api.settings import Settings
from tests.api.conftest import BASE_URL

NDJSON = {"content-type": "application/x-ndjson"}


def send(client: TestClient, body: bytes, **headers: str) -> Any:
    return client.post("/v1/match/batch", content=body, headers=NDJSON | headers)


def lines_of(answer: Any) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    assert answer.content.endswith(b"\n") or not answer.content
    return [json.loads(line) for line in answer.content.splitlines()]


def query(number: int, **more: Any) -> bytes:
    titles = ("Baker", "Line Cook", "Attorney", "Auto Mechanic")
    return json.dumps({"id": str(number), "title": titles[number % 4], "top": 1, "explain": False, **more}).encode()


def test_every_line_gets_its_answer_in_order_and_the_same_as_alone(client: TestClient) -> None:
    bodies = [query(i) for i in range(20)]
    found = lines_of(send(client, b"\n".join(bodies)))
    assert [line["id"] for line in found] == [str(i) for i in range(20)]
    alone = [client.post("/v1/match", content=body, headers={"content-type": "application/json"}).json() for body in bodies]
    assert found == alone


def test_a_bad_line_is_answered_in_its_place_and_spoils_no_other(client: TestClient) -> None:
    bad = [
        b"not json", b'{"id": "a"}', b"[1]", b'{"id": "b", "title": "x", "title": "y"}', b'{"id": 7, "title": "x"}', b"\xff",
        b'{"id": "c", "title": "Baker", "top": 0}', b'{"id": "d", "text": "' + b"x" * 524_288 + b'"}', b"NaN", b"[" * 5000,
        b'{"id": "e", "resume": {"work": [{"position": 1}]}}', b'{"id": "f", "title": "x", "filters": {"exclude": ["Bakers"]}}',
    ]  # fmt: skip
    body = b"\n".join(line for i, spoiled in enumerate(bad) for line in (query(i), spoiled))
    found = lines_of(send(client, body))
    assert [line["status"] for line in found] == ["ok", "error"] * len(bad)
    errors = found[1::2]
    assert [e["error"]["status"] for e in errors] == [400, 422, 422, 400, 422, 400, 422, 413, 400, 400, 422, 422]
    assert [e["id"] for e in errors] == [None, "a", None, None, None, None, "c", None, None, None, "e", "f"]
    assert [e["line"] for e in errors] == list(range(2, 2 * len(bad) + 1, 2))
    assert all(e["matches"] == [] for e in errors)
    assert errors[6]["error"]["errors"] == [{"pointer": "/top", "detail": "expected 1 or more"}]


def test_blank_lines_have_no_answer_and_line_ends_may_be_of_either_kind(client: TestClient) -> None:
    found = lines_of(send(client, b"\n\r\n" + query(0) + b"\r\n  \n\n" + query(1) + b"\r\n\r\nno"))
    assert [(line["status"], line.get("line")) for line in found] == [("ok", None), ("ok", None), ("error", 8)]
    assert lines_of(send(client, b"")) == []


def test_too_many_lines_are_refused_before_the_first_is_matched(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "MOST_LINES", 3)
    assert send(client, b"1\n2\n3\n").status_code == 200
    refused = send(client, b"1\n2\n3\n4")
    assert (refused.status_code, refused.json()["type"]) == (413, "/problems/too-large")


def test_json_is_not_json_lines(client: TestClient) -> None:
    answer = client.post("/v1/match/batch", content=b"[]", headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["detail"].startswith("expected Content-Type: application/x-ndjson")) == (415, True)


def test_when_the_time_is_over_the_lines_that_are_left_say_so(invented_index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, answered = streams.answer, []

    def slow(*args: Any) -> Any:
        answered.append(args)
        if len(answered) > 2:
            time.sleep(0.6)
        return real(*args)

    monkeypatch.setattr(streams, "answer", slow)
    with TestClient(create_app(Settings(index=invented_index, batch_seconds=0.5)), base_url=BASE_URL) as client:
        found = lines_of(send(client, b"\n".join(query(i) for i in range(6))))
    assert [line["status"] for line in found] == ["ok", "ok", *["error"] * 4]
    assert {line["error"]["status"] for line in found[2:]} == {503}
    assert [line["id"] for line in found] == [str(i) for i in range(6)]
    assert ["time of this batch" in line["error"]["detail"] for line in found[2:]] == [False, True, True, True]
    assert len(answered) == 3


def test_a_fault_of_ours_in_one_line_leaves_the_others(client: TestClient, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    real = streams.answer

    def broken(matcher: Any, wanted: Any) -> Any:
        if wanted.title == "Attorney":
            raise RuntimeError("canary-text")
        return real(matcher, wanted)

    monkeypatch.setattr(streams, "answer", broken)
    answer = send(client, b"\n".join(query(i) for i in range(4)))
    found = lines_of(answer)
    assert [line["status"] for line in found] == ["ok", "ok", "error", "ok"]
    assert found[2]["error"]["status"] == 500
    printed = capsys.readouterr()
    assert "canary-text" not in answer.text + printed.out + printed.err


def test_each_line_counts_as_a_call(invented_index: Path, tmp_path: Path) -> None:
    settings = Settings(index=invented_index, rate_limit=5, rates_file=tmp_path / "rates")
    with TestClient(create_app(settings), base_url=BASE_URL) as client:
        found = lines_of(send(client, b"\n".join(query(i) for i in range(8))))
        assert [line["status"] for line in found] == ["ok"] * 5 + ["error"] * 3
        assert {line["error"]["status"] for line in found[5:]} == {429}
        assert send(client, query(1)).status_code == 429


def _scope(size: int) -> dict[str, Any]:
    headers = [(b"host", b"127.0.0.1"), (b"content-type", b"application/x-ndjson"), (b"content-length", b"%d" % size)]
    return {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "method": "POST", "scheme": "http",
        "path": "/v1/match/batch", "raw_path": b"/v1/match/batch", "query_string": b"", "headers": headers, "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80), "state": {},
    }  # fmt: skip


def _run(invented_index: Path, monkeypatch: pytest.MonkeyPatch, gone_after: int | None, hold: bool) -> tuple[int, int]:
    """Send 50 lines; return how many were matched while only the first answer was taken, and how many in all."""
    matched = 0
    real = streams.answer

    def counted(*args: Any) -> Any:
        nonlocal matched
        matched += 1
        return real(*args)

    monkeypatch.setattr(streams, "answer", counted)
    body = b"\n".join(query(i) for i in range(50))

    async def run() -> tuple[int, int]:
        app = create_app(Settings(index=invented_index))
        taken, sent, may_go_on, first = 0, False, asyncio.Event(), asyncio.Event()

        async def receive() -> dict[str, Any]:
            nonlocal sent
            if not sent:
                sent = True
                return {"type": "http.request", "body": body, "more_body": False}
            if gone_after is not None and taken >= gone_after:
                return {"type": "http.disconnect"}
            await asyncio.sleep(30)
            return {"type": "http.disconnect"}

        async def send_one(message: dict[str, Any]) -> None:
            nonlocal taken
            if message["type"] == "http.response.body" and message.get("body"):
                taken += 1
                if taken == 2 and hold:
                    first.set()
                    await may_go_on.wait()

        running = asyncio.create_task(app(_scope(len(body)), receive, send_one))
        early = 0
        if hold:
            await first.wait()
            await asyncio.sleep(0.2)
            early = matched
            may_go_on.set()
        await asyncio.wait_for(running, 20)
        return early, matched

    return asyncio.run(run())


def test_a_line_is_matched_only_when_the_answer_before_it_was_taken(invented_index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    early, whole = _run(invented_index, monkeypatch, gone_after=None, hold=True)
    assert (early, whole) == (2, 50)


def test_lines_of_a_client_that_has_gone_are_not_matched(invented_index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, whole = _run(invented_index, monkeypatch, gone_after=3, hold=False)
    assert whole < 10
