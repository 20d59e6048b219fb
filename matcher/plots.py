"""Plots: answers as matplotlib figures (extra ``notebooks``), imported only when asked for; nothing here touches pyplot or global state.

matplotlib and not altair: its figures are small pictures that need no script to be seen, in a notebook, a report or a mail.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from textwrap import shorten
from typing import Any

import numpy as np
import numpy.typing as npt

from matcher.gaps import ORDER, WORDS, Gaps
from matcher.given import annual_pay
from matcher.groups import MAJOR_GROUPS
from matcher.index import CENTROIDS, OccupationIndex, Quantised, similarities
from matcher.intervals import estimate
from matcher.match import Matches
from matcher.ranker import query_kind
from matcher.records import Kind
from matcher.resources import ranker_path

#: Okabe and Ito's colours, told apart without regard to how one sees colour.
_BLUE, _ORANGE, _GREEN, _RED, _GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#BBBBBB"
_CONFIDENCE = {"high": _GREEN, "medium": _BLUE, "low": _GREY, None: _BLUE}
_STATUS = {"met": _GREEN, "partly": _ORANGE, "not_found": "#DDDDDD"}
#: What phrases of the heat map are compared with.
_COMPARED = (Kind.TASK, Kind.ACTIVITY, Kind.TITLE, Kind.KNOWLEDGE)


class PlotError(ValueError):
    """matplotlib is not installed, or there is nothing to draw."""


@dataclass(frozen=True, slots=True)
class MatchPlots:
    """The figures of one answer: ``answer.plot.ranked()`` and so on."""

    matches: Matches

    def ranked(self, *, top: int = 10) -> Any:
        """Draw the first matches by score, with what the calibration may be off by."""
        return ranked(self.matches, top=top)

    def evidence_map(self, *, top: int = 6, phrases: int = 12) -> Any:
        """Draw phrases against occupations."""
        return evidence_map(self.matches, top=top, phrases=phrases)

    def gap_bars(self, code: str) -> Any:
        """Draw what of an occupation is met, partly met and not found."""
        return gap_bars(self.matches.gap(code))

    def occupation_map(self, *, kind: Kind = Kind.TASK, label: int = 3) -> Any:
        """Draw all occupations in two dimensions, with what was given among them."""
        given = self.matches.given
        if given is None:
            raise PlotError("nothing to draw: nothing was given that could be placed on a map")
        return occupation_map(given.engine.index, self.matches, kind=kind, label=label)

    def wage_against_fit(self, *, top: int = 10) -> Any:
        """Draw median pay against the score of the first matches."""
        return wage_against_fit(self.matches, top=top)

    def contributions(self, *, top: int = 3) -> Any:
        """Draw what each signal added to the fusion of the first matches."""
        return contributions(self.matches, top=top)


def _figure(width: float, height: float) -> tuple[Any, Any]:
    """Return a figure with one pair of axes. Raises PlotError without matplotlib."""
    try:
        figure = importlib.import_module("matplotlib.figure").Figure(figsize=(width, height), layout="constrained", dpi=80)
    except ImportError:
        raise PlotError("a plot needs matplotlib: pip install 'occupation-matcher[notebooks]'") from None
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _short(text: str, width: int = 44) -> str:
    return shorten(" ".join(text.split()), width, placeholder="…")


def _some(matches: Matches) -> None:
    if not len(matches):
        raise PlotError(f"nothing to draw: there are no matches ({', '.join(matches.reasons) or 'all were left out'})")


def _fits(matches: Matches, top: int) -> tuple[list[float], str]:
    """Return the value of the first matches and what it is: probability, or fusion where there are no probabilities."""
    chosen = matches.matches[:top]
    scores = [match.score for match in chosen if match.score is not None]
    if len(scores) == len(chosen):
        return scores, "probability that a careful coder would accept it"
    return [match.fusion for match in chosen], "fusion (comparable within this answer only)"


#: The development files by kind of query, as ``figures.json`` names them.
_FILES = {
    "titles": ("esco_titles", "h1b_titles"),
    "skills": ("ict_skill_lists", "resume_skill_lists"),
    "text": ("esco_descriptions",),
    "positions": ("resumes",),
}


def calibration_error(matches: Matches) -> tuple[float, float] | None:
    """Return how far stated probabilities were too low (negative) and too high at most, for queries of the kind that was asked.

    The bounds of the published 95 % intervals of mean score minus accuracy, out of fold, at first places, over the development files of the kind.
    None where the answer is not the ranker's that the figures are about, or has no probabilities.
    """
    if matches.given is None or not len(matches) or matches[0].score is None:
        return None
    try:
        figures = json.loads(ranker_path().with_name("figures.json").read_bytes())
    except OSError:
        return None
    if figures["engine"]["ranker"] != matches.engine["ranker"]:
        return None
    measured = [figures["fitting"]["full"].get(name) for name in _FILES[query_kind(matches.given.vectors)]]
    bounds = [file["mean score minus accuracy"][1:] for file in measured if file]
    return (min(low for low, _ in bounds), max(high for _, high in bounds)) if bounds else None


def ranked(matches: Matches, *, top: int = 10) -> Any:
    """Draw the scores of the first matches, coloured by confidence, with the interval that ``calibration_error`` leaves."""
    _some(matches)
    chosen = matches.matches[:top]
    values, meaning = _fits(matches, top)
    figure, axes = _figure(8, 1.1 + 0.34 * len(chosen))
    axes.barh(range(len(chosen)), values, color=[_CONFIDENCE[match.confidence] for match in chosen], height=0.7)
    axes.set_yticks(range(len(chosen)), [f"{match.rank}. {_short(match.title)}" for match in chosen])
    axes.invert_yaxis()
    ends = list(values)
    if (error := calibration_error(matches)) is not None:
        low, high = ([min(1.0, max(0.0, value - bound)) for value in values] for bound in reversed(error))
        spread = [[v - a for v, a in zip(values, low, strict=True)], [b - v for v, b in zip(values, high, strict=True)]]
        axes.errorbar(values, range(len(chosen)), xerr=spread, fmt="none", ecolor="#333333", elinewidth=1.2, capsize=3)
        meaning += "\nlines: what the calibration was off by for queries\nof this kind (first places, 95 %)"
        ends = high
    for place, (match, value, end) in enumerate(zip(chosen, values, ends, strict=True)):
        said = f"{value:.2f}" if match.score is None else f"{value:.0%} {match.confidence}"
        axes.annotate(said, (end, place), xytext=(6, 0), textcoords="offset points", va="center", fontsize=9)
    if chosen[0].score is not None:
        axes.set_xlim(0, 1)
    axes.set_xlabel(meaning)
    return figure


def evidence_map(matches: Matches, *, top: int = 6, phrases: int = 12) -> Any:
    """Draw phrase × occupation: the best cosine of each phrase with a statement of each match; a dot where the pair is its evidence.

    Shown are the phrases that are evidence of any of them, then those that weigh most.
    """
    _some(matches)
    given = matches.given
    if given is None:
        raise PlotError("nothing to draw: the phrases of this answer were not kept")
    index, chosen = given.engine.index, matches.matches[:top]
    number = {(phrase.source, phrase.pointer, phrase.start): i for i, phrase in enumerate(given.query.phrases)}
    proven = {
        (number[(pair.phrase.source, pair.phrase.pointer, pair.phrase.start)], column)
        for column, match in enumerate(chosen)
        for pair in match.evidence
    }
    by_weight = np.argsort(-given.vectors.weights, kind="stable").tolist()
    kept = sorted(list(dict.fromkeys([*sorted({place for place, _ in proven}), *by_weight]))[:phrases])
    rows = [index.row_of[match.code] for match in chosen]
    table = np.stack([_best_of(index, row, given.vectors.vectors.rows(np.array(kept))) for row in rows], axis=1)
    figure, axes = _figure(4.2 + 0.75 * len(chosen), 2.2 + 0.3 * len(kept))
    image = axes.imshow(table, cmap="Blues", vmin=0, vmax=max(0.6, float(table.max())), aspect="auto")
    axes.set_yticks(range(len(kept)), [_short(given.query.phrases[place].text, 52) for place in kept])
    axes.set_xticks(range(len(chosen)), [_short(match.title, 30) for match in chosen], rotation=35, ha="right")
    dots = [(column, kept.index(place)) for place, column in sorted(proven) if place in kept]
    if dots:
        axes.scatter(*zip(*dots, strict=True), s=26, color=_RED, edgecolors="white", label="shown as evidence")
        figure.legend(loc="outside lower left", frameon=False, fontsize=9)
    figure.colorbar(image, ax=axes, label="best cosine with a statement", shrink=0.8)
    return figure


def _best_of(index: OccupationIndex, row: int, vectors: Quantised) -> npt.NDArray[np.float32]:
    places = np.concatenate([np.arange(*index.group(kind, row), dtype=np.int64) for kind in _COMPARED])
    if not len(places):
        return np.zeros(len(vectors), dtype=np.float32)
    best: npt.NDArray[np.float32] = similarities(index.vectors.rows(index.text_of[places]), vectors).max(axis=0)
    return best


def gap_bars(gaps: Gaps) -> Any:
    """Draw, by kind, which share of the weight is met, partly met or not found in what was given."""
    kinds = [kind for kind in ORDER if any(gap.weight > 0 for gap in gaps.of(kind))]
    if not kinds:
        raise PlotError(f"nothing to draw: nothing is said of {gaps.code}")
    figure, axes = _figure(8, 1.2 + 0.4 * len(kinds))
    left = np.zeros(len(kinds))
    for status in ("met", "partly", "not_found"):
        shares = np.array(
            [sum(g.weight for g in gaps.of(kind) if g.status == status) / sum(g.weight for g in gaps.of(kind)) for kind in kinds]
        )
        axes.barh(kinds, shares * 100, left=left * 100, color=_STATUS[status], height=0.65, label=WORDS[status])
        for place, (share, start) in enumerate(zip(shares, left, strict=True)):
            if share >= 0.08:
                axes.text(100 * (start + share / 2), place, f"{share:.0%}", ha="center", va="center", fontsize=9)
        left += shares
    axes.set_yticks(range(len(kinds)), [f"{kind.replace('_', ' ')} ({len(gaps.of(kind))})" for kind in kinds])
    axes.invert_yaxis()
    axes.set_xlim(0, 100)
    axes.set_xlabel("percent of what the occupation has, weighted by importance")
    axes.set_title(_short(f"{gaps.title} ({gaps.code})", 80), loc="left", fontsize=11)
    figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize=9)
    return figure


def reliability(scores: Sequence[float], hits: Sequence[bool], *, bins: int = 8) -> Any:
    """Draw stated probability against observed share, in bins of equally many rows, with Wilson's 95 % intervals."""
    stated, right = np.asarray(scores, dtype=np.float64), np.asarray(hits, dtype=bool)
    if len(stated) != len(right) or not len(stated):
        raise PlotError("nothing to draw: expected as many scores as hits, one or more")
    figure, axes = _figure(4.8, 4.6)
    axes.plot([0, 1], [0, 1], color=_GREY, linestyle="--", label="as stated")
    first = True
    for part in np.array_split(np.argsort(stated, kind="stable"), min(bins, len(stated))):
        observed, x = estimate([float(hit) for hit in right[part]]), float(stated[part].mean())
        spread = [[max(0.0, observed.mean - observed.low)], [max(0.0, observed.high - observed.mean)]]
        axes.errorbar(x, observed.mean, yerr=spread, color=_BLUE, marker="o", capsize=3, label="observed, 95 %" if first else None)
        axes.annotate(f"n={len(part)}", (x, observed.mean), xytext=(6, -10), textcoords="offset points", fontsize=8)
        first = False
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="stated probability (mean of the bin)", ylabel="share that was right")
    axes.legend(frameon=False, loc="upper left")
    return figure


