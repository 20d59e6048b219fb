"""Surveyed wages by O*NET-SOC code: the file in ``data/wages`` (BLS OEWS May 2025)."""

from __future__ import annotations

import csv
from pathlib import Path

from matcher.records import Wage

SOURCE = "BLS OEWS May 2025"
YEAR = 2025
_COLUMNS = ["code", "soc", "match", "employment", "median_annual", "median_hourly"]


class WagesError(ValueError):
    """The wages file is not as expected; the text names file, line and column."""


def read_wages(path: Path | str) -> dict[str, Wage]:
    """Return the wage of each code in US dollars; a figure that BLS does not publish is None."""
    path = Path(path)
    wages: dict[str, Wage] = {}
    with path.open(encoding="utf-8", newline="") as handle:
        reader = csv.DictReader(handle)
        if reader.fieldnames != _COLUMNS:
            raise WagesError(f"{path}, line 1: columns {reader.fieldnames}, expected {_COLUMNS}")
        for number, row in enumerate(reader, 2):
            figures: dict[str, float | None] = {}
            for column in ("employment", "median_annual", "median_hourly"):
                try:
                    figures[column] = float(row[column]) if row[column] else None
                except (TypeError, ValueError):
                    raise WagesError(f"{path}, line {number}, column {column}: {row[column]!r} is not a number") from None
            if row["code"] in wages:
                raise WagesError(f"{path}, line {number}, column code: {row['code']} stands twice")
            employment = figures["employment"]
            wages[row["code"]] = Wage(
                year=YEAR,
                median_annual=figures["median_annual"],
                median_hourly=figures["median_hourly"],
                source=SOURCE,
                soc=row["soc"],
                match=row["match"],
                employment=None if employment is None else int(employment),
            )
    return wages
