"""Groups: an answer rolled up to 6-digit SOC codes and to major groups, with summed probability."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matcher import cards
from matcher.index import OccupationIndex
from matcher.ranker import Ranking

#: The major groups of the Standard Occupational Classification 2018 (U.S. Bureau of Labor Statistics).
MAJOR_GROUPS: Mapping[str, str] = {
    "11": "Management Occupations",
    "13": "Business and Financial Operations Occupations",
    "15": "Computer and Mathematical Occupations",
    "17": "Architecture and Engineering Occupations",
    "19": "Life, Physical, and Social Science Occupations",
    "21": "Community and Social Service Occupations",
    "23": "Legal Occupations",
    "25": "Educational Instruction and Library Occupations",
    "27": "Arts, Design, Entertainment, Sports, and Media Occupations",
    "29": "Healthcare Practitioners and Technical Occupations",
    "31": "Healthcare Support Occupations",
    "33": "Protective Service Occupations",
    "35": "Food Preparation and Serving Related Occupations",
    "37": "Building and Grounds Cleaning and Maintenance Occupations",
    "39": "Personal Care and Service Occupations",
    "41": "Sales and Related Occupations",
    "43": "Office and Administrative Support Occupations",
    "45": "Farming, Fishing, and Forestry Occupations",
    "47": "Construction and Extraction Occupations",
    "49": "Installation, Maintenance, and Repair Occupations",
    "51": "Production Occupations",
    "53": "Transportation and Material Moving Occupations",
    "55": "Military Specific Occupations",
}


@dataclass(frozen=True, slots=True)
class Group:
    """A group of occupations with its probability; ``codes`` are its occupations, likeliest first."""

    code: str
    title: str
    probability: float
    codes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the wire format's group."""
        return {"code": self.code, "title": self.title, "probability": self.probability}


@dataclass(frozen=True, slots=True)
class Groups:
    """The roll-up of one answer's ``scored`` occupations (code, title, probability), likeliest group first, each made when it is asked for.

    Without probabilities it is empty and ``note`` says so.
    """

    scored: tuple[tuple[str, str, float], ...] = ()
    note: str | None = None

    @property
    def soc(self) -> tuple[Group, ...]:
        """The groups by 6-digit SOC code."""
        return _sum(self.scored, 7)

    @property
    def major(self) -> tuple[Group, ...]:
        """The major groups."""
        return _sum(self.scored, 2)

    def to_dict(self) -> dict[str, Any]:
        """Return the roll-up as JSON values."""
        return {"soc": [g.to_dict() for g in self.soc], "groups": [g.to_dict() for g in self.major], "note": self.note}

    def sentence(self) -> str:
        """Return the leading major group in words, such as ``about 70 % Management Occupations``."""
        major = self.major
        if not major:
            return self.note or "no groups"
        first = major[0]
        return (
            f"about {round(100 * first.probability / 5) * 5} % {first.title}"
            if first.probability >= 0.025
            else "no group stands out"
        )

    def _repr_html_(self) -> str:
        rows: list[list[cards.Cell]] = [[g.code, g.title, cards.Bar(g.probability, f"{g.probability:.0%}")] for g in self.major[:8]]
        return cards.table("Groups", ("", "major group", "probability"), rows, note=self.note or "")


def groups_of(index: OccupationIndex, ranking: Ranking) -> Groups:
    """Roll up a whole ranking (not only the matches that are shown). Without calibrated scores there are no groups."""
    scores = [None] * len(ranking.rows) if ranking.score is None else ranking.score.tolist()
    entries = [index.entries[row] for row in ranking.rows.tolist()]
    return roll_up((entry.code, entry.title, score) for entry, score in zip(entries, scores, strict=True))


def roll_up(scored: Iterable[tuple[str, str, float | None]]) -> Groups:
    """Sum the probabilities of (code, title, score) by 6-digit SOC code and major group.

    A probability says that a coder would accept a code, and several may be acceptable: where they sum to more than 1, all are divided by
    their sum, so that groups never exceed 1. Where a score is None there is nothing to sum: no probability is made up.
    """
    found: list[tuple[str, str, float]] = []
    for code, title, score in scored:
        if score is None:
            return Groups(note="no groups: scores are not probabilities until a calibration ships")
        if not 0 <= score <= 1:
            raise ValueError(f"roll-up: the score of {code} is not a probability in [0, 1]")
        found.append((code, title, score))
    return Groups(tuple(found)) if found else Groups(note="no occupations to roll up")


def _sum(scored: Sequence[tuple[str, str, float]], length: int) -> tuple[Group, ...]:
    total = max(1.0, sum(score for _, _, score in scored))
    members: dict[str, list[tuple[float, str, str]]] = {}
    for code, title, score in scored:
        members.setdefault(code[:length], []).append((score, code, title))
    groups = []
    for key, group in members.items():
        group.sort(key=lambda member: (-member[0], member[1]))
        if length == 2:
            code, title = f"{key}-0000", MAJOR_GROUPS.get(key, f"Major group {key}")
        else:
            code = key
            title = next((name for _, at, name in sorted(group, key=lambda m: m[1]) if at.endswith(".00")), group[0][2])
        groups.append(Group(code, title, round(sum(s for s, _, _ in group) / total, 6), tuple(at for _, at, _ in group)))
    return tuple(sorted(groups, key=lambda g: (-g.probability, g.code)))
