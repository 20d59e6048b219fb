"""The text release: what is read, in each layout, and how bad data is refused."""

from __future__ import annotations

import zipfile
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import matcher.onet
from matcher.onet import TABLES as READ
from matcher.onet import UNREAD, OnetError, read_release
from matcher.records import Activity, AlternateTitle, Occupation, Rating, Release, Technology, Tool, importance_percent
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
    baker, clerk = by_code(release, BAKER), by_code(release, CLERK)
    assert release.name == "O*NET 30.3"
    assert [s.name for s in clerk.skills] == ["Mental Arithmetic", "Negotiating"]
    assert clerk.technologies == (
        Technology("LedgerBook", "Accounting software", "2.E.1", False, True),
        Technology("Invoice Pad", "Accounting software", "2.E.1", None, None),
    )
    assert clerk.alternate_titles == (AlternateTitle("Books Clerk"),)
    assert baker.alternate_titles[1] == AlternateTitle("Pastry Maker First Class", "Pastry Maker")
    assert baker.interests[0].name == "Realistic"
    assert baker.work_values == ()


def test_what_30_3_renames_or_splits_gives_the_same_records_as_30_1(tmp_path: Path, release: Release) -> None:
    new = read_release(write_release(tmp_path / "new", layout="30.3"))
    old_baker, new_baker = by_code(release, BAKER), by_code(new, BAKER)
    assert new.activities == release.activities
    assert Activity("4.A.1.I01.D01", "Warm ovens") in new.activities
    for what in ("tasks", "activities", "alternate_titles", "education", "experience", "interests", "knowledge", "work_context"):
        assert getattr(new_baker, what) == getattr(old_baker, what) != ()


def test_the_tables_of_two_layouts_in_one_folder_are_refused_and_not_chosen_from(tmp_path: Path) -> None:
    both = {**TABLES, "Job Titles": new_layout()["Job Titles"]}
    with pytest.raises(OnetError, match="Alternate Titles and Job Titles are one table in two layouts; expected one release"):
        read_release(write_release(tmp_path, both))


def test_a_table_that_nobody_foresaw_is_listed_and_one_that_is_left_unread_on_purpose_is_not(tmp_path: Path) -> None:
    tables = {**TABLES, "Smells of Work": ["Element ID\tSmell", "1\tYeast"], "IWA Reference": ["Element ID", "4.A.1"]}
    listed = [(d.where, d.why) for d in read_release(write_release(tmp_path, tables)).dropped]
    assert ("Smells of Work", "not a table that this reader knows") in listed
    assert not [where for where, _ in listed if where == "IWA Reference"]


def test_ratings_in_the_education_table_are_not_taken_for_percentages(release: Release) -> None:
    # The fixture has an importance of 3.10 for certificates beside the shares; Share.percent is 0–100.
    baker = by_code(release, BAKER)
    assert [(s.element, s.percent) for s in baker.education + baker.experience] == [
        ("Required Level of Education", 55.0),
        ("Related Work Experience", 20.0),
    ]


def test_rows_that_stand_twice_in_a_table_without_a_key_are_kept_once_and_listed(tmp_path: Path) -> None:
    twice = {
        name: [*TABLES[name], TABLES[name][1]] for name in ("Alternate Titles", "Technology Skills", "Tools Used", "Emerging Tasks")
    }
    twice["Read Me"] = TABLES["Read Me"]
    plain = read_release(write_release(tmp_path / "plain"))
    doubled = read_release(write_release(tmp_path / "doubled", {**TABLES, **twice}))
    assert doubled.occupations == plain.occupations
    new = {d.where: d.why for d in set(doubled.dropped) - set(plain.dropped)}
    assert new == {
        "Alternate Titles, line 5": "the same row stands above",
        "Technology Skills, line 4": "the same row stands above",
        "Tools Used, line 3": "the same row stands above",
        "Emerging Tasks, line 4": "the same task stands above",
    }


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


def test_a_byte_order_mark_windows_line_ends_and_blank_lines_change_nothing(tmp_path: Path, release: Release) -> None:
    folder = write_release(tmp_path / "windows")
    for path in folder.iterdir():
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n") + b"\r\n")
    assert read_release(folder) == release


@pytest.mark.parametrize(
    ("where", "name"),
    [
        ("db_29_2_text", "O*NET 29.2"),
        ("onet-29.2", "O*NET 29.2"),
        ("copy of 2029_11_02", "O*NET (unknown release)"),
        ("mine", "O*NET (unknown release)"),
    ],
)
def test_the_release_is_named_by_its_folder_where_it_has_no_read_me(tmp_path: Path, where: str, name: str) -> None:
    tables = {key: rows for key, rows in TABLES.items() if key != "Read Me"}
    assert read_release(write_release(tmp_path / where, tables)).name == name
    assert read_release(zip_release(tmp_path / "download.zip", tables, inner=f"{where}/")).name == name


