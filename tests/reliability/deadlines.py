"""Deadlines: a match that takes too long is answered for, a queue that is too long as well, and what nobody waits for never starts."""

from __future__ import annotations

import asyncio
import json
import socket
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.reliability.harness import Scale, Service, ask_once, invented_indexes, invented_text

PROMISE = "2 s a match, 30 s a batch, 1 s in the queue, then 503 with Retry-After; the work of a client that has gone never starts"


def measure(scale: Scale) -> dict[str, Any]:
    """Inject a slow matcher; hang up a hundred times while one match runs."""
    full = scale == "full"
    index = invented_indexes()[0]
    figures: dict[str, Any] = {}
    limits: dict[str, object] = {} if full else {"match_seconds": 0.5, "queue_seconds": 0.25, "batch_seconds": 1.0}
    match_seconds, batch_seconds = (2.0, 30.0) if full else (0.5, 1.0)
    body = json.dumps({"text": invented_text(1)}).encode()
    with Service(index=index, test_slow=match_seconds * 1.5, **limits) as service:
        begin = time.perf_counter()
        answer = service.ask("POST", "/v1/match", body)
        figures["late_match"] = {
            "status": answer.status, "retry_after": "retry-after" in answer.headers, "seconds": round(time.perf_counter() - begin, 2)
        }  # fmt: skip
        figures["queue"] = asyncio.run(_queue(service, body))
    slow_line = batch_seconds / 5
    with Service(index=index, test_slow=slow_line, **limits) as service:
        lines = b"\n".join([body] * 8)
        begin = time.perf_counter()
        answer = service.ask("POST", "/v1/match/batch", lines, {"Content-Type": "application/x-ndjson"}, timeout=60)
        rows = [json.loads(line) for line in answer.body.splitlines()]
        figures["late_batch"] = {
            "status": answer.status,
            "rows": len(rows),
            "answered": sum(row["status"] == "ok" for row in rows),
            "late": sum(row["status"] == "error" and row["error"]["status"] == 503 for row in rows),
            "seconds": round(time.perf_counter() - begin, 2),
        }
    with tempfile.TemporaryDirectory() as folder:
        begun = Path(folder) / "begun"
        with Service(index=index, test_slow=0.5, test_begun=begun, queue_seconds=30, match_seconds=10) as service:
            warm = begun.stat().st_size
            first = asyncio.run(_hang_up(service, body))
            service.match(invented_text(2))
            figures["hang_ups"] = {"sent": 100, "first_status": first, "begun": begun.stat().st_size - warm - 2}
    return figures


async def _queue(service: Service, body: bytes) -> dict[str, int]:
    """Ask four times at once while one at a time is answered."""
    answers = await asyncio.gather(*(ask_once(service.port, "POST", "/v1/match", body) for _ in range(4)))
    return {
        "refused": sum(a.status == 503 for a in answers),
        "without_retry_after": sum(a.status == 503 and "retry-after" not in a.headers for a in answers),
        "other": sum(a.status not in (200, 503) for a in answers),
    }


async def _hang_up(service: Service, body: bytes) -> int:
    """Hold the matcher with one request, queue a hundred and drop them all; return the status of the first."""
    first = asyncio.create_task(ask_once(service.port, "POST", "/v1/match", body))
    await asyncio.sleep(0.15)
    request = f"POST /v1/match HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    clients = []
    for _ in range(100):
        client = socket.create_connection(("127.0.0.1", service.port))
        client.sendall(request.encode() + body)
        clients.append(client)
    await asyncio.sleep(0.2)
    for client in clients:
        client.close()
    return (await first).status


def broken(figures: dict[str, Any]) -> list[str]:
    """Return what is not as promised."""
    found = []
    if (figures["late_match"]["status"], figures["late_match"]["retry_after"]) != (503, True):
        found.append(f"late match {figures['late_match']}")
    if figures["queue"]["refused"] != 4 or figures["queue"]["without_retry_after"] or figures["queue"]["other"]:
        found.append(f"queue {figures['queue']}")
    batch = figures["late_batch"]
    if (
        batch["status"] != 200
        or batch["rows"] != 8
        or batch["answered"] + batch["late"] != 8
        or not batch["late"]
        or not batch["answered"]
    ):
        found.append(f"late batch {batch}")
    if figures["hang_ups"]["begun"] or figures["hang_ups"]["first_status"] != 200:
        found.append(f"hang-ups {figures['hang_ups']}")
    return found
