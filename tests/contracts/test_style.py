"""The contract keeps the style of openapi/style, and every rule of that style can be seen to fire."""

import copy
import json
from collections import Counter
from pathlib import Path

import pytest
import yaml

from tests.support import tools

STYLE = Path(__file__).parents[2] / "openapi/style/opora.yaml"
OWN = sorted(name for name in yaml.safe_load(STYLE.read_text("utf-8"))["rules"] if "opora-" in name)

PROBLEM = {
    "description": "Отказ",
    "content": {
        "application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemDetail"}}
    },
}
REFUSALS = dict.fromkeys(("401", "403", "404", "413", "422", "503"), PROBLEM)
NOTES, NOTE = "/api/registry/v1/school-notes", "/api/registry/v1/school-notes/{note_id}"
ASKED = [{"Opora": ["notes:read"]}]


def named(name):
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}


def text(description, **more):
    return {"type": "string", "description": description, "examples": ["Пример"]} | more


def asked(name, place, schema, **more):
    return {"name": name, "in": place, "description": "Параметр", "schema": schema} | more


def operation(identifier, answers, *parameters, **more):
    return {
        "operationId": f"registry_{identifier}",
        "tags": ["notes"],
        "summary": "Заметки",
        "description": "Заметки о школах.",
        "security": ASKED,
        "parameters": list(parameters),
        "responses": answers | REFUSALS,
    } | more


def good():
    """Return a small contract in our style."""
    limit = asked("limit", "query", {"type": "integer", "default": 50})
    cursor = asked("cursor", "query", {"type": "string", "examples": ["abc"]})
    count = asked("count", "query", {"type": "boolean"})
    number = asked("note_id", "path", {"type": "integer", "examples": [1]}, required=True)
    key = asked("Idempotency-Key", "header", {"type": "string", "examples": ["k"]})
    tag = asked("If-Match", "header", {"type": "string", "examples": ['"1"']}, required=True)
    body = {"required": True, "content": named("NoteIn")}
    etag = {"ETag": {"description": "Версия", "schema": {"type": "string"}}}
    stale = {"412": PROBLEM, "428": PROBLEM}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Opora", "version": "1", "description": "Договор"},
        "servers": [{"url": "/", "description": "Шлюз"}],
        "tags": [{"name": "notes", "description": "Заметки"}],
        "paths": {
            NOTES: {
                "get": operation(
                    "list_notes",
                    {"200": {"description": "Страница", "content": named("NotePage")}},
                    limit,
                    cursor,
                    count,
                ),
                "post": operation(
                    "create_note",
                    {"201": {"description": "Создано", "content": named("NoteOut")}},
                    key,
                    requestBody=body,
                ),
            },
            NOTE: {
                "get": operation(
                    "read_note",
                    {"200": {"description": "Есть", "content": named("NoteOut"), "headers": etag}},
                    number,
                ),
                "patch": operation(
                    "change_note",
                    {"200": {"description": "Изменено", "content": named("NoteOut")}} | stale,
                    number,
                    tag,
                    requestBody=body,
                ),
            },
        },
        "components": {
            "securitySchemes": {
                "Opora": {
                    "type": "oauth2",
                    "description": "Токен",
                    "flows": {
                        "password": {
                            "tokenUrl": "/api/auth/token",
                            "scopes": {"notes:read": "Читать"},
                        }
                    },
                }
            },
            "schemas": {
                "ProblemDetail": {"type": "object", "properties": {"title": text("Что")}},
                "NoteKind": {"type": "string", "enum": ["short"], "description": "Вид"},
                "NoteIn": {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {"kind": {"$ref": "#/components/schemas/NoteKind"}},
                },
                "NoteOut": {
                    "type": "object",
                    "properties": {
                        "kind": {"$ref": "#/components/schemas/NoteKind"},
                        "written_at": text("Когда", format="date-time"),
                        "due_on": text("К какому дню", format="date"),
                    },
                },
                "NotePage": {
                    "type": "object",
                    "properties": {
                        "items": {
                            "type": "array",
                            "description": "Заметки",
                            "items": {"$ref": "#/components/schemas/NoteOut"},
                        },
                        "next": text("Курсор"),
                        "total": {"type": "integer", "description": "Всего", "examples": [1]},
                    },
                },
            },
        },
    }


def at(document, *steps):
    for step in steps:
        document = document[step]
    return document


def schema(document, name):
    return document["components"]["schemas"][name]


def moved(document, old, new):
    document["paths"][new] = document["paths"].pop(old)


