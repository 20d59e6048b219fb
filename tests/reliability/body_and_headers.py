"""Bodies and headers that are too large: refused while they stream in, and memory stays what it was."""

from __future__ import annotations

import contextlib
import socket
from typing import Any

from tests.reliability.harness import Scale, Service, invented_indexes, raw

PROMISE = "JSON 512 KB, batch 4 MB, upload 5 MB (413) while streaming; headers 32 KB, 100 fields (431); RSS + <= 10 MB on a flood of 400 MB"
PATHS = {
    "/v1/match": "application/json",
    "/v1/match/batch": "application/x-ndjson",
    "/v1/match/file": "multipart/form-data; boundary=b",
}


def flood(port: int, path: str, kind: str, megabytes: int) -> int:
    """Send a chunked body of ``megabytes`` or as much as is taken; return the status, 0 where the connection was cut without one."""
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
        client.sendall(
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
        )
        if "multipart" in kind:
            start = b'--b\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n'
            client.sendall(b"%x\r\n%b\r\n" % (len(start), start))
        with contextlib.suppress(OSError):
            for _ in range(megabytes * 16):
                client.sendall(chunk)
            client.sendall(b"0\r\n\r\n")
        answer = b""
        with contextlib.suppress(OSError):
            while chunk := client.recv(65536):
                answer += chunk
                if b"\r\n\r\n" in answer:
                    break
    return int(answer.split()[1]) if answer else 0


def measure(scale: Scale) -> dict[str, Any]:
    """Flood each endpoint, then the headers, and read the peak of memory."""
    megabytes = 400 if scale == "full" else 40
    figures: dict[str, Any] = {"flood_mb": megabytes, "statuses": {}, "declared": {}, "peak_growth_kb": {}}
    with Service(index=invented_indexes()[0]) as service:
        service.match("Bakes bread")
        for path, kind in PATHS.items():
            raw(service.port, b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            service.forget_peak()
            before = service.memory("VmHWM")
            figures["statuses"][path] = flood(service.port, path, kind, megabytes)
            figures["peak_growth_kb"][path] = service.memory("VmHWM") - before
            head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {kind}\r\nContent-Length: {megabytes << 20}\r\n\r\n"
            figures["declared"][path] = int(raw(service.port, head.encode(), timeout=5).split()[1])
        service.forget_peak()
        before = service.memory("VmHWM")
        get = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        figures["headers"] = {
            "33 KB": int(raw(service.port, get + b"A: " + b"x" * 33_000 + b"\r\n\r\n").split()[1]),
            "5 MB": int(raw(service.port, get + b"A: " + b"x" * 5_000_000 + b"\r\n\r\n").split()[1]),
            "101 fields": int(raw(service.port, get + b"A: x\r\n" * 100 + b"\r\n").split()[1]),
            "31 KB": int(raw(service.port, get + b"A: " + b"x" * 31_000 + b"\r\nConnection: close\r\n\r\n").split()[1]),
        }
        figures["peak_growth_kb"]["headers"] = service.memory("VmHWM") - before
        figures["still_answers"] = service.match("Bakes bread").status
    return figures


def broken(figures: dict[str, Any]) -> list[str]:
    """Return what is not as promised."""
    found = [f"{path}: {status}" for path, status in figures["statuses"].items() if status not in (413, 0)]
    found += [f"{path} declared: {status}" for path, status in figures["declared"].items() if status != 413]
    found += [f"{path}: memory + {kb} KB" for path, kb in figures["peak_growth_kb"].items() if kb > 10_240]
    if figures["headers"] != {"33 KB": 431, "5 MB": 431, "101 fields": 431, "31 KB": 200}:
        found.append(f"headers {figures['headers']}")
    if figures["still_answers"] != 200:
        found.append("does not answer any more")
    return found
