"""Invented occupations and an encoder that needs no weights, for tests of everything that stands on them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from matcher.records import (
    Activity,
    AlternateTitle,
    Element,
    JobZone,
    Occupation,
    Rating,
    Release,
    Task,
    Technology,
    Wage,
)


class WordEncoder:
    """Sums a fixed random vector a word: texts that share words are alike."""

    name = "words"

    def __init__(self, dim: int = 32) -> None:
        self.dim = dim
        self.digest = f"sha256:{hashlib.sha256(b'words %d' % dim).hexdigest()}"
        self.texts_seen = 0

    def encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        self.texts_seen += len(texts)
        rows = np.zeros((len(texts), self.dim), np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in re.findall(r"[a-z0-9+#]+", text.lower()):
                seed = int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "big")
                row += np.random.default_rng(seed).standard_normal(self.dim).astype(np.float32)
            length = np.linalg.norm(row)
            if length > 0:
                row /= length
        return rows


def _knowledge(**values: float) -> tuple[Element, ...]:
    names = {
        "food": ("2.C.1", "Food Production"),
        "law": ("2.C.2", "Law and Government"),
        "machines": ("2.C.3", "Mechanical"),
    }
    return tuple(Element(*names[key], importance=Rating("IM", value, False)) for key, value in values.items())


BAKER = Occupation(
    code="51-3011.00",
    title="Bakers",
    description="Mixes, proves and bakes bread and pastry for shops and restaurants.",
    alternate_titles=(AlternateTitle("Pastry Baker"), AlternateTitle("Dough Mixer", "Mixer")),
    reported_titles=("Bread Baker",),
    tasks=(
        Task("1", "Knead and shape dough for loaves and rolls", importance=Rating("IM", 4.6)),
        Task("2", "Set oven temperatures and watch the bake", importance=Rating("IM", 4.0)),
        Task("3", "Decorate cakes with icing for customers"),
    ),
    activities=(Activity("A1", "Prepare ingredients for cooking"), Activity("A2", "Check the quality of food")),
    technologies=(
        Technology("Microsoft Excel", "Spreadsheet software", hot=True),
        Technology("RecipeBook Pro", "Recipe software"),
    ),
    knowledge=_knowledge(food=4.8, law=1.5, machines=2.5),
    interests=(
        Element("1.B.1.a", "Realistic", ratings=(Rating("OI", 6.2),)),
        Element("1.B.1.e", "Enterprising", ratings=(Rating("OI", 3.0),)),
    ),
    job_zone=2,
)
COOK = Occupation(
    code="35-2014.00",
    title="Cooks, Restaurant",
    description="Cooks meals to order in the kitchen of a restaurant.",
    alternate_titles=(AlternateTitle("Line Cook"), AlternateTitle("Grill Cook")),
    tasks=(
        Task("4", "Grill and season meat and fish to order"),
        Task("5", "Chop vegetables and portion sauces before service"),
        Task("6", "Wipe down the line and date leftovers at close"),
    ),
    activities=(Activity("A1", "Prepare ingredients for cooking"), Activity("A3", "Clean work areas")),
    technologies=(Technology("Toast POS", "Point of sale software"),),
    knowledge=_knowledge(food=4.5, law=1.2, machines=1.5),
    interests=(Element("1.B.1.a", "Realistic", ratings=(Rating("OI", 5.5),)),),
    job_zone=1,
)
LAWYER = Occupation(
    code="23-1011.00",
    title="Lawyers",
    description="Advises clients on the law and speaks for them in court.",
    alternate_titles=(AlternateTitle("Attorney"), AlternateTitle("Counsel"), AlternateTitle("Litigator")),
    tasks=(
        Task("7", "Argue motions and question witnesses in court"),
        Task("8", "Draft contracts and negotiate their terms"),
        Task("9", "Research statutes and past rulings for a case"),
    ),
    activities=(Activity("A4", "Represent clients in legal disputes"), Activity("A5", "Research legal questions")),
    technologies=(
        Technology("Westlaw", "Legal research software", in_demand=True),
        Technology("Microsoft Word", "Word processing"),
    ),
    knowledge=_knowledge(food=1.0, law=4.9, machines=1.0),
    interests=(
        Element("1.B.1.e", "Enterprising", ratings=(Rating("OI", 6.0),)),
        Element("1.B.1.b", "Investigative", ratings=(Rating("OI", 5.0),)),
    ),
    job_zone=5,
)
MECHANIC = Occupation(
    code="49-3023.00",
    title="Automotive Service Technicians and Mechanics",
    description="Finds and mends faults in cars and light trucks.",
    alternate_titles=(AlternateTitle("Auto Mechanic"), AlternateTitle("Brake Technician")),
    tasks=(
        Task("10", "Replace brake pads, rotors and calipers"),
        Task("11", "Read fault codes with a scan tool and trace wiring"),
        Task("12", "Change oil, filters and belts at set mileages"),
    ),
    activities=(Activity("A6", "Repair vehicle parts"), Activity("A3", "Clean work areas")),
    technologies=(Technology("ALLDATA", "Repair information software"),),
    knowledge=_knowledge(food=1.0, law=1.4, machines=4.9),
    interests=(Element("1.B.1.a", "Realistic", ratings=(Rating("OI", 6.8),)),),
    job_zone=3,
)
OTHER = Occupation(
    code="51-9199.00",
    title="Production Workers, All Other",
    description="All production workers who are not listed on their own.",
    alternate_titles=(AlternateTitle("Gem Setter"),),
)
RELEASE = Release(
    name="Invented 1.0",
    occupations=tuple(sorted((BAKER, COOK, LAWYER, MECHANIC, OTHER), key=lambda o: o.code)),
    job_zones=(JobZone(1, "Little preparation"), JobZone(5, "Extensive preparation")),
)
WAGES = {
    "23-1011.00": Wage(2025, 150000.0, 72.0, "Survey 2025", "23-1011", "direct", 1000),
    "49-3023.00": Wage(2025, 49000.0, 23.5, "Survey 2025", "49-3023", "direct", 2000),
    "51-3011.00": Wage(2025, None, 17.0, "Survey 2025", "51-3011", "direct", 500),
}
