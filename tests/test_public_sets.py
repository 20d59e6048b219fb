"""Public evaluation sets are rebuilt from files in their publishers' layout."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from matcher.evaluation import read_labelled
from tests.benchmarks.public_sets import (
    MATCHES,
    PublicSetError,
    codes_of_soc,
    esco_rows,
    main,
    of_soc,
    plural,
    read_crosswalk,
    read_table,
    title_rows,
    without_name,
)
from tests.onet_fixture import BAKER, CLERK, OTHER, write_release

PUBLIC = Path(__file__).parent / "fixtures" / "public"
OCCUPATIONS, CROSSWALK = PUBLIC / "occupations_en.csv", PUBLIC / "crosswalk.csv"


@pytest.fixture(scope="module")
def onet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_release(tmp_path_factory.mktemp("release") / "onet")


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


# -- ESCO --


def test_a_description_has_its_own_name_replaced_and_every_code_that_the_crosswalk_gives() -> None:
    baker, clerk = esco_rows(OCCUPATIONS, CROSSWALK)[0]
    assert baker == {
        "id": "00000000-0000-4000-8000-000000000001",
        "text": 'They bake rolls above the clouds, and weigh "heavy" flour. They keep ovens level. A They sleeps by day.',
        "labels": [BAKER, CLERK],
        "match": "closeMatch",
        "name": "zeppelin baker",
    }
    assert (clerk["labels"], clerk["match"]) == ([CLERK], "exactMatch")


def test_an_occupation_without_description_has_titles_only_and_one_without_link_has_nothing() -> None:
    descriptions, titles = esco_rows(OCCUPATIONS, CROSSWALK)
    assert [row["name"] for row in descriptions] == ["zeppelin baker", "moon ledger clerk"]
    assert [(row["id"][-3:], row["title"], row["labels"]) for row in titles] == [
        ("1/0", "zeppelin baker", [BAKER, CLERK]),
        ("1/1", "airship baker", [BAKER, CLERK]),
        ("1/2", "bread maker, airships", [BAKER, CLERK]),
        ("2/0", "moon ledger clerk", [CLERK]),
        ("2/1", "lunar bookkeeper", [CLERK]),
        ("4/0", "cloud presser", [OTHER]),
    ]


def test_the_strongest_link_to_a_code_counts_and_links_to_a_group_are_left_out() -> None:
    links = read_crosswalk(CROSSWALK)
    assert len(links) == 3
    assert all("/occupation/" in uri for uri in links)
    first = links["http://data.europa.eu/esco/occupation/00000000-0000-4000-8000-000000000001"]
    # The file gives the baker as close and, a line on, as broad; the clerk before both as broad.
    assert (first.codes, first.match) == ((BAKER, CLERK), "closeMatch")


@pytest.mark.parametrize(
    ("name", "several"),
    [("baker", "bakers"), ("pit boss", "pit bosses"), ("coach", "coaches"), ("secretary", "secretaries"), ("fireman", "firemen")],
)
def test_a_name_is_found_in_the_plural_too(name: str, several: str) -> None:
    assert plural(name) == several
    assert without_name(f"{several.capitalize()} work. So does the {name}, not the {name}ette.", [name]) == (
        f"They work. So does the They, not the {name}ette."
    )


@pytest.mark.parametrize(
    ("line", "found", "expected"),
    [
        ("51-3011,http://x/esco/occupation/1,exactMatch", "'51-3011'", "15-1252.00"),
        ("51-3011.00,http://x/esco/occupation/1,sameMatch", "'sameMatch'", ", ".join(MATCHES)),
    ],
)
def test_a_crosswalk_with_a_strange_value_is_refused_with_it(line: str, found: str, expected: str, tmp_path: Path) -> None:
    path = written(tmp_path, "crosswalk.csv", f"O*NET Id,ESCO or ISCO URI,Type of Match\n{line}\n")
    with pytest.raises(PublicSetError) as caught:
        read_crosswalk(path)
    assert found in str(caught.value)
    assert expected in str(caught.value)


# -- titles --


def test_a_disclosure_file_gives_each_certified_title_once_with_all_codes_of_its_soc(onet: Path) -> None:
    found = title_rows(PUBLIC / "disclosure.csv", codes_of_soc(onet, None), rows=None, seed=1)
    assert [(row["title"].casefold(), row["labels"]) for row in found.rows] == [
        ("ledger clerk ii", [CLERK]),
        ("oven lead", [OTHER]),
        ("sr. baker", [BAKER]),
    ]
    assert found.left_out == {"not certified": 1, "no title": 1, "a code that O*NET lacks": 1, "a title again": 1}


def test_a_sample_is_the_same_for_a_seed_and_another_for_another(onet: Path) -> None:
    codes = codes_of_soc(onet, None)
    draws = [
        [r["title"] for r in title_rows(PUBLIC / "disclosure.csv", codes, rows=1, seed=seed).rows] for seed in (1, 1, *range(2, 20))
    ]
    assert draws[0] == draws[1]
    assert len(draws[0]) == 1
    assert len({tuple(draw) for draw in draws}) > 1


def test_codes_of_2010_are_walked_to_today(onet: Path) -> None:
    codes = codes_of_soc(onet, PUBLIC / "walk.csv")
    assert of_soc(codes, "43-9999.00") == (CLERK, OTHER)
    assert of_soc(codes, "43-9999.01") == (OTHER,)
    assert of_soc(codes, "51-3011") == (BAKER, OTHER)
    assert of_soc(codes_of_soc(onet, None), "51-3011") == (BAKER,)
    assert of_soc(codes, "51-9199") == (OTHER,)
    assert of_soc(codes, "11-0000") == ()


def test_a_suffix_of_nought_says_nothing_and_another_one_occupation() -> None:
    codes = {"29-1141": ("29-1141.00", "29-1141.01"), "29-1141.01": ("29-1141.01",)}
    assert of_soc(codes, " 29-1141.00 ") == of_soc(codes, "291141") == ("29-1141.00", "29-1141.01")
    assert of_soc(codes, "29-1141.01") == ("29-1141.01",)
    assert of_soc(codes, "29-9999") == ()


# -- reading --


def test_any_file_with_title_and_soc_is_read_in_an_older_encoding_and_with_semicolons(onet: Path, tmp_path: Path) -> None:
    older = tmp_path / "titles.csv"
    older.write_bytes("soc;title;note\n513011;Café baker;x\n43-3031;Clerk of the ledger;\n".encode("cp1252"))
    assert main(["titles", str(older), "--onet", str(onet), "--out", str(tmp_path)]) == 0
    rows = [json.loads(line) for line in (tmp_path / "titles.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [(row["title"], row["labels"]) for row in rows] == [("Café baker", [BAKER]), ("Clerk of the ledger", [CLERK])]


def test_what_is_written_can_be_evaluated(onet: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["esco", "--occupations", str(OCCUPATIONS), "--crosswalk", str(CROSSWALK), "--out", str(tmp_path)]) == 0
    assert main(["titles", str(PUBLIC / "disclosure.csv"), "--onet", str(onet), "--out", str(tmp_path)]) == 0
    assert [len(read_labelled(tmp_path / f"{name}.jsonl")) for name in ("esco_descriptions", "esco_titles", "h1b_titles")] == [
        2,
        6,
        3,
    ]
    assert "2 rows, 1 with more than one code" in capsys.readouterr().out


def test_a_missing_column_is_named_with_those_found_and_those_expected(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path, "occupations_en.csv", "conceptUri,prefLabel,altLabels,description\nx,y,z,w\n")
    assert main(["esco", "--occupations", str(path), "--crosswalk", str(CROSSWALK), "--out", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert (
        "no column preferredLabel; found conceptUri, prefLabel, altLabels, description; expected conceptUri, preferredLabel" in said
    )


def test_a_column_has_the_names_of_several_years(tmp_path: Path) -> None:
    path = written(tmp_path, "old.csv", "Status\tJob title\tSOC code\nCERTIFIED\tBaker\t51-3011\n")
    assert list(read_table(path, (("CASE_STATUS", "STATUS"), "JOB_TITLE"))) == [{"CASE_STATUS": "CERTIFIED", "JOB_TITLE": "Baker"}]


def test_text_in_sixteen_bits_is_read_and_a_workbook_is_refused_with_the_way_out(tmp_path: Path) -> None:
    wide = tmp_path / "wide.csv"
    wide.write_bytes("title\tsoc\nBaker\t51-3011\n".encode("utf-16"))
    assert list(read_table(wide, ("soc",))) == [{"soc": "51-3011"}]
    for name in ("book.xlsx", "renamed.csv"):
        (tmp_path / name).write_bytes(b"PK\x03\x04")
        with pytest.raises(PublicSetError, match="save as, CSV"):
            list(read_table(tmp_path / name, ("title",)))


@pytest.mark.parametrize("text", ["", "nothing here\n" * 60])
def test_a_file_without_heading_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(PublicSetError, match=r"empty\.csv: no column title, soc"):
        list(read_table(written(tmp_path, "empty.csv", text), ("title", "soc")))


def test_files_that_do_not_belong_together_leave_no_row_and_that_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(
        tmp_path, "crosswalk.csv", "O*NET Id,ESCO or ISCO URI,Type of Match\n51-3011.00,http://x/esco/occupation/none,exactMatch\n"
    )
    assert main(["esco", "--occupations", str(OCCUPATIONS), "--crosswalk", str(path), "--out", str(tmp_path)]) == 1
    assert "no row is left" in capsys.readouterr().err


def test_a_release_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["titles", str(PUBLIC / "disclosure.csv"), "--onet", str(tmp_path / "none"), "--out", str(tmp_path)]) == 1
    assert "none" in capsys.readouterr().err
