"""Linked data: an answer as schema.org's ItemList of Occupation, in JSON-LD with its context inline, so that no reader needs a network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matcher.index import OccupationIndex
from matcher.records import Kind

CONTEXT = {"@vocab": "https://schema.org/"}
TAXONOMY = "https://www.onetcenter.org/taxonomy.html"
_MOST_SKILLS = 10
_MOST_DUTIES = 8


def item_list(answer: Mapping[str, Any], index: OccupationIndex) -> dict[str, Any]:
    """Return an answer of ``Matches.to_dict`` as JSON-LD."""
    document: dict[str, Any] = {
        "@context": CONTEXT,
        "@type": "ItemList",
        "name": "Occupations that fit, best first",
        "itemListOrder": {"@id": "https://schema.org/ItemListOrderDescending"},
        "numberOfItems": len(answer["matches"]),
        "itemListElement": [
            {"@type": "ListItem", "position": match["rank"], "item": _occupation(match, index)} for match in answer["matches"]
        ],
    }
    if answer["id"] is not None:
        document["identifier"] = answer["id"]
    if answer.get("reasons"):
        document["description"] = "No ranking: " + ", ".join(answer["reasons"])
    return document


def _occupation(match: Mapping[str, Any], index: OccupationIndex) -> dict[str, Any]:
    occupation: dict[str, Any] = {
        "@type": "Occupation",
        "@id": match["onet_online"],
        "name": match["title"],
        "occupationalCategory": {
            "@type": "CategoryCode",
            "codeValue": match["code"],
            "name": match["title"],
            "inCodeSet": {"@type": "CategoryCodeSet", "@id": TAXONOMY, "name": "O*NET-SOC"},
        },
        "occupationLocation": {"@type": "Country", "name": "United States"},
    }
    row = index.row_of[match["code"]]
    if description := _statements(index, Kind.DESCRIPTION, row, 1):
        occupation["description"] = description[0]
    if skills := _statements(index, Kind.SKILL, row, _MOST_SKILLS):
        occupation["skills"] = skills
    if duties := _statements(index, Kind.TASK, row, _MOST_DUTIES):
        occupation["responsibilities"] = duties
    wage = match["median_wage"]
    annual = wage and (wage["annual"] or (wage["hourly"] and wage["hourly"] * 2080))
    if annual:
        occupation["estimatedSalary"] = {
            "@type": "MonetaryAmountDistribution",
            "name": "base",
            "currency": wage["currency"],
            "duration": "P1Y",
            "median": annual,
        }
    return occupation


def _statements(index: OccupationIndex, kind: Kind, row: int, most: int) -> list[str]:
    """Return the most important statements of one kind, in the source's order where importance is alike."""
    first, last = index.group(kind, row)
    places = sorted(range(first, last), key=lambda place: -int(index.importance[place]))[:most]
    return [index.texts[int(index.text_of[place])] for place in places]
