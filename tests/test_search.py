"""The directory of names: what a keyword finds, in which order, and what is offered for a beginning."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matcher.index import OccupationIndex, build_index
from matcher.records import AlternateTitle, Occupation, Release
from matcher.search import Directory, fold
from tests.invented import RELEASE, WordEncoder


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Directory:
    path: Path = tmp_path_factory.mktemp("search")
    encoder = WordEncoder()
    build_index(RELEASE, encoder, path, notice="Invented.")
    return Directory(OccupationIndex.load(path, encoder=encoder))


def titles(directory: Directory, keyword: str) -> list[str]:
    return [found.title for found in directory.search(keyword)]


def test_a_title_without_case_accents_and_marks_is_the_same_title() -> None:
    assert fold("  Línè-COOK,\u00a0Ⅱ (C++) ") == "line cook ii c++"


def test_an_equal_word_is_closer_than_a_beginning_and_that_than_a_typo(directory: Directory) -> None:
    closeness = {word: directory.search(word)[0].closeness for word in ("attorney", "attorne", "attirney")}
    assert closeness["attorney"] > closeness["attorne"] > closeness["attirney"] > 0


def test_an_occupation_of_that_name_comes_before_one_that_some_call_so(tmp_path: Path) -> None:
    called_so = Occupation("11-9051.00", "Food Service Managers", "Run a kitchen.", alternate_titles=(AlternateTitle("Baker"),))
    encoder = WordEncoder()
    build_index(Release("Invented 2.0", (called_so, *RELEASE.occupations)), encoder, tmp_path, notice="Invented.")
    found = Directory(OccupationIndex.load(tmp_path, encoder=encoder)).search("baker")
    assert [f.title for f in found][:2] == ["Bakers", "Baker"]


def test_the_official_title_comes_before_one_that_people_use(directory: Directory) -> None:
    assert titles(directory, "baker")[0] == "Bakers"
    assert titles(directory, "cook") == ["Cooks, Restaurant"]
    assert titles(directory, "grill cook") == ["Grill Cook"]


@pytest.mark.parametrize(
    ("keyword", "title"),
    [
        ("atorney", "Attorney"),  # a letter is missing
        ("attorneey", "Attorney"),  # one too many
        ("attroney", "Attorney"),  # two changed places
        ("brake tecnisian", "Brake Technician"),  # two in a long word
        ("technician brake", "Brake Technician"),  # another order
        ("pas", "Pastry Baker"),  # not yet written to the end
    ],
)
def test_typos_and_beginnings_find_the_title(directory: Directory, keyword: str, title: str) -> None:
    assert titles(directory, keyword)[0] == title


def test_three_letters_are_taken_as_they_are(directory: Directory) -> None:
    assert titles(directory, "coo") != []
    assert titles(directory, "cok") == []


def test_half_of_a_keyword_is_not_enough(directory: Directory) -> None:
    assert titles(directory, "attorney astronaut geologist") == []


def test_a_code_or_its_beginning_finds_codes(directory: Directory) -> None:
    assert [f.row for f in directory.search("51-")] == [3, 4]
    assert titles(directory, "51-3011.00") == ["Bakers"]
    assert titles(directory, "99") == []


def test_each_occupation_is_found_once_and_in_a_fixed_order(directory: Directory) -> None:
    for keyword in ("cook", "mixer baker", "a", "e"):
        found = directory.search(keyword)
        assert len({f.row for f in found}) == len(found)
        assert found == directory.search(keyword)


def test_names_that_begin_with_the_prefix_come_before_those_with_such_a_word(directory: Directory) -> None:
    assert [n.text for n in directory.suggest_titles("m")] == [
        "Mixer",
        "Automotive Service Technicians and Mechanics",
        "Dough Mixer",
        "Auto Mechanic",
    ]
    assert [n.text for n in directory.suggest_titles("c")][:2] == ["Cooks, Restaurant", "Counsel"]
    assert [n.text for n in directory.suggest_titles("c", limit=1)] == ["Cooks, Restaurant"]
    assert [n.text for n in directory.suggest_titles("c", limit=3)][:2] == ["Cooks, Restaurant", "Counsel"]


def test_a_beginning_with_a_typo_is_offered_what_it_may_mean(directory: Directory) -> None:
    assert [n.text for n in directory.suggest_titles("atorney")] == ["Attorney"]
    assert [n.text for n in directory.suggest_skills("Wesstlaw")] == ["Westlaw"]
    assert directory.suggest_skills("zzzz") == []


@settings(max_examples=200, deadline=None)
@given(keyword=st.text(st.characters(exclude_categories=()), max_size=60))
def test_any_text_is_searched_and_offered_for(directory: Directory, keyword: str) -> None:
    rows = [f.row for f in directory.search(keyword)]
    assert len(set(rows)) == len(rows)
    assert len(directory.suggest_titles(keyword)) <= 10
    assert len(directory.suggest_skills(keyword)) <= 10
