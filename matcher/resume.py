"""The query: a text, a document's text, a JSON Resume, skills or a title, read into phrases with their places."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from matcher import prose
from matcher.page import read_line, read_text
from matcher.periods import Date
from matcher.reading import MAX_PHRASES, MAX_SKILL, MAX_SKILLS, MAX_TEXT, MAX_TITLE, Draft, QueryError, Reading
from matcher.records import Job, Phrase, Query, Reason, Role

__all__ = ["QueryError", "read_query"]


def read_query(
    *,
    text: str | None = None,
    skills: Sequence[str] | None = None,
    title: str | None = None,
    resume: Mapping[str, Any] | None = None,
    document_text: str | None = None,
) -> Query:
    """Read what a person gives, one input or several together, into one query.

    ``text`` is at most 200,000 characters, ``skills`` at most 500 of 200 each, ``title`` 300; ``resume`` is a JSON Resume (v1);
    ``document_text`` is the text of a document as :func:`matcher.documents.read_document` returns it. A text that is a JSON
    Resume is read as one. Raises QueryError, never because of what a text says: where a ranking would be invented, the query has
    ``reasons``.
    """
    _check(text, skills, title, resume, document_text)
    reading = Reading()
    doubts: list[Reason] = []
    if title is not None and _has_letters(title):
        read_line(title, "title", "title", reading)
    for place, skill in enumerate(skills or ()):
        if _has_letters(skill):
            read_line(skill, f"skills/{place}", "skill", reading)
    stated = bool(reading.phrases)
    if stated and all(prose.is_other_script(phrase.text) for phrase in reading.phrases):
        doubts.append("not_english")
        reading.phrases.clear()
        stated = False
    members: list[Mapping[str, Any]] = [] if resume is None else [resume]
    for given, source in ((document_text, "file"), (text, "text")):
        if given is None:
            continue
        member = _json_resume_in(given)
        if member is not None:
            members.append(member)
            continue
        doubt = prose.doubt(given, from_file=source == "file")
        if doubt is None:
            read_text(given, source, reading)
        else:
            doubts.append(doubt)
    if members:
        from matcher.jsonresume import read_json_resume

        for member in members:
            read_json_resume(member, reading)
    whole = document_text if document_text is not None else text
    reasons = () if stated else _insufficient(reading, doubts, whole or "")
    query = _finish(reading, reasons, prose.language_of(whole or "") if "not_english" in reasons else "en", whole)
    return replace(query, typed=text) if document_text is not None and text is not None else query


def _finish(reading: Reading, reasons: tuple[Reason, ...], language: str, text: str | None) -> Query:
    """Return the query, its jobs newest first and its phrases pointing at them."""
    keys: list[tuple[float, float]] = []
    for draft in reading.jobs:
        end = float("inf") if draft.current else _as_number(draft.end)
        if end is None:
            # A position without dates stays behind the one it stood behind.
            keys.append(keys[-1] if keys else (float("inf"), float("inf")))
        else:
            keys.append((end, _as_number(draft.start) or end))
    spoken = {phrase.job for phrase in reading.phrases}
    same: dict[int, int] = {}
    first: dict[tuple[str | None, Date | None, Date | None], int] = {}
    for place, draft in enumerate(reading.jobs):
        if (
            draft.title is None
            and place not in spoken
            and any(_spans(draft, inner) for inner in reading.jobs[place + 1 : place + 2])
        ):
            # "Acme, 2010 to 2020" over the positions held there is no position itself.
            continue
        # A résumé that tells everything twice has its positions once.
        told = (draft.title, draft.start, draft.end) if draft.start or draft.end else (str(place), None, None)
        same[place] = first.setdefault(told, place)
    order = sorted(first.values(), key=lambda place: (-keys[place][0], -keys[place][1], place))
    new_place = {old: new for new, old in enumerate(order)}
    place_of = {place: new_place[kept] for place, kept in same.items()}
    phrases: list[Phrase] = []
    seen: set[tuple[Role, str, int | None]] = set()
    for phrase in () if reasons else reading.phrases:
        job = None if phrase.job is None else place_of[phrase.job]
        key = (phrase.role, phrase.text.casefold(), job)
        if key not in seen:
            seen.add(key)
            phrases.append(phrase if job == phrase.job else _with_job(phrase, job))
    return Query(
        phrases=tuple(phrases[:MAX_PHRASES]),
        jobs=tuple(Job(d.title, d.start, d.end, d.current) for d in (reading.jobs[old] for old in order)),
        degrees=tuple(dict.fromkeys(reading.degrees)),
        text=text,
        language=language,
        set_aside={"contact": reading.contact, "references": reading.references},
        truncated=reading.truncated or len(phrases) > MAX_PHRASES,
        reasons=reasons,
        wide=reading.wide,
    )


def _with_job(phrase: Phrase, job: int | None) -> Phrase:
    # What ``replace`` does, in a tenth of its time.
    return Phrase(phrase.text, phrase.raw, phrase.start, phrase.end, phrase.source, phrase.role, job, phrase.pointer)


def _spans(outer: Draft, inner: Draft) -> bool:
    """Tell whether one stretch of time holds another."""
    starts, ends = (_as_number(outer.start), _as_number(inner.start)), (_as_number(outer.end), _as_number(inner.end))
    if starts[0] is None or starts[1] is None or starts[0] > starts[1] + 0.5:
        return False
    return outer.current or (ends[0] is not None and ends[1] is not None and ends[0] >= ends[1] - 0.5)


def _as_number(date: Date | None) -> float | None:
    return None if date is None else date[0] + (date[1] or 6) / 13


def _insufficient(reading: Reading, doubts: Sequence[Reason], text: str) -> tuple[Reason, ...]:
    """Return why a ranking would be invented, where nothing but a text was given."""
    if doubts and not reading.phrases:
        return tuple(dict.fromkeys(doubts))
    words = sum(len(p.text.split()) for p in reading.phrases)
    if words < 3 and not any(p.role == "title" for p in reading.phrases):
        return ("too_short",) if len(text.split()) < 20 else ("nothing_recognised",)
    if not reading.jobs and not reading.degrees and prose.is_other_matter(text):
        return ("nothing_recognised",)
    return ()


def _check(
    text: str | None,
    skills: Sequence[str] | None,
    title: str | None,
    resume: Mapping[str, Any] | None,
    document_text: str | None,
) -> None:
    if text is None and skills is None and title is None and resume is None and document_text is None:
        raise QueryError("expected one or more of text, skills, title, resume")
    for name, value, limit in (
        ("text", text, MAX_TEXT),
        ("title", title, MAX_TITLE),
        ("document_text", document_text, None),
    ):
        if value is None:
            continue
        if not isinstance(value, str):
            raise QueryError(f"{name}: expected a string, found {type(value).__name__}")
        if limit is not None and len(value) > limit:
            raise QueryError(f"{name}: at most {limit} characters, found {len(value)}")
    if skills is not None:
        if isinstance(skills, str) or not isinstance(skills, Sequence):
            raise QueryError(f"skills: expected a list of strings, found {type(skills).__name__}")
        if len(skills) > MAX_SKILLS:
            raise QueryError(f"skills: at most {MAX_SKILLS} items, found {len(skills)}")
        for place, skill in enumerate(skills):
            if not isinstance(skill, str):
                raise QueryError(f"skills/{place}: expected a string, found {type(skill).__name__}")
            if len(skill) > MAX_SKILL:
                raise QueryError(f"skills/{place}: at most {MAX_SKILL} characters, found {len(skill)}")
    if resume is not None and not isinstance(resume, Mapping):
        raise QueryError(f"resume: expected an object, found {type(resume).__name__}")


def _json_resume_in(text: str) -> Mapping[str, Any] | None:
    """Return the JSON Resume that a text is, or None."""
    if text[:100].lstrip("\ufeff \t\r\n")[:1] != "{":
        return None
    import json

    try:
        value = json.loads(text.lstrip("\ufeff"))
    except (ValueError, RecursionError):
        return None
    members = ("basics", "work", "education", "skills", "projects", "volunteer")
    return value if isinstance(value, dict) and any(isinstance(value.get(m), dict | list) for m in members) else None


def _has_letters(text: str) -> bool:
    return any(c.isalpha() for c in text)
