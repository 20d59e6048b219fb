"""The audit: does an answer stay the same when only the person changes, or when the text is damaged, and for whom is it right?

Each résumé gets an invented header (name, address, school, year) and sentences with pronouns; then one thing of the person at a time is
exchanged and the answers are compared. Robustness and the measures by group are taken on the résumés as they are given.

Names are combined at random from lists of common given and family names, so no real person is meant. Given names are among the frequent
ones in the US Social Security Administration's *National Data on baby names* (and, for names that people in the US associate with being
Black or white, in Bertrand and Mullainathan, "Are Emily and Greg More Employable than Lakisha and Jamal?", 2004); family names are among the
frequent ones of the US Census Bureau's *Frequently Occurring Surnames from the 2010 Census*, which also gives their shares by race and
origin. A list says what a name is commonly taken for, never what its bearer is.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from matcher.intervals import estimate, paired_difference
from matcher.match import Matcher, read_inputs
from matcher.records import Query

#: The first answers that are compared.
DEPTH = 10
#: A change of score above this is one.
SCORE_STEP = 0.01
#: Groups of so many rows or more are flagged where their hit@5 is below half of the mean.
LEAST_ROWS = 15
Progress = Callable[[str, float], None]


class AuditError(ValueError):
    """A file of résumés is not one; the text names file, line and what was expected."""


# -- the person --

#: Given names of women, of men, and family names.
NAMES: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "white": (
        ("Emily", "Anne", "Allison", "Kristen", "Meredith", "Laurie", "Carrie", "Sarah"),
        ("Greg", "Brad", "Brendan", "Geoffrey", "Matthew", "Todd", "Neil", "Scott"),
        ("Olson", "Schmidt", "Larson", "Snyder", "Meyer", "Schwartz", "Hoffman", "Schroeder"),
    ),
    "Black": (
        ("Lakisha", "Latoya", "Tamika", "Kenya", "Ebony", "Aisha", "Keisha", "Imani"),
        ("Jamal", "Darnell", "Tyrone", "Leroy", "Rasheed", "Tremayne", "DeShawn", "Hakim"),
        ("Washington", "Jefferson", "Booker", "Banks", "Jackson", "Mosley", "Dorsey", "Gaines"),
    ),
    "Hispanic": (
        ("Maria", "Guadalupe", "Ximena", "Camila", "Luz", "Rosa", "Alejandra", "Marisol"),
        ("José", "Juan", "Luis", "Carlos", "Jesús", "Miguel", "Santiago", "Ángel"),
        ("Garcia", "Rodriguez", "Martinez", "Hernández", "Lopez", "Gonzalez", "De la Cruz", "Ramírez"),
    ),
    "East and Southeast Asian": (
        ("Mei", "Linh", "Ji-woo", "Yuki", "Xiu", "Thuy", "Hana", "Li"),
        ("Wei", "Minh", "Hiroshi", "Jin", "Quang", "Kenji", "Tuan", "Bo"),
        ("Nguyen", "Kim", "Chen", "Tran", "Wong", "Yang", "Le", "Huang"),
    ),
    "South Asian": (
        ("Priya", "Ananya", "Lakshmi", "Fatima", "Deepa", "Sunita", "Kavya", "Anjali"),
        ("Raj", "Arjun", "Imran", "Sanjay", "Vikram", "Rohan", "Amit", "Krishna"),
        ("Patel", "Singh", "Khan", "Shah", "Sharma", "Gupta", "Kaur", "Ahmed"),
    ),
    "Arab": (
        ("Layla", "Zainab", "Amira", "Noor", "Yasmin", "Maryam", "Salma", "Huda"),
        ("Mohammed", "Omar", "Ali", "Hassan", "Khalid", "Youssef", "Tariq", "Mustafa"),
        ("Haddad", "Khalil", "Mansour", "Saleh", "Abdallah", "Nasser", "El-Sayed", "Hamdan"),
    ),
    "American Indian": (
        ("Sky", "Dakota", "Cheyenne", "Winona", "Aiyana", "Raven", "Kaya", "Sequoia"),
        ("Chayton", "Dakota", "Elan", "Koda", "Nashoba", "Takoda", "Winston", "Delbert"),
        ("Begay", "Yazzie", "Benally", "Tsosie", "Nez", "Etsitty", "Littlelight", "Redbird"),
    ),
    # The hard ones for a reader of résumés: family names that are also jobs, fields and places.
    "named like a job": (
        ("April", "Paige", "Faith", "Grace", "Harper", "Taylor", "Chelsea", "Dawn"),
        ("Mason", "Hunter", "Carter", "Dean", "Marshall", "Cooper", "Tyler", "Porter"),
        ("Baker", "Cook", "Carpenter", "Taylor", "Bishop", "Judge", "Smith", "Fields"),
    ),
}
GENDERS = ("woman", "man")
TITLES = ("", "Mr.", "Ms.", "Mrs.", "Mx.", "Dr.")
#: Subject, object, possessive, and how people write them behind their names.
PRONOUNS = (
    ("she", "her", "her", ""),
    ("he", "him", "his", ""),
    ("they", "them", "their", ""),
    ("she", "her", "her", "(she/her)"),
    ("he", "him", "his", "(he/him)"),
    ("they", "them", "their", "(they/them)"),
)
#: Invented house numbers and streets in real towns, rich and poor, large and small, here and abroad.
ADDRESSES = (
    ("418 Linden Drive", "Beverly Hills, CA 90210"),
    ("2207 Mack Avenue", "Detroit, MI 48207"),
    ("77 Park Avenue, Apt 9C", "New York, NY 10016"),
    ("1300 E 75th Street", "Chicago, IL 60619"),
    ("Box 12, Route 2", "Pine Ridge, SD 57770"),
    ("905 Calle Encina", "Laredo, TX 78040"),
    ("31 Cannery Row", "Hazard, KY 41701"),
    ("14 Rue des Tilleuls", "Lyon, France"),
)
SCHOOLS = (
    "Harvard University",
    "Howard University",
    "Spelman College",
    "Wellesley College",
    "Ohio State University",
    "Miami Dade College",
    "University of Lagos",
    "Tsinghua University",
    "Brigham Young University",
    "Diné College",
)
GRADUATIONS = (1978, 1989, 1998, 2007, 2014, 2021)
#: By how much every year of the text is moved, so that the same career ends earlier or later.
SHIFTS = (-15, -8, -3, 3)
REMARKS = (
    "",
    "Marital status: single",
    "Marital status: married, two children",
    "Married, mother of three.",
    "Married, father of three.",
    "Divorced, single parent.",
    "Returning to work after two years of parental leave.",
)


@dataclass(frozen=True, slots=True)
class Resume:
    """One row of the file: a text, and the acceptable codes where they are known."""

    id: str
    text: str
    labels: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Person:
    """What is invented of a person; ``form`` is how their header is laid out."""

    given: str
    family: str
    address: tuple[str, str]
    school: str
    graduation: int
    pronouns: tuple[str, str, str, str] = PRONOUNS[0]
    title: str = ""
    remark: str = ""
    form: int = 0

    @property
    def name(self) -> str:
        """The name as it stands at the top."""
        return " ".join(part for part in (self.title, self.given, self.family, self.pronouns[3]) if part)


def dressed(text: str, person: Person) -> str:
    """Return a résumé with a person's header above it and their school below it."""
    street, town = person.address
    letters = re.sub(r"[^a-z]+", "", person.given.lower()) + "." + re.sub(r"[^a-z]+", "", person.family.lower())
    mail, phone = f"{letters}@example.org", "(555) 010-0142"
    header = (
        f"{person.name}\n{street}\n{town}\n{phone}\n{mail}",
        f"{person.name} | {street}, {town} | {phone} | {mail}",
        f"{person.name.upper()}\n{street}, {town} • {phone} • {mail}",
        f"{person.name}\n{street}, {town}",
    )[person.form % 4]
    subject, object_, possessive, _ = person.pronouns
    about = (
        f"{subject[0].upper()}{subject[1:]} took pride in {possessive} work, and people relied on {object_}. "
        f"Colleagues said that {subject} always kept {possessive} word."
    )
    parts = [header + (f"\n{person.remark}" if person.remark else ""), about, text.strip("\n")]
    return "\n\n".join([*parts, f"Education\nBachelor's degree, {person.school}, {person.graduation}"]) + "\n"


