"""Shared fixtures."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

from matcher.onet import read_release
from matcher.records import Release

# How long a case takes depends on what else the machine does; time is measured in benchmarks.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

SHARED = Path(__file__).parents[2] / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder beside the repository with the real release and the development queries; tests that need it skip without it."""
    if not SHARED.is_dir():
        pytest.skip("../shared is not here")
    return SHARED


@pytest.fixture(scope="session")
def real_release(shared: Path) -> Release:
    """O*NET 30.1 as its text tables give it."""
    return read_release(shared / "onet" / "30.1")
