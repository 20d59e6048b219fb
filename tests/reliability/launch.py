"""Serves as ``matcher serve`` does, with what a measurement injects: slow matches, a count of those begun, an audit of unpickling.

The settings come from the environment; so do ``MATCHER_TEST_SLOW`` (seconds a match), ``MATCHER_TEST_BEGUN`` (a file that gets a byte for each match
that begins) and ``MATCHER_TEST_AUDIT`` (a file that gets a line for each event of unpickling).
"""

from __future__ import annotations

import os
import sys
import time
from typing import Any


def audit(path: str) -> None:
    """Note every class that anything unpickles, from now on, in this process and its forks."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "pickle.find_class":
            os.write(descriptor, f"{event} {arguments}\n".encode())

    sys.addaudithook(hook)


def slow_down(seconds: float, begun: str | None) -> None:
    """Let each match take ``seconds`` longer, and be counted when it begins."""
    from matcher.match import Matcher

    real = Matcher.match_query
    descriptor = None if begun is None else os.open(begun, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def slowed(self: Matcher, *arguments: Any, **options: Any) -> Any:
        if descriptor is not None:
            os.write(descriptor, b".")
        time.sleep(seconds)
        return real(self, *arguments, **options)

    Matcher.match_query = slowed  # type: ignore[method-assign]


def main() -> int:
    """Serve until a signal."""
    if path := os.environ.get("MATCHER_TEST_AUDIT"):
        audit(path)
    from api.serve import _ENVIRONMENT, exit_code, serve
    from api.settings import load_settings

    os.environ.update(_ENVIRONMENT)
    if "MATCHER_TEST_SLOW" in os.environ:
        # NumPy is imported here, before the server would set this.
        slow_down(float(os.environ["MATCHER_TEST_SLOW"]), os.environ.get("MATCHER_TEST_BEGUN"))
    try:
        return serve(load_settings())
    except ValueError as error:
        sys.stderr.write(f"matcher: {error}\n")
        return exit_code(error)


if __name__ == "__main__":
    sys.exit(main())
