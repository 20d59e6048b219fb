"""The index: what is in it, how it is published, and that no changed byte goes unnoticed."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from matcher import index as index_module
from matcher.index import (
    CURRENT,
    IndexBusy,
    IndexNotFound,
    OccupationIndex,
    OccupationIndexError,
    Quantised,
    build_index,
    quantise,
    similarities,
)
from matcher.records import Kind, Release
from tests.invented import BAKER, RELEASE, WAGES, WordEncoder


@pytest.fixture
def built(tmp_path: Path) -> Path:
    build_index(RELEASE, WordEncoder(), tmp_path / "index", wages=WAGES)
    return tmp_path / "index"


def test_statements_of_an_occupation_are_those_of_its_source_in_order(built: Path) -> None:
    index = OccupationIndex.load(built)
    row = index.row_of["51-3011.00"]
    start, end = index.group(Kind.TASK, row)
    assert [index.texts[int(index.text_of[i])] for i in range(start, end)] == [task.text for task in BAKER.tasks]
    assert [index.ids[i] for i in range(start, end)] == ["1", "2", "3"]
    assert index.importance[start:end].tolist() == [90, 75, -1]  # (4.6 - 1) x 25, (4.0 - 1) x 25, unknown


def test_titles_are_official_alternate_short_and_reported_without_repeats(built: Path) -> None:
    index = OccupationIndex.load(built)
    start, end = index.group(Kind.TITLE, index.row_of["51-3011.00"])
    titles = [index.texts[int(index.text_of[i])] for i in range(start, end)]
    assert titles == ["Bakers", "Pastry Baker", "Dough Mixer", "Mixer", "Bread Baker"]


def test_knowledge_below_the_middle_of_the_scale_is_no_statement(built: Path) -> None:
    index = OccupationIndex.load(built)
    start, end = index.group(Kind.KNOWLEDGE, index.row_of["51-3011.00"])
    assert [index.texts[int(index.text_of[i])] for i in range(start, end)] == ["Food Production"]


def test_equal_texts_are_stored_once(built: Path) -> None:
    index = OccupationIndex.load(built)
    texts = index.texts.all()
    assert len(texts) == len(set(texts)) == len(index.vectors)
    assert "Prepare ingredients for cooking" in texts


def test_the_surveyed_wage_wins_and_both_stand_in_the_sections(built: Path, tmp_path: Path) -> None:
    own = replace(BAKER, wages=(replace(WAGES["51-3011.00"], year=2023, source="page"),))
    build_index(Release("Invented", (own,)), WordEncoder(), tmp_path / "own", wages=WAGES)
    index = OccupationIndex.load(tmp_path / "own")
    assert index.entries[0].wage == WAGES["51-3011.00"]
    assert [w["source"] for w in index.section("51-3011.00")["wages"]] == ["Survey 2025", "page"]


def test_interests_are_the_letters_rated_four_or_more_strongest_first(built: Path) -> None:
    index = OccupationIndex.load(built)
    assert [index.entries[index.row_of[c]].interests for c in ("23-1011.00", "51-3011.00", "51-9199.00")] == [
        "EI",
        "R",
        "",
    ]


def test_the_same_release_gives_the_same_version(built: Path, tmp_path: Path) -> None:
    again = build_index(RELEASE, WordEncoder(), tmp_path / "again", wages=WAGES)
    assert OccupationIndex.load(built).digest == OccupationIndex.load(tmp_path / "again").digest
    assert again.name in OccupationIndex.load(built).digest


def test_building_over_an_index_replaces_it_and_keeps_the_one_before(built: Path) -> None:
    first = OccupationIndex.load(built)
    for zone in (3, 4):
        build_index(Release("Invented 2", (replace(BAKER, job_zone=zone),)), WordEncoder(), built)
    second = OccupationIndex.load(built)
    assert second.release == "Invented 2"
    assert not first.path.exists()
    assert len([p for p in built.iterdir() if p.is_dir()]) == 2
    assert first.texts[0], "a mapped index answers after its files are gone"


def test_a_folder_that_is_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(b"x")
    with pytest.raises(OccupationIndexError, match="is not an index"):
        build_index(RELEASE, WordEncoder(), tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["photo.png"]


def test_a_foreign_folder_that_has_a_file_called_current_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "CURRENT").write_text("MANIFEST-000004\n")
    (tmp_path / "000005.log").write_bytes(b"x")
    (tmp_path / "0123456789abcdef").mkdir()
    with pytest.raises(OccupationIndexError, match="is not an index"):
        build_index(RELEASE, WordEncoder(), tmp_path)
    assert len(list(tmp_path.iterdir())) == 3


def test_an_index_can_be_read_by_other_users(built: Path) -> None:
    assert OccupationIndex.load(built).path.stat().st_mode & 0o055 == 0o055


def test_an_encoder_with_too_many_dimensions_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(OccupationIndexError, match="1041 dimensions"):
        build_index(RELEASE, WordEncoder(1041), tmp_path / "index")
    assert not (tmp_path / "index").exists()


def test_only_one_writer_at_a_time(built: Path) -> None:
    import fcntl

    with (built / ".lock").open("a+b") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        with pytest.raises(IndexBusy, match="another process"):
            build_index(RELEASE, WordEncoder(), built)


def test_a_failing_build_leaves_the_old_index_and_no_leftovers(built: Path) -> None:
    before = OccupationIndex.load(built).digest

    class Failing(WordEncoder):
        def encode(self, texts):  # type: ignore[no-untyped-def]
            raise RuntimeError("broken")

    with pytest.raises(RuntimeError):
        build_index(Release("Other", (BAKER,)), Failing(), built)
    assert OccupationIndex.load(built).digest == before
    assert not [p for p in built.iterdir() if p.name.startswith(".new-")]


def test_no_index_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(IndexNotFound, match="matcher index --out"):
        OccupationIndex.load(tmp_path)


def test_another_encoder_or_dimension_is_refused(built: Path) -> None:
    other = WordEncoder()
    other.digest = "sha256:" + "0" * 64
    for wrong in (WordEncoder(16), other):
        with pytest.raises(OccupationIndexError, match="made with encoder words"):
            OccupationIndex.load(built, encoder=wrong)


def _rewrite_manifest(built: Path, **changes: object) -> None:
    """Change members of the manifest and rename the version after it, as a foreign tool that knows the scheme would."""
    import hashlib

    folder = built / (built / CURRENT).read_text().strip()
    manifest = json.loads((folder / "manifest.json").read_text()) | changes
    data = json.dumps(manifest).encode()
    (folder / "manifest.json").write_bytes(data)
    name = hashlib.sha256(data).hexdigest()[:16]
    folder.rename(built / name)
    (built / CURRENT).write_text(name + "\n")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": 99}, "index format 99"),
        ({"release": 7}, "'release' should be str"),
        ({"more": 1}, "unknown members"),
        ({"encoder": {"name": "x"}}, "name, dim and digest"),
    ],
)
def test_a_manifest_of_another_form_is_refused(built: Path, changes: dict[str, object], message: str) -> None:
    _rewrite_manifest(built, **changes)
    with pytest.raises(OccupationIndexError, match=message):
        OccupationIndex.load(built)


def test_a_missing_and_a_foreign_file_are_named(built: Path, tmp_path: Path) -> None:
    folder = OccupationIndex.load(built).path
    (folder / "stranger.npy").write_bytes(b"")
    with pytest.raises(OccupationIndexError, match=r"stranger\.npy: a foreign file"):
        OccupationIndex.load(built)
    (folder / "stranger.npy").unlink()
    (folder / "texts.npy").unlink()
    with pytest.raises(OccupationIndexError, match=r"texts\.npy: missing"):
        OccupationIndex.load(built)


def test_a_reader_whose_version_is_swept_while_it_opens_it_takes_the_next(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = OccupationIndex.load(built).path
    first = index_module._checked

    def sweep(folder: Path) -> object:
        if folder == old:
            build_index(Release("Other", (BAKER,)), WordEncoder(), built)
            (old / "texts.npy").unlink()
        return first(folder)

    monkeypatch.setattr(index_module, "_checked", sweep)
    assert OccupationIndex.load(built).release == "Other"


def test_every_one_of_300_random_byte_flips_is_refused(built: Path) -> None:
    draws = random.Random(7)
    files = sorted(p for p in built.rglob("*") if p.is_file() and p.name != ".lock" and p.stat().st_size)
    refused = 0
    for _ in range(300):
        path = draws.choice(files)
        data = bytearray(path.read_bytes())
        place = draws.randrange(len(data))
        data[place] ^= 1 << draws.randrange(8)
        good = path.read_bytes()
        path.write_bytes(data)
        try:
            OccupationIndex.load(built)
        except OccupationIndexError:
            refused += 1
        path.write_bytes(good)
    assert refused == 300
    OccupationIndex.load(built)


KILLED = textwrap.dedent(
    """
    import sys, time
    from dataclasses import replace
    from pathlib import Path
    from matcher.index import build_index
    from matcher.records import Release
    from tests.invented import RELEASE, WordEncoder

    class Slow(WordEncoder):
        def encode(self, texts):
            time.sleep(0.1)
            return super().encode(texts)

    import matcher.index
    whole = matcher.index._write_synced
    def slow_write(path, data):  # spreads the build over at least half a second, so that kills meet every step
        time.sleep(0.012)
        whole(path, data)
    matcher.index._write_synced = slow_write
    print("ready", flush=True)
    build_index(Release(sys.argv[2], RELEASE.occupations), Slow(), Path(sys.argv[1]))
    """
)


def kill_while_building(built: Path, kills: int, seed: int) -> int:
    """Kill builds over an index at random moments; return after how many of them no index could be loaded."""
    draws = random.Random(seed)
    broken = 0
    for number in range(kills):
        child = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(built), f"Invented {number}"],
            cwd=Path(__file__).parents[1],
            stdout=subprocess.PIPE,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(draws.uniform(0.0, 0.9))
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        try:
            index = OccupationIndex.load(built)
            broken += len(index) != len(RELEASE.occupations)
        except OccupationIndexError:
            broken += 1
    return broken


@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
def test_after_kill_9_at_random_moments_the_old_or_the_new_index_answers(built: Path) -> None:
    assert kill_while_building(built, 4, seed=1) == 0


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
def test_after_twenty_kills_the_old_or_the_new_index_answers_and_a_build_sweeps_up(built: Path) -> None:
    kills = int(os.environ.get("MATCHER_TEST_KILLS", "20"))
    assert kill_while_building(built, kills, seed=2) == 0
    build_index(RELEASE, WordEncoder(), built)
    assert not [p for p in built.iterdir() if p.name.startswith((".new-", ".old-"))]
    assert len([p for p in built.iterdir() if p.is_dir()]) <= 2


def test_a_damaged_index_is_mended_by_building_it_again(built: Path) -> None:
    folder = OccupationIndex.load(built).path
    (folder / "texts.npy").write_bytes(b"broken")
    build_index(RELEASE, WordEncoder(), built, wages=WAGES)
    assert len(OccupationIndex.load(built)) == 5


def test_an_index_copied_elsewhere_loads(built: Path, tmp_path: Path) -> None:
    shutil.copytree(built, tmp_path / "copy")
    assert OccupationIndex.load(tmp_path / "copy").digest == OccupationIndex.load(built).digest


unit_rows = hnp.arrays(np.float32, st.tuples(st.integers(1, 6), st.just(16)), elements=st.floats(-1, 1, width=32))


@given(unit_rows)
def test_rounding_to_eight_bits_is_off_by_half_a_step_at_most(rows: np.ndarray) -> None:
    rounded = quantise(rows)
    back = rounded.values * rounded.scales[:, None]
    assert np.all(np.abs(back - rows) <= rounded.scales[:, None] * 0.5001 + 1e-7)


@given(unit_rows, unit_rows)
def test_similarities_do_not_depend_on_the_rows_beside(left: np.ndarray, right: np.ndarray) -> None:
    a, b = quantise(left), quantise(right)
    whole = similarities(a, b)
    for i in range(len(a)):
        for j in range(len(b)):
            one = similarities(a.rows(slice(i, i + 1)), b.rows(slice(j, j + 1)))
            assert one.tobytes() == whole[i : i + 1, j : j + 1].tobytes()


def test_similarities_that_could_not_be_exact_are_refused() -> None:
    wide = Quantised(np.zeros((1, 1041), np.int8), np.ones(1, np.float32))
    with pytest.raises(ValueError, match="1040 dimensions"):
        similarities(wide, wide)
