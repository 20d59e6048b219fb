"""The batch engine for many machines: Ray actors, each with its matcher, make the parts of a batch (see ``matcher.batch_parts``).

The driver hands out descriptions of parts and gets tallies back; queries and answers go from the file system to a worker and back, never
through the driver or Ray's object store. A worker has one part at a time; a worker that dies is replaced, and its part is made anew.
"""

from __future__ import annotations

import json
import os
import secrets
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

from matcher.batch_parts import (
    Made,
    Piece,
    Survey,
    begin,
    check_out,
    end,
    finished,
    list_inputs,
    locate,
    make_part,
    pieces_of,
    survey,
)
from matcher.batch_rows import BatchError, Origin, Settings, Tally
from matcher.match import Filters, Matcher

#: Rows of a part: at 100 rows a second a killed worker loses at most 50 seconds of work.
PART_ROWS = 5000
#: How often a part is tried, and how many workers in a row may die while they load, before it is no accident.
ATTEMPTS = 5
_PATIENCE_SECONDS = 30.0
#: Nothing but tallies goes through Ray's store; this is about the least that Ray takes.
_STORE_BYTES = 100_000_000

Task = TypeVar("Task")


class Worker:
    """What runs in each actor: a matcher, loaded once, and the two things asked of it."""

    def __init__(self, origin: Origin, settings: Settings, source: str, out: str) -> None:
        self._origin, self._settings, self._source, self._out = origin, settings, source, out
        self._matcher: Matcher | None = None

    def open(self) -> dict[str, str]:
        """Load the matcher and return its engine. Not done in the constructor, whose errors Ray tells as text only."""
        if self._matcher is None:
            self._matcher = self._origin.load()
            self._settings.filters.allowed(self._matcher.index)
        return dict(self._matcher.engine)

    def survey(self, name: str, path: str, part_rows: int) -> Survey:
        """Survey one input file."""
        return survey(self._source, name, path, part_rows)

    def make(self, piece: Piece, stamp: str) -> Made:
        """Make one part."""
        self.open()
        assert self._matcher is not None
        return make_part(self._matcher, self._source, self._out, piece, self._settings, stamp)


