"""What all measurements share: a service in processes of its own, a client that counts from the scheduled moment, and percentiles."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

ROOT = Path(__file__).parents[2]
DEV_RESUMES = ROOT.parent / "shared" / "eval" / "resumes.dev.jsonl"
Scale = Literal["short", "full"]

DUTIES = (
    "Kneaded and shaped dough for loaves and rolls before the shop opened",
    "Replaced brake pads and rotors and bled the lines",
    "Kept the ledger of a small theatre and paid its suppliers",
    "Planned the rounds of nine delivery vans by hand and later by software",
    "Taught reading to children of six in groups of twelve",
    "Wrote queries and reports for the sales team of a paint maker",
    "Took blood, dressed wounds and comforted the families of patients",
    "Welded frames of bicycles and checked the angles with a gauge",
)


def invented_text(number: int, lines: int = 4) -> str:
    """Return the text of a person who does not exist; another one for each number."""
    chosen = [DUTIES[(number * 3 + i * 5 + i * i) % len(DUTIES)] for i in range(lines)]
    return "Experience\n" + "\n".join(f"- {duty}, {2001 + (number + i) % 20}." for i, duty in enumerate(chosen))


def queries(count: int) -> list[bytes]:
    """Return bodies for /v1/match: development résumés where they are here, else invented ones."""
    if DEV_RESUMES.exists():
        with DEV_RESUMES.open(encoding="utf-8") as handle:
            texts = [json.loads(line)["text"] for line, _ in zip(handle, range(count), strict=False)]
    else:
        texts = [invented_text(i, 40) for i in range(count)]
    return [json.dumps({"text": texts[i % len(texts)], "top": 10}).encode() for i in range(count)]


@cache
def invented_indexes() -> tuple[Path, tuple[str, str]]:
    """Return a folder with two versions of an invented index, and their names; it lives as long as this process."""
    import dataclasses
    import shutil

    from matcher.encoder import load_encoder
    from matcher.index import CURRENT, build_index
    from matcher.resources import encoder_path
    from tests.invented import RELEASE, WAGES

    folder = Path(tempfile.mkdtemp(prefix="matcher-test-"))
    encoder = load_encoder(encoder_path())
    names = []
    for number in (1, 2):
        release = dataclasses.replace(RELEASE, name=f"Invented {number}")
        version = build_index(release, encoder, folder / f"own{number}", wages=WAGES, notice="Invented.")
        shutil.copytree(version, folder / "index" / version.name)
        names.append(version.name)
    (folder / "index" / CURRENT).write_text(names[0] + "\n")
    import atexit

    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder / "index", (names[0], names[1])


def own_index() -> tuple[Path, tuple[str, str]]:
    """Return a copy of ``invented_indexes`` that the caller may change, and removes with ``forget``."""
    import shutil

    source, names = invented_indexes()
    folder = Path(tempfile.mkdtemp(prefix="matcher-test-")) / "index"
    shutil.copytree(source, folder)
    return folder, names


def point(index: Path, version: str) -> None:
    """Let the pointer of an index name ``version``, as a build does."""
    pointer = index / ".CURRENT"
    pointer.write_text(version + "\n")
    pointer.replace(index / "CURRENT")


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the decoded body."""
        return json.loads(self.body)


