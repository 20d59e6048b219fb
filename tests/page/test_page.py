"""The page without a browser: the form, its pieces, refusals, who may call, and that everything given stays text."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from api import page
from api.admission import Refused
from api.app import create_app
from api.keys import KeyStore
from api.page_views import EXAMPLES, REFUSALS, chance
from api.settings import Settings
from matcher.ranker import EqualWeights
from tests.page.conftest import learned_app

BASE_URL = "http://127.0.0.1"
TEXT = "Replaced brake pads and rotors.\r\nRead fault codes with a scan tool.\r\nChanged oil, filters and belts."
BAD = "<img src=x onerror=alert(1)>\"'"


@pytest.fixture(scope="module")
def app() -> FastAPI:
    """An application of this module's own: a client ends it with itself."""
    return learned_app()


@pytest.fixture(scope="module")
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, base_url=BASE_URL) as connected:
        yield connected


def codes(answer: httpx.Response) -> list[str]:
    return re.findall(r'data-code="([^"]+)"', answer.text)


def test_the_form_takes_both_encodings_and_gives_the_matches_of_the_api(client: TestClient) -> None:
    api = client.post("/v1/match", json={"text": TEXT.replace("\r\n", "\n")}).json()
    wanted = [match["code"] for match in api["matches"]]
    assert len(wanted) == 10
    assert codes(client.post("/", data={"text": TEXT})) == wanted
    assert codes(client.post("/", data={"text": TEXT}, files={"file": ("", b"")})) == wanted
    assert codes(client.post("/page/match", json={"text": TEXT.replace("\r\n", "\n")})) == wanted


def test_a_file_is_read_and_its_text_shown(client: TestClient) -> None:
    answer = client.post("/", files={"file": ("x.txt", TEXT.encode())})
    assert codes(answer)[0] == "49-3023.00"
    assert "What we read in your file" in answer.text


def test_the_page_says_no_referrer_to_others_and_runs_nothing_inline(client: TestClient) -> None:
    answer = client.get("/")
    # With no-referrer, browsers send "Origin: null" with a form, and it would be refused as foreign.
    assert answer.headers["referrer-policy"] == "same-origin"
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    assert "set-cookie" not in answer.headers
    assert not re.search(r"<script(?![^>]* src=)|\son\w+=|\sstyle=", answer.text)


def test_everything_that_is_given_stays_text(client: TestClient) -> None:
    answer = client.post("/", data={"text": f"{TEXT} {BAD}", "title": f"Mechanic {BAD}", "skills": f"Welding {BAD}"})
    assert answer.status_code == 200
    assert "<img" not in answer.text
    assert html.escape("<img src=x", quote=False) in answer.text
    assert "<img" not in client.post("/page/whatif", json={"text": TEXT, "add": [BAD]}).text


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        ({"text": "  "}, "empty"),
        ({"text": "Hello"}, "too_short"),
        ({"title": "x" * 301}, "invalid"),
        ({"text": "Ich habe viele Jahre in einer Werkstatt gearbeitet und dort Bremsen und Reifen gewechselt. "
                  "Danach war ich in einem Lager und habe Waren verpackt und verschickt."}, "not_english"),
    ],
)  # fmt: skip
def test_a_refusal_says_what_helps(client: TestClient, data: dict[str, str], kind: str) -> None:
    answer = client.post("/", data=data)
    assert f'data-kind="{kind}"' in answer.text
    assert html.escape(REFUSALS[kind].advice[0]) in answer.text or REFUSALS[kind].advice[0] in html.unescape(answer.text)


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"%PDF-1.7\nbroken", "corrupt", 422),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "unsupported", 415),
        (b"a" * (6 * 1024 * 1024), "too_large", 413),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_what_to_do(client: TestClient, content: bytes, kind: str, status: int) -> None:
    for answer in (client.post("/", files={"file": ("x", content)}), client.post("/page/match", files={"file": ("x", content)})):
        assert answer.status_code == status
        assert f'data-kind="{kind}"' in answer.text


def test_a_busy_service_says_so_with_retry_after(client: TestClient, app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(*_: object, **__: object) -> None:
        raise Refused(503, 3, "queue_full")

    monkeypatch.setattr(type(app.state.admission), "run", full)
    for answer in (client.post("/", data={"text": TEXT}), client.post("/page/match", json={"text": TEXT})):
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "3")
        assert 'data-kind="busy"' in answer.text


