"""The server: a supervisor that binds the address and keeps N workers alive, and what a worker does.

The supervisor makes the application, which checks the index and the encoder, and forks: workers share the listening socket, the mapped index and
whatever else they only read, and one that dies is back in a moment. Connections that wait in the socket's queue meanwhile are taken by the
others; only what the dead one was answering is lost. (Elsewhere than on Linux, where forking a process that has computed is not safe, each
worker makes its own application.)

On SIGTERM workers say 503 at ``/readyz`` at once and go on answering for ``drain_seconds``, so that a load balancer can turn away; then they take no
more connections, finish what has begun, and end, all within ``shutdown_seconds``.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import resource
import signal
import socket
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from api.settings import Settings, SettingsError

if TYPE_CHECKING:
    from fastapi import FastAPI

#: Connections that may wait to be taken by a worker.
BACKLOG = 2048
#: Seconds without a sign of life from a worker's loop until it is killed.
HUNG = 30.0
#: A worker that lived shorter than this is replaced after a pause that doubles, up to the longest.
_HEALTHY, _FIRST_PAUSE, _LONGEST_PAUSE = 5.0, 0.25, 10.0
_TICK = 0.05
EXIT_USAGE, EXIT_INDEX = 2, 3
#: A match is one thread of small products; more threads of BLAS only wait for each other beside N workers.
_ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
}


def exit_code(error: ValueError) -> int:
    """Return 3 for an index or a model that is missing, corrupt or foreign, 2 for anything else that stops a start."""
    return EXIT_INDEX if type(error).__module__ in ("matcher.index", "matcher.encoder", "matcher.resources") else EXIT_USAGE


def serve(settings: Settings) -> int:
    """Serve until a signal; return the exit code.

    Raises SettingsError where the address cannot be had, and what ``create_app`` raises where there is nothing to serve.
    """
    with tempfile.TemporaryDirectory(prefix="matcher-") as runtime:
        folder = Path(runtime)
        (folder / "metrics").mkdir()
        # Before anything imports NumPy or the metrics, which look here once.
        os.environ.update({name: value for name, value in _ENVIRONMENT.items() if name not in os.environ})
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder / "metrics")
        from api import logs

        logs.configure(settings.log_level)
        with bind(settings) as listener:
            host, port = listener.getsockname()[:2]
            update: dict[str, object] = {"port": port}
            if settings.rates_file is None:
                update["rates_file"] = folder / "rates"
            if settings.no_auth and not settings.on_loopback:
                logs.log().warning("open_to_all", host=host, why="--no-auth: whoever can reach this address can use the service")
            return Supervisor(settings.model_copy(update=update), listener, folder / "metrics").run()


class Listener(socket.socket):
    """A listening socket whose queue stays long.

    asyncio takes as many connections at a time as the backlog that it is told and sets the kernel's queue to the same. Told 1, a worker leaves the
    next connection to whoever is idle; the queue must not become as short as that.
    """

    def listen(self, backlog: int = BACKLOG, /) -> None:
        super().listen(max(backlog, BACKLOG))


def bind(settings: Settings) -> Listener:
    """Return the listening socket."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = Listener(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((settings.host, settings.port))
        listener.listen()
    except OSError as error:
        listener.close()
        raise SettingsError(f"{settings.host}:{settings.port}: cannot be listened on ({error.strerror})") from None
    return listener


@dataclass
class _Worker:
    """One child: its process, the pipe that it breathes into, and when it began."""

    pid: int
    breath: int
    born: float = field(default_factory=time.monotonic)
    last: float = field(default_factory=time.monotonic)
    ready: bool = False
    code: int | None = None

    def look(self) -> None:
        """Take its signs of life."""
        with contextlib.suppress(BlockingIOError):
            if os.read(self.breath, 4096):
                self.last = time.monotonic()
                self.ready = True

    def poll(self) -> int | None:
        """Return its exit code, negative for a signal, None while it lives."""
        if self.code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.code = os.waitstatus_to_exitcode(status)
        return self.code

    def send(self, number: int) -> None:
        """Send a signal, if it lives: an unreaped process keeps its id."""
        if self.poll() is None:
            os.kill(self.pid, number)


