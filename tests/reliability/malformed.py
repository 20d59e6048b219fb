"""Malformed input: whatever is sent, the answer is no 5xx and has no traceback and nothing of what was sent."""

from __future__ import annotations

import json
import random
import socket
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.reliability.harness import Scale, Service, invented_indexes, raw

PROMISE = "no 5xx, no traceback on 10,000 generated cases with surrogates, and on raw-socket cases"
CANARY = "c4n4ry"

TEXT = st.text(st.characters(exclude_categories=()), max_size=60)
VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=8,
)
MEMBERS = ("text", "skills", "title", "resume", "top", "explain", "filters", "id", "offset_unit", "return_text", "accurate")
ALMOST = st.fixed_dictionaries({}, optional={
    "text": TEXT | VALUE, "title": TEXT | VALUE, "skills": st.lists(TEXT, max_size=4) | VALUE, "top": st.integers(-2, 102) | VALUE,
    "resume": st.fixed_dictionaries({"work": st.lists(st.fixed_dictionaries({"position": TEXT | VALUE}), max_size=2)}) | VALUE,
    "filters": st.fixed_dictionaries({}, optional={"job_zone": st.lists(st.integers(0, 6)) | VALUE, "min_median_wage": st.floats() | VALUE}) | VALUE,
    "id": TEXT | VALUE, "explain": st.booleans() | VALUE, "offset_unit": st.sampled_from(["utf16", "code_point"]) | VALUE,
})  # fmt: skip

JSON = {"Content-Type": "application/json"}
DEEP = b'{"text":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
BODIES: dict[str, bytes] = {
    "empty": b"", "blank": b" \n", "bom": b'\xef\xbb\xbf{"text":"Bakes bread"}', "utf-16": '{"text":"Bakes bread"}'.encode("utf-16"),
    "utf-32": '{"text":"x"}'.encode("utf-32"), "utf-7": b'{"text":"+AGIAYQBrAGUAcw-"}', "latin-1": '{"text":"café"}'.encode("latin-1"),
    "duplicate keys": b'{"text":"a","text":"b"}', "escaped duplicate": b'{"text":"a","t\\u0065xt":"b"}', "nan": b'{"text":"a","top":NaN}',
    "infinity": b'{"filters":{"min_median_wage":Infinity},"text":"a"}', "1e999": b'{"text":"a","filters":{"min_median_wage":1e999}}',
    "big integer": b'{"text":"a","top":' + b"9" * 5000 + b"}", "lone surrogate": b'{"text":"\\ud800 bakes"}', "nul": b'{"text":"a\\u0000b"}',
    "raw nul": b'{"text":"a\x00b"}', "deep": DEEP, "long list": b'{"skills":[' + b'"a",' * 100_000 + b'"a"]}', "million": b"[" + b"1," * 200_000 + b"1]",
    "one word": b'{"text":"' + b"x" * 190_000 + b'"}', "rtl": '{"text":"\u202ebakes\u202c \u200b\ufeff bread"}'.encode(),
    "emoji": ('{"text":"' + "\U0001f468\u200d\U0001f373" * 5000 + '"}').encode(), "controls": b'{"text":"' + b"\\u0007\\u001b[2J" * 500 + b'"}',
    "combining": ('{"text":"a' + "\u0301" * 20_000 + '"}').encode(), "trailing": b'{"text":"a"}{"text":"b"}', "comment": b'{"text":"a"/**/}',
    "top string": b'"text"', "number": b"1", "null": b"null", "half": b'{"text":"' , "invalid utf-8": b'{"text":"\xc3\x28"}', "overlong": b'{"text":"\xc0\xaf"}',
    "cesu": b'{"text":"\xed\xa0\xbd\xed\xb8\x80"}', "__proto__": b'{"__proto__":{"text":"a"}}', "spaces": b'{"text":"' + b" " * 190_000 + b'"}',
    "newlines": b'{"text":"' + b"\\n" * 190_000 + b'"}', "dates": ('{"text":"' + "Jan 2001 - Feb 2002 " * 9000 + '"}').encode(),
}  # fmt: skip
HOST = b"Host: 127.0.0.1\r\n"
POST = b"POST /v1/match HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\n"
RAW: dict[str, bytes] = {
    "cl+te": POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": POST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    "no host": b"GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n",
    "two hosts": b"GET /healthz HTTP/1.1\r\n" + HOST + b"Host: b\r\nConnection: close\r\n\r\n",
    "absolute": b"GET http://evil.example/healthz HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n",
    "connect": b"CONNECT evil.example:443 HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n",
    "options *": b"OPTIONS * HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n",
    "trace": b"TRACE /healthz HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n",
    "odd method": b"BREW /v1/match HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n",
    "http/1.0": b"GET /healthz HTTP/1.0\r\n\r\n",
    "http/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "upgrade": b"GET /healthz HTTP/1.1\r\n" + HOST + b"Connection: Upgrade, close\r\nUpgrade: websocket\r\n\r\n",
    "path tricks": b"GET /docs/..%2f..%2f..%2fetc%2fpasswd HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n",
    "nul in path": b"GET /v1/occupations/%00 HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n",
    "bad escape": b"GET /v1/occupations/%ff%fe%zz HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n",
    "bad query": b"GET /v1/occupations?keyword=%ff%00%ed%a0%80&start=1e9 HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n",
    "long path": b"GET /" + b"a" * 30_000 + b" HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n",
    "bad accept": b"GET /v1/about HTTP/1.1\r\n" + HOST + b"Accept: ;;q=x,\xff\r\nConnection: close\r\n\r\n",
    "bad request id": b"GET /v1/about HTTP/1.1\r\n" + HOST + b"X-Request-ID: a\tb\xff\r\nConnection: close\r\n\r\n",
    "bad type": b"POST /v1/match HTTP/1.1\r\n" + HOST + b"Content-Type: \xff;;charset=utf-7\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}",
    "no type": b"POST /v1/match HTTP/1.1\r\n" + HOST + b"Connection: close\r\nContent-Length: 2\r\n\r\n{}",
    "multipart without end": b"POST /v1/match/file HTTP/1.1\r\n" + HOST + b"Content-Type: multipart/form-data; boundary=b\r\nConnection: close\r\nContent-Length: 5\r\n\r\n--b\r\n",
    "gzip": POST + b"Content-Encoding: gzip\r\nConnection: close\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00",
    "expect": POST + b"Expect: 100-continue\r\nConnection: close\r\nContent-Length: 4\r\n\r\n1234",
    "bad expect": POST + b"Expect: nonsense\r\nConnection: close\r\nContent-Length: 4\r\n\r\n1234",
    "range": b"GET /openapi.json HTTP/1.1\r\n" + HOST + b"Range: bytes=0-99999999999999999999\r\nConnection: close\r\n\r\n",
    "chunk extensions": POST + b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n2;" + b"a" * 20_000 + b"\r\n{}\r\n0\r\n\r\n",
    "huge chunk": POST + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
    "trailers": POST + b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n2\r\n{}\r\n0\r\nX: y\r\n\r\n",
}  # fmt: skip


