"""The protocol: what comes too slowly, too large or in two readings is refused before the application sees it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import uvicorn

from api import protocol
from api.metrics import Metrics
from api.settings import Settings

LIMITS = Settings(header_seconds=0.3, request_seconds=0.6, write_seconds=0.3, max_connections=10)
HEAD = b"POST / HTTP/1.1\r\nHost: x\r\n"
CLOSE = b"Connection: close\r\n"


class Echo:
    """Answers with the number of bytes that it got; ``/slow`` takes its time first, ``/long`` answers with much."""

    def __init__(self) -> None:
        self.state = SimpleNamespace(settings=LIMITS, metrics=Metrics())
        self.seen: list[dict[str, Any]] = []
        self.gone = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.seen.append(scope)
        if scope["path"] == "/early":
            await send({"type": "http.response.start", "status": 503, "headers": [(b"content-length", b"4")]})
            await send({"type": "http.response.body", "body": b"busy"})
            return
        if scope["path"] == "/slow":
            await asyncio.sleep(0.9)
        size, more = 0, True
        while more:
            message = await receive()
            if message["type"] != "http.request":
                self.gone += 1
                return
            size += len(message["body"])
            more = message["more_body"]
        body = b"%d" % size
        if scope["path"] == "/long":
            body = b"x" * 1_000_000
            await send({"type": "http.response.start", "status": 200, "headers": []})
            for _ in range(50):
                await send({"type": "http.response.body", "body": body, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
            return
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
        await send({"type": "http.response.body", "body": body})


class Server:
    def __init__(self, kind: type[asyncio.Protocol]) -> None:
        self.app = Echo()
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.address = self.listener.getsockname()
        config = uvicorn.Config(self.app, http=kind, ws="none", lifespan="off", log_config=None, timeout_graceful_shutdown=1)
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, args=([self.listener],))
        self.thread.start()
        while not self.server.started:
            time.sleep(0.01)

    def close(self) -> None:
        self.server.should_exit = True
        self.thread.join()
        self.listener.close()

    def talk(self, *parts: bytes, pause: float = 0.0) -> bytes:
        """Return all that comes back until the server closes."""
        with socket.create_connection(self.address, timeout=8) as client:
            try:
                for part in parts:
                    client.sendall(part)
                    time.sleep(pause)
            except OSError:
                pass  # refused while we were talking; the answer tells
            answer = b""
            try:
                while chunk := client.recv(65536):
                    answer += chunk
            except ConnectionResetError:
                pass
            return answer


KINDS = [kind for kind in (protocol.DeadlineProtocol, protocol.FastDeadlineProtocol) if kind is not None]


@pytest.fixture(params=KINDS, ids=lambda kind: kind.__name__, scope="module")
def running(request: pytest.FixtureRequest) -> Iterator[Server]:
    server = Server(request.param)
    yield server
    server.close()


@pytest.fixture
def server(running: Server) -> Server:
    running.app.seen.clear()
    running.app.gone = 0
    return running


@pytest.fixture(params=KINDS, ids=lambda kind: kind.__name__)
def own_server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server for a test that stops it or changes it."""
    server = Server(request.param)
    yield server
    server.close()


def problem(answer: bytes) -> dict[str, Any]:
    """Return the problem in a whole answer, after looking at its headers."""
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    assert b"content-type: application/problem+json" in lines
    assert b"cache-control: no-store" in lines
    assert b"connection: close" in lines
    assert b"content-length: %d" % len(body) in lines
    document: dict[str, Any] = json.loads(body)
    assert any(line.startswith(b"x-request-id: ") and line.decode().endswith(document["instance"][10:]) for line in lines)
    assert head.split()[1] == b"%d" % document["status"]
    return document


def test_a_request_is_answered_and_a_second_one_on_its_connection_too(server: Server) -> None:
    answer = server.talk(HEAD + b"Content-Length: 2\r\n\r\nab", HEAD + CLOSE + b"Content-Length: 3\r\n\r\nabc", pause=0.1)
    assert answer.count(b"HTTP/1.1 200") == 2
    assert answer.endswith(b"\r\n\r\n3")


