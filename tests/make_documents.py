"""Makes the small invented documents in ``fixtures/documents``: ``python tests/make_documents.py``.

Needs reportlab, and pdflatex and soffice for the files that are theirs; the tests need none of them, only the files. The person
and the firms do not exist.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import zipfile
import zlib
from pathlib import Path
from xml.sax.saxutils import escape

FOLDER = Path(__file__).parent / "fixtures" / "documents"

NAME = "Wilhelmina Testcase"
EMAIL = "w.testcase@example.org"
PHONE = "(503) 555-0142"
STREET = "17 Invented Lane"
PLACE = "Portland, OR 97200"
SUMMARY = "Bookkeeper with nine years in small firms, at home with month ends, payrolls and untidy shoeboxes of receipts."
JOBS = [
    (
        "Senior Bookkeeper",
        "Quince Lantern Ltd",
        "Portland, OR",
        "June 2016",
        "Present",
        [
            "Closes the books of four shops by the third working day and explains every odd figure to their owners.",
            "Chases unpaid invoices by letter and telephone until the money arrives.",
            "Trains two junior clerks in filing, petty cash and the art of the polite reminder.",
        ],
    ),
    (
        "Payroll Clerk",
        "Harbor Thistle Co",
        "Astoria, OR",
        "March 2012",
        "May 2016",
        [
            "Paid ninety seasonal workers on time, every fortnight, from handwritten timesheets.",
            "Moved the timesheets from paper into a shared spreadsheet that nobody feared.",
        ],
    ),
]
DEGREE = "Associate of Applied Science in Accounting"
SCHOOL = "Cedar Valley College, 2011"
SKILLS = [
    "QuickBooks",
    "Microsoft Excel",
    "Payroll",
    "Bank reconciliation",
    "Sales tax returns",
    "Petty cash",
    "Filing",
    "Budgeting",
]
LANGUAGES = ["English", "Portuguese"]


def main() -> None:
    """Write every document whose tools are installed."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    _reportlab()
    _word()
    (FOLDER / "wordlike.pdf").write_bytes(wordlike_pdf())
    (FOLDER / "broken_map.pdf").write_bytes(broken_map_pdf())
    (FOLDER / "scanned.pdf").write_bytes(scanned_pdf())
    if shutil.which("pdflatex"):
        for name, source in (("latex", LATEX), ("latex_columns", LATEX_COLUMNS), ("latex_margin", LATEX_MARGIN)):
            _latex(name, source)
    if shutil.which("soffice"):
        _libreoffice()


# --- reportlab: a sidebar on either side ---


