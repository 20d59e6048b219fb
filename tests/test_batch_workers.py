"""Batches in several processes: the bytes of one process, each row once, whatever is killed meanwhile."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from matcher import batch_workers
from matcher.batch import run_batch
from matcher.batch_rows import Asked, BatchError, Origin, Settings
from matcher.batch_workers import CHUNK_ROWS, Pool, run_batch_workers
from matcher.encoder import StaticEncoder
from matcher.index import OccupationIndexError, build_index
from matcher.match import FilterError, Filters, Matcher
from matcher.resources import encoder_path
from tests.invented import RELEASE, WAGES

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("workers") / "index"
    build_index(RELEASE, StaticEncoder.load(encoder_path()), path, wages=WAGES)
    return path


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("workers") / "in.jsonl"
    lines = ["{broken", json.dumps({"id": 7}), json.dumps({"id": "s", "title": "caf\ud800 Cook"})]
    lines += [json.dumps({"id": n, "text": f"Knead and shape dough for loaves and rolls. Shift {n}."}) for n in range(400)]
    path.write_text("\n".join(lines))
    return path


def test_any_number_of_workers_gives_the_bytes_and_the_digest_of_one(index: Path, source: Path, tmp_path: Path) -> None:
    alone = run_batch(Matcher.load(index), source, tmp_path / "one.jsonl", top=3, explain=True)
    told: list[str] = []
    for workers in (1, 3):
        tally = run_batch_workers(
            Origin(str(index)), source, tmp_path / "many.jsonl", workers=workers, top=3, explain=True, report=told.append
        )
        assert tally == alone
        assert (tmp_path / "many.jsonl").read_bytes() == (tmp_path / "one.jsonl").read_bytes()
    assert told[0] == f"{source}, line 1: not JSON"
    assert alone.errors == 2


def test_workers_killed_again_and_again_lose_no_row_and_double_none(index: Path, source: Path, tmp_path: Path) -> None:
    asked = [Asked(n, f"line {n}", n, text=f"Replaced brake pads and rotors. Shift {n}.") for n in range(30 * CHUNK_ROWS)]
    killed = set()
    with Pool(Origin(str(index)), Settings(top=1), workers=2) as pool:
        found = []
        for place, answered in enumerate(pool.answers(iter(asked))):
            found.append(answered)
            alive = [pid for pid in pool.pids if pid not in killed]
            if place % (6 * CHUNK_ROWS) == 0 and alive:
                killed.add(alive[0])
                os.kill(alive[0], signal.SIGKILL)
    assert len(killed) >= 4
    assert [answered.place for answered in found] == list(range(len(asked)))
    assert [json.loads(answered.line)["id"] for answered in found] == [a.id for a in asked]
    assert {answered.status for answered in found} == {"ok"}


def test_a_row_that_kills_every_worker_is_refused_and_the_rows_beside_it_are_answered(
    index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_workers, "_MODULE", "tests.deadly_worker")
    monkeypatch.chdir(ROOT)
    texts = ["Replaced brake pads and rotors.", "poison", "Argued motions in court."]
    with Pool(Origin(str(index)), Settings(top=1), workers=1) as pool:
        found = list(pool.answers(Asked(n, "", n, text=text) for n, text in enumerate(texts)))
    assert [answered.status for answered in found] == ["ok", "error", "ok"]
    assert found[1].fault == "3 workers died of this row"


def test_no_more_of_the_input_is_read_than_the_workers_keep_up_with(index: Path) -> None:
    read = 0

    def rows() -> Iterator[Asked]:
        nonlocal read
        for n in range(10_000):
            read += 1
            yield Asked(n, "", n, title="Line Cook")

    with Pool(Origin(str(index)), Settings(top=1), workers=2) as pool:
        answers = pool.answers(rows())
        for _ in range(5):
            next(answers)
        assert read <= 8 * CHUNK_ROWS
        answers.close()  # type: ignore[attr-defined]


def test_what_a_worker_finds_wrong_is_raised_as_without_workers(index: Path, source: Path, tmp_path: Path) -> None:
    with pytest.raises(OccupationIndexError, match="none"):
        run_batch_workers(Origin(str(tmp_path / "none")), source, tmp_path / "o.jsonl", workers=2)
    with pytest.raises(FilterError, match="exclude: 'nothing'"):
        run_batch_workers(Origin(str(index)), source, tmp_path / "o.jsonl", workers=2, filters=Filters(exclude=("nothing",)))
    with pytest.raises(BatchError, match="workers: 0"):
        run_batch_workers(Origin(str(index)), source, tmp_path / "o.jsonl", workers=0)
    assert list(tmp_path.iterdir()) == []


def test_a_batch_of_workers_that_is_killed_leaves_no_process_and_goes_on_to_the_same_bytes(
    index: Path, source: Path, tmp_path: Path
) -> None:
    run_batch(Matcher.load(index), source, tmp_path / "whole.jsonl", top=3)
    out = tmp_path / "out.jsonl"
    words = [sys.executable, "-m", "matcher.cli", "batch", str(source), str(out), "--index", str(index)]
    words += ["--workers", "2", "--top", "3", "--continue"]
    child = subprocess.Popen(words, cwd=ROOT, stderr=subprocess.DEVNULL)
    part, children = out.with_name("out.jsonl.part"), Path(f"/proc/{child.pid}/task/{child.pid}/children")
    workers: list[str] = []
    while child.poll() is None and not (part.exists() and part.stat().st_size):
        workers = children.read_text().split() if children.exists() else []
        time.sleep(0.01)
    child.kill()
    child.wait()
    deadline = time.monotonic() + 20
    while any(Path(f"/proc/{pid}").exists() for pid in workers) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(Path(f"/proc/{pid}").exists() for pid in workers)
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 1
    assert "403 rows, 0 insufficient, 2 bad, sum-sha256:" in done.stderr
    assert out.read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
