"""Layout: pieces of text with their places on a page, put into the order in which a person reads them.

Coordinates are in points with y upwards, as in PDF. Two columns are told apart by where lines begin: in a column they begin at
one x, line after line, and hardly anything crosses the space before it. A row of a table (dates in the margin, say) looks the
same line by line, so columns of dates or of labels beside running text are read as rows.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median

#: Lines that a column has at least.
MIN_LINES = 4
MAX_DEPTH = 3


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of text from ``x0`` to ``x1`` on the baseline ``y``; ``spaced`` tells that a word border stands before it."""

    x0: float
    x1: float
    y: float
    size: float
    text: str
    spaced: bool = True


@dataclass(slots=True)
class Row:
    """What stands on one baseline without a wide gap."""

    x0: float
    x1: float
    y: float
    size: float
    text: str


@dataclass(slots=True)
class Block:
    """Rows of one column, top first. ``gutter`` is where its second column begins; ``place`` 0 is read first, None is full width."""

    rows: list[Row]
    gutter: float | None = None
    place: int | None = None
    span: tuple[float, float] = field(default=(0.0, 0.0))


_PAGE = re.compile(r"(?:page\s*)?\d{1,3}(?:\s*(?:of|/|\|)\s*\d{1,3})?|-\s*\d{1,3}\s*-", re.I)
#: A bullet, whatever its font made of it: one odd character before the first word.
_MARK = re.compile(r"(?:[\x7f-\x9f\ue000-\uf8ff\u0141]|[^\w\x00-\x7f])\s+(?=\S)|[\x7f-\x9f\ue000-\uf8ff•●▪■◦]\s*(?=\S)")
_YEAR = re.compile(r"(?:19|20)\d\d|\bpresent\b|\bcurrent\b|'\d\d\b|\d{1,2}/\d{2,4}", re.I)


def reading_text(pages: Iterable[Sequence[Piece]]) -> str:
    """Return the text of pages in reading order, lines ended by newlines, an empty line where there is space between them."""
    blocks: list[Block] = []
    for pieces in pages:
        rows = _without_numbers(_rows(pieces))
        before = (blocks[-2], blocks[-1]) if len(blocks) >= 2 and blocks[-1].place == 1 else None
        _append(blocks, (_goes_on(rows, *before) if before and rows else []) or _blocks(rows, 0))
    return "\n\n".join(text for text in (_text(block.rows) for block in blocks) if text) + "\n" if blocks else ""


def _rows(pieces: Sequence[Piece]) -> list[Row]:
    """Return pieces joined into rows, top first and then from the left."""
    lines: list[list[Piece]] = []
    for piece in sorted(pieces, key=lambda p: (-p.y, p.x0)):
        if lines and abs(lines[-1][0].y - piece.y) <= 0.3 * max(piece.size, lines[-1][0].size, 1.0):
            lines[-1].append(piece)
        else:
            lines.append([piece])
    for line in lines:
        line.sort(key=lambda p: p.x0)
    # Where lines begin, a column may begin, too: what starts there is not joined to what stands before it, however near.
    begun = Counter(round(line[0].x0 / 2) for line in lines)
    edges = {step for step, count in begun.items() if count >= 3}
    rows: list[Row] = []
    for line in lines:
        row: Row | None = None
        for piece in line:
            gap = piece.x0 - row.x1 if row else 0.0
            size = max(piece.size, row.size if row else 0.0)
            at_edge = gap > 0.2 * size and bool(edges & {round(piece.x0 / 2) + step for step in (-1, 0, 1)})
            if row is not None and gap <= max(1.3 * size, 9.0) and not at_edge:
                # Painted twice to look bold.
                if gap < -0.5 * (piece.x1 - piece.x0) and row.text.endswith(piece.text):
                    continue
                row.text += (" " if piece.spaced or gap > 0.25 * size else "") + piece.text
                row.x1 = max(row.x1, piece.x1)
                row.size = max(row.size, piece.size)
            else:
                row = Row(piece.x0, piece.x1, line[0].y, piece.size, piece.text)
                rows.append(row)
    return [row for row in rows if row.text.strip()]


def _marked(text: str) -> str:
    mark = _MARK.match(text)
    return "• " + text[mark.end() :] if mark else text


def _without_numbers(rows: list[Row]) -> list[Row]:
    """Return rows without page numbers."""
    if not rows:
        return rows
    edges = (rows[0].y, rows[-1].y)
    return [r for r in rows if not (_PAGE.fullmatch(r.text) and (r.y in edges or not r.text.isdigit()))]