def occupation_map(index: OccupationIndex, matches: Matches | None = None, *, kind: Kind = Kind.TASK, label: int = 3) -> Any:
    """Draw all occupations in two dimensions (principal components of their centroids), coloured by major group, the query among them.

    Two dimensions keep a small part of what tells occupations apart; the axes say how much. Nearness here is a hint, the ranking is not
    made from it.
    """
    group = index.centroids[CENTROIDS.index(kind)]
    present = np.flatnonzero(index.present(kind))
    vectors = _floats(group)[present]
    mean = vectors.mean(axis=0)
    _, lengths, axes_of = np.linalg.svd(vectors - mean, full_matrices=False)
    # The sign of a component is arbitrary: the same picture on every machine.
    axes_of = axes_of[:2] * np.sign(axes_of[:2][np.arange(2), np.abs(axes_of[:2]).argmax(axis=1)])[:, None]
    shares = lengths**2 / (lengths**2).sum()
    points = (vectors - mean) @ axes_of.T
    figure, axes = _figure(9, 6)
    majors = [index.entries[row].code[:2] for row in present.tolist()]
    colours = _palette(len(MAJOR_GROUPS))
    for place, (code, name) in enumerate(MAJOR_GROUPS.items()):
        own = np.array([major == code for major in majors])
        if own.any():
            axes.scatter(
                *points[own].T, s=14, color=colours(place), marker="os^D"[place % 4], alpha=0.75, linewidths=0,
                label=f"{code} {_short(name.removesuffix(' Occupations'), 34)}",
            )  # fmt: skip
    if matches is not None and matches.given is not None:
        query = (_floats(matches.given.vectors.mean) - mean) @ axes_of.T
        axes.scatter(*query.T, s=260, marker="*", color=_RED, edgecolors="black", zorder=6, label="what was given")
        where = {index.entries[row].code: point for row, point in zip(present.tolist(), points, strict=True)}
        for match in matches.matches[:label]:
            if match.code in where:
                x, y = where[match.code].tolist()
                _numbered(axes, match.rank, x, y, _short(match.title, 34))
    axes.set(xticks=[], yticks=[], xlabel=f"1st component ({shares[0]:.0%})", ylabel=f"2nd component ({shares[1]:.0%})")
    figure.legend(loc="outside right center", frameon=False, fontsize=8)
    return figure


