"""The commands of advice: one JSON document, readable text without colour codes, one clear error."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from matcher.advice_cli import advice_app
from matcher.encoder import StaticEncoder
from matcher.index import build_index
from matcher.report import counted, print_hanging
from matcher.resources import encoder_path
from tests.advice_fixture import PAY, RELATED, RESUME


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("advice") / "index"
    build_index(RELATED, StaticEncoder.load(encoder_path()), path, wages=PAY)
    return path


def run(index: Path, *words: str) -> Result:
    return CliRunner().invoke(advice_app, [*words, "--index", str(index)])


def document(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    return json.loads(result.stdout)


def test_every_command_prints_exactly_one_json_document(index: Path) -> None:
    gap = document(run(index, "gap", "--text", RESUME, "--code", "51-3011.00", "--best", "--json"))
    assert gap["code"] == "51-3011.00"
    assert {"coverage", "gaps", "best_additions"} <= set(gap)
    change = document(run(index, "what-if", "--text", RESUME, "--add", "Westlaw", "--code", "23-1011.00", "--opens", "--json"))
    assert change["added"] == ["Westlaw"]
    assert {"occupation", "matches", "opens_most"} <= set(change)
    assert document(run(index, "moves", "--text", RESUME, "--json"))["from"] == "query"
    assert document(run(index, "moves", "--code", "51-3011.00", "--json"))["moves"][0]["code"] == "51-1011.00"
    assert len(document(run(index, "compare", "51-3011.00", "23-1011.00", "--json"))["occupations"]) == 2


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (("gap", "--text", RESUME, "--code", "23-1011.00", "--best"), ["Lawyers", "○ Westlaw", "not found in what you gave"]),
        (("what-if", "--text", RESUME, "--add", "Westlaw", "--opens"), ["+ Westlaw", "before", "If you have done this, say so."]),
        (("moves", "--code", "51-3011.00"), ["Head Bakers", "step up", "transfers:", "$48,000 (+36%)"]),
        (("compare", "51-3011.00", "23-1011.00"), ["job zone", "high school diploma", "Law and Government"]),
    ],
)
def test_text_for_people_reads_without_colour_codes(index: Path, words: tuple[str, ...], wanted: list[str]) -> None:
    result = run(index, *words)
    assert result.exit_code == 0, result.output
    assert all(part in result.stdout for part in wanted), result.stdout
    assert "\x1b[" not in result.stdout
    assert "lack" not in result.stdout.lower().replace("black", "")


@pytest.mark.parametrize(
    "words",
    [
        ("gap", "--text", RESUME, "--code", "23-1011.00", "--best", "--all"),
        ("what-if", "--text", RESUME, "--add", "Westlaw", "--opens"),
        ("moves", "--code", "51-3011.00"),
        ("compare", "51-3011.00", "23-1011.00", "35-2014.00"),
    ],
)
def test_on_a_terminal_no_line_is_wider_than_it_and_the_words_stay_whole(
    index: Path, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = run(index, *words).stdout
    from matcher import report

    real = report.Console
    monkeypatch.setattr(
        report, "Console", lambda **options: real(**{**options, "force_terminal": True, "width": 60, "no_color": True})
    )
    shown = re.sub(r"\x1b\[[0-9;]*m", "", run(index, *words).stdout)
    assert max(len(line.rstrip()) for line in shown.splitlines()) <= 60
    if words[0] in ("gap", "moves"):  # the others have a table, which folds within its columns
        assert shown.split() == plain.split()


def test_what_follows_a_wrapped_line_stands_under_its_beginning(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console(force_terminal=True, width=29, no_color=True)
    print_hanging(console, "  - ", "one two three four five six")
    print_hanging(console, "  - ", "one two three four five six", further=2)
    assert capsys.readouterr().out.splitlines() == [
        "  - one two three four five",
        "    six",
        "  - one two three four",
        "      five six",
    ]


def test_one_is_not_many() -> None:
    assert [counted(n, "phrase") for n in (0, 1, 2)] == ["0 phrases", "1 phrase", "2 phrases"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("gap", "--text", RESUME, "--code", "1"), "code: '1' is not in this index"),
        (("gap", "--text", RESUME, "--code", "51-9199.00"), "only a title"),
        (("gap", "--text", "hi", "--code", "51-3011.00"), "no advice"),
        (("what-if", "--text", RESUME), "nothing to change"),
        (("what-if", "--text", RESUME, "--add", " "), "add: line 1 is empty"),
        (("moves", "--code", "51-3011.00", "--interests", "1,x"), "interests: '1,x'"),
        (("moves", "--code", "51-3011.00", "--pays-more", "-5"), "pays_more"),
        (("compare", "51-3011.00"), "expected two or three different codes"),
    ],
)
def test_bad_input_is_one_clear_error(index: Path, words: tuple[str, ...], message: str) -> None:
    result = run(index, *words)
    assert result.exit_code == 1
    assert isinstance(result.exception, ValueError)
    assert message in str(result.exception)
    assert "\n" not in str(result.exception)


def test_no_query_is_a_usage_error(index: Path) -> None:
    assert run(index, "gap", "--code", "51-3011.00").exit_code == 2
    assert run(index, "moves").exit_code == 2
