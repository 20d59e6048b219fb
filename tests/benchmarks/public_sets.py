"""Rebuilds labelled queries from files as their publishers give them, so that anyone can measure again. docs/sets.md says where to get them.

    python tests/benchmarks/public_sets.py esco --occupations occupations_en.csv --crosswalk 'ONET_(Occupations)_0_updated.csv' --out DIR
    python tests/benchmarks/public_sets.py titles LCA_Disclosure_Data_FY2024_Q1.csv --onet onet/30.1 --rows 1000 --out DIR
    python tests/benchmarks/public_sets.py titles mine.csv --onet onet/30.1 --out DIR

``esco`` writes ``esco_descriptions.jsonl`` and ``esco_titles.jsonl``; ``titles`` writes ``h1b_titles.jsonl`` of a disclosure file, or
``titles.jsonl`` of any file with the columns ``title`` and ``soc``. ``--onet`` is the text release of O*NET (folder or ZIP) that says which
O*NET-SOC codes a SOC code has. Filings coded by the SOC of 2010 (before the fiscal year 2021 or so) need ``--walk``, O*NET's own file
"2010 to 2019 Crosswalk" as CSV. Files are CSV, in UTF-8 or UTF-16 or Windows-1252; a workbook has to be saved as CSV first. Nothing is
downloaded. The rows then serve ``matcher evaluate FILE``.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import random
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matcher.onet import OnetError, read_release

Row = dict[str, Any]

#: The strength of a link of the crosswalk, strongest first: labels stand in this order, and a row's ``match`` is its strongest.
MATCHES = ("exactMatch", "closeMatch", "narrowMatch", "broadMatch")
ESCO_OCCUPATION = "/esco/occupation/"
#: A heading stands within so many lines: the crosswalk has sixteen lines about itself above it.
LINES_ABOVE = 40


class PublicSetError(ValueError):
    """A publisher's file is not as it was expected; the text names the file, what was found and what was expected."""


# -- reading --


def read_table(path: Path, wanted: Sequence[str | tuple[str, ...]]) -> Iterator[dict[str, str]]:
    """Return the rows of a CSV file as the ``wanted`` columns; a tuple stands for one column under its names in different years.

    Lines above the heading are passed over. A row is a mapping of the (first) name of each wanted column to its text, stripped; empty rows
    are left out. Raises PublicSetError.
    """
    if path.suffix.lower() in (".xlsx", ".xls", ".ods"):
        raise PublicSetError(
            f"{path}: a workbook; expected CSV (in the spreadsheet program: save as, CSV UTF-8; the heading stays)"
        )
    names = [(name,) if isinstance(name, str) else name for name in wanted]
    text = _text(path)
    # The limit of the csv module is less than the longest description.
    csv.field_size_limit(max(csv.field_size_limit(), 1 << 24))
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    above = []
    for number, cells in enumerate(lines):
        heading = [_plain(cell) for cell in cells]
        places = [next((heading.index(_plain(n)) for n in name if _plain(n) in heading), -1) for name in names]
        if min(places) >= 0:
            break
        above.append((sum(place >= 0 for place in places), cells))
        if number == LINES_ABOVE:
            raise _no_heading(path, above, names)
    else:
        raise _no_heading(path, above, names)
    for cells in lines:
        row = {name[0]: cells[place].strip() if place < len(cells) else "" for name, place in zip(names, places, strict=True)}
        if any(row.values()):
            yield row


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise PublicSetError(f"{path}: cannot be read ({error.strerror})") from None
    if data[:2] == b"PK":
        raise PublicSetError(f"{path}: a workbook or a ZIP; expected CSV (in the spreadsheet program: save as, CSV UTF-8)")
    for encoding in ("utf-16",) if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "cp1252"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise PublicSetError(f"{path}: expected text in UTF-8, UTF-16 or Windows-1252")


def _delimiter(text: str) -> str:
    # Prose above a heading may hold more commas than the heading has tabs, so the line with the most of one sign decides.
    lines = text.splitlines()[: LINES_ABOVE + 1]
    return max((",", ";", "\t"), key=lambda sign: max((line.count(sign) for line in lines), default=0))


def _plain(name: str) -> str:
    return re.sub(r"[\s_]+", " ", name).strip().casefold()


def _no_heading(path: Path, above: Sequence[tuple[int, Sequence[str]]], names: Sequence[Sequence[str]]) -> PublicSetError:
    """Return the error that names what the likeliest heading has and what it lacks."""
    found = max(above, key=lambda pair: pair[0], default=(0, []))[1]
    has = {_plain(cell) for cell in found}
    lacks = [" or ".join(name) for name in names if not has & {_plain(n) for n in name}]
    shown = ", ".join(cell.strip()[:40] for cell in found[:30] if cell.strip()) or "nothing"
    return PublicSetError(
        f"{path}: no column {', '.join(lacks)}; found {shown}; expected {', '.join(' or '.join(n) for n in names)}"
    )


