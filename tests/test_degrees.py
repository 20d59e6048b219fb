"""Degrees: levels of degree lines, and what workers say is required."""

from __future__ import annotations

import pytest

from matcher.degrees import highest, level_of, required, stated, zone_of


@pytest.mark.parametrize(
    ("line", "level"),
    [
        ("High School Diploma", 2),
        ("GED", 2),
        ("Certificate in Welding", 3),
        ("Some college (no degree)", 4),
        ("Associate of Arts : Psychology", 5),
        ("Bachelor of Science : Accounting", 6),
        ("B.S., Biology", 6),
        ("BBA : Marketing", 6),
        ("Graduate Diploma, Business Administration", 7),
        ("Master of Business Administration", 8),
        ("MBA", 8),
        ("Juris Doctor", 10),
        ("J.D.", 10),
        ("Doctor of Medicine", 10),
        ("Ph.D. in Physics", 11),
        ("Swimming badge", None),
    ],
)
def test_a_degree_line_has_its_level(line: str, level: int | None) -> None:
    assert level_of(line) == level


def test_the_highest_degree_is_told_with_its_line() -> None:
    assert highest(["BA", "MBA : Finance", "High School Diploma"]) == (8, "MBA : Finance")
    assert highest([]) is None


def test_a_degree_in_a_sentence_counts_only_if_it_is_said_in_so_many_words() -> None:
    assert stated(["Earned a bachelor's degree in 2010", "Scrum master as needed"]) == ["Earned a bachelor's degree in 2010"]


def test_required_is_what_half_of_the_workers_say_or_less() -> None:
    # 30 + 30 = 60 of 100 at the bachelor's level, so the half (50) is reached there
    found = required(
        [
            {"answer": "High School Diploma - or the equivalent", "percent": 30.0},
            {"answer": "Bachelor's Degree", "percent": 30.0},
            {"answer": "Master's Degree", "percent": 40.0},
        ]
    )
    assert found is not None
    assert found.typical == 6
    assert found.most_said == (8, 40.0)
    assert (found.enough(None), found.enough(5), found.enough(6)) == (0, 30.0, 60.0)


def test_nothing_understood_is_nothing_required() -> None:
    assert required([]) is None
    assert required([{"answer": "Something else", "percent": 100.0}]) is None


def test_a_few_of_the_answers_are_not_what_half_of_the_workers_say() -> None:
    assert required([{"answer": "Some College Courses", "percent": 0.6}]) is None
    found = required([{"answer": "Some College Courses", "percent": 10.0}, {"answer": "Bachelor's Degree", "percent": 40.0}])
    assert found is not None
    assert found.typical == 6


def test_zones_follow_levels() -> None:
    assert [zone_of(level) for level in (None, 1, 2, 3, 5, 6, 8, 12)] == [1, 1, 2, 3, 3, 4, 5, 5]
