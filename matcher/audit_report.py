"""The audit's report: tables on a terminal, or one self-contained HTML page. Both show the same tables, made once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table: what it says, its columns, and its rows as text; ``marked`` rows deserve a look."""

    title: str
    note: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    marked: frozenset[int] = frozenset()
    detail: bool = False


_CHANGED = ("compared", "first", "first five", "first ten, in order", "score by more than .01")


def sheets_of(report: dict[str, Any]) -> Iterator[Sheet]:
    """Yield the tables of a report; ``detail`` ones are left out on a terminal."""
    rows = [("the header itself, against none", *_changed(report["header put in"]))]
    rows += [(what, *_changed(tally)) for what, tally in report["swaps"].items()]
    yield Sheet(
        "When only the person changes",
        "Share of answers that changed. Every résumé has an invented header and two sentences with pronouns; one thing at a time is exchanged.",
        ("exchanged", *_CHANGED),
        tuple(rows),
    )
    for what, by in report["values"].items():
        yield Sheet(
            f"By value: {what}",
            "Share of answers that changed, by what was put in.",
            (what, *_CHANGED),
            tuple((value, *_changed(tally)) for value, tally in by.items()),
            detail=True,
        )
    yield _impact(report["impact"])
    for major, cells in report["impact"]["table"].items():
        yield Sheet(
            f"Selection into major group {major}",
            "How many applicants with such names have this major group first, of how many, and the ratio to the highest rate.",
            ("names", "applicants", "selected", "rate", "impact ratio"),
            tuple(
                (name, str(cell["n"]), str(cell["selected"]), f"{cell['rate']:.4f}", f"{cell['ratio']:.3f}")
                for name, cell in cells.items()
            ),
            detail=True,
        )
    if report["labelled"]:
        for title, key in (
            ("Right in the first five, by major group of the label", "groups"),
            ("By job zone of the label", "zones"),
        ):
            yield _groups(title, report[key])
    yield Sheet(
        "When the text is damaged",
        "hit@5 of the labelled rows with the damage, what it lost (95 % interval, paired), and shares of answers that changed.",
        ("damage", "rows", "hit@5", "hit@5 lost", "first changed", "first five", "first ten"),
        tuple((kind, *_damage(entry)) for kind, entry in report["robustness"].items()),
    )


def _changed(tally: dict[str, Any]) -> tuple[str, ...]:
    score = "n/a" if tally["score"] is None else f"{tally['score']:.2%}"
    return (str(tally["n"]), *(f"{tally[name]:.2%}" for name in ("first", "five", "ten")), score)


def _interval(share: dict[str, Any] | None) -> str:
    return "n/a" if share is None else f"{share['mean']:.3f} ({share['low']:.3f} to {share['high']:.3f})"


def _damage(entry: dict[str, Any]) -> tuple[str, ...]:
    return (
        str(entry["n"]),
        _interval(entry["hit@5"]),
        _interval(entry["lost"]),
        *(f"{entry[name]:.2%}" for name in ("first", "five", "ten")),
    )


def _impact(impact: dict[str, Any]) -> Sheet:
    """Return one row a major group: its selections, the lowest impact ratio and whose it is."""
    rows = []
    for major, least in impact["least"].items():
        cells = impact["table"][major]
        chosen = sum(cell["selected"] for cell in cells.values())
        applicants = sum(cell["n"] for cell in cells.values())
        rates = [cell["rate"] for cell in cells.values()]
        rows.append(
            (
                major,
                f"{chosen} of {applicants}",
                f"{min(rates):.4f} to {max(rates):.4f}",
                f"{least['ratio']:.3f}",
                least["name"] if least["ratio"] < 1 else "all alike",
            )
        )
    low = frozenset(place for place, least in enumerate(impact["least"].values()) if least["ratio"] < 0.8)
    return Sheet(
        "Impact ratios by group of names",
        "Selected is who has the major group in the first place; the ratio is a group's rate over the highest one, as New York City's Local Law "
        "144 defines it. All groups have the same résumés. Marked: below four fifths.",
        ("major group", "selected", "rates", "lowest ratio", "names"),
        tuple(rows),
        low,
    )


