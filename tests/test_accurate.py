"""The accurate mode: a slower encoder's columns beside the usual ones, and what does not belong together is refused."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from matcher.accurate import SECOND, AccurateRanker, SecondOpinion
from matcher.index import OccupationIndex, OccupationIndexError, build_index
from matcher.match import Matcher
from matcher.ranker import ALL_COLUMNS, FORMAT, LearnedRanker, RankerError, table_of
from matcher.records import Phrase, Query
from matcher.resources import accurate_path
from matcher.signals import query_vectors
from tests.invented import BAKER, LAWYER, RELEASE, WAGES, WordEncoder

USUAL, SLOW = WordEncoder(), WordEncoder(48)
LINK = {"a": 1.0, "b": 0.1, "titles": 0.0, "skills": 0.0, "text": 0.0, "positions": 0.0, "likeness": 0.5}


@pytest.fixture(scope="module")
def indexes(tmp_path_factory: pytest.TempPathFactory) -> tuple[OccupationIndex, Path]:
    """Return the usual index, and the folder of the slow one."""
    usual, slow = tmp_path_factory.mktemp("usual"), tmp_path_factory.mktemp("slow")
    build_index(RELEASE, USUAL, usual, wages=WAGES)
    build_index(RELEASE, SLOW, slow, wages=WAGES)
    return OccupationIndex.load(usual), slow


def written(folder: Path, **changes: object) -> Path:
    model = {
        "format": FORMAT,
        "encoder": USUAL.digest,
        "weights": {"titles": 0.5, "accurate_best_task": 1.0},
        "link": LINK,
        "cutoffs": {"high": 0.8, "medium": 0.4},
        "about": {"second": SLOW.digest},
        **changes,
    }
    (folder / "accurate.json").write_text(json.dumps(model))
    return folder / "accurate.json"


def a_query(*texts: str) -> Query:
    return Query(tuple(Phrase(t, t, 0, len(t)) for t in texts))


@pytest.fixture
def ranker(indexes: tuple[OccupationIndex, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AccurateRanker:
    monkeypatch.setattr(LearnedRanker, "suits", lambda self, index: index.manifest["encoder"]["digest"] == self.encoder)
    return AccurateRanker.load(written(tmp_path), SecondOpinion.load(indexes[1], SLOW), indexes[0])


def test_both_encoders_columns_are_weighed_and_sum_to_the_fusion(
    indexes: tuple[OccupationIndex, Path], ranker: AccurateRanker
) -> None:
    query = a_query("Knead and shape dough for loaves and rolls")
    vectors = query_vectors(query, USUAL.encode([p.text for p in query.phrases]))
    found = ranker.rank(indexes[0], vectors)
    assert found.columns == ALL_COLUMNS + SECOND
    assert found.contributions.sum(axis=1) == pytest.approx(found.fusion)
    assert indexes[0].entries[int(found.rows[0])].code == BAKER.code
    assert found.contributions[0, found.columns.index("accurate_best_task")] > 0
    # The usual columns are those of the usual ranking.
    usual = table_of(indexes[0], vectors, more=True)
    beside = ranker.second.beside(usual, vectors)
    assert (beside.columns[:, : len(ALL_COLUMNS)] == usual.columns).all()
    assert beside.columns.shape == (len(usual.rows), len(ALL_COLUMNS) + len(SECOND))


def test_a_filter_changes_no_score(indexes: tuple[OccupationIndex, Path], ranker: AccurateRanker) -> None:
    query = a_query("Knead and shape dough for loaves and rolls")
    vectors = query_vectors(query, USUAL.encode([p.text for p in query.phrases]))
    whole = ranker.rank(indexes[0], vectors)
    only = np.zeros(len(indexes[0]), bool)
    only[whole.rows[1]] = True
    alone = ranker.rank(indexes[0], vectors, only)
    assert whole.score is not None
    assert alone.score is not None
    assert alone.score.tolist() == [whole.score[1]]


def test_an_index_of_other_occupations_is_refused(indexes: tuple[OccupationIndex, Path], tmp_path: Path) -> None:
    few = dataclasses.replace(RELEASE, occupations=tuple(o for o in RELEASE.occupations if o.code != LAWYER.code))
    build_index(few, SLOW, tmp_path / "few", wages=WAGES)
    with pytest.raises(RankerError, match=r"accurate mode: its index is of .* expected one of"):
        SecondOpinion.load(tmp_path / "few", SLOW).require(indexes[0])


def test_an_index_of_another_encoder_is_refused(indexes: tuple[OccupationIndex, Path]) -> None:
    with pytest.raises(OccupationIndexError, match="made with encoder"):
        SecondOpinion.load(indexes[1], USUAL)


def test_weights_of_another_second_encoder_are_refused(
    indexes: tuple[OccupationIndex, Path], ranker: AccurateRanker, tmp_path: Path
) -> None:
    with pytest.raises(RankerError, match="was fitted with another encoder than"):
        AccurateRanker.load(written(tmp_path, about={"second": "sha256:0"}), ranker.second, indexes[0])


def test_a_match_is_accurate_only_where_asked_and_says_which_ranker_answered(
    indexes: tuple[OccupationIndex, Path], ranker: AccurateRanker
) -> None:
    matcher = Matcher(indexes[0], USUAL, accurate=ranker)
    usual, accurate = (matcher.match(skills=["Knead and shape dough"], accurate=asked) for asked in (False, True))
    assert usual.engine["ranker"] == "equal-weights/1"
    assert accurate.engine["ranker"].startswith("accurate sha256:")
    assert usual[0].score is None
    assert accurate[0].score is not None


def test_asking_for_what_was_not_loaded_says_how_to_load_it(indexes: tuple[OccupationIndex, Path]) -> None:
    with pytest.raises(RankerError, match=r"expected Matcher\.load\(accurate=DIR\)"):
        Matcher(indexes[0], USUAL).match(skills=["Knead dough"], accurate=True)


def test_the_shipped_weights_are_of_the_shipped_encoder_and_of_the_columns_that_there_are() -> None:
    model = LearnedRanker.load(accurate_path(), ALL_COLUMNS + SECOND)
    assert model.encoder == Matcher.load().encoder.digest
    assert str(model.about["second"]).startswith("sha256:")


def test_the_command_line_says_how_to_make_the_index_that_is_missing() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "matcher.cli", "match", "--title", "Baker", "--accurate"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "--encoder minilm" in done.stderr
    assert done.stdout == ""


def test_the_service_answers_accurately_where_it_can(indexes: tuple[OccupationIndex, Path], ranker: AccurateRanker) -> None:
    pytest.importorskip("fastapi", reason="the extra 'service' is not installed")
    from api.match import answer
    from api.schemas import MatchRequest

    asked = MatchRequest.model_validate({"skills": ["Knead and shape dough"], "accurate": True})
    with_it = json.loads(answer(Matcher(indexes[0], USUAL, accurate=ranker), asked).body)
    without = json.loads(answer(Matcher(indexes[0], USUAL), asked).body)
    assert with_it["engine"]["ranker"].startswith("accurate ")
    assert with_it["warnings"] == []
    assert without["warnings"] == ["accurate: this service has no slower model; the usual one answered"]
