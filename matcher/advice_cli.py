"""The commands of advice: ``matcher gap | what-if | moves | compare``. ``matcher.cli`` mounts them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from matcher.given import Given
    from matcher.match import Matcher

advice_app = typer.Typer(help="Advice: what is missing, what if, where next.", no_args_is_help=True, rich_markup_mode=None)
#: What documents may have, and one byte more is enough to see that they have too much.
_MOST_INPUT = 20_000_000

FileArgument = Annotated[
    str | None,
    typer.Argument(metavar="[FILE|-]", help="A résumé: PDF, DOCX, text, Markdown or JSON Resume; - reads it from standard input."),
]
TextOption = Annotated[str | None, typer.Option("--text", help="A text instead of a file, or with it.")]
SkillOption = Annotated[list[str] | None, typer.Option("--skill", help="A skill; repeat for several.")]
TitleOption = Annotated[str | None, typer.Option("--title", help="A job title.")]
IndexOption = Annotated[
    Path | None,
    typer.Option("--index", envvar="MATCHER_INDEX", help="Folder of an index; the bundled one by default.", show_default=False),
]
EncoderOption = Annotated[
    str | None, typer.Option("--encoder", help="The encoder the index was made with, if neither the bundled one nor minilm.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
TopOption = Annotated[int, typer.Option("--top", min=1, max=100, help="How many occupations.")]
AllOption = Annotated[bool, typer.Option("--all", help="Show every statement, not only the first of each kind.")]


def _matcher(index: Path | None, encoder: str | None) -> Matcher:
    from matcher.match import Matcher

    return Matcher.load(index, encoder=encoder)


def _is_given(file: str | None, text: str | None, skill: list[str] | None, title: str | None) -> bool:
    return file is not None or text is not None or bool(skill) or title is not None


def _given(matcher: Matcher, file: str | None, text: str | None, skill: list[str] | None, title: str | None) -> Given:
    from matcher.given import Given
    from matcher.match import read_inputs

    if not _is_given(file, text, skill, title):
        raise typer.BadParameter("expected a FILE (or - for standard input), --text, --skill or --title")
    document: Path | bytes | None = (
        sys.stdin.buffer.read(_MOST_INPUT + 1) if file == "-" else Path(file) if file is not None else None
    )
    query = read_inputs(document=document, name="standard input" if file == "-" else None, text=text, skills=skill, title=title)
    return Given.of(matcher, query)


def _print_json(document: dict[str, Any]) -> None:
    print(json.dumps(document, ensure_ascii=False, indent=1))  # noqa: T201


@advice_app.command("gap")
def gap(
    code: Annotated[str, typer.Option("--code", help="The occupation, e.g. 15-1252.00.")],
    file: FileArgument = None,
    text: TextOption = None,
    skill: SkillOption = None,
    title: TitleOption = None,
    index: IndexOption = None,
    encoder: EncoderOption = None,
    best: Annotated[bool, typer.Option("--best", help="Also: which three additions would lift the occupation most.")] = False,
    every: AllOption = False,
    as_json: JsonOption = False,
) -> None:
    """Compare a query with one occupation: what is met, partly met, or not found in what you gave."""
    from matcher.gaps import gaps_of
    from matcher.given import row_of
    from matcher.whatif import best_additions

    matcher = _matcher(index, encoder)
    row = row_of(matcher.index, code)
    given = _given(matcher, file, text, skill, title)
    found = gaps_of(given, code, row=row)
    additions = best_additions(given, code, found=found) if best else ()
    if as_json:
        _print_json(found.to_dict() | ({"best_additions": [a.to_dict() for a in additions]} if best else {}))
        return
    from matcher.advice_report import print_gaps

    print_gaps(found, additions, limit=0 if every else 8)


@advice_app.command("what-if")
def what_if(
    file: FileArgument = None,
    text: TextOption = None,
    skill: SkillOption = None,
    title: TitleOption = None,
    add: Annotated[list[str] | None, typer.Option("--add", help="A line or a skill to add; repeat for several.")] = None,
    remove: Annotated[
        list[str] | None, typer.Option("--remove", help="A line to take away, by its text or a part of it; repeat for several.")
    ] = None,
    code: Annotated[str | None, typer.Option("--code", help="Follow this occupation, too.")] = None,
    opens: Annotated[bool, typer.Option("--opens", help="Also: which one skill opens most.")] = False,
    index: IndexOption = None,
    encoder: EncoderOption = None,
    top: TopOption = 10,
    as_json: JsonOption = False,
) -> None:
    """Rank again with lines or skills added or removed: ranks and scores before and after."""
    from matcher.given import AdviceError
    from matcher.whatif import Trial, opens_most
    from matcher.whatif import what_if as ask

    if not (add or remove or opens):
        raise AdviceError("what-if: nothing to change, expected --add, --remove or --opens")
    matcher = _matcher(index, encoder)
    trial = Trial(_given(matcher, file, text, skill, title))
    answer = ask(trial, add=add or (), remove=remove or (), code=code, top=top) if add or remove else None
    openings = opens_most(trial) if opens else ()
    if as_json:
        document = {} if answer is None else answer.to_dict()
        _print_json(document | ({"opens_most": [o.to_dict() for o in openings]} if opens else {}))
        return
    from matcher.advice_report import print_openings, print_what_if

    titles = {entry.code: entry.title for entry in matcher.index.entries}
    if answer is None:
        print_openings(openings, titles)
    else:
        print_what_if(answer, openings, titles)


@advice_app.command("moves")
def moves(
    file: FileArgument = None,
    text: TextOption = None,
    skill: SkillOption = None,
    title: TitleOption = None,
    code: Annotated[
        str | None, typer.Option("--code", help="From this occupation; with a query, compare pay and zone with it.")
    ] = None,
    outside_group: Annotated[bool, typer.Option("--outside-group", help="Only outside the major group.")] = False,
    zone_up: Annotated[bool, typer.Option("--zone-up", help="Only to a higher job zone.")] = False,
    pays_more: Annotated[float | None, typer.Option("--pays-more", help="Only what pays this many percent more.")] = None,
    less_physical: Annotated[bool, typer.Option("--less-physical", help="Only less physical work.")] = False,
    more_employed: Annotated[bool, typer.Option("--more-employed", help="Only where more people are employed.")] = False,
    interests: Annotated[str, typer.Option("--interests", help="Letters (RI) or six scores R,I,A,S,E,C (20,31,8,12,15,22).")] = "",
    index: IndexOption = None,
    encoder: EncoderOption = None,
    top: TopOption = 10,
    as_json: JsonOption = False,
) -> None:
    """Show where one could go next, from a query or an occupation, with what transfers and what is missing."""
    from matcher.moves import Wish
    from matcher.moves import moves as ask

    wish = Wish(
        outside_group=outside_group,
        zone_up=zone_up,
        pays_more=None if pays_more is None else pays_more / 100,
        less_physical=less_physical,
        more_employed=more_employed,
        interests=_interests(interests),
    )
    matcher = _matcher(index, encoder)
    if code is not None and not _is_given(file, text, skill, title):
        answer = ask((matcher.index, code), wish=wish, top=top)
    else:
        answer = ask(_given(matcher, file, text, skill, title), wish=wish, top=top, start=code)
    if as_json:
        _print_json(answer.to_dict())
        return
    from matcher.advice_report import print_moves

    print_moves(answer)


def _interests(words: str) -> str | list[float] | None:
    from matcher.given import AdviceError

    if "," not in words:
        return words or None
    try:
        return [float(part) for part in words.split(",")]
    except ValueError:
        raise AdviceError(f"interests: {words!r}, expected letters of RIASEC or six numbers") from None


@advice_app.command("compare")
def compare(
    codes: Annotated[list[str], typer.Argument(metavar="CODE CODE [CODE]", help="Two or three occupations.")],
    index: IndexOption = None,
    encoder: EncoderOption = None,
    every: AllOption = False,
    as_json: JsonOption = False,
) -> None:
    """Set two or three occupations side by side."""
    from matcher.moves import compare as ask

    answer = ask(_matcher(index, encoder).index, *codes)
    if as_json:
        _print_json(answer.to_dict())
        return
    from matcher.advice_report import print_comparison

    print_comparison(answer, limit=0 if every else 8)