def test_a_read_me_in_another_encoding_still_names_the_release(tmp_path: Path) -> None:
    folder = write_release(tmp_path)
    (folder / "Read Me.txt").write_bytes("O*NET® 30.1 Database".encode("latin-1"))
    assert read_release(folder).name == "O*NET 30.1"


def _changed(name: str, change: tuple[str, str]) -> dict[str, list[str]]:
    rows = [row.replace(*change) for row in TABLES[name]]
    assert rows != TABLES[name]
    return {**TABLES, name: rows}


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("Job Zones", ("Analyst", "Analyst\tmore"), r"Job Zones\.txt, line 2, column 'Domain Source': 5 fields, expected 4"),
        ("Occupation Data", ("\tBakers\t", "\t\t"), r"Occupation Data\.txt, line 2, column 'Title': is empty"),
        ("Task Statements", ("Light the oven before dawn", ""), r"Task Statements\.txt, line 3, column 'Task': is empty"),
        ("Knowledge", ("4.50", "nan"), r"Knowledge\.txt, line 2, column 'Data Value': 'nan' is not a number"),
        ("Knowledge", ("4.50", "1e999"), r"Knowledge\.txt, line 2, column 'Data Value': '1e999' is not a number"),
        ("Knowledge", ("4.50", "4_5"), r"Knowledge\.txt, line 2, column 'Data Value': '4_5' is not a number"),
        ("Job Zones", ("\t2\t", "\t2.5\t"), r"Job Zones\.txt, line 2, column 'Job Zone': '2\.5' is not a whole number"),
        ("Job Zone Reference", ("2\tZone", "²\tZone"), r"Job Zone Reference\.txt, line 2, column 'Job Zone': '²' is not a number"),
        ("Occupation Data", (OTHER, "５1-9199.00"), r"Occupation Data\.txt, line 4, .*'５1-9199\.00', expected a code"),
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
        (
            "Related Occupations",
            (f"\t{OTHER}", "\t11-1111.00"),
            r"Related Occupations\.txt, line 2, column 'Related O\*NET-SOC Code': '11-1111\.00' is not a code",
        ),
    ],
)
def test_bad_data_is_one_error_with_file_line_and_column(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, change: tuple[str, str], message: str
) -> None:
    folder = write_release(tmp_path, _changed(name, change))
    for chunk in (1, 2, 1024):  # whether the rows before it were checked together with it or not
        monkeypatch.setattr(matcher.onet, "_CHUNK", chunk)
        with pytest.raises(OnetError, match=message):
            read_release(folder)


def test_a_key_that_stands_in_both_parts_of_a_split_table_is_refused(tmp_path: Path) -> None:
    tables = {**new_layout(), "Transferable Skills": TABLES["Skills"]}
    with pytest.raises(OnetError, match=r"Transferable Skills\.txt, line 2, .*43-3031\.00 / 2\.A\.1 / IM stands twice"):
        read_release(write_release(tmp_path, tables))


def test_a_blank_line_does_not_shift_the_line_that_an_error_names(tmp_path: Path) -> None:
    tables = {**TABLES, "Job Zones": [TABLES["Job Zones"][0], "", *TABLES["Job Zones"][1:], "11-1111.00\t3\tx\tx"]}
    with pytest.raises(OnetError, match=r"Job Zones\.txt, line 5, .*'11-1111\.00' is not a code"):
        read_release(write_release(tmp_path, tables))


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_stands_in_one_cell_a_release_is_read_or_refused_with_our_error(tmp_path: Path, data: st.DataObject) -> None:
    layout = data.draw(st.sampled_from(["30.1", "30.3"]))
    folder = tmp_path / layout
    if not folder.exists():
        write_release(folder, layout=layout)
    path = data.draw(st.sampled_from(sorted(folder.iterdir())))
    whole = path.read_text(encoding="utf-8")
    rows = [row.split("\t") for row in whole.splitlines()]
    row = data.draw(st.integers(0, len(rows) - 1))
    cell = data.draw(st.integers(0, len(rows[row]) - 1))
    rows[row][cell] = data.draw(st.text(max_size=8) | st.sampled_from(["-1", "9" * 400, "nan", "1e5", "٣", "\x00", "\r", "n/a"]))
    path.write_bytes("\n".join("\t".join(fields) for fields in rows).encode("utf-8", "surrogatepass"))
    try:
        outcome = f"read {len(read_release(folder).occupations)} occupations"
    except OnetError as error:
        outcome = str(error)
    finally:
        path.write_text(whole, encoding="utf-8")
    assert outcome.startswith(("read 2", "read 3", "read 4", str(folder)))


def test_bytes_that_are_not_utf8_are_named_by_line_and_column(tmp_path: Path) -> None:
    folder = write_release(tmp_path)
    path = folder / "Occupation Data.txt"
    path.write_bytes(path.read_bytes().replace(b"Keeps", b"K\xe9eps"))
    with pytest.raises(OnetError, match=r"Occupation Data\.txt, line 3, column 'Description': byte 0xe9 is not UTF-8"):
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