class Supervisor:
    """Keeps ``settings.workers`` workers alive on one socket."""

    def __init__(self, settings: Settings, listener: socket.socket, metrics: Path) -> None:
        self.settings = settings
        self.listener = listener
        self.metrics = metrics
        self.workers: list[_Worker | None] = [None] * settings.workers
        self._due = [0.0] * settings.workers
        self._pause = [_FIRST_PAUSE] * settings.workers
        self._signals = 0
        # Nothing is ever written to it: a worker reads its end when the supervisor is gone.
        self._lifeline = os.pipe()

    def run(self) -> int:
        """Start the workers and replace those that die, until a signal; return the exit code."""
        from api.logs import log

        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup has it
                signal.signal(number, self._signalled)
        host, port = self.settings.host, self.settings.port
        log().info("starting", host=host, port=port, workers=self.settings.workers, keys=self.settings.needs_keys)
        app = self._preload() if sys.platform == "linux" else None
        served = False
        try:
            while not self._signals:
                for place, worker in enumerate(self.workers):
                    if worker is None:
                        # The first worker alone finds out whether there is anything to serve.
                        if (served or place == 0) and time.monotonic() >= self._due[place]:
                            self.workers[place] = self._start(app)
                        continue
                    was_ready = worker.ready
                    worker.look()
                    if worker.ready and not was_ready:
                        log().info("worker_ready", pid=worker.pid, seconds=round(time.monotonic() - worker.born, 2))
                        if not served:
                            log().info("serving", host=host, port=port)
                        served = True
                    code = worker.poll()
                    if code is not None:
                        if not served and code in (EXIT_USAGE, EXIT_INDEX):
                            return code
                        self._bury(place, worker, code)
                    elif time.monotonic() - worker.last > HUNG:
                        log().error("worker_hung", pid=worker.pid)
                        worker.send(signal.SIGKILL)
                time.sleep(_TICK)
            return 0
        finally:
            self._stop()

    def _signalled(self, number: int, frame: FrameType | None) -> None:
        self._signals += 1

    def _preload(self) -> FastAPI:
        """Return the application that all workers inherit."""
        from api.app import create_app
        from api.metrics import worker_died

        app = create_app(self.settings)
        app.state.service.directories.of(app.state.holder.current)
        worker_died(self.metrics, os.getpid())  # the supervisor answers nobody
        gc.collect()
        gc.freeze()  # what is there now is never garbage, and looking at it would copy its pages
        return app

    def _start(self, app: FastAPI | None) -> _Worker:
        reader, writer = os.pipe()
        os.set_blocking(reader, False)
        os.set_blocking(writer, False)
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            for descriptor in (reader, self._lifeline[1], *(w.breath for w in self.workers if w is not None)):
                os.close(descriptor)
            _child(self.listener, writer, self._lifeline[0], self.settings, app)
        os.close(writer)
        return _Worker(pid, reader)

    def _bury(self, place: int, worker: _Worker, code: int) -> None:
        from api.logs import log
        from api.metrics import worker_died

        now = time.monotonic()
        lived = now - worker.born
        self._pause[place] = _FIRST_PAUSE if lived > _HEALTHY else min(self._pause[place] * 2, _LONGEST_PAUSE)
        self._due[place] = now if lived > _HEALTHY else now + self._pause[place]
        log().error("worker_died", pid=worker.pid, code=code, seconds=round(lived, 1))
        os.close(worker.breath)
        worker_died(self.metrics, worker.pid)
        self.workers[place] = None

    def _stop(self) -> None:
        """End all workers, gently at first."""
        from api.logs import log

        alive = [worker for worker in self.workers if worker is not None]
        for worker in alive:
            worker.send(signal.SIGTERM)
        deadline = time.monotonic() + self.settings.shutdown_seconds + 0.5
        seen = self._signals
        # Asked twice, it does not wait.
        while time.monotonic() < deadline and self._signals <= seen and any(worker.poll() is None for worker in alive):
            time.sleep(_TICK)
        for worker in alive:
            if worker.poll() is None:
                log().error("worker_killed", pid=worker.pid)
                worker.send(signal.SIGKILL)
                while worker.poll() is None:
                    time.sleep(_TICK)
            os.close(worker.breath)
        for descriptor in self._lifeline:
            os.close(descriptor)
        self.workers = []
        log().info("stopped")


def _child(listener: socket.socket, breath: int, lifeline: int, settings: Settings, app: FastAPI | None) -> NoReturn:
    """Be a worker, and never return into the supervisor's code."""
    from api import logs

    code = 1
    try:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        work(listener, breath, lifeline, settings, app)
        code = 0
    except ValueError as error:
        if type(error).__module__.split(".")[0] in ("matcher", "api"):
            sys.stderr.write(f"matcher: {error}\n")
            code = exit_code(error)
        else:
            logs.log().error("worker_failed", **logs.describe(error))
    except BaseException as error:  # noqa: BLE001 - whatever it is, the process ends here
        logs.log().error("worker_failed", **logs.describe(error))
    finally:
        sys.stderr.flush()
        # Not sys.exit: it would wait for a match that has outlasted its deadline.
        os._exit(code)


def work(listener: socket.socket, breath: int, lifeline: int, settings: Settings, app: FastAPI | None) -> None:
    """Answer on ``listener`` until a signal, or until the supervisor is gone."""
    import uvicorn

    from api.app import create_app
    from api.protocol import best

    # A core file would hold what people wrote.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # The loop must get its turn soon while a match computes.
    sys.setswitchinterval(0.001)
    if app is None:
        app = create_app(settings)
    holder = app.state.holder
    holder.catch_up()
    app.state.metrics.index(holder.digest)

    class Server(uvicorn.Server):
        """Tells the supervisor that it lives, and drains before it stops."""

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            self._loop = asyncio.get_running_loop()
            self._loop.add_reader(lifeline, self._orphaned)
            self._breathing = asyncio.create_task(self._breathe())

        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            if hasattr(self, "_loop"):
                self._loop.call_soon_threadsafe(self.drain)
            else:
                self.should_exit = True

        def drain(self) -> None:
            """Refuse to be called ready; stop after ``drain_seconds``."""
            if not holder.draining:
                holder.draining = True
                self.server_state.draining = True  # type: ignore[attr-defined]
                self._loop.call_later(settings.drain_seconds, self._finish)

        def _finish(self) -> None:
            self.should_exit = True

        async def _breathe(self) -> None:
            while True:
                with contextlib.suppress(OSError):
                    os.write(breath, b".")
                await asyncio.sleep(1.0)

        def _orphaned(self) -> None:
            self._loop.remove_reader(lifeline)
            self.drain()

    config = uvicorn.Config(
        app,
        http=best(),
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        backlog=1,  # see Listener
        timeout_keep_alive=5,
        timeout_graceful_shutdown=max(1, int(settings.shutdown_seconds - settings.drain_seconds)),
    )
    Server(config).run(sockets=[listener])
