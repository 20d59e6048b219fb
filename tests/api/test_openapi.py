"""OpenAPI: a golden document, examples that are real answers, and a service that does what it says (Schemathesis)."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from api.app import create_app
from api.settings import Settings
from tests.api import record

HERE = Path(__file__).parent
METHODS = ("get", "post")


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert method in METHODS
            yield path, operation


@pytest.fixture(scope="module")
def document(app: FastAPI) -> dict[str, Any]:
    """The document that the service gives."""
    return app.openapi()


def schema_of(document: dict[str, Any], schema: dict[str, Any]) -> Any:
    """Return a validator of one schema with the document's components."""
    return jsonschema_rs.validator_for({**schema, "components": document["components"]})


def test_the_document_is_the_golden_one(document: dict[str, Any], client: TestClient) -> None:
    golden = json.loads(record.GOLDEN.read_text(encoding="utf-8"))
    assert document == golden, "if it should change: python -m tests.api.record, and read the difference"
    assert client.get("/openapi.json").json() == golden


def test_every_operation_has_a_name_of_its_own_a_tag_and_says_what_it_does(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, operation in operations(document)]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch("[a-z][A-Za-z]+", name) for name in names)
    for path, operation in operations(document):
        assert operation["tags"][0] in {tag["name"] for tag in document["tags"]}, path
        assert operation["description"].strip(), path
        assert operation["summary"].strip(), path


def test_every_number_that_can_be_sent_has_bounds(document: dict[str, Any]) -> None:
    unbounded: list[str] = []

    def look(schema: Any, where: str) -> None:
        if isinstance(schema, list):
            for item in schema:
                look(item, where)
        if not isinstance(schema, dict):
            return
        if schema.get("type") in ("integer", "number") and not {"minimum", "maximum"} <= set(schema):
            unbounded.append(where)
        for name, value in schema.items():
            look(value, f"{where}/{name}")

    for name in ("MatchRequest", "Options", "FiltersIn", "GapRequest", "WhatIfRequest", "MovesRequest", "InterestScores"):
        look(document["components"]["schemas"][name], name)
    for path, operation in operations(document):
        for parameter in operation.get("parameters", ()):
            look(parameter["schema"], f"{path}?{parameter['name']}")
    assert unbounded == []


def test_every_refusal_is_described_as_a_problem(document: dict[str, Any]) -> None:
    for path, operation in operations(document):
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                assert response["content"]["application/problem+json"]["schema"] == {"$ref": "#/components/schemas/Problem"}, path


def test_the_examples_are_what_the_service_answers(bundled: TestClient) -> None:
    recorded = json.loads(record.EXAMPLES.read_text(encoding="utf-8"))
    now = record.examples(bundled)
    assert _without_engine(recorded) == _without_engine(now), "record them anew: python -m tests.api.record"


def _without_engine(value: Any) -> Any:
    """Return a document without the digests of index and encoder, which differ with the machine that built them."""
    if isinstance(value, dict):
        return {name: _without_engine(item) for name, item in value.items() if name not in ("engine", "instance")}
    if isinstance(value, list):
        return [_without_engine(item) for item in value]
    if isinstance(value, str) and value.startswith("{") and value.endswith("\n"):
        return [_without_engine(json.loads(line)) for line in value.splitlines()]
    return value


def test_the_examples_fit_their_schemas(document: dict[str, Any]) -> None:
    checked = 0
    for path, operation in operations(document):
        bodies = [operation.get("requestBody", {}).get("content", {}), operation["responses"].get("200", {}).get("content", {})]
        for content in bodies:
            for kind, media in content.items():
                for name, example in media.get("examples", {}).items():
                    lines = example["value"].splitlines() if "ndjson" in kind else [None]
                    for line in lines:
                        if line is None:
                            schema, value = media["schema"], example["value"]
                        else:
                            model = "BatchLine" if '"status"' in line else "Options"
                            schema, value = {"$ref": f"#/components/schemas/{model}"}, json.loads(line)
                        errors = [e.message for e in schema_of(document, schema).iter_errors(value)]
                        assert errors == [], (path, name)
                        checked += 1
    assert checked > 20


