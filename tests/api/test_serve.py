"""``matcher serve`` and ``matcher keys``: what starts, what does not, and with which word and code."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from api.serve import bind
from api.settings import Settings
from tests.reliability.harness import ROOT, Service, invented_indexes

SERVE = ("-m", "matcher.cli", "serve")


def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    own = {name: value for name, value in os.environ.items() if not name.upper().startswith("MATCHER_")}
    return subprocess.run(
        [sys.executable, "-m", "matcher.cli", *words],
        cwd=ROOT,
        env={**own, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def last_line(done: subprocess.CompletedProcess[str]) -> str:
    lines = [line for line in done.stderr.splitlines() if not line.startswith("{")]
    assert len(lines) == 1, done.stderr
    return lines[0]


@pytest.mark.parametrize(
    ("words", "environment", "code", "said"),
    [
        (("serve", "--host", "0.0.0.0"), {}, 2, "matcher: host 0.0.0.0: others could reach"),
        (("serve",), {"MATCHER_PORT": "x"}, 2, "matcher: MATCHER_PORT: x"),
        (("serve",), {"MATCHER_WORKER": "2"}, 2, "matcher: MATCHER_WORKER: unknown setting"),
        (("serve", "--workers", "0"), {}, 2, "matcher: --workers: 0"),
        (("serve", "--index", "/nonexistent", "--port", "0"), {}, 3, "matcher: /nonexistent: no index here"),
        (("serve", "--keys", "/nonexistent.json", "--port", "0"), {}, 2, "matcher: /nonexistent.json: no key store"),
        (("keys", "list"), {}, 2, "matcher: which key store?"),
        (("keys", "revoke", "abc", "--keys", "/nonexistent/keys.json"), {}, 2, "matcher: /nonexistent"),
    ],
)
def test_what_cannot_be_done_ends_in_one_line_and_its_code(
    words: tuple[str, ...], environment: dict[str, str], code: int, said: str, tmp_path: Path
) -> None:
    if "revoke" in words:  # a folder cannot be made below a file
        (tmp_path / "file").touch()
        words = (*words[:-1], str(tmp_path / "file" / "keys.json"))
        said = f"matcher: {tmp_path}"
    done = run(*words, **environment)
    assert (done.returncode, done.stdout) == (code, "")
    assert last_line(done).startswith(said)


def test_a_port_that_is_taken_is_named() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        done = run("serve", "--port", str(other.getsockname()[1]))
    assert done.returncode == 2
    assert "cannot be listened on (Address already in use)" in last_line(done)


def test_the_settings_are_shown_with_secrets_hidden() -> None:
    digest = "ab" * 32
    done = run("serve", "--show-settings", "--workers", "3", MATCHER_ADMIN_KEY_SHA256=digest)
    shown = json.loads(done.stdout)
    assert (done.returncode, shown["workers"], shown["host"]) == (0, 3, "127.0.0.1")
    assert digest not in done.stdout
    assert shown["admin_key_sha256"]


def test_without_the_extra_one_line_says_how_to_install_it(tmp_path: Path) -> None:
    block = (
        "import sys; sys.modules['pydantic_settings'] = None; from matcher.cli import main; sys.argv = ['matcher', 'serve']; main()"
    )
    done = subprocess.run([sys.executable, "-c", block], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.strip() == (
        "matcher: serve needs the extra `service` (pydantic_settings is missing): pip install 'occupation-matcher[service]'"
    )


def test_the_library_and_its_commands_do_without_the_web() -> None:
    look = "import sys, matcher, matcher.cli; print([m for m in ('fastapi', 'pydantic', 'starlette', 'uvicorn', 'api') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", look], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.slow
def test_two_workers_serve_one_port_and_a_stop_ends_them_with_code_0() -> None:
    with Service(SERVE, index=invented_indexes()[0], workers=2) as service:
        assert len(set(service.pids)) == 2
        answer = service.match("Kneaded and shaped dough for loaves and rolls")
        assert answer.json()["matches"][0]["code"] == "51-3011.00"
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
        pids = service.pids
        begin = time.perf_counter()
        assert service.end() == 0
        assert time.perf_counter() - begin < 10
        assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]
        assert service.stray == []


@pytest.mark.slow
def test_a_killed_worker_is_replaced_and_its_gauges_are_forgotten() -> None:
    with Service(index=invented_indexes()[0], workers=2) as service:
        seen = len(service.events)
        os.kill(service.pids[0], signal.SIGKILL)
        service.wait("worker_died", after=seen)
        service.wait("worker_ready", after=seen)
        text = service.ask("GET", "/metrics").body.decode()
        (line,) = [line for line in text.splitlines() if line.startswith("matcher_index{")]
        assert line.endswith(" 2.0")


@pytest.mark.slow
def test_counts_of_all_workers_are_in_the_metrics_of_each() -> None:
    with Service(index=invented_indexes()[0], workers=2) as service:
        for _ in range(30):
            service.ask("GET", "/v1/about")
        texts = [service.ask("GET", "/metrics").body.decode() for _ in range(8)]
    for text in texts:
        assert 'matcher_request_seconds_count{route="/v1/about",status="200"} 30.0' in text


@pytest.mark.slow
def test_workers_end_when_their_supervisor_is_killed() -> None:
    with Service(index=invented_indexes()[0], drain_seconds=0) as service:
        pids = service.pids
        service.process.kill()
        service.process.wait()
        deadline = time.monotonic() + 10
        while [pid for pid in pids if _alive(pid)] and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not [pid for pid in pids if _alive(pid)]


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.slow
def test_a_service_without_keys_that_others_can_reach_says_so_in_its_log() -> None:
    with Service(index=invented_indexes()[0], host="0.0.0.0", no_auth="true") as service:
        assert service.wait("open_to_all")["level"] == "warning"
    with Service(index=invented_indexes()[0]) as service:
        assert not [e for e in service.events if e.get("event") == "open_to_all"]


def test_a_folder_called_api_where_the_service_is_started_is_not_run(tmp_path: Path) -> None:
    (tmp_path / "api").mkdir()
    (tmp_path / "api" / "__init__.py").write_text("raise SystemExit('run from the current folder')")
    own = {name: value for name, value in os.environ.items() if not name.upper().startswith("MATCHER_")}
    script = Path(sys.executable).with_name("matcher")
    if not script.exists():
        pytest.skip("the command is not installed")
    done = subprocess.run(
        [str(script), "serve", "--show-settings"], cwd=tmp_path, env=own, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_uvicorns_own_command_serves_it_with_the_deadlines() -> None:
    free = socket.socket()
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
    free.close()
    own = {name: value for name, value in os.environ.items() if not name.upper().startswith("MATCHER_")}
    words = ["uvicorn", "api.app:create_app", "--factory", "--http", "api.protocol:DeadlineProtocol", "--port", str(port)]
    with subprocess.Popen(
        [sys.executable, "-m", *words],
        cwd=ROOT, env={**own, "MATCHER_INDEX": str(invented_indexes()[0]), "MATCHER_HEADER_SECONDS": "0.3"},
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        try:
            deadline = time.monotonic() + 30
            while time.monotonic() < deadline:
                try:
                    client = socket.create_connection(("127.0.0.1", port), timeout=10)
                    break
                except OSError:
                    time.sleep(0.1)
            with client:
                client.sendall(b"GET /healthz HTTP/1.1\r\n")
                assert client.recv(100).startswith(b"HTTP/1.1 408")
        finally:
            process.terminate()
            process.communicate()


def test_the_queue_of_the_listening_socket_stays_long_though_asyncio_asks_for_one() -> None:
    listener = bind(Settings(port=0))
    listener.listen(1)
    # Nobody accepts: what is not in the queue does not connect.
    held = [socket.create_connection(listener.getsockname(), timeout=2) for _ in range(200)]
    for client in (*held, listener):
        client.close()