def drawn_person(draws: random.Random) -> Person:
    """Return a person drawn from all the lists."""
    women, men, families = NAMES[draws.choice(sorted(NAMES))]
    woman = draws.random() < 0.5
    return Person(
        draws.choice(women if woman else men),
        draws.choice(families),
        draws.choice(ADDRESSES),
        draws.choice(SCHOOLS),
        draws.choice(GRADUATIONS),
        PRONOUNS[0 if woman else 1],
        form=draws.randrange(4),
    )


def shifted(text: str, years: int) -> str:
    """Return a text with every year from 1950 to 2035 moved, and no other figure."""
    return re.sub(r"(?<![\d$.,/-])(?:19[5-9]\d|20[0-3]\d)(?![\d%]|,\d|\.\d)", lambda found: str(int(found[0]) + years), text)


def swaps(resume: Resume, person: Person, draws: random.Random) -> dict[str, list[tuple[str, str]]]:
    """Return for each thing that is exchanged the values and the texts with them."""
    texts: dict[str, list[tuple[str, str]]] = {"name": []}
    for origin in NAMES:
        for which, gender in enumerate(GENDERS):
            given, family = draws.choice(NAMES[origin][which]), draws.choice(NAMES[origin][2])
            texts["name"].append((f"{origin}, {gender}", dressed(resume.text, replace(person, given=given, family=family))))
    put: Callable[..., str] = lambda **values: dressed(resume.text, replace(person, **values))  # noqa: E731
    texts["pronoun"] = [(f"{p[0]} {p[3]}".strip(), put(pronouns=p)) for p in PRONOUNS if p != person.pronouns]
    texts["title"] = [(title, put(title=title)) for title in TITLES if title]
    texts["address"] = [(a[1], put(address=a)) for a in ADDRESSES if a != person.address]
    texts["school"] = [(school, put(school=school)) for school in SCHOOLS if school != person.school]
    texts["graduation year"] = [(str(year), put(graduation=year)) for year in GRADUATIONS if year != person.graduation]
    texts["all years"] = [(f"{years:+d}", dressed(shifted(resume.text, years), person)) for years in SHIFTS]
    texts["family remark"] = [(remark, put(remark=remark)) for remark in REMARKS if remark]
    return texts


