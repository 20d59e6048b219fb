"""The starter catalogue: its reader, its facts, and the quality of its prose."""

from __future__ import annotations

import json
import re
import tomllib
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from matcher.catalog import CatalogError, choose_technologies, choose_titles, read_catalog, refresh_facts
from matcher.records import AlternateTitle, Occupation, Rating, RelatedOccupation, Technology
from tests.invented import BAKER, LAWYER, OTHER, RELEASE

ROOT = Path(__file__).parents[1]
CATALOG = ROOT / "data" / "catalog"

PROSE = {
    "23": """
[activities]
speak-in-court = "Speak for others before a judge"

[occupation."23-1011.00"]
title = "Lawyers"
description = "Gives advice on the law."
tasks = ["Plead a case before a jury", "Settle a dispute out of court"]
activities = ["speak-in-court"]
""",
    "35": """
[activities]
cook-food = "Cook food to order"

[occupation."35-2014.00"]
title = "Cooks, Restaurant"
description = "Cooks in a restaurant."
tasks = ["Sear steaks"]
activities = ["cook-food"]
""",
    "49": """
[activities]
mend-cars = "Mend cars"

[occupation."49-3023.00"]
title = "Automotive Service Technicians and Mechanics"
description = "Mends cars."
tasks = ["Swap worn brake pads"]
activities = ["mend-cars"]
""",
    "51": """
[activities]
bake-goods = "Bake goods for sale"

[occupation."51-3011.00"]
title = "Bakers"
description = "Bakes bread."
tasks = ["Shape loaves by hand"]
activities = ["bake-goods"]

[occupation."51-9199.00"]
title = "Production Workers, All Other"
description = "Everyone else in production."
""",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "catalog.toml").write_text('name = "starter catalogue"\nversion = "2026.11"\n')
    for group, text in PROSE.items():
        (tmp_path / f"{group}.toml").write_text(text)
    refresh_facts(tmp_path, RELEASE)
    return tmp_path


def _edit(folder: Path, group: str, old: str, new: str) -> None:
    path = folder / f"{group}.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_prose_and_facts_become_the_records_of_a_release(folder: Path) -> None:
    release = read_catalog(folder)
    assert release.name == "starter catalogue 2026.11, facts of Invented 1.0"
    lawyer = next(o for o in release.occupations if o.code == "23-1011.00")
    assert [t.text for t in lawyer.tasks] == ["Plead a case before a jury", "Settle a dispute out of court"]
    assert [(a.id, a.text) for a in lawyer.activities] == [("23.speak-in-court", "Speak for others before a judge")]
    assert lawyer.knowledge == LAWYER.knowledge
    assert lawyer.job_zone == 5
    assert {t.name for t in lawyer.technologies} == {"Westlaw", "Microsoft Word"}
    assert [t.title for t in lawyer.alternate_titles] == ["Attorney", "Counsel", "Litigator"]


def test_a_refresh_touches_facts_alone_and_names_new_retired_and_renamed_codes(folder: Path) -> None:
    before = {p.name: p.read_bytes() for p in folder.glob("*.toml")}
    renamed = replace(BAKER, title="Bread Makers")
    newcomer = replace(OTHER, code="51-9198.00", title="Gem Cutters")
    changes = refresh_facts(folder, replace(RELEASE, name="Invented 2.0", occupations=(renamed, newcomer, LAWYER)))
    assert changes.new == ("51-9198.00",)
    assert changes.retired == ("35-2014.00", "49-3023.00", "51-9199.00")
    assert changes.renamed == (("51-3011.00", "Bakers", "Bread Makers"),)
    assert {p.name: p.read_bytes() for p in folder.glob("*.toml")} == before
    facts = json.loads((folder / "facts" / "51.json").read_text())
    assert list(facts) == ["51-3011.00"], "a code without prose waits for it"
    assert sorted(p.name for p in (folder / "facts").glob("[0-9]*.json")) == ["23.json", "51.json"]


