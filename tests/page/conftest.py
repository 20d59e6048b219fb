"""The page on a served application over the bundled index, and Debian's chromium to look at it with."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
import uvicorn
from fastapi import FastAPI

from api.app import create_app
from api.settings import Settings
from matcher.match import Matcher
from matcher.resources import ResourceError, index_path

CHROMIUM = "/usr/bin/chromium"
#: Nothing of the browser's own goes out, so every request that is seen is the page's.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


def left_out(why: str) -> NoReturn:
    """Skip in one line; where CI says that all is there (MATCHER_CI=1), fail."""
    if os.environ.get("MATCHER_CI") or os.environ.get("MATCHER_TEST_CI"):
        pytest.fail(f"left out, and this is CI: {why}", pytrace=False)
    pytest.skip(why)


def serve(app: FastAPI) -> Iterator[str]:
    """Yield the address of a served application."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, http="h11"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    for _ in range(500):
        if server.started:
            break
        time.sleep(0.02)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(20)


def learned_app() -> FastAPI:
    """Return the application over the bundled index, with the ranker that has chances."""
    try:
        index_path()
    except ResourceError:
        left_out("no bundled index: install the package first (make test does)")
    app = create_app(Settings())
    app.state.holder.current = Matcher.load()
    return app


@pytest.fixture(scope="session")
def site() -> Iterator[str]:
    """The address of the page."""
    yield from serve(learned_app())


# Not of the session: Playwright's loop runs in this thread until it stops, and tests of other folders start their own.
@pytest.fixture(scope="package")
def browser() -> Iterator[Any]:
    """Debian's chromium, driven by Playwright."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        left_out("browser tests left out: no playwright (pip install playwright)")
    if not Path(CHROMIUM).exists():
        left_out("browser tests left out: no chromium (apt-get install chromium)")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture
def visit(browser: Any, site: str) -> Iterator[Callable[..., Any]]:
    """Open the page; in the end there was no message on the console but those expected, and no request to elsewhere."""
    contexts: list[Any] = []
    messages: list[str] = []
    requests: list[str] = []
    expected: list[str] = []

    def opened(path: str = "", *, width: int = 1280, height: int = 900, expect: tuple[str, ...] = (), **options: Any) -> Any:
        options.setdefault("reduced_motion", "reduce")
        expected.extend(expect)
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("console", lambda message: messages.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: messages.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(path if path.startswith("http") else site + path)
        return page

    yield opened
    for context in contexts:
        assert context.cookies() == []
        context.close()
    assert [m for m in messages if not any(word in m for word in expected)] == []
    assert [url for url in requests if not url.startswith(("http://127.0.0.1:", "data:", "blob:http://127.0.0.1:"))] == []


@pytest.fixture(scope="session")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The source of axe-core, taken from npm for the test and not kept."""
    if shutil.which("npm") is None:
        left_out("axe left out: no npm")
    folder = tmp_path_factory.mktemp("axe")
    done = subprocess.run(
        ["npm", "pack", "axe-core@4", "--silent"], cwd=folder, capture_output=True, text=True, check=False, timeout=120
    )
    if done.returncode:
        left_out("axe left out: npm could not get axe-core")
    with tarfile.open(folder / done.stdout.split()[-1]) as archive:
        member = archive.extractfile("package/axe.min.js")
        assert member is not None
        return member.read().decode()
