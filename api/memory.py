"""Memory: what uploads took is given back to the system.

glibc keeps what has been freed for what comes next. That suits matches, which take the same again and again, and not a burst of uploads.
"""

from __future__ import annotations

import asyncio
import ctypes
from typing import Any

#: Seconds after the first upload of a burst; by then those that were refused at once have gone as well.
_SOON = 0.2


class Uploads:
    """Gives memory back soon after ``ended``, once for many. Used from one event loop."""

    def __init__(self) -> None:
        self._due: asyncio.TimerHandle | None = None
        self._trim: Any = getattr(_library(), "malloc_trim", None)

    def ended(self) -> None:
        """Note that an upload has been read or refused."""
        if self._due is None and self._trim is not None:
            self._due = asyncio.get_running_loop().call_later(_SOON, self._give_back)

    def _give_back(self) -> None:
        self._due = None
        self._trim(0)


def _library() -> object:
    try:
        return ctypes.CDLL(None)
    except (OSError, TypeError):  # a system where that is no C library
        return None
