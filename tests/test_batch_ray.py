"""Batches on Ray: the rows of the local engine, each once, whatever is killed meanwhile. A real Ray is started for each (``slow``)."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from matcher.batch import run_batch
from matcher.batch_ray import run_batch_ray
from matcher.batch_rows import BatchError, Origin
from matcher.encoder import StaticEncoder
from matcher.index import build_index
from matcher.match import Filters, Matcher
from matcher.resources import encoder_path
from tests.invented import RELEASE, WAGES

pa = pytest.importorskip("pyarrow")

ROOT = Path(__file__).parents[1]
TEXTS = [
    "Knead and shape dough for loaves and rolls. Decorate cakes with icing for customers.",
    "Argued motions in court and drafted contracts for clients.",
    "Replaced brake pads and rotors, read fault codes with a scan tool.",
    "Grilled and seasoned meat and fish to order on a busy line.",
    "hi",
]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ray") / "index"
    build_index(RELEASE, StaticEncoder.load(encoder_path()), path, wages=WAGES)
    return path


@pytest.fixture(scope="module")
def ray() -> None:
    """Leave out, with a line that tells, what needs Ray; where CI installs it, its absence is a failure."""
    if sys.platform != "linux":
        pytest.skip("not Linux: these tests find the processes of Ray in /proc")
    if find_spec("ray") is None:
        if os.environ.get("MATCHER_TEST_CI"):
            pytest.fail("Ray is not installed, and CI must not leave its tests out: install the extra 'ray'")
        pytest.skip("Ray is not installed (extra 'ray'): no test of the engine for many machines was run")


def _inputs(folder: Path, rows: int) -> Path:
    """Write a folder of JSON Lines, with bad rows and empty lines among the good, and of Parquet in small row groups."""
    import pyarrow.parquet as pq

    folder.mkdir()
    made = [{"id": f"r{n}", "text": f"{TEXTS[n % 5]} Shift {n}."} for n in range(rows)]
    third = rows // 3
    lines = [json.dumps(row) for row in made[: 2 * third]]
    lines[1:1] = ["", "{broken", json.dumps({"id": 7}), json.dumps({"title": "Line Cook"})]
    (folder / "a.jsonl").write_text("\n".join(lines[:third]) + "\n")
    (folder / "below").mkdir()
    (folder / "below" / "b.jsonl").write_text("\n".join(lines[third:]))  # no end of line at the end
    pq.write_table(pa.Table.from_pylist(made[2 * third :]), folder / "c.parquet", row_group_size=17)
    return folder


def _words(index: Path, source: Path, out: Path, *more: str) -> list[str]:
    return [
        sys.executable, "-m", "matcher.cli", "batch", str(source), str(out), "--index", str(index), "--engine", "ray",
        "--workers", "2", "--part-rows", "20", "--top", "3", *more,
    ]  # fmt: skip


def _run(*words: Any) -> tuple[int, str]:
    done = subprocess.run(_words(*words), cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr


def _rows(path: Path) -> list[dict[str, Any]]:
    import pyarrow.parquet as pq

    files = sorted(path.glob("[!_]*.parquet")) if path.is_dir() else [path]
    return [row for file in files for row in pq.read_table(file).to_pylist()]


def _workers(root: int) -> list[int]:
    """Return the processes below ``root`` that are Ray actors of ours."""
    found, queue = [], [root]
    while queue:
        pid = queue.pop()
        try:
            queue += [int(n) for task in Path(f"/proc/{pid}/task").iterdir() for n in (task / "children").read_text().split()]
            if Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"ray::Worker"):
                found.append(pid)
        except OSError:  # it ended meanwhile
            continue
    return found


def _parts(out: Path) -> int:
    return len(list(out.glob("[!_]*.parquet"))) if out.is_dir() else 0


def _killing(words: list[str], log: Path, step: Callable[[subprocess.Popen[bytes]], None]) -> int:
    """Run a batch, calling ``step`` every tenth of a second until it ends; return its exit code."""
    with log.open("wb") as told:
        child = subprocess.Popen(words, cwd=ROOT, stderr=told)
        try:
            deadline = time.monotonic() + 600
            while child.poll() is None and time.monotonic() < deadline:
                step(child)
                time.sleep(0.1)
            return child.wait(10)
        finally:
            child.kill()
            child.wait()


def _local(index: Path, source: Path, out: Path) -> tuple[list[dict[str, Any]], str]:
    tally = run_batch(Matcher.load(index), source, out, top=3)
    return _rows(out), tally.digest


@pytest.fixture(scope="module")
def run_seen(ray: None, index: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int, str, dict[str, str]]:
    """Run one batch and return its folder, exit code, what it told, and what was seen of Ray meanwhile."""
    folder, seen = tmp_path_factory.mktemp("seen"), dict[str, str]()
    source = _inputs(folder / "in", 600)

    def look(child: subprocess.Popen[bytes]) -> None:
        workers = _workers(child.pid)
        if not seen and workers:
            environment = Path(f"/proc/{workers[0]}/environ").read_bytes().decode().split("\0")
            seen.update(pair.split("=", 1) for pair in environment if pair.startswith("RAY_"))
            seen["listening"] = " ".join(sorted(_listening(child.pid)))

    code = _killing(_words(index, source, folder / "out"), folder / "log", look)
    return folder, code, (folder / "log").read_text(), seen


@pytest.mark.slow
def test_ray_gives_the_rows_of_the_local_engine_and_says_the_same_digest(
    run_seen: tuple[Path, int, str, dict[str, str]], index: Path
) -> None:
    folder, code, told, _ = run_seen
    rows, digest = _local(index, folder / "in", folder / "local.parquet")
    assert code == 1, told  # there are bad rows
    assert _rows(folder / "out") == rows
    assert digest in told
    assert "a.jsonl, line 3: not JSON" in told
    assert "a.jsonl, line 4: expected one or more of 'text', 'skills', 'title'" in told
    manifest = json.loads((folder / "out" / "_manifest.json").read_text())
    assert (manifest["state"], manifest["rows"], manifest["errors"], manifest["digest"]) == ("complete", 603, 2, digest)
    assert [one["name"] for one in manifest["inputs"]] == ["a.jsonl", "below/b.jsonl", "c.parquet"]
    assert sum(part["rows"] for part in manifest["parts"]) == 603
    assert not (folder / "out" / "_temporary").exists()


@pytest.mark.slow
def test_ray_listens_to_this_machine_alone_and_reports_to_nobody(run_seen: tuple[Path, int, str, dict[str, str]]) -> None:
    _, _, told, seen = run_seen
    assert seen["RAY_USAGE_STATS_ENABLED"] == "0", told
    assert seen["RAY_AUTH_MODE"] == "token"
    assert seen["listening"].split()
    assert set(seen["listening"].split()) <= {"0100007F", "0000000000000000FFFF00000100007F", "00000000000000000000000001000000"}


@pytest.mark.slow
@pytest.mark.usefixtures("ray")
def test_with_workers_killed_at_random_no_row_is_lost_or_there_twice(index: Path, tmp_path: Path) -> None:
    source = _inputs(tmp_path / "in", 3000)
    rows, digest = _local(index, source, tmp_path / "local.parquet")
    draws, killed = random.Random(0), set[int]()
    out = tmp_path / "out"

    def kill(child: subprocess.Popen[bytes]) -> None:
        alive = [pid for pid in _workers(child.pid) if pid not in killed]
        if len(killed) < 6 and _parts(out) > 3 * len(killed) and alive and draws.random() < 0.7:
            killed.add(pid := draws.choice(alive))
            os.kill(pid, signal.SIGKILL)

    _killing(_words(index, source, out), tmp_path / "log", kill)
    told = (tmp_path / "log").read_text()
    assert len(killed) >= 4, told
    assert digest in told
    found = _rows(out)
    assert len({row["id"] for row in found}) == len({row["id"] for row in rows}) == 3003
    assert found == rows


@pytest.mark.slow
@pytest.mark.usefixtures("ray")
def test_a_batch_whose_driver_is_killed_goes_on_to_the_same_rows_and_makes_no_part_twice(index: Path, tmp_path: Path) -> None:
    source = _inputs(tmp_path / "in", 1500)
    rows, digest = _local(index, source, tmp_path / "local.parquet")
    out, before = tmp_path / "out", dict[str, int]()

    def kill(child: subprocess.Popen[bytes]) -> None:
        if _parts(out) >= 5:
            child.kill()

    assert _killing(_words(index, source, out), tmp_path / "log", kill) == -signal.SIGKILL
    time.sleep(2)  # a worker outlives its driver by a moment
    before = {path.name: path.stat().st_ino for path in out.glob("[!_]*.parquet")}
    assert 5 <= len(before) < 75
    refused, told = _run(index, source, out)
    assert refused == 1
    assert "give --continue" in told
    (out / sorted(before)[0]).write_bytes(b"PAR1 cut off")
    _, told = _run(index, source, out, "--continue")
    assert digest in told
    assert _rows(out) == rows
    after = {path.name: path.stat().st_ino for path in out.glob("[!_]*.parquet")}
    assert {name for name in before if after[name] != before[name]} == {sorted(before)[0]}
    refused, told = _run(index, source, out, "--continue", "--explain")
    assert refused == 1
    assert "was made with other settings" in told


def _listening(root: int) -> set[str]:
    """Return the addresses, as /proc writes them, on which the processes below ``root`` listen."""
    pids, queue = [], [root]
    while queue:
        pid = queue.pop()
        pids.append(pid)
        queue += [int(n) for task in Path(f"/proc/{pid}/task").iterdir() for n in (task / "children").read_text().split()]
    sockets = set()
    for pid in pids:
        for handle in Path(f"/proc/{pid}/fd").iterdir():
            try:
                sockets.add(str(handle.readlink()))
            except OSError:  # closed meanwhile
                continue
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == "0A" and f"socket:[{words[9]}]" in sockets:
                found.add(words[1].partition(":")[0])
    return found


@pytest.mark.slow
@pytest.mark.usefixtures("ray")
def test_an_index_that_a_worker_cannot_open_ends_as_it_does_without_ray(index: Path, tmp_path: Path) -> None:
    source = _inputs(tmp_path / "in", 30)
    code, told = _run(tmp_path / "none", source, tmp_path / "out")
    assert code == 3
    assert str(tmp_path / "none") in told


def test_without_ray_the_extra_is_named(index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(BatchError, match="install the extra 'ray'"):
        run_batch_ray(Origin(str(index)), str(_inputs(tmp_path / "in", 9)), str(tmp_path / "out"), filters=Filters())
