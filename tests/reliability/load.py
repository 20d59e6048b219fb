"""Load: how many résumés a second, how late, and what HTTP costs beside the bare matcher. Latency counts from the moment a request was due."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from api.serve import _ENVIRONMENT
from tests.reliability.harness import ROOT, Scale, Service, closed_loop, invented_indexes, open_loop, queries, summary

PROMISE = "0 failed; at most 0.5 ms of CPU a request beside the match itself"


BARE = """
import json, sys, time
from matcher import Matcher
matcher = Matcher.load(sys.argv[1] if len(sys.argv) > 1 else None)
texts = [json.loads(line)["text"] for line in sys.stdin]
matcher.match(texts[0])
begin, cpu = time.perf_counter(), time.process_time()
for text in texts:
    matcher.match(text).to_json()
print(json.dumps([len(texts) / (time.perf_counter() - begin), (time.process_time() - cpu) / len(texts) * 1000]))
"""


def bare(bodies: list[bytes], index: Path | None) -> dict[str, float]:
    """Return how many matches a second one thread makes without HTTP, in the environment of a worker, and CPU milliseconds a match."""
    done = subprocess.run(
        [sys.executable, "-c", BARE, *([] if index is None else [str(index)])],
        input=b"\n".join(bodies), env={**os.environ, **_ENVIRONMENT}, cwd=ROOT, capture_output=True, check=True,
    )  # fmt: skip
    per_second, cpu = json.loads(done.stdout)
    return {"per_second": round(per_second, 1), "cpu_ms": round(cpu, 3)}


def measure(scale: Scale) -> dict[str, Any]:
    """Measure capacity by 2 workers, then latency at shares of it."""
    full = scale == "full"
    index = None if full else invented_indexes()[0]
    bodies = queries(240) if full else queries(20)
    figures: dict[str, Any] = {"queries": len(bodies), "bare": bare(bodies, index)}
    settings: dict[str, object] = {"workers": 2} | ({} if index is None else {"index": index})
    with Service(**settings) as service:
        asyncio.run(closed_loop(service.port, bodies, 4, requests=40 if full else 8))
        about = asyncio.run(_cpu(service, [b""], 2000 if full else 200, "/v1/about"))
        figures["cpu_ms_of_a_request_without_a_match"] = about
        before, begin = service.cpu_seconds(), time.perf_counter()
        samples = asyncio.run(closed_loop(service.port, bodies, 4, requests=len(bodies) * (3 if full else 2)))
        took = time.perf_counter() - begin
        capacity = sum(s.status == 200 for s in samples) / took
        figures["capacity_per_second"] = round(capacity, 1)
        figures["cpu_ms_of_a_match_request"] = round((service.cpu_seconds() - before) / len(samples) * 1000, 3)
        figures["closed_loop"] = summary(samples)
        figures["bare_again"] = bare(bodies, index)
        figures["cpu_ms_of_http"] = round(figures["cpu_ms_of_a_match_request"] - figures["bare_again"]["cpu_ms"], 3)
        for share in (0.5, 0.8, 1.0, 3.0) if full else (0.5,):
            samples = asyncio.run(open_loop(service.port, bodies, capacity * share, 30 if full else 1.5))
            figures[f"at_{share:.0%}"] = summary(samples)
    return figures


async def _cpu(service: Service, bodies: list[bytes], requests: int, path: str) -> float:
    before = service.cpu_seconds()
    await closed_loop(service.port, bodies, 2, requests=requests, path=path)
    return round((service.cpu_seconds() - before) / requests * 1000, 3)


def broken(figures: dict[str, Any]) -> list[str]:
    """Return what is not as promised; near full load and beyond it, refusals are in order."""
    found = []
    if set(figures["at_50%"]["statuses"]) != {"200"}:
        found.append(f"at 50 %: {figures['at_50%']['statuses']}")
    for name in ("closed_loop", "at_80%", "at_100%", "at_300%"):
        if name in figures and not set(figures[name]["statuses"]) <= {"200", "503"}:
            found.append(f"{name}: {figures[name]['statuses']}")
    return found
