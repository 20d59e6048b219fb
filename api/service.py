"""The service: what every route of one application shares."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar, cast

from starlette.requests import Request

from api.admission import Admission
from api.holder import MatcherHolder
from api.memory import Uploads
from api.metrics import Metrics
from api.rates import RateLimiter
from api.settings import Settings
from matcher.match import Matcher
from matcher.search import Directory

Result = TypeVar("Result")


class Directories:
    """The directory of the index that answers now, made when it is first asked for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._current: Directory | None = None

    def of(self, matcher: Matcher) -> Directory:
        """Return the directory of ``matcher``'s index."""
        current = self._current
        if current is None or current.digest != matcher.index.digest:
            with self._lock:
                if self._current is None or self._current.digest != matcher.index.digest:
                    self._current = Directory(matcher.index)
                current = self._current
        return current


@dataclass(frozen=True, slots=True)
class Service:
    """Settings, the current matcher, and who may use it when."""

    settings: Settings
    holder: MatcherHolder
    admission: Admission
    documents: Admission
    metrics: Metrics
    rates: RateLimiter | None
    directories: Directories = field(default_factory=Directories)
    uploads: Uploads = field(default_factory=Uploads)

    async def work(self, request: Request, func: Callable[..., Result], *args: object) -> Result:
        """Return ``func(*args)``, run off the event loop as admission allows; Refused otherwise."""
        async with self.admission.enter(request):
            return await self.admission.run(func, *args, seconds=self.settings.match_seconds, client=request)


def service_of(request: Request) -> Service:
    """Return the service of the application that a request came to."""
    return cast(Service, request.app.state.service)
