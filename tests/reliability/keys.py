"""Keys: made by the command, kept as digests only, refused alike when wrong, shut and rotated without a restart."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.reliability.harness import ROOT, Scale, Service, invented_indexes, invented_text

PROMISE = "256 bit, only sha256 kept, looked up by public id, expiry, overlap for rotation, file mode 0600, 401 alike for missing and wrong"


def command(*words: str) -> tuple[int, str, str]:
    """Run ``matcher keys`` and return exit code, output and errors."""
    own = {name: value for name, value in os.environ.items() if not name.upper().startswith("MATCHER_")}
    done = subprocess.run(
        [sys.executable, "-m", "matcher.cli", "keys", *words], cwd=ROOT, capture_output=True, text=True, env=own, check=False
    )
    return done.returncode, done.stdout.strip(), done.stderr.strip()


def _until_status(service: Service, token: str, status: int) -> float:
    begin = time.perf_counter()
    while time.perf_counter() - begin < 10:
        # Each worker reads the store for itself, so several answers in a row must agree.
        if all(_status(service, token) == status for _ in range(8)):
            return time.perf_counter() - begin
    return float("inf")


def _status(service: Service, token: str | None) -> int:
    return service.ask("GET", "/v1/about", headers={} if token is None else {"X-API-Key": token}).status


def measure(scale: Scale) -> dict[str, Any]:
    """Go through the life of keys over 2 workers."""
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "keys.json"
        keys = ("--keys", str(store))
        tokens = [command("create", f"caller {i}", *keys)[1] for i in range(2)]
        admin = command("create", "operator", "--admin", *keys)[1]
        identity = tokens[0].split("_")[1]
        with Service(index=invented_indexes()[0], workers=2, keys_file=store, log_level="debug") as service:
            wrong = [None, "", "x", tokens[0][:-1] + "!", admin]
            answers = [service.ask("GET", "/v1/about", headers={} if t is None else {"X-API-Key": t}) for t in wrong]
            varying = ("x-request-id", "date")
            figures["refused_alike"] = len({
                (a.status, tuple((k, v) for k, v in sorted(a.headers.items()) if k not in varying), a.json()["detail"]) for a in answers
            })  # fmt: skip
            figures["refused_status"] = answers[0].status
            figures["right"] = [_status(service, token) for token in tokens]
            figures["admin_reload"] = [
                service.ask("POST", "/admin/reload", b"", {"X-API-Key": token}).status for token in (admin, tokens[0])
            ]
            code, successor, _ = command("rotate", identity, "--overlap", "1", *keys)
            figures["rotate_exit"] = code
            figures["successor_known_s"] = round(_until_status(service, successor, 200), 2)
            figures["old_in_overlap"] = _status(service, tokens[0])
            command("revoke", identity, *keys)
            figures["revoked_after_s"] = round(_until_status(service, tokens[0], 401), 2)
            figures["other_key"] = _status(service, tokens[1])
            service.match(invented_text(1))
            said = str(service.events) + str(service.stray)
        secrets = [token.split("_", 2)[2] for token in (*tokens, admin, successor)]
        stored = "".join(p.read_text() for p in Path(folder).iterdir())
        figures["secrets_in_store"] = sum(secret in stored for secret in secrets)
        figures["secrets_in_log"] = sum(secret in said for secret in secrets)
        figures["mode"] = oct(stat.S_IMODE(store.stat().st_mode))
        figures["bits"] = min(len(secret) for secret in secrets) * 6 // 8 * 8
        figures["list_exit"], listed, _ = command("list", *keys)
        figures["listed"] = len(listed.splitlines())
        figures["secrets_listed"] = sum(secret in listed for secret in secrets)
        figures["unknown_exit"] = command("revoke", "0" * 16, *keys)[0]
    return figures


def broken(figures: dict[str, Any]) -> list[str]:
    """Return what is not as promised."""
    wanted = {
        "refused_alike": 1, "refused_status": 401, "right": [200, 200], "admin_reload": [202, 401], "rotate_exit": 0, "old_in_overlap": 200,
        "other_key": 200, "secrets_in_store": 0, "secrets_in_log": 0, "mode": "0o600", "bits": 256, "list_exit": 0, "listed": 4,
        "secrets_listed": 0, "unknown_exit": 2,
    }  # fmt: skip
    found = [f"{name}: {figures[name]!r}, expected {value!r}" for name, value in wanted.items() if figures[name] != value]
    for name in ("successor_known_s", "revoked_after_s"):
        if figures[name] > 5:
            found.append(f"{name}: {figures[name]}")
    return found
