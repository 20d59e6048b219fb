"""The figures that are published are those of the shipped files."""

from __future__ import annotations

import json

import pytest

from matcher import Matcher
from matcher.evaluation import matcher_ranker, read_labelled, run
from tests.benchmarks.quality import FIGURES, ORDER, ROOT, fill, tables

EVAL = ROOT.parent / "shared" / "eval"
ONET = ROOT.parent / "shared" / "onet" / "30.1"


@pytest.mark.parametrize("name", ["README.md", "docs/quality.md"])
def test_the_tables_are_those_of_the_figures(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert "<!-- ranking -->\n|" in text
    assert fill(text, tables(json.loads(FIGURES.read_text(encoding="utf-8")))) == text


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Matcher:
    from matcher.encoder import load_encoder
    from matcher.index import build_index
    from matcher.onet import read_release
    from matcher.resources import encoder_path

    if not ONET.exists() or not EVAL.exists():
        pytest.skip("../shared with the release and the development queries is not here")
    out = tmp_path_factory.mktemp("full")
    build_index(read_release(ONET), load_encoder(encoder_path()), out)
    return Matcher.load(out)


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n in ORDER if n != "esco_titles"])
def test_the_shipped_files_give_the_published_figures(full: Matcher, name: str) -> None:
    found = json.loads(FIGURES.read_text(encoding="utf-8"))["sets"][name]
    rows = read_labelled(EVAL / f"{name}.dev.jsonl")
    for label, matcher in (("shipped", full), ("catalogue", Matcher.load())):
        table = run(matcher_ranker(matcher), rows)
        for measure in ("hit@1", "hit@5"):
            assert sum(table[measure]) / len(rows) == pytest.approx(found[label][measure][0], abs=0.005), (label, measure)
