"""Pages: one text read into sections, positions, phrases and degrees.

A résumé is read in four steps: lines; sections by their headings; positions by their dated header lines; phrases of the size of
a sentence, a bullet or one skill. Contact lines and references are set aside before anything becomes a phrase. All offsets are
code points of the text as given: every step works on a copy of the same length (*flat*), in which odd characters are replaced
one for one. Every step is linear in the text.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence

from matcher.characters import EDGE, flatten, tidy
from matcher.contacts import (
    HOUSE,
    NEAR_CONTACT,
    is_address,
    is_contact,
    is_family_remark,
    is_named_like_a_job,
    is_part_of_address,
    is_single_name,
    looks_like_name,
    without_pronouns,
)
from matcher.headers import (
    PIECE,
    TOKEN,
    Header,
    dissect,
    first_position,
    header_lines,
    header_of,
    is_place,
    is_sentence,
    is_title_word,
    join_dates,
    kind_of,
    split,
    title_strength,
)
from matcher.lines import ABBREVIATION, OPEN_END, Line, continues, heading_of, lines_of
from matcher.periods import find_periods
from matcher.reading import MAX_PHRASE_WORDS, MAX_TEXT, MAX_WORD, MAX_WORDS, Draft, Reading
from matcher.records import Phrase, Role
from matcher.wording import (
    ACTION_VERBS,
    CONTACT_LABEL,
    DEGREE,
    DEPARTMENTS,
    EMAIL,
    INSTITUTION,
    LINK,
    PHONE,
    PLACEHOLDER,
    SMALL_WORDS,
    STATE_ZIP,
    STREET,
    Section,
)

#: Begins with a set of characters, which the engine looks for much faster than for alternatives.
_SENTENCE_END = re.compile(
    r"[.!?;•*](?:(?<=[.!?])[\"')\]]{0,2}\s+(?=[A-Z0-9\"'(•*\[])|(?<=•)|(?<=;)\s+(?!(?:and|or|but|accompanied)\b)"
    r"|(?<=\s\*)|(?<=[a-z.)]\*)\s?(?=[A-Z])|(?<=[a-z]{3}\.)(?=[A-Z][a-z]))"
)
_CAPITAL = re.compile(r"(?<=[a-z0-9)%\]])\s+(?=([A-Z][a-z]+)\b)")
_CLAUSE = re.compile(r";\s|:\s|,\s|\s(?=(?:and|while|by|including|which|that|with|to|for|in)\s)")
_USELESS = re.compile(
    r"(?:n/?a|none|company name|city|state|city , state|page \d+(?: of \d+)?|to|present|current|type personal name|references? available.*)\W*",
    re.I | re.S,
)
_DIGIT = re.compile(r"\d")
#: Languages of one letter.
_SHORT_NAME = re.compile(r"C|R|C\+\+|[CF]#")
_WORDISH = re.compile(r"[^\W\d_]{2}")
_BODY_LABEL = re.compile(
    r"(?:(?:key |main |primary |major |job |core |daily |selected |essential |notable )?(?:responsibilit(?:y|ies)|duties|accomplishments?|achievements?|"
    r"tasks|functions|contributions?|highlights|description|summary|projects?|results?)(?: (?:and|&) \w+| include[sd]?| included)?)\s*(?::|$)\s*",
    re.I,
)
_SKILL_LABEL = re.compile(
    r"(?:technologies|technology|tech|tech stack|stack|environment|tools|tools used|skills|skills used|software|key skills|tools and technologies|"
    r"tools & technologies|technologies used)\s*:\s*",
    re.I,
)
_INLINE_HEADING = re.compile(r"([A-Z][A-Za-z&/' ]{2,40}?)\s*:\s+(?=\S)")
#: Headings that as often label a line of their own section.
_LABELS_TOO = frozenset(["highlights", "experience", "qualifications", "about", "reference", "overview"])
_PRIVATE_LABEL = re.compile(r"(?:honou?rs|awards|activities|languages|interests|hobbies|affiliations|memberships)", re.I)
_LIST_COMMA = re.compile(r"\s*(?:[,;•|\t]|\s{3,}|\s\*\s|\s-\s(?=[A-Z]))\s*")
_LIST_MARK = re.compile(r"\s*(?:[;•|\t]|\s{3,}|\s\*\s)\s*")
_LIST_LABEL = re.compile(r"[^\s,;:.][^,;:.\n]{1,38}:\s+(?=\S)")
_DEGREE_END = re.compile(r"[|•\t;]|\s{3,}|\s[-—]\s|\s(?:from|at)\s|\.\s")
_PART = re.compile(r"[^,:]+")
_LEVEL = re.compile(
    r"\s*[(\[][^()\[\]]{0,40}\b(?:years?|yrs?|months?|expert|advanced|intermediate|beginner|proficient|fluent|native|basic)\b[^()\[\]]{0,20}[)\]]?$",
    re.I,
)
_CONNECTORS = SMALL_WORDS | frozenset(
    ["using", "including", "like", "such", "both", "about", "through", "knowledge", "user", "based", "over", "under", "between"]
)
_REFERENCES_LINE = re.compile(
    r"references?\b.{0,40}\b(?:request|available|furnished|provided)|(?:available|furnished) (?:up)?on request", re.I
)
_DOCUMENT_TITLE = re.compile(r"(?:curriculum vitae|r[ée]sum[ée]|cv|vita)(?: of .{1,60})?\W*", re.I)
_GPA = re.compile(
    r"\b(?:overall |major |cumulative )?(?:gpa|grade point average|cgpa)\b[:\s]*(?:gpa[:\s]*)?[\d.]*(?:\s*/\s*[\d.]+)?|\b[0-4]\.\d{1,2}\s*(?:/\s*[45](?:\.0)?)?\s*gpa\b",
    re.I,
)
_NUMBERED = re.compile(
    r"(?:exp|expir\w+|valid|issued)\b|(?:state of|no\.?|number|#|license (?:no|number)|credential|id)\b[\s:#.]*(?:[A-Z]|\W*\w*\d)",
    re.I,
)
_TRAILING_YEAR = re.compile(r"[\s,(-]*\b(?:19|20)\d\d\)?$")
_STUDY = re.compile(
    r"\b(?:course\s?work|courses?|major|minor|concentrat|studied|studies|thesis|emphasis|speciali[sz]|certif|licen[cs]e|training|program)",
    re.I,
)


def read_line(text: str, source: str, role: Role, reading: Reading, *, pointer: str | None = None, job: int | None = None) -> None:
    """Add a short text as one phrase."""
    reading.see(text, source, pointer)
    bare = text.strip(EDGE + "\r\v\f\u00a0-")
    start = text.index(bare) if bare else 0
    end = start + len(bare) if bare else len(text)
    tidied = tidy(text[start:end])
    if tidied:
        reading.phrases.append(Phrase(tidied, text[start:end], start, end, source, role, job, pointer))


def read_prose(text: str, source: str, role: Role, reading: Reading, *, pointer: str | None = None, job: int | None = None) -> None:
    """Add the sentences and bullets, or for the role ``skill`` the items, of a text that has no sections of its own."""
    reading.see(text, source, pointer)
    page = Page(text, source, reading, pointer)
    lines = lines_of(page.flat)
    if role == "skill":
        page.skills(lines, job)
    else:
        page.sentences(lines, role, job)


def read_text(text: str, source: str, reading: Reading) -> None:
    """Add the phrases, jobs and degrees of a résumé or any other text."""
    cut = cut_of(text)
    if cut < len(text):
        reading.truncated = True
    Page(text[:cut] if cut < len(text) else text, source, reading, None).read()


def cut_of(text: str) -> int:
    """Return where reading stops: after 20,000 words, and after 200,000 characters in any case."""
    end = min(len(text), MAX_TEXT)
    if end > 2 * MAX_WORDS and len(text[:end].split()) > MAX_WORDS:
        for count, word in enumerate(re.finditer(r"\S+", text[:end]), 1):
            if count == MAX_WORDS:
                return word.end()
    return end


class Page:
    """One text while it is being read."""

    def __init__(self, text: str, source: str, reading: Reading, pointer: str | None) -> None:
        self.text = text
        self.source = source
        self.out = reading
        self.pointer = pointer
        self.flat = flatten(text)
        self.name: str | None = None
        #: Letters of e-mail addresses and links: the name is among them.
        self.handles = ""
        self.near = [match.start() for match in NEAR_CONTACT.finditer(self.flat)]
        if self.near:
            patterns = (EMAIL, LINK) if "@" in self.flat else (LINK,)
            found = [m[0] for pattern in patterns for m in pattern.finditer(self.flat)]
            self.handles = " ".join(found[:50]).lower()

    def _near_contact(self, start: int, end: int) -> bool:
        """Tell whether a stretch has something that contact lines have; most texts have none of it anywhere."""
        return bool(self.near) and bisect_left(self.near, start) < bisect_left(self.near, end)

    # -- phrases --

    def emit(self, start: int, end: int, role: Role, job: int | None) -> None:
        """Add ``[start, end)`` as a phrase, or as several where it is long; what has no words or is a contact is left out."""
        stack = [(start, end)]
        while stack:
            start, end = stack.pop()
            piece = self.flat[start:end]
            bare = piece.strip(EDGE)
            if not bare:
                continue
            start += piece.index(bare[0]) if piece[0] != bare[0] else 0
            if bare[:2] == "- ":
                start, bare = start + 2, bare[2:]
            end = start + len(bare)
            n_words = bare.count(" ") + bare.count("\n") + 1
            if n_words > MAX_PHRASE_WORDS or len(bare) > 400:
                middle = self._middle(start, end)
                if middle is not None:
                    stack += [(middle, end), (start, middle)]
                    continue
            if (
                not (_WORDISH.search(bare) or (role == "skill" and _SHORT_NAME.fullmatch(bare)))
                or _USELESS.fullmatch(bare)
                or (n_words == 1 and len(bare) > MAX_WORD)
            ):
                continue
            if self._near_contact(start, end) and is_contact(bare):
                self.out.contact += 1
                continue
            tidied = tidy(self.text[start:end])
            if tidied:
                self.out.phrases.append(Phrase(tidied, self.text[start:end], start, end, self.source, role, job, self.pointer))

    def _middle(self, start: int, end: int) -> int | None:
        """Return where to cut a long piece: at the clause border nearest its middle, else at the word border nearest it."""
        middle = (start + end) // 2
        third = (end - start) // 4
        best = min(
            (m.end() for m in _CLAUSE.finditer(self.flat, start + third, end - third)),
            key=lambda place: abs(place - middle),
            default=None,
        )
        if best is not None and best < end:
            return best
        right = self.flat.find(" ", middle, end - 1)
        left = self.flat.rfind(" ", start + 1, middle)
        return right + 1 if right >= 0 else left + 1 if left >= 0 else None

    def paragraphs(self, lines: Sequence[Line]) -> Iterator[tuple[int, int]]:
        """Yield stretches of lines that belong together: a bullet with the lines it was wrapped into."""
        start = end = -1
        before: Line | None = None
        for line in lines:
            if before is not None and continues(before, line):
                end = line.end
            else:
                if before is not None:
                    yield start, end
                start, end = line.start, line.end
            before = line
        if before is not None:
            yield start, end

    def sentences(self, lines: Sequence[Line], role: Role, job: int | None) -> None:
        """Add the sentences and bullets of lines."""
        flat = self.flat
        for start, end in self.paragraphs(lines):
            label = _SKILL_LABEL.match(flat, start, end) if job is not None else None
            if label and label.end() < end:
                self.items(label.end(), end, "skill", job)
                continue
            label = _BODY_LABEL.match(flat, start, end)
            if label:
                start = label.end()
            self._split_sentences(start, end, role, job)

    def _split_sentences(self, start: int, end: int, role: Role, job: int | None) -> None:
        """Add the sentences of a stretch, and the items of a list whose bullets stand within its lines."""
        flat = self.flat
        place = start
        for match in _SENTENCE_END.finditer(flat, start, end):
            if match[0][0] == "." and ABBREVIATION.search(flat[max(place, match.start() - 8) : match.start() + 1]):
                continue
            if match[0][0] == ";" and match.start() - place < 12:
                continue
            self._unflatten(place, match.start() + (match[0][0] in ".!?"), role, job)
            place = match.end()
        self._unflatten(place, end, role, job)

    def _unflatten(self, start: int, end: int, role: Role, job: int | None) -> None:
        """Add a sentence; where it is long and a capital verb stands within it, it is a list whose bullets were lost."""
        if end - start > 90:
            place = start
            for match in _CAPITAL.finditer(self.flat, start, end):
                word = match[1].lower()
                if (
                    match.end() - place > 25
                    and end - match.end() > 15
                    and (word in ACTION_VERBS or (word.endswith("ed") and len(word) > 5))
                ):
                    before = self.flat[max(place, match.start() - 12) : match.start()].rsplit(None, 1)[-1]
                    if before[:1] == before[:1].lower() and before.lower() not in _CONNECTORS:
                        self.emit(place, match.start(), role, job)
                        place = match.end()
            start = place
        self.emit(start, end, role, job)

    # -- sections --

    def read(self) -> None:
        """Read the whole text."""
        lines = lines_of(self.flat)
        blocks = self._blocks(lines)
        if len(blocks) == 1 and blocks[0][0] == "top" and first_position(blocks[0][1]) is None:
            self._plain(lines)
            return
        for section, block in blocks:
            self._section(section, block)

    def _section(self, section: Section, block: list[Line]) -> None:
        if section in ("top", "summary", "other", "skills"):
            first = first_position(block)
            if first is not None:
                self._simple(section, block[:first])
                self.positions(block[first:])
                return
        self._simple(section, block)

    def _simple(self, section: Section, block: list[Line]) -> None:
        if section == "references":
            self.out.references += len(block)
        elif section == "personal":
            told = [
                line
                for line in block
                if len(line.text.split()) >= 10 and is_sentence(line.text) and not self._is_contact_line(line)
            ]
            self.out.contact += len(block) - len(told)
            self.sentences(told, "other", None)
        elif section == "top":
            self._top(block, named=True)
        elif section == "experience":
            self.positions(block)
        elif section == "education":
            self._education(self._set_aside(block))
        elif section == "skills":
            kept = self._set_aside(block)
            # "Qualifications" are skills in one country and degrees in another.
            schooled = sum(1 for line in kept if INSTITUTION.search(line.text) or DEGREE.match(line.text))
            if schooled > 0.5 * len(kept):
                self._education(kept)
            else:
                self.skills(kept, None)
        elif section == "certifications":
            self._certificates(self._set_aside(block))
        elif section == "projects":
            self._loose(self._set_aside(block), "duty")
        elif section == "summary":
            self.sentences(self._set_aside(block), "summary", None)
        else:
            self._loose(self._set_aside(block), "other")

    def _blocks(self, lines: list[Line]) -> list[tuple[Section, list[Line]]]:
        """Return the sections with their lines; what stands before the first heading is ``top``."""
        blocks: list[tuple[Section, list[Line]]] = [("top", [])]
        for place, line in enumerate(lines):
            section: Section | None = None
            rest: Line | None = None
            if len(line.text) <= 60 and not (line.bullet and blocks[-1][0] != "top" and not line.text.isupper()):
                alone = line.gap and (place + 1 == len(lines) or not lines[place + 1].gap or len(line.text) < 25)
                section = heading_of(line.text, cue=line.cue or (alone and blocks[-1][0] not in ("skills",)))
            if section is None and ":" in line.text[:44]:
                inline = _INLINE_HEADING.match(line.text)
                if inline:
                    section = self._inline(inline[1], blocks[-1][0], line)
                    if section:
                        skip = inline.end()
                        rest = Line(line.start + skip, line.end, line.text[skip:], line.bullet, True, False, line.wide)
            if section is None:
                blocks[-1][1].append(line)
            else:
                blocks.append((section, [rest] if rest else []))
        return [block for block in blocks if block[1]] or blocks[:1]

    def _inline(self, label: str, within: Section, line: Line) -> Section | None:
        """Return the section of a line such as "Skills: filing, typing"; within positions and skills most labels are their own."""
        section = heading_of(label, cue=False)
        if section is None or label.lower() in _LABELS_TOO:
            return None
        if within in ("experience", "projects", "volunteer"):
            if section == "other":
                return section if _PRIVATE_LABEL.match(label) else None
            return section if section in ("education", "references", "certifications") and line.gap else None
        if within == "skills":
            return section if section in ("education", "references", "certifications", "summary", "personal") else None
        return section

    def _set_aside(self, lines: list[Line]) -> list[Line]:
        """Return the lines that are neither contact lines nor an offer of references; the others are counted."""
        kept: list[Line] = []
        for line in lines:
            if self._is_contact_line(line):
                self.out.contact += 1
            elif len(line.text) < 90 and _REFERENCES_LINE.search(line.text):
                self.out.references += 1
            else:
                kept.append(line)
        return kept

    def _is_contact_line(self, line: Line) -> bool:
        text = line.text
        if len(text) > 160:
            return False
        if CONTACT_LABEL.match(text) or is_family_remark(text) or not without_pronouns(text):
            return True
        if self.name is not None and len(text) < 80 and self.name in text.casefold():
            return True
        if self.handles and len(text) < 40 and looks_like_name(text):
            told = [word for word in re.split(r"[^\w]+", text.lower()) if len(word) >= 3]
            if len(told) >= 2 and all(word in self.handles for word in told):
                return True
        if self._near_contact(line.start, line.end):
            left = LINK.sub("", PHONE.sub("", EMAIL.sub("", text)))
            return left != text and len(left.split()) <= 5
        return False

    def _top(self, lines: list[Line], *, named: bool) -> None:
        """Read what stands before the first section: name, contact lines, a headline, a few sentences."""
        contacts = [bool(self._contact_pieces(line.text)) for line in lines[:14]]
        rest: list[Line] = []
        named = named or any(contacts)
        # Where the lines at the very top, up to an empty one, last have something of an address.
        block = next((place for place in range(1, len(lines)) if lines[place].gap), len(lines))
        last = max((place for place, contact in enumerate(contacts[:block]) if contact), default=0)
        for place, line in enumerate(lines):
            if place < len(contacts) and contacts[place]:
                self.out.contact += 1
                self._headline_beside(line)
                continue
            if self._is_contact_line(line):
                self.out.contact += 1
                continue
            if (
                place < 14
                and named
                and (
                    STREET.match(line.text)
                    or is_place(line.text)
                    or (any(contacts) and HOUSE.match(line.text))
                    or (place < last and is_part_of_address(line.text) and kind_of(line.text) != "title")
                    or (place == 0 < last and is_single_name(line.text) and not is_title_word(line.text))
                )
            ):
                self.out.contact += 1
                continue
            if place < 3 and _DOCUMENT_TITLE.fullmatch(line.text):
                self.out.contact += 1
                continue
            if place < 4 and named and self.name is None and self._is_name(lines, place, bool(any(contacts))):
                self.name = " ".join(without_pronouns(line.text).casefold().split())
                self.out.contact += 1
                continue
            if place < 8 and len(line.text.split()) <= 8 and not line.text.endswith(".") and kind_of(line.text) == "title":
                self.emit(line.start, line.end, "title", None)
                continue
            rest.append(line)
        self.sentences(rest, "summary", None)

    def _is_name(self, lines: Sequence[Line], place: int, contacts: bool) -> bool:
        """Tell whether a line is the person's name; many names are job nouns (Baker, Cook), so neighbours decide."""
        text = lines[place].text
        if not looks_like_name(text):
            return False
        text = without_pronouns(text)
        if title_strength(text.split()) == 0:
            return True
        known = all(is_title_word(word) or word.lower() in DEPARTMENTS for word in text.split())
        below = next((line.text for line in lines[place + 1 : place + 3] if not self._contact_pieces(line.text)), "")
        if contacts and is_named_like_a_job(text):
            return True
        return not known and (contacts or (kind_of(below) == "title" and len(below.split()) <= 6))

    def _contact_pieces(self, text: str) -> bool:
        """Tell whether a line near the top holds an address of some kind."""
        if CONTACT_LABEL.match(text):
            return True
        if len(text) > 240:
            return False
        if "@" in text and EMAIL.search(text):
            return True
        if any(map(str.isdigit, text)):
            if PHONE.search(text) or STATE_ZIP.search(text) or STREET.match(text):
                return True
            if is_address(text) and kind_of(text) != "title" and not find_periods(text):
                return True
        return bool(("." in text) and LINK.search(text) and len(text.split()) <= 12)

    def _headline_beside(self, line: Line) -> None:
        """Add a job title that shares its line with contacts."""
        if CONTACT_LABEL.match(line.text):
            return
        for start, end in split(line.text, 0, len(line.text), PIECE):
            piece = line.text[start:end]
            if self.name is None and looks_like_name(piece) and start == 0:
                self.name = " ".join(piece.casefold().split())
                continue
            plain = not any(c.isdigit() or c == "@" for c in piece) and not LINK.search(piece) and not CONTACT_LABEL.match(piece)
            if plain and len(piece.split()) <= 6 and kind_of(piece) == "title":
                self.emit(line.start + start, line.start + end, "title", None)
                return

    def _plain(self, lines: list[Line]) -> None:
        """Read a text without sections or positions: a description, a list, or a single title."""
        words = sum(len(line.text.split()) for line in lines)
        if any(self._contact_pieces(line.text) for line in lines[:14]):
            self._top(lines, named=False)
            return
        if (
            len(lines) == 1
            and words <= 8
            and lines[0].text[-1:] not in ".!?;"
            and (kind_of(lines[0].text) == "title" or (words <= 2 and any(map(is_title_word, re.split(r"[^\w']+", lines[0].text)))))
        ):
            self.emit(lines[0].start, lines[0].end, "title", None)
            return
        short = [line for line in lines if len(line.text.split()) <= 5 and line.text[-1] not in ".!?"]
        if len(lines) >= 3 and len(short) >= 0.8 * len(lines):
            self.skills(lines, None)
            return
        run: list[Line] = []
        for line in lines:
            if _is_list(line.text):
                self.sentences(run, "duty", None)
                run = []
                self.skills([line], None)
            else:
                run.append(line)
        self.sentences(run, "duty", None)

    def _loose(self, lines: list[Line], role: Role) -> None:
        """Read sections of no fixed form: their sentences, without the dates and names of their header lines."""
        body: list[Line] = []
        for line in lines:
            header = header_of(line)
            if header is None:
                body.append(line)
                continue
            self.sentences(body, role, None)
            body = []
            span = header.title or (header.maybe[0] if len(header.maybe) == 1 and role != "other" else None)
            if span:
                self.emit(line.start + span[0], line.start + span[1], role, None)
        self.sentences(body, role, None)

    # -- skills --

    def skills(self, lines: Sequence[Line], job: int | None) -> None:
        """Add the items of lines, one phrase each."""
        for start, end in self._skill_stretches(lines):
            self.items(start, end, "skill", job)

    def _skill_stretches(self, lines: Sequence[Line]) -> Iterator[tuple[int, int]]:
        """Yield lines, joined where a list or a sentence goes on in the next line."""
        start = end = -1
        before: Line | None = None
        for line in lines:
            goes_on = (
                before is not None
                and not line.bullet
                and not line.gap
                and not line.cue
                and before.text[-1] not in ".:;!?"
                and (
                    before.text[-1] == ","
                    or (before.wide and (line.text[0].islower() or "," in before.text))
                    or (line.text[0].islower() and OPEN_END.search(before.text[-10:]))
                )
            )
            if goes_on:
                end = line.end
            else:
                if before is not None:
                    yield start, end
                start, end = line.start, line.end
            before = line
        if before is not None:
            yield start, end

    def _certificates(self, lines: list[Line]) -> None:
        """Add certificates by name, without who gave them, when, and under which number."""
        for start, end in self.paragraphs(lines):
            stretch = self.flat[start:end]
            cuts = sorted([(p.begin, p.stop) for p in find_periods(stretch)] + [m.span() for m in PLACEHOLDER.finditer(stretch)])
            for begin, stop in _without(cuts, len(stretch)):
                for first, last in split(stretch, begin, stop, _LIST_COMMA):
                    piece = stretch[first:last]
                    if kind_of(piece) in ("title", "plain") and not INSTITUTION.search(piece) and not _NUMBERED.match(piece):
                        self._item(start + first, start + last, "skill", None)

    def items(self, start: int, end: int, role: Role, job: int | None) -> None:
        """Add ``[start, end)`` as the items of a list, or as sentences where it is one."""
        flat = self.flat
        label = _LIST_LABEL.match(flat, start, end)
        if label and len(label[0].split()) <= 5:
            if kind_of(label[0].rstrip(": ")) == "title":
                self.emit(start, label.end(), role, job)
            start = label.end()
        piece = flat[start:end]
        parts = piece.split(",")
        listed = len(parts) > 1 and len(piece.split()) / len(parts) <= 5.5 and not (piece.endswith(".") and len(parts) < 4)
        separator = _LIST_COMMA if listed else _LIST_MARK
        place = start
        depth_end = start
        for match in separator.finditer(flat, start, end):
            if match.start() < depth_end or match.end() == match.start():
                continue
            if not match[0].strip() and "Â" in self.text[match.start() : match.end()]:
                # Remnants of hard spaces, not the space between two columns.
                continue
            opened = flat.rfind("(", place, match.start())
            if opened >= 0 and flat.find(")", opened, match.start()) < 0:
                closed = flat.find(")", match.start(), min(end, opened + 120))
                if closed >= 0:
                    depth_end = closed
                    continue
            self._item(place, match.start(), role, job)
            place = match.end()
        self._item(place, end, role, job)

    def _item(self, start: int, end: int, role: Role, job: int | None) -> None:
        flat = self.flat
        level = _LEVEL.search(flat, start, end) if flat.find("(", start, end) >= 0 or flat.find("[", start, end) >= 0 else None
        if level and level.start() > start:
            end = level.start()
        year = _TRAILING_YEAR.search(flat, max(start, end - 12), end)
        if year and year.start() > start:
            end = year.start()
        if end - start > 120 or (flat.find(". ", start, end) >= 0):
            # A sentence among the skills.
            self._split_sentences(start, end, role, job)
            return
        piece = flat[start:end]
        words = piece.split()
        if len(words) >= 4 and words[0][0].isupper():
            # Two columns of skills run together: "Critical thinker Understands medical terms".
            place = start
            for match in _CAPITAL.finditer(flat, start, end):
                head = flat[place : match.start()].split()
                rest = flat[match.end() : end].split()
                if len(head) >= 2 and len(rest) >= 2 and head[-1].lower() not in _CONNECTORS and head[-1][0].islower():
                    self.emit(place, match.start(), role, job)
                    place = match.end()
            start = place
        self.emit(start, end, role, job)

    # -- education --

    def _education(self, lines: list[Line]) -> None:
        for start, end in self.paragraphs(lines):
            stretch = self.flat[start:end].replace("\n", " ")
            cuts = sorted(
                [(p.begin, p.stop) for p in find_periods(stretch)]
                + [m.span() for m in PLACEHOLDER.finditer(stretch)]
                + [m.span() for m in _GPA.finditer(stretch)]
            )
            found = False
            reached = 0
            for match in DEGREE.finditer(stretch):
                if match.start() < reached:
                    continue
                stop = min((a for a, _ in cuts if a >= match.end()), default=len(stretch))
                span = self._degree(stretch, match, stop)
                found = True
                reached = span[1]
                self.out.degrees.append(tidy(self.text[start + span[0] : start + span[1]]))
                self.emit(start + span[0], start + span[1], "education", None)
                if span[1] - match.end() < 3:
                    self._field(start, stretch, cuts, span[1])
            if found:
                for begin, stop in _without(cuts, len(stretch)):
                    if begin > reached and stop - begin > 60 and is_sentence(stretch[begin:stop]):
                        self.items(start + begin, start + stop, "education", None)
                continue
            if _STUDY.search(stretch) or (is_sentence(stretch) and not INSTITUTION.search(stretch)):
                for begin, stop in _without(cuts, len(stretch)):
                    piece = stretch[begin:stop]
                    school = INSTITUTION.search(piece) and not is_sentence(piece)
                    if len(piece.split()) >= 2 and not school:
                        self.items(start + begin, start + stop, "education", None)

    def _degree(self, stretch: str, match: re.Match[str], stop: int) -> tuple[int, int]:
        """Return the span of a degree with its field, up to the school, the place or the date."""
        end = match.end()
        limit = min(stop, match.end() + 120)
        end_mark = _DEGREE_END.search(stretch, match.end(), limit)
        limit = end_mark.start() if end_mark else limit
        place = match.start()
        for part in _PART.finditer(stretch, match.start(), limit):
            piece = part[0].strip()
            if part.start() > place and not piece:
                continue
            school = INSTITUTION.search(piece)
            if school and part.end() > match.end():
                # "Accounting KEAN UNIVERSITY", "Business Administration Utah State University": the name is what looks like it.
                before = list(TOKEN.finditer(piece, 0, school.start()))
                loud = school[0].isupper()
                kept = len(before)
                while kept and (
                    before[kept - 1][0].isupper() if loud else len(before) - kept < 2 and before[kept - 1][0][0].isupper()
                ):
                    kept -= 1
                if kept:
                    end = max(end, part.start() + len(part[0]) - len(part[0].lstrip()) + before[kept - 1].end())
                break
            if part.start() > match.end() and (is_place(piece) or len(piece.split()) > 7 or piece[:1].isdigit()):
                break
            if part.end() > match.end():
                end = max(end, part.end())
        end = max(match.end(), min(end, limit))
        span = re.sub(r"[\s,]+\d{1,2}$", "", stretch[match.start() : end].rstrip(" ,:;-(/"))
        return match.start(), match.start() + len(span)

    def _field(self, start: int, stretch: str, cuts: list[tuple[int, int]], after: int) -> None:
        """Add the field of study that follows the place where a bare degree does not name it."""
        for begin, stop in _without(cuts, len(stretch)):
            piece = stretch[begin:stop].strip(" ,|-:")
            if (
                begin > after
                and 1 <= len(piece.split()) <= 5
                and not INSTITUTION.search(piece)
                and kind_of(piece) != "place"
                and not DEGREE.search(piece)
            ):
                self.emit(start + begin, start + stop, "education", None)
                return

    # -- positions --

    def positions(self, lines: Sequence[Line]) -> None:
        """Read positions: header lines are found by their dates, the lines next to them belong to them, the others are duties."""
        lines = join_dates(self.flat, lines)
        lines = self._set_aside(lines)
        headers, part_of = header_lines(lines)
        self._group(lines, headers, part_of)

    def _group(self, lines: list[Line], headers: list[Header | None], part_of: list[bool]) -> None:
        """Turn runs of header lines into jobs, and the lines between them into their duties."""
        job: int | None = None
        body: list[Line] = []
        place = 0
        while place < len(lines):
            if not part_of[place]:
                body.append(lines[place])
                place += 1
                continue
            stop = place
            while stop < len(lines) and part_of[stop]:
                stop += 1
            for start, end in self._positions_in(lines, headers, place, stop):
                self.sentences(body, "duty", job)
                made, tail = self._position(lines[start:end], headers[start:end])
                job = job if made is None else made
                body = [] if tail is None else [tail]
            place = stop
        self.sentences(body, "duty", job)

    def _positions_in(self, lines: list[Line], headers: list[Header | None], place: int, stop: int) -> Iterator[tuple[int, int]]:
        """Yield the stretches of a run of header lines that are one position each; each holds one dated line."""
        dated = [p for p in range(place, stop) if (headers[p] or Header([])).periods]
        if len(dated) <= 1:
            yield place, stop
            return
        # As many lines stand before each date as before the first.
        lead = dated[0] - place
        begin = place
        for following in dated[1:]:
            border = max(begin + 1, following - lead)
            yield begin, border
            begin = border
        yield begin, stop

    def _position(self, lines: Sequence[Line], headers: Sequence[Header | None]) -> tuple[int | None, Line | None]:
        """Add one position; return its number and the duty that began in its header line, if any."""
        parts = [header or dissect(line.text) for line, header in zip(lines, headers, strict=True)]
        periods = [period for part in parts for period in part.periods]
        period = next((p for p in periods if p.is_range), periods[0] if periods else None)
        employer = any(part.employer for part in parts)
        dated = next((place for place, part in enumerate(parts) if part.periods), 0)
        order = sorted(range(len(parts)), key=lambda p: (abs(p - dated), p))
        chosen = next(((p, parts[p].title) for p in order if parts[p].title is not None), None)
        if chosen is None:
            plain = [(p, span) for p in order for span in parts[p].maybe]
            if len(plain) == 1 and employer:
                chosen = plain[0]
        if period is None and chosen is None and not any("ompany" in line.text.lower() for line in lines):
            return None, None
        job = len(self.out.jobs)
        draft = Draft()
        if period is not None:
            draft.start, draft.end, draft.current = period.start, period.end, period.current
        self.out.jobs.append(draft)
        tail: Line | None = None
        if chosen is not None and chosen[1] is not None:
            line, (start, end) = lines[chosen[0]], chosen[1]
            before = len(self.out.phrases)
            self.emit(line.start + start, line.start + end, "title", job)
            if len(self.out.phrases) > before:
                draft.title = self.out.phrases[-1].text
        for line, part in zip(lines, parts, strict=True):
            if part.title is not None and chosen is not None and line is not lines[chosen[0]]:
                # A second title in the same position: a promotion, or another name for it.
                self.emit(line.start + part.title[0], line.start + part.title[1], "title", job)
            if part.tail is not None:
                tail = Line(line.start + part.tail, line.end, line.text[part.tail :], False, True, False, line.wide)
        return job, tail


def _without(cuts: Sequence[tuple[int, int]], length: int) -> Iterator[tuple[int, int]]:
    """Yield what is left of ``[0, length)`` without ``cuts`` (sorted)."""
    place = 0
    for begin, stop in cuts:
        if begin > place:
            yield place, begin
        place = max(place, stop)
    if place < length:
        yield place, length


def _is_list(text: str) -> bool:
    """Tell whether a line is a list of short items rather than a sentence."""
    parts = text.split(",") if text.count(",") >= text.count(";") else text.split(";")
    return len(parts) >= 3 and len(text.split()) / len(parts) <= 4 and not text.rstrip().endswith((".", "!", "?"))