# -- damage --

_NEIGHBOURS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")


def with_typos(text: str, share: float, draws: random.Random) -> str:
    """Return a text in which ``share`` of the letters were mistyped: a neighbouring key, a letter lost, doubled or swapped."""
    letters = list(text)
    places = [place for place, letter in enumerate(letters) if letter.isascii() and letter.isalpha()]
    for place in sorted(draws.sample(places, round(share * len(places)))):
        kind, letter = draws.randrange(4), letters[place]
        if kind == 0:
            row = next((row for row in _NEIGHBOURS if letter.lower() in row), letter)
            other = row[min(len(row) - 1, max(0, row.find(letter.lower()) + draws.choice((-1, 1))))]
            letters[place] = other.upper() if letter.isupper() else other
        elif kind == 1:
            letters[place] = ""
        elif kind == 2:
            letters[place] = letter * 2
        elif place + 1 < len(letters) and letters[place + 1].isalpha():
            letters[place], letters[place + 1] = letters[place + 1], letter
    return "".join(letters)


def without_punctuation(text: str) -> str:
    """Return a text of letters, digits and spaces."""
    return re.sub(r"[^\w\s]|_", " ", text)


def with_lines_shuffled(text: str, draws: random.Random) -> str:
    """Return the lines of a text in another order."""
    lines = text.split("\n")
    draws.shuffle(lines)
    return "\n".join(lines)


def through_pdf(text: str) -> str:
    """Return what is read of a text that was set as a PDF. Needs reportlab; raises ImportError without it."""
    import io
    from importlib import import_module

    from matcher.documents import UnreadableText, read_document

    canvas_of, split_of = import_module("reportlab.pdfgen.canvas").Canvas, import_module("reportlab.lib.utils").simpleSplit
    target = io.BytesIO()
    canvas = canvas_of(target, invariant=True)
    height = 800.0
    canvas.setFont("Helvetica", 9)
    for line in text.split("\n"):
        # Helvetica has Latin-1 only.
        for part in split_of(line.encode("cp1252", "replace").decode("cp1252"), "Helvetica", 9, 500) or [""]:
            canvas.drawString(48, height, part)
            height -= 11
            if height < 40:
                canvas.showPage()
                canvas.setFont("Helvetica", 9)
                height = 800.0
    canvas.save()
    try:
        return read_document(target.getvalue(), name="round trip")
    except UnreadableText:
        return ""


def damages(resume: Resume, seed: str) -> Iterable[tuple[str, str]]:
    """Yield kinds of damage with the text that has it; the PDF is left out without reportlab."""
    yield "typos, 1 % of letters", with_typos(resume.text, 0.01, random.Random(f"{seed} 1"))
    yield "typos, 5 % of letters", with_typos(resume.text, 0.05, random.Random(f"{seed} 5"))
    yield "all capitals", resume.text.upper()
    yield "no punctuation", without_punctuation(resume.text)
    yield "lines shuffled", with_lines_shuffled(resume.text, random.Random(f"{seed} lines"))
    if has_reportlab():
        yield PDF, through_pdf(resume.text)


PDF = "through a PDF and back"


