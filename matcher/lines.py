"""Lines: a text's lines without bullets and markup, and which of them are headings of a résumé's sections."""

from __future__ import annotations

import re
from dataclasses import dataclass

from matcher.wording import ACTION_VERBS, HEADING_FILLERS, HEADING_NOUNS, WEAK_HEADING_NOUNS, Section


@dataclass(slots=True)
class Line:
    """A line without its bullet and markup: ``text`` is ``flat[start:end]``.

    ``gap`` tells that an empty line stands above, ``cue`` that something marks it as a heading (markup, an underline, capitals).
    """

    start: int
    end: int
    text: str
    bullet: bool = False
    gap: bool = False
    cue: bool = False
    wide: bool = False


#: An end of a line that cannot be the end of a sentence.
OPEN_END = re.compile(
    r"(?:[,&/(+-]|\b(?:and|or|of|the|a|an|to|for|with|in|by|on|at|from|as|that|which|including|using|their|our|its|is|are|was))$",
    re.I,
)
ABBREVIATION = re.compile(
    r"(?:^|[\s(])(?:e\.?g|i\.?e|etc|inc|corp|co|ltd|dr|mr|mrs|ms|st|jr|sr|vs|no|dept|approx|ave|[a-z]\.[a-z]|[a-z])\.$",
    re.I,
)
_LINE = re.compile(r"[^\n]+")
_BULLET = re.compile(r"[•*>✓+]+\s*|(?:-{1,2}|—|o)\s+|-(?=[A-Za-z])|\(?(?:\d{1,2}|[a-z]|[ivx]{1,4})[.)]\s+(?=[A-Z])")
_RULE = re.compile(r"[\W_]*\Z")


def lines_of(flat: str) -> list[Line]:
    lines: list[Line] = []
    reached = 0
    gap = False
    for match in _LINE.finditer(flat):
        whole = match[0]
        text = whole.strip()
        if match.start() - reached > 1:
            gap = True
        reached = match.end()
        if not text or (not text[0].isalnum() and len(text) < 200 and _RULE.match(text)):
            if lines and len(text) >= 3 and text[0] in "=-_~" and not gap:
                lines[-1].cue = True
            gap = True
            continue
        start = match.start() + len(whole) - len(whole.lstrip())
        cue = bullet = False
        if text[0] == "#":
            bare = text.strip("# ")
            start += text.index(bare) if bare else 0
            text, cue = bare, True
        if text[:2] in ("**", "__") and text.rstrip(": ")[-2:] == text[:2] and len(text) > 4:
            start, text, cue = start + 2, text[2:].rstrip(": ")[:-2], True
            start += len(text) - len(text.lstrip())
            text = text.strip()
        mark = _BULLET.match(text) if (text and not text[0].isalpha()) or text[:2] == "o " or text[1:2] in ".)" else None
        if mark and mark.end() < len(text):
            start, text, bullet = start + mark.end(), text[mark.end() :], True
        if text:
            lines.append(Line(start, start + len(text), text, bullet, gap or not lines, cue))
            gap = False
    lengths = sorted(len(line.text) for line in lines if len(line.text) > 50)
    if len(lengths) >= 4:
        # A wrapped line is nearly as wide as lines get; letters differ in width, so nearly is 85 %.
        width = 0.85 * lengths[int(0.9 * len(lengths))]
        for line in lines:
            line.wide = len(line.text) >= width
    return lines


_NOT_LETTERS = re.compile(r"[^a-z&/ ]+")
_LETTER_SPACED = re.compile(r"(?:[A-Z] ){3,}[A-Z]\b")
_SPACE_OF_LETTERS = re.compile(r"(?<=\b[A-Z]) (?=[A-Z]\b)")
_HEADING_WORDS = HEADING_FILLERS | {word for noun in HEADING_NOUNS for word in noun.split()}


def heading_of(text: str, *, cue: bool) -> Section | None:
    """Return the section that a line announces, or None. ``cue`` tells that something else than words marks it as a heading."""
    if len(text) > 60 or text.rstrip().endswith((".", ",")):
        return None
    if text[1:2] == " " and _LETTER_SPACED.match(text):
        text = _SPACE_OF_LETTERS.sub("", text)
    bare = text.rstrip(" :-—.|_*#")
    if not bare or ("," in bare[:-1] and bare.count(",") > 2):
        return None
    cue = cue or text.rstrip().endswith(":") or (bare.isupper() and len(bare) > 3)
    if bare[0].islower() and not cue:
        return None
    words = bare.lower().split()
    if not (bare.isascii() and all(map(str.isalpha, words))):
        words = _NOT_LETTERS.sub(" ", bare.lower().replace("'s", "")).replace("/", " / ").replace("&", " & ").split()
    if not words or len(words) > 6 or (not (cue and len(words) <= 3) and not _HEADING_WORDS.issuperset(words)):
        # A word that no heading has is let pass in short lines that look like headings, and nowhere else.
        return None
    found: list[Section] = []
    known = True
    exact = HEADING_NOUNS.get(" ".join(words))
    if exact:
        return exact
    place = 0
    while place < len(words):
        pair = " ".join(words[place : place + 2])
        section = HEADING_NOUNS.get(pair) if place + 1 < len(words) else None
        if section:
            found.append(section)
            place += 2
            continue
        section = HEADING_NOUNS.get(words[place])
        if section:
            found.append(section)
        elif words[place] not in HEADING_FILLERS:
            known = False
        place += 1
    if found and not known:
        # "Sales Experience" is a heading where it looks like one, and else an item of a list.
        return found[0] if cue and len(words) <= 3 and found[-1] in ("experience", "skills") else None
    if not found and known and cue:
        weak = [WEAK_HEADING_NOUNS[w] for w in words if w in WEAK_HEADING_NOUNS]
        return WEAK_HEADING_NOUNS.get(" ".join(words)) or (weak[-1] if weak else None)
    if not found:
        return None
    if found[0] == "summary" and len(found) > 1:
        return found[1]
    return found[0]


def continues(before: Line, line: Line) -> bool:
    """Tell whether a line is the rest of the one before it: wrapped text rather than a new sentence or item."""
    if line.bullet or line.cue:
        return False
    tail = before.text
    if tail[-1] in ".!?;:" and not (line.text[0].islower() and ABBREVIATION.search(tail[-12:])):
        return False
    lower = line.text[0].islower()
    if line.gap:
        return lower and bool(before.wide or OPEN_END.search(tail[-10:]))
    if lower or OPEN_END.search(tail[-10:]):
        return True
    if not before.wide:
        return False
    first = line.text.split(None, 1)[0].lower().strip(".,;:")
    return not (first in ACTION_VERBS or (first.endswith(("ed", "ing")) and line.text[0].isupper()))
