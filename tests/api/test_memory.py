"""Memory that uploads took is given back, once for a burst of them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from api import memory
from api.memory import Uploads


class Library:
    """A C library that notes what it is asked."""

    def __init__(self) -> None:
        self.trimmed: list[int] = []

    def malloc_trim(self, pad: int) -> int:
        self.trimmed.append(pad)
        return 1


async def burst(uploads: Uploads, count: int) -> None:
    for _ in range(count):
        uploads.ended()
    await asyncio.sleep(memory._SOON + 0.1)


def test_a_burst_of_uploads_gives_back_once_and_the_next_one_again(monkeypatch: pytest.MonkeyPatch) -> None:
    library = Library()
    monkeypatch.setattr(memory, "_library", lambda: library)
    uploads = Uploads()
    assert library.trimmed == []
    asyncio.run(burst(uploads, 20))
    assert library.trimmed == [0]
    asyncio.run(burst(uploads, 1))
    assert library.trimmed == [0, 0]


@pytest.mark.parametrize("library", [None, object()])
def test_without_such_a_library_nothing_happens(library: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_library", lambda: library)
    asyncio.run(burst(Uploads(), 2))
