"""The README's examples give the output that stands below them."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from matcher.resources import ResourceError, index_path

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```(python|console)\n(.*?)```\n+```text\n(.*?)```", README, flags=re.S)


@pytest.fixture(autouse=True)
def _bundled_index() -> None:
    try:
        index_path()
    except ResourceError:
        pytest.skip("no bundled index: install the package first (make test does)")


def test_the_readme_has_examples_in_python_and_on_the_command_line() -> None:
    assert {kind for kind, _, _ in EXAMPLES} == {"python", "console"}


@pytest.mark.parametrize(("code", "output"), [(code, output) for kind, code, output in EXAMPLES if kind == "python"])
def test_a_python_example_prints_what_stands_below_it(code: str, output: str) -> None:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "README.md", "exec"), {})
    assert printed.getvalue() == output


@pytest.mark.parametrize(("code", "output"), [(code, output) for kind, code, output in EXAMPLES if kind == "console"])
def test_a_command_prints_what_stands_below_it(code: str, output: str) -> None:
    words = shlex.split(code.strip().removeprefix("$ "))
    assert words[0] == "matcher"
    done = subprocess.run([sys.executable, "-m", "matcher.cli", *words[1:]], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == output
