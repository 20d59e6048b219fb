"""Overload: three times what can be answered. What is accepted is answered in time, the rest is refused at once."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.reliability.harness import Sample, Scale, Service, closed_loop, invented_indexes, open_loop, percentile, queries, summary

PROMISE = "accepted p99 <= 1 s, refused <= 100 ms with Retry-After, goodput >= 80 % of capacity, normal again in 2 s"


def measure(scale: Scale) -> dict[str, Any]:
    """Measure capacity, send three times as much for a minute, then look how soon it is over."""
    full = scale == "full"
    bodies = queries(120) if full else queries(12)
    settings: dict[str, object] = {"workers": 2} if full else {"workers": 1, "index": invented_indexes()[0], "test_slow": 0.05}
    with Service(**settings) as service:
        service.match("Bakes bread")
        began = service.cpu_seconds()
        warm = asyncio.run(closed_loop(service.port, bodies, 2 * service.workers, seconds=10 if full else 1.5))
        capacity = _per_second(warm)
        seconds = 60 if full else 3
        loaded = service.cpu_seconds()
        samples = asyncio.run(open_loop(service.port, bodies, capacity * 3, seconds))
        over = service.cpu_seconds()
        after = asyncio.run(_after(service, bodies, capacity / 2))
        again = asyncio.run(closed_loop(service.port, bodies, 2 * service.workers, seconds=10 if full else 1.5))
    refused = [s for s in samples if s.status == 503]
    good = sum(s.status == 200 for s in samples)
    # What refusing takes from answering, whatever others do on this machine meanwhile.
    alone, besides = sum(s.status == 200 for s in warm) / (loaded - began), good / (over - loaded)
    return {
        "capacity_per_second": round(capacity, 1),
        "sent": summary(samples),
        "refused_p99_ms": round(percentile((s.seconds for s in refused), 0.99) * 1000, 1),
        "refused_p50_ms": round(percentile((s.seconds for s in refused), 0.5) * 1000, 1),
        "without_retry_after": sum(not s.retry_after for s in refused),
        "capacity_afterwards": round(_per_second(again), 1),
        # On a machine that others use, the capacity of the minute between is best guessed from both ends.
        "goodput_share": round(good / ((capacity + _per_second(again)) / 2 * seconds), 3),
        "answers_per_cpu_second": [round(alone, 1), round(besides, 1)],
        "goodput_share_of_cpu": round(besides / alone, 3),
        "after_2_s": summary(after),
    }


def _per_second(samples: list[Sample]) -> float:
    span = max(s.due + s.seconds for s in samples) - min(s.due for s in samples)
    return sum(s.status == 200 for s in samples) / span


async def _after(service: Service, bodies: list[bytes], rate: float) -> Any:
    await asyncio.sleep(2)
    return await open_loop(service.port, bodies, rate, 2)


def broken(figures: dict[str, Any]) -> list[str]:
    """Return what is not as promised, in counts and shares."""
    found = []
    if not set(figures["sent"]["statuses"]) <= {"200", "503"}:
        found.append(f"statuses {figures['sent']['statuses']}")
    if "503" not in figures["sent"]["statuses"]:
        found.append("nothing was refused, so this was no overload")
    if figures["without_retry_after"]:
        found.append(f"{figures['without_retry_after']} refusals without Retry-After")
    # Others' work disturbs the one, a matcher that only sleeps (the short form) the other.
    if max(figures["goodput_share"], figures["goodput_share_of_cpu"]) < 0.8:
        found.append(f"goodput {figures['goodput_share']}, of CPU {figures['goodput_share_of_cpu']}")
    if set(figures["after_2_s"]["statuses"]) != {"200"}:
        found.append(f"afterwards {figures['after_2_s']['statuses']}")
    return found