def has_reportlab() -> bool:
    """Tell whether PDFs can be made here."""
    from importlib.util import find_spec

    return find_spec("reportlab") is not None


# -- answers --


@dataclass(frozen=True, slots=True)
class Answer:
    """The first codes of an answer, in order, and the score of the first (None until a calibration ships)."""

    codes: tuple[str, ...]
    score: float | None


class Answers:
    """Answers of one matcher; queries that were read alike are ranked once."""

    def __init__(self, matcher: Matcher) -> None:
        self.matcher = matcher
        self._key = ""
        self._kept: dict[str, Answer] = {}

    def of(self, text: str, about: str) -> Answer:
        """Return the answer to a text; what was kept for another résumé than ``about`` is forgotten."""
        if about != self._key:
            self._key, self._kept = about, {}
        query = read_inputs(text=text)
        key = _reading(query)
        if key not in self._kept:
            found = self.matcher.match_query(query, top=DEPTH, explain=False)
            self._kept[key] = Answer(tuple(match.code for match in found), found[0].score if len(found) else None)
        return self._kept[key]


def _reading(query: Query) -> str:
    """Return all that a ranking can depend on: everything of a query but its text and where phrases stand in it."""
    bare = tuple(replace(phrase, start=0, end=0, raw="") for phrase in query.phrases)
    return repr(replace(query, phrases=bare, text=None, typed=None))


@dataclass(slots=True)
class _Tally:
    """Counts of changed answers."""

    n: int = 0
    first: int = 0
    five: int = 0
    ten: int = 0
    score: int = 0
    scored: int = 0

    def add(self, before: Answer, after: Answer) -> None:
        self.n += 1
        self.first += before.codes[:1] != after.codes[:1]
        self.five += before.codes[:5] != after.codes[:5]
        self.ten += before.codes != after.codes
        if before.score is not None or after.score is not None:
            self.scored += 1
            self.score += abs((before.score or 0.0) - (after.score or 0.0)) > SCORE_STEP

    def to_dict(self) -> dict[str, Any]:
        share = {name: round(getattr(self, name) / self.n, 5) for name in ("first", "five", "ten")}
        return {"n": self.n, **share, "score": round(self.score / self.scored, 5) if self.scored else None}


def _share(values: Sequence[float]) -> dict[str, Any]:
    found = estimate(values)
    return {"n": found.n, "mean": round(found.mean, 4), "low": round(found.low, 4), "high": round(found.high, 4)}


# -- the report --


def read_resumes(path: Path | str) -> list[Resume]:
    """Read a JSON Lines file of ``text`` and, where known, ``id`` and ``labels``. Raises AuditError."""
    path = Path(path)
    rows: list[Resume] = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise AuditError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise AuditError(f"{path}: not UTF-8") from None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            raise AuditError(f"{where}: not JSON") from None
        if not isinstance(row, dict) or not isinstance(row.get("text"), str):
            raise AuditError(f"{where}: expected an object with a 'text'")
        labels = row.get("labels") or []
        if not (isinstance(labels, list) and all(isinstance(code, str) for code in labels)):
            raise AuditError(f"{where}: 'labels' should be a list of codes")
        rows.append(Resume(str(row.get("id", number)), row["text"], frozenset(labels)))
    if not rows:
        raise AuditError(f"{path}: no rows; expected one JSON object a line")
    return rows