def _reportlab() -> None:
    from reportlab.lib.pagesizes import letter
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.platypus import BaseDocTemplate, Frame, FrameBreak, PageTemplate, Paragraph, Spacer

    body = ParagraphStyle("body", fontName="Helvetica", fontSize=9.5, leading=12)
    heading = ParagraphStyle("heading", parent=body, fontName="Helvetica-Bold", fontSize=11, spaceBefore=10, spaceAfter=3)
    name = ParagraphStyle("name", parent=body, fontName="Helvetica-Bold", fontSize=20, leading=24)

    def side() -> list[object]:
        flow: list[object] = [Paragraph("CONTACT", heading)]
        flow += [Paragraph(line, body) for line in (EMAIL, PHONE, STREET, PLACE)]
        flow.append(Paragraph("SKILLS", heading))
        flow += [Paragraph(skill, body) for skill in SKILLS]
        flow.append(Paragraph("LANGUAGES", heading))
        return [*flow, *(Paragraph(language, body) for language in LANGUAGES)]

    def main_column() -> list[object]:
        flow: list[object] = [Paragraph("PROFILE", heading), Paragraph(SUMMARY, body), Paragraph("EXPERIENCE", heading)]
        for title, employer, place, start, end, duties in JOBS:
            flow.append(Paragraph(f"<b>{title}</b>", body))
            flow.append(Paragraph(f"{employer}, {place} | {start} - {end}", body))
            flow += [Paragraph(duty, body, bulletText="\u2022") for duty in duties]
            flow.append(Spacer(1, 6))
        return [*flow, Paragraph("EDUCATION", heading), Paragraph(f"{DEGREE}, {SCHOOL}", body)]

    width, height = letter
    narrow, margin = 150.0, 40.0
    wide = width - narrow - 3 * margin + 15
    top = 60.0

    def build(file: str, order: str) -> None:
        title = Frame(margin, height - margin - top, width - 2 * margin, top, id="title")
        low = height - 2 * margin - top
        if order == "side first":
            frames = [title, Frame(margin, margin, narrow, low), Frame(margin + narrow + 15, margin, wide, low)]
            flow = [Paragraph(NAME, name), FrameBreak(), *side(), FrameBreak(), *main_column()]
        elif order == "side last":
            frames = [title, Frame(margin, margin, wide, low), Frame(margin + wide + 15, margin, narrow, low)]
            flow = [Paragraph(NAME, name), FrameBreak(), *main_column(), FrameBreak(), *side()]
        else:
            # The name stands in the main column, and the sidebar beside it reaches the top of the page.
            high = height - 2 * margin
            frames = [Frame(margin, margin, narrow, high), Frame(margin + narrow + 15, margin, wide, high)]
            flow = [*side(), FrameBreak(), Paragraph(NAME, name), *main_column()]
        document = BaseDocTemplate(str(FOLDER / file), pagesize=letter, invariant=1, title="example")
        document.addPageTemplates([PageTemplate(frames=frames)])
        document.build(flow)

    build("sidebar_left.pdf", "side first")
    build("sidebar_right.pdf", "side last")
    build("sidebar_full_height.pdf", "side beside the name")
    _two_pages()


def _two_pages() -> None:
    """Make a sidebar layout whose two columns go on over two pages, drawn line by line across both, as some builders do."""
    from reportlab.pdfgen.canvas import Canvas

    canvas = Canvas(str(FOLDER / "two_pages.pdf"), pagesize=(612, 792), invariant=1)
    left = ["CONTACT", EMAIL, PHONE, "", "SKILLS", *SKILLS, "", "LANGUAGES", *LANGUAGES]
    right = [NAME, "", "EXPERIENCE"]
    for title, employer, place, start, end, duties in JOBS:
        right += ["", f"{title}, {employer}", f"{place}   {start} to {end}"]
        for duty in duties:
            words = duty.split()
            right += ["\u2022 " + " ".join(words[:9]), *([" ".join(words[9:])] if words[9:] else [])]
    for page, rows in enumerate((range(0, 14), range(14, max(len(left), len(right))))):
        canvas.setFont("Times-Roman", 10)
        for place, row in enumerate(rows):
            y = 740 - 14 * place
            for column, x in ((left, 40), (right, 215)):
                if row < len(column) and column[row]:
                    canvas.setFont("Times-Bold" if column[row].isupper() else "Times-Roman", 18 if column[row] == NAME else 10)
                    canvas.drawString(x, y, column[row])
        canvas.drawCentredString(306, 30, f"Page {page + 1} of 2")
        canvas.showPage()
    canvas.save()


# --- LaTeX ---

