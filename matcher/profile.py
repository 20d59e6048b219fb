"""An O*NET profile page, as text → the same records as the release's.

A page is Markdown-like: headings, ``- name— text`` items. It gives no ids, no ratings and no job zone: ids are derived from the text, what
it does not say is unknown. Pages come with scars of their scraping; what is no fact of the occupation is dropped and listed, and so is
every line that no section's reader understood: nothing vanishes silently.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from matcher.records import (
    Activity,
    Dropped,
    Element,
    Occupation,
    RelatedOccupation,
    Release,
    Share,
    Task,
    Technology,
    Wage,
    derived_id,
)

_MOST_BYTES = 2_000_000  # a page has about 20 KB
_HEAD = re.compile(r"# ([0-9]{2}-[0-9]{4}\.[0-9]{2}) - (.+)")
_HEADING = re.compile(r"(#{2,6}) (.+)")
_PERCENT = r"(100|[0-9]{1,2})% ?responded"
_SHARE = re.compile(_PERCENT + r":? ?[“\"'](.+?)\.?[”\"']")
_EDUCATION = re.compile(_PERCENT + r": ?(.+)")
_RELATED = re.compile(r"([0-9]{2}-[0-9]{4}\.[0-9]{2}) ?(.+)")
_AMOUNT = r"\$([0-9]{1,3}(?:,[0-9]{3})*(?:\.[0-9]{1,2})?)(\+?)"
_WAGES = re.compile(rf"Median wages \(([0-9]{{4}})\): (?:{_AMOUNT} hourly)?(?:, )?(?:{_AMOUNT} annual)?")
# Labels of links and pictures that scraping glued to the end of a text; words of the text itself have a space before them.
_GLUED = re.compile(r"(?:(?<=\S)|(?<=[.”\"')] )|(?<=required ))(more info|external site)$|(?<=\S) ?(Bright Outlook)$")
# A banner is prose of the web site with its links glued into it: "… VisitExample.govexternal siteto learn …".
_BANNER = re.compile(r"\wexternal site.|^(?:- )?Apprenticeship ?Opportunities")
_EXPERIENCE, _WORKER = "experience requirements", "worker requirements"
_T = TypeVar("_T")


class ProfileError(ValueError):
    """A file is not an O*NET profile page; the text names file, line and what was expected."""


@dataclass(slots=True)
class _Section:
    """The lines below one heading, each with its number; ``name`` is the path of headings below the page's title."""

    name: tuple[str, ...]
    lines: list[tuple[int, str]] = field(default_factory=list)

    def under(self, heading: str) -> bool:
        return heading in (name.casefold() for name in self.name)


@dataclass(slots=True)
class _Page:
    """One page by sections, and what was dropped of it so far; a section's lines are taken once."""

    path: Path
    code: str
    title: str
    sections: list[_Section] = field(default_factory=list)
    dropped: list[tuple[int, Dropped]] = field(default_factory=list)

    def take(self, *names: str) -> list[tuple[int, str]]:
        """Return the lines of all sections whose last heading is one of ``names``, and empty the sections."""
        wanted = {name.casefold() for name in names}
        return self.empty(section for section in self.sections if section.name[-1].casefold() in wanted)

    def empty(self, sections: Iterable[_Section]) -> list[tuple[int, str]]:
        lines: list[tuple[int, str]] = []
        for section in sections:
            lines += section.lines
            section.lines = []
        return lines

    def items(self, name: str) -> Iterator[tuple[int, str]]:
        """Yield the ``- text`` lines of a section, each text once; its other lines are dropped."""
        return self.listed(self.take(name), name)

    def listed(self, lines: Iterable[tuple[int, str]], name: str) -> Iterator[tuple[int, str]]:
        seen: set[str] = set()
        for number, line in lines:
            text = line[2:].strip()
            if not line.startswith("- ") or not text:
                self.drop(number, line, f"expected an item, '- text', under {name}")
            elif text in seen:
                self.drop(number, text, "the same item stands above")
            else:
                seen.add(text)
                yield number, text

    def drop(self, line: int, what: str, why: str) -> None:
        self.dropped.append((line, Dropped(f"{self.path.name}, line {line}", what, why)))