def _numbered(axes: Any, number: int, x: float, y: float, label: str) -> None:
    """Draw a number at a place, on white, and say in the legend what it is."""
    axes.scatter([x], [y], s=190, color="white", edgecolors=_GREY, zorder=4)
    axes.scatter([x], [y], s=45 if number < 10 else 80, marker=f"${number}$", color="black", zorder=5, label=label)


def _palette(n: int) -> Callable[[int], Any]:
    colours = importlib.import_module("matplotlib").colormaps["turbo"]
    return lambda place: colours(0.04 + 0.92 * place / max(1, n - 1))


def _floats(vectors: Quantised) -> npt.NDArray[np.float64]:
    return vectors.values.astype(np.float64) * vectors.scales.astype(np.float64)[:, None]


def wage_against_fit(matches: Matches, *, top: int = 10) -> Any:
    """Draw median pay against the score of the first matches; those whose pay is unknown are named below."""
    _some(matches)
    values, meaning = _fits(matches, top)
    known = [(m, v, pay) for m, v in zip(matches.matches[:top], values, strict=True) if (pay := annual_pay(m.wage)) is not None]
    if not known:
        raise PlotError("nothing to draw: the pay of all these occupations is unknown")
    figure, axes = _figure(9, 4.6)
    for match, value, pay in known:
        _numbered(axes, match.rank, value, pay, _short(match.title, 38))
    if known[0][0].score is not None:
        axes.set_xscale("log")
        low, high = axes.get_xlim()
        ticks = [tick for tick in (0.0001, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0) if low <= tick <= high]
        axes.set_xticks(ticks, [f"{100 * tick:g}%" for tick in ticks])
        axes.set_xticks([], minor=True)
    figure.legend(loc="outside right center", frameon=False, fontsize=9)
    axes.set_ylim(0, 1.1 * max(pay for _, _, pay in known))
    axes.yaxis.set_major_formatter(lambda dollars, _: f"${dollars:,.0f}")
    axes.grid(alpha=0.3)
    left_out = [match.title for match in matches.matches[:top] if annual_pay(match.wage) is None]
    axes.set_xlabel(meaning + (f"\npay unknown: {_short(', '.join(left_out), 90)}" if left_out else ""))
    axes.set_ylabel("median pay a year (BLS OEWS)")
    return figure


