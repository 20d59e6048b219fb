"""The files under docs/deploy speak of metrics, settings and options that there are."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from api.metrics import Metrics
from api.settings import PREFIX, Settings

FOLDER = Path(__file__).parents[2] / "docs" / "deploy"
PAGES = [FOLDER.parent / "deploy.md", *sorted(path for path in FOLDER.iterdir() if path.suffix != ".py")]


def exported() -> set[str]:
    """Return the names of all time series, once something of each has been counted."""
    metrics = Metrics()
    metrics.observe("/v1/match", 200, 0.1)
    metrics.refused("key")
    metrics.document("ok")
    metrics.answered("ok")
    metrics.score(0.5)
    metrics.index("sha256:0")
    metrics.reload("taken")
    lines = metrics.render().decode().splitlines()
    families = {line.split()[2] for line in lines if line.startswith("# TYPE")}
    return families | {re.split(r"[{ ]", line)[0] for line in lines if line and not line.startswith("#")}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_metric_and_setting_that_is_named_exists(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    names = set(re.findall(r"\bmatcher_[a-z_]+\b", text))
    assert names <= exported(), names - exported()
    settings = set(re.findall(rf"\b{PREFIX}([A-Z_]+)\b", text)) - {"SETTINGS"}
    assert {name.lower() for name in settings} <= set(Settings.model_fields), settings


def test_the_dashboard_is_json_with_a_query_in_each_panel() -> None:
    panels = json.loads((FOLDER / "grafana.json").read_text(encoding="utf-8"))["panels"]
    assert len(panels) >= 8
    assert all(target["expr"].startswith(("sum", "histogram_quantile")) for panel in panels for target in panel["targets"])
    assert len({panel["id"] for panel in panels}) == len(panels)


def test_the_alerts_watch_every_reason_of_a_refusal_for_lack_of_capacity() -> None:
    text = (FOLDER / "alerts.yml").read_text(encoding="utf-8")
    source = (FOLDER.parents[1] / "api" / "admission.py").read_text(encoding="utf-8")
    reasons = set(re.findall(r'_refusal\("(\w+)"\)', source))
    watched = set(re.search(r'reason=~"([^"]+)"', text)[1].split("|"))  # type: ignore[index]
    assert watched == reasons - {"gone", "draining"}