def test_an_answer_is_sent_at_once_whatever_socket_the_server_was_given(server: Server) -> None:
    assert server.listener.proto == 0  # asyncio does nothing for such a socket
    with socket.create_connection(server.address, timeout=5) as client:
        client.sendall(HEAD + b"Content-Length: 0\r\n\r\n")
        client.recv(100)
        (connection,) = server.server.server_state.connections
        wire = connection.transport.get_extra_info("socket")
        assert wire.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_two_requests_sent_at_once_are_both_answered(server: Server) -> None:
    answer = server.talk(HEAD + b"Content-Length: 2\r\n\r\nab" + HEAD + CLOSE + b"Content-Length: 3\r\n\r\nabc")
    assert answer.count(b"HTTP/1.1 200") == 2
    assert answer.endswith(b"\r\n\r\n3")


def test_a_request_that_waits_for_the_answer_to_the_one_before_it_is_not_late(server: Server) -> None:
    answer = server.talk(
        b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n", HEAD[:20], HEAD[20:] + CLOSE + b"Content-Length: 0\r\n\r\n", pause=0.2
    )
    assert answer.count(b"HTTP/1.1 200") == 2


def test_a_connection_on_which_nothing_is_asked_is_closed_without_a_word(server: Server) -> None:
    assert server.talk(b"") == b""


def test_headers_that_come_too_slowly_are_refused(server: Server) -> None:
    assert problem(server.talk(*[bytes([byte]) for byte in HEAD[:20]], pause=0.05))["status"] == 408
    assert server.app.seen == []


def test_a_body_that_comes_too_slowly_is_refused_and_the_application_is_told(server: Server) -> None:
    answer = server.talk(HEAD + b"Content-Length: 100\r\n\r\n", *[b"x"] * 12, pause=0.1)
    assert problem(answer)["status"] == 408
    assert server.app.gone == 1


def test_a_body_within_the_deadline_is_answered_however_many_pieces_it_has(server: Server) -> None:
    assert server.talk(HEAD + CLOSE + b"Content-Length: 5\r\n\r\n", *[b"x"] * 5, pause=0.05).endswith(b"\r\n\r\n5")


def test_the_deadline_of_a_body_does_not_count_while_it_is_the_application_that_does_not_read(server: Server) -> None:
    body = b"x" * 300_000
    answer = server.talk(b"POST /slow HTTP/1.1\r\nHost: x\r\n" + CLOSE + b"Content-Length: 300000\r\n\r\n" + body)
    assert answer.endswith(b"\r\n\r\n300000")


@pytest.mark.parametrize(
    "headers",
    [b"A: " + b"x" * 40_000 + b"\r\n", b"A: x\r\n" * 100, b"X" * 40_000 + b": x\r\n", b"A: " + b"x" * 3_000_000 + b"\r\n"],
    ids=["long value", "many fields", "long name", "3 MB"],
)
def test_too_many_headers_are_refused_with_431(server: Server, headers: bytes) -> None:
    assert problem(server.talk(HEAD + headers + b"\r\n"))["status"] == 431
    assert server.app.seen == []


def test_headers_that_never_end_are_refused_when_they_are_too_large_not_when_they_end(server: Server) -> None:
    assert problem(server.talk(HEAD, *[b"A: " + b"x" * 4000 + b"\r\n"] * 12))["status"] == 431


def test_headers_up_to_the_limits_pass(server: Server) -> None:
    fields = b"A: x\r\n" * 96 + b"B: " + b"x" * 30_000 + b"\r\n"
    assert server.talk(HEAD + fields + CLOSE + b"Content-Length: 0\r\n\r\n").endswith(b"\r\n\r\n0")


@pytest.mark.parametrize(
    "request_bytes",
    [
        HEAD + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nabc",
        HEAD + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        HEAD + b"Content-Length: -1\r\n\r\n",
        HEAD + b"Content-Length: 1_0\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        HEAD + b"A : b\r\nContent-Length: 0\r\n\r\n",
        HEAD + b"A: \x00\r\nContent-Length: 0\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"POST /\xff HTTP/9.9\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\n\r\n".encode("utf-16"),
    ],
    ids=["cl+te", "te+cl", "two lengths", "negative", "underscore", "bad chunk", "space", "nul", "tls", "version", "utf-16"],
)
def test_what_is_not_http_or_can_be_read_in_two_ways_is_refused_with_400(server: Server, request_bytes: bytes) -> None:
    # In UTF-16 no line ever ends, so one of the parsers waits for the end of the headers.
    assert problem(server.talk(request_bytes))["status"] in ((400, 408) if b"P\x00O\x00" in request_bytes else (400,))


