"""Documents: what comes out of each format and producer, what is refused and why, and what a hostile file may cost."""

from __future__ import annotations

import functools
import io
import os
import struct
import subprocess
import sys
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from matcher import _reader
from matcher.documents import (
    CorruptDocument,
    CostlyDocument,
    DocumentError,
    EncryptedDocument,
    UnreadableText,
    UnsupportedDocument,
    read_document,
)
from matcher.resume import read_query
from tests.make_documents import DEGREE, EMAIL, JOBS, NAME, SKILLS, cell, docx, paragraph, pdf, row_table, text_box

FIXTURES = Path(__file__).parent / "fixtures" / "documents"
REPOSITORY = Path(__file__).parents[1]
WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
DUTIES = [duty for job in JOBS for duty in job[5]]
TITLES = [job[0] for job in JOBS]
RESUMES = [
    "sidebar_left.pdf",
    "sidebar_right.pdf",
    "sidebar_full_height.pdf",
    "two_pages.pdf",
    "latex.pdf",
    "latex_columns.pdf",
    "latex_margin.pdf",
    "libreoffice.pdf",
    "libreoffice_columns.pdf",
    "libreoffice.docx",
    "wordlike.pdf",
    "word.docx",
    "word_columns.docx",
]


@functools.cache
def fixture_text(name: str) -> str:
    """Return the text of a fixture; each is opened once."""
    return read_document(FIXTURES / name)


def zipped(parts: dict[str, str]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return data.getvalue()


# --- what comes out ---


@pytest.mark.parametrize("name", RESUMES)
def test_every_producer_and_layout_yields_the_same_positions_and_duties(name: str) -> None:
    query = read_query(document_text=fixture_text(name))
    assert [(job.title, job.start, job.end, job.current) for job in query.jobs] == [
        (TITLES[0], (2016, 6), None, True),
        (TITLES[1], (2012, 3), (2016, 5), False),
    ]
    # Had two columns run into each other, a line of one would stand within a sentence of the other.
    assert [p.text for p in query.phrases if p.role == "duty"] == DUTIES
    said = " ".join(p.text for p in query.phrases)
    for canary in ("Testcase", "example.org", "555", "Quince", "Thistle", "Astoria", "Cedar"):
        assert canary not in said


@pytest.mark.parametrize("name", [n for n in RESUMES if n != "libreoffice.pdf"])
def test_skills_stay_together(name: str) -> None:
    skills = [p.text for p in read_query(document_text=fixture_text(name)).phrases if p.role == "skill"]
    labels = ["Office", "Bookkeeping"]
    assert [skill for skill in skills if skill not in labels] == SKILLS


@pytest.mark.parametrize("name", ["latex.pdf", "latex_columns.pdf", "word.docx", "sidebar_left.pdf", "wordlike.pdf"])
def test_degrees_are_found(name: str) -> None:
    assert read_query(document_text=fixture_text(name)).degrees == (DEGREE,)


def test_ligatures_and_dashes_of_tex_fonts_are_mended() -> None:
    text = fixture_text("latex.pdf")
    assert "odd figure to" in text
    assert "clerks in filing" in text
    assert "June 2016 – Present" in text


def test_dates_in_a_margin_stay_with_what_they_date() -> None:
    lines = fixture_text("latex_margin.pdf").splitlines()
    assert any(line.startswith("June 2016 – Present") and TITLES[0] in line for line in lines)


def test_columns_that_go_on_over_the_page_are_joined_column_by_column() -> None:
    text = fixture_text("two_pages.pdf")
    assert text.index("nobody feared") < text.index("CONTACT") < text.index("Portuguese")
    assert "Page 1" not in text


def test_the_name_comes_first_though_the_sidebar_is_left_of_it() -> None:
    assert fixture_text("sidebar_full_height.pdf").startswith(NAME)


def test_a_word_file_gives_headers_text_boxes_lists_tables_and_notes_once_and_in_order() -> None:
    text = fixture_text("word.docx")
    places = [
        text.index(part) for part in (EMAIL, NAME, SKILLS[0], "Professional Experience", "June 2016", DUTIES[0], "works council")
    ]
    assert places == sorted(places)
    # A text box stands twice in the file: for Word, and for readers that know no shapes.
    assert text.count(SKILLS[0]) == 1
    assert f"• {DUTIES[0]}" in text
    assert f"{TITLES[0]}, {JOBS[0][1]}, {JOBS[0][2]}\t{JOBS[0][3]} – {JOBS[0][4]}" in text


def test_hidden_and_deleted_words_of_a_word_file_are_not_read() -> None:
    body = (
        paragraph("Seen words")
        + "<w:p><w:r><w:rPr><w:vanish/></w:rPr><w:t>hidden</w:t></w:r><w:del><w:r><w:delText>struck</w:delText></w:r></w:del>"
        '<w:r><w:instrText>PAGE</w:instrText></w:r><w:r><w:rPr><w:vanish w:val="0"/></w:rPr><w:t>shown</w:t></w:r></w:p>'
    )
    assert read_document(zipped(docx(body))) == "Seen words\nshown"


def test_a_text_box_within_a_table_within_a_text_box_is_read() -> None:
    inner = row_table(cell(paragraph("left", inner=text_box(paragraph("deep")))), cell(paragraph("right")))
    text = read_document(zipped(docx(paragraph("outer", inner=text_box(inner)))))
    assert text.split() == ["outer", "left", "deep", "right"]


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("Café – naïve".encode(), "Café – naïve"),
        ("\ufeffCafé".encode(), "Café"),
        ("Café work".encode("utf-16"), "Café work"),
        ("Plain words in wide letters".encode("utf-16-le"), "Plain words in wide letters"),
        ("Café au lait, crème brûlée, pâté à la maison".encode("cp1252"), "Café au lait, crème brûlée, pâté à la maison"),
        (b"# Markdown\n\n* item", "# Markdown\n\n* item"),
        (b'{"work": []}', '{"work": []}'),
        (b"{braces} and words", "{braces} and words"),
        (b"", ""),
    ],
)
def test_text_files_are_read_in_their_encoding(data: bytes, text: str) -> None:
    assert read_document(data) == text


