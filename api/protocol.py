"""The protocol: HTTP/1.1 of uvicorn with deadlines for receiving and limits for headers, which uvicorn has not.

`matcher serve` uses it; with uvicorn's own command say ``--http api.protocol:DeadlineProtocol``. Without it, slow clients hold their connections for ever.

What a client sends must arrive in time: the headers within ``header_seconds`` of the connection (or of the first byte of a later request), the whole
request within ``request_seconds``; and it must take its answer within ``write_seconds`` of silence. Headers have at most ``header_bytes`` in
``header_fields`` fields. A refusal on this level is a problem document, as everywhere, and closes the connection.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
from typing import Any, cast

import h11
import orjson
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from api.logs import log
from api.metrics import Metrics
from api.problems import MEDIA_TYPE, problem_dict
from api.settings import Settings

_PHRASES = {400: b"Bad Request", 408: b"Request Timeout", 431: b"Request Header Fields Too Large", 503: b"Service Unavailable"}
_DETAILS = {
    400: "the request is not well-formed HTTP/1.1",
    408: "the request did not arrive in time",
    431: "the headers are larger than {kilobytes} KB, or more than {fields}",
    503: "too many connections",
}
_REASONS = {400: "malformed", 408: "too_slow", 431: "headers", 503: "connections"}
_PIECE = 64 * 1024
#: Seconds for which a connection that is closed may still take the last bytes.
_LINGER = 2.0
#: Bytes that are read and dropped meanwhile: the largest body that is taken, and some.
_SWALLOW = 8 << 20


def state_of(config: Config) -> tuple[Settings, Metrics | None]:
    """Return settings and metrics of the application that ``config`` serves; the default settings where it has none."""
    app: Any = config.loaded_app
    for _ in range(8):  # uvicorn wraps what it serves
        state = getattr(app, "state", None)
        settings = getattr(state, "settings", None)
        if isinstance(settings, Settings):
            return settings, getattr(state, "metrics", None)
        app = getattr(app, "app", None)
    return Settings.model_construct(), None


def refusal_bytes(status: int, settings: Settings, request_id: str) -> bytes:
    """Return a whole answer of the wire level: a problem document that says nothing of what was sent."""
    detail = _DETAILS[status].format(kilobytes=settings.header_bytes // 1024, fields=settings.header_fields)
    body = orjson.dumps({**problem_dict(status, detail), "instance": f"/requests/{request_id}"})
    retry = b"retry-after: 1\r\n" if status == 503 else b""
    return (
        b"HTTP/1.1 %d %b\r\ncontent-type: %b\r\ncontent-length: %d\r\nx-request-id: %b\r\ncache-control: no-store\r\n"
        b"x-content-type-options: nosniff\r\n%bconnection: close\r\n\r\n%b"
    ) % (status, _PHRASES[status], MEDIA_TYPE.encode(), len(body), request_id.encode(), retry, body)


class _Wire:
    """A transport whose ``close`` lets a client that is still writing read its answer first."""

    def __init__(self, transport: asyncio.Transport, protocol: _Deadlines) -> None:
        self._transport = transport
        self._protocol = protocol
        self.write = transport.write

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def is_closing(self) -> bool:
        return self._protocol.lingering or self._transport.is_closing()

    def close(self) -> None:
        cycle = self._protocol.cycle
        if cycle is not None and cycle.more_body and not self._transport.is_closing():
            self._protocol.linger()
        else:
            self._transport.close()


class _Deadlines(asyncio.Protocol):
    """What both implementations get: clocks, counts and refusals. Mixed in before a protocol of uvicorn."""

    config: Config
    server_state: ServerState
    loop: asyncio.AbstractEventLoop
    transport: asyncio.Transport
    flow: Any
    cycle: Any
    connections: set[Any]

    def __init__(self, config: Config, server_state: ServerState, app_state: dict[str, Any], _loop: Any = None) -> None:
        super().__init__(config, server_state, app_state, _loop)  # type: ignore[call-arg]
        self.access_log = False  # its lines have query strings
        self.limits, self.metrics = state_of(self.config)
        self._clock: asyncio.TimerHandle | None = None
        self._write_clock: asyncio.TimerHandle | None = None
        self._begun = 0.0
        self._reading_headers = True
        self._header_bytes = 0
        self._seen: Any = None
        self._we_were_late = False
        self.lingering = False
        self._swallowed = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        # What asyncio takes at a time, 256 KB otherwise: each of many uploads that come at once is copied on its way in pieces of this size.
        transport.max_size = _PIECE  # type: ignore[attr-defined]
        self.transport = cast(asyncio.Transport, _Wire(self.transport, self))
        # asyncio does this only for sockets that were made with a protocol number; without it an answer can wait 40 ms for its second half.
        wire = transport.get_extra_info("socket")
        if wire.family in (socket.AF_INET, socket.AF_INET6):
            wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if len(self.connections) > self.limits.max_connections:
            self.refuse(503)
        else:
            self._begin()

    def data_received(self, data: bytes) -> None:
        if self.lingering:
            self._swallowed += len(data)
            if self._swallowed > _SWALLOW:
                self.transport.abort()
            return
        if self.transport.is_closing():
            return
        if self._clock is None:
            # The first byte of a later request on this connection.
            self._begin()
        if self._reading_headers:
            self._header_bytes += len(data)
        super().data_received(data)
        self._look()
        waiting_for_its_turn = self.cycle is not None and not self.cycle.response_complete
        if self._reading_headers and self._header_bytes > self.limits.header_bytes and not waiting_for_its_turn:
            self.refuse(431)

    def on_response_complete(self) -> None:
        super().on_response_complete()  # type: ignore[misc]
        self._look()  # a pipelined request may have begun

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop()
        if self._write_clock is not None:
            self._write_clock.cancel()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        if self.lingering:
            self.transport.abort()
        else:
            super().shutdown()  # type: ignore[misc]

    def pause_writing(self) -> None:
        super().pause_writing()
        self._write_clock = self.loop.call_later(self.limits.write_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._write_clock is not None:
            self._write_clock.cancel()
            self._write_clock = None

    def refuse(self, status: int) -> None:
        """Answer with a problem, unless an answer has begun, and close once the client has had time to read it."""
        self._look()
        self._stop()
        if self.transport.is_closing():
            return
        cycle = self.cycle
        if cycle is None or (cycle.response_complete if self._reading_headers else not cycle.response_started):
            request_id = secrets.token_hex(16)
            log().info("refused", status=status, request_id=request_id)
            if self.metrics is not None:
                self.metrics.refused(_REASONS[status])
            self.transport.write(refusal_bytes(status, self.limits, request_id))
        if cycle is not None and not cycle.response_complete:
            cycle.disconnected = True
            cycle.message_event.set()
        self.linger()

    def linger(self) -> None:
        """Close, but read and drop for a moment what still comes: otherwise the kernel resets the connection, and the answer is lost."""
        self._stop()
        self.lingering = True
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.flow.resume_reading()
        self._clock = self.loop.call_later(_LINGER, self.transport.abort)

    def _look(self) -> None:
        """Follow what the parser has found: the end of the headers, the end of the request."""
        if self.transport.is_closing():
            return
        if self.cycle is not self._seen:
            self._seen = self.cycle
            self._reading_headers = False
            if getattr(self.server_state, "draining", False):
                self.cycle.keep_alive = False
        if not self._reading_headers and not self.cycle.more_body:
            self._stop()
            self._reading_headers = True
            self._header_bytes = 0

    def _begin(self) -> None:
        self._reading_headers = True
        self._header_bytes = 0
        self._we_were_late = False
        self._begun = self.loop.time()
        self._clock = self.loop.call_later(self.limits.header_seconds, self._due)

    def _stop(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None

    def _due(self) -> None:
        """Look whether a deadline has passed; the second clock starts when the first is met."""
        self._clock = None
        left = 0.0
        if self._reading_headers:
            if self.cycle is not None and not self.cycle.response_complete:
                left = self.limits.header_seconds  # pipelined: it waits for the answer to the request before it
            elif self.cycle is None and self._header_bytes == 0:
                self.transport.close()  # nothing was asked, so nothing is answered
                return
        else:
            left = self._begun + self.limits.request_seconds - self.loop.time()
            if left <= 0 and (self.flow.read_paused or self._we_were_late):
                # It is we who do not read yet, or have begun again only now.
                self._we_were_late = self.flow.read_paused
                left = self.limits.header_seconds
        if left > 0:
            self._clock = self.loop.call_later(left, self._due)
        else:
            self.refuse(408)


class _Connection(h11.Connection):
    """h11's parser with the limits that hold for headers which arrive whole, and without two framings of one body."""

    def __init__(self, limits: Settings) -> None:
        super().__init__(h11.SERVER, max_incomplete_event_size=limits.header_bytes)
        self._limits = limits
        self.refusal = 400

    def next_event(self) -> Any:
        try:
            event = super().next_event()
        except h11.RemoteProtocolError as error:
            self.refusal = 431 if error.error_status_hint == 431 else 400
            raise
        if isinstance(event, h11.Request):
            size, names = len(event.target), []
            for name, value in event.headers:
                size += len(name) + len(value) + 4
                names.append(name)
            if size > self._limits.header_bytes or len(names) > self._limits.header_fields:
                self.refusal = 431
                raise h11.RemoteProtocolError("headers")
            if b"transfer-encoding" in names and b"content-length" in names:
                raise h11.RemoteProtocolError("two framings")
        return event


