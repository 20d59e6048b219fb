"""An O*NET profile page, as text → the same records as the release's.

A page is Markdown-like: headings, ``- name— text`` items. It gives no ids, no ratings and no job zone: ids are derived from the text, what
it does not say is unknown. Pages come with scars of their scraping; what is no fact of the occupation is dropped and listed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
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

_HEAD = re.compile(r"# (\d\d-\d{4}\.\d\d) - (.+)")
_SHARE = re.compile(r"(\d{1,3})% ?responded ?[“\"'](.*?)[.]?[”\"']")
_EDUCATION = re.compile(r"(\d{1,3})% ?responded: ?(.+)")
_RELATED = re.compile(r"(\d\d-\d{4}\.\d\d) ?(.+)")
_WAGES = re.compile(r"Median wages \((\d{4})\): \$([\d,.]+) hourly, \$([\d,.]+) annual")
_T = TypeVar("_T")


class ProfileError(ValueError):
    """A file is not an O*NET profile page; the text names file, line and what was expected."""


@dataclass(slots=True)
class _Section:
    """The lines below one heading, each with its number; ``name`` is the path of headings below the page's title."""

    name: tuple[str, ...]
    lines: list[tuple[int, str]] = field(default_factory=list)


@dataclass(slots=True)
class _Page:
    """One page by sections, and what was dropped of it so far."""

    path: Path
    code: str
    title: str
    sections: list[_Section]
    dropped: list[Dropped] = field(default_factory=list)

    def find(self, *names: str) -> _Section:
        """Return the first section whose last heading is one of ``names``, or an empty one."""
        wanted = {name.casefold() for name in names}
        return next((s for s in self.sections if s.name[-1].casefold() in wanted), _Section(names[:1]))

    def drop(self, line: int, what: str, why: str) -> None:
        self.dropped.append(Dropped(f"{self.path.name}, line {line}", what, why))


def read_profile(path: Path | str) -> tuple[Occupation, tuple[Dropped, ...]]:
    """Read one page; raises ProfileError for a file that is not one."""
    page = _page(Path(path))
    description = " ".join(text for _, text in page.find("Description").lines)
    if not description:
        raise ProfileError(f"{page.path}: no section 'Description'; expected an O*NET profile page")
    education = _education(page)
    occupation = Occupation(
        code=page.code,
        title=page.title,
        description=description,
        reported_titles=tuple(t for _, text in page.find("Sample of reported job titles").lines for t in _titles(text)),
        tasks=tuple(Task(derived_id(text), text) for _, text in _items(page.find("Tasks"))),
        activities=tuple(Activity(derived_id(text), text) for _, text in _items(page.find("Detailed work activities"))),
        technologies=_technologies(page),
        knowledge=_elements(page, "Knowledge"),
        skills=_elements(page, "Skills"),
        abilities=_elements(page, "Abilities"),
        work_activities=_elements(page, "Work activities"),
        interests=_elements(page, "Interests"),
        work_values=_elements(page, "Work values"),
        work_styles=_elements(page, "Work styles"),
        work_context=_context(page),
        education=education,
        experience=_experience(page),
        related=_related(page),
        wages=_wages(page),
    )
    return occupation, tuple(page.dropped)


def read_profiles(folder: Path | str) -> Release:
    """Read every ``.txt`` and ``.md`` file of a folder as a page, in code order.

    Raises ProfileError for an empty folder, a file that is no page, or a code that stands on two pages.
    """
    folder = Path(folder)
    paths = sorted(p for p in folder.iterdir() if p.suffix in (".txt", ".md")) if folder.is_dir() else []
    if not paths:
        raise ProfileError(f"{folder}: expected a folder with profile pages (.txt or .md)")
    occupations: dict[str, Occupation] = {}
    dropped: list[Dropped] = []
    for path in paths:
        occupation, lost = read_profile(path)
        if occupation.code in occupations:
            raise ProfileError(f"{path}, line 1: {occupation.code} stands on another page, too")
        occupations[occupation.code] = occupation
        dropped.extend(lost)
    ordered = tuple(occupations[code] for code in sorted(occupations))
    activities = {a.id: a for o in ordered for a in o.activities}
    return Release(f"O*NET profile pages ({len(ordered)})", ordered, tuple(activities.values()), dropped=tuple(dropped))


