"""The first day of a job board that installs the wheel; the script says what it does."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pytest

from tests.reliability.harness import ROOT


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_a_job_boards_first_day_goes_as_documented() -> None:
    done = subprocess.run([sys.executable, "-m", "tests.first_day"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    figures = json.loads(done.stdout)
    assert figures["rows"] == 1000
    assert min(figures["by_the_index_before"], figures["by_the_index_after"]) > 0
    assert figures["flood"]["calls_until_429"] >= 3000
