"""The body of a request: counted while it streams in, and decoded as strict JSON or as multipart, in memory only."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from typing import Any

import orjson
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from api.problems import Refusal

#: Of a body that is too large, so much more is read and thrown away, so that a client that reads only after writing gets the answer.
_DRAINED = 16 * 1024 * 1024
_MOST_PARTS = 16
_MOST_PART_HEADERS = 8 * 1024
#: The parser's own warnings quote bytes of the body.
_SILENCE = logging.Logger("multipart", level=logging.CRITICAL + 1)
#: No query, and no JSON Resume, has so many; each costs memory and time, whatever it says.
MOST_VALUES = 20_000
#: Larger documents are decoded in a thread, so that other requests go on.
_INLINE = 64 * 1024
_BOM = b"\xef\xbb\xbf"
_ESCAPE = re.compile(rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[dD][89a-fA-F][0-9a-fA-F]{2}|\\.", re.S)


def media_type(request: Request) -> tuple[str, dict[str, str]]:
    """Return the media type of the body in lower case and its parameters, ``("", {})`` where none is given."""
    kind, options = parse_options_header(request.headers.get("content-type"))
    return kind.decode("latin-1").lower(), {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in options.items()}


def require(request: Request, *kinds: str) -> dict[str, str]:
    """Return the parameters of the media type, which must be one of ``kinds``; Refusal (415) otherwise."""
    kind, options = media_type(request)
    if kind not in kinds:
        raise Refusal(415, f"expected Content-Type: {' or '.join(kinds)}", headers={"Accept": ", ".join(kinds)})
    if options.get("charset", "utf-8").lower() not in ("utf-8", "utf8", "us-ascii"):
        raise Refusal(415, "expected UTF-8 as charset")
    return options


async def chunks(request: Request, limit: int) -> AsyncIterator[bytes]:
    """Yield the body as it comes; Refusal (413) as soon as it is known to be larger than ``limit`` bytes."""
    declared = request.headers.get("content-length", "")
    too_large = declared.isdecimal() and int(declared[:20]) > limit
    if too_large and (int(declared[:20]) > _DRAINED or "expect" in request.headers):
        raise _too_large(limit)
    seen = 0
    async for chunk in request.stream():
        seen += len(chunk)
        if seen > limit + _DRAINED:
            raise _too_large(limit)
        if seen > limit:
            too_large = True
        if not too_large:
            yield chunk
    if too_large:
        raise _too_large(limit)


def _too_large(limit: int) -> Refusal:
    size = f"{limit // 1024} KB" if limit < 1024 * 1024 else f"{limit / 1024 / 1024:g} MB"
    return Refusal(413, f"the body is larger than {size}", headers={"Connection": "close"})


async def read_body(request: Request, limit: int) -> bytes:
    """Return the whole body; Refusal (413) where it is larger than ``limit`` bytes."""
    return b"".join([chunk async for chunk in chunks(request, limit)])


def decode_json(raw: bytes) -> Any:
    """Return the value of one JSON document in UTF-8.

    Refusal (400) for what is not JSON, repeats a member, or holds a number that no double can. A byte order mark is skipped (RFC 8259,
    8.1); the escape of a lone surrogate, as JavaScript writes it where a text was cut within a character, becomes U+FFFD, so that
    offsets stay what they were.
    """
    raw = raw.removeprefix(_BOM)
    if not raw.strip():
        raise Refusal(400, "the body is empty, expected JSON", type="not-json")
    members, values = _written(raw)
    if values > MOST_VALUES:
        raise Refusal(413, f"more than {MOST_VALUES} values")
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        value = _second_try(raw, error)
    if members != _members_read(value):
        raise Refusal(400, "an object has the same member twice", type="not-json")
    return value


async def decode(raw: bytes) -> Any:
    """Return the value of one JSON document; as ``decode_json``."""
    return decode_json(raw) if len(raw) <= _INLINE else await asyncio.to_thread(decode_json, raw)


def _second_try(raw: bytes, error: orjson.JSONDecodeError) -> Any:
    """Return the value once lone surrogates are mended, or refuse with the reason; the document itself is never quoted."""
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        raise Refusal(400, "the body is not UTF-8", type="not-utf-8") from None
    if b"\x00" in raw[:4]:
        raise Refusal(400, "the body is not UTF-8", type="not-utf-8") from None
    mended = _ESCAPE.sub(lambda m: rb"\ufffd" if len(m[0]) == 6 else m[0], raw)
    if mended != raw:
        try:
            return orjson.loads(mended)
        except orjson.JSONDecodeError as second:
            error = second
    if "depth" in error.msg or "recursion" in error.msg.lower():
        raise Refusal(400, "the JSON is nested too deeply", type="not-json") from None
    if "infinity" in error.msg:
        raise Refusal(400, "a number is larger than a double can hold", type="not-json") from None
    raise Refusal(400, f"not JSON at line {error.lineno}, column {error.colno}", type="not-json") from None


def _written(raw: bytes) -> tuple[int, int]:
    """Return how many members the objects of a valid document have, and at most how many values there are.

    Members are its colons outside of strings. Strings are told by their quotes, once escaped ones are out of the way.
    """
    if b"\\" in raw:
        raw = raw.replace(b"\\\\", b"").replace(b'\\"', b"")
    if raw.count(b'"') > 4 * MOST_VALUES:  # each string has two, and each member's name is one
        return 0, MOST_VALUES + 1
    outside = raw.split(b'"')[::2]
    values = sum(piece.count(b",") + piece.count(b"[") + piece.count(b"{") for piece in outside)
    return sum(piece.count(b":") for piece in outside), values


def _members_read(value: Any) -> int:
    """Return how many members the objects of a decoded document have; fewer than were written where one came twice."""
    count = 0
    stack = [value]
    while stack:
        item = stack.pop()
        if type(item) is dict:
            count += len(item)
            stack.extend(v for v in item.values() if type(v) is dict or type(v) is list)
        elif type(item) is list:
            stack.extend(v for v in item if type(v) is dict or type(v) is list)
    return count


async def read_parts(request: Request, limit: int) -> dict[str, bytes]:
    """Return the parts of a multipart/form-data body by name, each in memory; file names are read past and not kept.

    Refusal (400) for a broken body or a name that comes twice, 413 where the body is larger than ``limit`` bytes.
    """
    boundary = require(request, "multipart/form-data").get("boundary", "")
    if not boundary:
        raise Refusal(400, "the multipart body has no boundary", type="bad-request")
    parts = _Parts()
    try:
        parser = MultipartParser(
            boundary.encode("latin-1"),
            {
                "on_part_begin": parts.begin,
                "on_header_field": parts.header_field,
                "on_header_value": parts.header_value,
                "on_header_end": parts.header_end,
                "on_headers_finished": parts.headers_finished,
                "on_part_data": parts.data,
                "on_part_end": parts.end,
                "on_end": parts.finish,
            },
        )
        parser.logger = _SILENCE
        async for chunk in chunks(request, limit):
            parser.write(chunk)
        parser.finalize()
    except (FormParserError, ValueError):
        raise Refusal(400, "the multipart body is broken", type="bad-request") from None
    if not parts.finished:
        raise Refusal(400, "the multipart body has no end", type="bad-request")
    return parts.found


class _Parts:
    """Gathers the parts that the parser finds."""

    def __init__(self) -> None:
        self.found: dict[str, bytes] = {}
        self.finished = False
        self._field = self._value = b""
        self._headers = 0
        self._name: str | None = None
        self._data: list[bytes] = []

    def begin(self) -> None:
        if len(self.found) >= _MOST_PARTS:
            raise Refusal(400, f"more than {_MOST_PARTS} parts", type="bad-request")
        self._name, self._headers, self._data = None, 0, []

    def _count(self, size: int) -> None:
        self._headers += size
        if self._headers > _MOST_PART_HEADERS:
            raise Refusal(400, "the headers of a part are too large", type="bad-request")

    def header_field(self, data: bytes, start: int, end: int) -> None:
        self._count(end - start)
        self._field += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self._count(end - start)
        self._value += data[start:end]

    def header_end(self) -> None:
        if self._field.lower() == b"content-disposition":
            name = parse_options_header(self._value)[1].get(b"name")
            self._name = None if name is None else name.decode("utf-8", "replace")
        self._field = self._value = b""

    def headers_finished(self) -> None:
        if self._name is None:
            raise Refusal(400, "a part has no name", type="bad-request")
        if self._name in self.found:
            raise Refusal(400, "two parts have the same name", type="bad-request")

    def data(self, data: bytes, start: int, end: int) -> None:
        self._data.append(data[start:end])

    def end(self) -> None:
        if self._name is not None:
            self.found[self._name] = b"".join(self._data)
        self._data = []

    def finish(self) -> None:
        self.finished = True
