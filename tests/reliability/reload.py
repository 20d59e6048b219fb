"""Reload: the index is changed again and again under load; no request is lost, each answer is of one index, a corrupt index is refused."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

from tests.reliability.harness import Connection, Scale, Service, closed_loop, invented_text, own_index, point

PROMISE = "0 failed of 100,000 requests over 50 reloads, 10 of them corrupt and refused; each answer names one index"


def corrupt_copy(index: Path, version: str, number: int) -> None:
    """Flip one bit of a file of a version, or put it right if it was flipped by the same number."""
    files = sorted(p for p in (index / version).iterdir() if p.suffix == ".npy" and p.stat().st_size > 1000)
    path = files[number % len(files)]
    data = bytearray(path.read_bytes())
    data[len(data) // 2 + number % 50] ^= 1
    # Never in place: running workers have the old file mapped.
    fresh = path.with_name(f".{path.name}")
    fresh.write_bytes(data)
    fresh.replace(path)


async def _run(service: Service, index: Path, names: tuple[str, str], requests: int, reloads: int) -> dict[str, Any]:
    bodies = [json.dumps({"text": invented_text(i), "top": 3}).encode() for i in range(10)]
    figures: dict[str, Any] = {"reloads": 0, "corrupt": 0, "refused": 0, "followed_ms": []}
    loop = asyncio.get_running_loop()
    metrics = Connection(service.port)

    async def workers_with(digest: str) -> int:
        text = (await metrics.ask("GET", "/metrics")).body.decode()
        line = next((x for x in text.splitlines() if x.startswith("matcher_index{") and digest in x), " 0")
        return int(float(line.rsplit(" ", 1)[1]))

    answers: dict[str, int] = {}
    mixed = failed = 0
    current = 0
    for number in range(reloads):
        load = asyncio.create_task(closed_loop(service.port, bodies, 4, requests=requests // reloads, keep=True))
        if number % 5 == 4:
            figures["corrupt"] += 1
            corrupt_copy(index, names[1 - current], number)
            before = len(service.events)
            point(index, names[1 - current])
            while not any(e.get("event") == "index_refused" for e in service.events[before:]):
                await asyncio.sleep(0.02)
            figures["refused"] += await workers_with(names[current]) == service.workers
            point(index, names[current])
            corrupt_copy(index, names[1 - current], number)
        else:
            current = 1 - current
            begin = loop.time()
            point(index, names[current])
            while await workers_with(names[current]) < service.workers:
                await asyncio.sleep(0.02)
            figures["followed_ms"].append(round((loop.time() - begin) * 1000))
            figures["reloads"] += 1
        for sample in await load:
            if sample.status != 200:
                failed += 1
                continue
            engine = json.loads(sample.body)["engine"]
            name = engine["index"].removeprefix("sha256:")[:16]
            answers[name] = answers.get(name, 0) + 1
            mixed += engine["release"] != f"Invented {names.index(name) + 1}"
    metrics.close()
    followed = figures.pop("followed_ms")
    return figures | {
        "requests": requests // reloads * reloads,
        "failed": failed,
        "answers_by_index": answers,
        "mixed": mixed,
        "slowest_to_follow_ms": max(followed),
    }


def measure(scale: Scale) -> dict[str, Any]:
    """Reload under load over 2 workers."""
    requests, reloads = (100_000, 50) if scale == "full" else (300, 5)
    index, names = own_index()
    try:
        # A pointer that is corrupt for a moment must not be left alone for half a minute in this test: each one is another.
        with Service(index=index, workers=2, reload_seconds=0.1) as service:
            return asyncio.run(_run(service, index, names, requests, reloads))
    finally:
        shutil.rmtree(index.parent)


def broken(figures: dict[str, Any]) -> list[str]:
    """Return what is not as promised."""
    found = []
    if figures["failed"] or figures["mixed"]:
        found.append(f"{figures['failed']} failed, {figures['mixed']} mixed")
    if figures["refused"] != figures["corrupt"] or not figures["corrupt"]:
        found.append(f"{figures['refused']} of {figures['corrupt']} corrupt indexes refused")
    if len(figures["answers_by_index"]) != 2:
        found.append(f"answers of {figures['answers_by_index']}")
    return found
