"""The documentation that the service itself gives: OpenAPI with real examples, a page to try it, and what each problem means."""

from __future__ import annotations

import functools
import importlib.metadata
import json
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema
from starlette.responses import Response

from api.problems import KINDS, MEDIA_TYPE, Refusal
from api.schemas import ANSWERS, REQUESTS
from matcher import __version__

TITLE = "Occupation matcher"
DESCRIPTION = """\
A résumé, a job posting, a list of skills or a job title in; ranked O*NET occupations out, each with the phrases that prove it.

* Nothing that you send is stored or logged, and no error repeats it.
* An answer is `200` whenever the request was well formed; `status: "insufficient"` says that a ranking would be invented, and why.
* The same query to the same `engine` gets the same bytes.
* Refusals are problems (RFC 9457) with pointers (RFC 6901); 429 and 503 have `Retry-After`.

The examples are real answers of the bundled starter catalogue.
"""
TAGS = [
    {"name": "match", "description": "Queries in, occupations out."},
    {"name": "advice", "description": "What is missing for an occupation, what if, where next, side by side."},
    {"name": "occupations", "description": "What the index says of each code; titles and skills to offer while somebody types."},
    {"name": "operations", "description": "What answers, whether it lives, and its figures."},
]
SECURITY: list[dict[str, list[str]]] = [{}, {"ApiKey": []}, {"Bearer": []}]
_SCHEMES = {
    "ApiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "Where the service asks for keys."},
    "Bearer": {"type": "http", "scheme": "bearer", "description": "The same key as a bearer token."},
}
_REASONS = {
    400: "Not JSON, not UTF-8, or a broken body.",
    401: "The service asks for a key, and none that it knows was sent.",
    404: "There is nothing of this name.",
    409: "Nothing was changed.",
    413: "The body is larger than is accepted.",
    415: "Another media type is expected.",
    422: "A field is not what is expected; `errors` points to it.",
    429: "The calls of this period are used up.",
    503: "Too much is being asked at once, or the match took too long.",
}
_RETRY = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 0, "maximum": 86400}}}
_REQUEST_ID = {"X-Request-ID": {"description": "Yours if you sent one, else a new one.", "schema": {"type": "string"}}}
_REF = "#/components/schemas/{model}"
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Occupation matcher: the service</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="icon" href="data:,">
</head>
<body>
<div id="docs"></div>
<noscript>This page needs JavaScript; <a href="/openapi.json">openapi.json</a> says the same.</noscript>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""
_START = """"use strict";
window.addEventListener("DOMContentLoaded", () => {
  SwaggerUIBundle({
    url: "/openapi.json",
    dom_id: "#docs",
    deepLinking: true,
    validatorUrl: null,
    defaultModelsExpandDepth: 0,
    displayOperationId: true,
    presets: [SwaggerUIBundle.presets.apis],
  });
});
"""
#: Swagger UI comes with this package and is served from it; none of it stands in our repository.
_ASSETS_PACKAGE = "fastapi-offline"
_ASSETS = {"swagger-ui.css": "text/css", "swagger-ui-bundle.js": "text/javascript"}


@functools.cache
def examples() -> Mapping[str, Mapping[str, Mapping[str, Any]]]:
    """Return the recorded examples: operation, name, then ``summary``, ``request`` (where there is one) and ``answer``."""
    found: Mapping[str, Mapping[str, Mapping[str, Any]]] = json.loads(
        resources.files("api").joinpath("examples.json").read_text(encoding="utf-8")
    )
    return found


def operation(
    name: str,
    tag: str,
    answer: str,
    *,
    refusals: Sequence[int] = (),
    request: Mapping[str, Any] | None = None,
    media: Sequence[str] = ("application/json",),
    secured: bool = True,
) -> dict[str, Any]:
    """Return what ``add_api_route`` needs to describe one operation.

    ``name`` is its operationId, ``answer`` the model of its 200, ``request`` the schema by media type of its body.
    """
    content: dict[str, Any] = {}
    for kind in media:
        content[kind] = {"schema": {"$ref": _REF.format(model=answer)}} if kind == "application/json" else {"schema": _other(kind)}
    responses: dict[int | str, dict[str, Any]] = {
        200: {"description": "The answer.", "content": content, "headers": dict(_REQUEST_ID)},
    }
    for status in sorted({*refusals, *((401, 429) if secured else ())}):
        responses[status] = _refusal(status)
    extra: dict[str, Any] = {"security": SECURITY} if secured else {}
    if request is not None:
        extra["requestBody"] = {"required": True, "content": {kind: {"schema": schema} for kind, schema in request.items()}}
    return {
        "operation_id": name,
        "tags": [tag],
        "responses": responses,
        "openapi_extra": extra,
        "response_model": None,
        "response_class": Response,
    }