_ITEMS = "\n".join(
    "{} \\hfill {} -- {}\\\\\n{}, {}\n\\begin{{itemize}}{}\\end{{itemize}}".format(
        title, start, end, employer, place, "".join(f"\\item {duty}\n" for duty in duties)
    )
    for title, employer, place, start, end, duties in JOBS
)
_SIDE = "\\section*{Skills}\n" + "\\\\\n".join(SKILLS) + "\n\n\\section*{Languages}\n" + "\\\\\n".join(LANGUAGES)
LATEX = rf"""\documentclass[10pt]{{article}}\usepackage[margin=2.8cm]{{geometry}}\pagestyle{{empty}}\setlength{{\parindent}}{{0pt}}
\begin{{document}}
\begin{{center}}{{\large {NAME}}}\\ {EMAIL} $\cdot$ {PHONE}\end{{center}}
\section*{{Experience}}
{_ITEMS}
\section*{{Education}}
{DEGREE} \hfill 2011\\ Cedar Valley College
\section*{{Skills}}
{", ".join(SKILLS)}
\end{{document}}
"""
LATEX_COLUMNS = rf"""\documentclass[10pt]{{article}}\usepackage[margin=2cm]{{geometry}}\pagestyle{{empty}}\setlength{{\parindent}}{{0pt}}
\begin{{document}}
{{\large {NAME}}}\\[2ex]
\begin{{minipage}}[t]{{0.62\textwidth}}
\section*{{Experience}}
{_ITEMS}
\section*{{Education}}
{DEGREE}\\ {SCHOOL}
\end{{minipage}}\hfill
\begin{{minipage}}[t]{{0.3\textwidth}}
\section*{{Contact}}
{EMAIL}\\ {PHONE}
{_SIDE}
\end{{minipage}}
\end{{document}}
"""
_MARGIN_ROWS = "\n".join(
    "{} -- {} & {}, {}, {}\\newline {}\\\\[1ex]".format(start, end, title, employer, place, " ".join(duties))
    for title, employer, place, start, end, duties in JOBS
)
LATEX_MARGIN = rf"""\documentclass[10pt]{{article}}\usepackage[margin=2cm]{{geometry}}\usepackage{{array}}\pagestyle{{empty}}\setlength{{\parindent}}{{0pt}}
\begin{{document}}
{{\large {NAME}}}\\ {EMAIL}
\section*{{Employment}}
\begin{{tabular}}{{@{{}}p{{4.2cm}}p{{12cm}}@{{}}}}
{_MARGIN_ROWS}
\end{{tabular}}
\section*{{Education}}
\begin{{tabular}}{{@{{}}p{{4.2cm}}p{{12cm}}@{{}}}}
2009 -- 2011 & {DEGREE}, Cedar Valley College\\
\end{{tabular}}
\section*{{Skills}}
\begin{{tabular}}{{@{{}}p{{4.2cm}}p{{12cm}}@{{}}}}
Office & {", ".join(SKILLS[:4])}\\
Bookkeeping & {", ".join(SKILLS[4:])}\\
\end{{tabular}}
\end{{document}}
"""


