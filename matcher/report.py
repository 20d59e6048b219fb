"""What the command line shows to people: answers and tables, in colour on a terminal only."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from matcher.match import Matches
from matcher.records import Evidence, Job, Match, Wage

_REASONS = {
    "too_short": "there is too little text: give a few sentences, a list of skills or a job title",
    "no_text_layer": "the PDF holds pictures of pages and no text: run a text recognition (OCR) first, or paste the text",
    "garbled_text": "the PDF's text layer is broken: save it anew from the program that made it, or paste the text",
    "not_english": "it does not look like English, the only language that O*NET and this program know",
    "nothing_recognised": "nothing in it looks like work, skills or a job title",
}


def _console() -> Console:
    # Elsewhere than on a terminal lines stay whole, so that other programs can read them.
    console = Console(highlight=False, soft_wrap=True)
    return console if console.is_terminal else Console(highlight=False, soft_wrap=True, width=160, no_color=True)


def print_matches(answer: Matches) -> None:
    """Print an answer: how the query was read, then each occupation with its evidence."""
    console = _console()
    console.print(Text(_reading(answer), style="dim"))
    if answer.status == "insufficient":
        for reason in answer.reasons:
            console.print(f"No ranking ({reason}): {_REASONS.get(reason, reason)}.")
        return
    for match in answer:
        console.print()
        line = Text(f"{match.rank:>3}. ", style="bold")
        line.append(match.title, style="bold")
        line.append(f"  {match.code}", style="cyan")
        line.append(f"  {_fit(match)}")
        console.print(line)
        facts = [f"job zone {match.job_zone}" if match.job_zone else "", _pay(match.wage)]
        if any(facts):
            console.print(Text("     " + " · ".join(fact for fact in facts if fact), style="dim"))
        for pair in match.evidence:
            console.print(_pair(pair))
    console.print()
    for warning in answer.warnings:
        console.print(Text(warning, style="yellow"))
    meaning = (
        "fit compares occupations within this answer only"
        if not len(answer) or answer[0].score is None
        else "percent: the chance that a careful coder would accept the occupation"
    )
    console.print(Text(f"{answer.engine['release']}; {meaning}", style="dim"))


def _reading(answer: Matches) -> str:
    query = answer.query
    parts = [f"Read {len(query.phrases)} phrases"]
    if query.jobs:
        parts.append(
            f"{len(query.jobs)} positions ({'; '.join(_job(job) for job in query.jobs[:4])}{'; …' if len(query.jobs) > 4 else ''})"
        )
    parts.extend(f"{count} {what} lines set aside" for what, count in query.set_aside.items() if count)
    if query.truncated:
        parts.append("the end was not read: too long")
    return ", ".join(parts) + "."


def _job(job: Job) -> str:
    start = str(job.start[0]) if job.start else "?"
    end = "now" if job.current else str(job.end[0]) if job.end else "?"
    return f"{job.title or 'untitled'} {start}–{end}"


def _fit(match: Match) -> str:
    if match.score is not None:
        return f"{match.score:.0%} ({match.confidence})"
    return f"fit {match.fusion:.2f}"


def _pay(wage: Wage | None) -> str:
    if wage is None:
        return ""
    if wage.median_annual is not None:
        return f"median ${wage.median_annual:,.0f} a year ({wage.source})"
    return f"median ${wage.median_hourly:,.2f} an hour ({wage.source})" if wage.median_hourly is not None else ""


def _pair(pair: Evidence) -> Text:
    line = Text("     “")
    line.append(_short(" ".join(pair.phrase.text.split()), 100), style="green")
    line.append("” ")
    line.append(f"→ {str(pair.kind).replace('_', ' ')}: {_short(pair.statement, 120)}")
    importance = f", importance {pair.importance}" if pair.importance is not None else ""
    line.append(f" ({pair.similarity:.2f}{importance})", style="dim")
    return line


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def print_evaluation(report: dict[str, Any]) -> None:
    """Print measures by file and ranker, each mean with its 95 % interval."""
    console = _console()
    for path, rankers in report["files"].items():
        table = Table(title=Text(path), title_justify="left")
        names = ["hit@1", "hit@5", "hit@10", "MRR", "nDCG@10", "hit@1 difference"]
        for name in ("ranker", "n", *names[: 6 if len(rankers) > 1 else 5]):
            table.add_column(name)
        for ranker, measures in rankers.items():
            cells = [_cell(measures[name]) if name in measures else "" for name in names[: 6 if len(rankers) > 1 else 5]]
            table.add_row(ranker, str(measures["hit@1"]["n"]), *cells)
        console.print(table)
    console.print(Text(", ".join(f"{key} {value}" for key, value in report["engine"].items())))


def _cell(estimate: dict[str, float]) -> str:
    return f"{estimate['mean']:.3f} [{estimate['low']:.3f}, {estimate['high']:.3f}]"