def test_the_content_decides_and_not_the_name(tmp_path: Path) -> None:
    misnamed = tmp_path / "resume.txt"
    misnamed.write_bytes((FIXTURES / "word.docx").read_bytes())
    assert NAME in read_document(str(misnamed))


def test_a_long_text_is_cut_and_the_query_says_so() -> None:
    text = read_document(b"Peeled potatoes. " * 100_000)
    assert len(text) == _reader.MAX_CHARACTERS
    assert read_query(document_text=text).truncated


# --- what is refused ---


def encrypted_pdf() -> bytes:
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter(clone_from=PdfReader(FIXTURES / "wordlike.pdf"))
    writer.encrypt("secret", algorithm="RC4-128")
    data = io.BytesIO()
    writer.write(data)
    return data.getvalue()


OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
REFUSED: dict[str, tuple[Callable[[], bytes], type[DocumentError], str, str]] = {
    "encrypted pdf": (encrypted_pdf, EncryptedDocument, "encrypted", "password"),
    "encrypted docx": (lambda: OLD_OFFICE + "EncryptedPackage".encode("utf-16-le"), EncryptedDocument, "encrypted", "password"),
    "doc": (lambda: OLD_OFFICE, UnsupportedDocument, "unsupported", ".docx or PDF"),
    "rtf": (lambda: rb"{\rtf1\ansi words}", UnsupportedDocument, "unsupported", ".docx or PDF"),
    "odt": (
        lambda: zipped({"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": "<a/>"}),
        UnsupportedDocument,
        "unsupported",
        ".docx or PDF",
    ),
    "xlsx": (lambda: zipped({"[Content_Types].xml": "", "xl/workbook.xml": ""}), UnsupportedDocument, "unsupported", "PDF"),
    "zip": (lambda: zipped({"resume.pdf": ""}), UnsupportedDocument, "unsupported", "archive"),
    "png": (lambda: b"\x89PNG\r\n\x1a\n" + bytes(99), UnsupportedDocument, "unsupported", "paste the text"),
    "jpeg": (lambda: b"\xff\xd8\xff\xe0" + bytes(99), UnsupportedDocument, "unsupported", "paste the text"),
    "heic": (lambda: b"\0\0\0\x18ftypheic" + bytes(99), UnsupportedDocument, "unsupported", "paste the text"),
    "html": (lambda: b"<!DOCTYPE html><html></html>", UnsupportedDocument, "unsupported", "PDF"),
    "binary": (lambda: bytes(range(32)) * 99, UnsupportedDocument, "unsupported", ".docx"),
    "cut pdf": (lambda: (FIXTURES / "wordlike.pdf").read_bytes()[:300], CorruptDocument, "corrupt", "broken"),
    "cut docx": (lambda: (FIXTURES / "word.docx").read_bytes()[:-40], CorruptDocument, "corrupt", "broken"),
    "broken xml": (lambda: zipped({**docx(""), "word/document.xml": "<w:p"}), CorruptDocument, "corrupt", "broken"),
    "no document part": (
        lambda: zipped({"[Content_Types].xml": "", "word/styles.xml": ""}),
        CorruptDocument,
        "corrupt",
        "document.xml",
    ),
    "broken json": (lambda: b'{"work": [', CorruptDocument, "corrupt", "JSON"),
    "zip bomb": (lambda: word_part(b"a" * 1_000_000, 60), CostlyDocument, "too_costly", "50 MB"),
    "xml entities": (lambda: zipped({**docx(""), "word/document.xml": entities()}), CostlyDocument, "too_costly", "entities"),
    "many pages": (lambda: pdf("", pages=301), CostlyDocument, "too_costly", "300 pages"),
    "many pages that say one": (
        lambda: pdf("", pages=301).replace(b"/Count 301", b"/Count 1  "),
        CostlyDocument,
        "too_costly",
        "300 pages",
    ),
    "scanned pdf": ((FIXTURES / "scanned.pdf").read_bytes, UnreadableText, "no_text_layer", "pictures"),
    "empty docx": (lambda: zipped(docx(paragraph(""))), UnreadableText, "no_text_layer", "text"),
    "broken text layer": ((FIXTURES / "broken_map.pdf").read_bytes, UnreadableText, "garbled_text", "anew"),
}


