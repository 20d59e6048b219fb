"""Shutdown and crash: a stop loses nothing that has begun; a killed worker loses its own requests only and is back at once."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from typing import Any

from tests.reliability.harness import Connection, Scale, Service, ask_once, closed_loop, invented_indexes, invented_text

PROMISE = "SIGTERM: 0 lost in flight, readyz 503 at once, <= 10 s; worker back <= 2 s, only its own requests lost"


async def _stop(service: Service, calls: int) -> dict[str, Any]:
    body = json.dumps({"text": invented_text(1)}).encode()
    kept = Connection(service.port)
    ready = (await kept.ask("GET", "/readyz")).status
    flight = [asyncio.create_task(ask_once(service.port, "POST", "/v1/match", body)) for _ in range(calls)]
    await asyncio.sleep(0.4)
    begin = time.perf_counter()
    service.process.send_signal(signal.SIGTERM)
    status, said = 200, 0.0
    while status == 200 and said < 3:
        status = (await ask_once(service.port, "GET", "/readyz")).status
        said = time.perf_counter() - begin
    on_kept = (await kept.ask("GET", "/readyz")).status
    kept.close()
    answers = await asyncio.gather(*flight, return_exceptions=True)
    while service.process.poll() is None and time.perf_counter() - begin < 20:
        await asyncio.sleep(0.02)
    return {
        "ready_before": ready,
        "in_flight": calls,
        "answered": sum(isinstance(a, object) and getattr(a, "status", 0) == 200 for a in answers),
        "readyz_after": [status, on_kept],
        "readyz_ms": round(said * 1000),
        "exit_code": service.process.poll(),
        "seconds": round(time.perf_counter() - begin, 2),
    }


async def _crash(service: Service, seconds: float, kills: int) -> dict[str, Any]:
    bodies = [json.dumps({"text": invented_text(i)}).encode() for i in range(5)]
    connections = 8
    load = asyncio.create_task(closed_loop(service.port, bodies, connections, seconds=seconds * (kills + 1)))
    back: list[float] = []
    for _ in range(kills):
        await asyncio.sleep(seconds)
        seen, victim = len(service.events), service.pids[0]
        begin = time.perf_counter()
        os.kill(victim, signal.SIGKILL)
        while not any(e.get("event") == "worker_ready" for e in service.events[seen:]):
            await asyncio.sleep(0.01)
        back.append(round(time.perf_counter() - begin, 2))
    samples = await load
    bad = [s for s in samples if s.status != 200]
    return {
        "kills": kills,
        "back_s": back,
        "requests": len(samples),
        "lost": len(bad),
        "most_that_may_be_lost": connections * kills,
        "other_statuses": sorted({s.status for s in bad if s.status}),
    }


def measure(scale: Scale) -> dict[str, Any]:
    """Stop a service with 40 slow calls in flight; kill workers of another under load."""
    full = scale == "full"
    index = invented_indexes()[0]
    with Service(
        index=index, workers=2, test_slow=2.0 if full else 0.8, max_concurrent=40, match_seconds=20, queue_seconds=20
    ) as service:
        stop = asyncio.run(_stop(service, 40))
    with Service(index=index, workers=2) as service:
        crash = asyncio.run(_crash(service, 6.0 if full else 1.0, 5 if full else 1))
        crash["afterwards"] = service.match(invented_text(1)).status
        crash["workers"] = len(service.pids)
    return {"stop": stop, "crash": crash}


def broken(figures: dict[str, Any]) -> list[str]:
    """Return what is not as promised."""
    stop, crash = figures["stop"], figures["crash"]
    found = []
    if stop["answered"] != stop["in_flight"] or stop["ready_before"] != 200:
        found.append(f"stop: {stop['answered']} of {stop['in_flight']} answered")
    if stop["readyz_after"] != [503, 503]:
        found.append(f"stop: readyz {stop['readyz_after']}")
    if stop["exit_code"] != 0 or stop["seconds"] > 10:
        found.append(f"stop: exit code {stop['exit_code']} after {stop['seconds']} s")
    if max(crash["back_s"]) > 2:
        found.append(f"crash: back after {crash['back_s']} s")
    if crash["lost"] > crash["most_that_may_be_lost"] or crash["other_statuses"]:
        found.append(f"crash: lost {crash['lost']}, statuses {crash['other_statuses']}")
    if (crash["afterwards"], crash["workers"]) != (200, 2):
        found.append("crash: not as before afterwards")
    return found
