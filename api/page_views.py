"""Views of the page: answers of the library in plain words, and the templates that show them, with everything escaped."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from matcher.index import OccupationIndex
from matcher.match import Matches
from matcher.records import Evidence, Job, Match, Query, Wage

FILES = Path(__file__).parent / "page_files"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
#: O*NET's job zones, said shortly.
ZONES: Mapping[int | None, str] = {
    None: "training not known",
    1: "little or no training before you start",
    2: "some training, often a high school diploma",
    3: "medium training, often vocational school or learning on the job",
    4: "a lot of training, often a four-year degree",
    5: "very long training, often more than a four-year degree",
}
KINDS: Mapping[str, str] = {
    "title": "job title",
    "description": "what the job is",
    "task": "task",
    "activity": "kind of work",
    "knowledge": "knowledge",
    "skill": "skill",
    "ability": "ability",
    "work_activity": "kind of work",
    "technology": "software or technology",
    "tool": "tool",
    "education": "education",
    "job_zone": "training",
}
#: What was done says more to a person than a name: it comes first.
_KIND_ORDER: Mapping[str, int] = {"task": 0, "activity": 1, "title": 2}
CONFIDENCE: Mapping[str | None, str] = {"high": "Strong fit", "medium": "Good fit", "low": "Possible fit"}
_UNLIKELY = 0.05
#: Without a calibration: shares of the first one's fit from which an occupation is called close.
_CLOSE, _FAIRLY = 0.8, 0.55
INTERESTS: Mapping[str, str] = {
    "R": "hands-on work",
    "I": "finding things out",
    "A": "making and design",
    "S": "helping people",
    "E": "leading and selling",
    "C": "order and detail",
}


@dataclass(frozen=True, slots=True)
class Example:
    """An invented text to try the page with."""

    name: str
    text: str
    title: str = ""
    skills: str = ""


EXAMPLES: tuple[Example, ...] = (
    Example(
        "Warehouse worker",
        "Experience\nWarehouse Associate, Invented Goods Co.\nMarch 2019 - May 2024\n"
        "- Unloaded trucks with a forklift and stacked pallets by the safety rules\n"
        "- Picked orders with a handheld scanner and checked each one against the list\n"
        "- Counted stock every week and looked for the cause when numbers were off\n"
        "- Showed new people how to lift, pack and label\n\n"
        "Skills\nForklift licence, inventory software, Microsoft Excel\n",
    ),
    Example(
        "School cook",
        "Experience\nCook, Invented School\n2016 - 2023\n"
        "- Planned lunch menus for 300 children, with choices for allergies\n"
        "- Cooked soups, pasta and vegetables in large kettles and ovens\n"
        "- Kept the kitchen clean and wrote down fridge temperatures twice a day\n"
        "- Ordered food, checked deliveries and kept to a budget\n\n"
        "Certificate: food safety\n",
    ),
    Example(
        "Office assistant",
        "Experience\nOffice Assistant, Invented Clinic\n2018 - 2024\n"
        "- Answered phones, booked appointments and greeted patients\n"
        "- Typed letters, filed records and sent out bills\n"
        "- Kept calendars for four doctors and ordered supplies\n"
        "- Set up a simple spreadsheet that shows unpaid bills\n",
    ),
    Example("Only a title and skills", "", "Electrician", "Conduit bending, Reading wiring diagrams, Troubleshooting"),
)


@dataclass(frozen=True, slots=True)
class Refused:
    """What could not be done, in plain words, and what helps."""

    heading: str
    advice: tuple[str, ...]


_PASTE = "Or open the file, select all the text, copy it, and paste it into the box."
REFUSALS: Mapping[str, Refused] = {
    "empty": Refused("There is nothing to read yet.", ("Paste your résumé, choose a file, or type a job title or a skill. Then try again.",)),
    "too_short": Refused(
        "This is too short to go on.",
        (
            "Write a few lines about what you did at work. One line for each task is enough.",
            "Say what you did and what you did it with: “Drove a forklift and loaded trucks” helps more than “hard worker”.",
        ),
    ),
    "no_text_layer": Refused(
        "This file is a picture of a page, so there are no words in it to read.",
        (
            "That happens with scans and photos. If you have the file that it was printed from, save that as PDF or Word (.docx) and choose it.",
            "Or type the most important lines into the box. Five or six are enough.",
        ),
    ),
    "garbled_text": Refused(
        "The letters in this file come out mixed up.",
        ("Save it again as PDF or Word (.docx) with another program.", _PASTE),
    ),
    "not_english": Refused(
        "This does not seem to be in English.",
        ("The descriptions of occupations are in English, so only English text can be compared with them.",
         "If you have an English version, use that one. A few lines in simple English are enough."),
    ),
    "nothing_recognised": Refused(
        "We found nothing about work in this text.",
        ("Add what you did at work, at school, at home or as a volunteer: tasks, machines, programs, people you helped.",),
    ),
    "encrypted": Refused("This file is locked with a password.", ("Save a copy without a password and choose that one.", _PASTE)),
    "corrupt": Refused("This file is damaged, and we cannot open it.", ("Save it again and choose the new file.", _PASTE)),
    "too_costly": Refused("This file takes too long to read.", ("It may have very many pages or pictures. Save only the pages about your work.", _PASTE)),
    "unsupported": Refused(
        "We cannot read this kind of file.",
        ("We can read PDF, Word (.docx), plain text and JSON Resume. Old .doc files, OpenDocument files and pictures do not work.",
         "In your word processor choose “Save as” and then PDF or .docx.", _PASTE),
    ),
    "too_large": Refused("This is too large.", ("A file may have up to 5 MB, a text up to 200,000 letters. Leave out pictures and pages that are not about work.",)),
    "invalid": Refused(
        "Something in this cannot be used.",
        ("A job title may have up to 300 letters, a skill up to 200, and there may be up to 500 skills.", "A JSON Resume has to follow the format of jsonresume.org.")),
    "busy": Refused("Many people are asking right now.", ("Nothing is lost: what you wrote is still in the box.",)),
    "often": Refused("You have asked very often in a short time.", ("Nothing is lost: what you wrote is still in the box.",)),
    "advice": Refused("This cannot be worked out here.", ("Take another occupation, or change what you ticked.",)),
    "broken": Refused("That did not work.", ("The fault may be ours. Try again; if it happens again, paste the text instead.",)),
}  # fmt: skip


@functools.cache
def _environment() -> Environment:
    found = Environment(
        loader=FileSystemLoader(FILES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    found.filters["money"] = money
    found.globals.update(ZONES=ZONES, INTERESTS=INTERESTS, EXAMPLES=EXAMPLES, WISHES=WISHES)
    return found


def render(template: str, **values: Any) -> str:
    """Return a template of ``page_files`` with ``values``, every one of them escaped."""
    return _environment().get_template(template).render(**values)


def money(dollars: float | None) -> str:
    """Return ``$50,620``, or words where it is unknown."""
    return "pay not known" if dollars is None else f"${dollars:,.0f}"


def chance(score: float) -> str:
    """Return a probability in words."""
    if score < _UNLIKELY:
        return "less than 1 in 20"
    if score >= 0.95:
        return "more than 9 in 10"
    return f"about {max(1, round(score * 10))} in 10"


@dataclass(frozen=True, slots=True)
class Fit:
    """How well an occupation fits: ``word``, ``said`` (plain words), ``number``, and ``share`` 0–100 for a bar."""

    word: str
    said: str
    number: str
    share: int


def fit(match: Match, first: Match) -> Fit:
    """Return the fit of a match; without a calibration only how it stands to the first of its answer."""
    if match.score is not None:
        word = "Less likely" if match.score < _UNLIKELY else CONFIDENCE[match.confidence]
        return Fit(word, chance(match.score), _percent(match.score), round(100 * match.score))
    share = max(0.0, match.fusion / first.fusion) if first.fusion > 0 else 0.0
    apart = "Close" if share >= _CLOSE else "Fairly close" if share >= _FAIRLY else "Further away"
    return Fit("Closest" if match.rank == 1 else apart, "", f"{match.fusion:.1f}", round(100 * min(1.0, share)))


def _percent(score: float) -> str:
    """Return a percentage to the next 5, for chances are not known more exactly than that; words alone say less than that."""
    return "" if score < _UNLIKELY else f"{min(95, 5 * round(20 * score))} %"


def wage(value: Wage | None) -> dict[str, str] | None:
    """Return pay as ``amount``, ``source`` and ``note``."""
    if value is None or (value.median_annual is None and value.median_hourly is None):
        return None
    yearly = value.median_annual is not None
    return {
        "amount": f"{money(value.median_annual)} a year" if yearly else f"${value.median_hourly:,.2f} an hour",
        "source": value.source,
        "note": "" if value.match in (None, "direct") else "for a wider group of occupations",
    }


def _when(date: tuple[int, int | None] | None) -> str:
    if date is None:
        return ""
    year, month = date
    return str(year) if month is None else f"{_MONTHS[month - 1]} {year}"


def _job(job: Job) -> dict[str, str]:
    end = "now" if job.current else _when(job.end)
    return {"title": job.title or "a job without a title", "dates": " – ".join(x for x in (_when(job.start), end) if x)}


class Texts:
    """What was given as running text, in pieces, with a number for each piece that met a statement."""

    def __init__(self, query: Query, pairs: Sequence[Evidence]) -> None:
        texts: dict[str, str | None] = {"file": query.text, "text": query.text if query.typed is None else query.typed}
        self._number: dict[tuple[str, int, int], int] = {}
        self.parts: list[dict[str, Any]] = []
        count = 0
        for source in ("file", "text"):
            text = texts[source]
            spans = sorted(
                {(p.phrase.start, p.phrase.end) for p in pairs if p.phrase.source == source}, key=lambda s: (s[0], -s[1])
            )
            # A file and a text together are two; one of them alone stands under both names.
            if text is None or (not spans and self.parts) or (source == "file" and not spans):
                continue
            pieces: list[dict[str, Any]] = []
            at = 0
            for start, end in spans:
                if start < at:  # within the piece before: it shares its number
                    self._number[source, start, end] = count
                    continue
                count += 1
                self._number[source, start, end] = count
                pieces += [{"text": text[at:start], "n": None}, {"text": text[start:end], "n": count}]
                at = end
            pieces.append({"text": text[at:], "n": None})
            self.parts.append({"source": source, "pieces": pieces})

    def number(self, pair: Evidence) -> int | None:
        """Return the number of the piece that a pair of evidence is about."""
        return self._number.get((pair.phrase.source, pair.phrase.start, pair.phrase.end))


def answer(matches: Matches, index: OccupationIndex) -> dict[str, Any]:
    """Return the values of the template of an answer that has matches."""
    query = matches.query
    texts = Texts(query, [pair for match in matches for pair in match.evidence])
    first_use: dict[int, str] = {}
    shown = []
    for match in matches:
        proofs = []
        for place, pair in enumerate(sorted(match.evidence, key=lambda pair: _KIND_ORDER.get(str(pair.kind), 3)), 1):
            number, anchor = texts.number(pair), f"e{match.rank}-{place}"
            if number is not None:
                first_use.setdefault(number, anchor)
            proofs.append(
                {"n": number, "id": anchor, "phrase": pair.phrase.raw, "kind": KINDS[str(pair.kind)], "statement": pair.statement}
            )
        section = index.section(match.code)
        shown.append(
            {
                "match": match,
                "fit": fit(match, matches[0]),
                "wage": wage(match.wage),
                "zone": ZONES[match.job_zone],
                "does": [task["text"] for task in section.get("tasks", ())[:2]] or [section.get("description") or ""],
                "proofs": proofs,
                "numbers": " ".join(dict.fromkeys(str(p["n"]) for p in proofs if p["n"] is not None)),
                "gaps": [name for _, name, _ in match.gaps],
                "href": f"https://www.onetonline.org/link/summary/{match.code}",
            }
        )
    return {
        "shown": shown,
        "calibrated": matches[0].score is not None,
        "texts": texts.parts,
        "first_use": first_use,
        "jobs": [_job(job) for job in query.jobs],
        "degrees": query.degrees,
        "skills": [p.raw for p in query.phrases if p.role == "skill"][:40],
        "phrases": len(query.phrases),
        "set_aside": query.set_aside,
        "truncated": query.truncated,
        "plot": plot(shown),
        "release": matches.engine["release"],
    }


#: The drawing of pay against fit, in its own units.
_WIDE, _HIGH, _LEFT, _BOTTOM = 560, 240, 64, 30


def plot(shown: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Return dots of (fit, pay) for the matches that have a yearly pay, None for fewer than two."""
    known = [s for s in shown if s["match"].wage is not None and s["match"].wage.median_annual is not None]
    if len(known) < 2:
        return None
    pays = [s["match"].wage.median_annual for s in known]
    step = next(s for s in (10_000, 20_000, 50_000, 100_000) if (max(pays) - min(pays)) / s <= 5 or s == 100_000)
    low, high = min(pays) // step * step, (max(pays) // step + 1) * step

    most = max(s["fit"].share for s in known) or 1

    def y(pay: float) -> float:
        return float(round(12 + (_HIGH - _BOTTOM - 12) * (high - pay) / (high - low), 1))

    dots: list[dict[str, Any]] = []
    for s in known:
        x = round(_LEFT + 16 + (_WIDE - _LEFT - 36) * s["fit"].share / most, 1)
        height = y(s["match"].wage.median_annual)
        while any(abs(d["x"] - x) < 19 and abs(d["y"] - height) < 19 for d in dots) and x < _WIDE - 30:
            x = round(x + 20, 1)
        dots.append({"x": x, "y": height, "n": s["match"].rank, "title": s["match"].title})
    ticks = [{"y": y(pay), "text": f"${pay / 1000:,.0f}k"} for pay in _steps(low, high, step)]
    return {"dots": dots, "ticks": ticks, "wide": _WIDE, "high": _HIGH, "left": _LEFT, "bottom": _HIGH - _BOTTOM}


