"""The examples of the contract are sent: a real Opora takes them, and answers as the contract says.

Each example goes out twice: as it stands, which the server may refuse for what its ids name but never
as malformed; and with the ids of a real region, where creating things has to succeed.
"""

import json
import uuid
from typing import Any

import pytest

from services.kit.problems import MEDIA_TYPE
from tests.contracts.test_examples import refused
from tests.support import steps
from tests.sweeps.operations import EVERY, Operation

SENDING = [
    operation
    for operation in EVERY
    if "application/json" in operation.spec.get("requestBody", {}).get("content", {})
]

CREATED_ONE_AFTER_ANOTHER = (
    "registry_create_municipality",
    "registry_create_school",
    "registry_create_programme_year",
    "registry_create_participation",
    "indicators_add_procedure",
    "monitoring_plan_wave",
    "training_plan_course",
    "training_enrol_school",
)
"""What can be made in an empty region from examples alone, each with the ids of those before."""


def example_of(operation: Operation) -> Any:
    content = operation.spec["requestBody"]["content"]["application/json"]
    if "example" in content:
        return content["example"]
    return next(iter(content["examples"].values()))["value"]


def path_of(operation: Operation, values: dict[str, Any]) -> str:
    path = operation.path
    for parameter in operation.spec.get("parameters", []):
        if parameter["in"] == "path":
            value = values.get(parameter["name"], parameter["schema"]["examples"][0])
            path = path.replace(f"{{{parameter['name']}}}", str(value))
    return path


def headers_for(operation: Operation) -> dict[str, str]:
    named = {one["name"].lower() for one in operation.spec.get("parameters", [])}
    return ({"Idempotency-Key": uuid.uuid4().hex} if "idempotency-key" in named else {}) | (
        {"If-Match": '"1"'} if "if-match" in named else {}
    )


def undeclared(operation: Operation, answer: Any, documents: Any) -> list[str]:
    """Return what of the answer the contract does not say."""
    status = str(answer.status_code)
    declared = operation.spec["responses"].get(status)
    if declared is None:
        return [f"{operation.id}: {status} {answer.text[:200]}"]
    found = []
    kind = answer.headers.get("content-type", "").partition(";")[0]
    if answer.content:
        if kind not in declared.get("content", {}):
            return [f"{operation.id} {status}: {kind}"]
        schema = declared["content"][kind].get("schema", {})
        if kind in ("application/json", MEDIA_TYPE):
            found += refused(schema, answer.json(), documents[operation.service])
        if kind == MEDIA_TYPE:
            code = answer.json()["code"]
            if code not in declared["content"][kind].get("examples", {}):
                found.append(f"code {code} is not declared")
    told = {name.lower() for name in declared.get("headers", {})}
    watched = {"etag", "location", "retry-after", "idempotency-replayed", "content-disposition"}
    found += [f"header {one} is not declared" for one in watched & answer.headers.keys() - told]
    if {"etag", "location"} & told - answer.headers.keys() and answer.is_success:
        found.append(f"no {', '.join({'etag', 'location'} & told - answer.headers.keys())}")
    return [f"{operation.id} {status}: {one}" for one in found]


@pytest.fixture(scope="module")
async def region(opora):
    return await steps.new_region(opora, "29", "Архангельская область")


def is_of_elsewhere(error: dict[str, Any]) -> bool:
    """Whether the error only says that the example names a record or a secret that is not here."""
    return (
        error["code"] == "wrong"
        or error["code"].endswith("_not_found")
        or (error["code"] == "node" and error["detail"].startswith("Не найдено"))
    )


@pytest.mark.parametrize("operation", SENDING, ids=lambda operation: operation.id)
async def test_an_example_is_never_malformed_to_the_server(operation, region, documents):
    answer = await region.analyst.ask(
        operation.method,
        path_of(operation, {}),
        json=example_of(operation),
        headers=headers_for(operation),
    )

    if not operation.is_public:
        told = answer.json() if answer.status_code >= 400 else {}
        assert told.get("code") not in {"bad-request", "entity-tag-malformed"}, answer.text
        # What an example names by its number need not exist here; everything else has to be sound.
        unsound = [one for one in told.get("errors", ()) if not is_of_elsewhere(one)]
        assert unsound == []
    assert answer.status_code < 500, answer.text
    assert undeclared(operation, answer, documents) == []


async def test_what_examples_make_in_an_empty_region_is_made(opora, documents):
    by_id = {operation.id: operation for operation in SENDING}
    region = await steps.new_region(opora, "11", "Республика Коми")
    ids: dict[str, Any] = {"region_id": region.id}
    for name in CREATED_ONE_AFTER_ANOTHER:
        operation = by_id[name]
        body = json.loads(json.dumps(example_of(operation)))
        body = {key: ids.get(key, value) for key, value in body.items()}
        answer = await region.analyst.ask(
            operation.method, operation.path, json=body, headers=headers_for(operation)
        )
        assert answer.status_code == 201, f"{name}: {answer.status_code} {answer.text}"
        assert undeclared(operation, answer, documents) == []
        ids[f"{name.rpartition('_')[2]}_id"] = answer.json()["id"]


LISTS = [
    operation
    for operation in EVERY
    if operation.method == "GET" and not operation.path_parameters and not operation.is_public
]


@pytest.mark.parametrize("operation", LISTS, ids=lambda operation: operation.id)
async def test_what_is_read_is_as_declared(operation, region, documents):
    query = {
        parameter["name"]: parameter["schema"]["examples"][0]
        for parameter in operation.spec.get("parameters", [])
        if parameter["in"] == "query" and parameter.get("required")
    }
    answer = await region.analyst.ask("GET", path_of(operation, {}), params=query)

    assert undeclared(operation, answer, documents) == []


def test_an_answer_that_the_contract_does_not_know_is_seen(documents):
    import httpx

    operation = next(one for one in EVERY if one.id == "registry_create_school")
    unknown = httpx.Response(418, json={})
    headless = httpx.Response(201, json=example_of(operation), headers={"X-Request-Id": "1"})
    odd = httpx.Response(
        404,
        content=json.dumps(
            {"type": "/x", "title": "x", "status": 404, "code": "odd", "request_id": "1"}
        ),
        headers={"Content-Type": MEDIA_TYPE},
    )

    assert undeclared(operation, unknown, documents) != []
    assert any("no " in one for one in undeclared(operation, headless, documents))
    assert any("odd" in one for one in undeclared(operation, odd, documents))
