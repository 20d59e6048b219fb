"""A job board's first day: ``python -m tests.first_day [--wheel FILE]``.

Does what its engineer would: a fresh environment, the wheel, `matcher serve`, the calls of the README and of docs/service.md by curl, a generated client, 1,000 rows in
batches, a wrong key, a flood, and a new index in the middle. Prints the figures as JSON and ends with 1 at the first thing that is not as documented.

The rows are development résumés taken apart and put together anew, where ../shared has them; else the bundled example and invented duties.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import importlib
import io
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.reliability.harness import DEV_RESUMES, DUTIES, ROOT, Sample, percentile, send
from tests.reliability.harness import Pool as Connections

ROWS, BATCH = 1000, 100
#: Calls of one key in a minute; all that this day does with the board's own key stays below.
RATE = 3000
ADDRESS = "http://127.0.0.1:8000"
#: What the wheel is made of.
SOURCES = ("pyproject.toml", "build_hook.py", "README.md", "LICENSE", "NOTICE", "matcher", "api", "data", "models")
CONFIG = "content_type_overrides:\n  application/x-ndjson: application/octet-stream\npost_hooks: []\n"
POSTING = {"title": "Automotive Technician", "text": "Read fault codes with a scan tool, replace brake pads and rotors."}


class Service:
    """`matcher serve` of the installed wheel, in a folder without the sources."""

    def __init__(self, matcher: Path, folder: Path, *words: str, **settings: object) -> None:
        self.events: list[dict[str, Any]] = []
        self.port = 0
        self.process = subprocess.Popen(
            [str(matcher), "serve", "--port", "0", *words],
            cwd=folder, env=clean_environment(**settings), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        threading.Thread(target=self._read, daemon=True).start()
        until(lambda: bool(self.port) or self.process.poll() is not None, "the service does not start")
        assert self.port, self.events

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.events.append(json.loads(line))  # nothing but JSON lines
            if self.events[-1]["event"] == "serving":
                self.port = self.events[-1]["port"]

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers in lower case and body of one answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=90)
        sent = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        kind = {} if sent is None else {"Content-Type": "application/json"}
        connection.request(method, path, sent, kind | {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        found = answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        connection.close()
        return found

    def stop(self) -> float:
        """Stop it gently, and return how many seconds that took."""
        begin = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(20) == 0
        return time.monotonic() - begin


def clean_environment(**settings: object) -> dict[str, str]:
    """Return the environment without this checkout, with settings of the service."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MATCHER_", "PYTHON", "VIRTUAL_ENV"))}
    return kept | {f"MATCHER_{name.upper()}": str(value) for name, value in settings.items()}


def until(condition: Any, why: str, seconds: float = 60) -> None:
    """Wait until ``condition()``."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, why
        time.sleep(0.02)


def run(*words: object, folder: Path) -> str:
    """Run a command in ``folder`` and return what it prints; its errors are shown where it fails."""
    done = subprocess.run(
        [str(word) for word in words], cwd=folder, env=clean_environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{words}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout


def install(folder: Path, wheel: Path | None) -> Path:
    """Make the wheel, unless there is one, and install it in a fresh environment; return the environment's ``bin``."""
    if wheel is None:
        source = folder / "source"
        source.mkdir()
        for name in SOURCES:  # a copy: building replaces the index beside the sources
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copyfile(ROOT / name, source / name)
        run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder / "dist", source, folder=folder)
        (wheel,) = (folder / "dist").glob("*.whl")
    run(sys.executable, "-m", "venv", folder / "venv", folder=folder)
    bin_ = folder / "venv" / "bin"
    run(bin_ / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
        "--constraint", ROOT / "constraints.txt", f"{wheel.resolve()}[service]", folder=folder)  # fmt: skip
    return bin_


