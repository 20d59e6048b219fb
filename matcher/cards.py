"""Cards: small HTML tables for notebooks that read well in light and in dark, for they take their colours from around them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_LINE = "1px solid rgba(128,128,128,.35)"
_MARKS = {"met": "●", "partly": "◐", "not_found": "○"}


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of a share 0–1, with ``label`` beside it."""

    share: float
    label: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """A status as a sign and in words, so that neither colour nor sign is needed to read it."""

    status: str
    words: str


Cell = str | Bar | Mark


def cell(value: Cell) -> str:
    """Return one value as safe HTML."""
    if isinstance(value, Bar):
        wide = round(100 * min(1.0, max(0.0, value.share)))
        label = f'<span style="margin-left:.5em">{escape(value.label)}</span>' if value.label else ""
        return (
            '<span style="display:inline-block;width:5em;height:.6em;border-radius:.3em;background:rgba(128,128,128,.25)">'
            f'<span style="display:block;width:{wide}%;height:100%;border-radius:.3em;background:currentColor;opacity:.7"></span></span>'
            f"{label}"
        )
    if isinstance(value, Mark):
        return f"{_MARKS.get(value.status, '')} {escape(value.words)}"
    return escape(value)


def table(title: str, head: Sequence[str], rows: Sequence[Sequence[Cell]], *, note: str = "") -> str:
    """Return a titled table; every text is escaped. No colour is set, so a dark page stays dark."""
    style = (
        f"text-align:left;padding:.25em .7em .25em 0;border-bottom:{_LINE};vertical-align:top;background:transparent;color:inherit"
    )
    top = "".join(f'<th scope="col" style="{style};font-weight:600">{escape(name)}</th>' for name in head)
    body = "".join(
        '<tr style="background:transparent">'
        + "".join(f'<td style="{style};max-width:34em">{cell(value)}</td>' for value in row)
        + "</tr>"
        for row in rows
    )
    foot = f'<p style="opacity:.75;margin:.4em 0 0;font-size:.9em">{escape(note)}</p>' if note else ""
    return (
        '<div style="color:inherit;background:transparent;font-size:.95em;line-height:1.35">'
        f'<p style="font-weight:600;margin:0 0 .4em">{escape(title)}</p>'
        f'<table style="border-collapse:collapse;color:inherit;background:transparent"><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>'
        f"{foot}</div>"
    )
