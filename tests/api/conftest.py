"""A service over an invented release, made with the bundled encoder; and one over the bundled index for what is recorded."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI
from starlette.testclient import TestClient

from api.app import create_app
from api.settings import Settings
from matcher.encoder import load_encoder
from matcher.index import build_index
from matcher.resources import ResourceError, encoder_path, index_path
from tests.invented import RELEASE, WAGES

#: The gate answers to this host.
BASE_URL = "http://127.0.0.1"


@pytest.fixture(scope="session")
def invented_index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an index of the invented release."""
    folder = tmp_path_factory.mktemp("service") / "index"
    build_index(RELEASE, load_encoder(encoder_path()), folder, wages=WAGES, notice="Invented.")
    return folder


@pytest.fixture(scope="session")
def settings(invented_index: Path) -> Settings:
    """Settings of a service that is open to this machine."""
    return Settings(index=invented_index)


@pytest.fixture(scope="session")
def app(settings: Settings) -> FastAPI:
    """The application over the invented release."""
    return create_app(settings)


@pytest.fixture(scope="session")
def client(app: FastAPI) -> Iterator[TestClient]:
    """A client of ``app``, which runs for the whole session."""
    with TestClient(app, base_url=BASE_URL) as connected:
        yield connected


@pytest.fixture(scope="session")
def bundled_app() -> FastAPI:
    """The application over the bundled index, with the settings that a user has who sets none."""
    try:
        index_path()
    except ResourceError:
        pytest.skip("no bundled index: install the package first (make test does)")
    return create_app(Settings())


@pytest.fixture(scope="session")
def bundled(bundled_app: FastAPI) -> Iterator[TestClient]:
    """A client of ``bundled_app``."""
    with TestClient(bundled_app, base_url=BASE_URL) as connected:
        yield connected


@pytest.fixture(scope="session")
def served(invented_index: Path) -> Iterator[str]:
    """The address of a service that listens on this machine, over the invented release."""
    server = uvicorn.Server(uvicorn.Config(create_app(Settings(index=invented_index)), port=0, log_config=None, http="h11"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    for _ in range(500):
        if server.started:
            break
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(20)
    assert not thread.is_alive()