def curl_examples(address: str) -> int:
    """Run every call by curl of the README and of docs/service.md; each gets what stands below it."""
    from tests.api.test_service_doc import is_part_of

    count = 0
    for name in ("README.md", "docs/service.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        for call, shown in re.findall(r"```console\n\$ ((?:curl|printf).*?)```\n+```json\n(.*?)```", text, flags=re.S):
            done = subprocess.run(call.replace(ADDRESS, address), shell=True, cwd=ROOT, capture_output=True, text=True, check=True)
            wanted, real = ([json.loads(document) for document in documents(part)] for part in (shown, done.stdout))
            assert is_part_of(wanted, real), f"{name}: {call}: {done.stdout[:2000]}"
            count += 1
    assert count >= 12
    return count


def documents(text: str) -> list[str]:
    """Return the JSON documents in a text: the whole, or one a line."""
    try:
        json.loads(text)
    except ValueError:
        return text.splitlines()
    return [text]


def generated_client(service: Service, folder: Path, token: str) -> None:
    """Generate a client from the running service, with the command of docs/service.md, and match a posting, a file and a batch by it."""
    (folder / "config.yml").write_text(CONFIG)
    run(Path(sys.executable).with_name("openapi-python-client"), "generate", "--url", f"{service.address}/openapi.json",
        "--config", "config.yml", "--meta", "none", "--output-path", folder / "board_client", folder=folder)  # fmt: skip
    sys.path.insert(0, str(folder))

    def part(name: str) -> Any:
        return importlib.import_module(f"board_client.{name}")

    models = part("models")
    with part("client").AuthenticatedClient(base_url=service.address, token=token) as client:
        posting = part("api.match.match").sync(client=client, body=models.MatchRequest(**POSTING, top=3, id="posting-17"))
        assert (posting.id, posting.matches[0].code) == ("posting-17", "49-3023.00")
        pdf = part("types").File(payload=io.BytesIO((ROOT / "data/examples/resume.pdf").read_bytes()), file_name="resume.pdf")
        found = part("api.match.match_file").sync(client=client, body=models.MatchFileBody(file=pdf, options=models.Options(top=1)))
        assert (found.status, len(found.matches)) == ("ok", 1)
        assert found.matches[0].evidence
        lines = part("types").File(payload=io.BytesIO(b'{"title": "Baker", "top": 1}\n'))
        assert part("api.match.match_batch").sync_detailed(client=client, body=lines).status_code == 200
    with part("client").Client(base_url=service.address) as stranger:
        assert part("api.match.match").sync_detailed(client=stranger, body=models.MatchRequest(title="Baker")).status_code == 401


def rows() -> list[dict[str, Any]]:
    """Return 1,000 queries: the first half of one résumé's lines and the second half of another's."""
    if DEV_RESUMES.exists():
        texts = [json.loads(line)["text"] for line in DEV_RESUMES.open(encoding="utf-8")]
    else:
        example = (ROOT / "data/examples/resume.txt").read_text(encoding="utf-8").splitlines()
        texts = ["\n".join([*example[6 + i :], *(f"- {DUTIES[(i + j * 3) % len(DUTIES)]}" for j in range(8))]) for i in range(8)]
    chance = random.Random(17)
    made = []
    for number in range(ROWS):
        first, second = (chance.choice(texts).splitlines() for _ in range(2))
        text = "\n".join([*first[: len(first) // 2 + 1], *second[len(second) // 2 :]])
        made.append({"id": f"row-{number}", "text": text, "top": 5, "explain": number % 4 == 0})
    return made


def send_rows(service: Service, token: str, wanted: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], int]:
    """Return the answers to a batch in the order of its lines, and how many lines were sent again because the answer said so."""
    answers: dict[str, dict[str, Any]] = {}
    left, again = wanted, 0
    for _ in range(8):
        body = b"".join(json.dumps(row).encode() + b"\n" for row in left)
        assert len(body) <= 4 << 20
        status, headers, content = service.ask(
            "POST", "/v1/match/batch", body, Content_Type="application/x-ndjson", X_API_Key=token
        )
        if status in (429, 503):
            time.sleep(int(headers["retry-after"]))
            again += len(left)
            continue
        assert status == 200, content[:300]
        lines = [json.loads(line) for line in content.splitlines()]
        assert [line["id"] for line in lines] == [row["id"] for row in left]
        answers |= {line["id"]: line for line in lines if line["status"] != "error"}
        assert {line["error"]["status"] for line in lines if line["status"] == "error"} <= {503}, lines[-1]["error"]
        left = [row for row in left if row["id"] not in answers]
        if not left:
            return [answers[row["id"]] for row in wanted], again
        again += len(left)
    raise AssertionError(f"{len(left)} lines are not answered")


def index_versions(bin_: Path, folder: Path) -> str:
    """Make the index of the catalogue and then one of a catalogue in which a word has changed; return the name of the first."""
    catalog, index = folder / "catalog", folder / "index"
    shutil.copytree(ROOT / "data/catalog", catalog)
    run(bin_ / "matcher", "index", "--catalog", catalog, "--out", index, folder=folder)
    version = (index / "CURRENT").read_text().strip()
    first = sorted(catalog.glob("*.toml"))[0]
    first.write_text(re.sub(r' = "', ' = "Also ', first.read_text(encoding="utf-8"), count=1), encoding="utf-8")
    run(bin_ / "matcher", "index", "--catalog", catalog, "--out", index, folder=folder)
    return version


def batches_with_a_reload(service: Service, token: str, admin: str, version: str) -> dict[str, Any]:
    """Send all rows, two batches at a time, and change the index to ``version`` when the third is through."""
    everything = rows()
    parts = [everything[start : start + BATCH] for start in range(0, ROWS, BATCH)]
    before = engine(service, token)
    begin = time.monotonic()
    with ThreadPoolExecutor(2) as pool:
        running = [pool.submit(send_rows, service, token, part) for part in parts]
        until(lambda: running[2].done(), "the third batch does not end", 300)
        status, _, content = service.ask("POST", f"/admin/reload?version={version}", X_API_Key=admin)
        assert status == 202, content
        results = [one.result() for one in running]
    seconds = time.monotonic() - begin
    after = json.loads(content)["index"]
    assert after != before
    answers = [answer for found, _ in results for answer in found]
    used = Counter(answer["engine"]["index"] for answer in answers)
    assert set(used) == {before, after}, used
    statuses = Counter(answer["status"] for answer in answers)
    assert statuses["ok"] >= 0.98 * ROWS, statuses
    assert all(0 < len(answer["matches"]) <= 5 for answer in answers if answer["status"] == "ok")
    # What is asked once more is answered as before, by the index that answers now.
    status, _, content = service.ask("POST", "/v1/match", everything[-1], X_API_Key=token)
    assert (status, json.loads(content)) == (200, answers[-1])
    return {
        "rows": len(answers),
        "statuses": dict(statuses),
        "sent_again": sum(again for _, again in results),
        "by_the_index_before": used[before],
        "by_the_index_after": used[after],
        "rows_per_second": round(ROWS / seconds, 1),
    }


def engine(service: Service, token: str) -> str:
    """Return the digest of the index that answers."""
    return str(json.loads(service.ask("POST", "/v1/match", {"title": "Baker"}, X_API_Key=token)[2])["engine"]["index"])


def bad_keys(service: Service, token: str) -> None:
    """Missing, wrong and nearly right keys, and a key that may match but not reload, are told the same."""
    nearly = token[:-1] + ("a" if token[-1] != "a" else "b")
    said = set()
    for headers in ({}, {"X_API_Key": "nonsense"}, {"X_API_Key": nearly}, {"Authorization": "Basic " + token}):
        status, found, content = service.ask("POST", "/v1/match", {"title": "Baker"}, **headers)
        assert (status, found["content-type"]) == (401, "application/problem+json")
        said.add(json.dumps({k: v for k, v in json.loads(content).items() if k != "instance"}))
    assert len(said) == 1, said
    assert service.ask("POST", "/admin/reload", X_API_Key=token)[0] == 401


def flood(service: Service, token: str, other: str) -> dict[str, Any]:
    """Too many matches at once, too large a body, and more calls than a key has: each is refused as documented, and then all is well."""
    body = json.dumps(rows()[0]).encode()

    async def burst() -> list[Sample]:
        pool = Connections(service.port)
        loop = asyncio.get_running_loop()
        key = f"X-API-Key: {token}\r\n"
        samples = await asyncio.gather(*(send(pool, loop.time(), "/v1/match", body, headers=key) for _ in range(300)))
        pool.close()
        return samples

    samples = asyncio.run(burst())
    statuses = Counter(sample.status for sample in samples)
    assert set(statuses) == {200, 503}, statuses
    assert all(sample.retry_after for sample in samples if sample.status == 503)
    assert service.ask("GET", "/healthz")[0] == 200
    status, _, content = service.ask("POST", "/v1/match", b'{"text": "' + b"x" * (600 << 10) + b'"}', X_API_Key=token)
    assert (status, json.loads(content)["type"]) == (413, "/problems/too-large")
    calls: Counter[int] = Counter()
    for _ in range(2 * RATE):
        status, found, _ = service.ask("GET", "/v1/about", X_API_Key=other)
        calls[status] += 1
        if status != 200:
            assert (status, "ratelimit" in found, int(found["retry-after"]) > 0) == (429, True, True)
            break
    assert calls[429] == 1
    until(lambda: service.ask("POST", "/v1/match", POSTING, X_API_Key=token)[0] == 200, "the board's own key does not work on", 10)
    return {
        "burst": {str(status): count for status, count in statuses.items()},
        "refused_p99_ms": round(percentile((s.seconds for s in samples if s.status == 503), 0.99) * 1000),
        "calls_until_429": calls[200],
    }


@contextmanager
def serving(*arguments: Any, **settings: Any) -> Iterator[Service]:
    """Serve while the block runs."""
    service = Service(*arguments, **settings)
    try:
        yield service
    finally:
        if service.process.poll() is None:
            service.process.kill()
            service.process.wait()


def day(folder: Path, wheel: Path | None) -> dict[str, Any]:
    """Live the day in ``folder`` and return its figures; AssertionError where something is not as documented."""
    begin = time.monotonic()
    bin_ = install(folder, wheel)
    figures: dict[str, Any] = {"installed_after_s": round(time.monotonic() - begin, 1)}
    elsewhere = folder / "board"
    elsewhere.mkdir()
    with serving(bin_ / "matcher", elsewhere) as service:
        figures["first_answer_after_s"] = round(time.monotonic() - begin, 1)
        figures["curl_examples"] = curl_examples(service.address)
        service.stop()

    def key(*words: str) -> str:
        return run(bin_ / "matcher", "keys", "create", *words, "--keys", folder / "keys.json", folder=elsewhere).strip()

    token, other, admin = key("Example Jobs"), key("Another board"), key("operator", "--admin")
    version = index_versions(bin_, folder)
    with serving(
        bin_ / "matcher", elsewhere, "--workers", "2", "--index", str(folder / "index"),
        keys_file=folder / "keys.json", rate_limit=RATE,
    ) as service:  # fmt: skip
        generated_client(service, folder, token)
        bad_keys(service, token)
        figures |= batches_with_a_reload(service, token, admin, version)
        figures["flood"] = flood(service, token, other)
        metrics = service.ask("GET", "/metrics", X_API_Key=admin)[2].decode()
        assert sum(float(value) for value in re.findall(r"^matcher_index\{.*\} (\S+)", metrics, flags=re.M)) == 2
        figures["stopped_after_s"] = round(service.stop(), 1)
        log = json.dumps(service.events, ensure_ascii=False)
    for word in ("Automotive", *(line for row in rows()[:50] for line in row["text"].splitlines() if len(line) > 40)):
        assert word not in log
    errors = [event for event in service.events if event["level"] == "error"]
    assert errors == []
    assert token not in log
    figures["seconds"] = round(time.monotonic() - begin)
    return figures


def main() -> int:
    """Live the day in a temporary folder."""
    parser = argparse.ArgumentParser(prog="python -m tests.first_day", description=__doc__)
    parser.add_argument("--wheel", type=Path, help="a wheel that is there; by default one is made from this checkout")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="matcher-first-day-") as folder:
        print(json.dumps(day(Path(folder), chosen.wheel), indent=1))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