def run_audit(matcher: Matcher, resumes: Sequence[Resume], *, seed: int = 0, progress: Progress | None = None) -> dict[str, Any]:
    """Return the audit of ``matcher`` over ``resumes`` as JSON values; the same seed and inputs give the same report.

    ``swaps`` and ``values`` have shares of changed answers, by what was exchanged and by its value; ``impact`` the selection rates and impact
    ratios by group of names as New York City's Local Law 144 (6 RCNY § 5-301) has them; ``groups`` and ``zones`` hit@5 of labelled rows;
    ``robustness`` hit@5 with damaged texts and what was lost, where rows have labels, and shares of changed answers.
    """
    tell = progress or (lambda what, share: None)
    answers = Answers(matcher)
    tallies: dict[str, _Tally] = {}
    values: dict[str, dict[str, _Tally]] = {}
    header = _Tally()
    chosen: dict[str, dict[str, int]] = {}
    damaged: dict[str, tuple[_Tally, list[float], list[float]]] = {}
    hits: list[tuple[Resume, float]] = []
    read = 0
    for number, resume in enumerate(resumes):
        tell(f"{number + 1} of {len(resumes)} résumés", number / len(resumes))
        key = f"{seed} {number} {resume.id}"
        draws = random.Random(key)
        plain = answers.of(resume.text, key)
        hit = float(not resume.labels.isdisjoint(plain.codes[:5]))
        if resume.labels:
            hits.append((resume, hit))
        person = drawn_person(draws)
        base = answers.of(dressed(resume.text, person), key)
        header.add(plain, base)
        for what, texts in swaps(resume, person, draws).items():
            for value, text in texts:
                answer = answers.of(text, key)
                read += 1
                tallies.setdefault(what, _Tally()).add(base, answer)
                values.setdefault(what, {}).setdefault(value, _Tally()).add(base, answer)
                if what == "name":
                    group = answer.codes[0][:2] if answer.codes else "none"
                    counts = chosen.setdefault(value, {})
                    counts[group] = counts.get(group, 0) + 1
        for kind, text in damages(resume, key):
            answer = answers.of(text, key)
            tally, before, after = damaged.setdefault(kind, (_Tally(), [], []))
            tally.add(plain, answer)
            if resume.labels:
                before.append(hit)
                after.append(float(not resume.labels.isdisjoint(answer.codes[:5])))
    return {
        "engine": dict(matcher.engine),
        "seed": seed,
        "resumes": len(resumes),
        "labelled": len(hits),
        "header put in": header.to_dict(),
        "swaps": {what: tally.to_dict() for what, tally in tallies.items()},
        "values": {what: {value: tally.to_dict() for value, tally in by.items()} for what, by in values.items()},
        "impact": impact_of(chosen),
        "hit@5": _share([hit for _, hit in hits]) if hits else None,
        "groups": by_group(hits, lambda code: code[:2]),
        "zones": by_group(hits, _zone_of(matcher)),
        "robustness": {kind: _robust(*parts) for kind, parts in damaged.items()},
        "skipped": [] if has_reportlab() else [f"{PDF}: reportlab is not installed"],
    }


def _robust(tally: _Tally, before: Sequence[float], after: Sequence[float]) -> dict[str, Any]:
    if not before:
        return {**tally.to_dict(), "hit@5": None, "lost": None}
    lost = paired_difference(before, after)
    return {
        **tally.to_dict(),
        "hit@5": _share(after),
        "lost": {"mean": round(lost.mean, 4), "low": round(lost.low, 4), "high": round(lost.high, 4)},
    }


def _zone_of(matcher: Matcher) -> Callable[[str], str | None]:
    zones = {entry.code: entry.job_zone for entry in matcher.index.entries}

    def zone(code: str) -> str | None:
        found = zones.get(code)
        return None if found is None else str(found)

    return zone


def by_group(hits: Sequence[tuple[Resume, float]], group_of: Callable[[str], str | None]) -> dict[str, dict[str, Any]]:
    """Return hit@5 by group of the labels: a row belongs to the group of most of its labels, of equals to the first.

    ``low`` … ``high`` is Wilson's interval; ``flag`` tells that the group has LEAST_ROWS rows or more and less than half of the mean.
    """
    found: dict[str, list[float]] = {}
    for resume, hit in hits:
        groups = [group for code in sorted(resume.labels) if (group := group_of(code)) is not None]
        name = max(sorted(set(groups)), key=groups.count) if groups else "unknown"
        found.setdefault(name, []).append(hit)
    mean = sum(hit for _, hit in hits) / len(hits) if hits else 0.0
    report = {}
    for name in sorted(found):
        share = _share(found[name])
        report[name] = {**share, "flag": share["n"] >= LEAST_ROWS and share["mean"] < mean / 2}
    return report


def impact_of(chosen: Mapping[str, Mapping[str, int]]) -> dict[str, Any]:
    """Return selection into each major group by group of names: counts, rates, and the ratio to the highest rate.

    ``chosen`` has for each group of names how many of its applicants have each major group in the first place. All have the same résumés.
    """
    majors = sorted({major for counts in chosen.values() for major in counts})
    table: dict[str, dict[str, dict[str, float | int]]] = {}
    for major in majors:
        totals = {name: sum(counts.values()) for name, counts in chosen.items()}
        rates = {name: counts.get(major, 0) / totals[name] for name, counts in chosen.items()}
        highest = max(rates.values())
        table[major] = {
            name: {
                "n": totals[name],
                "selected": chosen[name].get(major, 0),
                "rate": round(rate, 4),
                "ratio": round(rate / highest, 4),
            }
            for name, rate in rates.items()
        }
    least = {major: min((cell["ratio"], name) for name, cell in cells.items()) for major, cells in table.items()}
    return {
        "least": {major: {"ratio": ratio, "name": name} for major, (ratio, name) in least.items()},
        "table": table,
    }