ADVICE = {
    "text": TEXT,
    "open": "49-3023.00",
    "add": ["Welding", "Diagnosed faults in hybrid drive systems"],
    "do": "moves",
    "pays_more": "1",
    "interests": "R",
    "compare": ["49-3023.00", "51-3011.00"],
}


def test_without_javascript_the_advice_comes_by_the_form_and_is_that_of_the_api(client: TestClient) -> None:
    text = TEXT.replace("\r\n", "\n")
    answer = client.post("/", data=ADVICE)
    assert answer.status_code == 200
    words = html.unescape(answer.text)
    assert codes(answer) == codes(client.post("/", data={"text": TEXT}))
    gap = client.post("/v1/gap", json={"text": text, "code": "49-3023.00"}).json()
    first = next(item["name"] for item in gap["gaps"] if item["kind"] == "task" and item["status"] == "not_found")
    assert f'value="{first}"' in words
    assert re.search(r'<details class="match" id="m\d+" data-code="49-3023.00"[^>]*>|id="m1"[^>]* open', answer.text)
    changed = client.post("/v1/whatif", json={"text": text, "add": ADVICE["add"]}).json()["matches"]
    shown = re.findall(r'<th scope="row">([^<]+)</th><td>', words[words.index('id="try-out"') : words.index('id="next"')])
    assert shown == [change["title"] for change in changed if change["after"]["rank"] and change["after"]["rank"] <= 10]
    wish = {"pays_more": 0.1, "interests": ["R"], "top": 8}
    moves = client.post("/v1/moves", json={"text": text, **wish}).json()["moves"]
    assert re.findall(r'<h4><a href="[^"]+" rel="noopener">([^<]+)', words) == [move["title"] for move in moves]
    assert "Side by side" in words
    # What is asked next is about the same text, with the same ticked.
    assert f'name="text" value="{text}"' in words
    assert re.search(r'name="pays_more" value="1" checked', words)
    assert re.search(r'<option value="R" selected>', words)
    assert words.count('name="add" value="Welding" checked') == 1


def test_a_trial_of_nothing_or_of_an_unknown_occupation_is_no_failure(client: TestClient) -> None:
    answer = client.post("/", data={"text": TEXT, "do": "try", "line": "  ", "open": "99-9999.00", "compare": "49-3023.00"})
    assert answer.status_code == 200
    assert len(codes(answer)) == 10
    # That of the first one, which always comes with the answer.
    assert answer.text.count("What people do there") == 1
    assert '<div id="try-out"></div>' in answer.text


def test_the_text_of_a_file_is_in_the_box_for_what_is_asked_next(client: TestClient) -> None:
    answer = client.post("/", data={"text": "I also weld at home."}, files={"file": ("x.txt", TEXT.encode())})
    box = html.unescape(answer.text[answer.text.index("<textarea") : answer.text.index("</textarea>")])
    assert "I also weld at home.\n\nReplaced brake pads" in box


def test_a_form_that_is_broken_or_of_another_kind_is_refused(client: TestClient) -> None:
    many = "&".join(f"a{n}=1" for n in range(200))
    form = "application/x-www-form-urlencoded"
    assert client.post("/", content=many, headers={"Content-Type": form}).status_code == 400
    assert client.post("/", json={"text": TEXT}).status_code == 415


