"""Characters: a copy of a text in which each kind of mark has one form, and the tidied form of a phrase."""

from __future__ import annotations

import re

_BULLETS = "•●▪■◦‣⁃∙·○◘➢➤►▶✓✔❖◆★☆※▸▹▫□❑❒⚫⬤➔→»§\uf0b7\uf0a7\uf0d8\uf0fc\uf076\uf06c\uf09f"
_FLAT: dict[int, str] = {
    **{c: " " for c in range(32) if c not in (9, 10)},
    **dict.fromkeys(range(127, 161), " "),
    **dict.fromkeys((11, 12, 13, 0x85, 0x2028, 0x2029), "\n"),
    **dict.fromkeys((*range(0x2000, 0x2010), *range(0x202A, 0x2030), *range(0x205F, 0x2070), 0x3000, 0xFEFF, 0xAD), " "),
    **dict.fromkeys((0x2010, 0x2011, 0x2012, 0x2013, 0x2212), "-"),
    **dict.fromkeys((0x2014, 0x2015), "—"),
    **dict.fromkeys((0x2018, 0x2019, 0x201B, 0xB4, 0x60), "'"),
    **dict.fromkeys((0x201C, 0x201D, 0x201E), '"'),
    **dict.fromkeys(map(ord, _BULLETS), "•"),
    **{0xFF1A: ":", 0xA6: "|", 0x2502: "|"},
}
#: UTF-8 that was read as Windows-1252, as old exports have it; and what is left of it where some bytes were lost.
_MOJIBAKE = re.compile(r"â€[¢™˜œ“”\x9d\x93\x94¦]|Ã[\x80-¿€™ŒœŠšŸžƒˆ˜–—‘’‚“”„†‡•…‰‹›]|Â[\xa0-¿]|Â(?!\w)|(?<!\w)â(?!\S)")
_INVISIBLE = re.compile(
    "[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufe0e\ufe0f\ud800-\udfff\x00-\x08\x0e-\x1f\x7f-\x9f]"
)
_LIGATURES = {0xFB00: "ff", 0xFB01: "fi", 0xFB02: "fl", 0xFB03: "ffi", 0xFB04: "ffl", 0xFB05: "st", 0xFB06: "st"}
_HYPHENATED = re.compile(r"(?<=[a-z]{2})-[ \t\r]{0,9}\n\s{0,9}(?=[a-z]{2})")
_KEEP_HYPHEN = re.compile(
    r"\b(?:self|non|well|multi|co|cross|full|part|long|short|high|low|hands|follow|up|on|off|pre|re|over|end|real|work|day)$",
    re.I,
)
_BOLD_LINE = re.compile(r"[ \t#]*\*\*[^*]{1,60}\*\*[ \t:]*$")
_SPACES = re.compile(r"\s+")


def flatten(text: str) -> str:
    """Return a copy of the same length in which bullets, dashes, quotes, spaces and line ends have one form each."""
    if "\r" in text:
        text = text.replace("\r\n", " \n")
    if "**" in text:
        # A line that is bold throughout keeps its marks: they tell a heading.
        text = "\n".join(line if _BOLD_LINE.match(line) else line.replace("**", "  ") for line in text.split("\n"))
    if "Â" in text or "â" in text:
        text = _MOJIBAKE.sub(_flat_mojibake, text)
    return text.translate(_FLAT)


def _flat_mojibake(match: re.Match[str]) -> str:
    broken = match[0]
    mended = _mend(broken)
    if mended.isalpha():
        return broken
    return ("'" if mended in "'’‘" else " ").join((mended, *[""] * (len(broken) - 1))) if len(broken) > 1 else mended


def _mend(broken: str) -> str:
    """Return what a piece of mojibake was; a space for what is only a remnant."""
    try:
        return broken.encode("cp1252", "strict").decode("utf-8")
    except UnicodeError:
        pass
    try:
        return broken.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return " " if len(broken) == 1 else broken


def tidy(raw: str) -> str:
    """Return a phrase as it is encoded: one line, without bullets at its edges, invisible characters or mojibake."""
    if not raw.isascii():
        if "Â" in raw or "â" in raw or "Ã" in raw:
            raw = _MOJIBAKE.sub(lambda m: _mend(m[0]), raw)
        raw = _INVISIBLE.sub("", raw).translate(_LIGATURES)
    elif not raw.isprintable():
        raw = _INVISIBLE.sub("", raw)
    if "**" in raw:
        raw = raw.replace("**", "")
    if "-" in raw and "\n" in raw:
        raw = _HYPHENATED.sub(lambda m: "-" if _KEEP_HYPHEN.search(raw[max(0, m.start() - 8) : m.start()]) else "", raw)
    return _SPACES.sub(" ", raw).strip(EDGE)


#: What is no part of a phrase at its beginning and end.
EDGE = " \t\n•*|·_=~>`,;:—●▪■◦‣⁃∙○➢➤►▶✓✔❖◆★▸→»\uf0b7\uf0a7\uf0d8\uf0fc"
