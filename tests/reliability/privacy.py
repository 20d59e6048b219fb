"""Privacy: a random token in every field, a log at DEBUG, and no trace of it anywhere but in the answers that should have it."""

from __future__ import annotations

import json
import secrets
import threading
import time
from pathlib import Path
from typing import Any

from tests.reliability.documents import upload
from tests.reliability.harness import Scale, Service, invented_indexes, raw

PROMISE = "0 canary hits in stdout, stderr, logs, metrics, problem bodies, temporary files, at DEBUG; Cache-Control: no-store"


def calls(token: str) -> list[tuple[str, str, bytes | None, dict[str, str]]]:
    """Return requests with the token in every field that there is; some are answered, most are refused."""
    json_type = {"Content-Type": "application/json"}

    def match(**members: object) -> tuple[str, str, bytes | None, dict[str, str]]:
        return "POST", "/v1/match", json.dumps(members).encode(), json_type

    text = f"Bakes bread in {token} and kneads dough for {token} Ltd."
    found = [
        match(text=text), match(skills=[token, "dough"]), match(title=token), match(resume={"work": [{"position": token, "summary": text}]}),
        match(text=text, return_text=True), match(text=text, top=token), match(text=text, explain=token), match(text=[token]), match(**{token: token}),
        match(text=text, filters={"exclude": [token]}), match(text=text, filters={token: 1}), match(text=text, offset_unit=token), match(skills={token: 1}),
        match(resume={"work": token}), match(resume={"basics": {"name": token}, "work": [{"startDate": token, "position": 3}]}), match(id=[token], text="x"),
        ("POST", "/v1/match", f'{{"text":"{token}"'.encode(), json_type), ("POST", "/v1/match", f'{{"{token}":1,"{token}":2}}'.encode(), json_type),
        ("POST", "/v1/match", token.encode("utf-16"), json_type), ("POST", "/v1/match", token.encode(), {"Content-Type": f"text/{token}"}),
        ("POST", "/v1/match", b"x" * 600_000 + token.encode(), json_type), ("GET", f"/v1/{token}", None, {}), ("GET", f"/v1/occupations/{token}", None, {}),
        ("GET", f"/v1/occupations?keyword={token}&start={token}", None, {}), ("GET", f"/v1/occupations?keyword={token}", None, {}), ("GET", f"/{token}?q={token}", None, {}),
        ("GET", f"/v1/suggest?prefix={token}&kind={token}", None, {}), ("POST", f"/admin/reload?version={token}", b"", {"X-API-Key": token}),
        ("GET", "/v1/about", None, {"X-API-Key": token, "Authorization": f"Bearer {token}", "Cookie": token, "Referer": token, "User-Agent": token, "Accept": token}),
        ("GET", "/v1/about", None, {"Host": f"{token}.example"}), ("POST", "/v1/match", b"{}", {**json_type, "Origin": f"https://{token}.example"}),
        (token.upper(), "/v1/about", None, {}), ("POST", "/v1/match/batch", f'{{"text":"{text}"}}\n{{"{token}":\n{token}'.encode(), {"Content-Type": "application/x-ndjson"}),
    ]  # fmt: skip
    for document in (
        text.encode(),
        b"%PDF-1.4 " + token.encode(),
        b"PK\x03\x04" + token.encode(),
        token.encode() * 300_000,
        json.dumps({"work": token}).encode(),
    ):
        body, header = upload(document)
        found.append(("POST", "/v1/match/file", body, {"Content-Type": header.split(": ")[1].strip()}))
    return found


def _answer_may_have(path: str, status: int) -> bool:
    """Whether an answer's body may say what was sent: a ranking with its evidence, or a search."""
    return status == 200 and path.startswith("/v1/")


def _files_with(folder: str, token: bytes) -> list[str]:
    found = []
    for path in Path(folder).rglob("*"):
        try:
            if path.is_file() and (token in path.read_bytes() or token.decode() in path.name):
                found.append(str(path))
        except OSError:
            continue
    return found


def measure(scale: Scale) -> dict[str, Any]:
    """Send the token everywhere, look everywhere, and look whether looking would have found it."""
    token = "canary" + secrets.token_hex(8)
    hits: dict[str, int] = dict.fromkeys(("log", "metrics", "bodies", "headers", "files"), 0)
    examples: list[str] = []
    not_no_store = answered = 0
    written: set[str] = set()
    with Service(index=invented_indexes()[0], log_level="debug", rate_limit=100_000) as service:
        stop = threading.Event()

        def watch() -> None:
            while not stop.is_set():
                written.update(_files_with(service.folder.name, token.encode()))
                time.sleep(0.02)

        watching = threading.Thread(target=watch)
        watching.start()
        for _ in range(20 if scale == "full" else 1):
            for method, path, body, headers in calls(token):
                answer = service.ask(method, path, body, headers)
                answered += 1
                if token in answer.body.decode("utf-8", "replace").lower() and not _answer_may_have(path, answer.status):
                    hits["bodies"] += 1
                    examples.append(f"{method[:4]} {path.replace(token, '…')}: {answer.status}")
                hits["headers"] += token in str(answer.headers).lower()
                not_no_store += answer.headers.get("cache-control") != "no-store"
            raw(service.port, f"POST /v1/match HTTP/1.1\r\n{token}\r\n\r\n".encode(), timeout=5)
            raw(service.port, f"{token} {token} {token}\r\n\r\n".encode(), timeout=5)
        hits["metrics"] = service.ask("GET", "/metrics").body.decode().lower().count(token)
        stop.set()
        watching.join()
        hits["files"] = len(written | set(_files_with(service.folder.name, token.encode())))
        (Path(service.folder.name) / "planted").write_text(token)
        seen_when_planted = len(_files_with(service.folder.name, token.encode()))
        (Path(service.folder.name) / "planted").unlink()
        service.end()
        said = "\n".join(map(str, service.events)) + "\n".join(service.stray)
        hits["log"] = said.lower().count(token)
        lines = [e for e in service.events if e.get("event") in ("request", "refused")]
        phrases = sum("phrases" in e for e in lines)
    return {
        "requests": answered,
        "hits": hits,
        "examples": examples[:5],
        "without_no_store": not_no_store,
        "log_lines": len(lines),
        "lines_with_phrases": phrases,
        "control_found": seen_when_planted,
    }


def broken(figures: dict[str, Any]) -> list[str]:
    """Return what is not as promised."""
    found = [f"{count} hits in {where}" for where, count in figures["hits"].items() if count]
    if figures["without_no_store"]:
        found.append(f"{figures['without_no_store']} answers without no-store")
    if figures["log_lines"] < figures["requests"] or not figures["lines_with_phrases"] or figures["control_found"] != 1:
        found.append("the measurement looks at nothing")
    return [*found, *figures["examples"]]
