"""The child process that opens documents: ``python -m matcher._reader``.

The document comes on standard input, its text leaves on standard output as one JSON object: ``{"text": …}``, or
``{"error": reason, "detail": …}``. Limits on memory, processor time and files are set before the first byte is read; whatever
still goes wrong in here ends this process and no other. Nothing is written anywhere else.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from io import BytesIO
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matcher.layout import Piece

MEMORY = 768 * 2**20
SECONDS = 5
MAX_BYTES = 20 * 2**20
#: More text than this is never read (a query is cut at 20,000 words and 200,000 characters); it marks a text as cut.
MAX_CHARACTERS = 300_000
MAX_PAGES = 300
READ_PAGES = 60
MAX_PIECES = 30_000
ZIP_ENTRIES = 2_000
ZIP_DECLARED = 50 * 2**20
ZIP_READ = 20 * 2**20
XML_DEPTH = 1_000


class Refusal(Exception):
    """A document that is not read; ``reason`` is one of those of :class:`matcher.documents.DocumentError`."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


def main() -> None:
    """Read a document from standard input and write its text to standard output."""
    # Its compiled form can be kept only while files may still be written.
    import matcher.layout  # noqa: F401

    limit_resources()
    try:
        data = sys.stdin.buffer.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise Refusal("too_costly", f"it is larger than {MAX_BYTES // 2**20} MB")
        answer = {"text": extract(data)}
    except Refusal as refusal:
        answer = {"error": refusal.reason, "detail": refusal.detail}
    except (MemoryError, RecursionError):
        answer = {"error": "too_costly", "detail": "opening it takes too much memory"}
    except Exception as error:  # noqa: BLE001  # whatever a parser raises on a broken file means that it is broken
        answer = {"error": "corrupt", "detail": f"it cannot be read ({type(error).__name__})"}
    sys.stdout.write(json.dumps(answer))
    sys.stdout.flush()


def limit_resources() -> None:
    """Bound what this process may use; where the system has no such limits (Windows), the parent's clock remains."""
    try:
        import resource
    except ImportError:
        return
    for name, value in (("RLIMIT_AS", MEMORY), ("RLIMIT_CPU", SECONDS), ("RLIMIT_FSIZE", 0), ("RLIMIT_CORE", 0)):
        limit = getattr(resource, name, None)
        if limit is None:
            continue
        try:
            hard = resource.getrlimit(limit)[1]
            if hard == resource.RLIM_INFINITY or hard > value:
                # One second between the signal and the kill, so that the reason can still be told.
                resource.setrlimit(limit, (value, value + 1 if name == "RLIMIT_CPU" else value))
        except (OSError, ValueError):
            # macOS refuses a limit on address space.
            continue


def extract(data: bytes) -> str:
    """Return the text of a document, told by its content. Raises Refusal."""
    kind = sniff(data)
    if kind == "pdf":
        return read_pdf(data)
    if kind == "docx":
        return read_docx(data)
    return read_plain(data)


# --- what it is ---------------------------------------------------------------------------------------------------------------

_PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"II*\x00", b"MM\x00*", b"BM", b"\x00\x00\x01\x00", b"8BPS")


