"""Problems: every refusal as ``application/problem+json`` (RFC 9457), with pointers and without anything that was sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import orjson
from pydantic import ValidationError
from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"
#: More faults than these are counted, not listed: a list of 500 wrong skills is one mistake.
MOST_FAULTS = 20

#: The request that is being answered; problems name it as their ``instance``.
REQUEST_ID: ContextVar[str | None] = ContextVar("request_id", default=None)

#: The kinds of problem: name, title, and what a caller does about it. ``/problems/<name>`` tells the same.
KINDS: Mapping[str, tuple[str, str]] = {
    "not-json": ("Not JSON", "Send one JSON document (RFC 8259) in UTF-8. NaN, Infinity and repeated members are not JSON here."),
    "not-utf-8": ("Not UTF-8", "Encode the body as UTF-8."),
    "bad-request": ("Bad request", "The request is not well formed; the detail says where."),
    "unauthorized": ("Unauthorized", "Send a valid key as X-API-Key, or as Authorization: Bearer."),
    "forbidden": ("Forbidden", "This key may not do that."),
    "not-found": ("Not found", "There is nothing here; /docs lists the endpoints, GET /v1/occupations the codes."),
    "method-not-allowed": ("Method not allowed", "Use a method that the Allow header lists."),
    "conflict": ("Conflict", "Nothing was changed; the detail says why."),
    "timeout": ("Request timeout", "Send the whole request sooner."),
    "too-large": ("Too large", "Send less at once; for files of any length there is `matcher batch`."),
    "unsupported-media-type": ("Unsupported media type", "Send the Content-Type, or the kind of file, that the detail names."),
    "invalid": ("Invalid field", "Mend the members that `errors` points to (JSON Pointer, RFC 6901)."),
    "unreadable-document": ("Unreadable document", "Send another file; the detail says what is wrong with this one."),
    "headers-too-large": ("Headers too large", "Send fewer or shorter headers."),
    "misdirected": ("Misdirected request", "Use one of the host names that the service is set up for."),
    "too-many-requests": ("Too many requests", "Wait as long as Retry-After says."),
    "internal": ("Internal error", "A fault of ours. Nothing that you sent was kept; report the request's id."),
    "unavailable": ("Service unavailable", "Wait as long as Retry-After says, then send the same request again."),
}
_KIND_OF_STATUS: Mapping[int, str] = {
    400: "bad-request",
    401: "unauthorized",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    408: "timeout",
    409: "conflict",
    413: "too-large",
    415: "unsupported-media-type",
    421: "misdirected",
    422: "invalid",
    429: "too-many-requests",
    431: "headers-too-large",
    500: "internal",
    503: "unavailable",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: ``pointer`` (RFC 6901) into the body, or the query ``parameter``, and what was expected."""

    detail: str
    pointer: str | None = None
    parameter: str | None = None

    def as_dict(self) -> dict[str, str]:
        """Return the fault as it stands in ``errors``."""
        named = {"pointer": self.pointer, "parameter": self.parameter, "detail": self.detail}
        return {name: value for name, value in named.items() if value is not None}


def problem_dict(
    status: int, detail: str, *, type: str | None = None, errors: Iterable[Fault | Mapping[str, str]] = ()
) -> dict[str, Any]:
    """Return a problem as JSON values. ``type`` is a name of ``KINDS``; by default the one of the status."""
    kind = type if type in KINDS else _KIND_OF_STATUS.get(status)
    document: dict[str, Any] = {
        "type": "about:blank" if kind is None else f"/problems/{kind}",
        "title": KINDS[kind][0] if kind else "Problem",
        "status": status,
        "detail": detail,
    }
    if (request_id := REQUEST_ID.get()) is not None:
        document["instance"] = f"/requests/{request_id}"
    listed = [error.as_dict() if isinstance(error, Fault) else dict(error) for error in errors]
    if listed:
        document["errors"] = listed[:MOST_FAULTS]
    if len(listed) > MOST_FAULTS:
        document["errors_not_listed"] = len(listed) - MOST_FAULTS
    return document


def unknown_code(source: str) -> str:
    """Return the detail of a 404 for a code that an index made of ``source`` lacks; most such codes are of another edition."""
    return f"not a code of this index ({source}); GET /v1/occupations lists them. They are of O*NET-SOC 2019; those of 2010 are not translated"


