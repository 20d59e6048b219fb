"""Invented occupations with what advice needs: related codes, abilities, education, employment."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from matcher.index import OccupationIndex, build_index
from matcher.match import Matcher
from matcher.records import Element, Occupation, Rating, RelatedOccupation, Release, Share, Task, Wage
from tests.invented import BAKER, COOK, LAWYER, MECHANIC, OTHER, WordEncoder

RESUME = """Robin Example

EXPERIENCE
Baker, Corner Bakery - Springfield
March 2019 to Current
- Knead and shape dough for loaves and rolls
- Set oven temperatures and watch the bake each night

SKILLS
Microsoft Excel, Food Production

EDUCATION
Associate of Science in Culinary Arts, 2018
"""


def _rated(
    occupation: Occupation, general: float, strength: float, answers: dict[str, float], related: tuple[str, ...]
) -> Occupation:
    return replace(
        occupation,
        skills=(
            Element("2.A.1", "Active Listening", importance=Rating("IM", 4.0, False)),
            Element("2.A.2", "Repairing", importance=Rating("IM", 1.0 + strength / 2, False)),
        ),
        work_activities=(Element("4.A.3.a.1", "Performing General Physical Activities", importance=Rating("IM", general, False)),),
        abilities=(
            Element("1.A.3.a.1", "Static Strength", importance=Rating("IM", strength)),
            Element("1.A.1.a.1", "Oral Comprehension", importance=Rating("IM", 4.0)),
        ),
        education=tuple(Share("2.D.1", "Required Level of Education", answer, percent) for answer, percent in answers.items()),
        related=tuple(RelatedOccupation(code, code, "Primary-Short", n + 1) for n, code in enumerate(related)),
    )


_HEAD = replace(
    BAKER,
    code="51-1011.00",
    title="Head Bakers",
    description="Leads the bakers of a bakery and plans its bread.",
    alternate_titles=(),
    reported_titles=(),
    tasks=(*BAKER.tasks[:1], Task("20", "Plan the bakery's orders and train new bakers", importance=Rating("IM", 4.8))),
    job_zone=3,
)
RELATED = Release(
    "Invented 1.0",
    tuple(
        sorted(
            (
                _rated(
                    BAKER,
                    4.0,
                    4.0,
                    {"High School Diploma - or the equivalent": 60.0, "Associate's Degree (2 years)": 40.0},
                    ("35-2014.00", "51-1011.00"),
                ),
                _rated(_HEAD, 3.0, 3.0, {"Associate's Degree (2 years)": 70.0, "Bachelor's Degree": 30.0}, ("51-3011.00",)),
                _rated(COOK, 4.2, 3.8, {"Less than a High School Diploma": 55.0, "High School Diploma": 45.0}, ("51-3011.00",)),
                _rated(LAWYER, 1.2, 1.0, {"First Professional Degree - awarded after 6 years": 90.0, "Doctoral Degree": 10.0}, ()),
                _rated(
                    MECHANIC,
                    4.5,
                    4.5,
                    {"Post-Secondary Certificate - awarded for training": 80.0, "Some College Courses": 20.0},
                    (),
                ),
                OTHER,
            ),
            key=lambda o: o.code,
        )
    ),
)
PAY = {
    "23-1011.00": Wage(2025, 150000.0, 72.0, "Survey 2025", "23-1011", "direct", 1000),
    "49-3023.00": Wage(2025, 49000.0, 23.5, "Survey 2025", "49-3023", "direct", 2000),
    "51-3011.00": Wage(2025, None, 17.0, "Survey 2025", "51-3011", "direct", 500),
    "51-1011.00": Wage(2025, 48000.0, 23.0, "Survey 2025", "51-1011", "direct", 100),
}


def make_matcher(path: Path) -> Matcher:
    """Return a matcher over the invented occupations."""
    encoder = WordEncoder(96)
    build_index(RELATED, encoder, path, wages=PAY, notice="Invented.")
    return Matcher(OccupationIndex.load(path, encoder=encoder), encoder)
