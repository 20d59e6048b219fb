"""POST /v1/match: every field of the wire format, the same answers as the library, and the work off the event loop."""

from __future__ import annotations

import json
import threading
from typing import Any

import orjson
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from api import match
from api.app import create_app
from api.settings import Settings
from matcher.match import Matcher
from tests.api.conftest import BASE_URL

TEXT = """Robin Example
robin@example.org

Baker, Corner Bakery
March 2019 to Current
- Knead and shape dough for loaves and rolls
- Set oven temperatures and watch the bake each night
"""
POSTING = (
    "We are looking for somebody to join our workshop. You will replace brake pads and rotors, read fault codes with a scan tool and "
    "change oil, filters and belts. Three years in a garage are welcome."
)


def ask(client: TestClient, **body: Any) -> Any:
    answer = client.post("/v1/match", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_answer_is_the_library_s_own(client: TestClient, app: FastAPI) -> None:
    matcher: Matcher = app.state.holder.current
    expected = matcher.match(text=TEXT, skills=["Baking bread"], title="Baker", top=3, id="7").to_dict()
    assert ask(client, text=TEXT, skills=["Baking bread"], title="Baker", top=3, id="7") == json.loads(json.dumps(expected))


def test_the_same_query_gets_the_same_bytes(client: TestClient) -> None:
    bodies = {client.post("/v1/match", json={"text": TEXT}).content for _ in range(3)}
    assert len(bodies) == 1


def test_a_text_skills_a_title_and_a_json_resume_each_find_their_occupation(client: TestClient) -> None:
    resume = {
        "basics": {"label": "Baker"},
        "work": [{"position": "Baker", "highlights": ["Knead and shape dough for loaves and rolls"]}],
    }
    for query in ({"text": TEXT}, {"skills": ["Decorating cakes", "Shaping dough"]}, {"title": "Pastry Baker"}, {"resume": resume}):
        assert ask(client, **query)["matches"][0]["code"] == "51-3011.00", query


def test_a_job_posting_s_title_and_description_find_its_occupation(client: TestClient) -> None:
    assert ask(client, title="Brake Technician", text=POSTING)["matches"][0]["code"] == "49-3023.00"


def test_evidence_points_into_a_json_resume_and_skills_of_a_position_are_read(client: TestClient) -> None:
    resume = {
        "work": [
            {"position": "Baker", "skills": ["Decorate cakes with icing for customers"], "highlights": ["Knead and shape dough"]}
        ],
        "skills": [{"name": "Microsoft Excel", "level": "fluent, I'd say"}],
        "x-unknown": {"anything": [1, None]},
    }
    evidence = [e for m in ask(client, resume=resume)["matches"] for e in m["evidence"]]
    assert {e["source"] for e in evidence} == {"resume"}
    assert "/work/0/skills/0" in {e["pointer"] for e in evidence}
    for pair in evidence:
        value: Any = resume
        for step in pair["pointer"].split("/")[1:]:
            value = value[int(step) if isinstance(value, list) else step]
        assert value[pair["start"] : pair["end"]] == pair["phrase"]


def test_offsets_count_code_points_or_utf_16_units(client: TestClient) -> None:
    text = "\U0001f35e\U0001f35e " + TEXT
    units = text.encode("utf-16-le")
    for unit, cut in (("code_point", lambda a, b: text[a:b]), ("utf16", lambda a, b: units[2 * a : 2 * b].decode("utf-16-le"))):
        pairs = ask(client, text=text, offset_unit=unit)["matches"][0]["evidence"]
        assert pairs
        assert all(cut(e["start"], e["end"]) == e["phrase"] for e in pairs), unit


def test_offsets_into_a_json_resume_count_utf_16_units_as_well(client: TestClient) -> None:
    summary = "\U0001f35e\U0001f35e Led a small team in a shop. Knead and shape dough for loaves and rolls."
    found = ask(client, resume={"work": [{"position": "Baker", "summary": summary}]}, offset_unit="utf16", top=1)
    (pair,) = (e for e in found["matches"][0]["evidence"] if e["phrase"].startswith("Knead"))
    assert summary.encode("utf-16-le")[2 * pair["start"] : 2 * pair["end"]].decode("utf-16-le") == pair["phrase"]


def test_offsets_into_a_title_and_a_skill_count_utf_16_units_as_well(client: TestClient) -> None:
    for query, source in (
        ({"title": "- \U0001f35e\U0001f35e Pastry Baker"}, "title"),
        ({"skills": ["- \U0001f35e Knead and shape dough"]}, "skills/0"),
    ):
        given = query["title"] if source == "title" else query["skills"][0]
        pairs = [e for m in ask(client, **query, offset_unit="utf16")["matches"] for e in m["evidence"]]
        assert pairs
        for pair in pairs:
            assert pair["source"] == source
            assert given.encode("utf-16-le")[2 * pair["start"] : 2 * pair["end"]].decode("utf-16-le") == pair["phrase"]


def test_the_options_do_what_they_say(client: TestClient) -> None:
    assert len(ask(client, text=TEXT, top=2)["matches"]) == 2
    assert ask(client, text=TEXT, top=2.0)["matches"][1]["rank"] == 2
    assert all(not m["evidence"] for m in ask(client, text=TEXT, explain=False)["matches"])
    assert ask(client, text=TEXT)["query"]["text"] is None
    assert ask(client, text=TEXT, return_text=True)["query"]["text"] == TEXT
    assert ask(client, text=TEXT, id="é/1")["id"] == "é/1"
    assert ask(client, text=TEXT)["id"] is None
    assert "accurate" in ask(client, text=TEXT, accurate=True)["warnings"][0]


@pytest.mark.parametrize(
    ("filters", "codes"),
    [
        ({}, {"23-1011.00", "35-2014.00", "49-3023.00", "51-3011.00", "51-9199.00"}),
        ({"job_zone": [1, 2]}, {"35-2014.00", "51-3011.00"}),
        ({"major_group": ["51"]}, {"51-3011.00", "51-9199.00"}),
        ({"exclude": ["51-3011.00"]}, {"23-1011.00", "35-2014.00", "49-3023.00", "51-9199.00"}),
        ({"exclude_major_group": ["51", "23"]}, {"35-2014.00", "49-3023.00"}),
        # 17 dollars an hour are 35,360 a year.
        ({"min_median_wage": 49000}, {"23-1011.00", "49-3023.00"}),
        ({"interests": ["R"]}, {"35-2014.00", "49-3023.00", "51-3011.00"}),
        ({"job_zone": None, "exclude": []}, {"23-1011.00", "35-2014.00", "49-3023.00", "51-3011.00", "51-9199.00"}),
    ],
)
def test_filters_leave_out_what_they_name_and_what_is_unknown(client: TestClient, filters: dict[str, Any], codes: set[str]) -> None:
    found = ask(client, text=TEXT, filters=filters)
    assert {m["code"] for m in found["matches"]} == codes
    if "min_median_wage" in filters:
        assert found["warnings"] == ["filter min_median_wage: 2 occupations left out because their value is unknown"]


def test_to_exclude_a_code_that_the_index_lacks_is_a_warning_so_that_a_new_index_breaks_no_caller(client: TestClient) -> None:
    found = ask(client, text=TEXT, filters={"exclude": ["99-9999.00", "51-3011.00"]})
    assert "51-3011.00" not in {m["code"] for m in found["matches"]}
    assert found["warnings"] == ["filter exclude: 1 codes are not in this index"]


def test_what_says_nothing_of_work_is_insufficient_and_not_an_error(client: TestClient) -> None:
    for query, reason in (({"text": ""}, "too_short"), ({"skills": []}, "too_short"), ({"text": "Он работал поваром в ресторане много лет и готовил мясо и рыбу для гостей"}, "not_english")):  # fmt: skip
        found = ask(client, **query)
        assert (found["status"], found["reasons"], found["matches"]) == ("insufficient", [reason], [])


def test_contact_details_are_counted_and_never_come_back(client: TestClient) -> None:
    answer = client.post("/v1/match", json={"text": TEXT})
    assert answer.json()["query"]["set_aside"]["contact"] >= 2
    assert "robin" not in answer.text.lower()


def test_texts_of_any_direction_width_and_plane_are_answered_in_utf_8(client: TestClient) -> None:
    for text in (
        "\u202eBaker\u202c " + TEXT,
        "B\u200ba\u200bk\u200be\u200br\n" + TEXT,
        "👩‍🍳🥖 " + TEXT,
        "\x01\x02\x1b[31m" + TEXT,
        "a" * 150_000 + " " + TEXT,
        "\x00" + TEXT,
    ):
        answer = client.post(
            "/v1/match", content=orjson.dumps({"text": text, "return_text": True}), headers={"content-type": "application/json"}
        )
        assert answer.status_code == 200
        assert answer.json()["query"]["text"] == text


def test_half_a_surrogate_in_an_answer_is_replaced_and_pairs_are_joined() -> None:
    assert json.loads(match.dump({"a\ud800": ["\ud83d\ude00", "x\udfff", ("y",), 1]})) == {
        "a\ufffd": ["\U0001f600", "x\ufffd", ["y"], 1]
    }


@pytest.mark.parametrize(
    ("accept", "linked"),
    [
        ("", False), ("*/*", False), ("application/json", False), ("text/html", False), ("application/ld+json", True),
        ("application/ld+json, application/json;q=0.5", True), ("application/json, application/ld+json;q=0.5", False),
        ("application/ld+json;q=0", False), ("application/LD+JSON ; q=1.0", True), ("application/ld+json;q=x", False), (";,;q=", False),
    ],
)  # fmt: skip
def test_linked_data_is_answered_to_who_prefers_it(accept: str, linked: bool) -> None:
    assert match.wants_linked(accept) is linked


def test_matching_runs_in_a_thread_of_its_own(invented_index: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    real = match.answer

    def watched(*args: Any) -> Any:
        seen.append(threading.current_thread().name)
        return real(*args)

    monkeypatch.setattr(match, "answer", watched)
    with TestClient(create_app(Settings(index=invented_index)), base_url=BASE_URL) as client:
        ask(client, title="Baker")
    assert seen[0].startswith("match")


def test_a_match_that_takes_too_long_is_a_503_with_retry_after(invented_index: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    monkeypatch.setattr(match, "answer", lambda *args: release.wait(10))
    with TestClient(create_app(Settings(index=invented_index, match_seconds=0.05)), base_url=BASE_URL) as client:
        answer = client.post("/v1/match", json={"title": "Baker"})
        release.set()
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/unavailable")
    assert int(answer.headers["retry-after"]) >= 1
