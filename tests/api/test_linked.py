"""The linked-data answer: JSON-LD that a processor without a network understands, with terms that schema.org has."""

from __future__ import annotations

from typing import Any

from pyld import jsonld
from starlette.testclient import TestClient

SCHEMA = "https://schema.org/"
#: What the pages https://schema.org/<type> list for each type, its own and inherited properties, of those that are used here.
TERMS = {
    "ItemList": {"name", "identifier", "description", "itemListOrder", "numberOfItems", "itemListElement"},
    "ListItem": {"position", "item"},
    "Occupation": {
        "name",
        "description",
        "occupationalCategory",
        "occupationLocation",
        "skills",
        "responsibilities",
        "estimatedSalary",
    },
    "CategoryCode": {"name", "codeValue", "inCodeSet"},
    "CategoryCodeSet": {"name"},
    "Country": {"name"},
    "MonetaryAmountDistribution": {"name", "currency", "duration", "median"},
}
TEXT = "Knead and shape dough for loaves and rolls. Set oven temperatures and watch the bake each night."


def no_network(url: str, options: Any) -> Any:
    raise AssertionError("the context is not inline")


def ask(client: TestClient, **body: Any) -> Any:
    answer = client.post("/v1/match", json=body, headers={"accept": "application/ld+json"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/ld+json"
    assert answer.headers["vary"] == "Accept"
    return answer.json()


def nodes(value: Any) -> list[dict[str, Any]]:
    """Return every typed node of an expanded document."""
    if isinstance(value, list):
        return [node for item in value for node in nodes(item)]
    if not isinstance(value, dict):
        return []
    own = [value] if "@type" in value and "@value" not in value else []
    return own + [node for item in value.values() for node in nodes(item)]


def test_it_expands_without_a_network_to_types_and_properties_that_exist(client: TestClient) -> None:
    expanded = jsonld.expand(ask(client, text=TEXT, id="q1"), {"documentLoader": no_network})
    found = nodes(expanded)
    kinds = {node["@type"][0].removeprefix(SCHEMA) for node in found}
    assert kinds == set(TERMS)
    for node in found:
        kind = node["@type"][0].removeprefix(SCHEMA)
        properties = {name.removeprefix(SCHEMA) for name in node if not name.startswith("@")}
        assert properties <= TERMS[kind], kind


def test_it_ranks_the_same_occupations_as_the_plain_answer(client: TestClient) -> None:
    plain = client.post("/v1/match", json={"text": TEXT}).json()["matches"]
    items = ask(client, text=TEXT)["itemListElement"]
    assert [(i["position"], i["item"]["occupationalCategory"]["codeValue"]) for i in items] == [
        (m["rank"], m["code"]) for m in plain
    ]
    baker = items[0]["item"]
    assert baker["occupationalCategory"]["inCodeSet"]["@id"] == "https://www.onetcenter.org/taxonomy.html"
    assert baker["responsibilities"][0] == "Knead and shape dough for loaves and rolls"
    # 17 dollars an hour, 2,080 hours a year.
    assert baker["estimatedSalary"]["median"] == 35_360.0


def test_an_occupation_without_pay_or_tasks_leaves_them_out(client: TestClient) -> None:
    (other,) = (i["item"] for i in ask(client, text=TEXT)["itemListElement"] if i["item"]["name"].endswith("All Other"))
    assert not {"estimatedSalary", "responsibilities", "skills"} & set(other)


def test_an_insufficient_query_is_an_empty_list_that_says_why(client: TestClient) -> None:
    found = ask(client, text="")
    assert (found["numberOfItems"], found["itemListElement"], found["description"]) == (0, [], "No ranking: too_short")


def test_a_refusal_stays_a_problem(client: TestClient) -> None:
    answer = client.post("/v1/match", json={}, headers={"accept": "application/ld+json"})
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