def _steps(low: float, high: float, step: int) -> list[float]:
    return [low + step * i for i in range(round((high - low) / step) + 1)]


#: What is told of an opened occupation: kinds, how each is headed, and how many that were not found.
_HOT = 2
_TOLD = (("task", "Tasks", 4), ("technology", "Software and technology", 5), ("knowledge", "Knowledge", 4), ("skill", "Skills", 3))


def more(found: Mapping[str, Any], section: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is told of one occupation when it is opened, from the answer of ``/v1/gap``: tasks, and what was not found, by importance."""
    groups = []
    for kind, heading, most in _TOLD:
        missing = [gap for gap in found["gaps"] if gap["kind"] == kind and gap["status"] == "not_found"]
        if kind == "technology":
            # Hot are programs that many job ads of any kind name: a few say enough.
            missing = [gap for gap in missing if gap["in_demand"]] + [g for g in missing if g["hot"] and not g["in_demand"]][:_HOT]
        if missing:
            groups.append({"heading": heading, "items": [_gap(gap) for gap in missing[:most]]})
    return {
        "tasks": [task["text"] for task in section.get("tasks", ())[:6]],
        "groups": groups,
        "schooling": [gap["name"] for gap in found["gaps"] if gap["kind"] == "education"],
    }


def _gap(gap: Mapping[str, Any]) -> dict[str, str]:
    importance = gap["importance"]
    if gap["kind"] == "technology":
        word = "often asked for here" if gap["in_demand"] else "asked for in jobs of all kinds"
    elif importance is None:
        word = ""
    else:
        word = "very important" if importance >= 75 else "important" if importance >= 50 else "less important"
    return {"name": gap["name"], "word": word}


def _place(place: Mapping[str, Any]) -> dict[str, Any]:
    return {"rank": place["rank"], "chance": None if place["score"] is None else chance(place["score"])}


def _move_words(before: int | None, after: int | None) -> str:
    if before is None or after is None:
        return "new in the list" if before is None else "out of the list"
    return "no change" if before == after else f"up {before - after}" if after < before else f"down {after - before}"


def what_if(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return ranks before and after, from the answer of ``/v1/whatif``."""
    rows, rises, moved = [], [], False
    for change in found["matches"]:
        before, after = change["before"]["rank"], change["after"]["rank"]
        moved = moved or before != after
        if before is not None and after is not None:
            # To rise to the top says more than to rise further down.
            rises.append((1 / after - 1 / before, change["title"], before, after))
        if after is not None and after <= 10:
            words = _move_words(before, after)
            rows.append(
                {"title": change["title"], "before": _place(change["before"]), "after": _place(change["after"]), "moved": words}
            )
    _, title, before, after = max(rises, key=lambda rise: rise[0], default=(0, "", 0, 0))
    if after < before:
        said = f"{title}: place {before} to place {after}."
    else:
        said = "One or more occupations changed place." if moved else "The order stays the same."
    return {"rows": rows, "said": said}


_MOVE_NAMES: Mapping[str, str] = {
    "step up": "a step up",
    "sideways": "same level, other work",
    "similar": "much alike",
    "new field": "a new field",
}
#: Wishes of next steps as the page says them, by member of a request; each is ticked or not.
WISHES: Mapping[str, str] = {
    "pays_more": "at least 10 % more pay",
    "outside_group": "a new field",
    "zone_up": "more training than now",
    "less_physical": "less physical work",
    "interests": "",
}


def wanted(wishes: Mapping[str, str]) -> dict[str, Any]:
    """Return ticked wishes, and a letter of interests, as members of a request for moves."""
    members: dict[str, Any] = {name: True for name in wishes if name not in ("pays_more", "interests")}
    if "pays_more" in wishes:
        members["pays_more"] = 0.1
    if wishes.get("interests"):
        members["interests"] = [wishes["interests"]]
    return members


def _facts(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "code": facts["code"],
        "title": facts["title"],
        "pay": money(facts["pay"]) + (" a year" if facts["pay"] is not None else ""),
        "zone": ZONES[facts["job_zone"]],
        "education": facts["education"],
        "href": f"https://www.onetonline.org/link/summary/{facts['code']}",
    }


def moves(found: Mapping[str, Any], index: OccupationIndex) -> dict[str, Any]:
    """Return occupations to go on to, from the answer of ``/v1/moves``."""
    shown = []
    for move in found["moves"]:
        # "Mechanical" alone says nothing.
        areas = {str(area["name"]) for area in index.section(move["code"]).get("knowledge", ())}
        more = None if move["pay_share"] is None else round(100 * move["pay_share"])
        shown.append(
            {
                **_facts(move),
                "name": _MOVE_NAMES[move["move"]],
                "more": "" if more is None else "about the same pay" if abs(more) < 3 else f"{abs(more)} % {'more' if more > 0 else 'less'} pay",
                "transfers": [f"{name} (knowledge)" if name in areas else name for name in move["transfers"][:3]],
                "missing": [f"{name} (knowledge)" if name in areas else name for name in move["missing"][:3]],
            }
        )  # fmt: skip
    return {"moves": shown, "origin": found["origin"]["title"]}


_CONTEXT, _TOOLS, _HIGHEST = 4, 5, 3


def _highest(rows: Sequence[Mapping[str, Any]], kind: str, place: int) -> list[Mapping[str, Any]]:
    known = [row for row in rows if row["kind"] == kind and row["values"][place] is not None]
    return sorted(known, key=lambda row: -row["values"][place])[:_HIGHEST]


def compare(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return two or three occupations side by side, from the answer of ``/v1/compare``, with the rows that differ most first."""
    rows = []
    for row in found["rows"]:
        if row["kind"] in ("knowledge", "skills") and None not in row["values"]:
            spread = max(row["values"]) - min(row["values"])
            kind = KINDS["skill" if row["kind"] == "skills" else row["kind"]]
            rows.append((spread, {"kind": kind, "name": row["name"], "values": [round(v) for v in row["values"]]}))
    rows.sort(key=lambda row: -row[0])
    facts = found["occupations"]
    more = []
    for row in found["work_context"][:_CONTEXT]:
        more.append({"name": row["name"], "texts": [answer or "not known" for answer in row["answers"]]})
    for kind, label in (("work_values", "What matters to people"), ("work_styles", "Ways of working")):
        # Each one's own highest: the scales say little beyond that.
        listed = [[row["name"] for row in _highest(found["rows"], kind, place)] for place in range(len(facts))]
        if any(listed):
            more.append({"name": label, "texts": [", ".join(names) or "not known" for names in listed]})
    if any(found["tools"]["only"]):
        more.append({"name": "Tools that only it has", "texts": ["; ".join(x[:_TOOLS]) or "none" for x in found["tools"]["only"]]})
    return {
        "more": more,
        "facts": [_facts(f) for f in facts],
        "interests": [", ".join(INTERESTS[x] for x in f["interests"][:3]) or "not known" for f in facts],
        "employment": ["not known" if f["employment"] is None else f"{f['employment']:,}" for f in facts],
        "rows": [row for _, row in rows[:12]],
    }
