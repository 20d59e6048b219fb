"""Header lines: the lines of a résumé that name a position, its employer, its place and its dates, taken apart."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from matcher.lines import ABBREVIATION, Line, continues
from matcher.periods import Period, find_periods
from matcher.wording import (
    ACTION_VERBS,
    CITY_STATE,
    DEPARTMENTS,
    EMPLOYER_STRONG,
    EMPLOYER_WORDS,
    HEADS_ONLY,
    NOT_PEOPLE,
    PLACE_NAMES,
    PLACEHOLDER,
    SMALL_WORDS,
    TITLE_ER,
    TITLE_NOUNS,
    TITLE_SUFFIX,
    US_STATES,
)

PIECE = re.compile(r"\s*[|•\t]\s*|\s{3,}|\s+[-~@]+\s+|\s*—\s*|\s+at\s+(?=[A-Z])|\s*[()]\s*|:\s+")
_COMMA = re.compile(r"\s*,\s*")
_DATE_GOES_ON = re.compile(r"(?:\d|\bto|[-—]|\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?),?$", re.I)
#: How long a position lasted, as some exports put it behind its dates.
_LENGTH = re.compile(
    r"\(?\b\d{1,2}\+?\s?(?:years?|yrs?|months?|mos?)\b\.?(?:,?\s(?:and\s)?\d{1,2}\s?(?:months?|mos?)\b\.?)?\)?", re.I
)
_FULL_STOP = re.compile(r"\.\s+(?=[A-Z])")
_TITLE_LABEL = re.compile(r"(?:job )?(?:title|position|role|designation)(?: held)?\s*:\s*", re.I)
_EMPLOYER_LABEL = re.compile(r"(?:company|employer|organi[sz]ation|client|location|duration|dates?|period|industry)\s*:", re.I)
#: What stands before a date within a sentence.
_WITHIN_SENTENCE = re.compile(r"\b(?:in|for|during|of|the|between|since|by|on|until|every|and)$")
_ABBREVIATED_END = re.compile(r"\b(?:inc|corp|ltd|co|llc|[A-Z])\.$", re.I)
TOKEN = re.compile(r"[^\s,;:|()]+")
_STATES = frozenset(US_STATES)


@dataclass(slots=True)
class Header:
    """What a header line says: offsets are into the line."""

    periods: list[Period]
    title: tuple[int, int] | None = None
    maybe: list[tuple[int, int]] = field(default_factory=list)
    employer: bool = False
    tail: int | None = None
    words: int = 0


def is_title_word(word: str) -> bool:
    """Tell whether a word can head a job title."""
    word = word.lower().strip(".,;:()'\"*")
    if word in TITLE_NOUNS or word in HEADS_ONLY or (word[-1:] == "s" and word[:-1] in TITLE_NOUNS):
        return True
    if "/" in word:
        return any(is_title_word(part) for part in word.split("/") if part)
    if word in NOT_PEOPLE:
        return False
    one = word.removesuffix("s")
    return one not in NOT_PEOPLE and bool(TITLE_SUFFIX.search(one) or TITLE_ER.fullmatch(one))


def title_strength(words: list[str]) -> int:
    """Return 2 where a job noun heads the words, 1 where one stands among them, else 0."""
    head = len(words)
    for place, word in enumerate(words):
        if place and (
            word.lower() in ("of", "for", "in", "to", "with", "on", "i", "ii", "iii", "iv", "v", "-", "at") or word.isdigit()
        ):
            head = place
            break
    if is_title_word(words[head - 1]):
        return 2
    low = [w.lower().strip(".") for w in words]
    return 1 if any(w in TITLE_NOUNS and w not in HEADS_ONLY for w in low) else 0


def kind_of(piece: str) -> str:
    """Return ``title``, ``employer``, ``place`` or ``plain`` for a piece of a header line."""
    words = piece.split()
    if not words:
        return "place"
    low = [w.lower().strip(".,") for w in words]
    if "-".join(low) in PLACE_NAMES or (len(words) == 1 and words[0].strip(".") in _STATES) or all(w.isdigit() for w in low):
        return "place"
    if (words[-1].strip(".") in _STATES or low[-1] in PLACE_NAMES) and len(words) <= 3 and not title_strength(words):
        return "place"
    if low[-1] in EMPLOYER_STRONG:
        return "employer"
    strength = title_strength(words)
    if strength == 2:
        return "title"
    if (
        any(w in EMPLOYER_STRONG for w in low)
        or low[-1] in EMPLOYER_WORDS
        or (low[0] in EMPLOYER_WORDS and len(low) > 1 and not strength)
    ):
        return "employer"
    if strength == 1 and low[0] not in ACTION_VERBS:
        return "title"
    return "plain"


def split(text: str, start: int, end: int, pattern: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    """Yield the non-empty stretches of ``text[start:end]`` between separators, without what hangs at their edges."""
    place = start
    for match in pattern.finditer(text, start, end):
        if match.end() > match.start():
            yield from _trim(text, place, match.start())
            place = match.end()
    yield from _trim(text, place, end)


def _trim(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    piece = text[start:end]
    bare = piece.strip(" \t,;:|•-—~/.*()[]&_\"'")
    if bare:
        begin = start + piece.index(bare)
        stop = begin + len(bare)
        # An opened bracket is closed, an abbreviation keeps its full stop.
        if text[stop : stop + 1] in (")", ".") and stop < end and (text[stop] == "." or "(" in bare):
            stop += 1
        yield begin, stop


def title_in(text: str, start: int, end: int) -> tuple[int, int] | None:
    """Return where the job title stands in a piece of a header line: "Vice President, Marketing, Acme" has it in two parts."""
    parts = list(split(text, start, end, _COMMA))
    kinds = [kind_of(text[a:b]) for a, b in parts]
    if "title" not in kinds:
        return None
    first = last = kinds.index("title")
    words = text[slice(*parts[first])].split()
    if any(w in ("and", "&") for w in words):
        while first and kinds[first - 1] == "plain" and len(text[slice(*parts[first - 1])].split()) <= 3:
            first -= 1
    while last + 1 < len(parts):
        following = [w.lower().strip(".") for w in text[slice(*parts[last + 1])].split()]
        if kinds[last + 1] == "title" or all(w in DEPARTMENTS for w in following):
            last += 1
        else:
            break
    return parts[first][0], parts[last][1]


def dissect(text: str, periods: list[Period] | None = None) -> Header:
    """Take a header line apart into dates (``periods`` where they are known already), title and the rest."""
    periods = find_periods(text) if periods is None else periods
    cuts = [(p.begin, p.stop) for p in periods]
    employer = False
    if periods:
        cuts += [match.span() for match in _LENGTH.finditer(text)]
    for match in PLACEHOLDER.finditer(text) if "ame" in text or "ity" in text or "tate" in text else ():
        cuts.append(match.span())
        employer = employer or "ompany" in match[0] or "COMPANY" in match[0]
    for match in CITY_STATE.finditer(text) if "," in text else ():
        # "Acme Corp, Boston, MA": only the last word before the comma is surely the city.
        begin = match.start() + len(match[0]) - len(match[0].split(",")[0].split()[-1]) - len(match[0][match[0].index(",") :])
        cuts.append((begin, match.end()))
    header = Header(periods, employer=employer)
    cuts.sort()
    stretches: list[tuple[int, int]] = []
    place = 0
    for begin, stop in cuts:
        if begin > place:
            stretches.append((place, begin))
        place = max(place, stop)
    if place < len(text):
        stretches.append((place, len(text)))
    labelled = False
    for begin, stop in stretches:
        for start, end in split(text, begin, stop, PIECE):
            piece = text[start:end]
            header.words += len(piece.split())
            if _EMPLOYER_LABEL.match(text, start):
                labelled = False
                continue
            if _TITLE_LABEL.match(text, start):
                labelled = True
                continue
            if header.title is None:
                found = title_in(text, start, end) if not labelled else (start, end)
                if found is not None:
                    found, header.tail = _without_tail(text, *found, end)
                    header.title = found
                    continue
            kind = kind_of(piece)
            if kind == "employer":
                header.employer = True
            elif kind == "plain" and header.tail is None and _begins_duty(piece):
                header.tail = start
                header.words -= len(piece.split())
            elif kind == "plain" and len(piece.split()) <= 8 and any(c.isalpha() for c in piece):
                header.maybe.append((start, end))
    return header


def _begins_duty(text: str) -> bool:
    """Tell whether a piece of a header line is already the first duty."""
    words = text.split()
    return len(words) >= 4 and words[0][0].isupper() and words[0].endswith(("ed", "ing")) and is_sentence(text)


def _without_tail(text: str, start: int, end: int, stop: int) -> tuple[tuple[int, int], int | None]:
    """Cut off a duty that follows a title without a break: "Clerk Prepared monthly reports"."""
    before = ""
    for token in TOKEN.finditer(text, start, end):
        word = token[0]
        verb = word[0].isupper() and (word.lower() in ACTION_VERBS or word.endswith("ed"))
        if before and verb and is_title_word(before) and len(text[token.start() : stop].split()) >= 3:
            return (start, start + len(text[start : token.start()].rstrip(" ,;:-"))), token.start()
        before = word
    return (start, end), None


def is_sentence(text: str) -> bool:
    """Tell whether a line reads like prose rather than like names."""
    words = text.split()
    if len(words) < 4:
        return False
    plain = sum(1 for w in words if w[0].islower() and w.lower() not in SMALL_WORDS)
    return plain > 0.4 * len(words) or (plain > 0.25 * len(words) and text.endswith("."))


def is_place(text: str) -> bool:
    """Tell whether a line is a place alone: "Boston, MA"."""
    if len(text) > 60:
        return False
    text = text.removesuffix(" Area").removesuffix(" Metropolitan")
    if CITY_STATE.fullmatch(text.strip(" ,.|")):
        return True
    parts = [p.strip().lower().replace(" ", "-") for p in text.strip(" .,").split(",")]
    return len(parts) > 1 and len(parts) <= 3 and parts[-1] in PLACE_NAMES and all(len(p.split("-")) <= 3 for p in parts)


def header_of(line: Line) -> Header | None:
    """Return a line taken apart if it is the dated (or place-holding) header of a position."""
    text = line.text
    if len(text) > 600:
        return None
    holder = "ompany" in text or "COMPANY" in text or "City" in text
    periods = find_periods(text)
    if not periods and not holder:
        return None
    placed = PLACEHOLDER.search(text) if holder else None
    if not periods and not placed:
        return None
    ranged = any(p.is_range for p in periods)
    header = dissect(text, periods)
    if placed and "ompany" in placed[0].lower():
        return header
    rest = text
    for period in reversed(periods):
        lead = rest[: period.begin].rstrip()
        if period.begin > 0 and _WITHIN_SENTENCE.search(lead) and not placed:
            return None
        rest = lead + " " + rest[period.stop :]
    if placed and not periods:
        return header if header.words <= 12 else None
    end = _first_end(text, next((p.stop for p in periods if p.is_range), len(text)))
    if end is not None and ranged:
        # "2010 to 2012: Carpenter, Acme. Framed houses." tells a position and its duties in one line.
        head = dissect(text[:end])
        if head.title is not None and head.words <= 12 and not is_sentence(text[:end]):
            head.tail = end
            return head
    if is_sentence(_LENGTH.sub("", rest)):
        return None
    if sum(p.is_range for p in periods) > 2:
        return None
    if ranged:
        limit = 12 if line.bullet or text.endswith(".") else 16
        if line.bullet and header.title is None and header.words > 6:
            return None
        return header if header.words <= limit else None
    if _first_end(text, 0) is not None:
        return None
    if header.words == 0 or (header.words <= 10 and ((header.title is not None and not line.bullet) or placed)):
        return header
    return None


def _first_end(text: str, after: int) -> int | None:
    """Return where the first sentence of a line ends, past its dates, if more follows."""
    for match in _FULL_STOP.finditer(text, after):
        if not ABBREVIATION.search(text[max(0, match.start() - 8) : match.start() + 1]) and len(text[match.end() :].split()) >= 2:
            return match.end()
    return None


def first_position(lines: Sequence[Line]) -> int | None:
    """Return where positions begin among lines without a heading that says so, or None."""
    for place, line in enumerate(lines):
        header = header_of(line)
        if header is None:
            continue
        ranged = any(p.is_range for p in header.periods)
        near = header.title is not None or header.employer
        first = place
        # A line of dates alone may have the employer between it and the title.
        for step in (-1, 1, -2) if header.words == 0 else (-1, 1):
            if 0 <= place + step < len(lines) and not near:
                other = lines[place + step].text
                near = (
                    len(other.split()) <= 8 and not other.endswith(".") and "title" in (kind_of(other), beside(lines, place + step))
                )
                first = min(place, place + step) if near else place
        if (ranged and near) or (header.employer and header.title is not None and "ompany" in line.text.lower()):
            while first > 0 and beside(lines, first - 1) in ("title", "employer", "place"):
                first -= 1
            return first
    return None


def beside(lines: Sequence[Line], place: int) -> str | None:
    """Return what a line next to a header line adds to it: ``title``, ``employer``, ``place``, ``plain``, or None for none."""
    line = lines[place]
    text = line.text
    if line.bullet or len(text) > 90 or text[-1] in "!?;" or (text[-1] == "." and not _ABBREVIATED_END.search(text)):
        return None
    words = text.split()
    if len(words) > 10 or is_sentence(text):
        return None
    if place and lines[place - 1].wide and not line.gap and continues(lines[place - 1], line):
        return None
    if is_place(text):
        return "place"
    first = words[0].lower()
    kind = kind_of(text)
    if kind != "title":
        parts = dissect(text)
        kind = "title" if parts.title is not None else "employer" if parts.employer else kind
    if kind == "title":
        return None if first in ACTION_VERBS and first.endswith("ed") and len(words) > 3 else "title"
    capitals = all(w[0].isupper() or w.lower() in SMALL_WORDS or not w[0].isalpha() for w in words)
    if kind == "employer" and capitals:
        return "employer"
    return "plain" if capitals and len(words) <= 6 and first not in ACTION_VERBS else None


def header_lines(lines: Sequence[Line]) -> tuple[list[Header | None], list[bool]]:
    """Return the dated headers among lines, and for each line whether it belongs to the header of a position."""
    headers: list[Header | None] = [header_of(line) for line in lines]
    bulleted = any(line.bullet for line in lines)
    anchors = [place for place, header in enumerate(headers) if header is not None]
    if not any(header.periods or header.employer for header in headers if header is not None):
        anchors = _undated(lines)
        for place in anchors:
            headers[place] = dissect(lines[place].text)
    part_of = [headers[place] is not None for place in range(len(lines))]
    for anchor in anchors:
        found = headers[anchor] or Header([])
        known = found.title is not None
        place = anchor - 1
        while place >= 0 and anchor - place <= 3 and not part_of[place]:
            kind = beside(lines, place)
            plain = kind == "plain" and (
                lines[place].gap
                or place == 0
                or (bulleted and lines[place - 1].bullet)
                or part_of[place - 1]
                or (not known and beside(lines, place - 1) == "title")
            )
            if kind in ("title", "employer", "place") or plain:
                if kind == "title" and known and not lines[place].gap and place and not part_of[place - 1]:
                    break
                part_of[place] = True
                known = known or kind == "title"
                if lines[place].gap:
                    break
                place -= 1
            else:
                break
        place = anchor + 1
        while place < len(lines) and place - anchor <= 3 and not part_of[place] and not (lines[place].gap and place - anchor > 1):
            kind = beside(lines, place)
            follows = place + 1 < len(lines) and (lines[place + 1].bullet or len(lines[place + 1].text) > len(lines[place].text))
            unnamed = place == anchor + 1 and not found.employer
            if kind == "place" or (kind == "employer" and (follows or unnamed)) or (kind == "title" and not known):
                known = known or kind == "title"
            elif not (kind == "plain" and bulleted and follows and lines[place + 1].bullet):
                break
            part_of[place] = True
            place += 1
    return headers, part_of


def _undated(lines: Sequence[Line]) -> list[int]:
    """Return the lines that head positions without dates: a title after a gap, or over bullets."""
    found = []
    for place, line in enumerate(lines):
        if beside(lines, place) != "title":
            continue
        over = place + 1 < len(lines) and (
            lines[place + 1].bullet or len(lines[place + 1].text) > 60 or beside(lines, place + 1) in ("employer", "place")
        )
        if over and (line.gap or lines[place - 1].bullet or lines[place - 1].text.endswith(".")):
            found.append(place)
    return found


def join_dates(flat: str, lines: Sequence[Line]) -> list[Line]:
    """Return lines with dates that were broken over several ("July 2010", "to", "March 2012") made one."""
    joined: list[Line] = []
    place = 0
    while place < len(lines):
        line = lines[place]
        step = 0
        if len(line.text) <= 90 and _DATE_GOES_ON.search(line.text[-16:]):
            for count in (1, 2):
                if place + count >= len(lines) or len(lines[place + count].text) > 50 or step:
                    break
                whole = flat[line.start : lines[place + count].end].replace("\n", " ")
                border = len(line.text)
                if any(p.is_range and p.begin < border < p.stop for p in find_periods(whole)):
                    step = count
        if step:
            last = lines[place + step]
            whole = flat[line.start : last.end].replace("\n", " ")
            joined.append(Line(line.start, last.end, whole, line.bullet, line.gap, line.cue))
        else:
            joined.append(line)
        place += step + 1
    return joined
