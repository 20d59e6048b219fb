"""The page at /docs: everything that it loads comes from the service itself."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from starlette.testclient import TestClient


def test_the_page_loads_only_files_of_the_service_and_no_inline_script_or_style(client: TestClient) -> None:
    page = client.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert {"/docs/swagger-ui.css", "/docs/swagger-ui-bundle.js", "/docs/start.js"} <= set(loaded)
    for path in loaded:
        assert path == "data:," or client.get(path).status_code == 200, path
    assert not re.search(r"<script(?![^>]* src=)|<style|\son\w+=|\sstyle=", page.text)


def test_the_policy_allows_nothing_inline_and_nothing_from_elsewhere(client: TestClient) -> None:
    policy = client.get("/docs").headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert not re.search(r"https?:|\*", policy)


def test_the_files_have_the_types_that_nosniff_asks_for(client: TestClient) -> None:
    assert client.get("/docs/start.js").headers["content-type"].startswith("text/javascript")
    assert client.get("/docs/swagger-ui-bundle.js").headers["content-type"].startswith("text/javascript")
    assert client.get("/docs/swagger-ui.css").headers["content-type"].startswith("text/css")
    assert 'url: "/openapi.json"' in client.get("/docs/start.js").text


def test_no_other_file_can_be_had(client: TestClient) -> None:
    for name in ("redoc.standalone.js", "..%2fcore.py", "%2e%2e%2f__init__.py", "favicon.png", "nothing"):
        assert client.get(f"/docs/{name}").status_code == 404, name


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed")
def test_a_browser_shows_the_operations_and_its_console_stays_empty(served: str, tmp_path: Path) -> None:
    command = [
        "chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}", "--virtual-time-budget=15000",
        "--enable-logging=stderr", "--dump-dom", f"{served}/docs",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert 'data-path="/v1/match"' in done.stdout
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    assert console == []
