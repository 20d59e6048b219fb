"""``python -m tests.reliability ROW... [--full]``: measure, print the figures as JSON, and end with 1 where a promise is broken."""

from __future__ import annotations

import argparse
import datetime
import importlib
import json
import os
import sys

from tests.reliability.rows import ROWS


def main() -> int:
    """Measure the rows that are named."""
    parser = argparse.ArgumentParser(prog="python -m tests.reliability", description=__doc__)
    parser.add_argument("rows", nargs="+", choices=[*ROWS, "all"], metavar="ROW", help=", ".join(ROWS))
    parser.add_argument("--full", action="store_true", help="the figure of docs/reliability.md, not the short form")
    chosen = parser.parse_args()
    bad = 0
    for name in ROWS if "all" in chosen.rows else chosen.rows:
        row = importlib.import_module(f"tests.reliability.{name}")
        busy = os.getloadavg()[0]
        figures = row.measure("full" if chosen.full else "short")
        broken = row.broken(figures)
        bad += bool(broken)
        date = datetime.date.today().isoformat()
        report = {"row": name, "promise": row.PROMISE, "date": date, "load_average": [busy, os.getloadavg()[0]]}
        print(json.dumps(report | {"figures": figures, "broken": broken}, indent=1))  # noqa: T201
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
