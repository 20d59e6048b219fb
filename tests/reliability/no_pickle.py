"""No pickle: nothing is unpickled while the service starts, reloads and serves, by an audit hook that sees all of the process."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.reliability.documents import upload
from tests.reliability.harness import ROOT, Scale, Service, invented_text, own_index, point

PROMISE = "no pickle.find_class event while loading and serving"
CONTROL = "from tests.reliability.launch import audit; import sys, pickle, collections; audit(sys.argv[1]); pickle.loads(pickle.dumps(collections.OrderedDict()))"


def measure(scale: Scale) -> dict[str, Any]:
    """Serve everything once under the hook; unpickle something under the same hook to see that it sees."""
    index, names = own_index()
    with tempfile.TemporaryDirectory() as folder:
        seen, control = Path(folder) / "seen", Path(folder) / "control"
        with Service(index=index, workers=2, test_audit=seen) as service:
            statuses = [service.match(invented_text(i)).status for i in range(20)]
            body, header = upload(invented_text(1).encode())
            statuses.append(service.ask("POST", "/v1/match/file", body, {"Content-Type": header.split(": ")[1].strip()}).status)
            lines = json.dumps({"text": invented_text(2)}).encode()
            statuses.append(service.ask("POST", "/v1/match/batch", lines, {"Content-Type": "application/x-ndjson"}).status)
            statuses += [
                service.ask("GET", path).status
                for path in ("/v1/occupations?keyword=baker", "/v1/about", "/metrics", "/openapi.json")
            ]
            point(index, names[1])
            service.wait("index_changed")
            statuses.append(service.match(invented_text(3)).status)
        subprocess.run([sys.executable, "-c", CONTROL, str(control)], cwd=ROOT, check=True)
        figures = {
            "requests": len(statuses),
            "answered": statuses.count(200),
            "events": len(seen.read_text().splitlines()),
            "events_of_the_control": len(control.read_text().splitlines()),
        }
    shutil.rmtree(index.parent)
    return figures


def broken(figures: dict[str, Any]) -> list[str]:
    """Return what is not as promised."""
    found = []
    if figures["events"]:
        found.append(f"{figures['events']} classes unpickled")
    if not figures["events_of_the_control"]:
        found.append("the hook sees nothing")
    if figures["answered"] != figures["requests"]:
        found.append(f"{figures['answered']} of {figures['requests']} answered")
    return found
