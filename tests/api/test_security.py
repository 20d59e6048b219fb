"""The gate: who is let in from where, and what every answer carries."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from api.keys import KeyStore
from api.metrics import Metrics
from api.rates import RateLimiter
from api.security import add_middleware
from api.settings import Settings

ADMIN = "an admin token of the operator's choice"


async def _identity(request: Request) -> Response:
    return JSONResponse({"identity": request.scope["state"]["identity"]})


async def _page(request: Request) -> Response:
    return Response("<p>", media_type="text/html")


async def _asset(request: Request) -> Response:
    return Response("", media_type="text/css", headers={"Cache-Control": "max-age=60", "Content-Security-Policy": "sandbox"})


def served(
    settings: Settings, keys: KeyStore | None = None, rates: RateLimiter | None = None, metrics: Metrics | None = None
) -> TestClient:
    routes = [
        Route(path, _identity, methods=["GET", "POST"]) for path in ("/v1/match", "/healthz", "/metrics", "/admin/reload", "/v1x")
    ]
    app = Starlette(routes=[*routes, Route("/", _page), Route("/docs", _page), Route("/docs/style.css", _asset)])
    add_middleware(app, settings, keys, rates, metrics)
    return TestClient(app, base_url="http://127.0.0.1:8000")


@pytest.fixture
def keys(tmp_path: Path) -> KeyStore:
    return KeyStore(tmp_path / "keys.json")


@pytest.fixture
def rates(tmp_path: Path) -> Iterator[RateLimiter]:
    limiter = RateLimiter(tmp_path / "rates", 100, 600)
    yield limiter
    limiter.close()


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8000", "localhost", "[::1]:9", "192.0.2.1", "LOCALHOST:80", "jobs.example.org", "a.b.example.net."]
)
def test_a_host_of_this_service_is_answered(host: str) -> None:
    client = served(Settings(allowed_hosts=("jobs.example.org", "*.example.net")))
    assert client.get("/v1/match", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "", "127.0.0.1.evil.example", "localhost.evil.example", "jobs.example.org.evil.example", "example.net",
     "evilexample.net", "127.0.0.1@evil.example", "127.0.0.1:x", "127.0.0.1/evil", "[::1", "0x7f.1", "127.1"],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/v1/match", "/healthz", "/", "/admin/reload"])
def test_another_host_is_refused_everywhere_so_that_no_foreign_name_can_be_bent_to_this_address(host: str, path: str) -> None:
    client = served(Settings(allowed_hosts=("jobs.example.org", "*.example.net"), public_page=True))
    answer = client.get(path, headers={"Host": host})
    assert answer.status_code == 421
    assert host == "" or host not in answer.text


def test_two_hosts_are_refused() -> None:
    client = served(Settings())
    assert client.get("/healthz", headers=[("Host", "localhost"), ("Host", "evil.example")]).status_code == 421


def test_missing_unknown_wrong_expired_and_revoked_keys_are_refused_alike(keys: KeyStore, monkeypatch: pytest.MonkeyPatch) -> None:
    client = served(Settings(keys_file=keys.path), keys)
    key, token = keys.create("x")
    revoked, revoked_token = keys.create("y")
    keys.revoke(revoked.id)
    _, expired_token = keys.create("z", days=0)
    _, admin_token = keys.create("w", scope="admin")
    answers = [
        client.post("/v1/match"),
        *(
            client.post("/v1/match", headers={"X-API-Key": t})
            for t in ("", "x", token[:-2], revoked_token, expired_token, admin_token)
        ),
        client.post("/v1/match", headers={"Authorization": f"Basic {token}"}),
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.text for answer in answers}) == 1
    assert len({tuple(sorted(answer.headers.items())) for answer in answers}) == 1
    assert client.post("/v1/match", headers={"X-API-Key": token}).json() == {"identity": f"key:{key.id}"}
    assert client.post("/v1/match", headers={"Authorization": f"bearer {token}"}).status_code == 200


def test_with_keys_health_and_documentation_are_open_and_metrics_are_not(keys: KeyStore) -> None:
    _, token = keys.create("x")
    client = served(Settings(keys_file=keys.path), keys)
    assert [client.get(path).status_code for path in ("/healthz", "/docs", "/docs/style.css")] == [200] * 3
    assert [client.get(path).status_code for path in ("/metrics", "/", "/v1/match")] == [401] * 3
    assert client.get("/metrics", headers={"X-API-Key": token}).status_code == 200


def test_the_public_page_is_open_while_the_api_needs_a_key(keys: KeyStore, rates: RateLimiter) -> None:
    keys.create("x")
    client = served(Settings(keys_file=keys.path, public_page=True, public_rate_limit=3), keys, rates)
    assert client.get("/v1/match").status_code == 401
    assert [client.get("/").status_code for _ in range(5)] == [200, 200, 200, 429, 429]
    assert client.get("/healthz").status_code == 200


def test_no_path_looks_like_the_api_to_the_gate_and_like_something_else_to_the_router(keys: KeyStore) -> None:
    keys.create("x")
    client = served(Settings(keys_file=keys.path), keys)
    for path in (
        "/v1/match",
        "/v1//match",
        "/v1/%6datch",
        "/%761/match",
        "/v1/match/",
        "/v1/match?x=/docs",
        "/V1/match",
        "//v1/match",
        "/docs/../v1/match",
    ):
        answer = client.post(path)
        assert answer.status_code in (401, 404, 405, 307), path
        assert "identity" not in answer.text


def test_the_admin_route_needs_its_own_key_even_where_the_api_is_open(keys: KeyStore) -> None:
    _, caller = keys.create("x")
    _, admin = keys.create("y", scope="admin")
    open_client = served(Settings())
    assert open_client.post("/admin/reload").status_code == 401
    assert open_client.post("/admin/reload", headers={"X-API-Key": ""}).status_code == 401
    by_setting = served(Settings(admin_key_sha256=hashlib.sha256(ADMIN.encode()).hexdigest()))  # type: ignore[arg-type]
    assert by_setting.post("/admin/reload", headers={"X-API-Key": ADMIN}).status_code == 200
    assert by_setting.post("/admin/reload", headers={"X-API-Key": ADMIN + "x"}).status_code == 401
    assert by_setting.post("/admin/reload").status_code == 401
    by_store = served(Settings(keys_file=keys.path), keys)
    assert by_store.post("/admin/reload", headers={"X-API-Key": caller}).status_code == 401
    assert by_store.post("/admin/reload", headers={"X-API-Key": admin}).status_code == 200


def test_100_of_150_calls_pass_and_every_answer_tells_what_is_left(rates: RateLimiter) -> None:
    metrics = Metrics()
    client = served(Settings(rate_limit=100, rate_seconds=600), None, rates, metrics)
    answers = [client.post("/v1/match") for _ in range(150)]
    assert [a.status_code for a in answers] == [200] * 100 + [429] * 50
    assert {a.headers["ratelimit-policy"] for a in answers} == {'"default";q=100;w=600'}
    assert [a.headers["ratelimit"].split(";")[1] for a in answers[:3]] == ["r=99", "r=98", "r=97"]
    assert all(1 <= int(a.headers["retry-after"]) <= 600 for a in answers[100:])
    assert client.get("/healthz").status_code == 200
    assert b'matcher_refused_total{reason="rate_limit"} 50.0' in metrics.render()


def test_a_refused_key_costs_its_owner_nothing(keys: KeyStore, rates: RateLimiter) -> None:
    _, token = keys.create("x")
    client = served(Settings(keys_file=keys.path, rate_limit=100), keys, rates)
    for _ in range(5):
        client.post("/v1/match", headers={"X-API-Key": token[:-1] + "!"})
    assert client.post("/v1/match", headers={"X-API-Key": token}).headers["ratelimit"].startswith('"default";r=99')


def test_pages_of_other_origins_can_neither_call_nor_read_unless_their_origin_is_set() -> None:
    client = served(Settings(cors_origins=("https://jobs.example.org",)))
    good, bad = {"Origin": "https://jobs.example.org"}, {"Origin": "https://evil.example"}
    ask = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type, x-api-key"}
    preflight = client.options("/v1/match", headers={**good, **ask})
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == "https://jobs.example.org"
    assert "X-API-Key" in preflight.headers["access-control-allow-headers"]
    assert client.post("/v1/match", headers=good).headers["access-control-allow-origin"] == "https://jobs.example.org"
    refused = [
        client.options("/v1/match", headers={**bad, **ask}),
        client.post("/v1/match", headers=bad),
        client.post("/v1/match", headers={"Origin": "null"}),
    ]
    assert [a.status_code for a in refused] == [403] * 3
    read = client.get("/v1/match", headers=bad)
    for answer in (*refused, read):
        assert "access-control-allow-origin" not in answer.headers
        assert answer.headers["vary"] == "Origin"


def test_by_default_no_answer_may_be_read_by_another_origin_and_the_own_page_may_call() -> None:
    client = served(Settings())
    assert client.post("/v1/match", headers={"Origin": "http://localhost:3000"}).status_code == 403
    own = client.post("/v1/match", headers={"Origin": "http://127.0.0.1:8000"})
    assert own.status_code == 200
    assert not [name for name in own.headers if name.startswith("access-control")]


def test_every_answer_has_the_security_headers_and_is_not_stored() -> None:
    client = served(Settings())
    for answer in (
        client.get("/healthz"),
        client.get("/nowhere"),
        client.get("/docs"),
        client.get("/healthz", headers={"Host": "x"}),
    ):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    page = client.get("/docs").headers["content-security-policy"]
    assert "script-src 'self'" in page
    assert "unsafe" not in page
    assert "http" not in page
    asset = client.get("/docs/style.css").headers
    assert (asset["cache-control"], asset["content-security-policy"]) == ("max-age=60", "sandbox")


def test_no_refusal_writes_what_was_sent_to_a_log(caplog: pytest.LogCaptureFixture, keys: KeyStore) -> None:
    caplog.set_level(logging.DEBUG)
    keys.create("x")
    client = served(Settings(keys_file=keys.path), keys)
    canary = "canary-7f3a"
    answers: list[Any] = [
        client.get("/v1/match", headers={"Host": canary}),
        client.get("/v1/match", headers={"X-API-Key": canary}),
        client.get("/v1/match", headers={"Authorization": canary}),
        client.post("/v1/match", headers={"Origin": canary}),
    ]
    assert [a.status_code for a in answers] == [421, 401, 401, 403]
    assert not [a for a in answers if canary in a.text or canary in str(a.headers)]
    # httpx, the client, logs the address that it called; only the server's own loggers count.
    assert canary not in "".join(r.getMessage() for r in caplog.records if not r.name.startswith("http"))