def _page(path: Path) -> _Page:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ProfileError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError as error:
        raise ProfileError(f"{path}: not UTF-8 (byte {error.start})") from None
    lines = text.splitlines()
    head = _HEAD.fullmatch(lines[0].strip()) if lines else None
    if head is None:
        raise ProfileError(f"{path}, line 1: expected '# CODE - Title' such as '# 15-1252.00 - Software Developers'")
    page = _Page(path, head[1], head[2].strip(), [])
    names: list[str] = []
    for number, line in enumerate(lines[1:], 2):
        stripped = line.strip()
        if heading := re.fullmatch(r"(#{2,6}) (.+)", stripped):
            depth = len(heading[1]) - 2
            names[depth:] = [heading[2].strip()]
            page.sections.append(_Section(tuple(names)))
        elif stripped and page.sections:
            _keep(page, number, stripped)
        elif stripped:
            page.drop(number, stripped, "text before the first section")
    return page


def _keep(page: _Page, number: int, line: str) -> None:
    """Add a line to its section unless the whole of it is a scar."""
    section = page.sections[-1]
    last = section.name[-1].casefold()
    if line == "No data extracted.":
        page.drop(number, line, "the page had nothing here")
    elif "external site" in line or "ApprenticeshipOpportunities" in line.replace(" ", ""):
        page.drop(number, line, "a banner of the web site, not of the occupation")
    elif last == "title" and "experience requirements" in (name.casefold() for name in section.name):
        if page.title.casefold() not in line.casefold():
            page.drop(number, line, "names another occupation")
        else:
            page.drop(number, line, "repeats the title")
    else:
        section.lines.append((number, line))


def _items(section: _Section) -> Iterator[tuple[int, str]]:
    return ((number, line[2:].strip()) for number, line in section.lines if line.startswith("- "))


def _titles(text: str) -> list[str]:
    """Split at commas that stand outside of brackets."""
    return [part.strip() for part in re.split(r",\s*(?![^(]*\))", text) if part.strip()]


def _named(page: _Page, name: str, make: Callable[[str, str], _T]) -> tuple[_T, ...]:
    """Return what ``make`` gives for each ``name— text`` item of a section; other items are dropped."""
    made = []
    for number, item in _items(page.find(name)):
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
    for number, item in _items(page.find("Work context")):
        label, _, text = item.partition("—")
        found = _SHARE.fullmatch(text.strip())
        if found:
            shares.append(Share(None, label.strip(), found[2], float(found[1])))
        else:
            page.drop(number, item, "expected 'name— N% responded \"answer\"'")
    return tuple(shares)


def _education(page: _Page) -> tuple[Share, ...]:
    """Return the shares of required education; the page has the section twice, and ``more info`` glued to the answers."""
    shares: dict[str, Share] = {}
    for section in page.sections:
        if section.name[-1].casefold() != "education":
            continue
        for number, item in _items(section):
            found = _EDUCATION.fullmatch(item)
            if found is None:
                page.drop(number, item, "expected 'N% responded: answer'")
                continue
            answer = found[2].strip()
            if answer.endswith("more info"):
                answer = answer.removesuffix("more info").strip()
                page.drop(number, "more info", "a link's label glued to the answer")
            if answer.casefold().endswith(" required"):
                answer = answer[: -len(" required")]
            shares.setdefault(answer, Share("2.D.1", "Required Level of Education", answer, float(found[1])))
    return tuple(shares.values())


def _experience(page: _Page) -> tuple[Share, ...]:
    """Return what the page says of experience and training, each line an answer without a percentage."""
    shares: list[Share] = []
    for section in page.sections:
        inside = section.name[0].casefold() == "experience requirements" and section.name[-1].casefold() not in (
            "education",
            "title",
        )
        if inside and len(section.name) > 1:
            shares.extend(Share(None, section.name[-1], line.removeprefix("- "), None) for _, line in section.lines)
    return tuple(shares)


def _related(page: _Page) -> tuple[RelatedOccupation, ...]:
    related = []
    for number, item in _items(page.find("Related Occupations")):
        found = _RELATED.fullmatch(item)
        if found is None:
            page.drop(number, item, "expected 'CODE Title'")
            continue
        title = found[2].strip()
        bright = title.endswith("Bright Outlook")
        if bright:
            title = title.removesuffix("Bright Outlook").strip()
            page.drop(number, "Bright Outlook", "a flag glued to the title; kept as a flag")
        related.append(RelatedOccupation(found[1], title, bright_outlook=bright))
    return tuple(related)


def _wages(page: _Page) -> tuple[Wage, ...]:
    wages = []
    for number, line in page.find("Wages & Employment Trends", "Wages and Employment Trends").lines:
        found = _WAGES.fullmatch(line.removeprefix("- "))
        if found is None:
            page.drop(number, line, "expected 'Median wages (YEAR): $N hourly, $N annual'")
            continue
        hourly, annual = (float(figure.replace(",", "").rstrip(".")) for figure in found.groups()[1:])
        wages.append(Wage(int(found[1]), annual, hourly, "O*NET profile page"))
    return tuple(wages)