def test_a_suppressed_rating_is_unknown_in_the_facts(folder: Path) -> None:
    doubtful = replace(
        LAWYER,
        knowledge=tuple(replace(k, importance=Rating("IM", 4.0, True)) for k in LAWYER.knowledge[:1]) + LAWYER.knowledge[1:],
    )
    refresh_facts(
        folder,
        replace(RELEASE, occupations=tuple(doubtful if o.code == LAWYER.code else o for o in RELEASE.occupations)),
    )
    lawyer = next(o for o in read_catalog(folder).occupations if o.code == LAWYER.code)
    assert [k.name for k in lawyer.knowledge] == ["Law and Government", "Mechanical"]


@pytest.mark.parametrize(
    ("group", "old", "new", "message"),
    [
        ("51", '"51-3011.00"', '"51-3012.00"', r"51\.toml, line 5: 51-3012\.00: no facts"),
        ("51", '"51-3011.00"', '"35-3011.00"', "expected a code of group 51"),
        ("51", 'description = "Bakes bread."', "", r"51\.toml, line 5: 51-3011\.00, field description"),
        (
            "51",
            'tasks = ["Shape loaves by hand"]',
            "tasks = []",
            r"line 8: 51-3011\.00, field tasks: the list is empty",
        ),
        ("51", 'tasks = ["Shape loaves by hand"]', 'tasks = ["a", "a"]', "field tasks: 'a' stands twice"),
        ("51", '["bake-goods"]', '["bake-godos"]', r"line 9: 51-3011\.00, field activities: 'bake-godos' is not in"),
        ("51", 'description = "Bakes bread."', 'descripton = "Bakes bread."', "field descripton: unknown field"),
        ("51", "[activities]", "[activites]", "unknown table 'activites'"),
        (
            "51",
            'title = "Bakers"',
            'title = "Lawyers"',
            r"line 6: 51-3011\.00, field title: 'Lawyers' is already the title of 23-1011\.00",
        ),
        ("51", 'title = "Bakers"', "title = Bakers", r"51\.toml: not TOML"),
    ],
)
def test_a_fault_is_named_by_file_line_code_and_field(folder: Path, group: str, old: str, new: str, message: str) -> None:
    _edit(folder, group, old, new)
    with pytest.raises(CatalogError, match=message):
        read_catalog(folder)


def test_a_code_without_prose_a_doubled_code_and_an_unknown_knowledge_area_are_refused(folder: Path) -> None:
    text = (folder / "23.toml").read_text()
    (folder / "23.toml").unlink()
    with pytest.raises(CatalogError, match=r"23-1011\.00 is missing"):
        read_catalog(folder)
    (folder / "23.toml").write_text(text + text[text.index("[occupation") :])
    with pytest.raises(CatalogError, match="not TOML"):
        read_catalog(folder)
    (folder / "23.toml").write_text(text)
    facts = json.loads((folder / "facts" / "23.json").read_text())
    facts["23-1011.00"]["knowledge"].append(3.0)
    (folder / "facts" / "23.json").write_text(json.dumps(facts))
    with pytest.raises(CatalogError, match=r"23-1011\.00, field knowledge: 4 values for 3 named"):
        read_catalog(folder)


def test_a_related_code_that_is_not_in_the_catalogue_is_left_out_by_a_refresh_and_refused_by_the_reader(folder: Path) -> None:
    lonely = replace(BAKER, related=(RelatedOccupation("99-9999.00", "Ghosts"), RelatedOccupation("35-2014.00", "Cooks")))
    refresh_facts(folder, replace(RELEASE, occupations=tuple(lonely if o.code == BAKER.code else o for o in RELEASE.occupations)))
    baker = next(o for o in read_catalog(folder).occupations if o.code == BAKER.code)
    assert [r.code for r in baker.related] == ["35-2014.00"]
    path = folder / "facts" / "51.json"
    path.write_text(path.read_text().replace("35-2014.00", "99-9999.00"))
    with pytest.raises(CatalogError, match=r"unknown code 99-9999\.00"):
        read_catalog(folder)


