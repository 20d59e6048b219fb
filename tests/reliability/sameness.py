"""Sameness: one query has one answer, byte for byte, alone or in a batch, whatever the number of threads and workers."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from tests.reliability.harness import Scale, Service, closed_loop, invented_indexes, invented_text, queries, sha256

PROMISE = "byte-identical answers for one input at any batch size, number of threads and of workers"


async def _singly(service: Service, bodies: list[bytes], connections: int) -> dict[int, str]:
    found: dict[int, str] = {}
    order = iter(range(len(bodies)))

    async def one() -> None:
        for number in order:
            (sample,) = await closed_loop(service.port, [bodies[number]], 1, requests=1, keep=True)
            found[number] = sha256(sample.body) if sample.status == 200 else f"status {sample.status}"

    await asyncio.gather(*(one() for _ in range(connections)))
    return found


def _in_batches(service: Service, bodies: list[bytes], size: int) -> dict[int, str]:
    found: dict[int, str] = {}
    for start in range(0, len(bodies), size):
        answer = service.ask(
            "POST", "/v1/match/batch", b"\n".join(bodies[start : start + size]), {"Content-Type": "application/x-ndjson"}
        )
        for number, line in enumerate(answer.body.splitlines(), start):
            found[number] = sha256(line)
    return found


def measure(scale: Scale) -> dict[str, Any]:
    """Ask the same queries under several settings and compare digests."""
    full = scale == "full"
    bodies = queries(240) + [json.dumps({"text": invented_text(i, 1 + i % 8)}).encode() for i in range(360)] if full else queries(6)
    if not full:
        bodies += [json.dumps({"text": invented_text(i, 1 + i % 8)}).encode() for i in range(30)]
    index: dict[str, object] = {} if full else {"index": invented_indexes()[0]}
    runs: dict[str, dict[int, str]] = {}
    for workers, threads in ((1, 1), (2, 3)):
        with Service(
            workers=workers, max_concurrent=threads, queue_seconds=60, match_seconds=60, batch_seconds=600, **index
        ) as service:
            runs[f"{workers} workers, {threads} threads"] = asyncio.run(_singly(service, bodies, workers * threads))
            if workers == 1:
                runs["batches of 7"] = _in_batches(service, bodies, 7)
            else:
                runs["batches of 50"] = _in_batches(service, bodies, 50)
                runs["again"] = asyncio.run(_singly(service, bodies, 4))
    first, *others = runs.values()
    return {
        "queries": len(bodies),
        "answers": sum(len(run) for run in runs.values()),
        "runs": list(runs),
        "different": sum(run.get(i) != digest for run in others for i, digest in first.items()),
        "not_answered": sum(digest.startswith("status") for run in runs.values() for digest in run.values()),
        "distinct": len(set(first.values())),
    }


def broken(figures: dict[str, Any]) -> list[str]:
    """Return what is not as promised."""
    found = []
    if figures["different"] or figures["not_answered"]:
        found.append(f"{figures['different']} different, {figures['not_answered']} not answered")
    if figures["answers"] != figures["queries"] * len(figures["runs"]):
        found.append(f"{figures['answers']} answers")
    return found
