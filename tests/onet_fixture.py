"""Writes small invented releases in the form of O*NET's text tables, in each of the layouts that the reader knows."""

from __future__ import annotations

import zipfile
from pathlib import Path

BAKER, CLERK, OTHER = "51-3011.00", "43-3031.00", "51-9199.00"
RATING = "O*NET-SOC Code\tElement ID\tElement Name\tScale ID\tData Value\tN\tRecommend Suppress\tNot Relevant\tDate"

TABLES: dict[str, list[str]] = {
    "Read Me": ["O*NET 30.1 Database", "December 2025 Release"],
    "Occupation Data": [
        "O*NET-SOC Code\tTitle\tDescription",
        f"{BAKER}\tBakers\tBakes bread for a shop.",
        f"{CLERK}\tBookkeepers\tKeeps the books of a shop.",
        f"{OTHER}\tProduction Workers, All Other\tEveryone else.",
    ],
    "Task Statements": [
        "O*NET-SOC Code\tTask ID\tTask\tTask Type\tIncumbents Responding\tDate\tDomain Source",
        f"{BAKER}\t11\tShape loaves on a floured bench\tCore\t50\t08/2023\tIncumbent",
        f"{BAKER}\t12\tLight the oven before dawn\tSupplemental\t50\t08/2023\tIncumbent",
        f"{BAKER}\t13\tTaste new doughs\tn/a\tn/a\t08/2023\tIncumbent",
        f"{CLERK}\t21\tPost invoices to the ledger\tCore\t40\t08/2023\tIncumbent",
    ],
    "DWA Reference": [
        "Element ID\tIWA ID\tDWA ID\tDWA Title",
        "4.A.1\t4.A.1.I01\t4.A.1.I01.D01\tWarm ovens",
        "4.A.1\t4.A.1.I01\t4.A.1.I01.D02\tForm dough",
        "4.A.1\t4.A.1.I01\t4.A.1.I01.D03\tAssess bakes",
        "4.A.1\t4.A.1.I01\t4.A.1.I01.D04\tUnused work",
    ],
    "Tasks to DWAs": [
        "O*NET-SOC Code\tTask ID\tDWA ID\tDate\tDomain Source",
        f"{BAKER}\t12\t4.A.1.I01.D01\t07/2014\tAnalyst",
        f"{BAKER}\t11\t4.A.1.I01.D02\t07/2014\tAnalyst",
        f"{BAKER}\t11\t4.A.1.I01.D03\t07/2014\tAnalyst",
    ],
    "Alternate Titles": [
        "O*NET-SOC Code\tAlternate Title\tShort Title\tSource(s)",
        f"{BAKER}\tBread Maker\tn/a\t08",
        f"{BAKER}\tPastry Maker First Class\tPastry Maker\t08",
        f"{CLERK}\tBooks Clerk\tn/a\t02",
    ],
    "Technology Skills": [
        "O*NET-SOC Code\tExample\tCommodity Code\tCommodity Title\tHot Technology\tIn Demand",
        f"{CLERK}\tLedgerBook\t43231601\tAccounting software\tN\tY",
        f"{CLERK}\tMicrosoft Excel\t43232110\tSpreadsheet software\tY\tN",
    ],
    "Knowledge": [
        RATING,
        f"{BAKER}\t2.C.1\tFood Production\tIM\t4.50\t30\tN\tn/a\t08/2023",
        f"{BAKER}\t2.C.1\tFood Production\tLV\t5.10\t30\tN\tN\t08/2023",
        f"{BAKER}\t2.C.2\tMathematics\tIM\t3.20\t3\tY\tn/a\t08/2023",
        f"{BAKER}\t2.C.3\tGeography\tIM\tn/a\t3\tn/a\tn/a\t08/2023",
    ],
    "Skills": [RATING, f"{CLERK}\t2.A.1\tMental Arithmetic\tIM\t4.00\t30\tN\tn/a\t08/2023"],
    "Abilities": [RATING, f"{BAKER}\t1.A.1\tEarly Rising\tIM\t3.88\t30\tN\tn/a\t08/2023"],
    "Work Activities": [RATING, f"{BAKER}\t4.A.1\tHandling Dough\tIM\t4.75\t30\tN\tn/a\t08/2023"],
    "Interests": [
        "O*NET-SOC Code\tElement ID\tElement Name\tScale ID\tData Value\tDate\tDomain Source",
        f"{BAKER}\t1.B.1.a\tRealistic\tOI\t6.10\t11/2023\tx",
        f"{BAKER}\t1.B.1.g\tFirst Interest High-Point\tIH\t1.00\t11/2023\tx",
    ],
    "Work Values": [
        "O*NET-SOC Code\tElement ID\tElement Name\tScale ID\tData Value\tDate\tDomain Source",
        f"{BAKER}\t1.B.2.a\tAchievement\tEX\t4.33\t06/2008\tx",
    ],
    "Work Styles": [
        "O*NET-SOC Code\tElement ID\tElement Name\tScale ID\tData Value\tDate\tDomain Source",
        f"{BAKER}\t1.D.1.a\tPatience\tWI\t-0.50\t12/2025\tx",
        f"{BAKER}\t1.D.1.a\tPatience\tDR\t7.00\t12/2025\tx",
    ],
    "Work Context": [
        "O*NET-SOC Code\tElement ID\tElement Name\tScale ID\tCategory\tData Value\tN\tRecommend Suppress\tNot Relevant\tDate",
        f"{BAKER}\t4.C.1\tHeat\tCX\tn/a\t4.20\t30\tN\tn/a\t08/2023",
        f"{BAKER}\t4.C.1\tHeat\tCXP\t5\t61.50\t30\tN\tn/a\t08/2023",
    ],
    "Work Context Categories": [
        "Element ID\tElement Name\tScale ID\tCategory\tCategory Description",
        "4.C.1\tHeat\tCXP\t5\tEvery day",
    ],
    "Education, Training, and Experience": [
        "O*NET-SOC Code\tElement ID\tElement Name\tScale ID\tCategory\tData Value\tN\tRecommend Suppress\tDate",
        f"{BAKER}\t2.D.1\tRequired Level of Education\tRL\t1\t55.00\t30\tN\t08/2023",
        f"{BAKER}\t2.D.4.a\tCertificates\tIM\tn/a\t3.10\t30\tN\t08/2023",
        f"{BAKER}\t3.A.1\tRelated Work Experience\tRW\t2\t20.00\t30\tN\t08/2023",
    ],
    "Education, Training, and Experience Categories": [
        "Element ID\tElement Name\tScale ID\tCategory\tCategory Description",
        "2.D.1\tRequired Level of Education\tRL\t1\tNo diploma",
        "3.A.1\tRelated Work Experience\tRW\t2\tUp to a month",
    ],
    "Sample of Reported Titles": ["O*NET-SOC Code\tReported Job Title\tShown in My Next Move", f"{BAKER}\tHead Baker\tY"],
    "Related Occupations": [
        "O*NET-SOC Code\tRelated O*NET-SOC Code\tRelatedness Tier\tIndex",
        f"{BAKER}\t{OTHER}\tPrimary-Short\t1",
    ],
    "Job Zones": [
        "O*NET-SOC Code\tJob Zone\tDate\tDomain Source",
        f"{BAKER}\t2\t08/2023\tAnalyst",
        f"{CLERK}\t3\t08/2023\tAnalyst",
    ],
    "Job Zone Reference": [
        "Job Zone\tName\tExperience\tEducation\tJob Training\tExamples\tSVP Range",
        "2\tZone two\tSome\tA little\tMonths\tBakers\t(4 to 6)",
    ],
    "Tools Used": ["O*NET-SOC Code\tExample\tCommodity Code\tCommodity Title", f"{BAKER}\tDeck ovens\t48101501\tOvens"],
    "Emerging Tasks": [
        "O*NET-SOC Code\tTask\tCategory\tOriginal Task ID\tOriginal Task\tDate\tDomain Source",
        f"{BAKER}\tSet the timer of a robot mixer\tNew\tn/a\tn/a\t08/2025\tx",
        f"{BAKER}\tShape loaves with a robot\tRevision\t11\tShape loaves on a floured bench\t08/2025\tx",
    ],
    "Task Ratings": [
        "O*NET-SOC Code\tTask ID\tScale ID\tCategory\tData Value\tN\tRecommend Suppress\tDate",
        f"{BAKER}\t11\tFT\t5\t40.00\t50\tN\t08/2023",
        f"{BAKER}\t11\tIM\tn/a\t4.60\t50\tN\t08/2023",
        f"{BAKER}\t12\tIM\tn/a\tn/a\t50\tn/a\t08/2023",
    ],
    "Occupation Level Metadata": [
        "O*NET-SOC Code\tItem\tResponse\tN\tPercent\tDate",
        f"{BAKER}\tData Collection Mode\tPaper\t95\t18.9\t08/2023",
    ],
    "Content Model Reference": ["Element ID\tElement Name\tDescription", "2.C.1\tFood Production\tHow food is grown and made."],
    "Scales Reference": ["Scale ID\tScale Name\tMinimum\tMaximum", "IM\tImportance\t1\t5"],
}