class _Pool:
    """Actors, each with at most one task; those that die are replaced, those that load are waited for."""

    def __init__(self, ray: Any, start: Callable[[], Any], workers: int, report: Callable[[str], None]) -> None:
        self._ray, self._start, self._report = ray, start, report
        self._opening: dict[Any, Any] = {}
        self._idle: list[Any] = []
        self._deaths = 0
        self.engine: dict[str, str] | None = None
        for _ in range(workers):
            self._add()

    def _add(self) -> None:
        actor = self._start()
        self._opening[actor.open.remote()] = actor

    def _replace(self, actor: Any) -> None:
        self._ray.kill(actor, no_restart=True)
        self._add()

    def _wait(self, running: Iterable[Any]) -> Any:
        while True:
            ready, _ = self._ray.wait([*running, *self._opening], num_returns=1, timeout=_PATIENCE_SECONDS)
            if ready:
                return ready[0]
            if not self._idle and not running:
                self._report("waiting for a worker: the cluster has no free processor, or loading takes long")

    def _opened(self, reference: Any) -> None:
        actor = self._opening.pop(reference)
        try:
            engine = self._ray.get(reference)
        except self._ray.exceptions.RayTaskError as error:
            raise _cause(error) from None
        except self._ray.exceptions.RayError:
            self._deaths += 1
            if self._deaths >= ATTEMPTS:
                raise BatchError(f"{ATTEMPTS} workers in a row died while they loaded the index; is there enough memory?") from None
            self._replace(actor)
            return
        self._deaths = 0
        if self.engine is not None and engine != self.engine:
            raise BatchError(f"a worker has another engine ({engine}) than the first one ({self.engine}); give all nodes one index")
        self.engine = engine
        self._idle.append(actor)

    def opened(self) -> dict[str, str]:
        """Wait for the first worker and return its engine."""
        while self.engine is None:
            self._opened(self._wait(()))
        return self.engine

    def run(self, call: Callable[[Any, Task], Any], tasks: Iterable[Task], name: Callable[[Task], str]) -> Iterator[Any]:
        """Yield the result of each task as it comes. Raises BatchError at the end where tasks failed ATTEMPTS times."""
        waiting, running = deque(tasks), dict[Any, tuple[Any, Task]]()
        tried: Counter[str] = Counter()
        failed: list[str] = []

        def again(task: Task, why: str) -> None:
            tried[name(task)] += 1
            if tried[name(task)] < ATTEMPTS:
                waiting.appendleft(task)
            else:
                failed.append(f"{name(task)} ({why})")

        while waiting or running:
            while waiting and self._idle:
                actor, task = self._idle.pop(), waiting.popleft()
                running[call(actor, task)] = (actor, task)
            reference = self._wait(running)
            if reference in self._opening:
                self._opened(reference)
                continue
            actor, task = running.pop(reference)
            try:
                result = self._ray.get(reference)
            except self._ray.exceptions.RayTaskError as error:
                cause = _cause(error)
                if not isinstance(cause, OSError):
                    raise cause from None
                self._idle.append(actor)
                again(task, cause.strerror or type(cause).__name__)
            except self._ray.exceptions.RayError as error:
                self._report(f"a worker was lost ({type(error).__name__}); {name(task)} is made anew")
                self._replace(actor)
                again(task, "its worker died each time")
            else:
                self._idle.append(actor)
                yield result
        if failed:
            more = f" and {len(failed) - 3} more" if len(failed) > 3 else ""
            raise BatchError(f"failed {ATTEMPTS} times: {', '.join(failed[:3])}{more}; --continue tries these alone")


def _cause(error: Any) -> BaseException:
    """Return what a task raised."""
    cause = error.cause
    return cause if isinstance(cause, BaseException) else BatchError(f"a worker failed ({type(error).__name__})")


def run_batch_ray(
    origin: Origin,
    source: str,
    out: str,
    *,
    workers: int | None = None,
    part_rows: int = PART_ROWS,
    top: int = 10,
    explain: bool = False,
    filters: Filters | None = None,
    resume: bool = False,
    address: str | None = None,
    report: Callable[[str], None] = lambda line: None,
    progress: Callable[[int, int], None] = lambda rows, total: None,
) -> Tally:
    """Match every row of ``source``, a file or folder of JSON Lines or Parquet, and write the folder ``out`` of Parquet parts.

    ``source`` and ``out`` are paths or addresses that pyarrow or fsspec know, and every worker has to reach them. Without ``address``
    a Ray of ``workers`` processes (as many as processors) is started on this machine and stopped again; with it, ``workers`` actors are
    asked of that cluster. ``part_rows`` is the most rows of a part; ``progress`` gets the rows that are done, and all. The rows are those
    of ``run_batch``. Raises BatchError, and what loading a matcher raises.
    """
    if part_rows < 1:
        raise BatchError(f"part_rows: {part_rows}, expected 1 or more")
    if workers is not None and workers < 1:
        raise BatchError(f"workers: {workers}, expected 1 or more")
    source, out = _absolute(source), _absolute(out)
    if out.rstrip("/") == source.rstrip("/") or out.startswith(source.rstrip("/") + "/"):
        raise BatchError(f"{out}: lies in the input; name another folder")
    files = list_inputs(source)
    settings = Settings(top, explain, filters or Filters())
    known = _plain({"settings": settings.to_dict(), "part_rows": part_rows})
    check_out(out, known, resume=resume)  # before Ray takes its seconds to start
    with _ray(address, workers or os.cpu_count() or 1) as (ray, most):
        actor_class = ray.remote(num_cpus=1, max_restarts=0)(Worker)
        pool = _Pool(ray, partial(actor_class.remote, _portable(origin), settings, source, out), workers or most, report)
        engine = pool.opened()
        found = pool.run(lambda actor, file: actor.survey.remote(*file, part_rows), files, lambda file: file[0])
        surveys: list[Survey] = sorted(found, key=lambda one: one.name)
        pieces = pieces_of(surveys)
        stated = _plain({"engine": engine, **known, "inputs": [one.to_dict() for one in surveys]})
        stamp = begin(out, stated, resume=resume)
        made = _there(out, pieces, stamp) if resume else []
        have = {one.part for one in made}
        total, rows = sum(one.rows for one in surveys), sum(one.tally.rows for one in made)
        progress(rows, total)
        missing = [piece for piece in pieces if piece.part not in have]
        for one in pool.run(lambda actor, piece: actor.make.remote(piece, stamp), missing, lambda piece: piece.part):
            for fault in one.faults:
                report(fault)
            if one.tally.errors > len(one.faults):
                report(f"{one.part}: {one.tally.errors - len(one.faults)} more bad rows")
            made.append(one)
            rows += one.tally.rows
            progress(rows, total)
        return end(out, stated, stamp, made)