class Service:
    """A running service; as a context manager it is ended, gently, with the block."""

    def __init__(self, code: Sequence[str] = ("-m", "tests.reliability.launch"), /, **settings: object) -> None:
        self.events: list[dict[str, Any]] = []
        self.stray: list[str] = []
        self.folder = tempfile.TemporaryDirectory(prefix="matcher-test-")
        own = {name: value for name, value in os.environ.items() if not name.upper().startswith("MATCHER_")}
        chosen = {f"MATCHER_{name.upper()}": str(value) for name, value in {"port": 0, **settings}.items()}
        self.process = subprocess.Popen(
            [sys.executable, *code],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**own, "TMPDIR": self.folder.name, **chosen},
        )
        assert self.process.stderr is not None
        assert self.process.stdout is not None
        self._readers = [
            threading.Thread(target=self._read, args=(stream,), daemon=True)
            for stream in (self.process.stderr, self.process.stdout)
        ]
        for reader in self._readers:
            reader.start()
        self.port = 0
        self.workers = int(str(settings.get("workers", 1)))

    def __enter__(self) -> Service:
        try:
            self.port = int(self.wait("serving")["port"])
            self.until(lambda: len(self.pids) >= self.workers)
        except BaseException:
            self.end(signal.SIGKILL)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.end()

    def _read(self, stream: Iterable[bytes]) -> None:
        for line in stream:
            try:
                event = json.loads(line)
                assert isinstance(event, dict)
                self.events.append(event)
            except (ValueError, AssertionError):
                self.stray.append(line.decode(errors="replace"))

    def end(self, number: int = signal.SIGTERM, seconds: float = 20) -> int:
        """Stop it and return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(seconds)
        for reader in self._readers:
            reader.join(5)
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()
        self.folder.cleanup()
        return code

    def until(self, condition: Callable[[], bool], seconds: float = 30) -> None:
        """Wait until ``condition``; TimeoutError with what the service said where it does not come true."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline or (self.process.poll() is not None and not condition()):
                raise TimeoutError(f"{[e for e in self.events if e.get('event') != 'request'][-8:]} {self.stray[-20:]}")
            time.sleep(0.01)

    def wait(self, event: str, *, after: int = 0, seconds: float = 30) -> dict[str, Any]:
        """Return the first log line of ``event`` among those from number ``after`` on."""
        found: list[dict[str, Any]] = []

        def there() -> bool:
            found[:] = [e for e in self.events[after:] if e.get("event") == event][:1]
            return bool(found)

        self.until(there, seconds)
        return found[0]

    @property
    def pids(self) -> list[int]:
        """The workers that have said that they live and have not died."""
        dead = {e["pid"] for e in list(self.events) if e.get("event") in ("worker_died", "worker_killed")}
        return [e["pid"] for e in list(self.events) if e.get("event") == "worker_ready" and e["pid"] not in dead]

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None, timeout: float = 60
    ) -> Answer:
        """Return the answer to one request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            kind = {"Content-Type": "application/json"} if body is not None else {}
            connection.request(method, path, body, {**kind, **(headers or {})})
            response = connection.getresponse()
            return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        finally:
            connection.close()

    def match(self, text: str, **members: object) -> Answer:
        """Return the answer to one text."""
        return self.ask("POST", "/v1/match", json.dumps({"text": text, **members}).encode())

    def memory(self, field_name: str = "VmRSS") -> int:
        """Return KB over all workers: ``VmRSS`` now, ``VmHWM`` at most since ``forget_peak``."""
        return sum(status(pid, field_name) for pid in self.pids)

    def forget_peak(self) -> None:
        """Let ``VmHWM`` begin anew."""
        for pid in self.pids:
            Path(f"/proc/{pid}/clear_refs").write_text("5")

    def cpu_seconds(self) -> float:
        """Return the processor seconds of all workers."""
        ticks = 0
        for pid in self.pids:
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")


def status(pid: int, name: str) -> int:
    """Return a number of /proc/PID/status."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1])
    raise LookupError(name)


class Connection:
    """One HTTP connection that is kept as long as the server keeps it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._used = 0.0

    async def ask(self, method: str, path: str, body: bytes = b"", headers: str = "") -> Answer:
        """Return the answer; nothing is ever sent twice, so that whatever is lost is seen."""
        if self._streams is not None and time.monotonic() - self._used > 3:
            self.close()  # the server closes what is idle for 5 s
        self._used = time.monotonic()
        try:
            return await self._ask(method, path, body, headers)
        except (OSError, EOFError):
            self.close()
            raise

    async def _ask(self, method: str, path: str, body: bytes, headers: str) -> Answer:
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 20)
        reader, writer = self._streams
        kind = "Content-Type: application/json\r\n" if body else ""
        writer.write(
            f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n{kind}{headers}Content-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        found = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        if "content-length" in found:
            content = await reader.readexactly(int(found["content-length"]))
        else:
            parts = []
            while size := int(await reader.readline(), 16):
                parts.append(await reader.readexactly(size + 2))
            await reader.readline()
            content = b"".join(part[:-2] for part in parts)
        if found.get("connection", "").lower() == "close":
            self.close()
        return Answer(int(head[0].split()[1]), found, content)

    def close(self) -> None:
        """Let go."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


async def ask_once(port: int, method: str, path: str, body: bytes = b"") -> Answer:
    """Return the answer to one request on a connection of its own."""
    connection = Connection(port)
    try:
        return await connection.ask(method, path, body)
    finally:
        connection.close()


