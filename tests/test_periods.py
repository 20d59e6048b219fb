"""Periods: dates as people write them."""

from __future__ import annotations

import pytest

from matcher.periods import Date, find_periods


@pytest.mark.parametrize(
    ("written", "start", "end", "current"),
    [
        ("June 2011 to Current", (2011, 6), None, True),
        ("06/2011 - Present", (2011, 6), None, True),
        ("2009–2013", (2009, None), (2013, None), False),
        ("Jan. 2010 to Mar '12", (2010, 1), (2012, 3), False),
        ("Sept 2010 until now", (2010, 9), None, True),
        ("(Aug. 2019 to date)", (2019, 8), None, True),
        ("March 5, 2010 - April 6, 2011", (2010, 3), (2011, 4), False),
        ("25/12/2010 - 01/02/2012", (2010, 12), (2012, 1), False),
        ("2009-12 to 2010-05", (2009, 12), (2010, 5), False),
        ("2018/03–2020/01", (2018, 3), (2020, 1), False),
        ("1/98 to 2/99", (1998, 1), (1999, 2), False),
        ("December2014 to May 2015", (2014, 12), (2015, 5), False),
        ("Spring 2010 – Fall 2012", (2010, 4), (2012, 10), False),
        ("since 2014", (2014, None), None, True),
        ("01/2013 | 12/2014", (2013, 1), (2014, 12), False),
        ("2015 - 2012", (2012, None), (2015, None), False),
    ],
)
def test_a_range_is_read_in_its_many_forms(written: str, start: Date, end: Date | None, current: bool) -> None:
    (period,) = find_periods(f"Cook {written} Acme")
    assert (period.start, period.end, period.current, period.is_range) == (start, end, current, True)


def test_a_period_knows_its_place() -> None:
    line = "Cook, Acme, May 2010 to June 2011, Leeds"
    (period,) = find_periods(line)
    assert line[period.begin : period.stop] == "May 2010 to June 2011"


def test_two_periods_in_a_line_are_two() -> None:
    assert [(p.start, p.end) for p in find_periods("2010 - 2012, 2014 - present")] == [
        ((2010, None), (2012, None)),
        ((2014, None), None),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "present duties",
        "$2010 in cash",
        "may 10 people",
        "3/4 of the staff",
        "20,000 units",
        "room 1984a",
        "12345",
        "98% of 2100 parts",
        "",
    ],
)
def test_what_merely_looks_like_a_date_is_none(line: str) -> None:
    assert find_periods(line) == []


def test_a_single_date_is_no_range() -> None:
    (period,) = find_periods("Diploma, 05/2012")
    assert (period.start, period.end, period.is_range) == (None, (2012, 5), False)