def _goes_on(rows: list[Row], first: Block, second: Block) -> list[Block]:
    """Return a page as two columns if those of the page before go on in it, however few lines they have; else nothing."""
    left, right = (first, second) if first.span[0] < second.span[0] else (second, first)
    gutter = right.span[0]
    beside = [r for r in rows if r.x0 < gutter - 6]
    after = [r for r in rows if r.x0 >= gutter - 6]
    if not beside or not after or any(r.x1 > gutter + 6 for r in beside) or abs(min(r.x0 for r in beside) - left.span[0]) > 10:
        return []
    if abs(min(r.x0 for r in after) - gutter) > 10:
        return []
    columns = {id(left): beside, id(right): after}
    return [Block(columns[id(block)], gutter, place, _span(columns[id(block)])) for place, block in enumerate((first, second))]


def _blocks(rows: list[Row], depth: int) -> list[Block]:
    """Return rows as blocks in reading order."""
    if not rows:
        return []
    found = _gutter(rows) if depth < MAX_DEPTH and len(rows) >= 2 * MIN_LINES else None
    if found is None:
        return [Block(rows, span=_span(rows))]
    gutter, top, bottom = found
    above = [r for r in rows if r.y > top]
    below = [r for r in rows if r.y < bottom]
    within = [r for r in rows if bottom <= r.y <= top]
    left = [r for r in within if r.x0 < gutter - 3]
    right = [r for r in within if r.x0 >= gutter - 3]
    first, second = (left, right) if _reads_first(left, right) else (right, left)
    blocks = _blocks(above, depth + 1)
    for place, column in enumerate((first, second)):
        inner = _blocks(column, depth + 1)
        # A column with columns of its own counts as one.
        blocks.append(Block([r for b in inner for r in b.rows], gutter, place, _span(column)))
    return blocks + _blocks(below, depth + 1)


def _span(rows: Sequence[Row]) -> tuple[float, float]:
    return min(r.x0 for r in rows), max(r.x1 for r in rows)


def _reads_first(left: Sequence[Row], right: Sequence[Row]) -> bool:
    """Tell whether the left column is read first: the one with the name in large letters, else the wider one, else the left."""
    large_left, large_right = max(r.size for r in left), max(r.size for r in right)
    if max(large_left, large_right) > 1.3 * min(large_left, large_right):
        return large_left > large_right
    width_left, width_right = (b - a for a, b in (_span(left), _span(right)))
    return width_right <= 1.25 * width_left


def _gutter(rows: list[Row]) -> tuple[float, float, float] | None:
    """Return where a second column begins, with the top and bottom baseline of what stands in two columns; None for one column."""
    x_min, x_max = _span(rows)
    width = x_max - x_min
    starts = Counter(round(r.x0 / 3) for r in rows)
    best: tuple[int, float, float, float] | None = None
    for step in sorted(starts):
        edge = 3.0 * step
        if edge < x_min + 0.12 * width or starts[step] + starts.get(step + 1, 0) + starts.get(step - 1, 0) < MIN_LINES:
            continue
        gutter = min(r.x0 for r in rows if abs(r.x0 - edge) <= 3.1)
        for top, bottom, left, right in _stretches(rows, gutter, width):
            if not _are_columns(left, right, gutter):
                continue
            count = len(left) + len(right)
            if best is None or count > best[0]:
                best = (count, gutter, top, bottom)
    return best[1:] if best else None


def _stretches(rows: list[Row], gutter: float, width: float) -> Iterable[tuple[float, float, list[Row], list[Row]]]:
    """Yield the stretches of rows between those that cross the space before ``gutter``."""
    right_baselines = [r.y for r in rows if r.x0 >= gutter - 3]
    taken = {round(y) for y in right_baselines}
    left: list[Row] = []
    right: list[Row] = []
    for row in rows:
        if row.x0 >= gutter - 3:
            right.append(row)
        elif row.x1 > gutter + 0.04 * width and round(row.y) not in taken:
            if left and right:
                yield max(left[0].y, right[0].y), min(left[-1].y, right[-1].y), left, right
            left, right = [], []
        else:
            left.append(row)
    if left and right:
        yield max(left[0].y, right[0].y), min(left[-1].y, right[-1].y), left, right