class DeadlineProtocol(_Deadlines, H11Protocol):
    """HTTP/1.1 in Python (h11), with deadlines."""

    def __init__(self, config: Config, server_state: ServerState, app_state: dict[str, Any], _loop: Any = None) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.conn = _Connection(self.limits)

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP, or has too much of it in its headers."""
        self.refuse(self.conn.refusal)  # type: ignore[attr-defined]

    def _should_upgrade(self) -> bool:
        return False  # an upgrade that is not wanted is ignored (RFC 9110, 7.8)


try:
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
except ModuleNotFoundError:
    FastDeadlineProtocol = None
else:

    class _Unwanted(Exception):
        pass

    class _FastDeadlineProtocol(_Deadlines, HttpToolsProtocol):
        """HTTP/1.1 in C (llhttp), with deadlines."""

        _size = 0
        _refusal = 400

        def on_message_begin(self) -> None:
            super().on_message_begin()
            self._size = 0

        def on_url(self, url: bytes) -> None:
            self._size += len(url)
            super().on_url(url)

        def on_header(self, name: bytes, value: bytes) -> None:
            self._size += len(name) + len(value) + 4
            if self._size > self.limits.header_bytes or len(self.headers) >= self.limits.header_fields:
                self._refusal = 431
                raise _Unwanted
            super().on_header(name, value)

        def on_headers_complete(self) -> None:
            names = [name for name, _ in self.headers]
            # After "Upgrade" llhttp reads no body, so such a request would be answered as if it had none.
            if (b"transfer-encoding" in names and b"content-length" in names) or self.parser.should_upgrade():
                raise _Unwanted
            super().on_headers_complete()

        def send_400_response(self, msg: str) -> None:
            self.refuse(self._refusal)

    FastDeadlineProtocol = _FastDeadlineProtocol


def best() -> type[asyncio.Protocol]:
    """Return the faster protocol that is installed."""
    return DeadlineProtocol if FastDeadlineProtocol is None else FastDeadlineProtocol
