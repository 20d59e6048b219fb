"""Layout: the order in which pieces of a page are read."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from matcher.layout import Piece, reading_text


def line(x: float, y: float, text: str, size: float = 10.0) -> Piece:
    """Return a line of letters half as wide as they are high."""
    return Piece(x, x + 0.5 * size * len(text), y, size, text)


def column(x: float, top: float, words: list[str], leading: float = 13.0, size: float = 10.0) -> list[Piece]:
    return [line(x, top - leading * n, text, size) for n, text in enumerate(words)]


LEFT = [f"item {c}" for c in "abcdefgh"]
RIGHT = [f"sentence number {c} goes on here" for c in "abcdefghij"]


def test_columns_are_read_one_after_the_other_even_on_common_baselines() -> None:
    pieces = column(40, 700, LEFT) + column(200, 700, RIGHT)
    text = reading_text([pieces])
    assert [part.split("\n") for part in text.strip().split("\n\n")] == [RIGHT, LEFT]


def test_columns_with_baselines_of_their_own_are_read_one_after_the_other() -> None:
    pieces = column(40, 700, LEFT, leading=17) + column(200, 693, RIGHT)
    assert [part.split("\n") for part in reading_text([pieces]).strip().split("\n\n")] == [RIGHT, LEFT]


def test_a_title_over_both_columns_and_a_line_under_them_stay_where_they_are() -> None:
    over = line(40, 760, "A title that reaches over both of the two columns of this page", 12)
    under = line(40, 500, "A closing line that reaches over both of the two columns of this page")
    lines = reading_text([[over, *column(40, 700, LEFT), *column(200, 700, RIGHT), under]]).split("\n")
    assert lines[0] == over.text
    assert [x for x in lines if x][-1] == under.text
    assert lines.index(RIGHT[-1]) < lines.index(LEFT[0])


def test_dates_at_either_margin_are_read_with_their_line() -> None:
    dates = ["2010 - 2012", "2012 - 2013", "2013 - 2015", "2015 - 2018", "2018 - now 2020"]
    jobs = [f"position {c} with a firm of some name" for c in "abcde"]
    left = [line(40, 700 - 30 * n, text) for n, text in enumerate(dates)] + [
        line(150, 700 - 30 * n, text) for n, text in enumerate(jobs)
    ]
    right = [line(40, 700 - 30 * n, text) for n, text in enumerate(jobs)] + [
        line(420, 700 - 30 * n, text) for n, text in enumerate(dates)
    ]
    assert [x for x in reading_text([left]).split("\n") if x] == [f"{d}   {j}" for d, j in zip(dates, jobs, strict=True)]
    assert [x for x in reading_text([right]).split("\n") if x] == [f"{j}   {d}" for d, j in zip(dates, jobs, strict=True)]


def test_a_dense_list_with_its_dates_at_the_right_is_read_line_by_line() -> None:
    jobs = [f"position {c} with a firm" for c in "abcdefghij"]
    dates = [f"June 20{n} - May 20{n + 1}" for n in range(10, 20)]
    pieces = column(40, 700, jobs) + column(400, 700, dates)
    assert reading_text([pieces]).strip().split("\n") == [f"{j}   {d}" for j, d in zip(jobs, dates, strict=True)]


def test_words_and_letters_placed_one_by_one_become_lines() -> None:
    words = [Piece(40, 62, 700, 10, "good", True), Piece(65, 90, 700, 10, "bread", True)]
    letters = [Piece(40 + 5 * n, 45 + 5 * n, 680, 10, c, False) for n, c in enumerate("baker")]
    assert reading_text([words + letters]).split("\n")[0:1] == ["good bread"]
    assert "baker" in reading_text([words + letters])


def test_text_painted_twice_to_look_bold_is_read_once() -> None:
    assert reading_text([[line(40, 700, "EXPERIENCE"), line(40.3, 700, "EXPERIENCE")]]).strip() == "EXPERIENCE"


def test_odd_bullets_become_bullets_and_page_numbers_go() -> None:
    pieces = [Piece(40, 44, 700, 10, "\x7f", False), line(50, 700, "peels potatoes"), line(300, 30, "Page 2 of 3")]
    assert reading_text([pieces]).strip() == "• peels potatoes"


@given(st.lists(st.tuples(st.integers(0, 600), st.integers(0, 800), st.text("abc •", min_size=1, max_size=12)), max_size=40))
@settings(max_examples=60, deadline=None)
def test_the_order_of_pieces_in_the_file_does_not_matter(places: list[tuple[int, int, str]]) -> None:
    pieces = [line(x, y, text.strip()) for x, y, text in dict.fromkeys(places) if text.strip() and text.strip().isalpha()]
    # Two pieces at one place are told apart by nothing but their order in the file.
    pieces = list({(p.x0, p.y): p for p in pieces}.values())
    shuffled = list(pieces)
    random.Random(7).shuffle(shuffled)
    assert reading_text([pieces]) == reading_text([shuffled])