def problem(
    status: int,
    detail: str,
    *,
    type: str | None = None,
    errors: Iterable[Fault | Mapping[str, str]] = (),
    headers: Mapping[str, str] | Sequence[tuple[str, str]] = (),
) -> Response:
    """Return a refusal. ``detail`` and ``errors`` say what was expected and never hold a piece of what was sent."""
    return Response(
        orjson.dumps(problem_dict(status, detail, type=type, errors=errors)),
        status_code=status,
        media_type=MEDIA_TYPE,
        headers=dict(headers),
    )


class Refusal(Exception):
    """A request that is answered with a problem; raised anywhere below a route.

    Not a ValueError: it is an answer, and nothing on the way may take it for a failure of its own.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        type: str | None = None,
        errors: Iterable[Fault] = (),
        headers: Mapping[str, str] | None = None,
        reason: str | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.type = type
        self.errors = tuple(errors)
        self.headers = dict(headers or {})
        #: A word for the metrics.
        self.reason = reason

    def response(self) -> Response:
        """Return the refusal as an answer."""
        return problem(self.status, self.detail, type=self.type, errors=self.errors, headers=self.headers)

    def as_dict(self) -> dict[str, Any]:
        """Return the refusal as the ``error`` of one line of a batch."""
        return problem_dict(self.status, self.detail, type=self.type, errors=self.errors)


def invalid(faults: Iterable[Fault]) -> Refusal:
    """Return the refusal of a document with the given faults."""
    faults = tuple(faults)
    where = next((f.pointer or f.parameter for f in faults if f.pointer or f.parameter), None)
    first = f"{where}: {faults[0].detail}" if len(faults) == 1 and where else faults[0].detail if len(faults) == 1 else None
    return Refusal(422, first or f"{len(faults)} members are not what is expected", errors=faults)


def pointer(location: Iterable[str | int]) -> str:
    """Return the JSON Pointer (RFC 6901) of a path of members and places."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in location)


_EXPECTED = {
    "missing": "missing, and needed",
    "string_type": "expected a string",
    "bool_type": "expected true or false",
    "list_type": "expected a list",
    "dict_type": "expected an object",
    "model_type": "expected an object",
    "model_attributes_type": "expected an object",
    "int_type": "expected a whole number",
    "int_parsing": "expected a whole number",
    "int_from_float": "expected a whole number",
    "int_parsing_size": "expected a smaller whole number",
    "float_type": "expected a number",
    "float_parsing": "expected a number",
    "finite_number": "expected a finite number",
}


def _expectation(error: Mapping[str, Any]) -> str:
    """Say what was expected, from the kind of a pydantic error and our own limits; its message and input are not used."""
    kind, limits = str(error["type"]), error.get("ctx") or {}
    if kind in _EXPECTED:
        return _EXPECTED[kind]
    if kind == "string_too_long":
        return f"at most {limits['max_length']} characters"
    if kind == "string_too_short":
        return f"at least {limits['min_length']} characters"
    if kind == "too_long":
        return f"at most {limits['max_length']} items"
    if kind == "too_short":
        return f"at least {limits['min_length']} items"
    if kind == "greater_than_equal":
        return f"expected {limits['ge']} or more"
    if kind == "less_than_equal":
        return f"expected {limits['le']} or less"
    if kind in ("literal_error", "enum"):
        return f"expected {limits['expected']}"
    if kind == "string_pattern_mismatch":
        return f"expected the form {limits['pattern']}"
    if kind == "expected":
        # Our own validators raise this with a text of ours.
        return str(limits["what"])
    return "not what is expected here"


def faults_of(error: ValidationError, *, known: Mapping[str, Sequence[str]] | None = None) -> list[Fault]:
    """Return the faults that pydantic found in a body.

    A member that is not known is named by the object it stands in, since its own name was sent; ``known`` maps the pointer of an
    object to the members that it may have.
    """
    faults: dict[Fault, None] = {}
    for found in error.errors(include_url=False, include_input=False):
        location = found["loc"]
        if found["type"] == "extra_forbidden":
            at = pointer(location[:-1])
            members = ", ".join((known or {}).get(at, ()))
            fault = Fault("has a member that is not known" + (f"; known are {members}" if members else ""), pointer=at)
        else:
            fault = Fault(_expectation(found), pointer=pointer(location))
        faults[fault] = None
    return list(faults)


def parameter_faults(errors: Iterable[Mapping[str, Any]]) -> list[Fault]:
    """Return the faults of query and path parameters, from FastAPI's list of errors."""
    return [Fault(_expectation(error), parameter=str(error["loc"][1])) for error in errors if len(error["loc"]) > 1]