def _refusal(status: int) -> dict[str, Any]:
    return {
        "description": _REASONS[status],
        "headers": {**_REQUEST_ID, **(_RETRY if status in (429, 503) else {})},
        "content": {MEDIA_TYPE: {"schema": {"$ref": _REF.format(model="Problem")}}},
    }


def _other(kind: str) -> dict[str, Any]:
    if kind == "application/ld+json":
        return {"type": "object", "description": "schema.org: an ItemList of Occupation, its context inline."}
    if kind == "application/x-ndjson":
        return {"type": "string", "description": "One BatchLine a line, in the order of the lines sent; blank lines have none."}
    return {"type": "string"}


def describe(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of ``app``."""
    document = get_openapi(
        title=TITLE,
        version=__version__,
        openapi_version="3.1.0",
        description=DESCRIPTION,
        routes=app.routes,
        tags=TAGS,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
    )
    schemas = _schemas()
    components = document.setdefault("components", {})
    components["schemas"] = dict(sorted(schemas.items()))
    components["securitySchemes"] = _SCHEMES
    for name, path in document["paths"].items():
        for method in path.values():
            # Not through FastAPI: it leaves out nulls, and then an example is no longer what the service answers.
            _add_examples(method)
            if name.startswith("/admin/"):
                method["security"] = SECURITY[1:]
                method["responses"]["401"] = _refusal(401)
                method["responses"]["409"] = _refusal(409)
                method["responses"]["422"] = _refusal(422)
            for status, response in list(method["responses"].items()):
                # FastAPI adds its own idea of a 422 where a route has parameters and does not say one itself.
                if "HTTPValidationError" in json.dumps(response):
                    del method["responses"][status]
    return document


def _add_examples(method: dict[str, Any]) -> None:
    recorded = examples().get(method["operationId"], {})
    asked = {key: {"summary": e["summary"], "value": e["request"]} for key, e in recorded.items() if "request" in e}
    answered = {key: {"summary": e["summary"], "value": e["answer"]} for key, e in recorded.items()}
    for content, found in (
        (method.get("requestBody", {}).get("content", {}), asked),
        (method["responses"].get("200", {}).get("content", {}), answered),
    ):
        for kind, media in content.items():
            if found and kind != "application/ld+json":
                media["examples"] = found
    for parameter in method.get("parameters", ()):
        given = {
            key: {"summary": e["summary"], "value": e["parameters"][parameter["name"]]}
            for key, e in recorded.items()
            if parameter["name"] in e.get("parameters", {})
        }
        if given:
            parameter["examples"] = given
            parameter["schema"].pop("examples", None)


def _schemas() -> dict[str, Any]:
    _, of_requests = models_json_schema([(model, "validation") for model in REQUESTS], ref_template=_REF)
    _, of_answers = models_json_schema([(model, "serialization") for model in ANSWERS], ref_template=_REF)
    return {**of_answers["$defs"], **of_requests["$defs"]}


@functools.cache
def _assets_folder() -> Path:
    distribution = importlib.metadata.distribution(_ASSETS_PACKAGE)
    return Path(str(distribution.locate_file("fastapi_offline/static")))


async def page() -> Response:
    """Answer the page to read and try the service; all that it loads is here."""
    return Response(_PAGE, media_type="text/html")


async def asset(name: str) -> Response:
    """Answer one file of the page."""
    if name == "start.js":
        return Response(_START, media_type="text/javascript")
    if name not in _ASSETS:
        raise Refusal(404, "the page has no such file")
    return Response((_assets_folder() / name).read_bytes(), media_type=_ASSETS[name])


async def problem_kind(name: str) -> Response:
    """Answer what a kind of problem means and what to do about it."""
    if name not in KINDS:
        raise Refusal(404, "there is no such kind of problem")
    title, advice = KINDS[name]
    return Response(f"{title}\n\n{advice}\n", media_type="text/plain")
