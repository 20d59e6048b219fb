"""Frames: answers as pandas tables, one row a match, a pair of evidence or a gap. pandas is imported only here, and only when asked for."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from matcher.given import annual_pay
from matcher.records import Match


class FrameError(ValueError):
    """pandas is not installed."""


def frame(rows: Iterable[Mapping[str, Any]], *, columns: Sequence[str] | None = None) -> Any:
    """Return a pandas DataFrame of ``rows``. Raises FrameError without pandas."""
    try:
        pandas = importlib.import_module("pandas")
    except ImportError:
        raise FrameError("a frame needs pandas: pip install 'occupation-matcher[notebooks]'") from None
    return pandas.DataFrame(list(rows), columns=None if columns is None else list(columns))


MATCH_COLUMNS = ("rank", "code", "title", "score", "confidence", "fusion", "job_zone", "median_pay", "evidence")
EVIDENCE_COLUMNS = (
    "rank",
    "code",
    "kind",
    "id",
    "statement",
    "importance",
    "phrase",
    "source",
    "start",
    "end",
    "similarity",
    "contribution",
)


def matches_frame(matches: Iterable[Match]) -> Any:
    """Return one row a match: MATCH_COLUMNS (pay in dollars a year, evidence counted), then its contributions by signal."""
    found = list(matches)
    rows = [
        {
            "rank": match.rank,
            "code": match.code,
            "title": match.title,
            "score": match.score,
            "confidence": match.confidence,
            "fusion": match.fusion,
            "job_zone": match.job_zone,
            "median_pay": annual_pay(match.wage),
            "evidence": len(match.evidence),
            **{f"contribution.{name}": share for name, share in match.contributions},
        }
        for match in found
    ]
    more = [f"contribution.{name}" for name, _ in found[0].contributions] if found else []
    return frame(rows, columns=[*MATCH_COLUMNS, *more])


def evidence_frame(matches: Iterable[Match]) -> Any:
    """Return one row a pair of evidence: EVIDENCE_COLUMNS."""
    return frame(
        (
            {
                "rank": match.rank,
                "code": match.code,
                "kind": str(pair.kind),
                "id": pair.id,
                "statement": pair.statement,
                "importance": pair.importance,
                "phrase": pair.phrase.raw,
                "source": pair.phrase.source,
                "start": pair.phrase.start,
                "end": pair.phrase.end,
                "similarity": pair.similarity,
                "contribution": pair.contribution,
            }
            for match in matches
            for pair in match.evidence
        ),
        columns=EVIDENCE_COLUMNS,
    )


def matches_html(matches: Iterable[Match], *, note: str = "") -> str:
    """Return an answer as an HTML table for notebooks."""
    from matcher import cards

    found = list(matches)
    most = max((match.fusion for match in found), default=1.0) or 1.0
    rows: list[list[cards.Cell]] = []
    for match in found:
        if match.score is not None:
            fit = cards.Bar(match.score, f"{match.score:.0%}" + (f" {match.confidence}" if match.confidence else ""))
        else:
            fit = cards.Bar(match.fusion / most if most > 0 else 0.0, f"{match.fusion:.2f}")
        pay = annual_pay(match.wage)
        proof = match.evidence[0] if match.evidence else None
        rows.append(
            [
                str(match.rank),
                f"{match.title} ({match.code})",
                fit,
                "" if match.job_zone is None else str(match.job_zone),
                "" if pay is None else f"${pay:,.0f}",
                "" if proof is None else f"“{' '.join(proof.phrase.text.split())}” → {proof.statement}",
            ]
        )
    return cards.table("Occupations", ("", "occupation", "fit", "job zone", "median pay", "strongest proof"), rows, note=note)