def test_a_table_that_unpacks_to_more_than_any_of_o_net_s_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = {**TABLES, "Knowledge": [*TABLES["Knowledge"], "x" * 50_000]}
    monkeypatch.setattr(matcher.onet, "_MOST_TABLE_BYTES", 20_000)
    for path in (zip_release(tmp_path / "bomb.zip", bomb), write_release(tmp_path / "bomb", bomb)):
        with pytest.raises(OnetError, match=r"Knowledge\.txt: more than 20,000 bytes"):
            read_release(path)


def test_an_archive_with_two_releases_is_refused_and_not_chosen_from(tmp_path: Path) -> None:
    path = zip_release(tmp_path / "two.zip")
    with zipfile.ZipFile(path, "a") as bundle:
        bundle.writestr("db_29_2_text/Knowledge.txt", "x")
    with pytest.raises(OnetError, match=r"Knowledge stands twice, as db_30_1_text/Knowledge\.txt and db_29_2_text/Knowledge\.txt"):
        read_release(path)


def test_an_archive_packed_in_another_way_than_o_net_s_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "lzma.zip", "w", zipfile.ZIP_BZIP2) as bundle:
        for name, rows in TABLES.items():
            bundle.writestr(f"{name}.txt", "\n".join(rows))
    with pytest.raises(OnetError, match=r"cannot be read \(neither stored nor deflated"):
        read_release(tmp_path / "lzma.zip")


def test_a_damaged_archive_gives_the_release_or_our_error_and_never_another_release(tmp_path: Path, release: Release) -> None:
    whole = zip_release(tmp_path / "whole.zip").read_bytes()
    random, damaged, refused = Random(30_1), tmp_path / "damaged.zip", 0
    for turn in range(300):
        data = bytearray(whole)
        for _ in range(random.choice([1, 1, 4])):
            data[random.randrange(len(data))] ^= 1 << random.randrange(8)
        damaged.write_bytes(data[: random.randrange(len(data))] if turn % 5 == 0 else data)
        try:
            read = read_release(damaged)
        except OnetError:
            refused += 1
        else:
            # No checksum guards a member's name: a flip there hides an optional table. What is read is as it was.
            assert [(o.code, o.description) for o in read.occupations] == [(o.code, o.description) for o in release.occupations]
            assert read.activities == release.activities
            assert [t.text for o in read.occupations for t in o.tasks if not t.emerging] == [
                t.text for o in release.occupations for t in o.tasks if not t.emerging
            ]
    assert refused > 150


def test_every_table_of_30_1_is_read_or_named_as_unread(shared: Path) -> None:
    tables = {p.stem for p in (shared / "onet" / "30.1").glob("*.txt")} - {"Read Me"}
    read = {name for table in READ for name in table.names}
    assert tables - read - set(UNREAD) == set()
    assert set(UNREAD) & read == set()


def test_every_table_of_30_3_is_read_or_named_as_unread() -> None:
    tables = (
        "Abilities|Abilities to Work Activities|Abilities to Work Context|Career Interest Type Keywords|Career Interest Types|"
        "Content Model Reference|Education|Education Categories|Emerging Tasks|Essential Skills|Essential Skills to Work Activities|"
        "Essential Skills to Work Context|GWAs to IWAs|GWAs to IWAs to DWAs|Interests Illustrative Activities|"
        "Interests Illustrative Occupations|Job Titles|Job Zone Reference|Job Zones|Knowledge|Level Scale Anchors|Occupation Data|"
        "Occupation Level Metadata|Related Occupations|Sample of Reported Titles|Scales Reference|Software Skills|"
        "Specific Interest Areas|Specific Interest Areas to Career Interest Types|Survey Booklet Locations|Task Categories|"
        "Task Ratings|Task Statements|Tasks to DWAs|Training and Experience|Training and Experience Categories|Transferable Skills|"
        "Transferable Skills to Work Activities|Transferable Skills to Work Context|Work Activities|Work Context|"
        "Work Context Categories|Work Styles|Work Styles to Work Activities|Work Styles to Work Context"
    ).split("|")
    assert len(tables) == 45
    assert set(tables) - {name for table in READ for name in table.names} - set(UNREAD) == set()


def test_release_30_1_drops_revised_tasks_and_nothing_else(real_release: Release) -> None:
    assert {d.why for d in real_release.dropped} == {"the task in force is kept"}
    assert len(real_release.dropped) == 53
    assert sum(t.emerging for o in real_release.occupations for t in o.tasks) == 275
    shares = [s for o in real_release.occupations for s in o.education + o.experience]
    assert len(shares) == 10536 + 9658 + 2 * 7902
    assert all(s.percent is None or 0 <= s.percent <= 100 for s in shares)


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
