"""docs/service.md, and the calls of README.md: its commands and its Python are run, and what stands below them is what comes out."""

from __future__ import annotations

import contextlib
import io
import json
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI

from api.app import create_app
from api.settings import Settings

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "service.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
ADDRESS = "http://127.0.0.1:8000"
CALLS = re.findall(r"```console\n\$ ((?:curl|printf).*?)```\n+```json\n(.*?)```", README + TEXT, flags=re.S)
PROGRAMS = re.findall(r"```python\n(.*?)```\n+```text\n(.*?)```", TEXT, flags=re.S)


@pytest.fixture(scope="module")
def address(bundled_app: FastAPI) -> Iterator[str]:
    """The address of a service over the bundled index."""
    server = uvicorn.Server(uvicorn.Config(create_app(Settings()), port=0, log_config=None, http="h11"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    for _ in range(500):
        if server.started:
            break
        time.sleep(0.02)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(20)


def is_part_of(shown: Any, real: Any) -> bool:
    """Whether ``shown`` is ``real`` with things left out: members of objects, and what … stands for."""
    if shown == "…":
        return bool(real)
    if isinstance(shown, dict):
        return isinstance(real, dict) and all(name in real and is_part_of(value, real[name]) for name, value in shown.items())
    if isinstance(shown, list):
        more = shown[-1:] == ["…"]
        items = shown[:-1] if more else shown
        right_length = len(real) > len(items) if more else len(real) == len(items)
        return right_length and all(is_part_of(a, b) for a, b in zip(items, real, strict=False))
    return bool(shown == real)


def test_the_page_has_an_example_of_each_endpoint_that_takes_a_query_or_a_name() -> None:
    called = " ".join(call for call, _ in CALLS)
    for path in (
        "/v1/match ",
        "/v1/match/file",
        "/v1/match/batch",
        "/v1/occupations?",
        "/v1/occupations/",
        "/v1/suggest",
        "/v1/gap",
        "/v1/whatif",
        "/v1/moves",
        "/v1/compare",
    ):
        assert path in called, path
    assert len(PROGRAMS) == 1


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize(("call", "shown"), CALLS)
def test_a_call_is_answered_as_shown(call: str, shown: str, address: str) -> None:
    done = subprocess.run(call.replace(ADDRESS, address), shell=True, capture_output=True, text=True, check=True, cwd=ROOT)
    try:
        expected, real = [json.loads(shown)], [json.loads(done.stdout)]
    except ValueError:
        expected, real = ([json.loads(line) for line in text.splitlines()] for text in (shown, done.stdout))
    assert len(expected) == len(real)
    for one, other in zip(expected, real, strict=True):
        assert is_part_of(one, other), done.stdout[:3000]


@pytest.mark.parametrize(("program", "output"), PROGRAMS)
def test_the_python_prints_what_stands_below_it(program: str, output: str, address: str) -> None:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(program.replace(ADDRESS, address), "service.md", "exec"), {})
    lines = [line for line in printed.getvalue().splitlines() if " request " not in line]
    assert "\n".join(lines) + "\n" == output


def test_the_comparison_notices_what_is_not_there() -> None:
    assert is_part_of({"a": [1, "…"]}, {"a": [1, 2], "b": 3})
    for shown in ({"a": [1]}, {"a": [2, "…"]}, {"c": 1}, {"a": [1, 2, "…"]}, {"a": "…", "b": 4}):
        assert not is_part_of(shown, {"a": [1, 2], "b": 3}), shown