@pytest.mark.parametrize("case", REFUSED, ids=REFUSED)
def test_what_cannot_be_read_is_refused_with_a_reason_and_what_to_do(case: str) -> None:
    make, kind, reason, advice = REFUSED[case]
    with pytest.raises(kind) as error:
        read_document(make(), name="résumé.xyz")
    assert error.value.reason == reason
    assert advice in error.value.detail
    assert "résumé.xyz" in str(error.value)
    assert "words" not in str(error.value)


def test_a_pdf_that_only_forbids_printing_is_read() -> None:
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter(clone_from=PdfReader(FIXTURES / "wordlike.pdf"))
    writer.encrypt("", owner_password="owner", algorithm="RC4-128")
    data = io.BytesIO()
    writer.write(data)
    assert NAME in read_document(data.getvalue())


def test_a_pdf_of_few_words_is_read_where_no_picture_hides_more() -> None:
    assert read_document(pdf("BT /F1 9 Tf 60 700 Td (Welder) Tj ET")).strip() == "Welder"


def test_a_file_that_is_not_there_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_document(tmp_path / "none.pdf")


# --- the child ---


def run(arguments: list[str], folder: Path) -> str:
    paths = os.pathsep.join([str(REPOSITORY), *(p for p in sys.path if p and p != str(REPOSITORY))])
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": paths},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


SCRIPT = f"from matcher.documents import read_document\nprint(len(read_document({str(FIXTURES / 'word.docx')!r})), end=' ')\n"


def test_the_child_works_from_an_unguarded_script_and_from_c(tmp_path: Path) -> None:
    expected = f"{len(read_document(FIXTURES / 'word.docx'))} "
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    # Were the script run again by the child, its line would be printed twice.
    assert run([str(script)], tmp_path) == expected
    assert run(["-c", SCRIPT], tmp_path) == expected