# The mistake of each rule; a rule with several ways to be broken has several.
MISTAKES = {
    "opora-path-kebab-case": [
        lambda d: moved(d, NOTES, NOTES + "/"),
        lambda d: moved(d, NOTES, "/api/registry/v1/school_notes"),
        lambda d: moved(d, NOTES, "/api/registry/school-notes"),
        lambda d: moved(d, NOTES, "/api/registry/v1/schoolNotes"),
    ],
    "opora-path-plural": [lambda d: moved(d, NOTE, "/api/registry/v1/note/{note_id}")],
    "opora-operation-id": [
        lambda d: at(d, "paths", NOTES, "get").update(operationId="listNotes"),
        lambda d: at(d, "paths", NOTES, "get").update(operationId="training_list_notes"),
    ],
    "opora-one-tag": [
        lambda d: at(d, "paths", NOTES, "get")["tags"].append("notes"),
        lambda d: at(d, "paths", NOTES, "get").update(tags=["SchoolNotes"]),
    ],
    "opora-operation-text": [
        lambda d: at(d, "paths", NOTES, "get").update(summary="Notes"),
        lambda d: at(d, "paths", NOTES, "get").pop("description"),
    ],
    "opora-parameter-text": [
        lambda d: at(d, "paths", NOTES, "get", "parameters", 0).update(description="How many"),
        lambda d: at(d, "paths", NOTE, "get", "parameters", 0).pop("description"),
    ],
    "opora-answer-text": [
        lambda d: at(d, "paths", NOTES, "get", "responses", "200").update(
            description="Successful Response"
        )
    ],
    "opora-property-text": [
        lambda d: schema(d, "NoteOut")["properties"]["due_on"].update(description="The day"),
        lambda d: schema(d, "NoteKind").pop("description"),
    ],
    "opora-parameter-example": [
        lambda d: at(d, "paths", NOTE, "get", "parameters", 0, "schema").pop("examples")
    ],
    "opora-property-example": [
        lambda d: schema(d, "NoteOut")["properties"]["due_on"].pop("examples"),
        lambda d: schema(d, "NoteOut")["properties"].update(
            words={"type": "array", "description": "Слова", "items": {"type": "string"}}
        ),
    ],
    "opora-schema-name": [
        lambda d: d["components"]["schemas"].update(note_page=schema(d, "NotePage")),
        lambda d: d["components"]["schemas"].update(Break=schema(d, "NotePage")),
    ],
    "opora-field-name": [
        lambda d: schema(d, "NoteOut")["properties"].update(dueDay=text("День")),
    ],
    "opora-enum-type": [
        lambda d: schema(d, "NoteKind").pop("type"),
        lambda d: schema(d, "NoteOut")["properties"].update(
            state={"description": "Состояние", "enum": ["new", "old"]}
        ),
    ],
    "opora-instant-and-day": [
        lambda d: schema(d, "NoteOut")["properties"]["written_at"].pop("format"),
        lambda d: schema(d, "NoteOut")["properties"]["due_on"].update(format="date-time"),
    ],
    "opora-request-closed": [lambda d: schema(d, "NoteIn").pop("additionalProperties")],
    "opora-answer-named": [
        lambda d: at(d, "paths", NOTES, "get", "responses", "200").update(
            content={"application/json": {"schema": {"type": "array", "items": {}}}}
        ),
        lambda d: schema(d, "NotePage").update(type="array"),
    ],
    "opora-problem": [
        lambda d: at(d, "paths", NOTES, "get", "responses").update(
            {"503": {"description": "Нет", "content": named("ProblemDetail")}}
        ),
        lambda d: at(d, "paths", NOTES, "get", "responses").update(
            {"503": {"description": "Нет", "content": {"application/problem+json": {"schema": {}}}}}
        ),
    ],
    "opora-errors-declared": [
        lambda d, status=status: at(d, "paths", NOTE, "patch", "responses").pop(status)
        for status in ("401", "403", "404", "412", "413", "422", "428", "503")
    ],
    "opora-security-declared": [lambda d: at(d, "paths", NOTES, "get").pop("security")],
    "opora-page": [
        lambda d: at(d, "paths", NOTES, "get", "parameters").pop(0),
        lambda d: schema(d, "NotePage")["properties"].pop("total"),
    ],
    "opora-item-etag": [
        lambda d: at(d, "paths", NOTE, "get", "responses", "200").pop("headers"),
    ],
    "opora-change-if-match": [lambda d: at(d, "paths", NOTE, "patch", "parameters").pop(1)],
    "opora-create-idempotent": [lambda d: at(d, "paths", NOTES, "post", "parameters").pop(0)],
    "opora-header-name": [
        lambda d: at(d, "paths", NOTE, "patch", "parameters", 1).update(name="if-match"),
        lambda d: at(d, "paths", NOTE, "patch", "parameters", 1).update(name="Content-Type"),
    ],
}


def lint(documents, directory):
    """Lint documents by name in one run; return the rules that fired, each with its messages."""
    for name, document in documents.items():
        (directory / f"{name}.json").write_text(
            json.dumps(document, ensure_ascii=False), encoding="utf-8"
        )
    spectral = tools.node("@stoplight/spectral-cli/dist/index.js")
    done = tools.run(
        [
            *spectral,
            *("lint", *(str(directory / f"{name}.json") for name in documents)),
            *("--ruleset", str(STYLE), "--format", "json", "--quiet", "--output", "found.json"),
        ],
        cwd=directory,
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    fired = {name: [] for name in documents}
    for one in json.loads((directory / "found.json").read_text(encoding="utf-8")):
        where = "/".join(str(step) for step in one["path"])
        fired[Path(one["source"]).stem].append((one["code"], f"{one['message']} ({where})"))
    return fired


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """What fires on the good document and on each one with a mistake."""
    documents = {"good": good()}
    for rule, mistakes in MISTAKES.items():
        for number, mistake in enumerate(mistakes):
            documents[f"{rule}--{number}"] = copy.deepcopy(documents["good"])
            mistake(documents[f"{rule}--{number}"])
    return lint(documents, tmp_path_factory.mktemp("planted"))


def test_the_contract_keeps_the_style(merged, tmp_path):
    found = lint({"opora": merged}, tmp_path)["opora"]

    assert found == [], Counter(rule for rule, _ in found)


def test_a_document_in_our_style_is_left_in_peace(planted):
    assert planted["good"] == []


@pytest.mark.parametrize("rule", OWN)
def test_every_rule_of_ours_fires_on_its_mistakes(rule, planted):
    assert rule in MISTAKES, "plant its mistake here"
    silent = [
        number
        for number in range(len(MISTAKES[rule]))
        if rule not in {fired for fired, _ in planted[f"{rule}--{number}"]}
    ]

    assert silent == []
