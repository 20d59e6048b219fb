"""The batch engine of several processes on one machine: the same rows, in the same order, as one process gives.

Each worker is a child process (``python -m matcher.batch_workers``) that loads the index, of which the memory map is shared, and answers
chunks of rows over its standard input and output. A worker that dies takes nothing with it: its chunk is asked again of a new one.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, astuple
from importlib import import_module
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self, cast

from matcher.batch import check_names, write_batch
from matcher.batch_rows import Answered, Asked, BatchError, Origin, Settings, Tally, answer, refused
from matcher.match import Filters

#: Rows of a chunk: few enough that the last ones end together, enough that sending them costs nothing beside matching them.
CHUNK_ROWS = 32
#: How many workers a chunk may cost before its rows are asked one by one, and a row before it is refused.
ATTEMPTS = 3
_MODULE = "matcher.batch_workers"
#: A worker ends by itself when its input ends.
_SECONDS_TO_END = 5


def run_batch_workers(
    origin: Origin,
    source: Path,
    out: Path,
    *,
    workers: int,
    top: int = 10,
    explain: bool = False,
    filters: Filters | None = None,
    resume: bool = False,
    report: Callable[[str], None] = lambda line: None,
    progress: Callable[[int], None] = lambda rows: None,
) -> Tally:
    """Do what ``matcher.batch.run_batch`` does in ``workers`` processes, to the same bytes.

    A row that kills its worker ATTEMPTS times is a bad row. Raises what ``run_batch`` and loading a matcher raise.
    """
    if workers < 1:
        raise BatchError(f"workers: {workers}, expected 1 or more")
    check_names(source, out)
    settings = Settings(top, explain, filters or Filters())
    with Pool(origin, settings, workers) as pool:
        return write_batch(pool.answers, pool.engine, source, out, settings, resume=resume, report=report, progress=progress)


class WorkerDied(Exception):
    """A worker ended while it had something to answer."""


class _Worker:
    """One child process and the pipes to it. One thread at a time may ask it."""

    def __init__(self, origin: Origin, settings: Settings) -> None:
        self._child = subprocess.Popen(
            [sys.executable, "-m", _MODULE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # a traceback could hold what a row holds
            # One thread each: the processes share the processors already.
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"},
        )
        self._in, self._out = cast("IO[bytes]", self._child.stdin), cast("IO[bytes]", self._child.stdout)
        self._send({"origin": asdict(origin), "settings": settings.to_dict()})

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._child.pid

    def engine(self) -> dict[str, str]:
        """Wait until the matcher is loaded and return its engine; raises what loading it raised."""
        line = self._out.readline()
        if not line.endswith(b"\n"):
            raise WorkerDied
        told = json.loads(line)
        if "error" in told:
            raise _error(**told["error"])
        return dict(told["engine"])

    def ask(self, chunk: list[Asked]) -> list[Answered]:
        """Return the answers to a chunk, all of them or WorkerDied."""
        self._send([astuple(asked) for asked in chunk])
        answers = []
        for asked in chunk:
            status, _, line = self._out.readline().partition(b" ")
            if not line.endswith(b"\n"):
                raise WorkerDied
            answers.append(Answered(asked.place, asked.where, line[:-1], status.decode()))
        return answers

    def _send(self, value: Any) -> None:
        try:
            self._in.write(json.dumps(value).encode() + b"\n")
            self._in.flush()
        except (BrokenPipeError, ValueError):
            raise WorkerDied from None

    def close(self) -> None:
        """End the process and reap it."""
        for pipe in (self._in, self._out):
            try:
                pipe.close()
            except OSError:  # what was still to be sent has no reader any more
                continue
        try:
            self._child.wait(_SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()


def _error(module: str, name: str, text: str) -> ValueError:
    """Return an error of ours as the worker raised it, so that it ends in the same exit code."""
    kind = getattr(import_module(module), name, None) if module.startswith("matcher.") else None
    if isinstance(kind, type) and issubclass(kind, ValueError) and kind.__init__ is ValueError.__init__:
        return kind(text)
    return BatchError(text)


class Pool:
    """Worker processes and, for each, a thread that waits for it. A context manager: at its end no process is left."""

    def __init__(self, origin: Origin, settings: Settings, workers: int) -> None:
        self._origin, self._settings, self._count = origin, settings, workers
        self._all: set[_Worker] = set()
        self._idle: queue.SimpleQueue[_Worker | BaseException] = queue.SimpleQueue()
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="batch")
        self.engine: Mapping[str, str] = {}

    def __enter__(self) -> Self:
        try:
            started = [self._start() for _ in range(self._count)]
            for worker in started:
                self._idle.put(self._loaded(worker))
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for worker in list(self._all):
            worker._child.terminate()
        self._threads.shutdown(cancel_futures=True)
        for worker in list(self._all):
            worker.close()

    @property
    def pids(self) -> list[int]:
        """The numbers of the processes."""
        return [worker.pid for worker in self._all]

    def _start(self) -> _Worker:
        worker = _Worker(self._origin, self._settings)
        self._all.add(worker)
        return worker

    def _loaded(self, worker: _Worker) -> _Worker:
        try:
            engine = worker.engine()
        except WorkerDied:
            raise BatchError("a worker died while it loaded the index; is there enough memory for so many?") from None
        if self.engine and engine != self.engine:
            raise BatchError("the index was replaced during the batch; start anew")
        self.engine = engine
        return worker

    def answers(self, rows: Iterator[Asked]) -> Iterator[Answered]:
        """Yield the answer to each row, in order. Of ``rows`` no more is read than the workers keep up with."""
        window: deque[Future[list[Answered]]] = deque()
        while True:
            while len(window) < 2 * self._count + 2 and (chunk := list(islice(rows, CHUNK_ROWS))):
                window.append(self._threads.submit(self._asked, chunk))
            if not window:
                return
            yield from window.popleft().result()

    def _asked(self, chunk: list[Asked]) -> list[Answered]:
        for _ in range(ATTEMPTS):
            worker = self._idle.get()
            if isinstance(worker, BaseException):
                self._idle.put(worker)  # for the other threads
                raise worker
            try:
                answers = worker.ask(chunk)
            except WorkerDied:
                self._replace(worker)
            else:
                self._idle.put(worker)
                return answers
        if len(chunk) > 1:
            return [answered for asked in chunk for answered in self._asked([asked])]
        return [refused(chunk[0], WorkerDied.__name__, f"{ATTEMPTS} workers died of this row")]

    def _replace(self, worker: _Worker) -> None:
        self._all.discard(worker)
        worker.close()
        try:
            self._idle.put(self._loaded(self._start()))
        except BaseException as error:
            self._idle.put(error)
            raise


def main() -> None:
    """Be a worker: read what to load, tell the engine, then answer one chunk a line until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's, which closes the pipes
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever prints, prints elsewhere
    told = json.loads(sys.stdin.buffer.readline())
    settings = Settings.of(told["settings"])
    try:
        matcher = Origin(**told["origin"]).load()
        settings.filters.allowed(matcher.index)
    except ValueError as error:
        kind = type(error)
        _tell(answers, {"error": {"module": kind.__module__, "name": kind.__name__, "text": str(error)}})
        return
    _tell(answers, {"engine": dict(matcher.engine)})
    for line in sys.stdin.buffer:
        for values in json.loads(line):
            answered = answer(matcher, Asked(*values), settings)
            answers.write(answered.status.encode() + b" " + answered.line + b"\n")
        answers.flush()


def _tell(answers: IO[bytes], value: Any) -> None:
    answers.write(json.dumps(value).encode() + b"\n")
    answers.flush()


if __name__ == "__main__":
    main()
