"""The form of the page as a browser sends it without JavaScript: what was given, and which advice was asked for with it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request

from api.body import media_type, read_body, read_parts
from api.page_views import EXAMPLES, WISHES
from api.problems import Refusal
from api.schemas import Options, parse
from matcher.reading import MAX_TEXT

FORM, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"
#: Percent-encoding takes three bytes for one.
_FORM_BYTES = 2 * 1024 * 1024
_INLINE = 64 * 1024
_MOST_FIELDS = 120
#: Lines on trial, and occupations side by side.
MOST_ADDED, MOST_COMPARED = 30, 3
_TEXTS = ("text", "title", "skills")
_SPLIT = re.compile(r"[,;\n]")
_NO_CARRIAGE = re.compile(r"\r\n?")


@dataclass(frozen=True, slots=True)
class Form:
    """What a form holds.

    ``given`` are text, title and skills as typed, ``document`` a chosen file. ``opened`` is the code of the occupation to tell more of,
    ``added`` the lines on trial, ``wishes`` what is wished of next steps (None: not asked for), ``compared`` the codes to stand side by side.
    """

    given: Mapping[str, str] = field(default_factory=dict)
    document: bytes | None = None
    opened: str = ""
    added: tuple[str, ...] = ()
    wishes: Mapping[str, str] | None = None
    compared: tuple[str, ...] = ()

    @property
    def query(self) -> dict[str, Any]:
        """The query as members of a request; blank fields are not given."""
        wanted: dict[str, Any] = {name: self.given[name] for name in ("text", "title") if self.given.get(name, "").strip()}
        skills = [skill.strip() for skill in _SPLIT.split(self.given.get("skills", "")) if skill.strip()]
        return wanted | ({"skills": skills} if skills else {})

    @property
    def options(self) -> Options:
        """The query as options of a match; Refusal (422) where a field is too long."""
        return parse(Options, self.query)

    def with_text_of(self, read: str | None) -> Form:
        """Return the form with what was read in its file as text, so that the next post needs no file."""
        if self.document is None or not read:
            return self
        typed = self.given.get("text", "").strip()
        text = f"{typed}\n\n{read}" if typed and typed != read.strip() else read
        return replace(self, given={**self.given, "text": text[:MAX_TEXT]}, document=None)


async def read_form(request: Request, most: int) -> Form:
    """Return the form that a request brings, in either encoding, of at most ``most`` bytes. Refusal (400, 413, 415) for a broken one."""
    kind, _ = media_type(request)
    if kind == MULTIPART:
        parts = await read_parts(request, most)
        document = parts.pop("file", b"") or None
        return _form([(name, value.decode("utf-8", "replace")) for name, value in parts.items()], document)
    if kind != FORM:
        raise Refusal(415, f"expected Content-Type: {FORM} or {MULTIPART}")
    raw = await read_body(request, _FORM_BYTES)

    def decoded() -> list[tuple[str, str]]:
        return parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True, errors="replace", max_num_fields=_MOST_FIELDS)

    try:
        return _form(decoded() if len(raw) <= _INLINE else await asyncio.to_thread(decoded))
    except ValueError:
        raise Refusal(400, "the form is broken") from None


def _form(pairs: Sequence[tuple[str, str]], document: bytes | None = None) -> Form:
    one = dict(pairs)
    number = one.get("example", "")
    if number.isdecimal() and int(number[:3]) < len(EXAMPLES):
        example = EXAMPLES[int(number[:3])]
        return Form({"text": example.text, "title": example.title, "skills": example.skills})

    def every(*names: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(value.strip() for name, value in pairs if name in names and value.strip()))

    return Form(
        given={name: _NO_CARRIAGE.sub("\n", one[name]) for name in _TEXTS if one.get(name)},
        document=document,
        opened=one.get("open", ""),
        added=every("add", "line")[:MOST_ADDED],
        wishes={name: one[name] for name in WISHES if one.get(name)} if one.get("do") == "moves" or one.get("moved") else None,
        compared=every("compare")[:MOST_COMPARED],
    )