# -- ESCO --


@dataclass(frozen=True, slots=True)
class Links:
    """The O*NET-SOC codes of one ESCO occupation, strongest link first, and the strongest link."""

    codes: tuple[str, ...]
    match: str


def read_crosswalk(path: Path) -> dict[str, Links]:
    """Return the links of each ESCO occupation by its URI; links to a group of ISCO are left out."""
    found: dict[str, dict[str, str]] = {}
    for row in read_table(path, ("O*NET Id", "ESCO or ISCO URI", "Type of Match")):
        code, uri, match = row["O*NET Id"], row["ESCO or ISCO URI"], row["Type of Match"]
        if ESCO_OCCUPATION not in uri:
            continue
        if not re.fullmatch(r"\d\d-\d{4}\.\d\d", code):
            raise PublicSetError(f"{path}: O*NET Id {code!r}; expected a code such as 15-1252.00")
        if match not in MATCHES:
            raise PublicSetError(f"{path}: Type of Match {match!r} of {code}; expected one of {', '.join(MATCHES)}")
        codes = found.setdefault(uri, {})
        if code not in codes or MATCHES.index(match) < MATCHES.index(codes[code]):
            codes[code] = match
    return {
        uri: Links(tuple(sorted(codes, key=lambda code: MATCHES.index(codes[code]))), min(codes.values(), key=MATCHES.index))
        for uri, codes in found.items()
    }


def without_name(text: str, names: Iterable[str]) -> str:
    """Return a description with each occurrence of an occupation's name, singular or plural, replaced by "They"."""
    forms = {form for name in names for form in (name, plural(name))}
    pattern = "|".join(re.escape(form) for form in sorted(forms, key=lambda form: (-len(form), form)))
    return re.sub(rf"\b(?:{pattern})\b", "They", text, flags=re.I)


def plural(name: str) -> str:
    """Return a name in the plural, by the rules that nearly all names of occupations follow."""
    if name.endswith("man"):
        return name[:-3] + "men"
    if re.search(r"[^aeiou]y$", name):
        return name[:-1] + "ies"
    return name + ("es" if re.search(r"(?:s|x|z|ch|sh)$", name) else "s")


def esco_rows(occupations: Path, crosswalk: Path) -> tuple[list[Row], list[Row]]:
    """Return the rows of descriptions and of titles of the occupations that the crosswalk links."""
    links = read_crosswalk(crosswalk)
    descriptions, titles = [], []
    for row in read_table(occupations, ("conceptUri", "preferredLabel", "altLabels", "description")):
        found = links.get(row["conceptUri"])
        if found is None:
            continue
        own = row["conceptUri"].rsplit("/", 1)[1]
        name, labels = row["preferredLabel"], list(found.codes)
        text = " ".join(without_name(row["description"], [name]).split())
        if text:
            descriptions.append({"id": own, "text": text, "labels": labels, "match": found.match, "name": name})
        others = [label.strip() for label in row["altLabels"].splitlines()]
        for place, title in enumerate(dict.fromkeys(label for label in [name, *others] if label)):
            titles.append({"id": f"{own}/{place}", "title": title, "labels": labels})
    return descriptions, titles


# -- titles with a SOC code --


def codes_of_soc(onet: Path, walk: Path | None) -> dict[str, tuple[str, ...]]:
    """Return the O*NET-SOC codes of each code that a file may give: O*NET-SOC itself, SOC, and with ``walk`` those of 2010."""
    current = [occupation.code for occupation in read_release(onet).occupations]
    found: dict[str, tuple[str, ...]] = {}
    for code in current:
        found[code[:7]] = (*found.get(code[:7], ()), code)
    # "15-1252.00" in a filing is the SOC code with a suffix that says nothing; "29-1141.01" is one occupation.
    found |= {code: (code,) for code in current if not code.endswith(".00")}
    if walk is None:
        return found
    old: dict[str, tuple[str, ...]] = {}
    for row in read_table(walk, ("O*NET-SOC 2010 Code", "O*NET-SOC 2019 Code")):
        before, after = row["O*NET-SOC 2010 Code"], row["O*NET-SOC 2019 Code"]
        if after in current:
            for key in {before[:7], before}:
                old[key] = (*old.get(key, ()), after)
    # A code that both years have is read as the older one: 13-2051 of 2010 is more than 13-2051 of 2018.
    return found | {key: tuple(dict.fromkeys(codes)) for key, codes in old.items()}