def _latex(name: str, source: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / f"{name}.tex").write_text(source)
        subprocess.run(
            ["pdflatex", "-interaction=batchmode", f"{name}.tex"],
            cwd=folder,
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        shutil.copy(Path(folder) / f"{name}.pdf", FOLDER / f"{name}.pdf")


# --- Word ---

_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_NAMESPACES = (
    f'xmlns:w="{_W}" xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
    'xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape" xmlns:v="urn:schemas-microsoft-com:vml" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
)


def paragraph(text: str, *, style: str = "", item: bool = False, inner: str = "") -> str:
    """Return a paragraph of WordprocessingML, split into two runs as Word likes to do."""
    properties = (f'<w:pStyle w:val="{style}"/>' if style else "") + (
        '<w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr>' if item else ""
    )
    half = len(text) // 2
    runs = "".join(f'<w:r><w:t xml:space="preserve">{escape(part)}</w:t></w:r>' for part in (text[:half], text[half:]) if part)
    return f"<w:p><w:pPr>{properties}</w:pPr>{inner}{runs}</w:p>"


def cell(*paragraphs: str, width: int = 4500) -> str:
    """Return a table cell."""
    return f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/></w:tcPr>' + "".join(paragraphs) + "</w:tc>"


def row_table(*cells: str, widths: tuple[int, ...] = (4500, 4500)) -> str:
    """Return a table of one row."""
    grid = "".join(f'<w:gridCol w:w="{width}"/>' for width in widths)
    return f"<w:tbl><w:tblPr/><w:tblGrid>{grid}</w:tblGrid><w:tr>{''.join(cells)}</w:tr></w:tbl>"


def text_box(*paragraphs: str) -> str:
    """Return a run with a text box as Word writes it: once for itself, once more for older readers."""
    content = "<w:txbxContent>" + "".join(paragraphs) + "</w:txbxContent>"
    return (
        f'<w:r><mc:AlternateContent><mc:Choice Requires="wps"><w:drawing><wps:txbx>{content}</wps:txbx></w:drawing></mc:Choice>'
        f"<mc:Fallback><w:pict><v:textbox>{content}</v:textbox></w:pict></mc:Fallback></mc:AlternateContent></w:r>"
    )


def docx(body: str, **parts: str) -> dict[str, str]:
    """Return the parts of a Word file."""
    return {
        "[Content_Types].xml": '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>',
        "_rels/.rels": '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        '<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
        'Target="word/document.xml"/></Relationships>',
        "word/document.xml": f'<?xml version="1.0"?><w:document {_NAMESPACES}><w:body>{body}</w:body></w:document>',
        **{f"word/{name}.xml": f'<?xml version="1.0"?><w:part {_NAMESPACES}>{content}</w:part>' for name, content in parts.items()},
    }


def write_zip(path: Path, parts: dict[str, str]) -> None:
    """Write parts with a fixed date, so that the same parts make the same bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)


def _word() -> None:
    duties = [[paragraph(duty, item=True) for duty in job[5]] for job in JOBS]
    body = paragraph(NAME, style="Title", inner=text_box(paragraph("SKILLS"), *(paragraph(s) for s in SKILLS)))
    body += paragraph("Professional Experience", style="Heading1")
    for (title, employer, place, start, end, _), items in zip(JOBS, duties, strict=True):
        body += row_table(
            cell(paragraph(f"{title}, {employer}, {place}"), width=6500),
            cell(paragraph(f"{start} – {end}"), width=2500),
            widths=(6500, 2500),
        )
        body += "".join(items)
    body += paragraph("Education", style="Heading1") + paragraph(f"{DEGREE}, {SCHOOL}")
    note = f'<w:footnote w:id="1">{paragraph("Hours as agreed with the works council.")}</w:footnote>'
    write_zip(FOLDER / "word.docx", docx(body, header1=paragraph(f"{EMAIL}\t{PHONE}"), footnotes=note))

    side = [paragraph(NAME, style="Title"), paragraph("Contact", style="Heading2"), paragraph(EMAIL), paragraph(PHONE)]
    side += [paragraph("Skills", style="Heading2"), *(paragraph(s) for s in SKILLS)]
    column = [paragraph("Experience", style="Heading1")]
    for (title, employer, place, start, end, _), items in zip(JOBS, duties, strict=True):
        column += [paragraph(title), paragraph(f"{employer}, {place}"), paragraph(f"{start} – {end}"), *items]
    column += [paragraph("Education", style="Heading1"), paragraph(f"{DEGREE}, {SCHOOL}")]
    table = row_table(cell(*side, width=3000), cell(*column, width=6000), widths=(3000, 6000)) + paragraph("")
    write_zip(FOLDER / "word_columns.docx", docx(table))


def _libreoffice() -> None:
    with tempfile.TemporaryDirectory() as folder:
        command = [
            "soffice",
            "--headless",
            f"-env:UserInstallation=file://{folder}/profile",
            "--convert-to",
            "pdf",
            "--outdir",
            folder,
        ]
        subprocess.run([*command, str(FOLDER / "word.docx")], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        shutil.copy(Path(folder) / "word.pdf", FOLDER / "libreoffice.pdf")
        side = (
            "".join(f"<p>{line}</p>" for line in (EMAIL, PHONE))
            + "<h3>Skills</h3>"
            + "".join(f"<p>{skill}</p>" for skill in SKILLS)
        )
        jobs = "".join(
            f"<p>{t}<br>{e}, {p}<br>{s} - {x}</p><ul>{''.join(f'<li>{d}</li>' for d in ds)}</ul>" for t, e, p, s, x, ds in JOBS
        )
        columns = f"<table><tr><td width=170 valign=top><h3>Contact</h3>{side}</td><td valign=top><h3>Experience</h3>{jobs}</td></tr></table>"
        page = Path(folder) / "columns.html"
        page.write_text(f"<html><body><h1>{NAME}</h1>{columns}</body></html>")
        subprocess.run(
            [*command, "--infilter=HTML (StarWriter)", str(page)],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        shutil.copy(Path(folder) / "columns.pdf", FOLDER / "libreoffice_columns.pdf")
        command = [
            "soffice",
            "--headless",
            f"-env:UserInstallation=file://{folder}/profile",
            "--convert-to",
            "docx",
            "--outdir",
            folder,
        ]
        text = Path(folder) / "plain.html"
        rows = "".join(
            f"<h3>{t}</h3><p>{e}, {p}<br>{s} - {x}</p><ul>{''.join(f'<li>{d}</li>' for d in ds)}</ul>" for t, e, p, s, x, ds in JOBS
        )
        text.write_text(
            f"<html><body><h1>{NAME}</h1><p>{EMAIL}</p><h2>Experience</h2>{rows}<h2>Skills</h2><p>{', '.join(SKILLS)}</p></body></html>"
        )
        subprocess.run(
            [*command, "--infilter=HTML (StarWriter)", str(text)],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        shutil.copy(Path(folder) / "plain.docx", FOLDER / "libreoffice.docx")


# --- PDFs written by hand ---


def pdf(contents: str | bytes, *, resources: str = "", objects: list[bytes] | None = None, pages: int = 1, shown: int = 3) -> bytes:
    """Return a PDF whose ``pages`` all show ``contents``, or object ``shown``; ``objects`` are numbered from 10 on."""
    raw = contents.encode("latin-1") if isinstance(contents, str) else contents
    stream = zlib.compress(raw, 9)
    kids = " ".join(f"{1000 + n} 0 R" for n in range(pages))
    numbered: dict[int, bytes] = {
        1: b"<</Type/Catalog/Pages 2 0 R>>",
        2: f"<</Type/Pages/Kids[{kids}]/Count {pages}>>".encode(),
        3: b"<</Length %d/Filter/FlateDecode>>\nstream\n" % len(stream) + stream + b"\nendstream",
        4: b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
    }
    for place, item in enumerate(objects or []):
        numbered[10 + place] = item
    used = resources or "/Font<</F1 4 0 R>>"
    for n in range(pages):
        numbered[1000 + n] = f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents {shown} 0 R/Resources<<{used}>>>>".encode()
    out = bytearray(b"%PDF-1.7\n")
    offsets: dict[int, int] = {}
    for number, item in numbered.items():
        offsets[number] = len(out)
        out += b"%d 0 obj\n" % number + item + b"\nendobj\n"
    start = len(out)
    out += b"xref\n0 1\n0000000000 65535 f \n"
    for number in sorted(offsets):
        out += b"%d 1\n%010d 00000 n \n" % (number, offsets[number])
    out += b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (max(offsets) + 1, start)
    return bytes(out)


def _shown(text: str) -> str:
    return "(" + text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)").replace("•", "\\225") + ")"


def wordlike_pdf() -> bytes:
    """Return a page as Word writes it: each run placed anew, kerned inside words, spaces shown on their own, text marked."""
    lines: list[tuple[float, str]] = [
        (20, NAME),
        (10, f"{EMAIL} | {PHONE} | {PLACE}"),
        (0, ""),
        (12, "WORK EXPERIENCE"),
    ]
    for title, employer, place, start, end, duties in JOBS:
        lines += [(10, f"{title} – {employer}, {place}".replace("–", "-")), (10, f"{start} - {end}")]
        for duty in duties:
            lines += (
                [(10, "• " + duty[: duty.rfind(" ", 0, 80)]), (10, duty[duty.rfind(" ", 0, 80) + 1 :])]
                if len(duty) > 80
                else [(10, "• " + duty)]
            )
    lines += [(0, ""), (12, "EDUCATION"), (10, f"{DEGREE}, {SCHOOL}"), (0, ""), (12, "SKILLS"), (10, ", ".join(SKILLS))]
    parts: list[str] = []
    y = 740.0
    for number, (size, text) in enumerate(lines):
        y -= max(size, 6) * 1.35
        if not text:
            continue
        middle = len(text) // 2
        while middle < len(text) and text[middle] != " ":
            middle += 1
        first, rest = text[:middle], text[middle + 1 :]
        parts.append(
            f"/P <</MCID {number}>> BDC q\n0.000008871 0 595.32 841.92 re\nW* n\nBT\n/F1 {size} Tf\n1 0 0 1 72.02 {y:.2f} Tm\n0 g\n0 G\n"
        )
        kerned = "".join(f"{_shown(first[p : p + 3])}{3 if p % 2 else -4}" for p in range(0, len(first), 3))
        parts.append(f"[{kerned}] TJ\nET\nQ\n")
        if rest:
            x = 72.02 + size * _width(first)
            parts.append(f"q\nBT\n/F1 {size} Tf\n1 0 0 1 {x:.2f} {y:.2f} Tm\n[( )] TJ\nET\nQ\nq\nBT\n/F1 {size} Tf\n")
            parts.append(f"1 0 0 1 {x + 0.278 * size:.2f} {y:.2f} Tm\n[{_shown(rest)}] TJ\nET\nQ\n")
        parts.append("EMC\n")
    return pdf("".join(parts))


def _width(text: str) -> float:
    """Return the width of a text in Helvetica, in ems."""
    from reportlab.pdfbase.pdfmetrics import stringWidth

    return float(stringWidth(text, "Helvetica", 1))


def broken_map_pdf() -> bytes:
    """Return a page that looks right and whose font maps every letter to another character, as careless subsetting does."""
    text = "\n".join([SUMMARY, *(duty for job in JOBS for duty in job[5])])
    shifted = [[chr(ord(c) + 5) if c.isalpha() and c not in "vwxyzVWXYZ" else c for c in line] for line in text.split("\n")]
    lines = "".join(f"1 0 0 1 60 {700 - 14 * n} Tm {_shown(''.join(line))} Tj\n" for n, line in enumerate(shifted))
    pairs = "".join(f"<{code:02X}> <{0x61 + (code * 7 + 3) % 26:04X}>\n" for code in range(0x41, 0x7B))
    cmap = f"/CIDInit /ProcSet findresource begin begincmap 1 begincodespacerange <00> <FF> endcodespacerange\n58 beginbfchar\n{pairs}endbfchar endcmap"
    body = b"<</Length %d>>\nstream\n" % len(cmap) + cmap.encode() + b"\nendstream"
    font = b"<</Type/Font/Subtype/Type1/BaseFont/ABCDEF+Broken/Encoding/WinAnsiEncoding/ToUnicode 10 0 R>>"
    return pdf(f"BT /F1 9 Tf {lines} ET", resources="/Font<</F1 11 0 R>>", objects=[body, font])


def scanned_pdf() -> bytes:
    """Return a page that is one picture."""
    pixels = zlib.compress(bytes(255 if (x // 9 + y // 14) % 3 else 60 for y in range(110) for x in range(85)), 9)
    image = (
        b"<</Type/XObject/Subtype/Image/Width 85/Height 110/ColorSpace/DeviceGray/BitsPerComponent 8/Filter/FlateDecode/Length %d>>"
        % len(pixels)
    )
    return pdf(
        "q 612 0 0 792 0 0 cm /Im1 Do Q",
        resources="/XObject<</Im1 10 0 R>>",
        objects=[image + b"\nstream\n" + pixels + b"\nendstream"],
    )


if __name__ == "__main__":
    main()
