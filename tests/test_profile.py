"""The profile page: every section, its scars, and the page held against the release's record of the same code."""

from __future__ import annotations

from pathlib import Path

import pytest

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
        "more info",
        "external site",
        "No data extracted.",
        "Bright Outlook",
    ):
        assert scar in listed
    assert all(d.why for d in dropped)


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
