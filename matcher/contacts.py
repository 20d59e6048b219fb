"""Contacts: what of a résumé tells who and where a person is, and is set aside."""

from __future__ import annotations

import re

from matcher.lines import heading_of
from matcher.wording import DEPARTMENTS, EMAIL, LINK, PHONE

#: What any contact line has something of; cheap to look for.
NEAR_CONTACT = re.compile(
    r"[@wh.+\d](?:(?<=@)|(?<=w)ww\.|(?<=h)ttp|(?<=\.)(?:com|io|org|net)\b|(?<=\+)\d"
    r"|(?<=\d)(?:\d\d[\s.()-]{1,3}\d{3,4}|\d{9}|\)\s?\d))"
)
_NAME = re.compile(
    r"(?:(?:mr|mrs|ms|dr|prof)\.?\s)?[^\W\d_](?:[^\W\d_]|['’.-])*(?:\s+[^\W\d_](?:[^\W\d_]|['’.-])*){1,4}"
    r"(?:,?\s+(?:jr|sr|ii|iii|phd|ph\.d|md|mba|cpa|rn|pmp|esq|pe|m\.d)\.?,?){0,4}",
    re.I,
)


def is_contact(text: str) -> bool:
    """Tell whether a would-be phrase holds an e-mail address or a telephone number, or is a link and little else."""
    if "@" in text and EMAIL.search(text):
        return True
    return PHONE.search(text) is not None or (len(text.split()) <= 4 and LINK.search(text) is not None)


def looks_like_name(text: str) -> bool:
    """Tell whether a line near the top could be a person's name: two to five capitalised words, none of them a department."""
    if len(text) > 50 or not _NAME.fullmatch(text.strip(" ,.|")):
        return False
    words = [w.strip(".,()") for w in text.split()]
    if not all(w[:1].isupper() for w in words if len(w) > 3) or heading_of(text, cue=True):
        return False
    return not {w.lower() for w in words} & DEPARTMENTS - {
        "shift",
        "grade",
        "media",
        "branch",
        "day",
        "night",
        "west",
        "north",
        "south",
        "east",
    }