def of_soc(codes: Mapping[str, tuple[str, ...]], given: str) -> tuple[str, ...]:
    """Return the codes of a SOC code as it stands in a file ("15-1252", "15-1252.00", "151252"), or nothing."""
    code = given.strip().replace(" ", "")
    if re.fullmatch(r"\d{6}", code):
        code = f"{code[:2]}-{code[2:]}"
    return codes.get(code.removesuffix(".00"), ())


@dataclass(frozen=True, slots=True)
class Filings:
    """Titles with the codes that a file gave them, and why the other lines were left out."""

    rows: list[Row]
    left_out: dict[str, int]


def title_rows(path: Path, codes: Mapping[str, tuple[str, ...]], *, rows: int | None, seed: int) -> Filings:
    """Return ``rows`` different titles, drawn with ``seed``, or all; of a title filed more than once one filing is drawn.

    A disclosure file is known by JOB_TITLE; of it only certified applications count. Else the columns are ``title`` and ``soc``.
    """
    left_out = {"not certified": 0, "no title": 0, "a code that O*NET lacks": 0, "a title again": 0}
    filings: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
    for title, soc, certified in _filings(path):
        labels = of_soc(codes, soc)
        if not certified:
            left_out["not certified"] += 1
        elif not re.search(r"[^\W\d_]{2}", title):
            left_out["no title"] += 1
        elif not labels:
            left_out["a code that O*NET lacks"] += 1
        else:
            filings.setdefault(title.casefold(), []).append((title, labels))
    draws = random.Random(seed)
    keys = sorted(filings)
    if rows is not None and rows < len(keys):
        keys = sorted(draws.sample(keys, rows))
    left_out["a title again"] = sum(len(many) - 1 for many in filings.values())
    chosen = [draws.choice(sorted(filings[key])) for key in keys]
    return Filings(
        [{"id": f"t{n}", "title": title, "labels": list(labels)} for n, (title, labels) in enumerate(chosen, 1)], left_out
    )


def is_disclosure(path: Path) -> bool:
    """Say whether a file has the columns of a disclosure file."""
    try:
        next(read_table(path, ("JOB_TITLE", "SOC_CODE")), None)
    except PublicSetError:
        return False
    return True


def _filings(path: Path) -> Iterator[tuple[str, str, bool]]:
    if is_disclosure(path):
        for row in read_table(path, (("CASE_STATUS", "STATUS"), "JOB_TITLE", "SOC_CODE")):
            # "Certified - Withdrawn" was certified first: the coding was accepted.
            yield " ".join(row["JOB_TITLE"].split()), row["SOC_CODE"], row["CASE_STATUS"].casefold().startswith("certified")
    else:
        for row in read_table(path, ("title", "soc")):
            yield " ".join(row["title"].split()), row["soc"], True


# -- command --


def write(path: Path, rows: Sequence[Row]) -> None:
    """Write rows as JSON Lines. Raises PublicSetError where there are none."""
    if not rows:
        raise PublicSetError(f"{path.name}: no row is left; do both files come from the same version of the classification?")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    several = sum(len(row["labels"]) > 1 for row in rows)
    print(f"{path}: {len(rows)} rows, {several} with more than one code")  # noqa: T201


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0, or 1 with a line on standard error that says what is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    esco = commands.add_parser("esco", help="descriptions and titles of ESCO")
    esco.add_argument("--occupations", type=Path, required=True, help="occupations_en.csv of the classification")
    esco.add_argument("--crosswalk", type=Path, required=True, help="ONET_(Occupations)_0_updated.csv")
    titles = commands.add_parser("titles", help="job titles with a SOC code")
    titles.add_argument("file", type=Path)
    titles.add_argument("--onet", type=Path, required=True, help="text release of O*NET, folder or ZIP")
    titles.add_argument("--walk", type=Path, help="O*NET's crosswalk of 2010 to 2019, for filings coded by the SOC of 2010")
    titles.add_argument("--rows", type=int, help="draw so many different titles; all by default")
    titles.add_argument("--seed", type=int, default=7)
    for command in (esco, titles):
        command.add_argument("--out", type=Path, required=True, help="folder for the rows")
    words = parser.parse_args(arguments)
    try:
        if words.command == "esco":
            descriptions, names = esco_rows(words.occupations, words.crosswalk)
            write(words.out / "esco_descriptions.jsonl", descriptions)
            write(words.out / "esco_titles.jsonl", names)
        else:
            found = title_rows(words.file, codes_of_soc(words.onet, words.walk), rows=words.rows, seed=words.seed)
            print("left out: " + ", ".join(f"{n} {why}" for why, n in found.left_out.items()))  # noqa: T201
            write(words.out / ("h1b_titles.jsonl" if is_disclosure(words.file) else "titles.jsonl"), found.rows)
    except (PublicSetError, OnetError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
