"""The profile page: every section, its scars, and the page held against the release's record of the same code."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

import matcher.profile
from matcher.index import OccupationIndex, build_index
from matcher.profile import ProfileError, read_profile, read_profiles
from matcher.records import Occupation, RelatedOccupation, Release, Wage, importance_percent
from tests.invented import WAGES, WordEncoder

PAGE = """# 51-3011.00 - Bakers

## Description
Bakes bread for a shop.

## Sample of reported job titles
Baker (Night Baker, Day Baker), Bread Maker

## Occupation-specific Information
### Tasks
- Shape loaves on a floured bench.
- Light the oven before dawn.

### Technology skills
- Spreadsheet software— Microsoft Excel; LedgerBook
- Recipe software— RecipeBook Pro

## Occupational requirements
### Work activities
- Handling Dough— Touching and turning dough.

### Detailed work activities
- Form dough.

### Work context
- Heat— 61% responded “Every day.”

## Experience requirements
### Title
Experience requirements for Lion Tamers

### Education
- 55%responded:No diploma requiredmore info

### Job zone examples
Apprenticeship OpportunitiesStart here. VisitExample.govexternal siteto learn.

### SVP Range
No data extracted.

## Worker requirements
### Knowledge
- Food Production— How food is made.

### Education
- 55%responded:No diploma requiredmore info

### Worker characteristics
#### Interests
- Realistic— Work with things.

#### Work values
- Support— A boss who helps.

#### Work styles
- Patience— Waiting calmly.

## Workforce Characteristics
### Wages & Employment Trends
Median wages (2023): $17.00 hourly, $35,360 annual