OPTIONAL = [name for name in TABLES if name not in (
    "Occupation Data", "Task Statements", "DWA Reference", "Tasks to DWAs", "Alternate Titles", "Technology Skills", "Knowledge"
)]  # fmt: skip


def old_layout() -> dict[str, list[str]]:
    """The layout of 28.x: work styles on the importance scale."""
    styles = [RATING, f"{BAKER}\t1.C.1.a\tEffort\tIM\t4.10\t30\tN\tn/a\t08/2019"]
    return {**TABLES, "Read Me": ["O*NET 28.0 Database"], "Work Styles": styles}


def new_layout() -> dict[str, list[str]]:
    """The layout from 30.3 on as several people who read it describe it.

    Skills are two tables, education is two tables with two lists of categories, software, interests, titles and detailed activities
    have other names, and work values and tools are gone.
    """
    shares, categories = TABLES["Education, Training, and Experience"], TABLES["Education, Training, and Experience Categories"]
    tables = {
        name: rows
        for name, rows in TABLES.items()
        if name
        not in ("Skills", "Technology Skills", "Interests", "Work Values", "Alternate Titles", "DWA Reference", "Tools Used")
        and not name.startswith("Education")
    }
    tables |= {
        "Read Me": ["O*NET 30.3 Database"],
        "Essential Skills": TABLES["Skills"],
        "Transferable Skills": [RATING, f"{CLERK}\t2.B.1\tNegotiating\tIM\t2.50\t30\tN\tn/a\t08/2026"],
        "Software Skills": [
            "O*NET-SOC Code\tWorkplace Example\tElement ID\tElement Name\tHot Technology\tIn Demand",
            f"{CLERK}\tLedgerBook\t2.E.1\tAccounting software\tN\tY",
            f"{CLERK}\tInvoice Pad\t2.E.1\tAccounting software\t\t",
        ],
        "Career Interest Types": TABLES["Interests"],
        "Specific Interest Areas": TABLES["Interests"],
        "Job Titles": [row.replace("Alternate Title", "Job Title") for row in TABLES["Alternate Titles"]],
        "GWAs to IWAs to DWAs": [
            "GWA Element ID\tIWA Element ID\tDWA Element ID\tDWA Element Name",
            *TABLES["DWA Reference"][1:],
        ],
        "Tasks to DWAs": [row.replace("DWA ID", "DWA Element ID") for row in TABLES["Tasks to DWAs"]],
        "Education": [shares[0], *(row for row in shares[1:] if "\t2.D." in row)],
        "Training and Experience": [shares[0], *(row for row in shares[1:] if "\t3.A." in row)],
        "Education Categories": [categories[0], *(row for row in categories[1:] if row.startswith("2.D."))],
        "Training and Experience Categories": [categories[0], *(row for row in categories[1:] if row.startswith("3.A."))],
    }
    return tables


LAYOUTS = {"28.0": old_layout, "30.1": lambda: TABLES, "30.3": new_layout}


def write_release(folder: Path, tables: dict[str, list[str]] | None = None, *, layout: str = "30.1") -> Path:
    """Write ``tables``, or the invented release in one of ``LAYOUTS``, to a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in (tables or LAYOUTS[layout]()).items():
        (folder / f"{name}.txt").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


def zip_release(path: Path, tables: dict[str, list[str]] | None = None, inner: str = "db_30_1_text/") -> Path:
    """Write ``tables`` to a zip with an inner folder, as the official archives have it."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, rows in (tables or TABLES).items():
            bundle.writestr(f"{inner}{name}.txt", "\n".join(rows) + "\n")
    return path
