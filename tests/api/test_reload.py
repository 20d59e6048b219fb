"""The index changes while the service runs: whole and checked, or not at all."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.holder import MatcherHolder, teller
from api.keys import KeyStore
from api.metrics import Metrics
from api.settings import Settings
from matcher.index import CURRENT, OccupationIndexError
from tests.reliability.harness import own_index, point


@pytest.fixture
def index() -> Iterator[tuple[Path, tuple[str, str]]]:
    """A folder with two versions, the first of which is pointed at."""
    folder, names = own_index()
    yield folder, names
    shutil.rmtree(folder.parent)


BAKES = "Kneaded and shaped dough for loaves and rolls"
Index = tuple[Path, tuple[str, str]]


def run(test: Callable[[], Awaitable[Any]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(20):
            await test()

    asyncio.run(bounded())


@contextlib.asynccontextmanager
async def watched(holder: MatcherHolder) -> Any:
    task = asyncio.create_task(holder.watch())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.01)


def damage(index: Path, version: str) -> None:
    path = index / version / "vectors.npy"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    fresh = path.with_name(".fresh")
    fresh.write_bytes(data)
    fresh.replace(path)


def holder_of(index: Path, events: list[dict[str, Any]] | None = None) -> MatcherHolder:
    told = events if events is not None else []
    settings = Settings(index=index, reload_seconds=0.02)
    return MatcherHolder(settings, tell=lambda event, **facts: told.append({"event": event, **facts}))


def test_a_new_version_answers_soon_after_the_pointer_names_it_and_the_old_one_serves_on_for_who_has_it(index: Index) -> None:
    folder, names = index

    async def test() -> None:
        events: list[dict[str, Any]] = []
        holder = holder_of(folder, events)
        old = holder.current
        async with watched(holder):
            point(folder, names[1])
            await until(lambda: holder.digest.startswith(f"sha256:{names[1]}"))
        assert [e["event"] for e in events] == ["index_changed"]
        shutil.rmtree(folder / names[0])  # as a later build sweeps it
        assert old.match(BAKES).engine["index"].startswith(f"sha256:{names[0]}")
        assert holder.current.match(BAKES).engine["index"].startswith(f"sha256:{names[1]}")

    run(test)


@pytest.mark.parametrize("way", ["damaged", "missing", "nonsense", "no pointer"])
def test_what_does_not_verify_is_refused_said_once_and_the_old_index_answers_on(index: Index, way: str) -> None:
    folder, names = index

    async def test() -> None:
        events: list[dict[str, Any]] = []
        holder = holder_of(folder, events)
        if way == "damaged":
            damage(folder, names[1])
        if way == "missing":
            shutil.rmtree(folder / names[1])
        async with watched(holder):
            if way == "no pointer":
                (folder / CURRENT).unlink()
            else:
                point(folder, "../elsewhere" if way == "nonsense" else names[1])
            await until(lambda: bool(events))
            await asyncio.sleep(0.2)
        assert [e["event"] for e in events] == ["index_refused"]
        assert str(folder) in events[0]["error"]
        assert holder.digest.startswith(f"sha256:{names[0]}")
        assert holder.refused
        assert holder.current.match(BAKES).status == "ok"

    run(test)


def test_a_good_version_after_a_bad_one_is_taken(index: Index) -> None:
    folder, names = index

    async def test() -> None:
        events: list[dict[str, Any]] = []
        holder = holder_of(folder, events)
        async with watched(holder):
            point(folder, "0" * 16)
            await until(lambda: bool(events))
            point(folder, names[1])
            await until(lambda: len(events) == 2)
        assert (events[1]["event"], holder.refused) == ("index_changed", None)

    run(test)


def test_a_version_that_was_mended_is_taken_as_soon_as_the_pointer_names_it_anew(index: Index) -> None:
    folder, names = index

    async def test() -> None:
        events: list[dict[str, Any]] = []
        holder = holder_of(folder, events)
        damage(folder, names[1])
        async with watched(holder):
            point(folder, names[1])
            await until(lambda: bool(events))
            point(folder, names[0])
            damage(folder, names[1])  # the same bit again
            await asyncio.sleep(0.1)
            point(folder, names[1])
            await until(lambda: len(events) == 2)
        assert events[1]["event"] == "index_changed"

    run(test)


def test_reload_points_at_a_version_only_when_it_has_verified(index: Index) -> None:
    folder, names = index

    async def test() -> None:
        holder = holder_of(folder)
        assert (await holder.reload(names[1])).startswith(f"sha256:{names[1]}")
        assert (folder / CURRENT).read_text() == names[1] + "\n"
        damage(folder, names[0])
        for bad in (names[0], "f" * 16, "../../etc", "CURRENT"):
            with pytest.raises(OccupationIndexError):
                await holder.reload(bad)
        assert (folder / CURRENT).read_text() == names[1] + "\n"
        assert holder.digest.startswith(f"sha256:{names[1]}")
        assert sorted(p.name for p in folder.iterdir()) == sorted([".lock", "CURRENT", *names])

    run(test)


def test_a_worker_that_starts_late_takes_the_index_of_now(index: Index) -> None:
    folder, names = index
    holder = holder_of(folder)
    point(folder, names[1])
    holder.catch_up()
    assert holder.digest.startswith(f"sha256:{names[1]}")
    point(folder, "0" * 16)
    holder.catch_up()
    assert holder.digest.startswith(f"sha256:{names[1]}")


def test_metrics_name_the_index_that_answers_and_count_changes(index: Index) -> None:
    folder, names = index

    async def test() -> None:
        metrics = Metrics()
        holder = MatcherHolder(Settings(index=folder, reload_seconds=0.02), tell=teller(metrics))
        metrics.index(holder.digest)
        await holder.reload(names[1])
        text = metrics.render().decode()
        digests = {
            line.split('"')[1][7:23]: line.rsplit(" ", 1)[1] for line in text.splitlines() if line.startswith("matcher_index{")
        }
        assert digests == {names[0]: "0.0", names[1]: "1.0"}
        assert 'matcher_index_changes_total{outcome="taken"} 1.0' in text

    run(test)


def test_the_admin_route_answers_202_with_the_digest_or_409_and_paths_stay_in_the_log(index: Index, tmp_path: Path) -> None:
    folder, names = index
    keys = KeyStore(tmp_path / "keys.json")
    _, token = keys.create("operator", scope="admin")
    admin = {"X-API-Key": token}
    app = create_app(Settings(index=folder, keys_file=keys.path, reload_seconds=60))
    with TestClient(app, base_url="http://127.0.0.1") as client:
        assert client.post("/admin/reload").status_code == 401
        taken = client.post(f"/admin/reload?version={names[1]}", headers=admin)
        assert taken.status_code == 202
        assert taken.json()["index"].startswith(f"sha256:{names[1]}")
        damage(folder, names[0])
        refused = client.post(f"/admin/reload?version={names[0]}", headers=admin)
        assert (refused.status_code, refused.headers["content-type"]) == (409, "application/problem+json")
        assert str(folder) not in refused.text
        assert client.post("/admin/reload?version=zz", headers=admin).status_code == 422
        assert client.get("/readyz").json()["index"].startswith(f"sha256:{names[1]}")
