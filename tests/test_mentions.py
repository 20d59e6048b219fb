"""Mentions: technologies found by their names and short forms, and common words that are not names."""

from __future__ import annotations

import pytest

from matcher.mentions import Mentions, forms
from matcher.records import Phrase, Role


def found(text: str, name: str, role: Role = "duty", category: str = "") -> bool:
    return Mentions([Phrase(text, text, 0, len(text), "text", role)]).find(name, category) is not None


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Wrote reports in Microsoft Excel every week", "Microsoft Excel"),
        ("Wrote reports in Excel every week", "Microsoft Excel"),
        ("Tuned SQL for the warehouse", "Structured query language SQL"),
        ("Moved servers to AWS in a year", "Amazon Web Services AWS software"),
        ("Wrote services in C++ and tests", "C++"),
        ("Wrote pages with Node.js at home", "Node.js"),
    ],
)
def test_names_and_short_forms_are_found_in_sentences(text: str, name: str) -> None:
    assert found(text, name)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("I excel at talking to guests", "Microsoft Excel"),
        ("Gave students access to the Office", "Microsoft Access"),
        ("Ran the Office of a school", "Microsoft Office"),
        ("Project manager of three bridges", "Microsoft Project"),
        ("Vitamin C for every guest", "C"),
    ],
)
def test_common_words_are_no_names(text: str, name: str) -> None:
    assert not found(text, name)


def test_a_bare_skill_may_be_a_common_word_or_a_letter() -> None:
    assert found("Word", "Microsoft Word", "skill")
    assert found("C", "C", "skill")
    assert not found("C", "C++", "skill")


def test_a_name_that_is_its_category_is_found_only_as_it_stands() -> None:
    assert not found("Accounting", "Accounting software", "skill", "Accounting software")
    assert found("Accounting software", "Accounting software", "skill", "Accounting software")


def test_forms_say_which_are_sure() -> None:
    assert dict(forms("Microsoft Excel")) == {("microsoft", "excel"): True, ("excel",): False}
