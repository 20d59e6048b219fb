"""The bill of materials of an installed matcher: packages, models and data, as CycloneDX JSON on standard output.

    pip install 'occupation-matcher[service,sbom]' && python docs/deploy/sbom.py > sbom.json

cyclonedx-bom lists the packages of the environment that runs this script; what it cannot know, the encoder, the index and the catalogue, is added here
with the sha256 of every file.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from matcher.index import OccupationIndex
from matcher.resources import data_path, encoder_path, index_path


def files(folder: Path) -> list[dict[str, Any]]:
    """Return every file of a folder as a component with its digest."""
    return [
        {
            "type": "file",
            "bom-ref": f"file:{folder.name}/{path.relative_to(folder)}",
            "name": str(path.relative_to(folder)),
            "hashes": [{"alg": "SHA-256", "content": hashlib.sha256(path.read_bytes()).hexdigest()}],
        }
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    ]


def component(kind: str, name: str, version: str, folder: Path, licences: list[str], about: str) -> dict[str, Any]:
    """Return a model or a set of data with its files."""
    return {
        "type": kind,
        "bom-ref": f"{kind}:{name}",
        "name": name,
        "version": version,
        "description": about,
        "licenses": [{"license": {"name": licence}} for licence in licences],
        "components": files(folder),
    }


def bill() -> dict[str, Any]:
    """Return the whole bill."""
    done = subprocess.run(
        [sys.executable, "-m", "cyclonedx_py", "environment", "--output-format", "JSON", sys.executable],
        check=True, capture_output=True,
    )  # fmt: skip
    document: dict[str, Any] = json.loads(done.stdout)
    index = OccupationIndex.load(index_path())
    encoder = index.manifest["encoder"]
    document.setdefault("components", []).extend(
        [
            component(
                "machine-learning-model", f"encoder {encoder['name']}", encoder["digest"], encoder_path(), ["Apache-2.0"],
                "Static token vectors, distilled and trained as models/encoder.toml says.",
            ),
            component(
                "data", "index", index.digest, index.path, ["Apache-2.0", "CC-BY-4.0"], str(index.manifest["source"]),
            ),
            component(
                "data", "wages", "OEWS", data_path("wages"), ["Public domain (U.S. Bureau of Labor Statistics)"], "Median pay by occupation.",
            ),
        ]
    )  # fmt: skip
    return document


if __name__ == "__main__":
    json.dump(bill(), sys.stdout, indent=1)
