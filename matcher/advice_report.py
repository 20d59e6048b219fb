"""What the command line shows of advice: gaps, changes, moves and comparisons, in colour on a terminal only."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from matcher.gaps import ORDER, WORDS, Gap, Gaps
from matcher.given import IF_TRUE
from matcher.moves import Comparison, Moves, fact_rows, pay_words
from matcher.whatif import Addition, Opening, WhatIf, arrow, said

_SIGNS = {"met": ("●", "green"), "partly": ("◐", "yellow"), "not_found": ("○", "dim")}
_NAMES = {
    "knowledge": "Knowledge",
    "technology": "Technologies",
    "task": "Tasks",
    "activity": "Activities",
    "skill": "Skills",
    "education": "Education",
    "job_zone": "Job zone",
}


def _console() -> Console:
    # Elsewhere than on a terminal lines stay whole, so that other programs can read them.
    console = Console(highlight=False, soft_wrap=True)
    return console if console.is_terminal else Console(highlight=False, soft_wrap=True, width=160, no_color=True)


def _short(text: str, most: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def print_gaps(found: Gaps, additions: Sequence[Addition] = (), *, limit: int = 8) -> None:
    """Print an occupation's statements by kind with their status, at most ``limit`` of each kind (0: all), then the best additions."""
    console = _console()
    console.print(Text(f"{found.title}  {found.code}", style="bold"))
    for kind in ORDER:
        group = found.of(kind)
        if not group:
            continue
        covered = f"  {found.coverage[kind]} % covered" if kind in found.coverage and kind not in ("education", "job_zone") else ""
        console.print()
        console.print(Text(f"{_NAMES[kind]}{covered}", style="bold"))
        shown = group if limit == 0 else group[:limit]
        for gap in shown:
            console.print(_gap_line(gap))
        if len(shown) < len(group):
            console.print(Text(f"     and {len(group) - len(shown)} more (--all)", style="dim"))
    if additions:
        console.print()
        console.print(Text("What would lift it most", style="bold"))
        for addition in additions:
            console.print(
                f"  + {addition.gap.kind}: {_short(addition.gap.name, 100)}   {said(addition.before)} → {said(addition.after)}"
            )
    console.print()
    console.print(Text(f"● met, ◐ partly, ○ not found in what you gave. {IF_TRUE} {found.release}.", style="dim"))


def _gap_line(gap: Gap) -> Text:
    sign, style = _SIGNS[gap.status]
    line = Text(f"  {sign} ", style=style)
    line.append(_short(gap.name, 110), style="" if gap.status != "not_found" else "bold")
    facts = []
    if gap.importance is not None:
        facts.append(f"importance {gap.importance}")
    if gap.in_demand:
        facts.append("in demand")
    elif gap.hot:
        facts.append("hot")
    if gap.kind in ("education", "job_zone") and gap.note:
        facts.append(gap.note)
    if facts:
        line.append(f"  {', '.join(facts)}", style="dim")
    if gap.phrase is not None:
        line.append(f"  ← “{_short(gap.phrase.text, 60)}”", style="green")
    elif gap.status == "not_found":
        line.append(f"  {WORDS[gap.status]}", style="dim")
    return line


def print_what_if(answer: WhatIf, openings: Sequence[Opening] = ()) -> None:
    """Print where occupations stood and stand."""
    console = _console()
    for sign, lines in (("+", answer.added), ("−", answer.removed)):
        for line in lines:
            console.print(Text(f"{sign} {_short(line, 120)}", style="green" if sign == "+" else "yellow"))
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("occupation", "before", "after", ""):
        table.add_column(name, overflow="fold")
    rows = list(answer.changes)
    if answer.asked is not None and answer.asked.code not in {c.code for c in rows}:
        rows.append(answer.asked)
    for change in rows:
        table.add_row(
            Text(f"{change.title}  {change.code}"), said(change.before), said(change.after), arrow(change.before, change.after)
        )
    console.print(table)
    print_openings(openings)
    console.print(Text(answer.note, style="dim"))


def print_openings(openings: Sequence[Opening]) -> None:
    """Print which one skill opens most."""
    if openings:
        console = _console()
        console.print(Text("Which one skill opens most", style="bold"))
        for opening in openings:
            console.print(
                f"  {opening.name} ({opening.kind}): {len(opening.codes)} near occupations rise, first {', '.join(opening.codes[:3])}"
            )


def print_moves(answer: Moves) -> None:
    """Print moves, each with what transfers and what is missing."""
    console = _console()
    origin = answer.origin
    pay = "pay unknown" if origin.pay is None else f"${origin.pay:,.0f} a year"
    console.print(Text(f"From {origin.title}  {origin.code}  ({pay}, job zone {origin.job_zone or 'unknown'})", style="bold"))
    if not answer.items:
        console.print("No move passes these filters.")
    for move in answer.items:
        console.print()
        line = Text(f"  {move.title}", style="bold")
        line.append(f"  {move.code}", style="cyan")
        line.append(f"  {move.name}", style="magenta")
        console.print(line)
        facts = [
            pay_words(move),
            f"job zone {move.facts.job_zone}" if move.facts.job_zone else "",
            f"typically {move.facts.education}" if move.facts.education else "",
            f"{move.facts.employment:,} people" if move.facts.employment is not None else "",
            f"found by {', '.join(move.found_by)}" if move.found_by else "",
            f"on O*NET's list of related occupations ({move.related})" if move.related else "",
        ]
        console.print(Text("     " + " · ".join(fact for fact in facts if fact), style="dim"))
        if move.transfers:
            console.print(Text("     transfers: " + "; ".join(_short(x, 60) for x in move.transfers), style="green"))
        if move.missing:
            console.print(Text("     not found: " + "; ".join(_short(x, 60) for x in move.missing)))
    console.print()
    for warning in answer.warnings:
        console.print(Text(warning, style="yellow"))
    console.print(Text(answer.note, style="dim"))


def print_comparison(answer: Comparison, *, limit: int = 8) -> None:
    """Print occupations side by side: facts, then what differs most of each kind."""
    console = _console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("")
    for facts in answer.facts:
        table.add_column(Text(f"{facts.title}\n{facts.code}"), overflow="fold")
    for label, values in fact_rows(answer.facts):
        table.add_row(label, *values)
    counts: dict[str, int] = {}
    for kind, name, rated in answer.rows:
        counts[kind] = counts.get(kind, 0) + 1
        if counts[kind] == 1:
            table.add_row(Text(kind.replace("_", " ") + " (0–100)", style="bold"), *[""] * len(answer.facts))
        if limit == 0 or counts[kind] <= limit:
            table.add_row(Text(f"  {name}"), *("–" if value is None else f"{value:.0f}" for value in rated))
    console.print(table)
    if answer.shared:
        console.print(Text("shared: " + "; ".join(_short(x, 60) for x in answer.shared[:10]), style="green"))
    for facts, names in zip(answer.facts, answer.only, strict=True):
        if names:
            console.print(Text(f"only {facts.title}: " + "; ".join(_short(x, 60) for x in names[:6])))
