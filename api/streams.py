"""Batches over HTTP: JSON Lines in and out, in order, each line matched only when the one before it has been taken.

The whole body (4 MB at most) is read before the first answer. A client that writes everything before it reads anything, as most do, would
otherwise block on us while we block on it; and a body that is too large still gets a status of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from api.admission import Refused
from api.body import decode, read_body, require
from api.logs import describe, log, note
from api.match import answer, dump
from api.problems import Refusal, problem_dict
from api.schemas import MAX_ID, MOST_LINES, MatchRequest, parse
from api.service import Service, service_of

NDJSON = "application/x-ndjson"
KINDS = (NDJSON, "application/ndjson", "application/jsonl")


async def match_batch(request: Request) -> Response:
    """Rank occupations for every line."""
    service = service_of(request)
    require(request, *KINDS)
    async with service.admission.enter(request):
        body = await read_body(request, service.settings.batch_bytes)
    if sum(1 for _ in _lines(body)) > MOST_LINES:
        raise Refusal(413, f"more than {MOST_LINES} lines; `matcher batch` takes files of any length")
    return StreamingResponse(_answers(request, service, body), media_type=NDJSON)


def _lines(body: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield (number, line) of the lines that are not blank, without a second copy of the body."""
    start, number = 0, 0
    while start < len(body):
        end = body.find(b"\n", start)
        end = len(body) if end < 0 else end
        number += 1
        line = body[start:end]
        start = end + 1
        if line.strip():
            yield number, line


async def _answers(request: Request, service: Service, body: bytes) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + service.settings.batch_seconds
    lines = phrases = errors = 0
    for number, line in _lines(body):
        lines += 1
        identity: str | None = None
        try:
            if len(line) > service.settings.json_bytes:
                raise Refusal(413, f"the line is larger than {service.settings.json_bytes // 1024} KB")
            value = await decode(line)
            identity = _identity(value)
            if lines > 1 and not _may_go_on(request, service):
                raise Refusal(429, "the calls of this period are used up")
            left = deadline - loop.time()
            if left <= 0:
                raise Refusal(503, "the time of this batch is over; send this line and those after it again")
            found = await service.admission.run(
                answer, service.holder.current, parse(MatchRequest, value), seconds=left, client=request, patient=True
            )
        except Refusal as refusal:
            errors += 1
            yield _error(number, identity, refusal.as_dict())
        except Refused as refused:
            if refused.reason == "gone":
                return
            errors += 1
            yield _error(number, identity, problem_dict(refused.status, "there was no time for this line; send it again"))
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one line, the others are answered
            errors += 1
            log().error("line_failed", request_id=request.scope["state"].get("request_id"), **describe(error))
            yield _error(number, identity, problem_dict(500, "this line could not be answered, by a fault of ours"))
        else:
            phrases += found.phrases
            service.metrics.answered(found.status)
            service.metrics.score(found.score)
            yield found.body + b"\n"
    note(request.scope, lines=lines, phrases=phrases, bad_lines=errors)


def _may_go_on(request: Request, service: Service) -> bool:
    """Count a line as a call of its own; the gate has counted the first."""
    if service.rates is None or service.settings.rate_limit is None:
        return True
    return service.rates.take(request.scope["state"]["identity"]).allowed


def _identity(value: Any) -> str | None:
    identity = value.get("id") if isinstance(value, dict) else None
    return identity if isinstance(identity, str) and len(identity) <= MAX_ID else None


def _error(number: int, identity: str | None, problem: dict[str, Any]) -> bytes:
    return dump({"id": identity, "line": number, "status": "error", "matches": [], "error": problem}) + b"\n"
