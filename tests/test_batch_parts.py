"""Parts of a batch: cut alike each time, made whole or not at all, known again, and together the rows of the local engine. Without Ray."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from matcher.batch import run_batch
from matcher.batch_parts import (
    MANIFEST,
    Made,
    Piece,
    begin,
    check_out,
    end,
    finished,
    list_inputs,
    locate,
    make_part,
    pieces_of,
    read_manifest,
    survey,
)
from matcher.batch_rows import BatchError, Settings, Tally, tally_of
from matcher.index import OccupationIndex, build_index
from matcher.match import Matcher
from tests.invented import RELEASE, WAGES, WordEncoder

pa = pytest.importorskip("pyarrow")
SETTINGS = Settings(top=2)


@pytest.fixture(scope="module")
def matcher(tmp_path_factory: pytest.TempPathFactory) -> Matcher:
    path = tmp_path_factory.mktemp("parts")
    build_index(RELEASE, WordEncoder(), path, wages=WAGES)
    return Matcher(OccupationIndex.load(path), WordEncoder())


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A folder: JSON Lines with a bad row, rows without ids and empty lines, and Parquet in groups of 4 rows."""
    import pyarrow.parquet as pq

    folder = tmp_path / "in"
    (folder / "below").mkdir(parents=True)
    lines = [json.dumps({"title": f"Line Cook {n}"}) for n in range(11)]
    lines[3:3] = ["", "{broken", ""]
    (folder / "a.jsonl").write_text("\n".join(lines))
    rows = [{"id": n, "text": f"Replace brake pads and rotors, shift {n}"} for n in range(10)]
    pq.write_table(pa.Table.from_pylist(rows), folder / "below" / "b.parquet", row_group_size=4)
    (folder / "_hidden.jsonl").write_text("{broken")
    return folder


def _pieces(source: Path | str, part_rows: int) -> list[Piece]:
    return pieces_of([survey(str(source), name, path, part_rows) for name, path in list_inputs(str(source))])


def _rows(folder: Path) -> list[dict[str, Any]]:
    import pyarrow.parquet as pq

    return [row for file in sorted(folder.glob("[!_]*.parquet")) for row in pq.read_table(file).to_pylist()]


@pytest.mark.parametrize("part_rows", [1, 3, 5, 100])
def test_parts_of_any_size_are_together_the_rows_and_the_digest_of_the_local_engine(
    matcher: Matcher, source: Path, tmp_path: Path, part_rows: int
) -> None:
    import pyarrow.parquet as pq

    alone = run_batch(matcher, source, tmp_path / "local.parquet", top=2)
    out = str(tmp_path / "out")
    stamp = begin(out, {"x": 1}, resume=False)
    pieces = _pieces(source, part_rows)
    # In any order, some of them twice.
    made = [make_part(matcher, str(source), out, piece, SETTINGS, stamp) for piece in reversed(pieces)]
    make_part(matcher, str(source), out, pieces[0], SETTINGS, stamp)
    assert end(out, {"x": 1}, stamp, made) == alone
    assert _rows(tmp_path / "out") == pq.read_table(tmp_path / "local.parquet").to_pylist()
    assert [row["id"] for row in _rows(tmp_path / "out")][:5] == ["1", "2", "3", "4", "5"]
    assert sum((one.tally for one in made), Tally()) == alone
    assert not (tmp_path / "out" / "_temporary").exists()


def test_an_address_that_fsspec_alone_knows_is_read_and_written(matcher: Matcher, source: Path, tmp_path: Path) -> None:
    pytest.importorskip("fsspec")
    address, out = f"local://{source}", f"local://{tmp_path / 'out'}"
    stamp = begin(out, {}, resume=False)
    made = [make_part(matcher, address, out, piece, SETTINGS, stamp) for piece in _pieces(address, 4)]
    assert end(out, {}, stamp, made).digest == run_batch(matcher, source, tmp_path / "o.jsonl", top=2).digest
    with pytest.raises(BatchError, match="neither pyarrow nor fsspec can open nowhere://"):
        locate("nowhere://x")