def _groups(title: str, groups: dict[str, Any]) -> Sheet:
    return Sheet(
        title,
        "95 % intervals are Wilson's. Marked: 15 rows or more, and less than half of the mean over all rows.",
        ("group", "rows", "hit@5"),
        tuple((name, str(share["n"]), _interval(share)) for name, share in groups.items()),
        frozenset(place for place, share in enumerate(groups.values()) if share["flag"]),
    )


def summary_of(report: dict[str, Any]) -> str:
    """Return what was audited, in a sentence or two."""
    parts = [f"{report['resumes']} résumés, {report['labelled']} with labels, seed {report['seed']}."]
    if report["hit@5"]:
        parts.append(f"hit@5 as given: {_interval(report['hit@5'])}.")
    parts += [f"Left out: {what}." for what in report["skipped"]]
    return " ".join(parts)


def print_audit(report: dict[str, Any]) -> None:
    """Print the tables of a report."""
    console = Console(highlight=False, soft_wrap=True)
    console = console if console.is_terminal else Console(highlight=False, soft_wrap=True, width=160, no_color=True)
    console.print(Text(summary_of(report)))
    for sheet in sheets_of(report):
        if sheet.detail:
            continue
        table = Table(title=Text(sheet.title), title_justify="left")
        for number, column in enumerate(sheet.columns):
            table.add_column(column, justify="left" if number == 0 else "right")
        for place, row in enumerate(sheet.rows):
            table.add_row(*(Text(cell) for cell in row[:-1]), Text(row[-1] + (" (look)" if place in sheet.marked else "")))
        console.print()
        console.print(table)
        console.print(Text(sheet.note, style="dim"))
    console.print(Text(", ".join(f"{key} {value}" for key, value in report["engine"].items())))


_STYLE = """
:root { color-scheme: light dark; --ink: #1d2125; --paper: #fff; --line: #d5dade; --soft: #5a646d; --mark: #fff0c2; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e7ea; --paper: #15181b; --line: #363d43; --soft: #9aa5ae; --mark: #4a3b10; } }
body { margin: 2rem auto; max-width: 64rem; padding: 0 1rem; font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .3rem; }
p { color: var(--soft); margin: .2rem 0 .6rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .8rem; border-bottom: 1px solid var(--line); text-align: right; }
th:first-child, td:first-child { text-align: left; }
tr.look { background: var(--mark); }
summary { cursor: pointer; margin: .6rem 0; }
"""


def html_of(report: dict[str, Any]) -> str:
    """Return the report as one page that loads nothing; all that comes from data is escaped."""
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        f"<title>Audit of the occupation matcher</title><style>{_STYLE}</style></head><body>",
        f"<main><h1>Audit of the occupation matcher</h1><p>{escape(summary_of(report))}</p>",
    ]
    for sheet in sheets_of(report):
        table = _html_table(sheet)
        parts.append(f"<details><summary>{escape(sheet.title)}</summary>{table}</details>" if sheet.detail else table)
    engine = ", ".join(f"{key} {value}" for key, value in report["engine"].items())
    parts.append(f"<p>{escape(engine)}</p></main></body></html>\n")
    return "\n".join(parts)


def _html_table(sheet: Sheet) -> str:
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in sheet.columns)
    rows = []
    for place, row in enumerate(sheet.rows):
        cells = f'<th scope="row">{escape(row[0])}</th>' + "".join(f"<td>{escape(cell)}</td>" for cell in row[1:])
        rows.append(f'<tr class="look">{cells}</tr>' if place in sheet.marked else f"<tr>{cells}</tr>")
    title = "" if sheet.detail else f"<h2>{escape(sheet.title)}</h2>"
    return (
        f'{title}<p>{escape(sheet.note)}</p><div class="wide"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )
