"""Slow clients: 200 connections that send headers or bodies a byte at a time are closed, and everybody else is answered meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from tests.reliability.harness import Scale, Service, ask_once, invented_indexes

PROMISE = "headers within 5 s, the request within 15 s; health answers throughout"


async def _drip(port: int, start: bytes, pause: float) -> float:
    """Send a byte now and then; return the seconds until the server had had enough."""
    loop = asyncio.get_running_loop()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    begin = loop.time()
    writer.write(start)

    async def send() -> None:
        with contextlib.suppress(ConnectionError):
            while True:
                await asyncio.sleep(pause)
                writer.write(b"x")
                await writer.drain()

    sending = asyncio.create_task(send())
    with contextlib.suppress(ConnectionError):
        await asyncio.wait_for(reader.read(), 60)
    sending.cancel()
    writer.close()
    return loop.time() - begin


async def _attack(service: Service, clients: int, pause: float) -> dict[str, Any]:
    get = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nA: "
    post = b"POST /v1/match HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n"
    attack = asyncio.gather(*(_drip(service.port, get if i % 2 else post, pause) for i in range(clients)))
    health: list[int] = []
    while not attack.done():
        # A new connection each time: that is what a full server would not take.
        health.append((await ask_once(service.port, "GET", "/healthz")).status)
        await asyncio.sleep(0.05)
    seconds = await attack
    return {
        "clients": clients,
        "slowest_headers_s": round(max(seconds[1::2]), 2),
        "slowest_body_s": round(max(seconds[::2]), 2),
        "health_asked": len(health),
        "health_answered": sum(status == 200 for status in health),
    }


def measure(scale: Scale) -> dict[str, Any]:
    """Let 200 clients be slow at once."""
    full = scale == "full"
    limits: dict[str, object] = {} if full else {"header_seconds": 0.5, "request_seconds": 1.0}
    with Service(index=invented_indexes()[0], **limits) as service:
        figures = asyncio.run(_attack(service, 200, 0.5 if full else 0.1))
        figures["limits_s"] = [5.0, 15.0] if full else [0.5, 1.0]
        figures["afterwards"] = service.match("Bakes bread").status
    return figures


def broken(figures: dict[str, Any]) -> list[str]:
    """Return what is not as promised; 3 s are left for closing 200 connections on a busy machine."""
    found = []
    headers, request = figures["limits_s"]
    if figures["slowest_headers_s"] > headers + 3 or figures["slowest_body_s"] > request + 3:
        found.append(f"held for {figures['slowest_headers_s']} and {figures['slowest_body_s']} s")
    if figures["health_answered"] != figures["health_asked"] or not figures["health_asked"]:
        found.append(f"health answered {figures['health_answered']} of {figures['health_asked']}")
    if figures["afterwards"] != 200:
        found.append("does not answer afterwards")
    return found
