"""Mass assignment: a body says more than its schema lets it say. Source: threats, case 20.

Every write is offered, one at a time and at every depth of its body, each field that its answer shows
but its body does not have, and the fields that a role or a place is made of. Each must be refused with
422 and the place in the body, and nothing may be stored.
"""

import copy
import json
from collections import Counter

import httpx

from tests.matrix import cells as matrix
from tests.matrix.cells import Cell, Expected
from tests.matrix.test_matrix import Asked, changed, everything
from tests.support import reports
from tests.sweeps.operations import EVERY

# What somebody would add who wants more than he has. Source: CVE-2022-41948 and its like.
TEMPTING = {
    "id": 1,
    "role": "region",
    "level": "system",
    "scope": "regions:write",
    "scopes": ["regions:write"],
    "region_id": 1,
    "municipality_id": 1,
    "school_id": 1,
    "subject": "user:1",
    "created_by": "user:1",
    "created_at": "2020-01-01T00:00:00Z",
    "version": 1,
    "state": "published",
    "is_admin": True,
    "blocked_at": None,
    "password_hash": "$argon2id$",
    "__proto__": {"role": "region"},
    "constructor": {},
}


def shown(operation):
    """Return the fields of the operation's answer, with an example of each."""
    for status in ("200", "201", "202"):
        content = operation.spec["responses"].get(status, {}).get("content", {})
        schema = operation.resolved(content.get("application/json", {}).get("schema", {}))
        if schema.get("properties"):
            return {name: operation.example(part) for name, part in schema["properties"].items()}
    return {}


def objects(body, pointer=""):
    """Yield the place of every object in a body, outermost first."""
    if isinstance(body, dict):
        yield pointer
        for key, value in body.items():
            yield from objects(value, f"{pointer}/{key}")
    elif isinstance(body, list) and body:
        yield from objects(body[0], f"{pointer}/0")


def at(body, pointer):
    for part in pointer.split("/")[1:]:
        body = body[int(part)] if isinstance(body, list) else body[part]
    return body


def schema_at(operation, pointer):
    """Return the schema of the object at a place of the body; None where any key is data."""
    content = operation.spec["requestBody"]["content"]["application/json"]
    schema = present(operation, content["schema"])
    for part in pointer.split("/")[1:]:
        inner = (
            schema.get("items", {})
            if part.isdigit()
            else schema.get("properties", {}).get(part, {})
        )
        schema = present(operation, inner)
    return schema if "properties" in schema else None


def present(operation, schema):
    """Return the schema that holds when the value is not null."""
    schema = operation.resolved(schema)
    choices = schema.get("anyOf", schema.get("oneOf", []))
    resolved = [operation.resolved(choice) for choice in choices]
    return next((one for one in resolved if one.get("type") != "null"), schema)


def attempts(operation, body):
    """Yield bodies with one field too many, each with the place of that field."""
    for pointer in objects(body):
        schema = schema_at(operation, pointer)
        if schema is None:
            continue
        for name, value in (TEMPTING | (shown(operation) if not pointer else {})).items():
            if name in schema["properties"]:
                continue
            richer = copy.deepcopy(body)
            at(richer, pointer)[name] = value
            yield f"{pointer}/{name}", richer


MADE_BY_ROOT = "registry_create_region"
"""Above all callers of the matrix."""

WRITES = [
    operation
    for operation in EVERY
    if operation.method != "GET" and not operation.is_public and operation.body() is not None
]


async def test_no_write_takes_a_field_that_is_not_in_its_schema(opora, territory):
    asked = Asked(opora, territory)
    tried, wrong = Counter(), []
    before = await everything(opora, territory)
    async with httpx.AsyncClient(base_url=opora.gateway_url, timeout=60) as http:
        for operation in WRITES:
            cell = allowed(operation, territory)
            if operation.id == MADE_BY_ROOT:
                token = (await opora.root()).token
            else:
                token = await asked.token(cell)
            headers = {
                "Authorization": f"Bearer {token}",
                "If-Match": '"1"',
                "Idempotency-Key": f"mass-{operation.id}",
            }
            for pointer, body in attempts(operation, matrix.body_of(cell, territory)):
                answer = await http.request(
                    operation.method, matrix.path_of(cell, territory), json=body, headers=headers
                )
                tried[operation.id] += 1
                if answer.status_code != 422 or pointer not in {
                    error["pointer"] for error in answer.json()["errors"]
                }:
                    wrong.append(f"{operation.id} {pointer}: {answer.status_code} {answer.text}")
    reports.write(
        "mass-assignment.json",
        json.dumps({"attempts": sum(tried.values()), "taken": len(wrong), "by_operation": tried}),
    )

    assert wrong == []
    assert changed(before, await everything(opora, territory)) == []
    assert set(tried) == {operation.id for operation in WRITES}
    assert min(tried.values()) > 10


def allowed(operation, territory):
    """Return a cell of the operation whose caller may make it, or any where nobody of these may."""
    for asking in territory.callers.values():
        places = matrix.places_of(operation, territory)
        for place in places:
            cell = Cell(operation, asking, place)
            if cell.expected() is Expected.ANSWERED:
                return cell
    return cell