def _are_columns(left: list[Row], right: list[Row], gutter: float) -> bool:
    """Tell whether two stretches of rows are columns of text rather than the cells of rows."""
    if min(len(left), len(right)) < MIN_LINES:
        return False
    begun = sum(1 for r in right if r.x0 - gutter <= 48)
    if begun < 0.7 * len(right):
        return False
    for column in (left, right):
        if sum(1 for r in column if _YEAR.search(r.text) and len(r.text.split()) <= 6) >= 0.4 * len(column):
            return False
    # Dates in the margin stand on the baseline of what they date.
    dates = [r for r in left if _YEAR.search(r.text) and len(r.text.split()) <= 6]
    if len(dates) >= 2 and sum(1 for r in dates if any(abs(r.y - o.y) <= 0.6 for o in right)) >= 0.7 * len(dates):
        return False
    # Words that overlap the gutter a little were measured too wide; many that do are not a column.
    if sum(1 for r in left if r.x1 > gutter + 6) > 0.1 * len(left):
        return False
    baselines = [r.y for r in right]
    aligned = sum(1 for r in left if any(abs(r.y - y) <= 1.5 for y in baselines))
    words_left = median(len(r.text.split()) for r in left)
    words_right = median(len(r.text.split()) for r in right)
    if aligned >= 0.85 * len(left):
        # All on common baselines: a table, unless both sides are running text, or the left one a dense list of its own.
        if min(words_left, words_right) >= 4:
            return True
        return words_left <= 3 and len(left) >= 0.5 * len(right) and words_right >= 5 and _is_dense(left) and len(left) >= 8
    if (
        len(right) < 0.6 * len(left)
        and words_right <= 3
        and sum(1 for r in right if any(abs(r.y - o.y) <= 1.5 for o in left)) >= 0.85 * len(right)
    ):
        return _is_dense(right) and len(right) >= 6
    return True


def _is_dense(rows: Sequence[Row]) -> bool:
    """Tell whether rows follow one another as lines of one text do."""
    gaps = [a.y - b.y for a, b in zip(rows, rows[1:], strict=False)]
    near = sum(1 for gap, row in zip(gaps, rows, strict=False) if gap <= 2.2 * max(row.size, 4.0))
    return near >= 0.6 * len(gaps)


def _append(blocks: list[Block], page: list[Block]) -> None:
    """Add a page's blocks; columns that go on from the page before are joined column by column."""
    if not page:
        return
    if len(blocks) >= 2 and blocks[-1].place == 1 and blocks[-2].place == 0:
        first, second = blocks[-2], blocks[-1]
        start = page[0]
        if start.place == 0 and len(page) >= 2 and _alike(start.span[0], first.span[0]) and _alike(page[1].span[0], second.span[0]):
            first.rows += start.rows
            second.rows += page[1].rows
            page = page[2:]
        elif (
            start.place == 0 and len(page) >= 2 and _alike(start.span[0], second.span[0]) and _alike(page[1].span[0], first.span[0])
        ):
            first.rows += page[1].rows
            second.rows += start.rows
            page = page[2:]
        elif start.place is None:
            for column in (first, second):
                if _alike(start.span[0], column.span[0]) and start.span[1] <= column.span[1] + 12:
                    column.rows += start.rows
                    page = page[1:]
                    break
    blocks += page


def _alike(a: float, b: float) -> bool:
    return abs(a - b) <= 10


def _text(rows: Sequence[Row]) -> str:
    """Return rows as lines; what stands on one baseline is one line, its parts three spaces apart."""
    lines: list[tuple[float, float, str]] = []
    reached = 0.0
    for row in rows:
        text = row.text.strip()
        if lines and abs(lines[-1][0] - row.y) <= 0.3 * max(row.size, 1.0):
            y, size, before = lines[-1]
            glue = "   " if row.x0 - reached > max(1.3 * row.size, 9.0) and len(before) > 1 else " "
            lines[-1] = (y, max(size, row.size), before + glue + text)
        else:
            lines.append((row.y, row.size, text))
        reached = row.x1
    gaps = [a[0] - b[0] for a, b in zip(lines, lines[1:], strict=False) if 0 < a[0] - b[0] < 4 * max(a[1], 4.0)]
    leading = sorted(gaps)[len(gaps) // 3] if gaps else 0.0
    out: list[str] = []
    for place, (y, size, text) in enumerate(lines):
        if place:
            gap = lines[place - 1][0] - y
            # A jump upwards is the top of the next page.
            if gap > 0 and gap > max(1.35 * leading, 1.1 * size):
                out.append("")
        out.append(_marked(text))
    return "\n".join(out)
