"""Occupations over HTTP: search, one code with all its sections, what is related to it, and names to offer while somebody types."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping, Sequence, Set
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

import orjson
from fastapi import Path as PathParameter
from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from api.problems import Refusal, unknown_code
from api.schemas import CODE_PATTERN
from api.service import service_of
from matcher.index import OccupationIndex
from matcher.match import Matcher
from matcher.moves import moves
from matcher.records import Rating, importance_percent
from matcher.search import Directory

MOST_PLACE = 100_000
MOST_A_PAGE = 1_000
MOST_SUGGESTIONS = 10
MOST_NEAR = 20

Keyword = Annotated[
    str | None,
    Query(
        max_length=200,
        description="Words of a title, as people write them, or the beginning of a code; all occupations without it.",
    ),
]
Start = Annotated[int, Query(ge=1, le=MOST_PLACE, description="The first to answer, counted from 1.")]
End = Annotated[int, Query(ge=1, le=MOST_PLACE, description=f"The last to answer, at most {MOST_A_PAGE} at once.")]
# The pattern is for readers: a path that does not have it is not found, like any other that is not there.
Code = Annotated[
    str, PathParameter(json_schema_extra={"pattern": CODE_PATTERN}, description="An O*NET-SOC 2019 code.", examples=["15-1252.00"])
]
Prefix = Annotated[str, Query(max_length=100, description="What has been typed so far.")]
SuggestionKind = Annotated[
    Literal["title", "skill"],
    Query(description="`title`: job titles, official ones first. `skill`: technologies, skills and knowledge areas."),
]


async def list_occupations(request: Request, keyword: Keyword = None, start: Start = 1, end: End = 20) -> Response:
    """Find occupations by official and alternate title, in spite of typos; without a keyword, list all of them."""
    service = service_of(request)
    end = min(end, start + MOST_A_PAGE - 1)
    return await _answer(request, _list, service.holder.current, service.directories.of, keyword, start, end)


async def get_occupation(request: Request, code: Code) -> Response:
    """Answer all that the index holds of one code; a section that it lacks is left out."""
    return await _answer(request, occupation, service_of(request).holder.current.index, code)


async def list_related(request: Request, code: Code) -> Response:
    """List the occupations that O*NET calls related to one, and the twenty that we find nearest without that list, each with how."""
    return await _answer(request, _related, service_of(request).holder.current.index, code)


async def suggest(request: Request, prefix: Prefix, kind: SuggestionKind = "title") -> Response:
    """Offer at most ten names that begin with what has been typed, or have a word that does."""
    service = service_of(request)
    return await _answer(request, _suggest, service.holder.current, service.directories.of, prefix, kind)


async def _answer(request: Request, func: Callable[..., dict[str, Any]], *args: object) -> Response:
    body = await service_of(request).work(request, _dumped, func, *args)
    return Response(body, media_type="application/json")


def _dumped(func: Callable[..., dict[str, Any]], *args: object) -> bytes:
    return orjson.dumps(func(*args))


def _list(
    matcher: Matcher, directory_of: Callable[[Matcher], Directory], keyword: str | None, start: int, end: int
) -> dict[str, Any]:
    entries = matcher.index.entries
    if keyword is None or not keyword.strip():
        found: list[tuple[int, str | None]] = [(row, None) for row in range(len(entries))]
    else:
        hits = directory_of(matcher).search(keyword)
        found = [(hit.row, hit.title if hit.title != entries[hit.row].title else None) for hit in hits]
    page = []
    for row, title in found[start - 1 : end]:
        item = _reference(entries[row].code, entries[row].title)
        page.append(item if title is None else {**item, "also_known_as": title})
    size = end - start + 1
    answer: dict[str, Any] = {"start": start, "end": start + len(page) - 1, "total": len(found)}
    if end < len(found):
        answer["next"] = _page(keyword, end + 1, end + size)
    if start > 1:
        answer["prev"] = _page(keyword, max(1, start - size), start - 1)
    answer["occupation"] = page
    return answer


def _page(keyword: str | None, start: int, end: int) -> str:
    values = {"start": start, "end": min(end, MOST_PLACE)}
    return "/v1/occupations?" + urlencode(values if keyword is None else {"keyword": keyword, **values}, errors="replace")


def _reference(code: str, title: str) -> dict[str, Any]:
    return {"code": code, "title": title, "href": f"/v1/occupations/{code}"}


def _section(index: OccupationIndex, code: str) -> dict[str, Any]:
    if code not in index.row_of:
        raise Refusal(404, unknown_code(index.manifest["source"]))
    return index.section(code)


def _related(index: OccupationIndex, code: str) -> dict[str, Any]:
    section = _section(index, code)
    answer: dict[str, Any] = {"code": code, "title": section["title"], "related_occupations": _related_of(section, index)}
    if index.entries[index.row_of[code]].has_tasks:
        near = moves((index, code), top=MOST_NEAR)
        told = ("nearness", "found_by", "onet_related")
        answer["near"] = [
            {**_reference(move.code, move.title), **{name: value for name, value in move.to_dict().items() if name in told}}
            for move in near
        ]
        answer["agreement"] = _agreement(index, answer["related_occupations"], {move.code for move in near})
    return answer


def _agreement(index: OccupationIndex, related: Sequence[Mapping[str, Any]], near: Set[str]) -> dict[str, int]:
    """Return how many of O*NET's that this index can compare are among ours: the recall of the test of moves, for one code."""
    listed = {item["code"] for item in related if item["href"] and index.entries[index.row_of[item["code"]]].has_tasks}
    return {"listed": len(listed), "among_near": len(listed & near)}


