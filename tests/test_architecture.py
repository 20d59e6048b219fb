"""The import contracts of .importlinter, run as a test."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_imports_go_one_way() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()", "--no-cache"],
        capture_output=True, text=True, check=False, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_module_says_in_its_first_line_which_noun_it_holds() -> None:
    for path in sorted([*(ROOT / "matcher").glob("*.py"), *(ROOT / "api").glob("*.py")]):
        first = path.read_text(encoding="utf-8").splitlines()[0]
        assert first.startswith('"""'), path.name
        assert first.rstrip('"').endswith((".", ":")) or len(first) > 40, path.name