def test_titles_are_chosen_by_new_words_and_shared_ones_only_where_few_are_found() -> None:
    own = ("Sour Dough Baker", "Sour Dough Bakers", "Pie Maker")
    first = Occupation(
        "51-0001.00",
        "Bakers",
        "",
        alternate_titles=tuple(AlternateTitle(t) for t in ("Worker", *own)),
        reported_titles=("Bread Baker",),
    )
    others = tuple(Occupation(f"51-000{i}.00", f"Other {i}", "", alternate_titles=(AlternateTitle("Worker"),)) for i in range(2, 6))
    chosen = choose_titles((first, *others))["51-0001.00"]
    assert chosen[0] == "Bread Baker"
    assert set(chosen[1:3]) == {"Pie Maker", "Sour Dough Baker"}
    assert chosen[-1] == "Worker"
    many = tuple(AlternateTitle(f"Trade{i} Baker") for i in range(40))
    chosen = choose_titles((replace(first, alternate_titles=(AlternateTitle("Worker"), *many)), *others))["51-0001.00"]
    assert len(chosen) == 17
    assert "Worker" not in chosen


def test_technologies_in_demand_come_before_hot_ones_and_rare_before_common() -> None:
    many = tuple(Technology(f"Tool {i:02d}", "x") for i in range(40))
    wanted = Technology("Wanted", "x", in_demand=True)
    rare = Technology("Rare", "x")
    one = Occupation("51-0001.00", "A", "", technologies=(*many, wanted, rare))
    two = Occupation("51-0002.00", "B", "", technologies=many)
    chosen = {row[0] for row in choose_technologies((one, two))["51-0001.00"]}
    assert {"Wanted", "Rare"} <= chosen
    assert len(chosen) == 20


# The catalogue that ships ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shipped() -> dict[str, dict[str, object]]:
    return {
        code: prose
        for path in sorted(CATALOG.glob("[0-9][0-9].toml"))
        for code, prose in tomllib.loads(path.read_text(encoding="utf-8"))["occupation"].items()
    }


def test_the_shipped_catalogue_has_full_entries_in_every_civilian_major_group() -> None:
    release = read_catalog(CATALOG)
    full = [o for o in release.occupations if o.tasks]
    groups = Counter(o.code[:2] for o in full)
    assert len(groups) == 22
    assert min(groups.values()) >= 2
    assert all(8 <= len(o.tasks) <= 14 and 4 <= len(o.activities) <= 8 for o in full)
    # O*NET itself has fewer than eight titles for ten of its occupations, such as optometrists.
    assert sum(len(o.alternate_titles) < 8 for o in full) <= 10
    assert all(3 <= len(o.alternate_titles) <= 17 for o in full)


def repeated_openings(tasks: list[str]) -> list[tuple[str, int]]:
    """Return the three-word openings that more than 2 % of all tasks share."""
    openings = Counter(" ".join(re.findall(r"\w+", task.lower())[:3]) for task in tasks)
    return [(opening, count) for opening, count in openings.most_common() if count > max(1, 0.02 * len(tasks))]


def test_boilerplate_is_noticed() -> None:
    tasks = [f"Monitor and track item {i}" for i in range(5)] + [f"Verb{i} noun{i} thing{i}" for i in range(95)]
    assert repeated_openings(tasks) == [("monitor and track", 5)]


def test_no_task_stands_twice_and_no_opening_is_boilerplate(shipped: dict[str, dict[str, object]]) -> None:
    tasks = [task for prose in shipped.values() for task in prose.get("tasks", [])]  # type: ignore[attr-defined]
    assert [task for task, count in Counter(task.lower() for task in tasks).items() if count > 1] == []
    assert repeated_openings(tasks) == []


def test_prose_is_plain_and_within_the_guide(shipped: dict[str, dict[str, object]]) -> None:
    for code, prose in shipped.items():
        for task in prose.get("tasks", []):  # type: ignore[attr-defined]
            assert task[0].isupper(), (code, task)
            assert not task.endswith("."), (code, task)
            assert 4 <= len(task.split()) <= 26, (code, task)
        assert 8 <= len(str(prose["description"]).split()) <= 70, code


def test_the_catalogue_does_not_repeat_the_sentences_of_onet(shared: Path) -> None:
    import subprocess
    import sys

    files = sorted(CATALOG.glob("*.toml"))
    done = subprocess.run(
        [sys.executable, shared / "tools" / "check_originality.py", "--onet", shared / "onet" / "30.1", *files],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.endswith("0 lines repeat O*NET's sentences\n"), done.stdout[-2000:]