def test_modules_in_the_current_folder_are_not_run_by_the_child(tmp_path: Path) -> None:
    for name in ("zipfile", "defusedxml", "logging", "matcher"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('run!')\n")
    script = tmp_path / "elsewhere" / "script.py"
    script.parent.mkdir()
    script.write_text(SCRIPT)
    assert run([str(script)], tmp_path).strip().isdigit()


def test_the_child_can_write_no_file(tmp_path: Path) -> None:
    code = (
        "import matcher._reader as r\nr.limit_resources()\n"
        f"try:\n open({str(tmp_path / 'x')!r}, 'w').write('y' * 9999)\nexcept OSError as error: print('refused')"
    )
    assert run(["-c", code], tmp_path) == "refused\n"


# --- bombs ---


def word_part(middle: bytes, times: int) -> bytes:
    """Return an archive whose main part has ``middle`` ``times`` over, written in pieces: the parent never holds it."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        with archive.open("word/document.xml", "w") as part:
            part.write(f'<w:document xmlns:w="{WORD}"><w:body><w:p><w:r><w:t>'.encode())
            for _ in range(times):
                part.write(middle)
            part.write(b"</w:t></w:r></w:p></w:body></w:document>")
    return data.getvalue()


def lying_sizes() -> bytes:
    data = word_part(b"a" * 1_000_000, 25)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        size = archive.getinfo("word/document.xml").file_size
    return data.replace(struct.pack("<I", size), struct.pack("<I", 1000))


def overlapping_entries() -> bytes:
    """Return an archive in which three names share the same 15 MB."""
    base = word_part(b"a" * 1_000_000, 15)
    with zipfile.ZipFile(io.BytesIO(base)) as archive:
        info, count = archive.getinfo("word/document.xml"), len(archive.infolist())
    end = base.rfind(b"PK\x05\x06")
    start = struct.unpack("<I", base[end + 16 : end + 20])[0]
    directory = base[start:end]
    for number in range(2):
        name = f"word/header{number}.xml".encode()
        directory += struct.pack(
            "<4s4B4HL2L5H2L", b"PK\x01\x02", 20, 3, 20, 0, 0, 8, 0, 0, info.CRC, info.compress_size, info.file_size, len(name),
            0, 0, 0, 0, 0, info.header_offset,
        ) + name  # fmt: skip
        count += 1
    return base[:start] + directory + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count, count, len(directory), start, 0)


def entities() -> str:
    levels = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    return (
        f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e0 "ha">{levels}]>'
        f'<w:document xmlns:w="{WORD}"><w:p><w:r><w:t>&e9;</w:t></w:r></w:p></w:document>'
    )


def nested(tag: str, depth: int) -> str:
    return f'<w:document xmlns:w="{WORD}">' + f"<w:{tag}>" * depth + f"</w:{tag}>" * depth + "</w:document>"


def deflated(megabytes: int, times: int = 1) -> bytes:
    packer = zlib.compressobj(9)
    raw = b"".join(packer.compress(b" " * 1_000_000) for _ in range(megabytes)) + packer.flush()
    for _ in range(times - 1):
        raw = zlib.compress(raw, 9)
    stream = b"<</Length %d/Filter[%s]>>\nstream\n" % (len(raw), b"/FlateDecode" * times) + raw + b"\nendstream"
    return pdf("", objects=[stream], shown=10)


def forms(depth: int) -> bytes:
    def form(inside: bytes, resources: bytes) -> bytes:
        head = b"<</Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<<%s>>/Length %d>>" % (resources, len(inside))
        return head + b"\nstream\n" + inside + b"\nendstream"

    objects = [form(b"/A Do /A Do /A Do", b"/XObject<</A %d 0 R>>" % (11 + n)) for n in range(depth)]
    objects.append(form(b"BT /F1 9 Tf (Hello there) Tj ET", b"/Font<</F1 4 0 R>>"))
    return pdf("/A Do " * 10, resources="/XObject<</A 10 0 R>>/Font<</F1 4 0 R>>", objects=objects)


def endless_tree() -> bytes:
    objects = [b"<</Type/Pages/Kids[11 0 R 11 0 R]/Count 2>>", b"<</Type/Pages/Kids[10 0 R 11 0 R 10 0 R]/Count 2>>"]
    return pdf("", objects=objects).replace(b"/Pages 2 0 R", b"/Pages 10 0 R")


QUICK: dict[str, Callable[[], bytes]] = {
    "more than is read": lambda: word_part(b"a" * 1_000_000, 40),
    "deep xml": lambda: zipped({**docx(""), "word/document.xml": nested("p", 100_000)}),
    "too many entries": lambda: zipped({**docx(""), **{f"word/x{n}.xml": "" for n in range(2_100)}}),
    "lying sizes": lying_sizes,
    "overlapping entries": overlapping_entries,
    "deep json": lambda: b'{"work":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "too large": lambda: bytes(21 * 2**20),
}
SLOW: dict[str, Callable[[], bytes]] = {
    "zip bomb of a gigabyte": lambda: word_part(b"a" * 1_000_000, 1_000),
    "millions of paragraphs": lambda: zipped(
        {**docx(""), "word/document.xml": f'<w:document xmlns:w="{WORD}">' + "<w:p/>" * 3_000_000 + "</w:document>"}
    ),
    "100,000 pages": lambda: pdf("BT /F1 9 Tf (Hello) Tj ET", pages=100_000),
    "100,000 pages that say one": lambda: pdf("BT /F1 9 Tf (Hello) Tj ET", pages=100_000).replace(
        b"/Count 100000", b"/Count 1     "
    ),
    "endless page tree": endless_tree,
    "content of a gigabyte": lambda: deflated(1_000),
    "content packed twice": lambda: deflated(1_000, 2),
    "much content": lambda: deflated(60),
    "two million operators": lambda: pdf("BT /F1 9 Tf " + "(a) Tj 1 0 Td " * 2_000_000 + "ET"),
    "five million states": lambda: pdf("q " * 5_000_000),
    "deep arrays": lambda: pdf("BT /F1 9 Tf " + "[" * 200_000 + "]" * 200_000 + " TJ ET"),
    "forms in forms": lambda: forms(30),
    "random bytes": lambda: b"%PDF-1.4\n" + os.urandom(19_000_000),
    "a million objects": lambda: b"%PDF-1.4\n" + b"1 0 obj\n<<>>\nendobj\n" * 900_000 + b"trailer <</Root 1 0 R>>",
}

MEASURE = """
import resource, sys, time
from matcher.documents import DocumentError, read_document
before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
try:
    answer = f"read {len(read_document(sys.argv[1]))}"
except DocumentError as error:
    answer = error.reason
print(answer, time.monotonic() - began, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


def measured(data: bytes, folder: Path) -> tuple[str, float, float]:
    """Return the reason, the seconds and the megabytes that a document costs the process that asks for it."""
    bomb = folder / "bomb"
    bomb.write_bytes(data)
    *reason, seconds, megabytes = run(["-c", MEASURE, str(bomb)], folder).split()
    return " ".join(reason), float(seconds), float(megabytes)


@pytest.mark.parametrize("case", QUICK, ids=QUICK)
def test_a_bomb_is_refused_at_little_cost(case: str, tmp_path: Path) -> None:
    reason, seconds, megabytes = measured(QUICK[case](), tmp_path)
    assert reason in ("too_costly", "corrupt")
    assert seconds < 3
    assert megabytes <= 5


@pytest.mark.slow
@pytest.mark.parametrize("case", SLOW, ids=SLOW)
def test_a_costly_bomb_is_refused_within_six_seconds(case: str, tmp_path: Path) -> None:
    reason, seconds, megabytes = measured(SLOW[case](), tmp_path)
    # pypdf stops following forms by itself and reads what it has until then.
    assert reason in ("too_costly", "corrupt", "no_text_layer") or case == "forms in forms"
    assert seconds <= 6
    assert megabytes <= 5


def test_a_child_that_hangs_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("matcher.documents.WALL_SECONDS", 0.3)
    monkeypatch.setattr("matcher.documents._MODULE", "this_module_hangs")
    monkeypatch.setattr("matcher.documents.sys.path", [str(FIXTURES.parent / "hanging"), *sys.path])
    began = time.monotonic()
    with pytest.raises(CostlyDocument):
        read_document(b"words")
    assert time.monotonic() - began < 3


@pytest.mark.parametrize("answer", [b"", b"nonsense", b"[]", b'{"error": "surprise"}', b"x" * 4_000_001])
def test_whatever_the_child_answers_ends_in_a_typed_error(answer: bytes) -> None:
    from matcher.documents import _text_of

    with pytest.raises(DocumentError):
        _text_of(answer, False, None)
