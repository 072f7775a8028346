"""The OpenAPI document of a service: complete errors, one error shape, stable names."""

import copy
import importlib
import pkgutil
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from pydantic import SecretStr

from services.kit.conventions import (
    AT_THE_DOOR,
    CONVENTIONS,
    HEADERS,
    TOLD,
    add_answers,
    answers_of_the_kit,
    headers_of,
    scopes_of,
    security_schemes,
    who_may,
)
from services.kit.examples import NoExampleError, complete, compose
from services.kit.inputs import MAX_ID
from services.kit.problems import MEDIA_TYPE, PLAIN, Problem

if TYPE_CHECKING:
    from services.kit.service import Service

__all__ = ["describe", "document", "merge", "problem_list"]

_CYRILLIC = re.compile("[а-яё]", re.IGNORECASE)
_DECIMAL = r"^-?\d{1,12}(\.\d{1,9})?$"
_OF_WORDS = ("type", "enum", "x-enum-descriptions")
_UNTOLD = "Successful Response"  # what FastAPI says when nobody says more
_IS_ID = re.compile("(^|_)id$")

_PROBLEM: dict[str, Any] = {
    "type": "object",
    "title": "ProblemDetail",
    "description": "Ошибка по RFC 9457. Различайте ошибки по полю code: оно не меняется.",
    "required": ["type", "title", "status", "code", "request_id"],
    "properties": {
        "type": {
            "type": "string",
            "description": "Адрес описания ошибки",
            "examples": ["/problems/kit/not-found"],
        },
        "title": {
            "type": "string",
            "description": "Что произошло, по-русски",
            "examples": ["Не найдено"],
        },
        "status": {
            "type": "integer",
            "minimum": 400,
            "maximum": 599,
            "description": "Код HTTP",
            "examples": [404],
        },
        "code": {"type": "string", "description": "Машинный код ошибки", "examples": ["not-found"]},
        "detail": {
            "type": "string",
            "description": "Подробности именно этого случая",
            "examples": ["Школы с номером 12 нет или она вам не видна"],
        },
        "hint": {
            "type": "string",
            "description": "Что сделать, чтобы исправить",
            "examples": ["Проверьте номер школы"],
        },
        "request_id": {
            "type": "string",
            "description": "Номер запроса для обращения в поддержку",
            "examples": ["0f8fad5bd9cb469fa16570867728950e"],
        },
        "errors": {
            "type": "array",
            "description": "Отдельные ошибки полей",
            "items": {"$ref": "#/components/schemas/FieldError"},
        },
    },
    "additionalProperties": True,
}

_FIELD_ERROR: dict[str, Any] = {
    "type": "object",
    "title": "FieldError",
    "description": "Ошибка одного поля",
    "required": ["pointer", "detail"],
    "properties": {
        "pointer": {
            "type": "string",
            "description": "JSON Pointer поля",
            "examples": ["/schools/0/code"],
        },
        "code": {"type": "string", "description": "Машинный код", "examples": ["missing"]},
        "detail": {
            "type": "string",
            "description": "Что исправить",
            "examples": ["Обязательное поле не указано"],
        },
    },
    "additionalProperties": True,
}