def test_refusals_are_counted_by_reason(server: Server) -> None:
    before = server.app.state.metrics.render().decode()
    server.talk(b"nonsense\r\n\r\n")
    server.talk(HEAD + b"A: x\r\n" * 100 + b"\r\n")
    after = server.app.state.metrics.render().decode()

    def count(text: str, reason: str) -> float:
        found = [line for line in text.splitlines() if line.startswith(f'matcher_refused_total{{reason="{reason}"')]
        return float(found[0].rsplit(" ", 1)[1]) if found else 0.0

    assert [count(after, reason) - count(before, reason) for reason in ("malformed", "headers", "too_slow")] == [1, 1, 0]


def test_no_second_request_hides_in_the_body_of_a_refused_one(server: Server) -> None:
    hidden = b"GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n"
    server.talk(HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden)
    assert [scope["path"] for scope in server.app.seen] in ([], ["/"])


def test_an_answer_that_nobody_takes_does_not_hold_the_connection(own_server: Server) -> None:
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(own_server.address)
        client.sendall(b"GET /long HTTP/1.1\r\nHost: x\r\n\r\n")
        deadline = time.monotonic() + 5
        while own_server.server.server_state.total_requests == 0 and not own_server.server.server_state.connections:
            time.sleep(0.02)
        while own_server.server.server_state.connections and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not own_server.server.server_state.connections


def test_one_connection_too_many_is_refused_with_503(own_server: Server) -> None:
    held = [socket.create_connection(own_server.address, timeout=5) for _ in range(10)]
    deadline = time.monotonic() + 2
    while len(own_server.server.server_state.connections) < 10 and time.monotonic() < deadline:
        time.sleep(0.01)
    answer = own_server.talk(b"")
    assert problem(answer)["status"] == 503
    assert b"\r\nretry-after: 1\r\n" in answer
    for client in held:
        client.close()


def test_connections_that_were_refused_do_not_stop_the_server_from_stopping(own_server: Server) -> None:
    with socket.create_connection(own_server.address, timeout=5) as client:
        client.sendall(HEAD + b"A: x\r\n" * 100 + b"\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 431")
        begin = time.monotonic()
        own_server.close()
        assert time.monotonic() - begin < 5


def test_while_the_service_is_drained_each_answer_is_the_last_on_its_connection(own_server: Server) -> None:
    own_server.server.server_state.draining = True  # type: ignore[attr-defined]
    assert own_server.talk(HEAD + b"Content-Length: 2\r\n\r\nab").endswith(b"\r\n\r\n2")


@pytest.mark.parametrize("connection", [b"close", b"keep-alive"])
def test_an_answer_that_comes_before_the_end_of_a_large_body_reaches_a_client_that_writes_first(
    server: Server, connection: bytes
) -> None:
    head = b"POST /early HTTP/1.1\r\nHost: x\r\nConnection: " + connection + b"\r\nContent-Length: 5000000\r\n\r\n"
    with socket.create_connection(server.address, timeout=8) as client:
        client.sendall(head + b"x" * 5_000_000)
        answer = b""
        while not answer.endswith(b"busy"):
            answer += client.recv(65536)
    assert answer.startswith(b"HTTP/1.1 503")


def test_a_body_that_nobody_wants_is_not_taken_for_ever(server: Server) -> None:
    head = b"POST /early HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    sent = 0
    with socket.create_connection(server.address, timeout=8) as client, contextlib.suppress(OSError):
        client.sendall(head)
        while sent < 1_000_000_000:
            client.sendall(chunk)
            sent += len(chunk)
    assert sent < 50_000_000


def test_an_upgrade_that_is_not_wanted_loses_no_body(server: Server) -> None:
    answer = server.talk(HEAD + b"Connection: upgrade, close\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\nab")
    assert answer.endswith(b"\r\n\r\n2") or problem(answer)["status"] == 400


def test_the_default_limits_hold_where_the_application_has_no_settings() -> None:
    config = uvicorn.Config(lambda scope: None, lifespan="off")
    config.load()
    assert protocol.state_of(config)[0].header_bytes == 32 * 1024
    assert protocol.state_of(config)[0].request_seconds == 15.0
