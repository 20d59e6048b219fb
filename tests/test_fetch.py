"""Fetching a release from a server that cuts off, lies about lengths and serves wrong files."""

from __future__ import annotations

import hashlib
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import matcher.fetch
from matcher.fetch import FetchError, archive_name, fetch_release
from tests.onet_fixture import TABLES, zip_release


class Server:
    """A local server whose answers a test chooses: each call takes the next way of answering, the last one again and again."""

    def __init__(self) -> None:
        self.body = b""
        self.ways: list[str] = ["whole"]
        self.calls = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                way = outer.ways[min(outer.calls, len(outer.ways) - 1)]
                outer.calls += 1
                body = outer.body
                if way == "missing":
                    self.send_error(404)
                    return
                self.send_response(200)
                length = {"long": len(body) + 100, "short": len(body) // 2}.get(way, len(body))
                self.send_header("Content-Length", str(length))
                self.end_headers()
                self.wfile.write(body[: len(body) // 2] if way == "cut" else body)

            def log_message(self, *words: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setitem(matcher.fetch.KNOWN_COUNTS, "30.1", (3, 2))
    served = Server()
    served.body = zip_release(tmp_path / "served.zip").read_bytes()
    yield served
    served.close()


def test_a_release_is_verified_unpacked_and_pinned_beside_the_copy(server: Server, tmp_path: Path) -> None:
    told: list[str] = []
    found = fetch_release("30.1", tmp_path / "onet", base_url=server.url, progress=lambda what, share: told.append(what))
    assert found.sha256 == hashlib.sha256(server.body).hexdigest()
    assert (tmp_path / "onet" / "db_30_1_text.zip.sha256").read_text() == f"{found.sha256}  db_30_1_text.zip\n"
    assert sorted(p.stem for p in found.folder.iterdir()) == sorted(TABLES)
    assert "downloading" in told
    assert sorted(p.name for p in (tmp_path / "onet").iterdir()) == ["30.1", "db_30_1_text.zip", "db_30_1_text.zip.sha256"]


def test_a_copy_that_is_there_is_not_downloaded_again(server: Server, tmp_path: Path) -> None:
    fetch_release("30.1", tmp_path, base_url=server.url)
    fetch_release("30.1", tmp_path, base_url=server.url)
    assert server.calls == 1


@pytest.mark.parametrize("way", ["cut", "long"])
def test_a_download_that_is_cut_is_begun_again_and_ends_whole(server: Server, tmp_path: Path, way: str) -> None:
    server.ways = [way, "whole"]
    found = fetch_release("30.1", tmp_path / "onet", base_url=server.url)
    assert found.archive.read_bytes() == server.body
    assert server.calls == 2


@pytest.mark.parametrize("way", ["cut", "long", "short"])
def test_a_server_that_always_cuts_or_lies_leaves_nothing_behind(server: Server, tmp_path: Path, way: str) -> None:
    server.ways = [way]
    with pytest.raises(FetchError):
        fetch_release("30.1", tmp_path / "onet", base_url=server.url)
    assert list((tmp_path / "onet").iterdir()) == []


def test_a_missing_file_and_no_network_name_the_address_and_where_to_put_a_file_by_hand(server: Server, tmp_path: Path) -> None:
    server.ways = ["missing"]
    with pytest.raises(
        FetchError, match=r"db_30_1_text\.zip: could not be downloaded \(HTTP 404\); .* save it as .*db_30_1_text\.zip"
    ):
        fetch_release("30.1", tmp_path, base_url=server.url)
    assert server.calls == 1
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{free.getsockname()[1]}/"
    with pytest.raises(FetchError, match="no connection"):
        fetch_release("30.1", tmp_path, base_url=nobody)


def test_a_wrong_file_never_replaces_the_copy(server: Server, tmp_path: Path) -> None:
    first = fetch_release("30.1", tmp_path / "onet", base_url=server.url)
    first.archive.write_bytes(b"damaged on disk")
    good = server.body
    server.body = zip_release(tmp_path / "other.zip", {**TABLES, "Read Me": ["O*NET 30.1 again"]}).read_bytes()
    with pytest.raises(FetchError, match=r"sha256 is [0-9a-f]{64}, .*\.sha256 says"):
        fetch_release("30.1", tmp_path / "onet", base_url=server.url)
    assert (first.folder / "Knowledge.txt").exists()
    server.body = good
    assert fetch_release("30.1", tmp_path / "onet", base_url=server.url).sha256 == first.sha256


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"<html>not found</html>", "not an intact zip archive"),
        ("no tables", r"not an O\*NET text release: .*missing table"),
        ("too few", "2 occupations, 2 with tasks; release 30.1 should have 3 and 2"),
        ("another release", r"calls itself O\*NET 29\.3, asked for was 30\.1"),
    ],
)
def test_what_is_no_such_release_is_refused(server: Server, tmp_path: Path, body: bytes | str, message: str) -> None:
    tables = {
        "no tables": {"Knowledge": TABLES["Knowledge"]},
        "too few": {
            **TABLES,
            "Occupation Data": TABLES["Occupation Data"][:-1],
            "Related Occupations": TABLES["Related Occupations"][:1],
        },
        "another release": {**TABLES, "Read Me": ["O*NET 29.3 Database"]},
    }
    server.body = body if isinstance(body, bytes) else zip_release(tmp_path / "x.zip", tables[body]).read_bytes()
    with pytest.raises(FetchError, match=message):
        fetch_release("30.1", tmp_path / "onet", base_url=server.url)
    assert list((tmp_path / "onet").iterdir()) == []


def test_a_stated_digest_must_be_the_archives(server: Server, tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="--sha256 says"):
        fetch_release("30.1", tmp_path / "onet", base_url=server.url, sha256="0" * 64)
    right = hashlib.sha256(server.body).hexdigest()
    assert fetch_release("30.1", tmp_path / "onet", base_url=server.url, sha256=right).sha256 == right
    with pytest.raises(FetchError, match="expected 64 hex digits"):
        fetch_release("30.1", tmp_path / "onet", base_url=server.url, sha256="abc")


def test_a_file_put_there_by_hand_is_taken_and_pinned(server: Server, tmp_path: Path) -> None:
    (tmp_path / "onet").mkdir()
    (tmp_path / "onet" / "db_30_1_text.zip").write_bytes(server.body)
    found = fetch_release("30.1", tmp_path / "onet", base_url="http://127.0.0.1:9/")
    assert found.folder.is_dir()
    assert (tmp_path / "onet" / "db_30_1_text.zip.sha256").exists()


def test_the_official_name_follows_from_the_release() -> None:
    assert archive_name("29.3") == "db_29_3_text.zip"
    with pytest.raises(FetchError, match=r"release '30': expected two numbers"):
        archive_name("30")
