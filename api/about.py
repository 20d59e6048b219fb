"""About the service: which data and models answer, under which licences, within which limits; whether it lives and is ready."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from api.body import MOST_VALUES
from api.metrics import CONTENT_TYPE
from api.problems import Refusal
from api.schemas import MAX_ID, MOST_LINES
from api.service import Service, service_of
from matcher.reading import MAX_SKILL, MAX_SKILLS, MAX_TEXT, MAX_TITLE

JSON = "application/json"
NOT_FOR = (
    "A likeness of words to what O*NET says of occupations in the United States, for texts in English. A ranking is a starting point for a "
    "person, not a decision about one; a gap means 'not found in what was given'."
)
LICENCES: Mapping[str, str] = {
    "software": "Apache-2.0",
    "catalogue": "Apache-2.0",
    "O*NET": "CC BY 4.0 (https://creativecommons.org/licenses/by/4.0/)",
    "wages": "U.S. Bureau of Labor Statistics, OEWS; public domain",
}


async def about(request: Request) -> Response:
    """Tell which release, index, encoder and ranking answer, with licences, attribution and limits."""
    return Response(orjson.dumps(facts(service_of(request))), media_type=JSON)


def facts(service: Service) -> dict[str, Any]:
    """Return what the service says of itself."""
    matcher, settings = service.holder.current, service.settings
    return {
        "engine": dict(matcher.engine),
        "counts": dict(matcher.index.manifest["counts"]),
        "attribution": matcher.index.manifest["notice"],
        "licences": dict(LICENCES),
        # A ranker that is calibrated names its cut-offs and its figures; until one is, there are none.
        "cut_offs": _own(matcher.ranker, "cut_offs"),
        "evaluation": _own(matcher.ranker, "evaluation"),
        "limits": {
            "json_bytes": settings.json_bytes,
            "json_values": MOST_VALUES,
            "batch_bytes": settings.batch_bytes,
            "batch_line_bytes": settings.json_bytes,
            "batch_lines": MOST_LINES,
            "upload_bytes": settings.upload_bytes,
            "text_characters": MAX_TEXT,
            "skills": MAX_SKILLS,
            "skill_characters": MAX_SKILL,
            "title_characters": MAX_TITLE,
            "id_characters": MAX_ID,
            "top": 100,
            "match_seconds": settings.match_seconds,
            "batch_seconds": settings.batch_seconds,
            "requests": settings.rate_limit,
            "requests_seconds": settings.rate_seconds,
        },
        "not_for": NOT_FOR,
    }


def _own(ranker: object, name: str) -> dict[str, Any] | None:
    value = getattr(ranker, name, None)
    return dict(value) if isinstance(value, Mapping) else None


async def health() -> Response:
    """Say that the process lives."""
    return Response(b'{"status":"ok"}', media_type=JSON)


async def ready(request: Request) -> Response:
    """Say whether new requests should be sent here: 503 while the service is being stopped."""
    holder = service_of(request).holder
    if not holder.ready:
        raise Refusal(503, "the service is being stopped", headers={"Retry-After": "1"})
    return Response(orjson.dumps({"status": "ready", "index": holder.digest}), media_type=JSON)


async def metrics(request: Request) -> Response:
    """Answer the figures of this service for Prometheus."""
    return Response(service_of(request).metrics.render(), headers={"Content-Type": CONTENT_TYPE})
