"""The gate: one middleware that checks Host, origin, key and rate before a route sees a request, and marks every answer.

The order is that of cost and of what may be told: a wrong Host learns nothing, an unknown key is not counted as a caller.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Sequence
from hashlib import sha256
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.keys import KeyStore
from api.metrics import Metrics
from api.problems import problem
from api.rates import Decision, RateLimiter
from api.settings import LOOPBACK, Settings

#: Answered to anyone, so that a supervisor, a scraper and a person who reads the documentation need no key.
OPEN_PATHS = ("/healthz", "/readyz", "/openapi.json", "/docs", "/problems")
API = "/v1"
ADMIN = "/admin"
METRICS = "/metrics"
#: The page's own routes; with ``/`` itself they are open in public-page mode.
PAGE = "/page"
#: Of these a person calls many while typing, or when the page is loaded: they have ten times as many calls, counted apart.
LIGHT_PATHS = ("/page/assets", "/page/suggest")

_DATA_POLICY = b"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox"
#: Nothing is loaded from elsewhere, nothing runs that is not a file of ours.
PAGE_POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
    b"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_MARKS: tuple[tuple[bytes, bytes], ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
)
_NO_STORE = (b"cache-control", b"no-store")
_SAFE = ("GET", "HEAD", "OPTIONS")
_ALLOWED_HEADERS = "Accept, Authorization, Content-Type, X-API-Key, X-Request-ID"
_EXPOSED_HEADERS = b"X-Request-ID, RateLimit, RateLimit-Policy, Retry-After, Deprecation, Sunset"


def add_middleware(
    app: Starlette, settings: Settings, keys: KeyStore | None, rates: RateLimiter | None, metrics: Metrics | None = None
) -> None:
    """Put the gate before all routes of ``app``."""
    app.add_middleware(Gate, settings=settings, keys=keys, rates=rates, metrics=metrics)


class Gate:
    """See the module."""

    def __init__(
        self,
        app: ASGIApp,
        settings: Settings,
        keys: KeyStore | None,
        rates: RateLimiter | None,
        metrics: Metrics | None = None,
    ) -> None:
        self.app = app
        self.settings = settings
        self.keys = keys
        self.rates = rates
        self.metrics = metrics
        admin = settings.admin_key_sha256
        self._admin_digest = None if admin is None else admin.get_secret_value()
        self._hosts = {name.lower() for name in settings.allowed_hosts if not name.startswith("*.")}
        self._domains = tuple(name[1:].lower() for name in settings.allowed_hosts if name.startswith("*."))
        self._origins = frozenset(settings.cors_origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = _Headers(scope)
        origin = headers.get(b"origin")
        shared = origin is not None and origin.decode("latin-1") in self._origins
        decision: Decision | None = None

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._mark(message, origin if shared else None, decision)
            await send(message)

        refusal = self._check(scope, headers, origin, shared)
        if refusal is None and self.rates is not None:
            decision = self._count(scope)
            if decision is not None and not decision.allowed:
                self._tell("rate_limit")
                if scope["path"] == "/" and scope["method"] == "POST":
                    # A person's form: the page answers it with the text that was in it, and no match.
                    scope["state"]["retry_after"] = max(1, decision.reset_seconds)
                else:
                    refusal = problem(429, "the calls of this period are used up")
        await (self.app if refusal is None else refusal)(scope, receive, marked)

    def _check(self, scope: Scope, headers: _Headers, origin: bytes | None, shared: bool) -> Response | None:
        """Return the refusal of a request, None where it may pass."""
        hosts = headers.all(b"host")
        if len(hosts) != 1 or not self.knows_host(hosts[0]):
            self._tell("host")
            return problem(421, "this service does not answer to that Host; MATCHER_ALLOWED_HOSTS lists the names it has")
        method = scope["method"]
        if origin is not None and method == "OPTIONS" and headers.get(b"access-control-request-method") is not None:
            return self._preflight(shared)
        if origin is not None and not shared and method not in _SAFE and not _same_site(origin, hosts[0]):
            self._tell("origin")
            return problem(403, "pages of other origins may not call this service; MATCHER_CORS_ORIGINS lists those that may")
        return self._identify(scope, headers)

    def knows_host(self, value: bytes) -> bool:
        """Whether a Host header names this service: a set name, this machine, or a bare address, which no foreign name can turn into."""
        name = _host_name(value)
        if name is None:
            return False
        if name in self._hosts or name in LOOPBACK or any(name.endswith(domain) for domain in self._domains):
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True

    def _identify(self, scope: Scope, headers: _Headers) -> Response | None:
        """Put ``identity`` into the state, or refuse."""
        state = scope.setdefault("state", {})
        client = scope.get("client")
        state["identity"] = "address:" + (client[0] if client else "local")
        path = scope["path"]
        if _under(path, ADMIN):
            return None if self._is_admin(_token(headers), state) else self._unknown()
        if not self.settings.needs_keys or _under(path, *OPEN_PATHS):
            return None
        if self.settings.public_page and not _under(path, API, METRICS):
            return None
        if not _under(path, API, PAGE) and path != METRICS and path != "/":
            return None  # 404
        token = _token(headers)
        key = self.keys.verify(token or "") if self.keys is not None else None
        if key is None and path == METRICS and self._is_admin(token, state):
            return None
        if key is None:
            return self._unknown()
        state["identity"] = "key:" + key.id
        state["key_id"] = key.id
        return None

    def _is_admin(self, token: str | None, state: dict[str, object]) -> bool:
        given = sha256((token or "").encode("utf-8", "surrogatepass")).hexdigest()
        by_setting = hmac.compare_digest(given, self._admin_digest or "")
        key = self.keys.verify(token or "", scope="admin") if self.keys is not None else None
        if key is not None:
            state["key_id"] = key.id
        return by_setting or key is not None

    def _unknown(self) -> Response:
        self._tell("key")
        # The same words for a missing, unknown, wrong, expired and revoked key.
        return problem(401, "a valid key is needed, as X-API-Key or Authorization: Bearer", headers={"WWW-Authenticate": "Bearer"})

    def _count(self, scope: Scope) -> Decision | None:
        """Count the call where a limit applies to it."""
        assert self.rates is not None
        path = scope["path"]
        if _under(path, API):
            if self.settings.rate_limit is None:
                return None
            return self.rates.take(scope["state"]["identity"])
        if self.settings.public_page and not _under(path, ADMIN, METRICS, "/healthz", "/readyz"):
            who, limit = scope["state"]["identity"], self.settings.public_rate_limit
            return (
                self.rates.take(f"light {who}", limit=10 * limit)
                if _under(path, *LIGHT_PATHS)
                else self.rates.take(f"page {who}", limit=limit)
            )
        return None

    def _preflight(self, shared: bool) -> Response:
        if not shared:
            self._tell("origin")
            return problem(403, "pages of other origins may not call this service; MATCHER_CORS_ORIGINS lists those that may")
        return Response(
            status_code=204,
            headers={
                "Access-Control-Allow-Methods": "GET, POST",
                "Access-Control-Allow-Headers": _ALLOWED_HEADERS,
                "Access-Control-Max-Age": "600",
            },
        )

    def _mark(self, message: Message, origin: bytes | None, decision: Decision | None) -> None:
        headers: list[tuple[bytes, bytes]] = list(message.get("headers", ()))
        present = {name.lower() for name, _ in headers}
        headers.extend(pair for pair in _MARKS if pair[0] not in present)
        if b"cache-control" not in present:
            headers.append(_NO_STORE)
        if b"content-security-policy" not in present:
            html = any(name.lower() == b"content-type" and value.startswith(b"text/html") for name, value in headers)
            headers.append((b"content-security-policy", PAGE_POLICY if html else _DATA_POLICY))
        if self._origins:
            headers.append((b"vary", b"Origin"))
        if origin is not None:
            headers += [(b"access-control-allow-origin", origin), (b"access-control-expose-headers", _EXPOSED_HEADERS)]
        if decision is not None:
            headers += decision.headers(self.settings.rate_seconds)
        message["headers"] = headers

    def _tell(self, reason: str) -> None:
        if self.metrics is not None:
            self.metrics.refused(reason)


class _Headers:
    """The headers of a request by name; names are in lower case already."""

    def __init__(self, scope: Scope) -> None:
        self._pairs: Sequence[tuple[bytes, bytes]] = scope["headers"]

    def all(self, name: bytes) -> list[bytes]:
        return [value for key, value in self._pairs if key == name]

    def get(self, name: bytes) -> bytes | None:
        return next((value for key, value in self._pairs if key == name), None)


def _token(headers: _Headers) -> str | None:
    """Return what was sent as a key."""
    own = headers.get(b"x-api-key")
    if own is not None:
        return own.decode("latin-1").strip()
    kind, _, token = (headers.get(b"authorization") or b"").decode("latin-1").partition(" ")
    return token.strip() if kind.lower() == "bearer" else None


def _under(path: str, *places: str) -> bool:
    return any(path == place or path.startswith(place + "/") for place in places)


def _host_name(value: bytes) -> str | None:
    """Return the name in a Host header in lower case, without port and brackets, None where it is none."""
    try:
        parts = urlsplit("//" + value.decode("ascii"))
        _ = parts.port
    except ValueError:
        return None
    if parts.username is not None or parts.path or parts.query or parts.fragment or not parts.hostname:
        return None
    return parts.hostname.lower().removesuffix(".")


def _same_site(origin: bytes, host: bytes) -> bool:
    """Whether a page's origin is the very host that it calls."""
    return origin.lower().partition(b"://")[2] == host.lower()