def test_a_busy_service_keeps_all_that_the_form_held(client: TestClient, app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(*_: object, **__: object) -> None:
        raise Refused(503, 3, "queue_full")

    with monkeypatch.context() as patch:
        patch.setattr(type(app.state.admission), "run", full)
        answer = client.post("/", data=ADVICE)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "3")
    assert answer.headers["content-type"].startswith("text/html")
    assert "Wait 3 seconds" in answer.text
    assert "http-equiv" not in answer.text
    refusal = answer.text[answer.text.index('class="refusal"') :]
    again = [(name, html.unescape(value)) for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', refusal)]
    data = {name: [value for other, value in again if other == name] for name, _ in again}
    # The button of the refusal leads to what was asked for.
    assert client.post("/", data=data).text == client.post("/", data=ADVICE).text


def test_the_pieces_answer(client: TestClient) -> None:
    query = {"text": TEXT}
    more = client.post("/page/more", json={**query, "code": "49-3023.00"})
    assert more.status_code == 200
    assert "What people do there" in more.text
    assert "Before" in client.post("/page/whatif", json={**query, "add": ["Welding"]}).text
    assert "moves" in client.post("/page/moves", json={**query, "pays_more": 0.1, "interests": ["R"]}).text
    assert "Side by side" in client.post("/page/compare", json={"codes": ["49-3023.00", "51-3011.00"]}).text
    found = client.post("/page/suggest", json={"prefix": "elctric"}).json()
    assert any("Electric" in item["text"] for item in found["suggestions"])
    assert client.post("/page/more", json={**query, "code": "99-9999.00"}).status_code == 404
    assert client.post("/page/compare", json={"codes": ["49-3023.00"]}).status_code == 422
    assert client.get("/page/assets/other/page.css").status_code == 404


def test_without_a_calibration_no_chance_is_said() -> None:
    app = create_app(Settings())
    current = app.state.holder.current
    app.state.holder.current = type(current)(current.index, current.encoder, EqualWeights())
    with TestClient(app, base_url=BASE_URL) as client:
        answer = client.post("/", data={"text": TEXT})
        assert "they are not chances" in answer.text
        assert not re.search(r"in 10", answer.text)
        assert "Closest" in answer.text


def test_nobody_is_told_that_they_lack_something() -> None:
    words = " ".join(path.read_text(encoding="utf-8") for path in page.FILES.iterdir() if path.suffix in (".html", ".js"))
    words += " ".join(line for refused in REFUSALS.values() for line in (refused.heading, *refused.advice))
    assert not re.search(r"\byou (lack|fail|are missing)|\bunqualified\b", words, re.I)


def test_each_example_gives_an_answer(client: TestClient) -> None:
    for number in range(len(EXAMPLES)):
        assert len(codes(client.post("/", data={"example": str(number)}))) == 10, EXAMPLES[number].name


def test_what_is_loaded_before_the_answer_is_small(client: TestClient) -> None:
    _, files = page.assets()
    assert len(client.get("/").content) + sum(len(asset.plain) for asset in files.values()) <= 100 * 1024


@pytest.mark.parametrize(
    ("score", "said"), [(0.02, "less than 1 in 20"), (0.07, "about 1 in 10"), (0.61, "about 6 in 10"), (0.97, "more than 9 in 10")]
)
def test_a_chance_is_said_in_plain_words(score: float, said: str) -> None:
    assert chance(score) == said


def test_the_pages_own_routes_need_no_key_in_public_mode_and_one_otherwise(tmp_path: Path) -> None:
    keys = KeyStore(tmp_path / "keys.json")
    keys.create("somebody")
    for public, status in ((True, 200), (False, 401)):
        settings = Settings(keys_file=keys.path, public_page=public, public_rate_limit=4, rates_file=tmp_path / f"rates-{public}")
        with TestClient(create_app(settings), base_url=BASE_URL) as client:
            assert client.get("/").status_code == status
            assert client.post("/page/match", json={"text": TEXT}).status_code == status
            assert client.post("/page/suggest", json={"prefix": "bak"}).status_code == status
            assert client.post("/v1/match", json={"text": TEXT}).status_code == 401
            if public:
                version, _ = page.assets()
                assert [client.get(f"/page/assets/{version}/page.css").status_code for _ in range(8)] == [200] * 8
                last = [client.post("/page/match", json={"title": "Baker"}) for _ in range(3)]
                assert [answer.status_code for answer in last] == [200, 200, 429]
                assert "retry-after" in last[-1].headers


def test_a_form_that_comes_too_often_is_answered_as_a_page_that_keeps_its_text(tmp_path: Path) -> None:
    settings = Settings(public_page=True, public_rate_limit=1, rates_file=tmp_path / "rates")
    with TestClient(create_app(settings), base_url=BASE_URL) as client:
        assert client.post("/", data={"text": TEXT}).status_code == 200
        answer = client.post("/", data={"text": TEXT, "add": "Welding"})
        assert answer.status_code == 429
        assert [int(value) >= 1 for value in answer.headers.get_list("retry-after")] == [True]
        assert answer.headers["content-type"].startswith("text/html")
        assert 'data-kind="often"' in answer.text
        assert 'class="match"' not in answer.text
        assert "Replaced brake pads and rotors." in answer.text[: answer.text.index("</textarea>")]
        assert 'type="hidden" name="add" value="Welding"' in answer.text
        # The modules' own calls are told by a problem document, as before.
        assert client.post("/page/match", json={"text": TEXT}).headers["content-type"] == "application/problem+json"