@dataclass(frozen=True, slots=True)
class Sample:
    """One request: seconds from the moment it was due until its answer was whole; status 0 where there was none."""

    due: float
    seconds: float
    status: int
    retry_after: bool = False
    body: bytes = b""
    error: str = ""


@dataclass
class Pool:
    """Connections to lend; as many as are needed at once."""

    port: int
    idle: list[Connection] = field(default_factory=list)

    @contextlib.asynccontextmanager
    async def lend(self) -> AsyncIterator[Connection]:
        """Lend one."""
        connection = self.idle.pop() if self.idle else Connection(self.port)
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        else:
            self.idle.append(connection)

    def close(self) -> None:
        """Close those that are idle."""
        for connection in self.idle:
            connection.close()


async def send(pool: Pool, due: float, path: str, body: bytes, *, keep: bool = False, headers: str = "") -> Sample:
    """Ask once and count from ``due``, a time of the loop's clock."""
    loop = asyncio.get_running_loop()
    try:
        async with pool.lend() as connection:
            answer = await asyncio.wait_for(connection.ask("POST" if body else "GET", path, body, headers), 60)
    except (OSError, EOFError, TimeoutError, asyncio.LimitOverrunError) as error:
        return Sample(due, loop.time() - due, 0, error=type(error).__name__)
    return Sample(due, loop.time() - due, answer.status, "retry-after" in answer.headers, answer.body if keep else b"")


async def open_loop(
    port: int, bodies: Sequence[bytes], rate: float, seconds: float, *, path: str = "/v1/match", keep: bool = False
) -> list[Sample]:
    """Send ``rate`` requests a second whether or not answers come, and return what came of each."""
    loop = asyncio.get_running_loop()
    pool, tasks = Pool(port), []
    begin = loop.time() + 0.05
    for number in range(int(rate * seconds)):
        due = begin + number / rate
        if (pause := due - loop.time()) > 0:
            await asyncio.sleep(pause)
        tasks.append(asyncio.create_task(send(pool, due, path, bodies[number % len(bodies)], keep=keep)))
    samples = await asyncio.gather(*tasks)
    pool.close()
    return samples


async def closed_loop(
    port: int,
    bodies: Sequence[bytes],
    connections: int,
    *,
    seconds: float = 0,
    requests: int = 0,
    path: str = "/v1/match",
    keep: bool = False,
) -> list[Sample]:
    """Let ``connections`` ask one after the other, for ``seconds`` or until ``requests`` have been asked."""
    loop = asyncio.get_running_loop()
    pool = Pool(port)
    until = loop.time() + seconds if seconds else float("inf")
    most = requests or sys.maxsize
    asked = 0
    samples: list[Sample] = []

    async def one() -> None:
        nonlocal asked
        while asked < most and loop.time() < until:
            number, asked = asked, asked + 1
            samples.append(await send(pool, loop.time(), path, bodies[number % len(bodies)], keep=keep))

    await asyncio.gather(*(one() for _ in range(connections)))
    pool.close()
    return samples


def percentile(values: Iterable[float], share: float) -> float:
    """Return the smallest value that ``share`` of the values do not exceed; 0 for none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def summary(samples: Sequence[Sample]) -> dict[str, Any]:
    """Return counts by status and milliseconds of what was answered with 200."""
    good = [s.seconds for s in samples if s.status == 200]
    counts: dict[str, int] = {}
    for sample in samples:
        name = str(sample.status) if sample.status else sample.error
        counts[name] = counts.get(name, 0) + 1
    return {
        "requests": len(samples),
        "statuses": counts,
        "p50_ms": round(percentile(good, 0.5) * 1000, 1),
        "p99_ms": round(percentile(good, 0.99) * 1000, 1),
        "worst_ms": round(max(good, default=0) * 1000, 1),
    }


def raw(port: int, *parts: bytes, pause: float = 0.0, timeout: float = 30) -> bytes:
    """Send bytes and return all that comes back until the server closes or ``timeout``."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as client:
        answer = b""
        try:
            for part in parts:
                client.sendall(part)
                if pause:
                    time.sleep(pause)
        except OSError:
            pass
        try:
            while chunk := client.recv(1 << 16):
                answer += chunk
        except OSError:
            pass
        return answer


def sha256(data: bytes) -> str:
    """Return the hex digest."""
    return hashlib.sha256(data).hexdigest()
