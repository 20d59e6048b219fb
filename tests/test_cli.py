"""The command line: one JSON document, exit codes, and no traceback for any input."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from matcher.encoder import StaticEncoder
from matcher.index import build_index
from matcher.resources import encoder_path
from tests.invented import RELEASE, WAGES

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cli") / "index"
    build_index(RELEASE, StaticEncoder.load(encoder_path()), path, wages=WAGES)
    return path


def run(*words: str | Path, stdin: bytes = b"", **environment: str) -> subprocess.CompletedProcess[bytes]:
    done = subprocess.run(
        [sys.executable, "-m", "matcher.cli", *map(str, words)],
        input=stdin, capture_output=True, check=False, cwd=ROOT, env={**os.environ, **environment}, timeout=120,
    )  # fmt: skip
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    return done


def test_json_is_exactly_one_document(index: Path) -> None:
    done = run("match", "--text", "Replace brake pads, rotors and calipers", "--json", "--index", index)
    answer = json.loads(done.stdout)
    assert done.returncode == 0
    assert answer["matches"][0]["code"] == "49-3023.00"
    assert done.stderr == b""


def test_a_table_for_people_shows_title_code_and_evidence_without_colour_codes(index: Path) -> None:
    done = run("match", "--text", "Replace brake pads, rotors and calipers", "--index", index)
    text = done.stdout.decode()
    assert "Automotive Service Technicians and Mechanics" in text
    assert "49-3023.00" in text
    assert "→ task: Replace brake pads, rotors and calipers" in text
    assert "\x1b[" not in text


def test_a_file_standard_input_and_the_environment_are_sources(index: Path, tmp_path: Path) -> None:
    (tmp_path / "r.txt").write_text("Argue motions and question witnesses in court.\n")
    by_file = run("match", tmp_path / "r.txt", "--json", MATCHER_INDEX=str(index))
    by_pipe = run("match", "-", "--json", stdin=(tmp_path / "r.txt").read_bytes(), MATCHER_INDEX=str(index))
    assert json.loads(by_file.stdout)["matches"] == json.loads(by_pipe.stdout)["matches"]
    assert json.loads(by_file.stdout)["matches"][0]["code"] == "23-1011.00"


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["match"], 2, b"expected a FILE"),
        (["match", "--top", "0", "--title", "x"], 2, b"--top"),
        (["match", "nowhere.pdf"], 1, b"nowhere.pdf"),
        (["match", "--title", "cook", "--job-zone", "9"], 2, b"job_zone: 9"),
        (["match", "--title", "cook", "--index", "nowhere"], 3, b"no index here"),
        (["index", "--out", "x"], 2, b"--onet"),
        (["index", "--onet", "nowhere", "--out", "x"], 1, b"nowhere"),
        (["evaluate", "nowhere.jsonl"], 1, b"nowhere.jsonl"),
        (["batch", "nowhere.jsonl", "out.jsonl"], 1, b"nowhere.jsonl"),
        (["fetch", "--release", "latest"], 1, b"release 'latest'"),
        (["nonsense"], 2, b"nonsense"),
    ],
)
def test_bad_input_is_one_clear_line_and_the_right_exit_code(
    index: Path, tmp_path: Path, words: list[str], code: int, message: bytes
) -> None:
    environment = {} if "--index" in words else {"MATCHER_INDEX": str(index)}
    done = run(*words, **environment)
    assert done.returncode == code, done.stderr.decode()
    assert message in done.stderr


def test_a_corrupt_index_and_a_foreign_model_are_exit_3(index: Path, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(index, tmp_path / "broken")
    victim = next((tmp_path / "broken").glob("*/texts.npy"))
    victim.write_bytes(victim.read_bytes()[:-1] + b"\x00")
    done = run("match", "--title", "cook", "--index", tmp_path / "broken")
    assert done.returncode == 3
    assert b"texts.npy" in done.stderr
    done = run("match", "--title", "cook", "--index", index, "--encoder", tmp_path)
    assert done.returncode == 3


@pytest.mark.parametrize(
    "data", [b"", b"\x00" * 50, b"\xff\xfe\x00", b"%PDF-1.7 broken", b"PK\x03\x04broken", bytes(range(256)) * 20]
)
def test_any_bytes_end_without_a_traceback(index: Path, data: bytes) -> None:
    done = run("match", "-", stdin=data, MATCHER_INDEX=str(index))
    assert done.returncode == 1


def test_insufficient_is_said_in_words_and_exits_1(index: Path) -> None:
    done = run("match", "--text", "hi", "--index", index)
    assert done.returncode == 1
    assert b"No ranking (too_short)" in done.stdout


def test_evaluate_prints_measures_with_intervals_beside_baselines(index: Path, tmp_path: Path) -> None:
    rows = [
        {"id": "1", "title": "Auto Mechanic", "labels": ["49-3023.00"]},
        {"id": "2", "title": "Attorney", "labels": ["23-1011.00"]},
    ]
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = run("evaluate", path, "--index", index, "--json", "--baseline", "bm25", "--baseline", "random")
    found = json.loads(done.stdout)["files"][str(path)]
    assert found["matcher"]["hit@1"] == {"mean": 1.0, "low": 0.3424, "high": 1.0, "n": 2}  # Wilson for 2 of 2
    assert set(found) == {"matcher", "bm25", "random"}
    assert b"matcher" in run("evaluate", path, "--index", index).stdout


def test_evaluate_tells_of_labels_that_the_index_lacks(index: Path, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({"id": "1", "title": "Attorney", "labels": ["23-1011.00", "99-9999.00"]}) + "\n")
    done = run("evaluate", path, "--index", index)
    assert done.returncode == 0
    assert b"1 labels are not in this index and can't be found, 99-9999.00 for one" in done.stderr


def test_batch_names_bad_rows_and_exits_1(index: Path, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"id": "1", "title": "Attorney"}\nbroken\n')
    done = run("batch", tmp_path / "in.jsonl", tmp_path / "out.jsonl", "--index", index)
    assert done.returncode == 1
    assert b"in.jsonl, line 2: not JSON" in done.stderr
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 2


def test_about_names_release_index_encoder_and_ranker(index: Path) -> None:
    facts = json.loads(run("about", "--json", "--index", index).stdout)
    assert facts["engine"]["release"] == "Invented 1.0"
    assert facts["counts"]["occupations"] == 5
    assert "matcher fetch" in facts["full_release"]
