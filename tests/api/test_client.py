"""A client that openapi-python-client generates, offline, from our document, and a service that it calls."""

from __future__ import annotations

import importlib
import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.api import record

CONFIG = """
content_type_overrides:
  application/x-ndjson: application/octet-stream
post_hooks: []
"""


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of the generated package, importable."""
    folder = tmp_path_factory.mktemp("client")
    (folder / "config.yml").write_text(CONFIG, encoding="utf-8")
    command = ["generate", "--path", str(record.GOLDEN), "--config", str(folder / "config.yml"), "--meta", "none", "--output-path", str(folder / "occupation_client")]  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", "import sys; from openapi_python_client.cli import app; app(sys.argv[1:])", *command],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stdout + done.stderr
    sys.path.insert(0, str(folder))
    yield "occupation_client"
    sys.path.remove(str(folder))


@pytest.fixture
def api(generated: str, served: str) -> Iterator[Any]:
    """A function that imports a part of the client, and the client itself."""
    client = importlib.import_module(generated).Client(base_url=served)
    with client:
        yield lambda name: importlib.import_module(f"{generated}.{name}"), client


def test_a_generated_client_matches_a_job_posting(api: Any) -> None:
    part, client = api
    models = part("models")
    body = models.MatchRequest(
        title="Brake Technician", text="You will replace brake pads and rotors and read fault codes.", top=1, id="7"
    )
    found = part("api.match.match").sync(client=client, body=body)
    assert (found.id, found.status, found.matches[0].code) == ("7", "ok", "49-3023.00")
    assert found.matches[0].evidence[0].phrase
    assert found.matches[0].median_wage.annual == 49000.0


def test_it_gets_a_refusal_as_a_problem_with_pointers(api: Any) -> None:
    part, client = api
    body = part("models").MatchRequest(title="Baker", filters=part("models").FiltersIn(exclude=["Bakers"]))
    problem = part("api.match.match").sync_detailed(client=client, body=body)
    assert problem.status_code == 422
    assert problem.parsed.errors[0].pointer == "/filters/exclude/0"


def test_it_sends_a_file_with_options(api: Any) -> None:
    part, client = api
    models = part("models")
    file = part("types").File(
        payload=io.BytesIO(b"Baker, 2019 to 2023\n- Knead and shape dough for loaves and rolls\n"), file_name="a.txt"
    )
    body = models.MatchFileBody(file=file, options=models.Options(top=1))
    found = part("api.match.match_file").sync(client=client, body=body)
    assert found.matches[0].code == "51-3011.00"


def test_it_sends_a_batch_and_searches(api: Any) -> None:
    part, client = api
    lines = part("types").File(payload=io.BytesIO(b'{"title": "Baker", "top": 1}\n{}\n'))
    answer = part("api.match.match_batch").sync_detailed(client=client, body=lines)
    assert (answer.status_code, answer.content.count(b"\n")) == (200, 2)
    listed = part("api.occupations.list_occupations").sync(client=client, keyword="bakre")
    assert listed.occupation[0].code == "51-3011.00"
    one = part("api.occupations.get_occupation").sync(client=client, code="51-3011.00")
    assert one.tasks[0].importance == 90
    assert part("api.occupations.get_occupation").sync_detailed(client=client, code="99-9999.00").parsed.status == 404
    assert part("api.operations.about").sync(client=client).limits.top == 100


def test_the_generated_files_are_python(generated: str, tmp_path: Path) -> None:
    folder = Path(next(path for path in sys.path if (Path(path) / generated).is_dir())) / generated
    for path in folder.rglob("*.py"):
        compile(path.read_text(encoding="utf-8"), str(path), "exec")
