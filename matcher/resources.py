"""Where the bundled files are: in the wheel under ``matcher/_data``, in a checkout at its top."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent
_BUNDLED = _PACKAGE / "_data"


class ResourceError(ValueError):
    """A bundled file is missing; the text names it and how to get it."""


def _place(bundled: str, checkout: str, advice: str) -> Path:
    inside = _BUNDLED / bundled
    if inside.exists():
        return inside
    beside = _PACKAGE.parent / checkout
    if beside.exists():
        return beside
    raise ResourceError(f"{inside}: missing; {advice}")


def encoder_path() -> Path:
    """Return the folder of the default encoder."""
    return _place("models/encoder", "models/encoder", "reinstall the package")


def ranker_path() -> Path:
    """Return the file of the learned ranker."""
    return _place("models/ranker/ranker.json", "models/ranker/ranker.json", "reinstall the package")


def accurate_path() -> Path:
    """Return the file of the accurate mode's ranker."""
    return _place("models/ranker/accurate.json", "models/ranker/accurate.json", "reinstall the package")


def abstention_path() -> Path:
    """Return the file of the model that tells texts about work from others."""
    return _place("models/abstention.json", "models/abstention.json", "reinstall the package")


def index_path() -> Path:
    """Return the folder of the bundled index."""
    return _place(
        "index",
        "build/index",
        "reinstall the package, or make one with `matcher index --catalog data/catalog --out build/index`",
    )


def data_path(name: str) -> Path:
    """Return a file or folder of ``data/``."""
    return _place(f"data/{name}", f"data/{name}", "reinstall the package")
