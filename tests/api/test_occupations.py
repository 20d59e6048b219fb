"""GET /v1/occupations, its codes, what is related, and suggestions."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from api import occupations
from tests.invented import RELEASE


def get(client: TestClient, path: str, **parameters: Any) -> Any:
    answer = client.get(path, params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


def codes(found: Any) -> list[str]:
    return [item["code"] for item in found["occupation"]]


def test_without_a_keyword_all_occupations_are_listed_in_order_of_code(client: TestClient) -> None:
    found = get(client, "/v1/occupations")
    assert codes(found) == [o.code for o in RELEASE.occupations]
    assert (found["start"], found["end"], found["total"]) == (1, 5, 5)
    assert found["occupation"][0] == {"code": "23-1011.00", "title": "Lawyers", "href": "/v1/occupations/23-1011.00"}
    assert "next" not in found
    assert "prev" not in found


def test_pages_link_to_the_ones_before_and_after(client: TestClient) -> None:
    first = get(client, "/v1/occupations", start=1, end=2)
    assert first["next"] == "/v1/occupations?start=3&end=4"
    second = client.get(first["next"]).json()
    assert codes(first) + codes(second) == [o.code for o in RELEASE.occupations[:4]]
    assert second["prev"] == "/v1/occupations?start=1&end=2"
    last = client.get(second["next"]).json()
    assert (last["start"], last["end"], "next" in last) == (5, 5, False)
    beyond = get(client, "/v1/occupations", start=90, end=99)
    assert (beyond["occupation"], beyond["end"], beyond["total"]) == ([], 89, 5)
    keyword = get(client, "/v1/occupations", keyword="o'cook & baker", start=1, end=1)
    assert "next" not in keyword or client.get(keyword["next"]).status_code == 200


@pytest.mark.parametrize(
    ("keyword", "code", "known_as"),
    [
        ("Bakers", "51-3011.00", None),
        ("baker", "51-3011.00", None),
        ("bakre", "51-3011.00", "Pastry Baker"),
        ("PASTRY   bakr", "51-3011.00", "Pastry Baker"),
        ("attorny", "23-1011.00", "Attorney"),
        ("línè çook", "35-2014.00", "Line Cook"),
        ("automotve tecnician", "49-3023.00", None),
        ("49-30", "49-3023.00", None),
    ],
)
def test_a_keyword_finds_titles_in_spite_of_typos(client: TestClient, keyword: str, code: str, known_as: str | None) -> None:
    first = get(client, "/v1/occupations", keyword=keyword)["occupation"][0]
    assert (first["code"], first.get("also_known_as")) == (code, known_as)


def test_a_keyword_that_means_nothing_finds_nothing(client: TestClient) -> None:
    for keyword in ("zzzzzzzz", "!!", "astronaut"):
        assert get(client, "/v1/occupations", keyword=keyword)["total"] == 0


def test_a_code_answers_every_section_that_the_index_holds(client: TestClient) -> None:
    found = get(client, "/v1/occupations/51-3011.00")
    assert {k: found[k] for k in ("code", "title", "soc_2018", "job_zone")} == {"code": "51-3011.00", "title": "Bakers", "soc_2018": "51-3011", "job_zone": 2}  # fmt: skip
    assert found["alternate_titles"] == ["Pastry Baker", "Dough Mixer"]
    assert found["sample_of_reported_titles"] == ["Bread Baker"]
    # round((4.6 - 1) x 25) = 90; the third task has no rating.
    assert found["tasks"][0] == {
        "id": "1",
        "name": "Knead and shape dough for loaves and rolls",
        "importance": 90,
        "emerging": False,
    }
    assert "importance" not in found["tasks"][2]
    assert found["detailed_work_activities"][0] == {"id": "A1", "name": "Prepare ingredients for cooking"}
    assert found["technology_skills"][0] == {"name": "Microsoft Excel", "category": "Spreadsheet software", "hot": True}
    assert found["knowledge"][0] == {"id": "2.C.1", "name": "Food Production", "importance": 95}
    assert found["interests"][0]["ratings"] == [{"scale": "OI", "value": 6.2}]
    assert found["wages"][0]["median_hourly"] == 17.0
    assert "related_occupations" not in found
    assert get(client, "/v1/occupations/23-1011.00")["job_zone_name"] == "Extensive preparation"


def test_a_code_without_data_answers_what_there_is(client: TestClient) -> None:
    found = get(client, "/v1/occupations/51-9199.00")
    assert set(found) == {"code", "title", "href", "description", "onet_online", "soc_2018", "alternate_titles"}


def test_a_code_of_an_older_taxonomy_is_told_which_codes_there_are(client: TestClient) -> None:
    about = client.get("/v1/about").json()
    detail = client.get("/v1/occupations/15-1132.00").json()["detail"]  # of O*NET-SOC 2010
    assert about["engine"]["release"] in detail
    assert "O*NET-SOC 2019" in detail
    assert "15-1132" not in detail


def test_an_unknown_code_is_a_404_however_it_is_written(client: TestClient) -> None:
    for code in ("99-9999.00", "51-3011", "Bakers", "51-3011.00%0a", "%F0%9F%8D%9E", "..%2f"):
        for path in (f"/v1/occupations/{code}", f"/v1/occupations/{code}/related"):
            answer = client.get(path)
            assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found"), path


def test_levels_and_suppressed_ratings_are_told(app: FastAPI) -> None:
    element = {
        "id": "2.B",
        "name": "Writing",
        "importance": {"scale": "IM", "value": 2.0, "suppress": True},
        "level": {"scale": "LV", "value": 3.5},
    }
    # round((2 - 1) x 25) = 25; round(3.5 / 7 x 100) = 50.
    assert occupations._element(element) == {"id": "2.B", "name": "Writing", "importance": 25, "level": 50, "suppress": True}
    assert "importance" not in occupations._element({"id": "2.B", "name": "Writing", "importance": {"scale": "IM"}})


def test_related_occupations_lead_to_codes_that_are_there(bundled: TestClient) -> None:
    found = get(bundled, "/v1/occupations/15-1252.00/related")
    assert found["related_occupations"]
    for item in found["related_occupations"]:
        assert bundled.get(item["href"]).status_code == 200
    assert get(bundled, "/v1/occupations/15-1252.00")["related_occupations"] == found["related_occupations"]


def test_a_related_occupation_that_this_index_lacks_has_no_link(app: FastAPI) -> None:
    index = app.state.holder.current.index
    section = {
        "related": [{"code": "51-3011.00", "title": "Bakers"}, {"code": "11-1011.00", "title": "Others", "tier": "Primary-Short"}]
    }
    assert occupations._related_of(section, index) == [
        {"code": "51-3011.00", "title": "Bakers", "href": "/v1/occupations/51-3011.00"},
        {"code": "11-1011.00", "title": "Others", "href": None, "tier": "Primary-Short"},
    ]


def test_titles_are_suggested_official_ones_first_with_their_codes(client: TestClient) -> None:
    found = get(client, "/v1/suggest", prefix="ba")
    assert found == {
        "kind": "title",
        "suggestions": [
            {"text": "Bakers", "code": "51-3011.00", "title": "Bakers"},
            {"text": "Bread Baker", "code": "51-3011.00", "title": "Bakers"},
            {"text": "Pastry Baker", "code": "51-3011.00", "title": "Bakers"},
        ],
    }
    assert [s["text"] for s in get(client, "/v1/suggest", prefix="line c")["suggestions"]] == ["Line Cook"]
    assert get(client, "/v1/suggest", prefix="attorny")["suggestions"][0]["text"] == "Attorney"


def test_skills_are_suggested_the_most_common_first(client: TestClient) -> None:
    texts = [s["text"] for s in get(client, "/v1/suggest", prefix="Mi", kind="skill")["suggestions"]]
    assert texts == ["Microsoft Word", "Microsoft Excel"]
    assert get(client, "/v1/suggest", prefix="westlw", kind="skill")["suggestions"] == [{"text": "Westlaw"}]
    assert get(client, "/v1/suggest", prefix="excel", kind="skill")["suggestions"] == [{"text": "Microsoft Excel"}]


@pytest.mark.parametrize("kind", ["title", "skill"])
@pytest.mark.parametrize("prefix", ["", " ", "!", "\x00", "a" * 100, "%", "\U0001f35e", "s", "c++"])
def test_any_prefix_gets_at_most_ten_names(bundled: TestClient, kind: str, prefix: str) -> None:
    assert len(get(bundled, "/v1/suggest", prefix=prefix, kind=kind)["suggestions"]) <= 10


def test_the_full_catalogue_is_found_by_what_people_write(bundled: TestClient) -> None:
    for keyword, code in (
        ("sofware develper", "15-1252.00"), ("regsitered nurse", "29-1141.00"), ("truck driver", "53-3032.00"), ("plumer", "47-2152.00"),
        ("acountant", "13-2011.00"), ("electrician", "47-2111.00"), ("baker", "51-3011.00"),
    ):  # fmt: skip
        assert codes(get(bundled, "/v1/occupations", keyword=keyword))[0] == code, keyword
