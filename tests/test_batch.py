"""Batches: rows in order, bad rows beside good ones, and a run that was cut ends in the same bytes."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from matcher import Filters, Matcher
from matcher.batch import BatchError, run_batch
from matcher.index import OccupationIndex, build_index
from matcher.match import FilterError
from tests.invented import RELEASE, WAGES, WordEncoder

ROWS = [
    {"id": "a", "text": "Knead and shape dough for loaves and rolls. Decorate cakes with icing for customers."},
    {"id": "b", "skills": ["Westlaw", "Draft contracts"]},
    {"id": "c", "title": "Line Cook", "other": 1},
    {"id": "d", "text": "hi"},
]


@pytest.fixture(scope="module")
def matcher(tmp_path_factory: pytest.TempPathFactory) -> Matcher:
    path = tmp_path_factory.mktemp("batch")
    build_index(RELEASE, WordEncoder(), path, wages=WAGES)
    return Matcher(OccupationIndex.load(path), WordEncoder())


def _write(path: Path, rows: list[object]) -> Path:
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return path


def _read(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_every_row_gets_one_row_in_order_and_the_same_matches_as_alone(matcher: Matcher, tmp_path: Path) -> None:
    tally = run_batch(matcher, _write(tmp_path / "in.jsonl", ROWS), tmp_path / "out.jsonl", top=3)
    rows = _read(tmp_path / "out.jsonl")
    assert [row["id"] for row in rows] == ["a", "b", "c", "d"]
    assert [row["status"] for row in rows] == ["ok", "ok", "ok", "insufficient"]
    assert (tally.rows, tally.insufficient, tally.errors) == (4, 1, 0)
    alone = matcher.match(text=ROWS[0]["text"], top=3)  # type: ignore[arg-type]
    assert [m["code"] for m in rows[0]["matches"]] == [m.code for m in alone]  # type: ignore[attr-defined]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.jsonl", "out.jsonl"]


def test_a_bad_row_is_named_and_never_spoils_the_rest(matcher: Matcher, tmp_path: Path) -> None:
    source = _write(tmp_path / "in.jsonl", ["{broken", [], {"id": 5}, {"id": {}, "text": "x"}, {"id": "t", "text": 7}, *ROWS])
    named: list[str] = []
    tally = run_batch(matcher, source, tmp_path / "out.jsonl", report=named.append)
    assert (tally.rows, tally.errors) == (9, 5)
    assert "in.jsonl, line 1: not JSON" in named[0]
    assert "line 3: expected one or more of 'text', 'skills', 'title'" in named[2]
    rows = _read(tmp_path / "out.jsonl")
    assert [row["status"] for row in rows] == ["error"] * 5 + ["ok", "ok", "ok", "insufficient"]
    assert rows[2]["id"] == 5


def test_csv_splits_skills_at_semicolons(matcher: Matcher, tmp_path: Path) -> None:
    with (tmp_path / "in.csv").open("w", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerows(
            [
                ["id", "skills", "title", "note"],
                ["1", "Westlaw; Draft contracts", "", "x"],
                ["2", "", "Line Cook", ""],
                ["3", "", "", ""],
            ]
        )
    run_batch(matcher, tmp_path / "in.csv", tmp_path / "out.jsonl", top=1)
    rows = _read(tmp_path / "out.jsonl")
    alone = matcher.match(skills=["Westlaw", "Draft contracts"], top=1)
    assert rows[0]["matches"][0]["code"] == alone[0].code  # type: ignore[index]
    assert [row["status"] for row in rows] == ["ok", "ok", "error"]


def test_parquet_in_and_out_hold_the_same_answers_as_json_lines(matcher: Matcher, tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    pq.write_table(
        pa.Table.from_pylist(
            [{"id": r["id"], "text": r.get("text"), "skills": r.get("skills"), "title": r.get("title")} for r in ROWS]
        ),
        tmp_path / "in.parquet",
    )
    for explain in (False, True):
        run_batch(matcher, tmp_path / "in.parquet", tmp_path / "out.parquet", explain=explain)
        run_batch(matcher, _write(tmp_path / "in.jsonl", ROWS), tmp_path / "out.jsonl", explain=explain)
        wide = pq.read_table(tmp_path / "out.parquet").to_pylist()
        for ours, theirs in zip(_read(tmp_path / "out.jsonl"), wide, strict=True):
            assert ours["matches"] == theirs["matches"]
            assert (ours["id"], ours["status"]) == (theirs["id"], theirs["status"])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("in.txt", b"x", r"expected a name ending in \.jsonl"),
        ("in.csv", b"name,age\nx,3\n", "expected a header with one or more of text, skills, title"),
        ("in.parquet", b"PAR", "not a Parquet file"),
    ],
)
def test_a_file_that_cannot_be_read_stops_the_batch(
    matcher: Matcher, tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BatchError, match=message):
        run_batch(matcher, tmp_path / name, tmp_path / "out.jsonl")
    assert not (tmp_path / "out.jsonl").exists()


def test_missing_input_a_bad_name_for_the_output_and_a_bad_filter_are_refused_first(matcher: Matcher, tmp_path: Path) -> None:
    with pytest.raises(BatchError, match=r"none\.jsonl: cannot be read"):
        run_batch(matcher, tmp_path / "none.jsonl", tmp_path / "out.jsonl")
    with pytest.raises(BatchError, match=r"out\.xlsx: expected"):
        run_batch(matcher, tmp_path / "none.jsonl", tmp_path / "out.xlsx")
    with pytest.raises(FilterError, match="exclude"):
        run_batch(matcher, _write(tmp_path / "in.jsonl", ROWS), tmp_path / "out.jsonl", filters=Filters(exclude=("nothing",)))


def test_going_on_after_a_cut_in_the_middle_of_a_line_gives_the_same_bytes(matcher: Matcher, tmp_path: Path) -> None:
    source = _write(tmp_path / "in.jsonl", ROWS * 5)
    run_batch(matcher, source, tmp_path / "whole.jsonl")
    whole = (tmp_path / "whole.jsonl").read_bytes()

    class Cut(Exception):
        pass

    for cut in (3, len(whole) // 2, len(whole) - 1):

        def stop(rows: int) -> None:
            raise Cut

        with pytest.raises(Cut):
            run_batch(matcher, source, tmp_path / "out.jsonl", progress=stop)
        with (tmp_path / "out.jsonl.part").open("wb") as handle:
            handle.write(whole[:cut])
        (tmp_path / "out.jsonl").unlink(missing_ok=True)
        _restore_settings(matcher, source, tmp_path)
        tally = run_batch(matcher, source, tmp_path / "out.jsonl", resume=True)
        assert (tmp_path / "out.jsonl").read_bytes() == whole
        assert tally.rows == 20
        assert tally.insufficient == 5


def _restore_settings(matcher: Matcher, source: Path, folder: Path) -> None:
    """Write the settings file that a killed run leaves."""
    import dataclasses

    from matcher.batch import _fingerprint

    stated = {
        "engine": dict(matcher.engine), "top": 10, "explain": False, "filters": dataclasses.asdict(Filters()),
        "input": _fingerprint(source),
    }  # fmt: skip
    (folder / "out.jsonl.part.json").write_text(json.dumps(stated, sort_keys=True, indent=1))


def test_a_part_made_with_other_settings_is_not_continued(matcher: Matcher, tmp_path: Path) -> None:
    source = _write(tmp_path / "in.jsonl", ROWS)
    (tmp_path / "out.jsonl.part").write_text("")
    (tmp_path / "out.jsonl.part.json").write_text("{}")
    with pytest.raises(BatchError, match="other settings"):
        run_batch(matcher, source, tmp_path / "out.jsonl", resume=True)


KILLED = textwrap.dedent(
    """
    import sys, time
    from pathlib import Path
    from matcher import Matcher
    from matcher.batch import run_batch
    from matcher.index import OccupationIndex
    from tests.invented import WordEncoder

    class Slow(WordEncoder):
        def encode(self, texts):
            time.sleep(0.002)
            return super().encode(texts)

    matcher = Matcher(OccupationIndex.load(sys.argv[1]), Slow())
    print("ready", flush=True)
    run_batch(matcher, Path(sys.argv[2]), Path(sys.argv[3]), resume=True)
    print("done", flush=True)
    """
)


@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
def test_a_batch_killed_again_and_again_ends_in_the_same_bytes(matcher: Matcher, tmp_path: Path) -> None:
    source = _write(tmp_path / "in.jsonl", ROWS * 150)
    run_batch(matcher, source, tmp_path / "whole.jsonl")
    kills = 0
    for delay in (0.15, 0.4, 0.7, None):
        child = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(matcher.index.path.parent), str(source), str(tmp_path / "out.jsonl")],
            cwd=Path(__file__).parents[1], stdout=subprocess.PIPE,
        )  # fmt: skip
        assert child.stdout is not None
        child.stdout.readline()
        if delay is not None:
            time.sleep(delay)
            kills += child.poll() is None
            child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
    assert kills >= 1
    assert (tmp_path / "out.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


def test_memory_does_not_grow_with_the_file(matcher: Matcher, tmp_path: Path) -> None:
    import tracemalloc

    peaks = []
    for times in (20, 200):
        source = _write(tmp_path / f"in{times}.jsonl", ROWS * times)
        tracemalloc.start()
        run_batch(matcher, source, tmp_path / "out.jsonl")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.5


def test_the_input_is_never_the_output(matcher: Matcher, tmp_path: Path) -> None:
    source = _write(tmp_path / "in.jsonl", ROWS)
    before = source.read_bytes()
    with pytest.raises(BatchError, match="is the input, too"):
        run_batch(matcher, source, source)
    assert source.read_bytes() == before


def test_two_batches_do_not_write_one_part(matcher: Matcher, tmp_path: Path) -> None:
    fcntl = pytest.importorskip("fcntl")
    source = _write(tmp_path / "in.jsonl", ROWS)
    with (tmp_path / "out.jsonl.part").open("wb") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        with pytest.raises(BatchError, match="another batch is writing it"):
            run_batch(matcher, source, tmp_path / "out.jsonl")


def test_a_lone_surrogate_spoils_no_file(matcher: Matcher, tmp_path: Path) -> None:
    source = _write(tmp_path / "in.jsonl", ['{"id": "\\ud800", "title": "Line Cook"}'])
    run_batch(matcher, source, tmp_path / "out.jsonl")
    assert _read(tmp_path / "out.jsonl")[0]["id"] == "?"


def test_bytes_that_are_not_utf8_spoil_their_own_row_of_a_csv_file_alone(matcher: Matcher, tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    source.write_bytes(b"id,title\n1,Line Cook\n2,caf\xe9\n3,Baker\n")
    told: list[str] = []
    tally = run_batch(matcher, source, tmp_path / "out.jsonl", report=told.append)
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [row["status"] for row in rows] == ["ok", "error", "ok"]
    assert (tally.rows, tally.errors) == (3, 1)
    assert told == [f"{source}, line 3: not UTF-8"]
