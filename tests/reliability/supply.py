"""Supply: one command makes a bill of materials with packages, models and data, and its digests are those of the files."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import subprocess
import sys
from typing import Any

from tests.reliability.harness import ROOT, Scale

PROMISE = "SBOM with models and data; sha256 of each model file checked at start"


def measure(scale: Scale) -> dict[str, Any]:
    """Make the bill and check its digests."""
    if importlib.util.find_spec("cyclonedx_py") is None:
        return {"not_measured": "cyclonedx-bom is not installed"}
    done = subprocess.run([sys.executable, "docs/deploy/sbom.py"], cwd=ROOT, capture_output=True, check=True)
    document = json.loads(done.stdout)
    from matcher.resources import encoder_path

    kinds: dict[str, int] = {}
    for component in document["components"]:
        kinds[component["type"]] = kinds.get(component["type"], 0) + 1
    (model,) = [c for c in document["components"] if c["type"] == "machine-learning-model"]
    right = sum(
        file["hashes"][0]["content"] == hashlib.sha256((encoder_path() / file["name"]).read_bytes()).hexdigest()
        for file in model["components"]
    )
    return {
        "spec": document["specVersion"],
        "components": kinds,
        "model_files": len(model["components"]),
        "model_digests_right": right,
        "has_itself": any(c["name"] == "occupation-matcher" for c in document["components"])
        or document.get("metadata", {}).get("component", {}).get("name") == "occupation-matcher",
    }


def broken(figures: dict[str, Any]) -> list[str]:
    """Return what is not as promised."""
    if "not_measured" in figures:
        return []
    found = []
    if figures["components"].get("library", 0) < 10 or figures["components"].get("data", 0) < 2:
        found.append(f"components {figures['components']}")
    if not figures["model_files"] or figures["model_digests_right"] != figures["model_files"]:
        found.append("digests of the model")
    return found
