"""The audit: what is exchanged, what is damaged, how changes and impact are counted, and how it is shown."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from matcher.audit import (
    ADDRESSES,
    NAMES,
    PDF,
    PRONOUNS,
    Answer,
    AuditError,
    Person,
    Resume,
    _Tally,
    by_group,
    dressed,
    has_reportlab,
    impact_of,
    read_resumes,
    run_audit,
    shifted,
    swaps,
    through_pdf,
    with_lines_shuffled,
    with_typos,
    without_punctuation,
)
from matcher.audit_cli import audit
from matcher.audit_report import html_of, print_audit
from matcher.contacts import is_family_remark, looks_like_name, neutral
from matcher.index import OccupationIndex, build_index
from matcher.match import Matcher
from matcher.resume import read_query
from tests.invented import RELEASE, WordEncoder

TEXTS = {
    "garage": "Experience\nGarage Hand, Tin Fox Motors, 2012 to 2019\n- Replaced brake pads, rotors and calipers\n- Traced wiring with a scan tool\n",
    "bakery": "Experience\nLoaf Maker, Crumb & Daughters, 2009 to 2016\n- Kneaded dough for loaves and rolls\n- Set oven temperatures at dawn\n",
    "court": "Experience\nClerk to a Judge, Quill Chambers, 2001 to 2011\n- Researched statutes and past rulings for a case\n- Drafted contracts\n",
}
LABELS = {"garage": "49-3023.00", "bakery": "51-3011.00", "court": "23-1011.00"}
PERSON = Person("Rosa", "Baker", ADDRESSES[0], "Ohio State University", 2007)


@pytest.fixture(scope="module")
def matcher(tmp_path_factory: pytest.TempPathFactory) -> Matcher:
    out = tmp_path_factory.mktemp("index")
    build_index(RELEASE, WordEncoder(), out)
    return Matcher(OccupationIndex.load(out), WordEncoder())


@pytest.fixture(scope="module")
def resumes() -> list[Resume]:
    return [Resume(name, text, frozenset({LABELS[name]})) for name, text in TEXTS.items()]


@pytest.fixture(scope="module")
def report(matcher: Matcher, resumes: list[Resume]) -> dict[str, Any]:
    with pytest.MonkeyPatch.context() as patch:
        # A child process for each PDF is for the one test that is about it.
        patch.setattr("matcher.audit.has_reportlab", lambda: False)
        return run_audit(matcher, resumes)


def test_names_addresses_titles_and_schools_change_nothing_that_is_read(report: dict[str, Any]) -> None:
    for what in ("name", "title", "address", "school"):
        assert report["swaps"][what]["ten"] == 0, report["values"][what]


def test_every_thing_of_a_person_is_exchanged(report: dict[str, Any]) -> None:
    assert {what: report["swaps"][what]["n"] for what in report["swaps"]} == {
        "name": 3 * 2 * len(NAMES),
        "pronoun": 3 * 5,
        "title": 3 * 5,
        "address": 3 * 7,
        "school": 3 * 9,
        "graduation year": 3 * 5,
        "all years": 3 * 4,
        "family remark": 3 * 6,
    }


def test_the_same_seed_gives_the_same_report(matcher: Matcher, resumes: list[Resume], report: dict[str, Any]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("matcher.audit.has_reportlab", lambda: False)
        assert json.dumps(run_audit(matcher, resumes)) == json.dumps(report)


def test_a_swap_changes_the_one_thing_only() -> None:
    resume = Resume("garage", TEXTS["garage"])
    base = dressed(resume.text, PERSON)
    for value, text in swaps(resume, PERSON, random.Random(1))["school"]:
        assert text.replace(value, PERSON.school) == base
    for origin_and_gender, text in swaps(resume, PERSON, random.Random(1))["name"]:
        origin, gender = origin_and_gender.rsplit(", ", 1)
        given = NAMES[origin][0 if gender == "woman" else 1]
        assert any(text.startswith(name) for name in given)
        assert text.split("\n\n", 1)[1] == base.split("\n\n", 1)[1]


def test_a_header_holds_the_person_in_every_form() -> None:
    for form in range(4):
        person = Person("Rosa", "Baker", ADDRESSES[7], "Ohio State University", 2007, PRONOUNS[5], "Mx.", "Divorced.", form)
        text = dressed(TEXTS["court"], person)
        assert text.casefold().startswith("mx. rosa baker (they/them)")
        assert "Lyon, France" in text
        assert "Ohio State University, 2007" in text
        assert "Divorced." in text
        assert TEXTS["court"].strip() in text
        assert [p.role for p in read_query(text=text).phrases].count("title") == 1, form


def test_years_are_moved_and_other_figures_are_not() -> None:
    assert (
        shifted("2012 to 2019, $2,012 and 2015.5 and 20150 items, 1066", -3)
        == "2009 to 2016, $2,012 and 2015.5 and 20150 items, 1066"
    )


def test_typos_are_as_many_as_asked_for_and_the_same_for_a_seed() -> None:
    text = "abcdefghij" * 100
    damaged = with_typos(text, 0.05, random.Random(3))
    assert damaged == with_typos(text, 0.05, random.Random(3)) != with_typos(text, 0.05, random.Random(4))
    # 50 places; a letter lost or doubled moves the rest, so length tells little: compare the pieces between.
    assert sum(a != b for a, b in zip(text, with_typos(text, 0.01, random.Random(3)), strict=False)) > 0
    assert with_typos(text, 0.0, random.Random(3)) == text
    assert abs(len(damaged) - len(text)) <= 50


def test_damage_keeps_what_it_should() -> None:
    assert without_punctuation("C++, (SQL) - 50 %") == "C     SQL    50  "
    shuffled = with_lines_shuffled("a\nb\nc\nd\ne\nf", random.Random(0))
    assert shuffled != "a\nb\nc\nd\ne\nf"
    assert sorted(shuffled.split("\n")) == list("abcdef")


def test_a_change_is_counted_where_it_is() -> None:
    before = Answer(("a", "b", "c", "d", "e", "f"), 0.5)
    tally = _Tally()
    tally.add(before, before)
    tally.add(before, Answer(("a", "b", "c", "d", "e", "g"), 0.505))
    tally.add(before, Answer(("a", "c", "b", "d", "e", "f"), 0.52))
    tally.add(before, Answer((), None))
    # Of four: the first changed once, the first five twice, the first ten three times, the score by more than .01 twice.
    assert tally.to_dict() == {"n": 4, "first": 0.25, "five": 0.5, "ten": 0.75, "score": 0.5}
    unscored = _Tally()
    unscored.add(Answer(("a",), None), Answer(("b",), None))
    assert unscored.to_dict()["score"] is None


def test_impact_ratios_are_rates_over_the_highest_rate() -> None:
    impact = impact_of({"x": {"15": 8, "35": 2}, "y": {"15": 4, "35": 4, "none": 2}})
    # 15: .8 and .4; 35: .2 and .4.
    assert impact["table"]["15"]["y"] == {"n": 10, "selected": 4, "rate": 0.4, "ratio": 0.5}
    assert impact["table"]["35"]["x"]["ratio"] == 0.5
    assert impact["least"]["15"] == {"ratio": 0.5, "name": "y"}
    assert impact["least"]["none"] == {"ratio": 0.0, "name": "x"}


def _rows(major: str, n: int, hits: int) -> list[tuple[Resume, float]]:
    return [(Resume(f"{major}{k}", "", frozenset({f"{major}-1011.00"})), float(k < hits)) for k in range(n)]


def test_a_large_group_below_half_of_the_mean_is_flagged_and_a_small_one_is_not() -> None:
    rows = _rows("11", 60, 48) + _rows("35", 20, 2) + _rows("53", 14, 0)
    groups = by_group(rows, lambda code: code[:2])
    # The mean is 50 of 94, half of it .27: .1 of 20 rows is below, 0 of 14 is too few to say.
    assert [(name, share["n"], share["flag"]) for name, share in groups.items()] == [
        ("11", 60, False),
        ("35", 20, True),
        ("53", 14, False),
    ]


def test_a_row_belongs_to_the_group_of_most_of_its_labels() -> None:
    rows = [
        (Resume("r", "", frozenset({"15-1252.00", "11-3021.00", "15-1251.00"})), 1.0),
        (Resume("s", "", frozenset({"99"})), 0.0),
    ]
    assert sorted(by_group(rows, lambda code: code[:2] if code != "99" else None)) == ["15", "unknown"]


def test_hits_are_reported_by_group_and_zone_and_damage(report: dict[str, Any]) -> None:
    assert report["hit@5"]["n"] == 3
    assert sorted(report["groups"]) == ["23", "49", "51"]
    assert sorted(report["zones"]) == ["2", "3", "5"]
    assert report["robustness"]["all capitals"]["hit@5"]["n"] == 3
    assert report["skipped"] == [f"{PDF}: reportlab is not installed"]
    assert report["swaps"]["name"]["score"] is None or 0 <= report["swaps"]["name"]["score"] <= 1


def test_rows_without_labels_are_audited_without_hits(matcher: Matcher) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("matcher.audit.has_reportlab", lambda: False)
        report = run_audit(matcher, [Resume("x", TEXTS["garage"])])
    assert report["hit@5"] is None
    assert report["groups"] == {}
    assert report["robustness"]["all capitals"]["lost"] is None
    print_audit(report)


@pytest.mark.skipif(not has_reportlab(), reason="reportlab is not installed")
def test_a_text_comes_back_from_a_pdf() -> None:
    assert "Kneaded dough for loaves and rolls" in through_pdf(TEXTS["bakery"])


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]


def test_the_page_is_whole_escaped_and_loads_nothing(report: dict[str, Any]) -> None:
    hostile = json.loads(json.dumps(report))
    hostile["engine"]["release"] = "<script>alert(1)</script>"
    hostile["values"]["name"] = {'"><img src=x onerror=alert(1)>': report["swaps"]["name"]}
    text = html_of(hostile)
    page = _Page()
    page.feed(text)
    assert "script" not in page.tags
    assert "img" not in page.tags
    assert page.links == []
    assert text.count("<table>") == text.count("</table>") > 6
    assert "prefers-color-scheme: dark" in text


def _app(matcher: Matcher, monkeypatch: pytest.MonkeyPatch) -> typer.Typer:
    monkeypatch.setattr("matcher.match.Matcher", SimpleNamespace(load=lambda index, encoder=None: matcher))
    monkeypatch.setattr("matcher.audit.has_reportlab", lambda: False)
    app = typer.Typer()
    app.command()(audit)
    return app


def _file(folder: Path) -> Path:
    path = folder / "resumes.jsonl"
    rows = [{"id": name, "text": text, "labels": [LABELS[name]]} for name, text in TEXTS.items()]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_the_command_prints_tables_or_json_and_writes_the_page(
    matcher: Matcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = _app(matcher, monkeypatch)
    page = tmp_path / "audit.html"
    shown = CliRunner().invoke(app, [str(_file(tmp_path)), "--limit", "1", "--html", str(page)])
    assert shown.exit_code == 0, shown.output
    for words in ("When only the person changes", "Impact ratios by group of names", "When the text is damaged", "1 résumés"):
        assert words in shown.output
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    printed = CliRunner().invoke(app, [str(_file(tmp_path)), "--limit", "1", "--json", "--seed", "5"])
    assert json.loads(printed.stdout)["seed"] == 5


@pytest.mark.parametrize("line", ["", "{", '{"id": 1}', '{"text": "a", "labels": "x"}', '["text"]'])
def test_a_file_that_holds_no_resumes_is_named_with_its_line(line: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text(line + "\n", encoding="utf-8")
    with pytest.raises(AuditError, match=r"bad\.jsonl"):
        read_resumes(path)
    with pytest.raises(AuditError, match=r"none\.jsonl"):
        read_resumes(tmp_path / "none.jsonl")


# -- what the audit found, mended in the reading --


@pytest.mark.parametrize(
    "top",
    [
        "Dean Cook\n77 Park Avenue, Apt 9C, New York, NY 10016",
        "Mr. Carter Carpenter\n14 Rue des Tilleuls, Lyon, France",
        "Harper Bishop (she/her)\nBox 12, Route 2\nPine Ridge, SD 57770",
        "April Judge\nshe/her\n(555) 010-0142",
        "AMIRA SALEH (THEY/THEM)\n14 Rue des Tilleuls, Lyon, France",
        "Kofi\n14 Rue des Tilleuls, Lyon, France",
        "Ana María de los Ángeles García\nHauptstr. 5\n10115 Berlin, Germany\n(555) 010-0142",
        "Rosa Diaz\nPlot 7, Admiralty Way\nLagos, Nigeria\nrosa.diaz@example.org",
        "Rosa Diaz\n1-2-3 Shibuya, Tokyo, Japan",
        "Rosa Diaz\n17 Elm Street\nMarried, mother of three.",
        "Rosa Diaz\n17 Elm Street\nPronouns: they/them",
    ],
)
def test_who_and_where_a_person_is_becomes_no_phrase(top: str) -> None:
    query = read_query(text=f"{top}\n\n{TEXTS['garage']}")
    assert [p.text for p in query.phrases] == [p.text for p in read_query(text=TEXTS["garage"]).phrases]


@pytest.mark.parametrize("top", ["Head Chef", "Mason Foreman", "Dean of Students", "Judge"])
def test_a_headline_over_an_address_stays_a_title(top: str) -> None:
    query = read_query(text=f"{top}\n17 Elm Street, Chicago, IL 60601\n\n{TEXTS['garage']}")
    assert any(p.text == top and p.role == "title" for p in query.phrases)


def test_a_tagline_between_name_and_address_is_kept() -> None:
    for tagline in ("Cloud | Linux | SQL", "12 years in freight and customs", "Head Chef"):
        query = read_query(text=f"Rosa Diaz\n{tagline}\nrosa.diaz@example.org\n\n{TEXTS['garage']}")
        assert any(tagline.startswith(p.text) for p in query.phrases), tagline


def test_family_remarks_are_those_that_say_nothing_else() -> None:
    for text in ("Married, two children", "Single", "Divorced, single parent.", "Proud father of twins"):
        assert is_family_remark(text), text
    for text in (
        "Single point of contact for vendors",
        "Engaged children in play",
        "Mother tongue: Dutch",
        "Parent liaison",
        "Children",
        "Mother",
    ):
        assert not is_family_remark(text), text


def test_pronouns_and_forms_of_address_are_one_and_the_same_when_neutral() -> None:
    told = {neutral(f"{s} led a crew; {p} crew trusted {o}, and {t} Diaz did it {r}.") for s, o, p, t, r in (
        ("She", "her", "her", "Ms.", "herself"), ("He", "him", "his", "Mr.", "himself"), ("They", "them", "their", "Mx.", "themself"),
    )}  # fmt: skip
    assert told == {"they led a crew; their crew trusted their, and Diaz did it themselves."}
    assert (
        neutral("Helped here, there, and with the theme; missed nothing.")
        == "Helped here, there, and with the theme; missed nothing."
    )


def test_a_name_may_have_pronouns_behind_it() -> None:
    assert looks_like_name("Rosa Diaz (she/her)")
    assert looks_like_name("Rosa Diaz, they/them")
    assert not looks_like_name("Input/Output")
