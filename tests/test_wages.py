"""The wages file."""

from __future__ import annotations

from pathlib import Path

import pytest

from matcher.resources import data_path
from matcher.wages import WagesError, read_wages

HEADER = "code,soc,match,employment,median_annual,median_hourly\n"


def test_every_code_of_the_shipped_file_has_its_survey_code_and_an_unknown_figure_is_none() -> None:
    wages = read_wages(data_path("wages/oews_2025_05.csv"))
    assert len(wages) == 995
    actors = wages["27-2011.00"]
    assert (actors.median_annual, actors.median_hourly, actors.year) == (None, 29.05, 2025)
    assert wages["11-1011.03"].match == "parent"
    assert wages["13-1021.00"].soc == "13-1020"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("code,soc\n", "line 1: columns"),
        (HEADER + "11-1011.00,11-1011,direct,5,many,1\n", "line 2, column median_annual: 'many'"),
        (HEADER + "11-1011.00,11-1011,direct,5,1,1\n" * 2, "line 3, column code: 11-1011.00 stands twice"),
    ],
)
def test_a_bad_file_is_named_with_line_and_column(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "wages.csv"
    path.write_text(text)
    with pytest.raises(WagesError, match=message):
        read_wages(path)
