"""Puts the encoder, the data and an index of the starter catalogue into the wheel, under ``matcher/_data``.

The index is made when the wheel is built and never committed. An editable install gets it in ``build/index``.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

BUNDLED = {
    "models": "matcher/_data/models",
    "data/wages": "matcher/_data/data/wages",
    "data/examples": "matcher/_data/data/examples",
    "data/README.md": "matcher/_data/data/README.md",
}


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Builds the default index and adds the bundled files."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the index beside the sources; in a wheel, include it with the models and the data."""
        root = Path(self.root)
        out = root / "build" / "index"
        sys.path.insert(0, str(root))
        try:
            from matcher.catalog import read_catalog
            from matcher.encoder import StaticEncoder
            from matcher.index import build_index
            from matcher.notice import ATTRIBUTION
            from matcher.wages import read_wages

            shutil.rmtree(out, ignore_errors=True)
            build_index(
                read_catalog(root / "data" / "catalog"),
                StaticEncoder.load(root / "models" / "encoder"),
                out,
                wages=read_wages(root / "data" / "wages" / "oews_2025_05.csv"),
                notice=ATTRIBUTION,
            )
            (out / ".lock").unlink()
        finally:
            sys.path.remove(str(root))
        if version != "editable":
            include = build_data["force_include"]
            include[str(out)] = "matcher/_data/index"
            for source, target in BUNDLED.items():
                include[str(root / source)] = target