def describe(app: FastAPI, service: "Service") -> None:
    """Make `app.openapi()` complete: errors, headers, examples, who may."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _completed(generate(), service)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend the document


def _completed(document: dict[str, Any], service: "Service") -> dict[str, Any]:
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    for schema in schemas.values():
        # A model's docstring speaks to us; the contract speaks Russian to its reader.
        if not _CYRILLIC.search(schema.get("description", "")):
            schema.pop("description", None)
    document = _renamed(document, {given: _plain_name(given) for given in schemas})
    components = document["components"]
    components["schemas"] |= {"ProblemDetail": _PROBLEM, "FieldError": _FIELD_ERROR}
    components["securitySchemes"] = security_schemes(scopes_of(service.scopes, service.roles))
    document["servers"] = [{"url": "/", "description": "Шлюз или сам сервис: пути одинаковы"}]
    document["info"]["x-service"] = service.name
    document["info"]["description"] += f"\n\n{CONVENTIONS}"
    for schema in components["schemas"].values():
        for name, field in schema.get("properties", {}).items():
            _complete_field(name, field)
    for path in document["paths"].values():
        for operation in path.values():
            _complete_operation(operation, service, components["schemas"])
    _name_words(document)
    components["examples"] = _gathered(document["paths"])
    components["headers"] = _used_headers(document["paths"])
    return document


def _used_headers(paths: dict[str, Any]) -> dict[str, Any]:
    used = {
        name
        for path in paths.values()
        for operation in path.values()
        for answer in operation["responses"].values()
        for name in answer.get("headers", {})
    }
    return {name: copy.deepcopy(told) for name, told in HEADERS.items() if name in used}


def _gathered(paths: dict[str, Any]) -> dict[str, Any]:
    """Put every example problem into one place and leave a reference where it stood."""
    gathered: dict[str, Any] = {}
    for path in paths.values():
        for operation in path.values():
            for answer in operation["responses"].values():
                examples = answer.get("content", {}).get(MEDIA_TYPE, {}).get("examples", {})
                for code, example in examples.items():
                    if "value" in example:
                        name = example["value"]["type"].removeprefix("/problems/").replace("/", ".")
                        gathered[name] = example
                        examples[code] = {"$ref": f"#/components/examples/{name}"}
    return dict(sorted(gathered.items()))


def _complete_field(name: str, field: dict[str, Any]) -> None:
    """Write what follows from the type of a field, so that nobody has to remember it."""
    complete(field)
    kinds = field.get("anyOf", [field])
    for one in kinds:
        if one.get("type") == "integer" and (_IS_ID.search(name) or one.get("maximum") == MAX_ID):
            one["format"] = "int64"
    if {"type": "string"} in kinds and any(one.get("type") == "number" for one in kinds):
        # An exact decimal, which pydantic also takes as a text.
        kinds[kinds.index({"type": "string"})] = {"type": "string", "pattern": _DECIMAL}
    inner = [one["description"] for one in kinds if "description" in one]
    if "description" not in field and len(inner) == 1:
        field["description"] = inner[0]
    description = field.get("description")
    if description and {"type": "null"} in kinds and "null" not in description:
        field["description"] = f"{description}; null: не указано"
    meanings = field.get("x-enum-descriptions")
    if description and meanings:
        told = zip(field["enum"], meanings, strict=True)
        words = "; ".join(
            f"`{word}`: {meaning}" for word, meaning in told if word not in description
        )
        field["description"] = f"{description}. {words}" if words else description


def _name_words(document: dict[str, Any]) -> None:
    """Give every closed list of words a schema of its own, so that a client has a class for it."""
    schemas = document["components"]["schemas"]
    for owner, schema in list(schemas.items()):
        for name, field in schema.get("properties", {}).items():
            _name_words_of(field, owner + name.title().replace("_", ""), schemas)
    for path in document["paths"].values():
        for operation in path.values():
            for parameter in operation.get("parameters", []):
                name = parameter["name"].title().replace("_", "")
                owner = operation["operationId"].partition("_")[2].title().replace("_", "")
                _name_words_of(parameter["schema"], owner + name, schemas)


def _name_words_of(node: dict[str, Any], name: str, schemas: dict[str, Any]) -> None:
    items = [node["items"]] if "items" in node else []
    for inner in (*node.get("anyOf", ()), *node.get("oneOf", ()), *items):
        _name_words_of(inner, name, schemas)
    if len(node.get("enum", ())) < 2:
        return
    name = node.pop("x-name", name)
    words = {key: node.pop(key) for key in _OF_WORDS if key in node}
    told = zip(words["enum"], words.get("x-enum-descriptions", ()), strict=False)
    meanings = "; ".join(f"`{word}`: {meaning}" for word, meaning in told)
    words |= {"title": name, "description": meanings or node.get("description", "")}
    node.pop("title", None)
    node["$ref"] = f"#/components/schemas/{name}"
    if schemas.setdefault(name, words)["enum"] != words["enum"]:
        message = f"two closed lists of words are called {name}"
        raise ValueError(message)


def _complete_operation(
    operation: dict[str, Any], service: "Service", schemas: dict[str, Any]
) -> None:
    scopes = [scope for way in operation.get("security", []) for scope in way.get("Opora", [])]
    is_public = not operation.get("security")
    # Said in so many words, so that nobody takes a public operation for a forgotten one.
    operation["security"] = [] if is_public else [{"Opora": scopes}, {"Bearer": []}]
    who = "Токен не нужен." if is_public else who_may(scopes, service.roles)
    operation["description"] = f"{operation.get('description', '')}\n\n{who}".strip()
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "header":
            # As documents write it; on the wire a header's letters are all the same.
            parameter["name"] = "-".join(map(str.capitalize, parameter["name"].split("-")))
        _complete_field(parameter["name"], parameter["schema"])
    answers = operation["responses"]
    if "HTTPValidationError" in str(answers.get("422")):
        del answers["422"]
    for answer in answers_of_the_kit(operation):
        add_answers(operation, answer)
    operation["responses"] = dict(sorted(answers.items()))
    for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
        _add_example(media_type, content, schemas)
    for status, answer in operation["responses"].items():
        if answer["description"] == _UNTOLD:
            answer["description"] = TOLD.get(status, TOLD["200"])
        json = answer.get("content", {}).get("application/json", {})
        shape = _resolved(json.get("schema", {}), schemas)
        names = headers_of(operation, status, shape)
        answer.setdefault("headers", {}).update(
            {name: {"$ref": f"#/components/headers/{name}"} for name in names}
        )
        if status.startswith("2"):
            for media_type, content in answer.get("content", {}).items():
                _add_example(media_type, content, schemas)


def _add_example(media_type: str, content: dict[str, Any], schemas: dict[str, Any]) -> None:
    if media_type != "application/json" or {"example", "examples"} & content.keys():
        return
    # What lacks an example is found by a test, which says where; a service starts all the same.
    with suppress(NoExampleError):
        content["example"] = compose(content.get("schema", {}), schemas)


def _resolved(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = schemas[schema["$ref"].rsplit("/", 1)[-1]]
    return schema


def _plain_name(given: str) -> str:
    """Return a schema name that is a class name in a generated client.

    pydantic names a page `Page_SchoolOut_`, the two sides of one model `X-Input` and `X-Output`, and
    two models of one name by their modules; the feature in front is enough.
    """
    if page := re.fullmatch(r"Page_(\w+)_", given):
        return f"{_plain_name(page[1])}Page"
    *modules, last = given.split("__")
    feature = (
        modules[2].title().replace("_", "") if len(modules) > 2 else ""
    )  # services, its name, the feature
    return feature + last.replace("-", "")


def document(service: "Service") -> dict[str, Any]:
    """Return the service's contract; needs no database and no environment."""
    from services.kit.service import build

    settings = service.settings(database_url=SecretStr("postgresql+asyncpg://contract"))
    return build(service, settings).openapi()


