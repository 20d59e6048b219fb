"""Documents: PDF, Word, text, Markdown and JSON files, told by their content and opened in a child process that can be killed."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO, Literal

DocumentReason = Literal["encrypted", "corrupt", "too_costly", "unsupported", "no_text_layer", "garbled_text"]

#: Seconds from start to kill. The service promises an answer within six: some may pass in its queue, and some with starting and reaping.
WALL_SECONDS = 5.0
MAX_ANSWER = 4_000_000
_MODULE = "matcher._reader"


class DocumentError(ValueError):
    """A document cannot be read.

    ``reason`` is ``encrypted``, ``corrupt``, ``too_costly``, ``unsupported``, ``no_text_layer`` or ``garbled_text``; ``detail``
    says what it is and what to do. Neither repeats anything of the content.
    """

    def __init__(self, reason: DocumentReason, detail: str, name: str | None = None) -> None:
        super().__init__(f"{name or 'the document'}: {detail} [{reason}]")
        self.reason: DocumentReason = reason
        self.detail = detail
        self.name = name


class EncryptedDocument(DocumentError):
    """The document asks for a password."""


class CorruptDocument(DocumentError):
    """The document is broken."""


class CostlyDocument(DocumentError):
    """Opening the document takes more time, memory or pages than is allowed."""


class UnsupportedDocument(DocumentError):
    """The document is of a format that is not read."""


class UnreadableText(DocumentError):
    """The document has no text in it, or text whose characters are wrong."""


_CLASSES: dict[DocumentReason, type[DocumentError]] = {
    "encrypted": EncryptedDocument,
    "corrupt": CorruptDocument,
    "too_costly": CostlyDocument,
    "unsupported": UnsupportedDocument,
    "no_text_layer": UnreadableText,
    "garbled_text": UnreadableText,
}


def read_document(path_or_bytes: str | Path | bytes, *, name: str | None = None) -> str:
    """Return the text of a document: PDF, .docx, .txt, .md or .json, whatever its name says.

    It is opened in a child process with limits: 768 MB of memory, 5 s, 300 pages, 20 MB of file;
    beyond 300,000 characters nothing is read. ``name`` stands in error messages. Raises DocumentError for a document that cannot
    be read, OSError for a file that cannot be opened.
    """
    if isinstance(path_or_bytes, bytes | bytearray | memoryview):
        return _read(io.BytesIO(bytes(path_or_bytes)), name, file=None)
    path = Path(path_or_bytes)
    with path.open("rb") as handle:
        return _read(handle, name or path.name, file=handle)


def _read(source: IO[bytes], name: str | None, file: IO[bytes] | None) -> str:
    """Return the text that the child finds in ``source``; an open file is handed to it as it is, bytes are piped."""
    child = subprocess.Popen(
        # -P: a file in the current folder that is called like a module must not be run. -m needs no guard in the caller's script.
        [sys.executable or "python3", "-P", "-m", _MODULE],
        stdin=file if file is not None else subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=_environment(),
    )
    overdue = threading.Event()

    def stop() -> None:
        overdue.set()
        child.kill()

    clock = threading.Timer(WALL_SECONDS, stop)
    clock.daemon = True
    clock.start()
    try:
        if child.stdin is not None:
            threading.Thread(target=_feed, args=(source, child.stdin), daemon=True).start()
        answer = child.stdout.read(MAX_ANSWER + 1) if child.stdout is not None else b""
    finally:
        clock.cancel()
        child.kill()
        child.wait()
        if child.stdout is not None:
            child.stdout.close()
    return _text_of(answer, overdue.is_set(), name)


def _feed(source: IO[bytes], pipe: IO[bytes]) -> None:
    """Write a document into the child; one that ends early has said why, or will be found to have ended."""
    try:
        while chunk := source.read(65_536):
            pipe.write(chunk)
        pipe.close()
    except (OSError, ValueError):
        return


def _text_of(answer: bytes, overdue: bool, name: str | None) -> str:
    if len(answer) > MAX_ANSWER or overdue or not answer:
        # A child that ends without a word ran into one of its limits.
        raise CostlyDocument("too_costly", "opening it takes too much time or memory", name)
    try:
        value = json.loads(answer)
    except ValueError:
        raise CostlyDocument("too_costly", "opening it takes too much time or memory", name) from None
    if isinstance(value, dict) and isinstance(value.get("text"), str):
        text: str = value["text"]
        return text
    for reason, kind in _CLASSES.items():
        if isinstance(value, dict) and value.get("error") == reason:
            raise kind(reason, str(value.get("detail")), name)
    raise CorruptDocument("corrupt", "it cannot be read", name)


def _environment() -> dict[str, str]:
    """Return the child's environment: the parent's import paths, so that it finds this package from a checkout or a notebook."""
    own = str(Path(__file__).resolve().parent.parent)
    paths = [own, *(entry for entry in sys.path if entry and entry != own)]
    keep = ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "VIRTUAL_ENV", "TEMP", "TMP")
    kept = {key: os.environ[key] for key in keep if key in os.environ}
    return {
        **kept,
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUTF8": "1",
        "PYTHONHASHSEED": "0",
    }
