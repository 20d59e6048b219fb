"""Rate: exactly 100 of 150 calls pass in a period, over 2 workers; the lines of a batch count."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from tests.reliability.harness import Answer, Scale, Service, ask_once, invented_indexes, invented_text

PROMISE = "exactly 100 of 150 pass, 2 workers included; IETF RateLimit headers; batch items count"


async def _ask(service: Service, calls: int) -> list[Answer]:
    """Ask on a new connection each time, so that both workers answer."""

    found: list[Answer] = []
    for _ in range(calls // 10):
        found += await asyncio.gather(*(ask_once(service.port, "GET", "/v1/about") for _ in range(10)))
    return found


def measure(scale: Scale) -> dict[str, Any]:
    """Ask 150 times; then send a batch of 150 lines to another service."""
    index = invented_indexes()[0]
    with Service(index=index, workers=2, rate_limit=100, rate_seconds=600) as service:
        answers = asyncio.run(_ask(service, 150))
        remaining = [int(a.headers["ratelimit"].split("r=")[1].split(";")[0]) for a in answers]
        figures: dict[str, Any] = {
            "passed": sum(a.status == 200 for a in answers),
            "refused": sum(a.status == 429 for a in answers),
            "without_headers": sum("ratelimit-policy" not in a.headers for a in answers),
            "refused_without_retry_after": sum(a.status == 429 and "retry-after" not in a.headers for a in answers),
            "remaining": sorted(set(remaining), reverse=True) == list(range(99, -1, -1)),
            "health": service.ask("GET", "/healthz").status,
        }
    with Service(index=index, workers=2, rate_limit=100, rate_seconds=600) as service:
        lines = b"\n".join(json.dumps({"text": invented_text(i), "explain": False}).encode() for i in range(150))
        answer = service.ask("POST", "/v1/match/batch", lines, {"Content-Type": "application/x-ndjson"}, timeout=120)
        rows = [json.loads(line) for line in answer.body.splitlines()]
        figures["batch_answered"] = sum(row["status"] != "error" for row in rows)
        figures["batch_refused"] = sum(row["status"] == "error" and row["error"]["status"] == 429 for row in rows)
    return figures


def broken(figures: dict[str, Any]) -> list[str]:
    """Return what is not as promised."""
    wanted = {
        "passed": 100, "refused": 50, "without_headers": 0, "refused_without_retry_after": 0, "remaining": True, "health": 200,
        "batch_answered": 100, "batch_refused": 50,
    }  # fmt: skip
    return [f"{name}: {figures[name]!r}, expected {value!r}" for name, value in wanted.items() if figures[name] != value]
