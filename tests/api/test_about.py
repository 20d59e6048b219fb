"""What the service says of itself: versions, licences, limits, health and figures."""

from __future__ import annotations

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from api.app import create_app
from api.settings import Settings, SettingsError
from matcher import __version__
from matcher.notice import ATTRIBUTION


def test_about_names_what_answers_under_which_licences_and_within_which_limits(bundled: TestClient, bundled_app: FastAPI) -> None:
    found = bundled.get("/v1/about").json()
    assert found["engine"] == dict(bundled_app.state.holder.current.engine)
    assert found["engine"]["version"] == __version__
    assert found["attribution"] == ATTRIBUTION
    assert found["licences"]["O*NET"].startswith("CC BY 4.0")
    assert found["counts"]["occupations"] == 1016
    assert (found["limits"]["json_bytes"], found["limits"]["batch_bytes"], found["limits"]["upload_bytes"]) == (
        524_288,
        4_194_304,
        5_242_880,
    )
    assert "not a decision" in found["not_for"]


def test_without_a_calibration_there_are_no_cut_offs(client: TestClient, app: FastAPI) -> None:
    found = client.get("/v1/about").json()
    ranker = app.state.holder.current.ranker
    assert found["cut_offs"] == getattr(ranker, "cut_offs", None)
    assert found["evaluation"] == getattr(ranker, "evaluation", None)


def test_it_lives_and_is_ready_until_it_is_being_stopped(client: TestClient, app: FastAPI) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ready", "index": app.state.holder.digest}
    app.state.holder.draining = True
    try:
        stopping = client.get("/readyz")
        assert (stopping.status_code, stopping.headers["retry-after"]) == (503, "1")
        assert client.get("/healthz").status_code == 200
    finally:
        app.state.holder.draining = False


def test_the_metrics_count_answers_by_route_and_status_and_name_no_path(client: TestClient) -> None:
    client.post("/v1/match", json={"title": "Baker"})
    client.get("/v1/occupations/canary-in-a-path")
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert 'matcher_request_seconds_count{route="/v1/match",status="200"}' in answer.text
    assert 'matcher_request_seconds_count{route="/v1/occupations/{code}",status="404"}' in answer.text
    assert 'matcher_answers_total{status="ok"}' in answer.text
    assert "canary" not in answer.text


def test_an_application_without_an_index_does_not_start(tmp_path: object) -> None:
    with pytest.raises(ValueError, match="no index here"):
        create_app(Settings(index=f"{tmp_path}/none"))


def test_settings_that_are_not_given_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MATCHER_TOP", "3")
    with pytest.raises(SettingsError, match="MATCHER_TOP"):
        create_app()
