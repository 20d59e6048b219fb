"""POST /v1/match/file: documents by content, in memory, in a child; and multipart bodies of all sorts."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.settings import Settings
from matcher import documents
from tests.api.conftest import BASE_URL
from tests.api.test_match import TEXT

DOCUMENTS = Path(__file__).parents[1] / "fixtures" / "documents"
RESUME = {
    "basics": {"label": "Baker"},
    "work": [{"position": "Baker", "highlights": ["Knead and shape dough for loaves and rolls"]}],
}


def post(client: TestClient, content: bytes, options: Any = None, name: str = "resume.bin") -> Any:
    data = {} if options is None else {"options": json.dumps(options)}
    return client.post("/v1/match/file", files={"file": (name, content)}, data=data)


def test_a_text_file_gets_the_answer_and_offsets_into_the_text_that_comes_back(client: TestClient) -> None:
    found = post(client, TEXT.encode(), {"top": 2, "return_text": True, "id": "f"}).json()
    assert (found["matches"][0]["code"], len(found["matches"]), found["id"]) == ("51-3011.00", 2, "f")
    pairs = found["matches"][0]["evidence"]
    assert {e["source"] for e in pairs} == {"file"}
    assert all(found["query"]["text"][e["start"] : e["end"]] == e["phrase"] for e in pairs)


@pytest.mark.parametrize("name", ["two_pages.pdf", "word.docx"])
def test_a_pdf_and_a_word_document_are_told_by_their_content(client: TestClient, name: str) -> None:
    answer = post(client, (DOCUMENTS / name).read_bytes(), name="page.html")
    assert answer.status_code == 200
    assert answer.json()["query"]["phrases"] > 0


def test_a_json_resume_as_a_file_is_read_as_one(client: TestClient) -> None:
    found = post(client, json.dumps(RESUME).encode()).json()
    assert found["matches"][0]["code"] == "51-3011.00"
    assert "/work/0/highlights/0" in {e["pointer"] for e in found["matches"][0]["evidence"]}


def test_a_scan_without_text_is_insufficient_alone_and_not_in_the_way_of_a_title(client: TestClient) -> None:
    scan = (DOCUMENTS / "scanned.pdf").read_bytes()
    assert post(client, scan).json()["reasons"] == ["no_text_layer"]
    assert post(client, scan, {"title": "Baker"}).json()["matches"][0]["code"] == "51-3011.00"


@pytest.mark.parametrize(
    ("content", "status", "kind", "hint"),
    [
        (b"\x89PNG\r\n\x1a\n" + b"0" * 50, 415, "unsupported-media-type", "picture"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600, 415, "unsupported-media-type", ""),
        (b"%PDF-1.7\nnothing else", 422, "unreadable-document", ""),
        (b"\n%PDF broken\nBaker, kneads and shapes dough for loaves and rolls", 422, "unreadable-document", "the PDF is broken"),
        (b"PK\x03\x04nothing else", 422, "unreadable-document", ""),
    ],
)
def test_what_cannot_be_read_is_refused_with_what_to_do(
    client: TestClient, content: bytes, status: int, kind: str, hint: str
) -> None:
    answer = post(client, content)
    found = answer.json()
    assert (answer.status_code, found["type"]) == (status, f"/problems/{kind}")
    assert found["errors"][0]["pointer"] == "/file"
    assert hint in found["detail"]


def test_a_document_that_costs_too_much_is_refused(invented_index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "WALL_SECONDS", 0.001)
    with TestClient(create_app(Settings(index=invented_index)), base_url=BASE_URL) as client:
        answer = post(client, TEXT.encode())
        figures = client.get("/metrics").text
    assert (answer.status_code, answer.json()["errors"][0]["detail"].split(":")[0]) == (422, "too_costly")
    assert 'matcher_documents_total{outcome="too_costly"} 1.0' in figures


@pytest.mark.parametrize(
    ("options", "pointer"),
    [
        ({"top": 0}, "/options/top"),
        ({"wanted": 1}, "/options"),
        ([], "/options"),
        ({"filters": {"exclude": ["Bakers"]}}, "/options/filters/exclude/0"),
        ({"resume": {"work": [{"position": 1}]}}, "/options/resume/work/0/position"),
        ({"text": '{"work": [{"position": 1}]}'}, "/options/text"),
    ],
)
def test_bad_options_are_pointed_to_within_their_part(client: TestClient, options: Any, pointer: str) -> None:
    answer = post(client, TEXT.encode(), options)
    assert answer.status_code == 422
    assert [e["pointer"] for e in answer.json()["errors"]] == [pointer]


def test_options_that_are_not_json_are_a_400_that_says_which_part(client: TestClient) -> None:
    answer = client.post("/v1/match/file", files={"file": ("a", b"x")}, data={"options": "{"})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/options")


def test_a_json_resume_file_with_a_bad_member_is_pointed_to(client: TestClient) -> None:
    answer = post(client, b'{"work": [{"position": 1}]}')
    found = answer.json()
    assert (answer.status_code, found["errors"][0]["pointer"]) == (422, "/file")
    assert "/work/0/position" in found["errors"][0]["detail"]


def part(name: str, value: bytes, *, more: str = "") -> bytes:
    return b'--x\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n' % (name.encode(), more.encode(), value)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (part("file", b"Baker")[:-20], 400),
        (part("file", b"Baker"), 400),
        (b"nothing", 400),
        (part("options", b"{}") + b"--x--\r\n", 422),
        (part("file", b"x") + part("file", b"y") + b"--x--\r\n", 400),
        (part("file", b"x") + part("other", b"y") + b"--x--\r\n", 422),
        (b"--x\r\nContent-Disposition: form-data\r\n\r\nx\r\n--x--\r\n", 400),
        (b"--x\r\nX-Long: " + b"a" * 9_000 + b'\r\nContent-Disposition: form-data; name="file"\r\n\r\nx\r\n--x--\r\n', 400),
        (b"".join(part(f"p{i}", b"") for i in range(17)) + b"--x--\r\n", 400),
        (b"--x\r\n\x00: 1\r\n\r\nx\r\n--x--\r\n", 400),
        (part("file", b"Baker", more='; filename="../../etc/passwd"') + b"--x--\r\n", 200),
        (part("file", b"Baker", more="; filename*=UTF-8''%00%2e%2e%2f") + b"--x--\r\n", 200),
    ],
)  # fmt: skip
def test_broken_bodies_are_refused_and_file_names_do_not_matter(client: TestClient, body: bytes, status: int) -> None:
    answer = client.post("/v1/match/file", content=body, headers={"content-type": "multipart/form-data; boundary=x"})
    assert answer.status_code == status, answer.text


def test_a_body_without_any_part_is_refused(client: TestClient) -> None:
    # Older parsers call it broken, newer ones find that the file is missing.
    answer = client.post("/v1/match/file", content=b"--x--\r\n", headers={"content-type": "multipart/form-data; boundary=x"})
    assert answer.status_code in (400, 422)


@pytest.mark.parametrize(
    "kind", ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=" + "x" * 1000]
)
def test_a_body_without_a_usable_boundary_is_a_400(client: TestClient, kind: str) -> None:
    assert client.post("/v1/match/file", content=b"--x--\r\n", headers={"content-type": kind}).status_code == 400


def test_an_upload_never_touches_the_disk(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise AssertionError("a temporary file")

    for name in ("TemporaryFile", "NamedTemporaryFile", "SpooledTemporaryFile", "mkstemp"):
        monkeypatch.setattr(tempfile, name, refuse)
    text = TEXT.encode() + b"- Set oven temperatures and watch the bake each night\n" * 40_000
    assert len(text) > 2_000_000
    answer = post(client, text)
    assert answer.status_code in (200, 422)
    assert "temporary" not in answer.text


def test_linked_data_of_a_file_is_answered_as_well(client: TestClient) -> None:
    answer = client.post("/v1/match/file", files={"file": ("a", TEXT.encode())}, headers={"accept": "application/ld+json"})
    assert answer.headers["content-type"] == "application/ld+json"
    assert answer.json()["@type"] == "ItemList"