def read_profile(path: Path | str) -> tuple[Occupation, tuple[Dropped, ...]]:
    """Read one page; return the occupation, and what was dropped by line.

    Raises ProfileError for a file that is not one.
    """
    page = _page(Path(path))
    description = " ".join(text for _, text in page.take("Description"))
    if not description:
        raise ProfileError(f"{page.path}, line 1: no section 'Description' with a text; expected an O*NET profile page")
    occupation = Occupation(
        code=page.code,
        title=page.title,
        description=description,
        reported_titles=_titles(page),
        tasks=tuple(Task(derived_id(text), text) for _, text in page.items("Tasks")),
        activities=tuple(Activity(derived_id(text), text) for _, text in page.items("Detailed work activities")),
        technologies=_technologies(page),
        knowledge=_elements(page, "Knowledge"),
        skills=_elements(page, "Skills"),
        abilities=_elements(page, "Abilities"),
        work_activities=_elements(page, "Work activities"),
        interests=_elements(page, "Interests"),
        work_values=_elements(page, "Work values"),
        work_styles=_elements(page, "Work styles"),
        work_context=_context(page),
        education=_education(page),
        experience=_experience(page),
        related=_related(page),
        wages=_wages(page),
    )
    for section in page.sections:
        for number, line in section.lines:
            page.drop(number, line, f"'{section.name[-1]}' is not a section that this reader knows")
    return occupation, tuple(dropped for _, dropped in sorted(page.dropped, key=lambda d: d[0]))


def read_profiles(folder: Path | str) -> Release:
    """Read every ``.txt`` and ``.md`` file of a folder as a page, in code order.

    Raises ProfileError for an empty folder, a file that is no page, or a code that stands on two pages.
    """
    folder = Path(folder)
    paths = sorted(p for p in folder.iterdir() if p.suffix in (".txt", ".md")) if folder.is_dir() else []
    if not paths:
        raise ProfileError(f"{folder}: expected a folder with profile pages (.txt or .md)")
    occupations: dict[str, Occupation] = {}
    first: dict[str, Path] = {}
    dropped: list[Dropped] = []
    for path in paths:
        occupation, lost = read_profile(path)
        if occupation.code in occupations:
            raise ProfileError(f"{path}, line 1: {occupation.code} stands on another page, too: {first[occupation.code].name}")
        occupations[occupation.code] = occupation
        first[occupation.code] = path
        dropped.extend(lost)
    ordered = tuple(occupations[code] for code in sorted(occupations))
    activities = {a.id: a for o in ordered for a in o.activities}
    return Release(f"O*NET profile pages ({len(ordered)})", ordered, tuple(activities.values()), dropped=tuple(dropped))


def _text(path: Path) -> str:
    try:
        with path.open("rb") as handle:
            data = handle.read(_MOST_BYTES + 1)
    except OSError as error:
        raise ProfileError(f"{path}: cannot be read ({error.strerror})") from None
    if len(data) > _MOST_BYTES:
        raise ProfileError(f"{path}: more than {_MOST_BYTES:,} bytes; expected an O*NET profile page")
    try:
        return data.removeprefix(b"\xef\xbb\xbf").decode("utf-8")
    except UnicodeDecodeError as error:
        body = data.removeprefix(b"\xef\xbb\xbf")
        line = body.count(b"\n", 0, error.start) + 1
        raise ProfileError(f"{path}, line {line}: byte {body[error.start]:#04x} is not UTF-8") from None


def _page(path: Path) -> _Page:
    # Not splitlines(), which also splits at characters that no editor counts as the end of a line.
    lines = [line.rstrip("\r") for line in _text(path).split("\n")]
    head = _HEAD.fullmatch(lines[0].strip())
    if head is None:
        raise ProfileError(f"{path}, line 1: expected '# CODE - Title' such as '# 15-1252.00 - Software Developers'")
    page = _Page(path, head[1], "")
    page.title, _ = _unglued(page, 1, head[2].strip())
    names: list[str] = []
    for number, line in enumerate(lines[1:], 2):
        stripped = line.strip()
        if heading := _HEADING.fullmatch(stripped):
            depth = len(heading[1]) - 2
            names[depth:] = [heading[2].strip()]
            page.sections.append(_Section(tuple(names)))
        elif stripped and page.sections:
            _keep(page, number, stripped)
        elif stripped:
            page.drop(number, stripped, "text before the first section")
    return page


def _keep(page: _Page, number: int, line: str) -> None:
    """Add a line to its section, without what scraping glued to it, unless the whole of it is a scar."""
    section = page.sections[-1]
    if line == "No data extracted.":
        page.drop(number, line, "the page had nothing here")
    elif _BANNER.search(line):
        page.drop(number, line, "a banner of the web site, not of the occupation")
    elif section.name[-1].casefold() == "title" and section.under(_EXPERIENCE):
        same = page.title.casefold() in line.casefold()
        page.drop(number, line, "repeats the title" if same else "names another occupation")
    elif section.name[-1].casefold() == "related occupations":
        section.lines.append((number, line))  # where "Bright Outlook" is a fact: read there
    else:
        section.lines.append((number, _unglued(page, number, line)[0]))