def test_answers_fit_their_schemas(document: dict[str, Any], client: TestClient) -> None:
    for path, model in (
        ("/v1/occupations", "OccupationList"), ("/v1/occupations/51-3011.00", "Occupation"), ("/v1/occupations/51-9199.00", "Occupation"),
        ("/v1/occupations/51-3011.00/related", "RelatedList"), ("/v1/suggest?prefix=b", "Suggestions"), ("/v1/about", "About"),
        ("/readyz", "Health"), ("/v1/nothing", "Problem"), ("/v1/suggest", "Problem"),
    ):  # fmt: skip
        errors = [
            e.message for e in schema_of(document, {"$ref": f"#/components/schemas/{model}"}).iter_errors(client.get(path).json())
        ]
        assert errors == [], path


def test_the_schema_of_a_query_wants_one_of_its_four_inputs(document: dict[str, Any]) -> None:
    validator = schema_of(document, {"$ref": "#/components/schemas/MatchRequest"})
    assert validator.is_valid({"title": "Baker"})
    assert validator.is_valid({"text": None, "skills": []})
    assert not validator.is_valid({"text": None})
    assert not validator.is_valid({"top": 3})


HOOKS = """
import json
import schemathesis

@schemathesis.serializer("application/x-ndjson")
def lines(context, value):
    return {"data": value if isinstance(value, bytes) else (value if isinstance(value, str) else json.dumps(value)).encode("utf-8", "surrogatepass")}
"""
#: A file of random bytes is rightly refused: no schema says what a PDF is. The operator's route needs a key. No schema
#: says either that a line to take away stands in the text, that six numbers differ, or which codes have data.
CONFIG = """
[[operations]]
include-path = "/v1/match/file"
[operations.checks]
positive_data_acceptance.enabled = false

[[operations]]
include-path = "/v1/gap"
[operations.checks]
positive_data_acceptance.enabled = false

[[operations]]
include-path = "/v1/compare"
[operations.checks]
positive_data_acceptance.enabled = false

[[operations]]
include-path = "/v1/whatif"
[operations.checks]
positive_data_acceptance.enabled = false

[[operations]]
include-path = "/v1/moves"
[operations.checks]
positive_data_acceptance.enabled = false

[[operations]]
include-path = "/v1/match/batch"
[operations.checks]
negative_data_rejection.enabled = false
"""


def schemathesis(address: str, folder: Path, *options: str) -> None:
    (folder / "hooks.py").write_text(HOOKS, encoding="utf-8")
    (folder / "schemathesis.toml").write_text(CONFIG, encoding="utf-8")
    done = subprocess.run(
        [
            sys.executable, "-m", "schemathesis.cli", "--config-file", "schemathesis.toml", "run", f"{address}/openapi.json",
            "--exclude-path", "/admin/reload", "--seed", "1", "--no-color", "--continue-on-failure", *options,
        ],
        capture_output=True, text=True, check=False, cwd=folder,
        env={**os.environ, "SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": os.pathsep.join((str(folder), os.environ.get("PYTHONPATH", "")))},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


def test_schemathesis_finds_nothing_in_a_few_cases(served: str, tmp_path: Path) -> None:
    schemathesis(served, tmp_path, "--phases", "examples,fuzzing", "--max-examples", "4")


@pytest.mark.slow
def test_schemathesis_finds_nothing_in_all_its_phases(served: str, tmp_path: Path) -> None:
    schemathesis(served, tmp_path, "--phases", "examples,coverage,fuzzing,stateful", "--max-examples", "100")


def test_the_same_document_comes_from_any_index(tmp_path: Path, app: FastAPI, bundled_app: FastAPI) -> None:
    assert bundled_app.openapi() == app.openapi()


def test_recording_twice_gives_the_same_bytes(bundled: TestClient, tmp_path: Path) -> None:
    for name in ("a", "b"):
        record.write(tmp_path / name, record.examples(bundled))
    assert _without_instance((tmp_path / "a").read_text()) == _without_instance((tmp_path / "b").read_text())


def _without_instance(text: str) -> str:
    return re.sub(r"/requests/[0-9a-f]+", "", text)


def test_create_app_needs_no_network_and_no_lifespan_to_describe_itself(invented_index: Path) -> None:
    assert create_app(Settings(index=invented_index)).openapi()["openapi"] == "3.1.0"
