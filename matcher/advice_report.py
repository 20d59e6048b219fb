"""What the command line shows of advice: gaps, changes, moves and comparisons, in colour on a terminal only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from rich.table import Table
from rich.text import Text

from matcher.gaps import ORDER, WORDS, Gap, Gaps
from matcher.given import IF_TRUE
from matcher.moves import Comparison, Moves, fact_rows, pay_words
from matcher.report import counted, open_console, print_hanging, short
from matcher.whatif import Addition, Opening, WhatIf, arrow, said

_SIGNS = {"met": ("●", "green"), "partly": ("◐", "yellow"), "not_found": ("○", "dim")}
NO_TITLES: Mapping[str, str] = MappingProxyType({})
_NAMES = {
    "knowledge": "Knowledge",
    "technology": "Technologies",
    "task": "Tasks",
    "activity": "Activities",
    "skill": "Skills",
    "education": "Education",
    "job_zone": "Job zone",
}


def print_gaps(found: Gaps, additions: Sequence[Addition] = (), *, limit: int = 8) -> None:
    """Print an occupation's statements by kind with their status, at most ``limit`` of each kind (0: all), then the best additions."""
    console = open_console()
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
            sign, style = _SIGNS[gap.status]
            print_hanging(console, Text(f"  {sign} ", style=style), _gap_line(gap))
        if len(shown) < len(group):
            console.print(Text(f"     and {len(group) - len(shown)} more (--all)", style="dim"))
    if additions:
        console.print()
        console.print(Text("What would lift it most", style="bold"))
        for addition in additions:
            name = addition.gap.name
            line = f"{addition.gap.kind}: {short(name, 100)}   {said(addition.before)} → {said(addition.after)}"
            print_hanging(console, "  + ", line)
    console.print()
    print_hanging(console, "", Text(f"● met, ◐ partly, ○ {WORDS['not_found']}. {IF_TRUE} {found.release}.", style="dim"))


def _gap_line(gap: Gap) -> Text:
    line = Text(short(gap.name, 110), style="" if gap.status != "not_found" else "bold")
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
        line.append(f"  {', '.join(facts)}", style="not bold dim")
    if gap.phrase is not None:
        line.append(f"  ← “{short(gap.phrase.text, 60)}”", style="not bold green")
    return line


def print_what_if(answer: WhatIf, openings: Sequence[Opening] = (), titles: Mapping[str, str] = NO_TITLES) -> None:
    """Print where occupations stood and stand; openings as ``print_openings``."""
    console = open_console()
    for sign, lines in (("+", answer.added), ("−", answer.removed)):
        for line in lines:
            style = "green" if sign == "+" else "yellow"
            print_hanging(console, Text(f"{sign} ", style=style), Text(short(line, 120), style=style))
    console.print()
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
    if openings:
        console.print()
    print_openings(openings, titles)
    console.print()
    console.print(Text(answer.note, style="dim"))


def print_openings(openings: Sequence[Opening], titles: Mapping[str, str] = NO_TITLES) -> None:
    """Print which one skill opens most, with the ``titles`` of codes where they are given."""
    if openings:
        console = open_console()
        console.print(Text("Which one skill opens most", style="bold"))
        for opening in openings:
            first = "; ".join(titles.get(code, code) for code in opening.codes[:3])
            line = Text(
                f"{opening.name} ({opening.kind}): {counted(len(opening.codes), 'near occupation')} would rise, first {first}"
            )
            print_hanging(console, "  + ", line)


def print_moves(answer: Moves) -> None:
    """Print moves, each with what transfers and what is missing."""
    console = open_console()
    origin = answer.origin
    pay = "pay unknown" if origin.pay is None else f"${origin.pay:,.0f} a year"
    line = Text(f"{origin.title}  {origin.code}  ({pay}, job zone {origin.job_zone or 'unknown'})", style="bold")
    print_hanging(console, Text("From ", style="bold"), line)
    if not answer.items:
        print_hanging(console, "", "No occupation passes these filters. Take one away and try again.")
    for move in answer.items:
        console.print()
        line = Text(move.title, style="bold")
        line.append(f"  {move.code}", style="not bold cyan")
        line.append(f"  {move.name}", style="not bold magenta")
        print_hanging(console, "  ", line)
        facts = [
            pay_words(move),
            f"job zone {move.facts.job_zone}" if move.facts.job_zone else "",
            f"typically {move.facts.education}" if move.facts.education else "",
            f"{move.facts.employment:,} people" if move.facts.employment is not None else "",
        ]
        print_hanging(console, "     ", Text(" · ".join(fact for fact in facts if fact), style="dim"))
        if move.transfers:
            print_hanging(console, Text("     transfers: ", style="green"), "; ".join(short(x, 60) for x in move.transfers))
        if move.missing:
            print_hanging(console, "     not found: ", "; ".join(short(x, 60) for x in move.missing))
        how = [
            f"near in {', '.join(move.found_by)}" if move.found_by else "",
            f"on O*NET's list of related occupations ({move.related})" if move.related else "",
        ]
        if any(how):
            print_hanging(console, "     how found: ", Text("; ".join(x for x in how if x), style="dim"))
    console.print()
    for warning in answer.warnings:
        print_hanging(console, "", Text(warning, style="yellow"))
    print_hanging(console, "", Text(answer.note, style="dim"))


def print_comparison(answer: Comparison, *, limit: int = 8) -> None:
    """Print occupations side by side: facts, then what differs most of each kind."""
    console = open_console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("", max_width=36)
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
            table.add_row(Text(name), *("–" if value is None else f"{value:.0f}" for value in rated))
    if answer.context:
        table.add_row(Text("work context", style="bold"), *[""] * len(answer.facts))
    for name, answers in answer.context[: limit or None]:
        table.add_row(Text(name), *(text or "–" for text in answers))
    console.print(table)
    for what, both, only in (("", answer.shared, answer.only), ("tools, ", answer.tools_shared, answer.tools_only)):
        if not both and not any(only):
            continue
        console.print()
        if both:
            print_hanging(
                console, "", Text(f"{what}shared: {'; '.join(short(x, 60) for x in both[:10])}", style="green"), further=2
            )
        for facts, names in zip(answer.facts, only, strict=False):
            if names:
                line = f"{what}only {facts.title}: {'; '.join(short(x, 60) for x in names[:6])}"
                print_hanging(console, "", line, further=2)