def contributions(matches: Matches, *, top: int = 3) -> Any:
    """Draw which signal adds how much to the fusion of the first matches; the bars of one match sum to its fusion."""
    _some(matches)
    chosen = matches.matches[:top]
    names = [name for name, _ in chosen[0].contributions if any(dict(match.contributions)[name] for match in chosen)]
    names.sort(key=lambda name: -abs(dict(chosen[0].contributions)[name]))
    figure, axes = _figure(8, 1.2 + 0.34 * len(names))
    height = 0.8 / len(chosen)
    for place, match in enumerate(chosen):
        shares = dict(match.contributions)
        at = np.arange(len(names)) + (place - (len(chosen) - 1) / 2) * height
        colour = (_BLUE, _ORANGE, _GREEN, _RED, _GREY)[place % 5]
        axes.barh(at, [shares[name] for name in names], height, color=colour, label=f"{match.rank}. {_short(match.title, 36)}")
    axes.set_yticks(range(len(names)), [name.replace("_", " ") for name in names])
    axes.invert_yaxis()
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set_xlabel("part of the fusion")
    axes.legend(frameon=False, fontsize=9)
    return figure


def shares(named: Iterable[tuple[str, float]], *, meaning: str) -> Any:
    """Draw a few named shares of one, in the order given."""
    pairs = list(named)
    if not pairs:
        raise PlotError("nothing to draw: no shares")
    figure, axes = _figure(8, 0.8 + 0.34 * len(pairs))
    axes.barh(range(len(pairs)), [100 * value for _, value in pairs], color=_BLUE, height=0.7)
    axes.set_yticks(range(len(pairs)), [_short(name) for name, _ in pairs])
    axes.invert_yaxis()
    axes.set_xlabel(meaning)
    return figure