### Related Occupations
- 35-2014.00Cooks, RestaurantBright Outlook
- 51-9199.00Production Workers, All Other
"""


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "page.txt"
    path.write_text(PAGE, encoding="utf-8")
    return path


def test_every_section_becomes_a_record(page: Path) -> None:
    o, _ = read_profile(page)
    assert (o.code, o.title, o.description) == ("51-3011.00", "Bakers", "Bakes bread for a shop.")
    assert o.reported_titles == ("Baker (Night Baker, Day Baker)", "Bread Maker")
    assert [t.text for t in o.tasks] == ["Shape loaves on a floured bench.", "Light the oven before dawn."]
    assert all(t.id.startswith("~") and t.importance is None for t in o.tasks)
    assert [(t.category, t.name) for t in o.technologies] == [
        ("Spreadsheet software", "Microsoft Excel"),
        ("Spreadsheet software", "LedgerBook"),
        ("Recipe software", "RecipeBook Pro"),
    ]
    assert [(e.name, e.description) for e in o.work_activities] == [("Handling Dough", "Touching and turning dough.")]
    assert [a.text for a in o.activities] == ["Form dough."]
    assert [(s.element, s.percent, s.answer) for s in o.work_context] == [("Heat", 61.0, "Every day")]
    assert [(s.percent, s.answer) for s in o.education] == [(55.0, "No diploma")]
    assert [e.name for e in o.knowledge + o.interests + o.work_values + o.work_styles] == [
        "Food Production",
        "Realistic",
        "Support",
        "Patience",
    ]
    assert o.wages == (Wage(2023, 35360.0, 17.0, "O*NET profile page"),)
    assert o.related == (
        RelatedOccupation("35-2014.00", "Cooks, Restaurant", bright_outlook=True),
        RelatedOccupation("51-9199.00", "Production Workers, All Other", bright_outlook=False),
    )
    assert o.job_zone is None


def _strings(value: object) -> list[str]:
    import dataclasses

    if isinstance(value, str):
        return [value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [s for f in dataclasses.fields(value) for s in _strings(getattr(value, f.name))]
    return [s for item in value for s in _strings(item)] if isinstance(value, tuple) else []


SCARS = (
    "Lion Tamers",
    "Acupuncturists",
    "more info",
    "responded",
    "external site",
    "No data extracted",
    "Bright Outlook",
    "Apprenticeship",
)


def test_no_scar_reaches_a_record_and_each_is_listed_with_line_and_reason(page: Path) -> None:
    occupation, dropped = read_profile(page)
    assert not [s for s in _strings(occupation) if any(scar in s for scar in SCARS)]
    listed = " | ".join(f"{d.where}: {d.what}" for d in dropped)
    for scar in (
        "line 30: Experience requirements for Lion Tamers",
        "line 33: more info",
        "line 33: responded:",
        "line 36: Apprenticeship OpportunitiesStart here. VisitExample.govexternal siteto learn.",
        "line 39: No data extracted.",
        "line 46: more info",
        "line 46: responded:",
        "Bright Outlook",
    ):
        assert scar in listed
    assert len(dropped) == 8
    lines = [int(d.where.rpartition(" ")[2]) for d in dropped]
    assert lines == sorted(lines)
    assert all(d.why for d in dropped)


def _changed(page: Path, old: str, new: str) -> tuple[Occupation, list[tuple[str, str]]]:
    """Read the page with a change; return the occupation, and (what, why) of what is dropped more than without the change."""
    _, usual = read_profile(page)
    assert old in PAGE
    page.write_text(PAGE.replace(old, new), encoding="utf-8")
    occupation, dropped = read_profile(page)
    return occupation, list((Counter((d.what, d.why) for d in dropped) - Counter((d.what, d.why) for d in usual)).elements())


@pytest.mark.parametrize(
    "marker", ["Quaffle marker", "- Quaffle marker", "- Quaffle— marker", "* Quaffle marker", "#Quaffle marker"]
)
def test_no_line_of_a_page_vanishes_wherever_it_stands(page: Path, marker: str) -> None:
    lines = PAGE.splitlines()
    for place in range(1, len(lines) + 1):
        page.write_text("\n".join([*lines[:place], marker, *lines[place:]]), encoding="utf-8")
        occupation, dropped = read_profile(page)
        found = [*_strings(occupation), *(d.what for d in dropped)]
        assert [text for text in found if "Quaffle" in text], f"after line {place}"


def test_a_section_that_nobody_foresaw_is_listed_with_its_name(page: Path) -> None:
    _, dropped = _changed(page, "## Workforce Characteristics", "## Credentials\n- Bread licence\n\n## Workforce Characteristics")
    assert dropped == [("- Bread licence", "'Credentials' is not a section that this reader knows")]


@pytest.mark.parametrize("label", ["more info", "external site", " more info", "more infoexternal site"])
def test_a_label_glued_to_a_text_is_taken_off_and_the_text_is_kept(page: Path, label: str) -> None:
    occupation, dropped = _changed(page, "- Light the oven before dawn.", f"- Light the oven before dawn.{label}")
    assert [t.text for t in occupation.tasks] == ["Shape loaves on a floured bench.", "Light the oven before dawn."]
    assert {what for what, _ in dropped} == {part for part in ("more info", "external site") if part in label}
    occupation, _ = _changed(page, "“Every day.”", f"“Every day.”{label}")
    assert [(s.answer, s.percent) for s in occupation.work_context] == [("Every day", 61.0)]


@pytest.mark.parametrize(
    "task", ["Visit the external site of a customer.", "Inspect external sites.", "Ask shop owners for more info"]
)
def test_words_that_only_look_like_a_scar_stay(page: Path, task: str) -> None:
    occupation, dropped = _changed(page, "Light the oven before dawn.", task)
    assert (occupation.tasks[1].text, dropped) == (task, [])


def test_an_item_that_stands_twice_is_kept_once_and_listed(page: Path) -> None:
    occupation, dropped = _changed(page, "- Light the oven before dawn.", "- Shape loaves on a floured bench.")
    assert [t.text for t in occupation.tasks] == ["Shape loaves on a floured bench."]
    assert dropped == [("Shape loaves on a floured bench.", "the same item stands above")]


def test_education_under_another_occupations_name_gives_way_to_that_under_worker_requirements(page: Path) -> None:
    other = "- 80%responded:Master’s degree required\n\n### Job zone"
    occupation, dropped = _changed(page, "- 55%responded:No diploma requiredmore info\n\n### Job zone", other)
    assert [(s.percent, s.answer) for s in occupation.education] == [(55.0, "No diploma")]
    assert dropped == [("- 80%responded:Master’s degree required", "differs from the section Education that is kept")]


def test_a_share_above_a_hundred_percent_is_no_share(page: Path) -> None:
    occupation, dropped = _changed(page, "61% responded", "161% responded")
    assert occupation.work_context == ()
    assert [what for what, _ in dropped] == ["Heat— 161% responded “Every day.”"]


@pytest.mark.parametrize(
    ("line", "wages", "listed"),
    [
        ("Median wages (2023): $35,360 annual", (Wage(2023, 35360.0, None, "O*NET profile page"),), 0),
        ("Median wages (2023): $17.00 hourly", (Wage(2023, None, 17.0, "O*NET profile page"),), 0),
        ("Median wages (2023): $115.00+ hourly, $239,200+ annual", (), 1),
        ("Median wages (2023): $1.2.3 hourly, $35,360 annual", (), 1),
        ("Median wages (2023):", (), 1),
        ("Projected growth (2023-2033): slower", (), 1),
    ],
)
def test_a_wage_is_a_median_with_its_year_or_it_is_listed(page: Path, line: str, wages: tuple[Wage, ...], listed: int) -> None:
    occupation, dropped = _changed(page, "Median wages (2023): $17.00 hourly, $35,360 annual", line)
    assert occupation.wages == wages
    assert [what for what, _ in dropped] == [line] * listed


def test_a_byte_order_mark_and_windows_line_ends_change_nothing(page: Path) -> None:
    expected = read_profile(page)
    page.write_bytes(b"\xef\xbb\xbf" + PAGE.replace("\n", "\r\n").encode())
    assert read_profile(page) == expected


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("# 51-3011.00 - Bakers", "Bakers", "line 1: expected '# CODE - Title'"),
        ("## Description\nBakes bread for a shop.", "", "no section 'Description'"),
    ],
)
def test_a_file_that_is_no_page_is_refused(page: Path, old: str, new: str, message: str) -> None:
    page.write_text(PAGE.replace(old, new), encoding="utf-8")
    with pytest.raises(ProfileError, match=message):
        read_profile(page)


def test_what_is_no_text_is_refused_with_file_and_line(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page.write_bytes(PAGE.encode().replace(b"Recipe software", b"Recette\xe9 software"))
    with pytest.raises(ProfileError, match=r"page\.txt, line 16: byte 0xe9 is not UTF-8"):
        read_profile(page)
    with pytest.raises(ProfileError, match=r"nowhere\.txt: cannot be read"):
        read_profile(page.parent / "nowhere.txt")
    monkeypatch.setattr(matcher.profile, "_MOST_BYTES", 100)
    with pytest.raises(ProfileError, match=r"page\.txt: more than 100 bytes"):
        read_profile(page)


def test_an_item_of_another_form_is_dropped_and_listed_not_guessed(page: Path) -> None:
    page.write_text(PAGE.replace("- 35-2014.00Cooks, RestaurantBright Outlook", "- Cooks of some kind"), encoding="utf-8")
    occupation, dropped = read_profile(page)
    assert len(occupation.related) == 1
    assert "Cooks of some kind" in [d.what for d in dropped]


def test_several_pages_make_an_index_and_the_surveyed_wage_wins_over_the_page_s(page: Path, tmp_path: Path) -> None:
    other = PAGE.replace("51-3011.00 - Bakers", "35-2014.00 - Cooks").replace("Bakes bread", "Cooks meals")
    (page.parent / "other.txt").write_text(other, encoding="utf-8")
    release = read_profiles(page.parent)
    assert [o.code for o in release.occupations] == ["35-2014.00", "51-3011.00"]
    build_index(release, WordEncoder(), tmp_path / "index", wages=WAGES)
    index = OccupationIndex.load(tmp_path / "index")
    assert index.entries[1].wage == WAGES["51-3011.00"]
    assert index.entries[0].wage == Wage(2023, 35360.0, 17.0, "O*NET profile page")
    assert [w["year"] for w in index.section("51-3011.00")["wages"]] == [2025, 2023]


def test_a_folder_without_pages_and_a_code_on_two_pages_are_refused(page: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ProfileError, match="expected a folder with profile pages"):
        read_profiles(tmp_path / "empty")
    (page.parent / "twin.txt").write_text(PAGE, encoding="utf-8")
    with pytest.raises(ProfileError, match=r"51-3011\.00 stands on another page"):
        read_profiles(page.parent)


# The page against the release ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def seed(shared: Path) -> Occupation:
    return read_profiles(shared / "seed").occupations[0]


@pytest.fixture(scope="module")
def record(real_release: Release, seed: Occupation) -> Occupation:
    return next(o for o in real_release.occupations if o.code == seed.code)


def test_the_seed_page_has_no_scars_in_its_record(seed: Occupation) -> None:
    assert not [s for s in _strings(seed) if any(scar in s for scar in SCARS)]
    assert [(s.percent, s.answer) for s in seed.education] == [
        (39.0, "High school diploma or equivalent"),
        (27.0, "Bachelor’s degree"),
        (14.0, "Some college, no degree"),
    ]
    assert seed.wages == (Wage(2023, 72280.0, 34.75, "O*NET profile page"),)
    assert [r.code for r in seed.related if r.bright_outlook] == ["43-5011.00"]


def test_every_scar_of_the_seed_page_is_listed(shared: Path) -> None:
    whys = Counter(d.why for d in read_profiles(shared / "seed").dropped)
    assert whys == {
        "names another occupation": 1,
        "a link's label glued to the text": 4,
        "glued between the share and the answer": 6,
        "a banner of the web site, not of the occupation": 1,
        "the page had nothing here": 1,
        "a flag glued to the title; kept as a flag of a related occupation only": 1,
    }


def test_the_shares_of_the_seed_page_are_the_release_s_rounded(seed: Occupation, record: Occupation) -> None:
    # The page words the answers in its own way, so the shares are held against each other by their size.
    largest = sorted((round(s.percent or 0) for s in record.education), reverse=True)[:3]
    assert [s.percent for s in seed.education] == largest == [39, 27, 14]


def test_description_tasks_activities_technologies_and_knowledge_equal_the_release_s_in_the_page_s_order(
    seed: Occupation, record: Occupation
) -> None:
    assert seed.description == record.description
    assert [t.text for t in seed.tasks] == [t.text for t in record.tasks]
    assert len(seed.tasks) == 11
    assert [a.text for a in seed.activities] == [a.text for a in record.activities]
    assert len(seed.activities) == 14
    by_category = sorted(record.technologies, key=lambda t: (t.category, t.name))
    assert [(t.category, t.name) for t in seed.technologies] == [(t.category, t.name) for t in by_category]
    assert len(seed.technologies) == 12
    weighty = [(importance_percent(k.importance) or 0, k.name) for k in record.knowledge]
    assert [k.name for k in seed.knowledge] == [
        name for percent, name in sorted(weighty, key=lambda w: (-w[0], w[1])) if percent >= 50
    ]
    assert len(seed.knowledge) == 11


def test_interests_work_values_and_related_occupations_equal_the_release_s_as_sets(seed: Occupation, record: Occupation) -> None:
    points = [int(r.value or 0) for e in record.interests for r in e.ratings if r.scale == "IH"]
    assert {e.name[0] for e in seed.interests} == {"RIASEC"[p - 1] for p in points}
    values = [e.name for e in record.work_values if any(r.scale == "EX" for r in e.ratings)]
    high = [int(r.value or 0) for e in record.work_values for r in e.ratings if r.scale == "VH"]
    assert {e.name for e in seed.work_values} == {values[p - 1] for p in high}
    assert {r.code for r in seed.related} == {r.code for r in record.related if (r.index or 99) <= 10}
    assert len(seed.related) == 10


def test_work_styles_and_reported_titles_differ_by_what_is_known_to_differ(seed: Occupation, record: Occupation) -> None:
    # The page has the 16 styles of the model before 30.0 (15 of them reach 50); 30.1 has 21 of a new one, and 8 names in common.
    shared_names = {e.name for e in seed.work_styles} & {e.name for e in record.work_styles}
    assert (len(seed.work_styles), len(record.work_styles)) == (15, 21)
    assert shared_names == {
        "Integrity", "Self-Control", "Dependability", "Stress Tolerance", "Attention to Detail", "Cooperation", "Initiative",
        "Social Orientation",
    }  # fmt: skip
    assert set(seed.reported_titles) - set(record.reported_titles) == {"Inspector"}
    assert set(record.reported_titles) - set(seed.reported_titles) == set()
