"""Makes data/examples/resume.pdf, an invented two-column résumé; needs reportlab, which nothing else here does."""

from __future__ import annotations

from pathlib import Path

from reportlab.lib.pagesizes import LETTER
from reportlab.lib.utils import simpleSplit
from reportlab.pdfgen.canvas import Canvas

SIDE = [
    ("B", "CONTACT"), ("", "casey.example@example.org"), ("", "(555) 010-0177"), ("", ""),
    ("B", "SKILLS"), ("", "SQL"), ("", "Tableau"), ("", "Microsoft Excel"), ("", "Python"), ("", "QuickBooks"), ("", "Power BI"),
    ("", "GAAP"), ("", ""), ("B", "EDUCATION"), ("", "B.S. Accounting"), ("", "Example University, 2014"),
]  # fmt: skip
MAIN = [
    ("B", "Casey Example"), ("", ""),
    ("B", "EXPERIENCE"),
    ("B", "Business Intelligence Analyst, Northwind Example Co."), ("", "April 2021 - Present"),
    ("", "- Build dashboards that show sales, stock and margin by store, and refresh them each night"),
    ("", "- Write SQL to join orders, returns and payments and trace where figures disagree"),
    ("", "- Interview managers about what they decide each week and turn it into reports they use"),
    ("", "- Forecast demand from three years of orders and explain the error to buyers"),
    ("", ""),
    ("B", "Staff Accountant, Example Foods Inc."), ("", "July 2014 - March 2021"),
    ("", "- Closed the books each month, posted journal entries and reconciled bank accounts"),
    ("", "- Prepared schedules for outside auditors and answered their questions"),
    ("", "- Moved the chart of accounts into a new ERP system and tested the balances"),
]  # fmt: skip


def make(path: Path) -> None:
    """Write the PDF."""
    canvas = Canvas(str(path), pagesize=LETTER, invariant=True)
    canvas.setTitle("An invented résumé")
    for left, width, lines in ((40, 140, SIDE), (210, 360, MAIN)):
        y = 740
        for bold, line in lines:
            font = "Helvetica-Bold" if bold else "Helvetica"
            for part in simpleSplit(line, font, 10, width) or [""]:
                canvas.setFont(font, 10)
                canvas.drawString(left, y, part)
                y -= 14
    canvas.save()


if __name__ == "__main__":
    make(Path(__file__).parents[1] / "data" / "examples" / "resume.pdf")
