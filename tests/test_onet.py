"""The text release: what is read, in each layout, and how bad data is refused."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from matcher.onet import TABLES as READ
from matcher.onet import UNREAD, OnetError, read_release
from matcher.records import AlternateTitle, Occupation, Rating, Release, Technology, Tool, importance_percent
from tests.onet_fixture import BAKER, CLERK, OPTIONAL, OTHER, TABLES, new_layout, old_layout, write_release, zip_release


@pytest.fixture
def release(tmp_path: Path) -> Release:
    return read_release(write_release(tmp_path / "onet"))


def by_code(release: Release, code: str) -> Occupation:
    return next(o for o in release.occupations if o.code == code)


def test_occupations_come_in_code_order_with_title_and_description(release: Release) -> None:
    assert release.name == "O*NET 30.1"
    assert [o.code for o in release.occupations] == [CLERK, BAKER, OTHER]
    assert by_code(release, BAKER).description == "Bakes bread for a shop."


def test_tasks_keep_id_order_type_importance_and_activities(release: Release) -> None:
    tasks = by_code(release, BAKER).tasks
    assert [(t.id, t.core) for t in tasks[:3]] == [("11", True), ("12", False), ("13", None)]
    assert tasks[0].importance == Rating("IM", 4.6, False)
    assert importance_percent(tasks[0].importance) == 90
    assert tasks[1].importance == Rating("IM", None, None)
    assert tasks[2].importance is None
    assert tasks[0].activity_ids == ("4.A.1.I01.D02", "4.A.1.I01.D03")


def test_a_new_emerging_task_is_a_task_and_a_revision_is_dropped_with_a_reason(release: Release) -> None:
    last = by_code(release, BAKER).tasks[-1]
    assert (last.text, last.emerging, last.id[0]) == ("Set the timer of a robot mixer", True, "~")
    assert [(d.where, d.why) for d in release.dropped] == [("Emerging Tasks, line 3", "the task in force is kept")]


def test_activities_are_ordered_by_task_and_then_by_title_and_the_unused_are_known(release: Release) -> None:
    assert [a.text for a in by_code(release, BAKER).activities] == ["Assess bakes", "Form dough", "Warm ovens"]
    assert len(release.activities) == 4


def test_not_available_is_unknown_and_never_nought(release: Release) -> None:
    food, mathematics, geography = by_code(release, BAKER).knowledge
    assert (food.importance, food.level) == (Rating("IM", 4.5, False), Rating("LV", 5.1, False))
    assert food.description == "How food is grown and made."
    assert mathematics.importance == Rating("IM", 3.2, True)
    assert geography.importance == Rating("IM", None, None)
    assert importance_percent(geography.importance) is None


def test_everything_else_that_is_there_is_read(release: Release) -> None:
    baker, clerk = by_code(release, BAKER), by_code(release, CLERK)
    assert baker.alternate_titles == (AlternateTitle("Bread Maker"), AlternateTitle("Pastry Maker First Class", "Pastry Maker"))
    assert baker.reported_titles == ("Head Baker",)
    assert clerk.technologies == (
        Technology("LedgerBook", "Accounting software", "43231601", False, True),
        Technology("Microsoft Excel", "Spreadsheet software", "43232110", True, False),
    )
    assert baker.tools == (Tool("Deck ovens", "Ovens", "48101501"),)
    assert [e.name for e in clerk.skills + baker.abilities + baker.work_activities] == [
        "Mental Arithmetic",
        "Early Rising",
        "Handling Dough",
    ]
    assert baker.interests[0].ratings == (Rating("OI", 6.1),)
    assert baker.work_values[0].ratings == (Rating("EX", 4.33),)
    assert [(s.answer, s.percent) for s in baker.work_context] == [("Every day", 61.5)]
    assert [(s.answer, s.percent) for s in baker.education] == [("No diploma", 55.0)]
    assert [(s.answer, s.percent) for s in baker.experience] == [("Up to a month", 20.0)]
    assert (baker.job_zone, by_code(release, OTHER).job_zone) == (2, None)
    assert [(r.code, r.title, r.tier, r.index) for r in baker.related] == [
        (OTHER, "Production Workers, All Other", "Primary-Short", 1)
    ]
    assert [(s.element, s.answer, s.percent) for s in baker.metadata] == [("Data Collection Mode", "Paper", 18.9)]
    assert (release.job_zones[0].zone, release.job_zones[0].training) == (2, "Months")


def test_work_styles_of_the_old_layout_are_importance_and_of_30_1_impact_and_rank(tmp_path: Path, release: Release) -> None:
    new = by_code(release, BAKER).work_styles[0]
    assert (new.importance, new.ratings) == (None, (Rating("WI", -0.5), Rating("DR", 7.0)))
    old_release = read_release(write_release(tmp_path / "old", old_layout()))
    assert old_release.name == "O*NET 28.0"
    assert by_code(old_release, BAKER).work_styles[0].importance == Rating("IM", 4.1, False)


def test_the_layout_from_30_3_on_is_read_by_its_names(tmp_path: Path) -> None:
    release = read_release(write_release(tmp_path / "new", new_layout()))
    clerk = by_code(release, CLERK)
    assert [s.name for s in clerk.skills] == ["Mental Arithmetic", "Negotiating"]
    assert clerk.technologies == (Technology("LedgerBook", "Accounting software", "2.E.1", False, True),)
    assert clerk.alternate_titles == (AlternateTitle("Books Clerk"),)
    assert by_code(release, BAKER).interests[0].name == "Realistic"
    assert by_code(release, BAKER).work_values == ()


def test_a_layout_that_is_not_recognised_gets_an_error_that_lists_the_tables_found(tmp_path: Path) -> None:
    tables = {name: rows for name, rows in TABLES.items() if name != "Knowledge"} | {"Things Known": TABLES["Knowledge"]}
    with pytest.raises(OnetError, match=r"missing table Knowledge; tables found: .*Things Known"):
        read_release(write_release(tmp_path, tables))


@pytest.mark.parametrize("name", OPTIONAL)
def test_each_optional_table_may_be_absent(tmp_path: Path, name: str) -> None:
    release = read_release(write_release(tmp_path, {key: rows for key, rows in TABLES.items() if key != name}))
    assert len(release.occupations) == 3


def test_a_zip_with_its_inner_folder_gives_the_same_release(tmp_path: Path, release: Release) -> None:
    assert read_release(zip_release(tmp_path / "db.zip")) == release
    (tmp_path / "outer").mkdir()
    write_release(tmp_path / "outer" / "db_30_1_text")
    assert read_release(tmp_path / "outer") == release


def _changed(name: str, change: tuple[str, str]) -> dict[str, list[str]]:
    rows = [row.replace(*change) for row in TABLES[name]]
    assert rows != TABLES[name]
    return {**TABLES, name: rows}


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        (
            "Task Statements",
            ("Task ID", "Task Number"),
            r"Task Statements\.txt, line 1: no column 'Task ID'; found O\*NET-SOC Code, Task Number",
        ),
        (
            "Task Statements",
            ("\tCore\t50", "\tCore"),
            r"Task Statements\.txt, line 2, column 'Domain Source': 6 fields, expected 7",
        ),
        (
            "Job Zones",
            (f"{CLERK}\t3", "11-1111.00\t3"),
            r"Job Zones\.txt, line 3, column 'O\*NET-SOC Code': '11-1111\.00' is not a code",
        ),
        (
            "Knowledge",
            ("\tLV\t", "\tIM\t"),
            r"Knowledge\.txt, line 3, column 'O\*NET-SOC Code': 51-3011\.00 / 2\.C\.1 / IM stands twice",
        ),
        ("Occupation Data", (CLERK, BAKER), r"Occupation Data\.txt, line 3, .*51-3011\.00 stands twice"),
        (
            "Occupation Data",
            (OTHER, "51-9199"),
            r"Occupation Data\.txt, line 4, column 'O\*NET-SOC Code': '51-9199', expected a code",
        ),
        ("Knowledge", ("4.50", "high"), r"Knowledge\.txt, line 2, column 'Data Value': 'high' is not a number or n/a"),
        (
            "Tasks to DWAs",
            ("D02", "D77"),
            r"Tasks to DWAs\.txt, line 3, column 'DWA ID': '4\.A\.1\.I01\.D77' is not in DWA Reference",
        ),
        ("Tasks to DWAs", ("\t12\t", "\t77\t"), r"column 'Task ID': '77' is not a task of 51-3011\.00"),
        ("Related Occupations", (f"\t{OTHER}", "\t11-1111.00"), r"related code '11-1111\.00' is not a code of Occupation Data"),
    ],
)
def test_bad_data_is_one_error_with_file_line_and_column(tmp_path: Path, name: str, change: tuple[str, str], message: str) -> None:
    with pytest.raises(OnetError, match=message):
        read_release(write_release(tmp_path, _changed(name, change)))


def test_bytes_that_are_not_utf8_are_named_by_line_and_column(tmp_path: Path) -> None:
    folder = write_release(tmp_path)
    path = folder / "Occupation Data.txt"
    path.write_bytes(path.read_bytes().replace(b"Keeps", b"K\xe9eps"))
    with pytest.raises(OnetError, match=r"Occupation Data\.txt, line 3, column 3: byte 0xe9 is not UTF-8"):
        read_release(folder)


def test_something_that_is_no_release_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OnetError, match="not found"):
        read_release(tmp_path / "nowhere")
    (tmp_path / "file.zip").write_bytes(b"no zip")
    with pytest.raises(OnetError, match="neither a folder nor a zip"):
        read_release(tmp_path / "file.zip")
    (tmp_path / "empty").mkdir()
    with pytest.raises(OnetError, match="tables found: none"):
        read_release(tmp_path / "empty")


def test_a_zip_with_a_thousand_members_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "many.zip", "w") as bundle:
        for i in range(1000):
            bundle.writestr(f"{i}.txt", "x")
    with pytest.raises(OnetError, match="more than 500 files"):
        read_release(tmp_path / "many.zip")


def test_every_table_of_30_1_is_read_or_named_as_unread(shared: Path) -> None:
    tables = {p.stem for p in (shared / "onet" / "30.1").glob("*.txt")} - {"Read Me"}
    read = {name for table in READ for name in table.names}
    assert tables - read - set(UNREAD) == set()
    assert set(UNREAD) & read == set()


def test_release_30_1_has_the_counts_that_its_tables_have(real_release: Release) -> None:
    occupations = real_release.occupations
    assert real_release.name == "O*NET 30.1"
    assert len(occupations) == 1016
    assert sum(bool(o.tasks) for o in occupations) == 923
    assert sum(not t.emerging for o in occupations for t in o.tasks) == 18796
    assert len(real_release.activities) == 2087
    assert sum(len(t.activity_ids) for o in occupations for t in o.tasks) == 23850
    assert sum(len(o.alternate_titles) for o in occupations) == 56505
    assert sum(len(o.technologies) for o in occupations) == 32773
    assert sum(bool(o.knowledge) for o in occupations) == 894