def _absolute(address: str) -> str:
    return address if "://" in address else str(Path(address).absolute())


def _portable(origin: Origin) -> Origin:
    """Return an origin whose paths hold in another working directory, too; an encoder's name stays one."""
    index = origin.index and str(Path(origin.index).absolute())
    is_path = origin.encoder is not None and Path(origin.encoder).exists()
    return replace(
        origin, index=index, encoder=str(Path(origin.encoder).absolute()) if is_path and origin.encoder else origin.encoder
    )


def _plain(stated: Mapping[str, Any]) -> dict[str, Any]:
    """Return values as they come back from JSON, so that what is stated and what was stated can be compared."""
    return dict(json.loads(json.dumps(stated)))


def _there(out: str, pieces: list[Piece], stamp: str) -> list[Made]:
    filesystem, root = locate(out)
    with ThreadPoolExecutor(16) as threads:
        found = threads.map(lambda piece: finished(filesystem, root, piece, stamp), pieces)
        return [one for one in found if one is not None]


@contextmanager
def _ray(address: str | None, processors: int) -> Iterator[tuple[Any, int]]:
    """Give Ray, connected, and how many actors it has processors for; disconnect at the end, and stop it if it was started here."""
    started_here = {
        # Ray listens on every interface, to anyone who speaks its protocol; a Ray of one machine has to listen to that one alone. The
        # first variable means what it says on other systems: here, too, it keeps to the loopback interface. Old versions know no token.
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
    }
    with _environment({"RAY_USAGE_STATS_ENABLED": "0", **({} if address else started_here)}):  # else Ray reports every cluster
        try:
            ray = import_module("ray")
        except ImportError:
            raise BatchError("--engine ray needs Ray; install the extra 'ray'") from None
        try:
            _connect(ray, address, processors)
            yield ray, max(1, int(ray.cluster_resources().get("CPU", 1)))
        finally:
            ray.shutdown()


def _connect(ray: Any, address: str | None, processors: int) -> None:
    """Connect to a Ray, or start one; on a busy machine Ray's own half minute for that may be too short, so it gets it again."""
    options: dict[str, Any] = {"address": address or "local", "log_to_driver": False, "logging_level": "ERROR"}
    if address is None:
        options |= {"num_cpus": processors, "object_store_memory": _STORE_BYTES, "include_dashboard": False}
    for left in reversed(range(ATTEMPTS)):
        try:
            ray.init(**options)
            return
        except Exception as error:  # noqa: BLE001 - Ray raises plain Exceptions here
            ray.shutdown()
            if not left:
                raise BatchError(f"Ray at {address or 'this machine'} cannot be used: {str(error).splitlines()[0]}") from None


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
