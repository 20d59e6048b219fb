"""Record the examples of OpenAPI from real answers of the bundled index, and the golden OpenAPI document.

Run ``python -m tests.api.record`` after a change of the catalogue, the ranking or an endpoint, and read the difference.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "api" / "examples.json"
GOLDEN = Path(__file__).parent / "openapi.json"
BASE_URL = "http://127.0.0.1"

POSTING = (
    "Our garage needs a third technician. You will read fault codes with a scan tool, replace brake pads and rotors, change oil and "
    "filters, and tell customers in plain words what was done."
)
#: Operation, name, what it shows, method and path, body or parameters. Nobody in them is real.
REQUESTS: tuple[tuple[str, str, str, str, Any], ...] = (
    ("match", "posting", "A job posting: its title and its description.", "POST /v1/match", {
        "id": "posting-17", "title": "Automotive Technician", "text": POSTING, "top": 2,
    }),
    ("match", "skills", "Skills, among well-paid occupations only.", "POST /v1/match", {
        "skills": ["Python", "Data visualization", "Statistics"], "top": 1, "filters": {"min_median_wage": 60000},
    }),
    ("match", "json_resume", "A JSON Resume: evidence points into it.", "POST /v1/match", {
        "resume": {
            "basics": {"label": "Pastry cook"},
            "work": [{"position": "Baker", "startDate": "2021-03", "highlights": ["Shaped and baked sourdough loaves"], "skills": ["Cake decorating"]}],
            "skills": [{"name": "Food safety", "level": "certified"}],
        },
        "top": 1,
    }),
    ("match", "insufficient", "Too little to rank anything.", "POST /v1/match", {"text": "Hello"}),
    ("matchFile", "text_file", "A text file, and the text that offsets refer to.", "POST /v1/match/file", {
        "file": "Welder, 2019 to 2023\n- Welded steel frames with MIG and TIG\n- Read blueprints and measured joints\n",
        "options": {"top": 1, "return_text": True},
    }),
    ("matchBatch", "three_lines", "The second line is bad, the others are answered.", "POST /v1/match/batch", [
        {"id": "a", "title": "Baker", "top": 1, "explain": False},
        {"id": "b", "top": 1},
        {"id": "c", "skills": ["Forklift driving", "Loading trucks"], "top": 1, "explain": False},
    ]),
    ("gap", "baker", "Three skills beside one occupation, and what would lift it most, if it is true.", "POST /v1/gap", {
        "skills": ["Decorating cakes", "Shaping dough", "Microsoft Excel"], "code": "51-3011.00", "best_additions": True,
    }),
    ("gap", "insufficient", "Too little to compare with.", "POST /v1/gap", {"text": "Hello", "code": "51-3011.00"}),
    ("whatIf", "one_more_line", "A line is added, another taken away.", "POST /v1/whatif", {
        "id": "draft-2", "text": POSTING, "add": ["Welded exhaust pipes and brackets"], "remove": ["change oil and filters"], "code": "51-4121.00",
    }),
    ("moves", "from_a_query", "From a posting, to what pays a tenth more.", "POST /v1/moves", {"text": POSTING, "pays_more": 0.1, "top": 2}),
    ("moves", "from_a_code", "From a code, outside its major group, for interests of one's own.", "POST /v1/moves", {
        "code": "51-3011.00", "outside_group": True, "interests": ["R"], "top": 2,
    }),
    ("compare", "two", "Two occupations side by side.", "GET /v1/compare", {"codes": "51-3011.00,35-2014.00"}),
    ("listOccupations", "typo", "A keyword with two typos.", "GET /v1/occupations", {"keyword": "sofware develper", "end": 2}),
    ("getOccupation", "ratings_unknown", "One code; sections that the index lacks are left out.", "GET /v1/occupations/{code}", {"code": "33-9094.00"}),
    ("listRelated", "related", "What O*NET calls related.", "GET /v1/occupations/{code}/related", {"code": "51-3011.00"}),
    ("suggest", "titles", "While somebody types.", "GET /v1/suggest", {"prefix": "weld"}),
    ("suggest", "skills", "Skills instead of titles.", "GET /v1/suggest", {"prefix": "micros", "kind": "skill"}),
    ("about", "about", "What answers, and its limits.", "GET /v1/about", None),
    ("health", "alive", "The process lives.", "GET /healthz", None),
)  # fmt: skip


def ask(client: TestClient, method_and_path: str, given: Any) -> Any:
    """Return the answer to one example as it stands in OpenAPI."""
    method, path = method_and_path.split()
    if path.endswith("/file"):
        answer = client.post(
            path, files={"file": ("resume.txt", given["file"].encode())}, data={"options": json.dumps(given["options"])}
        )
    elif path.endswith("/batch"):
        answer = client.post(path, content=shown(method_and_path, given), headers={"content-type": "application/x-ndjson"})
        assert answer.status_code == 200, answer.text
        return answer.text
    elif method == "POST":
        answer = client.post(path, json=given)
    else:
        parameters = dict(given or {})
        if "{code}" in path:
            path = path.replace("{code}", parameters.pop("code"))
        answer = client.get(path, params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


def shown(method_and_path: str, given: Any) -> Any:
    """Return a request as it stands in OpenAPI."""
    if method_and_path.endswith("/batch"):
        return "".join(json.dumps(line) + "\n" for line in given)
    return given


def examples(client: TestClient) -> dict[str, dict[str, Any]]:
    """Return all examples with the answers that the service gives now."""
    found: dict[str, dict[str, Any]] = {}
    for operation, name, summary, where, given in REQUESTS:
        example: dict[str, Any] = {"summary": summary}
        if where.startswith("POST"):
            example["request"] = shown(where, given)
        elif given:
            example["parameters"] = given
        example["answer"] = ask(client, where, given)
        found.setdefault(operation, {})[name] = example
    return found


def write(path: Path, document: Any) -> None:
    """Write one JSON document, readable and with the same bytes for the same content."""
    path.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    """Record both files."""
    from api import docs
    from api.app import create_app
    from api.settings import Settings

    with TestClient(create_app(Settings()), base_url=BASE_URL) as client:
        write(EXAMPLES, examples(client))
    docs.examples.cache_clear()
    write(GOLDEN, create_app(Settings()).openapi())


if __name__ == "__main__":
    main()
