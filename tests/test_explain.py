"""Evidence: how its pairs are chosen."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from matcher import Matcher
from matcher.explain import FLOORS, MOST, evidence
from matcher.given import Given
from matcher.index import OccupationIndex, build_index
from matcher.match import read_inputs
from tests.invented import RELEASE, WordEncoder

SKILLS = [
    "Knead and shape dough for loaves and rolls",
    "Set oven temperatures and watch the bake",
    "Decorate cakes with icing for customers",
    "Prepare ingredients for cooking",
]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> OccupationIndex:
    path = tmp_path_factory.mktemp("explain")
    build_index(RELEASE, WordEncoder(), path, notice="Invented.")
    return OccupationIndex.load(path)


def chosen(index: OccupationIndex, shares: list[float], skills: list[str] = SKILLS) -> list[tuple[str, float]]:
    given = Given.of(Matcher(index, WordEncoder()), read_inputs(skills=skills))
    pairs = evidence(index, given.vectors, [index.row_of["51-3011.00"]], np.array([shares]))[0]
    return [(pair.phrase.text, pair.contribution) for pair in pairs]


def test_of_phrases_that_are_as_near_those_that_contribute_most_come_first(index: OccupationIndex) -> None:
    assert chosen(index, [0.1, 0.9, 0.4, 0.0]) == [(SKILLS[1], 0.9), (SKILLS[2], 0.4), (SKILLS[0], 0.1)]
    assert chosen(index, [0.9, 0.1, 0.4, 0.0]) == [(SKILLS[0], 0.9), (SKILLS[2], 0.4), (SKILLS[1], 0.1)]


def test_similarity_counts_beside_the_contribution(index: OccupationIndex) -> None:
    loose = "Knead dough, trim plants and sort parcels"
    assert [text for text, _ in chosen(index, [0.30, 0.25], [loose, SKILLS[1]])] == [SKILLS[1], loose]
    assert [text for text, _ in chosen(index, [3.0, 0.25], [loose, SKILLS[1]])] == [loose, SKILLS[1]]


def test_a_phrase_that_lowered_the_fusion_is_no_evidence(index: OccupationIndex) -> None:
    assert [text for text, _ in chosen(index, [-0.5, 0.2, -0.1, 0.1])] == [SKILLS[1], SKILLS[3]]
    assert chosen(index, [-0.5, -0.2, -0.1, 0.0]) == []


def test_what_is_said_twice_is_one_phrase_with_both_contributions(index: OccupationIndex) -> None:
    given = Given.of(Matcher(index, WordEncoder()), read_inputs(title=SKILLS[0], skills=[SKILLS[1], SKILLS[0]]))
    assert len(given.vectors) == 3
    shares = np.array([[0.3, 0.4, 0.25]])
    pairs = evidence(index, given.vectors, [index.row_of["51-3011.00"]], shares)[0]
    assert [pair.contribution for pair in pairs] == [0.55, 0.4]


def test_evidence_in_an_answer_has_the_contribution_of_its_phrase(index: OccupationIndex) -> None:
    answer = Matcher(index, WordEncoder()).match(skills=SKILLS)
    for match in answer:
        shares = {answer.query.phrases[number].text: share for number, share in match.phrases}
        assert all(pair.contribution == pytest.approx(shares[pair.phrase.text], abs=1e-6) for pair in match.evidence)
        assert all(pair.contribution > 0 and pair.similarity >= FLOORS[pair.kind] for pair in match.evidence)


def test_no_kind_is_shown_more_often_than_its_most(index: OccupationIndex) -> None:
    skills = [*SKILLS, "Check the quality of food", "Microsoft Excel", "RecipeBook Pro", "Food Production"]
    for match in Matcher(index, WordEncoder()).match(skills=skills):
        kinds = [pair.kind for pair in match.evidence]
        assert all(kinds.count(kind) <= most for kind, most in MOST.items())


def test_paraphrases_are_each_of_one_statement_and_said_once() -> None:
    lines = (Path(__file__).parent / "fixtures" / "paraphrases.jsonl").read_text(encoding="utf-8").splitlines()
    found = [json.loads(line) for line in lines]
    assert all(set(line) == {"code", "id", "text"} and line["text"] for line in found)
    assert len({(line["code"], line["id"]) for line in found}) == len(found) >= 40