def _related_of(section: Mapping[str, Any], index: OccupationIndex) -> list[dict[str, Any]]:
    """Return the related occupations; ``href`` is null for one that this index does not have."""
    related = []
    for item in section.get("related", ()):
        reference = _reference(item["code"], item["title"])
        if item["code"] not in index.row_of:
            reference["href"] = None
        kept = {name: item[name] for name in ("tier", "bright_outlook") if name in item}
        related.append({**reference, **kept})
    return related


def occupation(index: OccupationIndex, code: str) -> dict[str, Any]:
    """Return all sections of one occupation; Refusal (404) for a code that is not in the index.

    Section names are those of O*NET Web Services. Importance is 0–100, ``round((IM − 1) × 25)``; level is 0–100, ``round(LV / 7 × 100)``.
    """
    section = _section(index, code)
    document: dict[str, Any] = {
        **_reference(code, section["title"]),
        "description": section.get("description"),
        "onet_online": f"https://www.onetonline.org/link/summary/{code}",
        "soc_2018": code[:7],
        "job_zone": section.get("job_zone"),
        "job_zone_name": _zone_names(index.path).get(section.get("job_zone")),
        "alternate_titles": [title["title"] for title in section.get("alternate_titles", ())],
        "sample_of_reported_titles": section.get("reported_titles"),
        "tasks": [_task(task) for task in section.get("tasks", ())],
        "detailed_work_activities": [{"id": a["id"], "name": a["text"]} for a in section.get("activities", ())],
        "technology_skills": [_thing(thing) for thing in section.get("technologies", ())],
        "tools_used": [_thing(thing) for thing in section.get("tools", ())],
        **{
            name: [_element(element) for element in section.get(name, ())]
            for name in ("knowledge", "skills", "abilities", "work_activities", "interests", "work_values", "work_styles")
        },
        **{
            name: [_known(share, "element", "answer", "percent", "category") for share in section.get(name, ())]
            for name in ("work_context", "education", "experience")
        },
        "related_occupations": _related_of(section, index),
        "wages": section.get("wages"),
        "metadata": [_known(fact, "element", "answer", "percent") for fact in section.get("metadata", ())],
    }
    return {name: value for name, value in document.items() if value not in (None, [])}


@functools.lru_cache(maxsize=4)
def _zone_names(folder: Path) -> dict[int | None, str]:
    """Return the names of the job zones; the folder never changes."""
    zones = json.loads((folder / "job_zones.json").read_bytes())
    return {zone["zone"]: zone["name"] for zone in zones if zone.get("name")}


def _known(item: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: item[name] for name in names if item.get(name) is not None}


def _percent(rating: Mapping[str, Any] | None) -> int | None:
    return None if rating is None else importance_percent(Rating(rating["scale"], rating.get("value")))


def _task(task: Mapping[str, Any]) -> dict[str, Any]:
    known = {
        "id": task["id"],
        "name": task["text"],
        "importance": _percent(task.get("importance")),
        **_known(task, "core", "emerging"),
    }
    return {name: value for name, value in known.items() if value is not None}


def _thing(thing: Mapping[str, Any]) -> dict[str, Any]:
    known = _known(thing, "name", "category", "hot", "in_demand")
    return {**known, "id": thing["commodity_code"]} if thing.get("commodity_code") else known


def _element(element: Mapping[str, Any]) -> dict[str, Any]:
    rating, level = element.get("importance"), element.get("level") or {}
    known = {
        **_known(element, "id", "name", "description"),
        "importance": _percent(rating),
        "level": None if level.get("value") is None else round(level["value"] / 7 * 100),
        "ratings": [_known(r, "scale", "value") for r in element.get("ratings", ())] or None,
        "suppress": True if rating and rating.get("suppress") else None,
    }
    return {name: value for name, value in known.items() if value is not None}


def _suggest(
    matcher: Matcher, directory_of: Callable[[Matcher], Directory], prefix: str, kind: Literal["title", "skill"]
) -> dict[str, Any]:
    directory = directory_of(matcher)
    if kind == "skill":
        return {"kind": kind, "suggestions": [{"text": n.text} for n in directory.suggest_skills(prefix, MOST_SUGGESTIONS)]}
    offers = []
    for name in directory.suggest_titles(prefix, MOST_SUGGESTIONS):
        entry = None if name.row is None else matcher.index.entries[name.row]
        offers.append({"text": name.text} if entry is None else {"text": name.text, "code": entry.code, "title": entry.title})
    return {"kind": kind, "suggestions": offers}