def _statuses(answer: bytes) -> int:
    if answer.startswith(b"HTTP/1.1 100"):
        answer = answer.partition(b"\r\n\r\n")[2]
    return int(answer.split()[1]) if answer.startswith(b"HTTP/") else 0


def measure(scale: Scale) -> dict[str, Any]:
    """Send all cases, then generated ones."""
    examples = 10_000 if scale == "full" else 60
    counts: dict[str, int] = {}
    bad: list[str] = []

    def look(name: str, status: int, answer: bytes) -> None:
        counts[str(status)] = counts.get(str(status), 0) + 1
        if status >= 500 or status == 0 or b"Traceback" in answer or b'File "' in answer:
            bad.append(f"{name}: {status} {answer[:80]!r}")

    with Service(index=invented_indexes()[0], match_seconds=30) as service:
        for name, body in BODIES.items():
            for path in ("/v1/match", "/v1/match/batch"):
                kind = JSON if path == "/v1/match" else {"Content-Type": "application/x-ndjson"}
                answer = service.ask("POST", path, body, kind)
                look(f"{path} {name}", answer.status, answer.body)
                for line in answer.body.splitlines() if path.endswith("batch") else ():
                    error = json.loads(line).get("error") or {}
                    if error.get("status", 0) >= 500:
                        bad.append(f"{path} {name}: line {error['status']}")
        for name, request in RAW.items():
            answer_bytes = raw(service.port, request, timeout=8)
            look(name, _statuses(answer_bytes), answer_bytes)
        with socket.create_connection(("127.0.0.1", service.port)) as client:
            client.sendall(POST + b"Content-Length: 10\r\n\r\n123")  # and gone

        @settings(max_examples=examples, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
        @given(ALMOST | VALUE, st.integers(0, 2**32))
        def generated(value: Any, seed: int) -> None:
            body = json.dumps(value).encode()
            chance = random.Random(seed)
            if body and chance.random() < 0.3:
                # Not JSON any more, or other JSON.
                place = chance.randrange(len(body))
                body = body[:place] + chance.choice([b"", bytes([chance.randrange(256)]), b'"', b"{", b"\\u"]) + body[place + 1 :]
            answer = service.ask("POST", "/v1/match", body)
            look("generated", answer.status, answer.body)

        generated()
        failures = [e for e in service.events if e.get("event") in ("failed", "uncaught", "line_failed")]
        alive = service.match("Bakes bread").status
    return {
        "bodies": len(BODIES) * 2,
        "raw": len(RAW),
        "generated": examples,
        "statuses": dict(sorted(counts.items())),
        "bad": bad[:20],
        "failures_logged": failures[:5],
        "strays": service.stray[:5],
        "afterwards": alive,
    }


def broken(figures: dict[str, Any]) -> list[str]:
    """Return what is not as promised."""
    found = [*figures["bad"], *map(str, figures["failures_logged"]), *figures["strays"]]
    if figures["afterwards"] != 200:
        found.append("does not answer afterwards")
    if "200" not in figures["statuses"] or "422" not in figures["statuses"] or "400" not in figures["statuses"]:
        found.append(f"the cases reach too little: {figures['statuses']}")
    return found