def _unglued(page: _Page, number: int, text: str) -> tuple[str, bool]:
    """Return a text without the labels glued to its end, which are listed, and whether "Bright Outlook" was among them."""
    bright = False
    while glued := _GLUED.search(text):
        text = text[: glued.start()].rstrip()
        if glued[2]:
            bright = True
            page.drop(number, glued[2], "a flag glued to the title; kept as a flag of a related occupation only")
        else:
            page.drop(number, glued[1], "a link's label glued to the text")
    return text, bright


def _titles(page: _Page) -> tuple[str, ...]:
    """Return reported titles, split at commas that stand outside of brackets."""
    text = ", ".join(line for _, line in page.take("Sample of reported job titles"))
    return tuple(dict.fromkeys(part.strip() for part in re.split(r",\s*(?![^(]*\))", text) if part.strip()))


def _named(page: _Page, name: str, make: Callable[[str, str], _T]) -> tuple[_T, ...]:
    """Return what ``make`` gives for each ``name— text`` item of a section; other items are dropped."""
    made = []
    for number, item in page.items(name):
        label, dash, text = item.partition("—")
        if dash and label.strip():
            made.append(make(label.strip(), text.strip()))
        else:
            page.drop(number, item, f"expected 'name— text' under {name}")
    return tuple(made)


def _elements(page: _Page, name: str) -> tuple[Element, ...]:
    return _named(page, name, lambda label, text: Element(derived_id(label), label, text or None))


def _technologies(page: _Page) -> tuple[Technology, ...]:
    groups = _named(page, "Technology skills", lambda category, names: (category, names))
    return tuple(Technology(name.strip(), category) for category, names in groups for name in names.split(";") if name.strip())


def _context(page: _Page) -> tuple[Share, ...]:
    shares = []
    for number, item in page.items("Work context"):
        label, _, text = item.partition("—")
        found = _SHARE.fullmatch(text.strip())
        if found and label.strip():
            shares.append(Share(None, label.strip(), found[2], float(found[1])))
        else:
            page.drop(number, item, "expected 'name— N% responded \"answer\"'")
    return tuple(shares)


def _education(page: _Page) -> tuple[Share, ...]:
    """Return the shares of required education.

    The page says them twice; where the two differ, those under Worker requirements are taken, for the other section is the one that
    may speak of another occupation.
    """
    sections = [s for s in page.sections if s.name[-1].casefold() == "education"]
    sections.sort(key=lambda s: not s.under(_WORKER))
    taken: tuple[Share, ...] = ()
    for section in sections:
        shares: list[Share] = []
        lines = page.empty([section])
        for number, item in page.listed(lines, "Education"):
            found = _EDUCATION.fullmatch(item)
            if found is None:
                page.drop(number, item, "expected 'N% responded: answer'")
                continue
            page.drop(number, "responded:", "glued between the share and the answer")
            answer = re.sub(r" required$", "", found[2].strip(), flags=re.IGNORECASE)
            shares.append(Share("2.D.1", "Required Level of Education", answer, float(found[1])))
        if not taken:
            taken = tuple(shares)
        elif shares and taken != tuple(shares):
            page.drop(lines[0][0], "; ".join(line for _, line in lines), "differs from the section Education that is kept")
    return taken


def _experience(page: _Page) -> tuple[Share, ...]:
    """Return what the page says of experience and training, each line an answer without a percentage."""
    sections = [s for s in page.sections if s.under(_EXPERIENCE) and len(s.name) > 1]
    return tuple(Share(None, s.name[-1], line.removeprefix("- "), None) for s in sections for _, line in page.empty([s]))


def _related(page: _Page) -> tuple[RelatedOccupation, ...]:
    related = []
    for number, item in page.items("Related Occupations"):
        found = _RELATED.fullmatch(item)
        if found is None:
            page.drop(number, item, "expected 'CODE Title'")
            continue
        title, bright = _unglued(page, number, found[2].strip())
        related.append(RelatedOccupation(found[1], title, bright_outlook=bright))
    return tuple(related)


def _wages(page: _Page) -> tuple[Wage, ...]:
    """Return median pay by year. "$239,200+" is a lower bound, not a median: unknown, and listed."""
    wages = []
    for number, line in page.take("Wages & Employment Trends", "Wages and Employment Trends"):
        found = _WAGES.fullmatch(line.removeprefix("- "))
        if found is None:
            page.drop(number, line, "expected 'Median wages (YEAR): $N hourly, $N annual'")
            continue
        year, hourly, open_hourly, annual, open_annual = found.groups()
        if open_hourly or open_annual:
            page.drop(number, line, "a wage with '+' is a lower bound, not a median")
        figures = [
            float(figure.replace(",", "")) if figure and not bound else None
            for figure, bound in ((annual, open_annual), (hourly, open_hourly))
        ]
        if any(figure is not None for figure in figures):
            wages.append(Wage(int(year), figures[0], figures[1], "O*NET profile page"))
    return tuple(wages)
