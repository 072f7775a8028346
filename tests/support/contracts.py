"""What a consumer uses of a provider's contract, and the check that the provider offers it.

A view names only what the consumer's code sends and reads. A field that the provider renames, drops or
begins to demand breaks the test that carries the consumer's name.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Use:
    """One call of a consumer.

    Fields are written as paths (`items[].school_id`) with the type the consumer expects; a question
    mark behind the type says that the consumer copes with null.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    sent: Mapping[str, str] | None = None
    answer: Mapping[str, str] = field(default_factory=dict)


def misfits(use: Use, document: dict[str, Any]) -> list[str]:
    """Return what the provider's document does not offer of this use; empty when all fits."""
    return list(_misfits(use, document))


def anonymous(path: str) -> str:
    """Return the path with its parameters unnamed: a consumer fills them in and knows no names."""
    return re.sub(r"\{[^}]*\}", "{}", path)


def _misfits(use: Use, document: dict[str, Any]) -> Iterator[str]:
    paths = {anonymous(path): methods for path, methods in document["paths"].items()}
    operation = paths.get(anonymous(use.path), {}).get(use.method)
    call = f"{use.method.upper()} {use.path}"
    if operation is None:
        yield f"{call}: no such operation"
        return
    offered = {p["name"]: p for p in operation.get("parameters", []) if p["in"] == "query"}
    for name, kind in use.query.items():
        if name not in offered:
            yield f"{call}: no query parameter {name}"
        elif kind not in _kinds(offered[name]["schema"], document):
            yield f"{call}: query parameter {name} is not {kind}"
    for name, parameter in offered.items():
        if parameter.get("required") and name not in use.query:
            yield f"{call}: query parameter {name} is demanded"
    if use.sent is not None:
        body = operation.get("requestBody")
        if body is None:
            yield f"{call}: takes no body"
            return
        yield from _misfits_of_body(call, use.sent, _json(body), document)
    good = next(a for status, a in operation["responses"].items() if status.startswith("2"))
    for path, kind in use.answer.items():
        yield from _misfits_of_answer(call, path, kind, _json(good), document)


def _misfits_of_body(
    call: str, sent: Mapping[str, str], schema: dict[str, Any], document: dict[str, Any]
) -> Iterator[str]:
    for path, kind in sent.items():
        found = _at(path, schema, document)
        if found is None:
            yield f"{call}: the body has no field {path}"
        elif kind not in _kinds(found, document):
            yield f"{call}: the body's field {path} is not {kind}"
    for path in _demanded(schema, document):
        if path not in sent:
            yield f"{call}: the body's field {path} is demanded"


def _misfits_of_answer(
    call: str, path: str, kind: str, schema: dict[str, Any], document: dict[str, Any]
) -> Iterator[str]:
    found = _at(path, schema, document)
    if found is None:
        yield f"{call}: the answer has no field {path}"
        return
    expected = {kind.removesuffix("?")} | ({"null"} if kind.endswith("?") else set())
    unexpected = _kinds(found, document) - expected
    if unexpected:
        yield f"{call}: the answer's field {path} may be {', '.join(sorted(unexpected))}"


def _json(part: dict[str, Any]) -> dict[str, Any]:
    return part["content"]["application/json"]["schema"]


def _resolved(schema: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
    return schema


def _alternatives(schema: dict[str, Any], document: dict[str, Any]) -> list[dict[str, Any]]:
    schema = _resolved(schema, document)
    given = schema.get("anyOf") or schema.get("oneOf")
    if given is None:
        return [schema]
    return [one for each in given for one in _alternatives(each, document)]


def _kinds(schema: dict[str, Any], document: dict[str, Any]) -> set[str]:
    return {one.get("type", "any") for one in _alternatives(schema, document)}


def _at(path: str, schema: dict[str, Any], document: dict[str, Any]) -> dict[str, Any] | None:
    current = schema
    for step in path.split("."):
        name, many = step.removesuffix("[]"), step.endswith("[]")
        if name:
            holders = [
                a for a in _alternatives(current, document) if name in a.get("properties", {})
            ]
            if not holders:
                return None
            current = holders[0]["properties"][name]
        if many:
            lists = [a for a in _alternatives(current, document) if "items" in a]
            if not lists:
                return None
            current = lists[0]["items"]
    return current


def _demanded(schema: dict[str, Any], document: dict[str, Any], prefix: str = "") -> Iterator[str]:
    schema = _resolved(schema, document)
    for name in schema.get("required", ()):
        path = f"{prefix}{name}"
        yield path
        inner = _resolved(schema["properties"][name], document)
        if "items" in inner:
            yield from _demanded(inner["items"], document, f"{path}[].")
        elif "properties" in inner:
            yield from _demanded(inner, document, f"{path}.")
