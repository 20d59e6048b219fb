"""POST /v1/gap, /v1/whatif and /v1/moves, GET /v1/compare and what is related: the library's own answers, and clear refusals."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from matcher.match import Matcher
from tests.api.test_match import TEXT

BAKER, COOK, LAWYER, MECHANIC, EMPTY, UNKNOWN = (
    "51-3011.00", "35-2014.00", "23-1011.00", "49-3023.00", "51-9199.00", "99-9999.00",
)  # fmt: skip
SKILLS = ["Microsoft Word", "Decorating cakes with icing"]
RESUME = {"work": [{"position": "Baker", "highlights": ["Knead and shape dough for loaves and rolls"]}]}


def post(client: TestClient, path: str, status: int = 200, **body: Any) -> Any:
    answer = client.post(f"/v1/{path}", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


def as_json(value: Any) -> Any:
    return json.loads(json.dumps(value))


def around(matcher: Matcher, identity: str | None = None) -> dict[str, Any]:
    """What stands around every answer."""
    return {"id": identity, "status": "ok", "engine": dict(matcher.engine)}


@pytest.fixture(scope="module")
def matcher(app: FastAPI) -> Matcher:
    """The library behind the service."""
    found: Matcher = app.state.holder.current
    return found


@pytest.mark.parametrize("query", [{"text": TEXT}, {"skills": SKILLS}, {"title": "Pastry Baker"}, {"resume": RESUME}])
def test_each_endpoint_answers_the_same_as_the_library(client: TestClient, matcher: Matcher, query: dict[str, Any]) -> None:
    matches = matcher.match(**query)
    for code in (BAKER, COOK, LAWYER):
        found = post(client, "gap", **query, code=code, id="7")
        assert found == as_json({**around(matcher, "7"), **matches.gap(code).to_dict()})
        found = post(client, "gap", **query, code=code, best_additions=True)
        assert found["best_additions"] == as_json([a.to_dict() for a in matches.best_additions(code)])
    change: dict[str, Any] = {"add": ["Draft contracts and negotiate their terms"], "code": LAWYER}
    for asked in (change, {**change, "remove": [matches.query.phrases[0].text]}):
        found = post(client, "whatif", **query, **asked)
        assert found == as_json({**around(matcher), **matches.what_if(**asked).to_dict()})
    opened = post(client, "whatif", **query, opens_most=True)
    assert opened["opens_most"] == as_json([o.to_dict() for o in matches.opens_most()])
    for wish in ({}, {"outside_group": True}, {"zone_up": True}, {"pays_more": 0.1}, {"interests": "R"}):
        sent = {name: list(value) if isinstance(value, str) else value for name, value in wish.items()}
        asked_moves = {**around(matcher), **matches.moves(top=3, **wish).to_dict()}
        assert post(client, "moves", **query, top=3, **sent) == as_json(asked_moves), wish
    from_cook = {**around(matcher), **matches.moves(start=COOK).to_dict()}
    assert post(client, "moves", **query, code=COOK) == as_json(from_cook)


def test_moves_from_a_code_and_comparisons_are_the_library_s_own(client: TestClient, matcher: Matcher) -> None:
    assert post(client, "moves", code=BAKER, top=2) == as_json({**around(matcher), **matcher.moves_from(BAKER, top=2).to_dict()})
    for codes in ((BAKER, COOK), (LAWYER, BAKER, MECHANIC)):
        answer = client.get("/v1/compare", params={"codes": ",".join(codes)})
        assert answer.json() == as_json({**matcher.compare(*codes).to_dict(), "engine": dict(matcher.engine)})


def test_the_full_catalogue_answers_the_same_as_the_library(bundled: TestClient, bundled_app: FastAPI) -> None:
    library: Matcher = bundled_app.state.holder.current
    matches = library.match(text=TEXT)
    wishes: tuple[dict[str, Any], ...] = (
        {"less_physical": True},
        {"more_employed": True, "zone_up": True},
        {"pays_more": 0.2, "outside_group": True},
    )
    for wish in wishes:
        assert post(bundled, "moves", text=TEXT, top=5, **wish)["moves"] == as_json(matches.moves(top=5, **wish).to_dict()["moves"])
    scores = {"R": 30, "I": 12.5, "A": 3, "S": 8, "E": 9, "C": 20}
    found = post(bundled, "moves", code=BAKER, interest_scores=scores)
    assert found["moves"] == as_json(library.moves_from(BAKER, interests=scores).to_dict()["moves"])
    assert post(bundled, "gap", text=TEXT, code=BAKER)["gaps"] == as_json(matches.gap(BAKER).to_dict()["gaps"])


def test_related_occupations_stand_beside_ours_and_say_how_ours_were_found(bundled: TestClient, bundled_app: FastAPI) -> None:
    library: Matcher = bundled_app.state.holder.current
    found = bundled.get("/v1/occupations/15-1252.00/related").json()
    ours = [m.to_dict() for m in library.moves_from("15-1252.00", top=20)]
    for one, other in zip(found["near"], ours, strict=True):
        assert {k: one[k] for k in ("code", "title", "nearness", "found_by", "onet_related")} == {
            k: other[k] for k in one if k != "href"
        }
        assert bundled.get(one["href"]).status_code == 200
    marked = {m["code"] for m in ours if m["onet_related"]}
    listed = {item["code"] for item in found["related_occupations"]}
    assert marked == listed & {m["code"] for m in ours}
    assert found["agreement"]["among_near"] == len(marked)
    assert len(marked) <= found["agreement"]["listed"] <= len(listed)


def test_a_code_without_data_has_nothing_near(client: TestClient) -> None:
    assert set(client.get(f"/v1/occupations/{EMPTY}/related").json()) == {"code", "title", "related_occupations"}


@pytest.mark.parametrize("path", ["gap", "whatif", "moves"])
def test_what_cannot_be_read_is_insufficient_and_says_why(client: TestClient, path: str) -> None:
    more = {"gap": {"code": BAKER}, "whatif": {"add": ["Baking bread"]}, "moves": {}}[path]
    found = post(client, path, text="Hello", id="x", **more)
    assert (found["id"], found["status"], found["reasons"]) == ("x", "insufficient", ["too_short"])
    assert found["gaps" if path == "gap" else "matches" if path == "whatif" else "moves"] == []


@pytest.mark.parametrize("path", ["gap", "whatif", "moves"])
def test_an_unknown_code_is_a_404_with_a_pointer_that_does_not_repeat_it(client: TestClient, path: str) -> None:
    for query in ({"text": TEXT}, {"text": "Hello"}):
        found = post(client, path, 404, **query, code=UNKNOWN, **({"add": ["Baking"]} if path == "whatif" else {}))
        assert found["type"] == "/problems/not-found"
        assert found["errors"][0]["pointer"] == "/code"
        assert UNKNOWN not in json.dumps(found)


@pytest.mark.parametrize(
    ("path", "body", "pointer", "detail"),
    [
        ("gap", {"text": TEXT}, "/code", "missing, and needed"),
        ("gap", {"text": TEXT, "code": "Bakers"}, "/code", "expected the form"),
        ("gap", {"code": BAKER}, "", "expected one or more of text, skills, title, resume"),
        ("gap", {"text": TEXT, "code": EMPTY}, "/code", "nothing can be compared"),
        ("gap", {"text": TEXT, "code": BAKER, "top": 3}, "", "known are id, text, skills, title, resume, code, best_additions"),
        ("gap", {"resume": {"work": 7}, "code": BAKER}, "/resume/work", "expected a list"),
        ("whatif", {"text": TEXT}, "", "expected one or more lines in add or remove"),
        ("whatif", {"text": TEXT, "add": [], "remove": []}, "", "expected one or more lines in add or remove"),
        ("whatif", {"text": TEXT, "add": ["Baking", ""]}, "/add/1", "at least 1 characters"),
        ("whatif", {"text": TEXT, "add": ["Baking", " - "]}, "/add/1", "is empty"),
        ("whatif", {"text": TEXT, "add": "Baking"}, "/add", "expected a list"),
        ("whatif", {"text": TEXT, "add": ["x" * 2001]}, "/add/0", "at most 2000 characters"),
        ("whatif", {"text": TEXT, "add": ["Baking"] * 51}, "/add", "at most 50 items"),
        ("whatif", {"text": TEXT, "remove": ["Secret words"]}, "/remove/0", "was not found in what was given"),
        ("whatif", {"title": "Baker", "remove": ["Baker"]}, "/remove", "nothing would be left"),
        ("moves", {}, "", "expected one or more of text, skills, title, resume, code"),
        ("moves", {"code": EMPTY}, "/code", "nothing can be compared"),
        ("moves", {"code": BAKER, "top": 101}, "/top", "expected 100 or less"),
        ("moves", {"code": BAKER, "pays_more": -1}, "/pays_more", "or more"),
        ("moves", {"code": BAKER, "pays_more": 11}, "/pays_more", "or less"),
        ("moves", {"code": BAKER, "interests": ["X"]}, "/interests/0", "expected "),
        ("moves", {"code": BAKER, "interests": []}, "/interests", "at least 1 items"),
        ("moves", {"code": BAKER, "interest_scores": {"R": 1}}, "/interest_scores/I", "missing, and needed"),
        ("moves", {"code": BAKER, "interest_scores": dict.fromkeys("RIASEC", 3)}, "/interest_scores", "six equal scores"),
        ("moves", {"code": BAKER, "interests": ["R"], "interest_scores": dict.fromkeys("RIASEC", 3)}, "", "not both"),
        ("moves", {"text": TEXT, "code": EMPTY, "zone_up": True}, "/zone_up", "job zone of the origin is unknown"),
        ("moves", {"text": TEXT, "code": EMPTY, "more_employed": True}, "/more_employed", "employment of the origin is unknown"),
        ("moves", {"text": TEXT, "code": EMPTY, "pays_more": 0}, "/pays_more", "pay of the origin is unknown"),
    ],
)
def test_a_bad_field_is_a_422_with_a_pointer(
    client: TestClient, path: str, body: dict[str, Any], pointer: str, detail: str
) -> None:
    found = post(client, path, 422, **body)
    assert found["type"] == "/problems/invalid"
    assert any(e["pointer"] == pointer and detail in e["detail"] for e in found["errors"]), found
    assert "Secret" not in json.dumps(found)


@pytest.mark.parametrize(
    ("codes", "status"),
    [
        (f"{BAKER},{UNKNOWN}", 404), (f"{UNKNOWN},{UNKNOWN}", 404), (f"{BAKER},{EMPTY}", 422), (f"{BAKER},{BAKER}", 422), (BAKER, 422),
        (f"{BAKER},{COOK},{LAWYER},{MECHANIC}", 422), ("", 422), (f"{BAKER}, {COOK}", 422), (None, 422),
    ],
)  # fmt: skip
def test_bad_codes_are_refused_with_the_parameter(client: TestClient, codes: str | None, status: int) -> None:
    answer = client.get("/v1/compare", params={} if codes is None else {"codes": codes})
    assert answer.status_code == status
    assert answer.json()["errors"][0]["parameter"] == "codes"


@pytest.mark.parametrize("path", ["gap", "whatif", "moves"])
def test_a_body_of_another_kind_or_size_is_refused_as_for_a_match(client: TestClient, path: str) -> None:
    where = f"/v1/{path}"
    assert client.post(where, content=b"{}", headers={"content-type": "text/plain"}).status_code == 415
    assert client.post(where, content=b"{", headers={"content-type": "application/json"}).status_code == 400
    assert client.post(where, content=b" " * 600_000, headers={"content-type": "application/json"}).status_code == 413
    assert client.get(where).status_code == 405


def test_an_occupation_that_stands_far_down_is_followed(bundled: TestClient) -> None:
    found = post(bundled, "whatif", text=TEXT, add=["Kneaded dough for rolls"], code=LAWYER)
    assert found["occupation"]["code"] == LAWYER
    assert LAWYER not in {m["code"] for m in found["matches"]}
    assert found["added"] == ["Kneaded dough for rolls"]
