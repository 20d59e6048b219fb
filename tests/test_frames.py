"""Frames and cards: tables for notebooks, pandas only when asked for."""

from __future__ import annotations

import builtins
import subprocess
import sys
from typing import Any

import pytest

from matcher.cards import Bar, Mark, table
from matcher.frames import EVIDENCE_COLUMNS, MATCH_COLUMNS, FrameError, evidence_frame, matches_frame, matches_html
from matcher.match import Matcher
from tests.advice_fixture import RESUME, make_matcher


@pytest.fixture(scope="module")
def matcher(tmp_path_factory: pytest.TempPathFactory) -> Matcher:
    return make_matcher(tmp_path_factory.mktemp("frames"))


def test_a_frame_has_one_row_a_match_and_its_contributions(matcher: Matcher) -> None:
    pytest.importorskip("pandas")
    answer = matcher.match(RESUME)
    found = matches_frame(answer)
    assert list(found.columns[: len(MATCH_COLUMNS)]) == list(MATCH_COLUMNS)
    assert list(found["code"]) == [match.code for match in answer]
    parts = [name for name in found.columns if name.startswith("contribution.")]
    assert found[parts].sum(axis=1).tolist() == pytest.approx(found["fusion"].tolist(), abs=1e-5)


def test_an_evidence_frame_has_its_columns_even_without_rows(matcher: Matcher) -> None:
    pytest.importorskip("pandas")
    assert list(evidence_frame([]).columns) == list(EVIDENCE_COLUMNS)
    assert set(evidence_frame(matcher.match(RESUME))["kind"]) <= {"task", "activity", "knowledge", "technology", "title"}


def test_without_pandas_a_frame_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.split(".")[0] == "pandas":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setitem(sys.modules, "pandas", None)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(FrameError, match="notebooks"):
        matches_frame([])


def test_advice_imports_no_pandas() -> None:
    code = "import sys, matcher.frames, matcher.gaps, matcher.moves, matcher.whatif; sys.exit('pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_an_answer_as_html_sets_no_colours_and_escapes_everything(matcher: Matcher) -> None:
    page = matches_html(matcher.match(text=RESUME.replace("each night", "<b>each night</b> at the bakery")))
    assert "<b>" not in page
    assert "Bakers (51-3011.00)" in page
    assert "#fff" not in page
    assert "background:transparent" in page


def test_a_status_is_told_in_words_not_by_colour_alone() -> None:
    page = table("T", ("a", "b"), [[Mark("not_found", "not found in what you gave"), Bar(2.0, "200 %")]])
    assert "○ not found in what you gave" in page
    assert "width:100%" in page
