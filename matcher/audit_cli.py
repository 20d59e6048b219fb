"""The command ``matcher audit``: one report on whether answers stay the same when only the person changes."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer


def audit(
    file: Annotated[Path, typer.Argument(metavar="RESUMES.jsonl", help="Résumés: id, text and, where known, labels.")],
    index: Annotated[
        Path | None,
        typer.Option("--index", envvar="MATCHER_INDEX", help="Folder of an index; the bundled one by default.", show_default=False),
    ] = None,
    encoder: Annotated[
        str | None, typer.Option("--encoder", help="The encoder the index was made with, if neither the bundled one nor minilm.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Another draw of names, addresses and typos.")] = 0,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="Only so many résumés from the top.", show_default=False)
    ] = None,
    html: Annotated[Path | None, typer.Option("--html", help="Also write the report as one HTML page.", show_default=False)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Exchange names, pronouns, addresses, schools, years and remarks in résumés, damage them, and report which answers change."""
    from matcher.audit import read_resumes, run_audit
    from matcher.audit_report import html_of, print_audit
    from matcher.match import Matcher

    resumes = read_resumes(file)[:limit]
    matcher = Matcher.load(index, encoder=encoder)
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import Progress

        with Progress(console=Console(stderr=True), transient=True) as bar:
            job = bar.add_task("auditing", total=1.0)
            report = run_audit(
                matcher, resumes, seed=seed, progress=lambda what, share: bar.update(job, description=what, completed=share)
            )
    else:
        report = run_audit(matcher, resumes, seed=seed)
    if html is not None:
        html.write_text(html_of(report), encoding="utf-8")
        print(f"report in {html}", file=sys.stderr)  # noqa: T201
    if as_json:
        print(json.dumps(report, ensure_ascii=False, indent=1))  # noqa: T201
    else:
        print_audit(report)