def sniff(data: bytes) -> str:
    """Return ``pdf``, ``docx`` or ``plain``. Raises Refusal, saying what to do, for a format that is not read."""
    head = data[:1024]
    if b"%PDF-" in head or head.lstrip().startswith(b"%PDF"):  # the second is broken, and no text either
        return "pdf"
    if data[:4] == b"PK\x03\x04":
        return _sniff_zip(data)
    if data[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        if b"E\x00n\x00c\x00r\x00y\x00p\x00t\x00e\x00d\x00P\x00a\x00c\x00k\x00a\x00g\x00e" in data:
            raise Refusal("encrypted", "it is protected by a password; save it without one")
        raise Refusal("unsupported", "it is an old Office file (.doc); open it and save it as .docx or PDF")
    if head.lstrip()[:5] == b"{\\rtf":
        raise Refusal("unsupported", "it is a rich text file (.rtf); open it and save it as .docx or PDF")
    is_picture = (data[:4] == b"RIFF" and data[8:12] == b"WEBP") or data[4:12] in (
        b"ftypheic",
        b"ftypheif",
        b"ftypmif1",
        b"ftypavif",
    )
    if is_picture or data.startswith(_PICTURES[:5]) or (data.startswith(_PICTURES[5:]) and b"\x00" in head):
        raise Refusal("unsupported", "it is a picture; give a PDF or .docx with text in it, or paste the text")
    if re.match(rb"\s*(?:<!doctype html|<html)", head, re.I):
        raise Refusal("unsupported", "it is a web page (.html); print it to PDF, or paste the text")
    return "plain"


def _sniff_zip(data: bytes) -> str:
    names = set(_open_zip(data).names)
    if "[Content_Types].xml" in names and any(name.startswith("word/") for name in names):
        return "docx"
    if "mimetype" in names or any(name.endswith("content.xml") for name in names):
        raise Refusal("unsupported", "it is an OpenDocument file (.odt); open it and save it as .docx or PDF")
    if any(name.startswith(("xl/", "ppt/")) for name in names):
        raise Refusal("unsupported", "it is a spreadsheet or a presentation; save it as PDF")
    raise Refusal("unsupported", "it is an archive; give the document in it: PDF, .docx, .txt, .md or .json")


# --- text ---------------------------------------------------------------------------------------------------------------------


def read_plain(data: bytes) -> str:
    """Return the characters of a text file (.txt, .md, .json) in whatever encoding. Raises Refusal for what is no text."""
    text = _decode(data)
    odd = sum(1 for c in text[:20_000] if c < "\t" or "\x0e" <= c < " ")
    if odd > 0.05 * min(len(text), 20_000):
        raise Refusal("unsupported", "it is none of PDF, .docx, .txt, .md and .json")
    if text.lstrip("\ufeff \t\r\n")[:1] == "{":
        _check_json(text)
    return text[:MAX_CHARACTERS]


def _decode(data: bytes) -> str:
    for mark, encoding in (
        (b"\xef\xbb\xbf", "utf-8-sig"),
        (b"\xff\xfe\x00\x00", "utf-32"),
        (b"\x00\x00\xfe\xff", "utf-32"),
    ):
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace")
    head = data[:4000]
    if len(head) >= 4 and b"\x00" in head:
        for encoding, zeros in (("utf-16-le", head[1::2]), ("utf-16-be", head[::2])):
            if zeros.count(0) > 0.7 * len(zeros):
                return data.decode(encoding, "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    from charset_normalizer import from_bytes

    guess = from_bytes(data[:65_536], explain=False).best()
    try:
        return data.decode(guess.encoding if guess else "cp1252", "replace")
    except LookupError:
        return data.decode("latin-1")


def _check_json(text: str) -> None:
    """Refuse a broken JSON Resume; what merely begins with a brace stays text."""
    try:
        json.loads(text.lstrip("\ufeff"))
    except RecursionError:
        raise Refusal("too_costly", "its JSON is nested too deeply") from None
    except ValueError as error:
        if re.search(r'"(?:basics|work|education|skills)"\s*:', text[:200_000]):
            raise Refusal("corrupt", f"it looks like a JSON Resume but is not JSON ({error})") from None
        return
    if len(text) > MAX_CHARACTERS:
        raise Refusal("too_costly", f"a JSON file may have {MAX_CHARACTERS} characters")


# --- DOCX ---------------------------------------------------------------------------------------------------------------------


class _Zip:
    """An archive whose entries are read while counting: what the archive says of their sizes is not believed."""

    def __init__(self, data: bytes) -> None:
        import zipfile

        try:
            self.archive = zipfile.ZipFile(BytesIO(data))
        except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
            raise Refusal("corrupt", f"its archive is broken ({type(error).__name__})") from None
        infos = self.archive.infolist()
        if len(infos) > ZIP_ENTRIES:
            raise Refusal("too_costly", f"its archive has more than {ZIP_ENTRIES} entries")
        if sum(info.file_size for info in infos) > ZIP_DECLARED:
            raise Refusal("too_costly", f"it unpacks to more than {ZIP_DECLARED // 2**20} MB")
        if any(info.flag_bits & 1 for info in infos):
            raise Refusal("encrypted", "it is protected by a password; save it without one")
        self.names = [info.filename for info in infos]
        self.left = ZIP_READ

    def chunks(self, name: str) -> Iterator[bytes]:
        with self.archive.open(name) as handle:
            while chunk := handle.read(65_536):
                self.left -= len(chunk)
                if self.left < 0:
                    raise Refusal("too_costly", f"it unpacks to more than {ZIP_READ // 2**20} MB")
                yield chunk


def _open_zip(data: bytes) -> _Zip:
    return _Zip(data)


_HEADER = re.compile(r"word/header\d*\.xml\Z")
_LAST = re.compile(r"word/(?:footnotes|endnotes|footer\d*)\.xml\Z")


def read_docx(data: bytes) -> str:
    """Return a Word document's text in document order: headers, body (with tables, lists and text boxes), notes and footers."""
    import zipfile
    import zlib

    from defusedxml.common import DefusedXmlException

    archive = _Zip(data)
    main = _main_part(archive)
    parts = [n for n in sorted(archive.names) if _HEADER.match(n)] + [main] + [n for n in sorted(archive.names) if _LAST.match(n)]
    texts: list[str] = []
    seen: set[str] = set()
    try:
        for name in parts:
            text = _read_part(archive, name)
            if text and (name == main or text not in seen):
                texts.append(text)
                seen.add(text)
    except DefusedXmlException:
        raise Refusal("too_costly", "its XML declares entities or a document type, which Word never does") from None
    except (SyntaxError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise Refusal("corrupt", f"a part of it is broken ({type(error).__name__})") from None
    whole = "\n\n".join(texts)[:MAX_CHARACTERS]
    if not any(c.isalnum() for c in whole):
        raise Refusal("no_text_layer", "it holds no text, perhaps only pictures; give one with text in it, or paste the text")
    return whole


def _main_part(archive: _Zip) -> str:
    if "word/document.xml" in archive.names:
        return "word/document.xml"
    found = [n for n in archive.names if re.fullmatch(r"word/document\d*\.xml", n)]
    if not found:
        raise Refusal("corrupt", "it has no word/document.xml")
    return found[0]


def _read_part(archive: _Zip, name: str) -> str:
    from defusedxml.ElementTree import DefusedXMLParser

    target = _WordText()
    parser = DefusedXMLParser(target=target, forbid_dtd=True)
    for chunk in archive.chunks(name):
        parser.feed(chunk)
    parser.close()
    return target.text()


class _WordText:
    """Builds text from WordprocessingML events; no tree is kept, so depth and size cost nothing."""

    def __init__(self) -> None:
        self.size = 0
        self.depth = 0
        self.skip = 0
        self.blocks: list[list[str]] = [[]]
        """Finished lines, one list for each table cell or text box that is open."""
        self.paragraphs: list[list[str]] = []
        self.late: list[list[str]] = []
        """Lines of text boxes, which follow the paragraph that they hang on."""
        self.rows: list[list[str]] = []
        self.in_text = False
        self.hidden = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        if self.depth > XML_DEPTH:
            raise Refusal("too_costly", f"its XML is nested more than {XML_DEPTH} deep")
        name = tag.rpartition("}")[2]
        if self.skip or name in ("Fallback", "del", "moveFrom", "instrText", "delText"):
            # Fallback repeats a text box for old readers.
            self.skip += 1
            return
        if name == "p" and "wordprocessingml" in tag:
            self.paragraphs.append([])
            self.late.append([])
        elif name in ("t", "tab", "br", "cr", "noBreakHyphen", "numPr", "pStyle", "vanish"):
            self._mark(name, attributes)
        elif name == "tr":
            self.rows.append([])
        elif name in ("tc", "txbxContent"):
            self.blocks.append([])
        elif name == "rPr":
            self.hidden = False

    def _mark(self, name: str, attributes: dict[str, str]) -> None:
        if name == "t":
            self.in_text = not self.hidden
        elif name == "vanish":
            value = next((v for k, v in attributes.items() if k.endswith("val")), "1")
            self.hidden = value not in ("0", "false", "off")
        elif not self.paragraphs:
            return
        elif name == "numPr":
            self.paragraphs[-1].append("• ")
        elif name == "pStyle":
            style = next((v for k, v in attributes.items() if k.endswith("val")), "")
            if style.lower().startswith(("heading", "title")) and self.blocks[-1]:
                self.blocks[-1].append("")
        else:
            self.paragraphs[-1].append({"tab": "\t", "noBreakHyphen": "-"}.get(name, "\n"))

    def data(self, text: str) -> None:
        if self.in_text and not self.skip and self.paragraphs and self.size < MAX_CHARACTERS:
            self.paragraphs[-1].append(text)
            self.size += len(text)

    def end(self, tag: str) -> None:
        self.depth -= 1
        if self.skip:
            self.skip -= 1
            return
        name = tag.rpartition("}")[2]
        if name == "t":
            self.in_text = False
        elif name == "r":
            self.hidden = False
        elif name == "p" and "wordprocessingml" in tag and self.paragraphs:
            line = "".join(self.paragraphs.pop()).rstrip()
            self.blocks[-1].append("" if line.strip() == "•" else line)
            self.blocks[-1] += self.late.pop()
        elif name == "txbxContent" and len(self.blocks) > 1:
            box = ["", *self.blocks.pop(), ""]
            (self.late[-1] if self.late else self.blocks[-1]).extend(box)
        elif name == "tc" and len(self.blocks) > 1:
            cell = "\n".join(self.blocks.pop()).strip("\n")
            if self.rows:
                self.rows[-1].append(cell)
        elif name == "tr" and self.rows:
            cells = [cell for cell in self.rows.pop() if cell.strip()]
            # Cells of one line each are a row of a table; longer ones are columns of a page.
            in_line = sum(map(len, cells)) <= 200 and not any("\n" in cell for cell in cells)
            self.blocks[-1] += ["\t".join(cells)] if in_line else [line for cell in cells for line in ("", *cell.split("\n"))]

    def close(self) -> None:
        """Nothing is left to do at the end of a part."""

    def text(self) -> str:
        lines = [line for block in self.blocks for line in block]
        return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")


# --- PDF ----------------------------------------------------------------------------------------------------------------------


def read_pdf(data: bytes) -> str:
    """Return a PDF's text in reading order. Raises Refusal."""
    import logging

    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    from matcher.layout import reading_text
    from matcher.prose import is_garbled

    logging.disable(logging.CRITICAL)
    try:
        reader = PdfReader(BytesIO(data), strict=False)
        if reader.is_encrypted and not _open_without_password(reader):
            raise Refusal("encrypted", "it is protected by a password; save it without one")
        pages: list[list[Piece]] = []
        characters = 0
        count = 0
        pictured = False
        for page in _pages(reader):
            count += 1
            if count > READ_PAGES or characters > MAX_CHARACTERS:
                continue
            pieces = _pieces(page)
            pictured = pictured or _has_picture(page)
            characters += sum(len(piece.text) for piece in pieces)
            pages.append(pieces)
    except (PyPdfError, KeyError, TypeError, AttributeError, ValueError, IndexError) as error:
        if "Limit" in type(error).__name__:
            raise Refusal("too_costly", "the PDF holds far more than any page needs") from None
        raise Refusal("corrupt", f"the PDF is broken ({type(error).__name__})") from None
    if count == 0:
        raise Refusal("corrupt", "the PDF has no pages")
    text = reading_text(pages)
    # A scan may carry a page number or a stamp.
    if sum(1 for c in text if not c.isspace()) < (25 if pictured else 1):
        raise Refusal(
            "no_text_layer",
            "its pages are pictures or outlines without text; give one with text in it, or paste the text",
        )
    if is_garbled(text):
        raise Refusal(
            "garbled_text",
            "its text layer is broken: the characters behind the letters are wrong; print it to PDF anew, or paste the text",
        )
    return text[:MAX_CHARACTERS]


def _open_without_password(reader: Any) -> bool:
    """Open a PDF that is encrypted only to restrict printing or editing: its user password is empty."""
    from pypdf.errors import DependencyError

    try:
        return bool(reader.decrypt(""))
    except (DependencyError, NotImplementedError, ValueError):
        return False


def _pages(reader: Any) -> Iterator[Any]:
    """Yield pages by walking the tree, which unlike ``reader.pages`` never reads more of it than is asked for."""
    from pypdf import PageObject
    from pypdf.generic import DictionaryObject, NameObject

    root = reader.trailer["/Root"].get_object()["/Pages"]
    stack: list[tuple[Any, Any, int]] = [(root, None, 0)]
    seen: set[int] = set()
    found = 0
    while stack:
        reference, resources, depth = stack.pop()
        node = reference.get_object()
        if not isinstance(node, DictionaryObject) or id(node) in seen or depth > 60:
            continue
        seen.add(id(node))
        resources = node.get("/Resources", resources)
        if "/Kids" in node:
            declared = node.get("/Count")
            if isinstance(declared, int) and declared > MAX_PAGES:
                raise Refusal("too_costly", f"it has more than {MAX_PAGES} pages")
            kids: Any = node["/Kids"].get_object()
            if len(kids) > MAX_PAGES:
                raise Refusal("too_costly", f"it has more than {MAX_PAGES} pages")
            stack += [(kid, resources, depth + 1) for kid in reversed(kids)]
            continue
        found += 1
        if found > MAX_PAGES:
            raise Refusal("too_costly", f"it has more than {MAX_PAGES} pages")
        page = PageObject(reader, getattr(reference, "indirect_reference", None))
        page.update(node)
        if resources is not None and "/Resources" not in page:
            page[NameObject("/Resources")] = resources
        yield page


def _has_picture(page: Any) -> bool:
    """Tell whether a page shows an image."""
    resources = page["/Resources"].get_object() if "/Resources" in page else {}
    objects = resources["/XObject"].get_object() if "/XObject" in resources else {}
    return any(objects[name].get_object().get("/Subtype") == "/Image" for name in list(objects)[:50])


def _pieces(page: Any) -> list[Piece]:
    """Return the runs of text of a page with their places.

    pypdf gathers a whole line, over column borders too, before it tells of it. An identity ``cm`` after every operator that
    shows text makes it tell of each at once; jumps within one operator become operators of their own.
    """
    from pypdf.generic import ContentStream, NameObject

    from matcher.layout import Piece

    if "/Contents" not in page:
        return []
    contents = ContentStream(page["/Contents"].get_object(), page.pdf, "bytes")
    jumps: list[float] = []
    """For each showing operator, the jump in thousandths of an em that leads to it from the one before; NaN for a new place."""
    contents.operations = list(_separated(contents.operations, jumps))
    page[NameObject("/Contents")] = contents
    pieces: list[Piece] = []
    turned: list[Piece] = []
    fonts = _Fonts()
    state: dict[str, Any] = {"place": None, "shown": 0, "jump": None, "end": 0.0, "trailing": False}

    def before(operator: bytes, operands: Any, cm: list[float], tm: list[float]) -> None:
        if operator in (b"Tj", b"TJ"):
            state["place"] = (tuple(cm), tuple(tm))
            state["jump"] = jumps[state["shown"]] if state["shown"] < len(jumps) else None
            state["shown"] += 1

    def told(text: str, cm: list[float], tm: list[float], font: Any, size: float) -> None:
        if not text.strip(" \n") or len(pieces) >= MAX_PIECES:
            state["trailing"] = state["trailing"] or " " in text
            return
        cm_, tm_ = state["place"] or (cm, tm)
        a, b, c, d, x, y = _product(tm_, cm_)
        height = abs(size) * (c * c + d * d) ** 0.5
        across = abs(size) * (a * a + b * b) ** 0.5
        upright = abs(a) >= abs(b)
        if not upright:
            # Read from the side: turned by a quarter.
            x, y = (y, -x) if b > 0 else (-y, x)
        clean = text.replace("\n", " ")
        jump = state["jump"]
        if jump is not None and jump == jump:
            x = state["end"] + jump / 1000 * across
        state["end"] = x + fonts.width(font, clean) * across
        spaced = clean[0] == " " or state["trailing"] or bool(jump and jump > 150)
        state["trailing"] = clean[-1] == " "
        bare = clean.strip(" ")
        length = fonts.width(font, bare) * across
        (pieces if upright else turned).append(Piece(x, x + length, y, height or 1.0, bare, spaced))

    page.extract_text(visitor_operand_before=before, visitor_text=told)
    return pieces if len(pieces) >= len(turned) else turned


def _product(m: Any, n: Any) -> tuple[float, float, float, float, float, float]:
    return (
        m[0] * n[0] + m[1] * n[2],
        m[0] * n[1] + m[1] * n[3],
        m[2] * n[0] + m[3] * n[2],
        m[2] * n[1] + m[3] * n[3],
        m[4] * n[0] + m[5] * n[2] + n[4],
        m[4] * n[1] + m[5] * n[3] + n[5],
    )


def _separated(operations: Any, jumps: list[float]) -> Iterator[tuple[Any, bytes]]:
    """Yield operations so that each showing one stands alone, and note in ``jumps`` how it follows the one before."""
    from pypdf.generic import ArrayObject, FloatObject

    identity = [FloatObject(v) for v in (1, 0, 0, 1, 0, 0)]
    new = float("nan")
    moved = True
    shown = 0
    leading = 0.0
    saved: list[float] = []
    for operands, operator in operations:
        if operator == b'"' and len(operands) >= 3:
            yield [operands[0]], b"Tw"
            yield [operands[1]], b"Tc"
            operands, operator = [operands[2]], b"'"
        # A new line is told as a move: versions of pypdf differ in where T* leads.
        if operator in (b"'", b"T*"):
            yield [FloatObject(0), FloatObject(-leading)], b"Td"
            moved = True
            if operator == b"T*":
                continue
            operator = b"Tj"
        elif operator == b"TL":
            leading = _number(operands, 0, leading)
            continue
        elif operator == b"TD":
            leading = -_number(operands, 1, -leading)
            operator, moved = b"Td", True
        elif operator == b"q":
            saved.append(leading)
        elif operator == b"Q" and saved:
            leading = saved.pop()
        if operator in (b"Td", b"Tm", b"BT", b"cm", b"q", b"Q", b"Do"):
            moved = True
        if operator not in (b"Tj", b"TJ"):
            yield operands, operator
            continue
        shown += 1
        if shown > MAX_PIECES:
            continue
        if operator == b"Tj" or not operands or not isinstance(operands[0], ArrayObject):
            jumps.append(new if moved else 0.0)
            yield operands, operator
            yield identity, b"cm"
            moved = False
            continue
        run: list[Any] = []
        jump = new if moved else 0.0
        for item in operands[0]:
            if isinstance(item, int | float) and item < -1200:
                if run:
                    jumps.append(jump)
                    yield [ArrayObject(run)], b"TJ"
                    yield identity, b"cm"
                    run, jump = [], 0.0
                # NaN plus a number stays NaN: after a move, the place itself is known.
                jump -= float(item)
            else:
                run.append(item)
        if run:
            jumps.append(jump)
            yield [ArrayObject(run)], b"TJ"
            yield identity, b"cm"
        moved = False


#: Advance widths of Helvetica in thousandths of an em, for fonts that tell none (the 14 standard ones), from space to tilde.
_HELVETICA = (
    "278 278 355 556 556 889 667 191 333 333 389 584 278 333 278 278 556 556 556 556 556 556 556 556 556 556 278 278 584 584 584 556 1015 "
    "667 667 722 722 667 611 778 722 278 500 667 556 833 722 778 667 778 722 667 611 722 667 944 667 667 611 278 278 278 469 556 333 "
    "556 556 500 556 556 278 556 556 222 222 500 222 833 556 556 556 556 333 500 278 556 500 722 500 500 500 334 260 334 584"
)


def _number(operands: Any, place: int, default: float) -> float:
    value = operands[place] if place < len(operands) else None
    return float(value) if isinstance(value, int | float) else default


class _Fonts:
    """How wide text is in the fonts of a page, in ems."""

    def __init__(self) -> None:
        self.tables: dict[int, dict[str, float]] = {}
        self.fonts: list[Any] = []
        helvetica = [int(w) / 1000 for w in _HELVETICA.split()]
        self.standard = {chr(32 + place): width for place, width in enumerate(helvetica)}

    def width(self, font: Any, text: str) -> float:
        table = self.tables.get(id(font))
        if table is None:
            try:
                table = self._table(font)
            except (KeyError, TypeError, ValueError, AttributeError, IndexError):
                table = self.standard
            self.tables[id(font)] = table
            # Kept, so that its id stays its own.
            self.fonts.append(font)
        usual = table.get("", 0.52)
        return sum(table.get(c, usual) for c in text)

    def _table(self, font: Any) -> dict[str, float]:
        if font is None:
            return self.standard
        codes: dict[int, float] = {}
        if "/DescendantFonts" in font:
            inner = font["/DescendantFonts"].get_object()[0].get_object()
            codes = _cid_widths(inner)
        elif "/Widths" in font:
            first = int(font.get("/FirstChar", 0))
            scale = 1000.0
            if font.get("/Subtype") == "/Type3" and "/FontMatrix" in font:
                scale = 1 / (abs(float(font["/FontMatrix"][0])) or 0.001)
            codes = {
                first + place: float(width.get_object()) / scale for place, width in enumerate(font["/Widths"].get_object()[:256])
            }
        if not codes:
            name = str(font.get("/BaseFont", ""))
            if "Courier" in name:
                return {"": 0.6}
            return {c: w * 0.9 for c, w in self.standard.items()} | {"": 0.48} if "Times" in name else self.standard
        characters = _to_unicode(font)
        table = {characters.get(code, chr(code)): width for code, width in codes.items() if width > 0}
        if table:
            table[""] = sum(table.values()) / len(table)
        return table or self.standard


def _cid_widths(font: Any) -> dict[int, float]:
    widths: dict[int, float] = {}
    entries = [entry.get_object() for entry in font["/W"].get_object()[:20_000]] if "/W" in font else []
    place = 0
    while place + 1 < len(entries):
        first = int(entries[place])
        if isinstance(entries[place + 1], list):
            for step, width in enumerate(entries[place + 1]):
                widths[first + step] = float(width.get_object()) / 1000
            place += 2
        elif place + 2 < len(entries):
            for code in range(first, min(int(entries[place + 1]), first + 1000) + 1):
                widths[code] = float(entries[place + 2]) / 1000
            place += 3
        else:
            break
    return widths


_BF_BLOCK = re.compile(rb"begin(bfchar|bfrange)(.{0,60000}?)end\1", re.S)
_HEX = re.compile(rb"<([0-9A-Fa-f]{1,16})>")


def _to_unicode(font: Any) -> dict[int, str]:
    """Return which character a code of a font stands for, as far as its ToUnicode map says so in the plain way."""
    if "/ToUnicode" not in font:
        return {}
    stream = font["/ToUnicode"].get_object()
    data = stream.get_data()[:400_000] if hasattr(stream, "get_data") else b""
    found: dict[int, str] = {}
    for kind, body in _BF_BLOCK.findall(data):
        values = _HEX.findall(body)
        step = 2 if kind == b"bfchar" else 3
        if kind == b"bfrange" and b"[" in body:
            continue
        for place in range(0, len(values) - step + 1, step):
            first = int(values[place], 16)
            last = first if step == 2 else min(int(values[place + 1], 16), first + 300)
            target = int(values[place + step - 1][:4], 16)
            for offset in range(last - first + 1):
                if target + offset < 0xD800 or target + offset > 0xDFFF:
                    found[first + offset] = chr(target + offset)
    return found


if __name__ == "__main__":
    main()
