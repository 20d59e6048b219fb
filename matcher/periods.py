"""Periods: the dates of a position, in the many ways they are written."""

from __future__ import annotations

import re
from dataclasses import dataclass

Date = tuple[int, int | None]

_MONTH = (
    r"(?:jan(?:uary)?|feb(?:r?uary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|"
    r"dec(?:ember)?|spring|summer|fall|autumn|winter)"
)
_YEAR = r"(?:19[4-9]\d|20[0-4]\d)"
_NOW = r"present|current(?:ly)?|now|today|to\s?date|till\s?date|ongoing"
_POINT = re.compile(
    rf"""(?<![\w$.,/])(?:
      (?P<month>{_MONTH})\b\.?[\s,/-]{{0,3}}(?:(?:of\s|\d{{1,2}}(?:st|nd|rd|th)?\s?,\s?)\s?)?(?P<myear>{_YEAR}|['’]\d\d|\d\d(?![\d,]))
    | (?P<month0>{_MONTH})(?P<myear0>{_YEAR})
    | (?P<d1>\d{{1,2}})\s?[/.-]\s?(?P<d2>\d{{1,2}})\s?[/.-]\s?(?P<dyear>{_YEAR}|\d\d)
    | (?P<nmonth>0?[1-9]|1[0-2])\s?[/.-]\s?(?P<nyear>{_YEAR}|['’]?\d\d)
    | (?P<year>{_YEAR})(?:\s?[-/.]\s?(?P<ymonth>0[1-9]|1[0-2])(?:[-/.][0-3]\d)?)?
    | (?P<short>['’]\d\d)
    | (?P<now>{_NOW})
    )(?![\w%])""",
    re.X | re.I,
)
_SEPARATOR = re.compile(r"\s{0,8}(?:to|-{1,2}|[–—~]|until|till?|through|thru|->|→|\|)\s{0,8}\Z", re.I)
_MONTH_OF = {
    name: place // 2 + 1
    for place, name in enumerate(
        [
            "jan",
            "january",
            "feb",
            "february",
            "mar",
            "march",
            "apr",
            "april",
            "may",
            "may_",
            "jun",
            "june",
            "jul",
            "july",
            "aug",
            "august",
            "sep",
            "september",
            "oct",
            "october",
            "nov",
            "november",
            "dec",
            "december",
        ]
    )
} | {"sept": 9, "febuary": 2, "spring": 4, "summer": 7, "fall": 10, "autumn": 10, "winter": 1}
_SINCE = re.compile(r"\bsince\s{0,4}\Z", re.I)
_TO_NOW = re.compile(r"(?:to|till)\s?date", re.I)
#: Every date has two digits side by side.
_DIGITS = re.compile(r"[0-9][0-9]")
_OTHER_DIGITS = re.compile(r"\d\d")


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of time as written at ``[begin, stop)`` of a line; a single date has ``start`` None and ``is_range`` False."""

    begin: int
    stop: int
    start: Date | None
    end: Date | None
    current: bool
    is_range: bool


def find_periods(line: str) -> list[Period]:
    """Return the periods written in a line, in order. A two-digit year counts only within a range; a lone "present" does not."""
    if not _DIGITS.search(line) and (line.isascii() or not _OTHER_DIGITS.search(line)):
        return []
    points = list(_POINT.finditer(line))
    periods: list[Period] = []
    place = 0
    while place < len(points):
        first = points[place]
        if first["now"]:
            place += 1
            continue
        start = _date(first)
        between = line[first.end() : points[place + 1].start()] if place + 1 < len(points) else "."
        if _SEPARATOR.match(between) or (not between.strip() and _TO_NOW.match(points[place + 1][0])):
            last = points[place + 1]
            end = None if last["now"] else _date(last)
            if start and (last["now"] or end):
                if end and end[0] < start[0]:
                    start, end = end, start
                periods.append(Period(first.start(), last.end(), start, end, bool(last["now"]), True))
                place += 2
                continue
        if start and not _is_short(first):
            lead = _SINCE.search(line[max(0, first.start() - 10) : first.start()])
            if lead:
                periods.append(Period(first.start() - len(lead[0]), first.end(), start, None, True, True))
            else:
                periods.append(Period(first.start(), first.end(), None, start, False, False))
        place += 1
    return periods


def _is_short(point: re.Match[str]) -> bool:
    """Tell whether the year has two digits only: outside a range this may be anything."""
    year = point["myear"] or point["myear0"] or point["dyear"] or point["nyear"] or point["year"] or point["short"]
    return len(year) == 2


def _date(point: re.Match[str]) -> Date | None:
    if point["month"] or point["month0"]:
        return _year(point["myear"] or point["myear0"]), _MONTH_OF[(point["month"] or point["month0"]).lower()]
    if point["d1"]:
        first, second = int(point["d1"]), int(point["d2"])
        # Day and month in either order: 25/12 and 12/25 tell themselves apart, 03/04 is read as in the United States.
        month = first if first <= 12 else second
        return (_year(point["dyear"]), month) if 1 <= month <= 12 else None
    if point["nmonth"]:
        return _year(point["nyear"]), int(point["nmonth"])
    if point["year"]:
        return int(point["year"]), int(point["ymonth"]) if point["ymonth"] else None
    return (_year(point["short"]), None) if point["short"] else None


def _year(digits: str) -> int:
    year = int(digits.strip("'’"))
    return year if year > 99 else 2000 + year if year <= 40 else 1900 + year
