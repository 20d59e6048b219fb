"""The notebooks: committed with their outputs, and running without errors from an empty folder.

``python -m tests.test_notebooks`` executes all of them in place, after a change of the ranking, the catalogue or a notebook; read the
difference.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
MOST_BYTES = 300 * 1024
#: Places on somebody's machine, and what only a kernel's messages have.
_MACHINE = re.compile(r"/(?:home|root|Users|work|tmp|var|opt|usr|private)/|[A-Z]:\\\\|site-packages|ipykernel_\d")
_TRACEBACK = re.compile(r"Traceback \(most recent call last\)|\w+Error:|\w+Warning:")


def cells(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return found


def said(cell: dict[str, Any]) -> str:
    """Return the texts of a cell's outputs; pictures are left out."""
    parts = []
    for output in cell.get("outputs", ()):
        for kind, value in {"text": output.get("text", ""), **output.get("data", {})}.items():
            if not kind.startswith("image/"):
                parts.append(value if isinstance(value, str) else "".join(value))
    return "\n".join(parts)


def executed(path: Path, folder: Path) -> Any:
    """Return a notebook, executed in ``folder`` with no network to ask; raises CellExecutionError for a cell that fails."""
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    client = NotebookClient(notebook, timeout=1200, kernel_name="python3", resources={"metadata": {"path": str(folder)}})
    client.execute()
    for cell in notebook.cells:
        cell.get("metadata", {}).pop("execution", None)
        for output in cell.get("outputs", ()):
            # Beside a table, the text of an object with all its parts is of no use to a reader.
            if "text/html" in output.get("data", {}) and len(output["data"]["text/plain"]) > 3000:
                output["data"]["text/plain"] = output["data"]["text/plain"].partition("(")[0] + "(…)"
    return notebook


def test_there_are_six() -> None:
    assert [path.name[0] for path in NOTEBOOKS] == list("123456")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_committed_with_its_outputs_and_nothing_of_this_machine(path: Path) -> None:
    assert path.stat().st_size <= MOST_BYTES
    code = [cell for cell in cells(path) if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1)), "execute it: python -m tests.test_notebooks"
    assert all("".join(cell["source"]).strip() for cell in cells(path)), "a dead cell"
    assert sum(bool(cell["outputs"]) for cell in code) >= len(code) - 2
    assert any("image/png" in output.get("data", {}) for cell in code for output in cell["outputs"])
    for cell in code:
        assert all(output["output_type"] != "error" and output.get("name") != "stderr" for output in cell["outputs"])
        assert not _TRACEBACK.search(said(cell))
        assert not _MACHINE.search(said(cell)), _MACHINE.search(said(cell))
    assert not _MACHINE.search("\n".join("".join(cell["source"]) for cell in cells(path)))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_picture_and_table_has_words_before_it(path: Path) -> None:
    kinds = [cell["cell_type"] for cell in cells(path)]
    assert kinds[0] == "markdown"
    assert kinds.count("markdown") >= 5
    for cell in cells(path):
        if cell["cell_type"] == "markdown":
            text = "".join(cell["source"]).strip()
            assert text.startswith("#") or text.endswith((".", ":", "?")), text[-80:]


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_in_an_empty_folder(path: Path, tmp_path: Path) -> None:
    pytest.importorskip("nbclient")
    notebook = executed(path, tmp_path)
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            assert output["output_type"] != "error"
            assert output.get("name") != "stderr", output["text"]
        assert not _TRACEBACK.search(said(cell))
    assert list(tmp_path.iterdir()) == []


def main(names: list[str]) -> None:
    """Execute the notebooks, or those whose names begin with one of ``names``, and write them with their outputs."""
    import nbformat

    os.environ.setdefault("OMP_NUM_THREADS", "1")
    for path in NOTEBOOKS:
        if not names or path.name.startswith(tuple(names)):
            with tempfile.TemporaryDirectory() as folder:
                notebook = executed(path, Path(folder))
            nbformat.write(notebook, path)  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    main(sys.argv[1:])
