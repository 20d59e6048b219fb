"""Rank O*NET occupations for a résumé, a list of skills or a job title, each with its proof."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matcher._version import __version__

if TYPE_CHECKING:
    from matcher.match import Filters as Filters
    from matcher.match import Matcher as Matcher
    from matcher.match import Matches as Matches


__all__ = ["Filters", "Matcher", "Matches", "__version__"]


def __getattr__(name: str) -> Any:
    """Import the public names when first asked for, so that ``import matcher`` costs nothing."""
    if name in ("Filters", "Matcher", "Matches"):
        from matcher import match

        return getattr(match, name)
    raise AttributeError(f"module 'matcher' has no attribute {name!r}")
