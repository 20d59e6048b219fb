"""Plots: figures that hold what the answer holds, and clear errors where there is nothing to draw."""

from __future__ import annotations

import dataclasses
import io
import json
import subprocess
import sys
from typing import Any

import pytest

from matcher import Matcher
from matcher.encoder import load_encoder
from matcher.index import build_index
from matcher.match import Filters
from matcher.resources import encoder_path, ranker_path
from tests.invented import RELEASE, WAGES

matplotlib = pytest.importorskip("matplotlib")

from matcher import plots  # noqa: E402

TEXT = "Baker, Corner Bakery\nMarch 2019 to Current\n- Knead and shape dough for loaves and rolls\n- Set oven temperatures each night\n"


@pytest.fixture(scope="module")
def matcher(tmp_path_factory: pytest.TempPathFactory) -> Matcher:
    """A matcher over the invented release."""
    folder = tmp_path_factory.mktemp("plots") / "index"
    build_index(RELEASE, load_encoder(encoder_path()), folder, wages=WAGES, notice="Invented.")
    return Matcher.load(folder)


def words(figure: Any) -> str:
    """Draw a figure as SVG and return the texts in it."""
    import matplotlib as mpl

    with mpl.rc_context({"svg.fonttype": "none"}):
        out = io.StringIO()
        figure.savefig(out, format="svg")
    return out.getvalue()


def test_every_figure_names_what_it_shows(matcher: Matcher) -> None:
    answer = matcher.match(TEXT)
    assert "1. Bakers" in words(plots.ranked(answer))
    assert "Knead and shape dough" in words(plots.evidence_map(answer))
    assert "not found in what you gave" in words(plots.gap_bars(answer.gap("51-3011.00")))
    assert "what was given" in words(plots.occupation_map(matcher.index, answer))
    assert "35 Food" in words(plots.occupation_map(matcher.index))
    assert "median pay a year" in words(plots.wage_against_fit(answer))
    assert "part of the fusion" in words(plots.contributions(answer))
    assert "share that was right" in words(plots.reliability([0.1, 0.9, 0.4, 0.6], [False, True, True, False], bins=2))
    assert "Bakers" in words(plots.shares([("Bakers", 0.5)], meaning="percent"))


def test_an_answer_draws_its_own_figures(matcher: Matcher) -> None:
    def said(figure: Any) -> list[str]:
        return [text.get_text() for text in figure.findobj(matplotlib.text.Text)]

    answer = matcher.match(TEXT)
    assert said(answer.plot.gap_bars("51-3011.00")) == said(plots.gap_bars(answer.gap("51-3011.00")))
    assert said(answer.plot.occupation_map()) == said(plots.occupation_map(matcher.index, answer))
    for name in ("ranked", "evidence_map", "wage_against_fit", "contributions"):
        assert said(getattr(answer.plot, name)()) == said(getattr(plots, name)(answer))


def test_the_bars_are_the_values(matcher: Matcher) -> None:
    answer = matcher.match(TEXT)
    (axes,) = plots.ranked(answer).axes
    assert [bar.get_width() for bar in axes.patches] == [match.fusion for match in answer]
    (axes,) = plots.contributions(answer, top=1).axes
    assert sum(bar.get_width() for bar in axes.patches) == pytest.approx(answer[0].fusion, abs=1e-6)
    gaps = answer.gap("51-3011.00")
    (axes,) = plots.gap_bars(gaps).axes
    assert sum(bar.get_width() for bar in axes.patches) == pytest.approx(100 * len(axes.get_yticks()))
    met = {
        label.get_text().split(" (")[0]: bar.get_width()
        for label, bar in zip(axes.get_yticklabels(), axes.containers[0], strict=True)
    }
    tasks = gaps.of("task")
    assert met["task"] == pytest.approx(100 * sum(g.weight for g in tasks if g.status == "met") / sum(g.weight for g in tasks))


def test_the_interval_of_a_score_is_what_the_calibration_was_off_by(matcher: Matcher) -> None:
    # No probabilities, no interval.
    assert plots.calibration_error(matcher.match(TEXT)) is None
    assert len(plots.ranked(matcher.match(TEXT)).axes[0].collections) == 0
    learned = Matcher.load()
    answer = learned.match("Experience\n" + TEXT)
    figures = json.loads((ranker_path().parent / "figures.json").read_text(encoding="utf-8"))["fitting"]["full"]
    _, low, high = figures["resumes"]["mean score minus accuracy"]
    assert plots.calibration_error(answer) == (low, high)
    (lines,) = plots.ranked(answer).axes[0].collections[:1]
    (left, _), (right, _) = lines.get_segments()[0]
    # A score that was said too high by ``high`` stands for that much less, and never for less than 0.
    assert left == pytest.approx(max(0.0, answer[0].score - high))
    assert right == pytest.approx(min(1.0, answer[0].score - low))
    titles = [figures[name]["mean score minus accuracy"] for name in ("esco_titles", "h1b_titles")]
    assert plots.calibration_error(learned.match(title="Baker")) == (min(x[1] for x in titles), max(x[2] for x in titles))
    other = dataclasses.replace(answer, engine={**answer.engine, "ranker": "learned/1 sha256:other"})
    assert plots.calibration_error(other) is None


def test_a_dot_of_the_heat_map_is_a_pair_of_evidence(matcher: Matcher) -> None:
    answer = matcher.match(TEXT)
    axes = plots.evidence_map(answer).axes[0]
    rows, columns = ([label.get_text() for label in labels] for labels in (axes.get_yticklabels(), axes.get_xticklabels()))
    dots = {(rows[int(y)], columns[int(x)]) for x, y in axes.collections[0].get_offsets()}
    assert dots == {(pair.phrase.text, match.title) for match in answer[:6] for pair in match.evidence}


def test_the_same_map_twice_and_nothing_to_draw_is_an_error(matcher: Matcher) -> None:
    first, second = (plots.occupation_map(matcher.index).axes[0].collections[0].get_offsets().tolist() for _ in range(2))
    assert first == second
    nothing = matcher.match("Hello")
    for draw in (plots.ranked, plots.evidence_map, plots.wage_against_fit, plots.contributions):
        with pytest.raises(plots.PlotError, match="too_short"):
            draw(nothing)
    with pytest.raises(plots.PlotError, match="as many scores as hits"):
        plots.reliability([0.5], [])
    with pytest.raises(plots.PlotError, match="no shares"):
        plots.shares([], meaning="")
    unpaid = matcher.match(TEXT, filters=Filters(exclude=tuple(e.code for e in matcher.index.entries if e.wage is not None)))
    with pytest.raises(plots.PlotError, match="unknown"):
        plots.wage_against_fit(unpaid)


def test_without_matplotlib_it_says_what_to_install(matcher: Matcher, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = matcher.match(TEXT)

    def missing(name: str, *_: Any) -> Any:
        raise ImportError(name)

    monkeypatch.setattr(plots.importlib, "import_module", missing)
    with pytest.raises(plots.PlotError, match="notebooks"):
        plots.ranked(answer)


def test_neither_the_library_nor_plots_imports_pyplot_or_matplotlib_by_itself() -> None:
    code = "import sys; from matcher import Matcher, plots; m = Matcher.load(); m.match(title='Baker'); print([n for n in sys.modules if n.startswith(('matplotlib', 'pandas'))])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
