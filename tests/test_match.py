"""The matcher: answers, evidence, filters and the wire format."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher import Filters, Matcher
from matcher.index import OccupationIndex, build_index
from matcher.match import FilterError
from tests.invented import RELEASE, WAGES, WordEncoder

RESUME = """Robin Example
robin@example.org | (555) 010-0199

EXPERIENCE
Baker, Corner Bakery - Springfield
March 2019 to Current
- Knead and shape dough for loaves and rolls
- Set oven temperatures and watch the bake each night

Line Cook, Harbor Grill
2014 - 2017
- Grill and season meat and fish to order

SKILLS
Microsoft Excel, Food Production
"""


@pytest.fixture(scope="module")
def matcher(tmp_path_factory: pytest.TempPathFactory) -> Matcher:
    path = tmp_path_factory.mktemp("match")
    encoder = WordEncoder()
    build_index(RELEASE, encoder, path, wages=WAGES, notice="Invented.")
    return Matcher(OccupationIndex.load(path, encoder=encoder), encoder)


def test_a_resume_gets_its_occupation_with_the_lines_that_prove_it(matcher: Matcher) -> None:
    answer = matcher.match(RESUME)
    first = answer[0]
    assert (first.code, first.rank) == ("51-3011.00", 1)
    proofs = {(str(e.kind), e.statement) for e in first.evidence}
    assert ("task", "Knead and shape dough for loaves and rolls") in proofs
    assert ("technology", "Microsoft Excel") in proofs


def test_evidence_is_a_raw_slice_used_once_and_at_most_five(matcher: Matcher) -> None:
    for match in matcher.match(RESUME):
        assert len(match.evidence) <= 5
        phrases = [e.phrase.text.casefold() for e in match.evidence]
        assert len(set(phrases)) == len(phrases)
        for pair in match.evidence:
            assert RESUME[pair.phrase.start : pair.phrase.end] == pair.phrase.raw


def test_evidence_does_not_depend_on_how_much_is_looked_at_in_one_go(matcher: Matcher, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = matcher.match(RESUME).to_json()
    monkeypatch.setattr("matcher.explain._MOST_PAIRS", 1)
    assert matcher.match(RESUME).to_json() == whole


def test_a_technology_that_most_occupations_use_proves_none(matcher: Matcher, monkeypatch: pytest.MonkeyPatch) -> None:
    query = {"skills": ["Westlaw", "Draft contracts"]}
    assert "technology" in {str(pair.kind) for pair in matcher.match(**query)[0].evidence}
    monkeypatch.setattr("matcher.explain._FEW", 0)
    monkeypatch.setattr("matcher.explain._COMMON", 0)
    assert "technology" not in {str(pair.kind) for pair in matcher.match(**query)[0].evidence}


def test_contact_lines_are_counted_and_never_echoed(matcher: Matcher) -> None:
    answer = matcher.match(RESUME)
    assert answer.query.set_aside["contact"] >= 2
    assert "robin" not in answer.to_json().lower()
    assert "555" not in answer.to_json()


def test_the_newest_position_outweighs_an_older_one(matcher: Matcher) -> None:
    older_first = RESUME.replace("March 2019 to Current", "1999 - 2003")
    now = [m.code for m in matcher.match(RESUME)].index("35-2014.00")
    then = [m.code for m in matcher.match(older_first)].index("35-2014.00")
    assert then <= now


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"title": "Auto Mechanic"}, "49-3023.00"),
        ({"title": "Gem Setter"}, "51-9199.00"),
        ({"skills": ["Westlaw", "Microsoft Word"]}, "23-1011.00"),
        ({"text": "I argue motions and question witnesses in court."}, "23-1011.00"),
        (
            {"title": "Cook", "skills": ["Toast POS"], "text": "Chop vegetables and portion sauces before service."},
            "35-2014.00",
        ),
    ],
)
def test_titles_skills_texts_and_all_at_once_are_queries(matcher: Matcher, options: dict[str, object], code: str) -> None:
    answer = matcher.match(**options)  # type: ignore[arg-type]
    assert code in [m.code for m in answer][:2]


def test_a_json_resume_is_read_from_a_mapping_and_evidence_points_into_it(matcher: Matcher) -> None:
    resume = {
        "basics": {"name": "Robin"},
        "work": [{"position": "Baker", "highlights": ["Knead and shape dough for loaves and rolls"]}],
    }
    answer = matcher.match(resume)
    assert answer[0].code == "51-3011.00"
    assert "/work/0/highlights/0" in {e.phrase.pointer for e in answer[0].evidence}


def test_a_document_is_read_from_a_path(matcher: Matcher, tmp_path: Path) -> None:
    path = tmp_path / "resume.txt"
    path.write_text(RESUME)
    assert [m.code for m in matcher.match(path)] == [m.code for m in matcher.match(RESUME)]


def test_a_scanned_document_is_insufficient_unless_something_else_was_given(matcher: Matcher) -> None:
    scanned = Path(__file__).parent / "fixtures" / "documents" / "scanned.pdf"
    alone = matcher.match(scanned)
    assert (alone.status, alone.reasons) == ("insufficient", ("no_text_layer",))
    assert matcher.match(scanned, title="Auto Mechanic")[0].code == "49-3023.00"


@pytest.mark.parametrize("text", ["", "   ", "hi", "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18"])
def test_too_little_gets_reasons_and_no_ranking(matcher: Matcher, text: str) -> None:
    answer = matcher.match(text=text)
    assert (answer.status, len(answer)) == ("insufficient", 0)
    assert answer.to_dict()["reasons"]


def test_filters_leave_out_what_does_not_pass_or_is_unknown_and_count_the_unknown(matcher: Matcher) -> None:
    every = {m.code for m in matcher.match(RESUME)}
    paid = matcher.match(RESUME, filters=Filters(min_median_wage=36000))
    # the baker's 17.00 an hour is 35,360 a year; the cook's and the others' pay is unknown
    assert {m.code for m in paid} == {"23-1011.00", "49-3023.00"}
    assert paid.warnings == ("filter min_median_wage: 2 occupations left out because their value is unknown",)
    zoned = matcher.match(RESUME, filters=Filters(job_zone=(1, 2), exclude=("35-2014.00",)))
    assert {m.code for m in zoned} == {"51-3011.00"}
    assert {m.code for m in matcher.match(RESUME, filters=Filters(major_group=("51",)))} == {"51-3011.00", "51-9199.00"}
    assert {m.code for m in matcher.match(RESUME, filters=Filters(exclude_major_group=("51",)))} == every - {
        "51-3011.00",
        "51-9199.00",
    }
    assert {m.code for m in matcher.match(RESUME, filters=Filters(interests=("E", "I")))} == {"23-1011.00"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"job_zone": (7,)}, "job_zone: 7, expected 1 to 5"),
        ({"major_group": ("151",)}, "major_group: '151', expected two digits"),
        ({"interests": ("X",)}, "interests: 'X'"),
        ({"min_median_wage": float("nan")}, "min_median_wage: nan"),
    ],
)
def test_a_filter_that_cannot_be_is_refused_by_name(options: dict[str, object], message: str) -> None:
    with pytest.raises(FilterError, match=message):
        Filters(**options)  # type: ignore[arg-type]


def test_an_excluded_code_must_exist_and_top_must_be_in_range(matcher: Matcher) -> None:
    with pytest.raises(FilterError, match=r"exclude: '99-9999\.00'"):
        matcher.match(RESUME, filters=Filters(exclude=("99-9999.00",)))
    with pytest.raises(FilterError, match="top: 0, expected 1 to 100"):
        matcher.match(RESUME, top=0)


def test_a_major_group_that_the_index_lacks_is_said(matcher: Matcher) -> None:
    answer = matcher.match(RESUME, filters=Filters(major_group=("98",)))
    assert len(answer) == 0
    assert answer.warnings == ("filter major_group: '98' is not in this index, which has 23 35 49 51",)
    answer = matcher.match(RESUME, filters=Filters(exclude_major_group=("98",)))
    assert len(answer) > 0
    assert answer.warnings == ("filter exclude_major_group: '98' is not in this index, which has 23 35 49 51",)


def test_the_wire_format_has_the_fields_that_job_boards_rely_on(matcher: Matcher) -> None:
    answer = json.loads(matcher.match(RESUME, id="r-1").to_json())
    assert {"id", "status", "matches", "query", "engine", "warnings"} <= set(answer)
    assert answer["id"] == "r-1"
    match = answer["matches"][0]
    assert match["soc_2018"] == "51-3011"
    assert match["onet_online"] == "https://www.onetonline.org/link/summary/51-3011.00"
    assert match["median_wage"] == {
        "annual": None,
        "hourly": 17.0,
        "currency": "USD",
        "source": "Survey 2025",
        "soc": "51-3011",
        "match": "direct",
    }
    assert set(match["evidence"][0]) == {
        "kind", "id", "statement", "importance", "source", "phrase", "start", "end", "pointer", "similarity", "contribution"
    }  # fmt: skip
    assert {"release", "index", "encoder", "ranker", "version"} == set(answer["engine"])
    assert answer["query"]["text"] is None
    assert json.loads(json.dumps(matcher.match(RESUME).to_dict(return_text=True)))["query"]["text"] == RESUME


def test_utf16_offsets_count_wide_characters_twice(matcher: Matcher) -> None:
    text = "\U0001f35e\U0001f35e Summary\nKnead and shape dough for loaves and rolls at night"
    answer = matcher.match(text)
    points = answer.to_dict()["matches"][0]["evidence"][0]
    units = answer.to_dict(offset_unit="utf16")["matches"][0]["evidence"][0]
    assert text[points["start"] : points["end"]] == points["phrase"]
    raw = text.encode("utf-16-le")
    assert raw[units["start"] * 2 : units["end"] * 2].decode("utf-16-le") == points["phrase"]


def _digests(matcher: Matcher, texts: list[str]) -> str:
    sha = hashlib.sha256()
    for answer in matcher.match_many(texts):
        sha.update(answer.to_json().encode())
    return sha.hexdigest()


def _some_texts(n: int) -> Iterator[str]:
    lines = [task.text for o in RELEASE.occupations for task in o.tasks]
    for i in range(n):
        yield "Experience\n" + "\n".join(f"- {lines[(i * 7 + j * (i % 5 + 1)) % len(lines)]}" for j in range(1 + i % 6))


def test_answers_do_not_depend_on_batches_or_threads(matcher: Matcher) -> None:
    texts = list(_some_texts(60))
    alone = [matcher.match(text).to_json() for text in texts]
    assert [a.to_json() for a in matcher.match_many(texts)] == alone
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda text: matcher.match(text).to_json(), texts)) == alone


@given(st.text(st.characters(exclude_categories=()), max_size=200))
def test_any_text_gets_an_answer_that_is_json(matcher: Matcher, text: str) -> None:
    answer = matcher.match(text=text)
    assert answer.status in ("ok", "insufficient")
    json.dumps(answer.to_dict(offset_unit="utf16"))


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = "import sys, matcher; print(sorted({'numpy', 'torch', 'sklearn', 'rich', 'bm25s', 'tokenizers'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[1])
    assert done.stdout.strip() == "[]"


def test_matching_loads_neither_torch_nor_scikit_learn_nor_bm25s() -> None:
    code = (
        "import sys, matcher.match, matcher.batch; "
        "print(sorted({'torch', 'sklearn', 'scipy', 'rich', 'bm25s', 'matcher.evaluation', 'matcher.training'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[1],
        env={**os.environ},
    )
    assert done.stdout.strip() == "[]"
