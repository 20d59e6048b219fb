"""Problems: what is refused, where the pointers lead, and that nothing that was sent comes back."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from typing import Any

import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from api.app import create_app
from api.body import decode_json
from api.problems import KINDS, Fault, Refusal, pointer, problem_dict
from api.settings import Settings
from tests.api.conftest import BASE_URL

JSON = {"content-type": "application/json"}


def send(client: TestClient, body: bytes, **headers: str) -> Any:
    return client.post("/v1/match", content=body, headers=JSON | headers)


@pytest.mark.parametrize(
    ("body", "kind", "detail"),
    [
        (b"", "not-json", "the body is empty, expected JSON"),
        (b" \r\n", "not-json", "the body is empty, expected JSON"),
        (b'{"title": "Baker"', "not-json", "not JSON at line 1, column "),
        (b'{"title": "Baker",}', "not-json", "not JSON at line 1, column "),
        (b'{"title": "Baker", "top": NaN}', "not-json", "not JSON at line 1, column "),
        (b'{"title": "Baker", "top": -Infinity}', "not-json", "not JSON at line 1, column "),
        (b'{"title": "Baker", "top": 1e999}', "not-json", "a number is larger than a double can hold"),
        (b'{"title": "Baker", "title": "Cook"}', "not-json", "an object has the same member twice"),
        (b'{"title": "Baker", "filters": {"job_zone": [1], "job_zone": [2]}}', "not-json", "an object has the same member twice"),
        (b'{"title": "a:b \\" : \\\\", "title": "c"}', "not-json", "an object has the same member twice"),
        (b"[" * 1_000_0 + b"]" * 1_000_0, "not-json", "the JSON is nested too deeply"),
        (b'{"title": "\xff"}', "not-utf-8", "the body is not UTF-8"),
        (b'{"title": "\xed\xa0\x80"}', "not-utf-8", "the body is not UTF-8"),
        ('{"title": "Baker"}'.encode("utf-16"), "not-utf-8", "the body is not UTF-8"),
        ('{"title": "Baker"}'.encode("utf-16-le"), "not-utf-8", "the body is not UTF-8"),
    ],
)  # fmt: skip
def test_what_is_not_json_in_utf_8_is_refused_with_the_reason(client: TestClient, body: bytes, kind: str, detail: str) -> None:
    answer = send(client, body)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    found = answer.json()
    assert (found["type"], found["status"]) == (f"/problems/{kind}", 400)
    assert found["detail"].startswith(detail)


@pytest.mark.parametrize(
    "body",
    [
        b'\xef\xbb\xbf{"title": "Baker"}',
        b'{"title": "Baker \\": b"}',
        b'{"title": "a:b, \\"c\\": \\\\", "text": ":::"}',
        b'{"title": "Baker\\u0000"}',
    ],
)
def test_a_byte_order_mark_colons_quotes_and_nul_within_texts_are_taken(client: TestClient, body: bytes) -> None:
    assert send(client, body).status_code == 200


def test_half_a_character_becomes_the_replacement_character_and_offsets_stay(client: TestClient) -> None:
    # As JavaScript's JSON.stringify writes a text that was cut within an emoji, and one that was not.
    body = b'{"title": "\\ud83d Baker \\uD83D\\uDE00 \\\\ud83d \\udE00", "explain": true, "top": 1}'
    assert decode_json(body)["title"] == "\ufffd Baker \U0001f600 \\ud83d \ufffd"
    assert send(client, body).status_code == 200


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ([], [""]),
        ({}, [""]),
        ({"text": None}, [""]),
        ({"text": 5}, ["/text"]),
        ({"title": "x" * 301}, ["/title"]),
        ({"skills": "Baking"}, ["/skills"]),
        ({"skills": ["Baking", 7, "x" * 201]}, ["/skills/1", "/skills/2"]),
        ({"skills": ["x"] * 501}, ["/skills"]),
        ({"text": "x" * 200_001}, ["/text"]),
        ({"title": "Baker", "top": 0}, ["/top"]),
        ({"title": "Baker", "top": 101}, ["/top"]),
        ({"title": "Baker", "top": "10"}, ["/top"]),
        ({"title": "Baker", "top": True}, ["/top"]),
        ({"title": "Baker", "top": 1.5}, ["/top"]),
        ({"title": "Baker", "explain": 1}, ["/explain"]),
        ({"title": "Baker", "id": 7}, ["/id"]),
        ({"title": "Baker", "id": "x" * 201}, ["/id"]),
        ({"title": "Baker", "offset_unit": "bytes"}, ["/offset_unit"]),
        ({"title": "Baker", "wanted": 1}, [""]),
        ({"title": "Baker", "filters": []}, ["/filters"]),
        ({"title": "Baker", "filters": {"zone": [1]}}, ["/filters"]),
        ({"title": "Baker", "filters": {"job_zone": [1, 6]}}, ["/filters/job_zone/1"]),
        ({"title": "Baker", "filters": {"major_group": ["5"]}}, ["/filters/major_group/0"]),
        ({"title": "Baker", "filters": {"major_group": ["51\n"]}}, ["/filters/major_group/0"]),
        ({"title": "Baker", "filters": {"exclude": ["51-3011.00", "99-9999.00", "Bakers"]}}, ["/filters/exclude/2"]),
        ({"title": "Baker", "filters": {"min_median_wage": -1}}, ["/filters/min_median_wage"]),
        ({"title": "Baker", "filters": {"interests": ["r"]}}, ["/filters/interests/0"]),
        ({"resume": []}, ["/resume"]),
        ({"resume": {"work": [{"position": "Baker"}, {"position": 3}]}}, ["/resume/work/1/position"]),
        ({"resume": {"skills": [{"name": ["x"]}]}}, ["/resume/skills/0/name"]),
        ({"text": '{"basics": {}, "work": [{"highlights": [1]}]}'}, ["/text"]),
    ],
)  # fmt: skip
def test_every_bad_field_is_a_422_with_a_pointer_to_it(client: TestClient, body: Any, pointers: list[str]) -> None:
    answer = client.post("/v1/match", json=body)
    assert answer.status_code == 422
    found = answer.json()
    assert found["type"] == "/problems/invalid"
    assert [error["pointer"] for error in found["errors"]] == pointers
    assert all(error["detail"] for error in found["errors"])


@pytest.mark.parametrize(
    ("head", "item", "tail", "status"),
    [
        (b"{", b'"%d":0,', b'"title":"x"}', 413),
        (b"{", b'"a%04d":0,', b'"title":"x"}', 422),
        (b'{"skills":[', b"1,", b"1]}", 413),
        (b'{"skills":[', b'"",', b'""]}', 413),
        (b'{"resume":{"work":[', b"[],", b"[]]}}", 413),
        (b'{"resume":{"work":[', b'{"a":1},', b"{}]}}", 413),
        (b'{"title":"', b",[{", b'"}', 422),
        (b'{"text":"', b'\\"', b'"}', 200),
        (b'{"text":"', b"\\ud800", b'"}', 200),
        (b'{"text":"', b"a", b'"}', 200),
    ],
)
def test_half_a_megabyte_of_anything_is_answered_soon(
    client: TestClient, head: bytes, item: bytes, tail: bytes, status: int
) -> None:
    most = 9_999 if b"04" in item else (195_000 if b"text" in head else 520_000) // len(item)
    body = head + b"".join(item % i if b"%" in item else item for i in range(most)) + tail
    begin = time.perf_counter()
    assert send(client, body[: 512 * 1024] if status == 413 else body).status_code == status
    assert time.perf_counter() - begin < 2


def test_a_pointer_escapes_slashes_and_tildes() -> None:
    # RFC 6901, section 5: "a/b" is /a~1b, "m~n" is /m~0n.
    assert pointer(["a/b", 3, "m~n", ""]) == "/a~1b/3/m~0n/"


def test_many_faults_are_counted_and_the_first_twenty_listed() -> None:
    found = problem_dict(422, "Bad.", errors=[Fault("expected a string", pointer=f"/skills/{i}") for i in range(30)])
    assert (len(found["errors"]), found["errors_not_listed"]) == (20, 10)


def test_each_kind_of_problem_can_be_looked_up_where_its_type_points(client: TestClient) -> None:
    for kind, (title, advice) in KINDS.items():
        page = client.get(f"/problems/{kind}")
        assert page.status_code == 200
        assert title in page.text
        assert advice in page.text
    assert client.get("/problems/none").status_code == 404


def test_other_media_types_and_charsets_get_415_and_what_to_send(client: TestClient) -> None:
    for kind in ("", "text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16"):
        answer = client.post("/v1/match", content=b'{"title": "Baker"}', headers={"content-type": kind} if kind else {})
        assert answer.status_code == 415, kind
        assert "expected" in answer.json()["detail"]
    assert client.post("/v1/match", content=b'{"title": "Baker"}', headers={"content-type": 'Application/JSON; Charset="UTF-8"'}).status_code == 200  # fmt: skip


@pytest.mark.parametrize("path", ["/v1/match", "/v1/match/file", "/v1/match/batch"])
def test_a_body_is_counted_while_it_comes_and_refused_when_too_large(client: TestClient, path: str) -> None:
    kind = {"/v1/match": "application/json", "/v1/match/file": "multipart/form-data; boundary=x", "/v1/match/batch": "application/x-ndjson"}[path]  # fmt: skip
    most = {"/v1/match": 512 * 1024, "/v1/match/file": 5 * 1024 * 1024, "/v1/match/batch": 4 * 1024 * 1024}[path]
    declared = client.post(path, content=b" " * (most + 1), headers={"content-type": kind})
    chunked = client.post(path, content=iter([b" " * 65_536] * (most // 65_536 + 1)), headers={"content-type": kind})
    for answer in (declared, chunked):
        assert answer.status_code == 413
        assert answer.json()["type"] == "/problems/too-large"
    assert client.post(path, content=b" " * most, headers={"content-type": kind}).status_code != 413


def test_a_body_that_is_declared_far_too_large_is_refused_before_a_byte_is_read(app: FastAPI) -> None:
    headers = [(b"host", b"127.0.0.1"), (b"content-type", b"application/json"), (b"content-length", b"400000000")]
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/match",
        "query_string": b"",
        "headers": headers,
        "client": None,
        "state": {},
    }
    sent: list[Any] = []

    async def receive() -> Any:
        raise AssertionError("the body was read")

    async def answer(message: Any) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, answer))  # type: ignore[arg-type]
    assert sent[0]["status"] == 413


def test_parameters_are_named_where_they_are_wrong(client: TestClient) -> None:
    found = client.get("/v1/occupations", params={"start": "0", "end": "many"}).json()
    assert found["status"] == 422
    assert found["errors"] == [
        {"parameter": "start", "detail": "expected 1 or more"},
        {"parameter": "end", "detail": "expected a whole number"},
    ]


def test_unknown_paths_and_methods_are_problems_too(client: TestClient) -> None:
    missing, wrong = client.get("/v1/nothing"), client.delete("/v1/match")
    assert (missing.status_code, missing.json()["type"]) == (404, "/problems/not-found")
    assert (wrong.status_code, wrong.json()["type"], wrong.headers["allow"]) == (405, "/problems/method-not-allowed", "POST")
    assert client.get("/v1/occupations/").status_code == 404  # and no redirect that would echo a Host


def test_every_answer_has_a_request_id_and_a_valid_one_of_the_caller_comes_back(client: TestClient) -> None:
    assert send(client, b"{", **{"x-request-id": "job-board_7.a"}).headers["x-request-id"] == "job-board_7.a"
    own = send(client, b'{"title": "Baker"}', **{"x-request-id": "not valid: \t"})
    assert len(own.headers["x-request-id"]) == 32
    problem = send(client, b"{")
    assert problem.json()["instance"] == f"/requests/{problem.headers['x-request-id']}"
    assert problem.headers.get_list("x-request-id") == [problem.headers["x-request-id"]]


def test_nothing_is_stored_by_anyone_on_the_way(client: TestClient) -> None:
    for answer in (client.get("/v1/about"), send(client, b"{"), client.get("/v1/nothing"), send(client, b'{"title": "Baker"}')):
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_head_answers_as_get_without_a_body(client: TestClient) -> None:
    answer = client.head("/v1/occupations/51-3011.00")
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) == len(client.get("/v1/occupations/51-3011.00").content)


def canaries(token: str) -> list[tuple[str, dict[str, Any]]]:
    """Return requests that are refused, each with ``token`` in another place."""
    json_bodies: list[Any] = [
        token,
        [token],
        {token: 1, "title": "Baker"},
        {"text": [token]},
        {"title": token * 50},
        {"skills": [token, {token: token}]},
        {"title": "Baker", "id": token * 50},
        {"title": "Baker", "offset_unit": token},
        {"title": "Baker", "top": token},
        {"title": "Baker", "filters": {token: [token]}},
        {"title": "Baker", "filters": {"exclude": [token]}},
        {"title": "Baker", "filters": {"interests": [token]}},
        {"resume": {"work": [{"position": [token]}]}},
        {"resume": {"work": {token: token}}},
        {"resume": token},
        {"text": json.dumps({"work": [{"position": {token: token}}]})},
    ]
    requests: list[tuple[str, dict[str, Any]]] = [("/v1/match", {"json": body}) for body in json_bodies]
    requests += [
        ("/v1/match", {"content": f'{{"title": "{token}'.encode(), "headers": JSON}),
        ("/v1/match", {"content": f'{{"{token}": 1, "{token}": 2}}'.encode(), "headers": JSON}),
        ("/v1/match", {"content": b"{}", "headers": {"content-type": f"text/{token}"}}),
        ("/v1/match", {"content": b"{}", "headers": {"content-type": f"application/json; charset={token}"}}),
        ("/v1/match/file", {"files": {token: (token, b"x")}}),
        ("/v1/match/file", {"files": {"file": (token, f"GIF89a{token}".encode())}}),
        ("/v1/match/file", {"files": {"file": (token, f"%PDF-1.7\n{token}".encode())}}),
        ("/v1/match/file", {"files": {"file": ("a", b"x")}, "data": {"options": token}}),
        ("/v1/match/file", {"files": {"file": ("a", b"x")}, "data": {"options": json.dumps({token: token})}}),
        ("/v1/match/batch", {"content": f"{token}\n".encode(), "headers": {"content-type": "application/x-ndjson"}}),
        (f"/v1/{token}", {"json": {}}),
        (f"/{token}", {"json": {}}),
    ]
    return requests


def test_no_refusal_repeats_what_was_sent(client: TestClient) -> None:
    token = "canary" + secrets.token_hex(8)
    for path, request in canaries(token):
        answer = client.post(path, **request)
        assert answer.status_code >= 400 or b'"status":"error"' in answer.content, (path, request)
        assert token not in answer.text, (path, request)
        assert token not in str(answer.headers), (path, request)
    for path in (f"/v1/occupations/{token}", f"/v1/occupations?start={token}", f"/v1/suggest?prefix=a&kind={token}", f"/docs/{token}", f"/problems/{token}"):  # fmt: skip
        answer = client.get(path)
        assert answer.status_code in (404, 422), path
        assert token not in answer.text, path


def test_a_fault_of_ours_ends_in_a_problem_without_its_text(invented_index: Any, capsys: pytest.CaptureFixture[str]) -> None:
    app: FastAPI = create_app(Settings(index=invented_index))

    async def broken() -> None:
        raise RuntimeError("canary-text")

    app.add_api_route("/v1/broken", broken)
    with TestClient(app, base_url=BASE_URL) as client:  # an exception that got through would be raised here
        answer = client.get("/v1/broken")
    assert answer.status_code == 500
    assert answer.json()["type"] == "/problems/internal"
    assert answer.headers["cache-control"] == "no-store"
    printed = capsys.readouterr()
    assert "canary-text" not in answer.text + printed.out + printed.err
    assert "RuntimeError" in printed.out + printed.err


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=()), max_size=50),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(exclude_categories=()), max_size=10), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip
names = st.sampled_from(
    ["id", "text", "skills", "title", "resume", "top", "explain", "accurate", "return_text", "offset_unit", "filters"]
)
characters = st.text(st.characters(exclude_categories=()), max_size=200)
queries = st.fixed_dictionaries(
    {},
    optional={
        "text": characters,
        "title": characters,
        "skills": st.lists(characters, max_size=4),
        "id": characters,
        "resume": st.fixed_dictionaries({}, optional={"work": st.lists(st.fixed_dictionaries({"position": characters, "highlights": st.lists(characters, max_size=3)}), max_size=3), "skills": st.lists(characters | values, max_size=3), "basics": values}),
        "offset_unit": st.sampled_from(["utf16", "code_point"]),
        "return_text": st.booleans(),
        "top": st.integers(0, 101),
    },
)  # fmt: skip


def _never_breaks(client: TestClient, body: bytes) -> None:
    answer = send(client, body)
    assert answer.status_code in (200, 400, 422), answer.status_code
    json.loads(answer.content.decode("utf-8"))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.dictionaries(names, values, max_size=5) | queries | values)
def test_no_json_with_any_character_anywhere_breaks_the_service(client: TestClient, body: Any) -> None:
    _never_breaks(client, json.dumps(body).encode("utf-8"))


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=200) | queries.map(lambda q: json.dumps(q, ensure_ascii=False).encode("utf-8", "surrogatepass")))
def test_no_bytes_break_the_service(client: TestClient, body: bytes) -> None:
    _never_breaks(client, body)


@pytest.mark.slow
@settings(max_examples=10_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(body=st.dictionaries(names, values, max_size=5) | queries | values)
def test_ten_thousand_bodies_and_none_breaks_the_service(client: TestClient, body: Any) -> None:
    _never_breaks(client, json.dumps(body).encode("utf-8"))


def test_a_refusal_is_no_value_error_that_a_route_could_take_for_its_own() -> None:
    assert not issubclass(Refusal, ValueError)
