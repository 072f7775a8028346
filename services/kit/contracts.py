"""The OpenAPI document of a service: complete errors, one error shape, stable names."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from pydantic import SecretStr

from services.kit.problems import MEDIA_TYPE, PLAIN, Problem

if TYPE_CHECKING:
    from services.kit.service import Service

__all__ = ["describe", "document", "merge", "problem_list"]

_CYRILLIC = re.compile("[а-яё]", re.IGNORECASE)

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
        "status": {"type": "integer", "description": "Код HTTP", "examples": [404]},
        "code": {"type": "string", "description": "Машинный код ошибки", "examples": ["not-found"]},
        "detail": {"type": "string", "description": "Подробности именно этого случая"},
        "hint": {"type": "string", "description": "Что сделать, чтобы исправить"},
        "request_id": {"type": "string", "description": "Номер запроса для обращения в поддержку"},
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

_EVERYWHERE = {
    "400": "Запрос составлен неверно: заголовок, курсор или само тело",
    "401": "Нужен действительный токен доступа",
    "403": "Недостаточно прав",
    "503": "Сервис или его база временно недоступны",
}


_WITH_IF_MATCH = {
    "412": "Запись изменена после того, как вы её прочитали",
    "428": "Нужен заголовок If-Match",
}

_WITH_BODY = {"413": "Тело запроса слишком большое"}


def _answer(description: str) -> dict[str, Any]:
    return {
        "description": description,
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDetail"}}},
    }


def describe(app: FastAPI, name: str) -> None:
    """Make `app.openapi()` tell the truth about errors."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _completed(generate(), name)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend the document


def _completed(document: dict[str, Any], name: str) -> dict[str, Any]:
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    for schema in schemas.values():
        # A model's docstring speaks to us; the contract speaks Russian to its reader.
        if not _CYRILLIC.search(schema.get("description", "")):
            schema.pop("description", None)
    document = _renamed(document, {given: _plain_name(given) for given in schemas})
    schemas = document["components"]["schemas"]
    schemas["ProblemDetail"] = _PROBLEM
    schemas["FieldError"] = _FIELD_ERROR
    document["servers"] = [{"url": "/", "description": "Шлюз или сам сервис: пути одинаковы"}]
    document["info"]["x-service"] = name
    for path in document["paths"].values():
        for operation in path.values():
            answers = operation["responses"]
            if "422" in answers and "HTTPValidationError" in str(answers["422"]):
                answers["422"] = _answer("Данные запроса не прошли проверку")
            if operation.get("security"):
                for status, description in _by_the_kit(operation).items():
                    answers.setdefault(status, _answer(description))
            operation["responses"] = dict(sorted(answers.items()))
    return document


def _by_the_kit(operation: dict[str, Any]) -> dict[str, str]:
    """Return the answers that the kit gives for every operation of this shape."""
    headers = {
        entry["name"].lower()
        for entry in operation.get("parameters", [])
        if entry["in"] == "header"
    }
    return (
        _EVERYWHERE
        | (_WITH_IF_MATCH if "if-match" in headers else {})
        | (_WITH_BODY if "requestBody" in operation else {})
    )


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
            "description": "Единый контракт шлюза и четырёх сервисов: из него создаются клиенты.",
        },
        "servers": [{"url": "/", "description": "Шлюз"}],
        "tags": [],
        "paths": {},
        "components": {"schemas": {}, "securitySchemes": {}},
    }
    ambiguous = _ambiguous(documents)
    for name, part in documents.items():
        renamed = {
            schema_name: f"{name.capitalize()}{schema_name}"
            for schema_name in part["components"]["schemas"]
            if schema_name in ambiguous
        }
        part = _renamed(part, renamed)  # noqa: PLW2901  the same document under merged names
        merged["paths"] |= part["paths"]
        merged["components"]["schemas"] |= part["components"]["schemas"]
        merged["components"]["securitySchemes"] |= part["components"].get("securitySchemes", {})
        known_tags = {tag["name"] for tag in merged["tags"]}
        merged["tags"] += [tag for tag in part.get("tags", []) if tag["name"] not in known_tags]
    return merged


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