def test_a_part_is_known_as_finished_only_when_it_is_whole_and_of_this_batch(
    matcher: Matcher, source: Path, tmp_path: Path
) -> None:
    out = str(tmp_path / "out")
    stamp = begin(out, {}, resume=False)
    piece = _pieces(source, 5)[0]
    filesystem, root = locate(out)
    assert finished(filesystem, root, piece, stamp) is None
    made = make_part(matcher, str(source), out, piece, SETTINGS, stamp)
    found = finished(filesystem, root, piece, stamp)
    assert isinstance(found, Made)
    assert (found.part, found.tally, found.size) == (made.part, made.tally, made.size)
    assert finished(filesystem, root, piece, "another") is None
    whole = (tmp_path / "out" / piece.part).read_bytes()
    for cut in (0, 10, len(whole) // 2, len(whole) - 1):
        (tmp_path / "out" / piece.part).write_bytes(whole[:cut])
        assert finished(filesystem, root, piece, stamp) is None


def test_a_part_that_cannot_be_made_leaves_nothing(matcher: Matcher, source: Path, tmp_path: Path) -> None:
    out = str(tmp_path / "out")
    stamp = begin(out, {}, resume=False)
    piece = _pieces(source, 5)[0]
    (source / "a.jsonl").write_text(json.dumps({"title": "Line Cook"}))
    with pytest.raises(BatchError, match="has 1 rows where 5 were; it changed during the batch"):
        make_part(matcher, str(source), out, piece, SETTINGS, stamp)
    assert [path.name for path in (tmp_path / "out").rglob("*") if path.is_file()] == [MANIFEST]


def test_a_folder_is_gone_on_with_only_when_asked_and_with_the_same_settings(tmp_path: Path) -> None:
    out = str(tmp_path / "out")
    begin(out, {"settings": {"top": 1}, "inputs": []}, resume=False)
    with pytest.raises(BatchError, match=r"holds a batch \(running\); give --continue"):
        check_out(out, {}, resume=False)
    with pytest.raises(BatchError, match="was made with other settings; name another folder"):
        check_out(out, {"settings": {"top": 2}, "inputs": []}, resume=True)
    assert check_out(out, {"settings": {"top": 1}, "inputs": []}, resume=True)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "x.txt").write_text("mine")
    with pytest.raises(BatchError, match="holds other files; name a folder that is new or empty"):
        begin(str(tmp_path / "other"), {}, resume=True)
    (tmp_path / "out" / MANIFEST).write_text("[]")
    with pytest.raises(BatchError, match="is not the manifest of a batch"):
        read_manifest(out)


def test_inputs_that_cannot_be_cut_are_refused_first(source: Path, tmp_path: Path) -> None:
    with pytest.raises(BatchError, match="no such file or folder"):
        list_inputs(str(tmp_path / "none"))
    (tmp_path / "x.csv").write_text("title\nCook\n")
    with pytest.raises(BatchError, match=r"expected a name ending in .* \(CSV: the local engine reads it\)"):
        list_inputs(str(tmp_path / "x.csv"))
    (source / "c.csv").write_text("title\nCook\n")
    with pytest.raises(BatchError, match=r"c\.csv is CSV, which only the local engine reads"):
        list_inputs(str(source))
    (tmp_path / "b.parquet").write_bytes(b"PAR")
    with pytest.raises(BatchError, match=r"b\.parquet: not a Parquet file"):
        _pieces(tmp_path / "b.parquet", 5)
    (tmp_path / "empty").mkdir()
    with pytest.raises(BatchError, match="found none"):
        list_inputs(str(tmp_path / "empty"))


def test_the_digest_tells_a_row_lost_doubled_changed_or_moved() -> None:
    rows = [(0, b"a", "ok"), (1, b"b", "error"), (2, b"c", "insufficient")]
    whole = sum((tally_of(*row) for row in rows), Tally())
    assert (whole.rows, whole.insufficient, whole.errors) == (3, 1, 1)
    assert sum((tally_of(*row) for row in reversed(rows)), Tally()) == whole
    for other in (rows[:2], [*rows, rows[0]], [(0, b"x", "ok"), *rows[1:]], [(1, b"a", "ok"), (0, b"b", "error"), rows[2]]):
        assert sum((tally_of(*row) for row in other), Tally()).digest != whole.digest
