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


def open_console() -> Console:
    """Return where to print: elsewhere than on a terminal lines stay whole and plain, so that other programs can read them."""
    console = Console(highlight=False, soft_wrap=True)
    return console if console.is_terminal else Console(highlight=False, soft_wrap=True, width=160, no_color=True)


def print_hanging(console: Console, prefix: Text | str, line: Text | str, *, further: int = 0) -> None:
    """Print ``prefix`` and ``line``; on a terminal wrapped at words, and what follows stands ``further`` in than the line's beginning."""
    prefix, line = (Text(part) if isinstance(part, str) else part for part in (prefix, line))
    if not console.is_terminal:
        console.print(prefix + line)
        return
    # One column is left free: some terminals wrap when the last one is filled.
    for number, part in enumerate(line.wrap(console, max(20, console.width - prefix.cell_len - further - 1))):
        part.rstrip()
        console.print((prefix if number == 0 else Text(" " * (prefix.cell_len + further))) + part)


def counted(number: int, one: str) -> str:
    """Return ``1 phrase``, ``2 phrases``."""
    return f"{number} {one}{'' if number == 1 else 's'}"


def short(text: str, most: int) -> str:
    """Return a text in one line of at most ``most`` characters."""
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def print_matches(answer: Matches) -> None:
    """Print an answer: how the query was read, then each occupation with its evidence."""
    console = open_console()
    print_hanging(console, "", Text(_reading(answer), style="dim"))
    if answer.status == "insufficient":
        for reason in answer.reasons:
            print_hanging(console, "", f"No ranking ({reason}): {_REASONS.get(reason, reason)}.")
        return
    for match in answer:
        console.print()
        line = Text(match.title, style="bold")
        line.append(f"  {match.code}", style="not bold cyan")
        line.append(f"  {_fit(match)}", style="not bold")
        print_hanging(console, Text(f"{match.rank:>3}. ", style="bold"), line)
        facts = [f"job zone {match.job_zone}" if match.job_zone else "", _pay(match.wage)]
        if any(facts):
            print_hanging(console, "     ", Text(" · ".join(fact for fact in facts if fact), style="dim"))
        for pair in match.evidence:
            print_hanging(console, "     ", _pair(pair), further=2)
    console.print()
    for warning in answer.warnings:
        print_hanging(console, "", Text(warning, style="yellow"))
    meaning = (
        "fit compares occupations within this answer only"
        if not len(answer) or answer[0].score is None
        else "percent: the chance that a careful coder would accept the occupation"
    )
    print_hanging(console, "", Text(f"{answer.engine['release']}; {meaning}", style="dim"))


def _reading(answer: Matches) -> str:
    query = answer.query
    parts = [f"Read {counted(len(query.phrases), 'phrase')}"]
    if query.jobs:
        parts.append(
            f"{counted(len(query.jobs), 'position')} ({'; '.join(_job(job) for job in query.jobs[:4])}{'; …' if len(query.jobs) > 4 else ''})"
        )
    parts.extend(f"{counted(count, f'{what} line')} set aside" for what, count in query.set_aside.items() if count)
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
    line = Text("“")
    line.append(short(pair.phrase.text, 100), style="green")
    line.append("” ")
    line.append(f"→ {str(pair.kind).replace('_', ' ')}: {short(pair.statement, 120)}")
    importance = f", importance {pair.importance}" if pair.importance is not None else ""
    line.append(f" ({pair.similarity:.2f}{importance}, adds {pair.contribution:.2f})", style="dim")
    return line


def print_evaluation(report: dict[str, Any]) -> None:
    """Print measures by file and ranker, each mean with its 95 % interval."""
    console = open_console()
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