def merge(documents: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Join the services' documents into the one that clients are generated from.

    A schema name that two services define differently gets the service's name in front.
    """
    merged: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {
            # Generators name the client's package by this; a package name is Latin.
            "title": "Opora",
            "version": "1",
            "description": "Единый контракт шлюза и четырёх сервисов: из него создаются клиенты.\n\n"
            + CONVENTIONS,
        },
        "servers": [{"url": "/", "description": "Шлюз"}],
        "tags": [],
        "paths": {},
        "components": {
            "schemas": {},
            "examples": {},
            "headers": {},
            "securitySchemes": security_schemes(_scopes(documents)),
        },
    }
    ambiguous = _ambiguous(documents)
    for name, part in documents.items():
        renamed = {
            schema_name: f"{name.capitalize()}{schema_name}"
            for schema_name in part["components"]["schemas"]
            if schema_name in ambiguous
        }
        part = _renamed(part, renamed)  # noqa: PLW2901  the same document under merged names
        merged["paths"] |= _behind_the_door(part["paths"]) if name != "gateway" else part["paths"]
        merged["components"]["schemas"] |= part["components"]["schemas"]
        merged["components"]["examples"] |= part["components"].get("examples", {})
        known_tags = {tag["name"] for tag in merged["tags"]}
        merged["tags"] += [tag for tag in part.get("tags", []) if tag["name"] not in known_tags]
    merged["components"]["examples"] |= _gathered(merged["paths"])
    merged["components"]["headers"] = _used_headers(merged["paths"])
    return merged


def _scopes(documents: dict[str, dict[str, Any]]) -> dict[str, str]:
    held: dict[str, str] = {}
    for part in documents.values():
        for scheme in part["components"].get("securitySchemes", {}).values():
            held |= scheme.get("flows", {}).get("password", {}).get("scopes", {})
    return dict(sorted(held.items()))


def _behind_the_door(paths: dict[str, Any]) -> dict[str, Any]:
    """Add what the gateway answers in the place of a service."""
    paths = copy.deepcopy(paths)
    for path in paths.values():
        for operation in path.values():
            for answer in AT_THE_DOOR:
                add_answers(operation, answer)
            operation["responses"] = dict(sorted(operation["responses"].items()))
            for status in ("502", "503", "504"):
                operation["responses"][status].setdefault("headers", {}).update(
                    {
                        name: {"$ref": f"#/components/headers/{name}"}
                        for name in headers_of(operation, status, {})
                    }
                )
    return paths


def _ambiguous(documents: dict[str, dict[str, Any]]) -> set[str]:
    """Return the schema names that mean different things in two services, also by what they refer to."""
    shapes: dict[str, list[Any]] = {}
    for part in documents.values():
        for name, schema in part["components"]["schemas"].items():
            shapes.setdefault(name, []).append(schema)
    shared = {name: several for name, several in shapes.items() if len(several) > 1}
    found: set[str] = set()
    while True:
        more = {
            name
            for name, (first, *others) in shared.items()
            if any(other != first for other in others) or found & set(_referred(first))
        }
        if more == found:
            return found
        found = more


def _referred(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref" and isinstance(value, str):
                yield value.rsplit("/", 1)[-1]
            else:
                yield from _referred(value)
    elif isinstance(node, list):
        for value in node:
            yield from _referred(value)


def _renamed(node: Any, names: dict[str, str]) -> Any:
    if isinstance(node, dict):
        result = {key: _renamed(value, names) for key, value in node.items()}
        reference = node.get("$ref")
        if isinstance(reference, str):
            schema_name = reference.rsplit("/", 1)[-1]
            if schema_name in names:
                result["$ref"] = f"#/components/schemas/{names[schema_name]}"
        if ("schemas" in node and "securitySchemes" in node) or set(node) == {"schemas"}:
            result["schemas"] = {
                # Some generators name classes by the title: two of one title would be one class.
                names.get(key, key): value | {"title": names.get(key, key)}
                for key, value in result["schemas"].items()
            }
        return result
    if isinstance(node, list):
        return [_renamed(value, names) for value in node]
    return node


_PROBLEM_LIST_HEAD = """\
# Ошибки

Написано из кода командой `make contracts`. Каждая ошибка приходит как `application/problem+json`
(RFC 9457); различайте ошибки по полю `code`: оно не меняется. Поле `type` — `/problems/<служба>/<code>`.
Ошибки раздела `kit` может вернуть любая служба.
"""


def problem_list() -> str:
    """Return openapi/problems.md: every problem of every service, by service, status and code.

    Walks all modules, so that the list does not depend on what happens to be imported.
    """
    for package in ("services", "gateway"):
        _import_all(package)
    by_owner = {"kit": {(status, code, title) for status, (code, title) in PLAIN.items()}}
    for kind in _kinds(Problem):
        if kind.__module__.partition(".")[0] in ("services", "gateway"):
            row = (kind.status, kind.code(), kind.title)
            by_owner.setdefault(kind.owner(), set()).add(row)
    parts = [_PROBLEM_LIST_HEAD]
    for owner, rows in sorted(by_owner.items()):
        lines = [f"| {status} | `{code}` | {title} |" for status, code, title in sorted(rows)]
        head = "| Статус | Код | Что произошло |\n|---|---|---|"
        parts.append("\n".join([f"## {owner}\n", head, *lines, ""]))
    return "\n".join(parts)


def _import_all(package: str) -> None:
    root = importlib.import_module(package)
    for module in pkgutil.walk_packages(root.__path__, f"{package}."):
        # A `__main__` is a program: importing it would run it.
        if not module.name.endswith(".__main__"):
            importlib.import_module(module.name)


def _kinds(kind: type[Problem]) -> Iterator[type[Problem]]:
    for narrower in kind.__subclasses__():
        # A class that only others derive from has no title and is never raised.
        if narrower.title != Problem.title:
            yield narrower
        yield from _kinds(narrower)
