"""Contacts: what of a résumé tells who and where a person is, and is set aside."""

from __future__ import annotations

import re

from matcher.lines import heading_of
from matcher.wording import DEPARTMENTS, EMAIL, LINK, NAMES_LIKE_JOBS, PHONE, PLACE_NAMES

#: What any contact line has something of; cheap to look for.
NEAR_CONTACT = re.compile(
    r"[@wh.+\d](?:(?<=@)|(?<=w)ww\.|(?<=h)ttp|(?<=\.)(?:com|io|org|net)\b|(?<=\+)\d"
    r"|(?<=\d)(?:\d\d[\s.()-]{1,3}\d{3,4}|\d{9}|\)\s?\d))"
)
_NAME = re.compile(
    r"(?:(?:mr|mrs|ms|dr|prof)\.?\s)?[^\W\d_](?:[^\W\d_]|['’.-])*(?:\s+[^\W\d_](?:[^\W\d_]|['’.-])*){1,5}"
    r"(?:,?\s+(?:jr|sr|ii|iii|phd|ph\.d|md|mba|cpa|rn|pmp|esq|pe|m\.d)\.?,?){0,4}",
    re.I,
)
#: A house number and names, as addresses begin in most countries.
HOUSE = re.compile(r"\d{1,5}[A-Za-z]?,?\s+[A-Z][^.!?]{3,50}$")
_MARITAL = r"(?:(?:un)?married|single|divorced|widow(?:ed|er)?)"
_PARENT = r"(?:(?:proud|single|devoted)\s+)?(?:mother|father|mom|dad|parent|wife|husband)"
_FAMILY_WORD = (
    rf"(?:{_MARITAL}|{_PARENT}|children|child|kids?|sons?|daughters?|twins|of|to|with|and|a|an|no|one|two|three|four|five|six|\d|small|young|"
    r"grown|adult|school-age|in|family)"
)
_FAMILY_REMARK = re.compile(rf"(?:{_MARITAL}|{_PARENT}\s+(?:of|to))(?:[\s,;/-]+{_FAMILY_WORD})*\.?", re.I)
#: "(she/her)" behind a name, or on a line of its own.
_PRONOUNS = re.compile(
    r"[\s,|–—-]*[(\[]?\b(?:she|he|they|ze|xe|her|him|his)\s?/\s?(?:her|him|his|hers|them|their|theirs|they|she|he|hir|xem)(?:\s?/\s?\w{2,6})?[)\]]?\s*$",
    re.I,
)
_PERSON = {
    **dict.fromkeys(("he", "she", "they"), "they"),
    **dict.fromkeys(("him", "his", "her", "hers", "them", "their", "theirs"), "their"),
    **dict.fromkeys(("himself", "herself", "themself", "themselves"), "themselves"),
    **dict.fromkeys(("mr", "ms", "mrs", "mx", "miss"), ""),
}
#: Begins with a set of characters, which the engine looks for much faster than for alternatives.
_PERSON_WORD = re.compile(
    r"[hstmHSTM](?i:"
    + "|".join(rf"(?<=\b{first})(?:{'|'.join(word[1:] for word in _PERSON if word[0] == first)})" for first in "hstm")
    + r")\b"
)
_TITLED = re.compile(r"\b(?:mr|ms|mrs|mx|miss)\b\.?\s*", re.I)


def without_pronouns(text: str) -> str:
    """Return a line without the pronouns that people put behind their names."""
    return _PRONOUNS.sub("", text) if "/" in text else text


def neutral(text: str) -> str:
    """Return a phrase as it is compared: third persons of any gender, and their forms of address, are one and the same.

    Only words change, not their grammar: "she was" becomes "they was".
    """
    if not _PERSON_WORD.search(text):
        return text
    return _PERSON_WORD.sub(lambda found: _PERSON[found[0].lower()], _TITLED.sub("", text))


def is_family_remark(text: str) -> bool:
    """Tell whether a line says of a family and nothing else: "Married, mother of three"."""
    return len(text) <= 60 and _FAMILY_REMARK.fullmatch(text.strip()) is not None


def is_named_like_a_job(text: str) -> bool:
    """Tell whether two words could be a person's name although both are jobs: "Dean Cook"."""
    words = without_pronouns(text).lower().strip(" ,.|").split()
    return len(words) == 2 and words[0] in NAMES_LIKE_JOBS[0] and words[1] in NAMES_LIKE_JOBS[1]


def is_address(text: str) -> bool:
    """Tell whether a line is an address in one: "14 Rue des Tilleuls, Lyon, France"; numbers stand anywhere in it, a place at its end."""
    last = text.rsplit(",", 1)[-1].strip(" .").lower().replace(" ", "-")
    return last in PLACE_NAMES and (HOUSE.match(text) is not None or (text.count(",") >= 2 and is_part_of_address(text)))


def is_part_of_address(text: str) -> bool:
    """Tell whether a line could be a street or a town of any country: names and a number, up to ten words."""
    words = text.split()
    return (
        len(words) <= 10
        and any(c.isdigit() for c in text)
        and any(c.isalpha() for c in text)
        and not any(w[0].islower() and len(w) > 3 for w in words)
        and not any(c in "$%•|!?;:" for c in text)
    )


def is_single_name(text: str) -> bool:
    """Tell whether a line could be the name of somebody who has only one."""
    word = text.strip(" ,.")
    return word.replace("-", "").isalpha() and len(word) >= 2 and word[0].isupper() and heading_of(word, cue=True) is None


def is_contact(text: str) -> bool:
    """Tell whether a would-be phrase holds an e-mail address or a telephone number, or is a link and little else."""
    if "@" in text and EMAIL.search(text):
        return True
    return PHONE.search(text) is not None or (len(text.split()) <= 4 and LINK.search(text) is not None)


def looks_like_name(text: str) -> bool:
    """Tell whether a line near the top could be a person's name: two to six capitalised words, none of them a department."""
    text = without_pronouns(text)
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
