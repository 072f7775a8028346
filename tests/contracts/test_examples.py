"""Every example in the contract is one that the contract itself, and our own models, accept."""

import json
from typing import Any

import pytest
from fastapi.routing import APIRoute
from jsonschema import Draft202012Validator
from pydantic import TypeAdapter, ValidationError

from gateway import refusals
from services.kit.cli import MODULES, service_named
from services.kit.contracts import problem_list
from services.kit.conventions import AT_THE_DOOR
from services.kit.examples import NoExampleError, compose
from services.kit.problems import MEDIA_TYPE
from tests.contracts.test_texts import fields, operations, parameters

every_service = pytest.mark.parametrize("name", tuple(MODULES))


def refused(schema, value, document):
    """Return what is wrong with the value; empty when nothing."""
    root = {"$ref": "#/x", "x": schema, "components": document["components"]}
    checks = Draft202012Validator(root, format_checker=Draft202012Validator.FORMAT_CHECKER)
    return [error.message for error in checks.iter_errors(value)]


def bodies(document, media_types=("application/json",)):
    """Yield (place, content) of every body that is sent or received."""
    for call, operation in operations(document):
        sent = operation.get("requestBody", {}).get("content", {})
        received = {
            f"{call} {status}": answer.get("content", {})
            for status, answer in operation["responses"].items()
            if status.startswith("2")
        }
        for place, contents in {call: sent, **received}.items():
            for media_type, content in contents.items():
                if media_type in media_types:
                    yield place, content


@every_service
def test_every_field_and_parameter_example_fits_its_schema(name, documents):
    document = documents[name]
    everything = list(fields(document))
    everything += [(f"{call} {p['name']}", p["schema"]) for call, _, p in parameters(document)]
    wrong = [
        (place, example, said)
        for place, schema in everything
        for example in schema.get("examples", ())
        if (said := refused(schema, example, document))
    ]

    assert wrong == []


@every_service
def test_every_schema_can_be_told_by_an_example(name, documents):
    document = documents[name]
    silent = []
    for schema_name, schema in document["components"]["schemas"].items():
        try:
            compose(schema, document["components"]["schemas"], schema_name)
        except NoExampleError as missing:
            silent.append(str(missing))

    assert silent == []


@every_service
def test_every_json_body_has_an_example_that_fits(name, documents):
    document = documents[name]
    wrong = []
    for place, content in bodies(document):
        told = [one["value"] for one in content.get("examples", {}).values() if "value" in one]
        if "example" in content:
            told.append(content["example"])
        if not told:
            wrong.append((place, "no example"))
        for example in told:
            wrong += [(place, said) for said in refused(content["schema"], example, document)]

    assert wrong == []


@every_service
def test_every_text_body_has_an_example(name, documents):
    silent = [
        place
        for place, content in bodies(documents[name], ("text/csv", "text/csv; charset=utf-8"))
        if not {"example", "examples"} & content.keys()
    ]

    assert silent == []


def models(name):
    """Yield (call, model) of every JSON body that a route takes."""
    service = service_named(name)
    for routes in service.routers:
        for route in routes.routes:
            if isinstance(route, APIRoute) and route.body_field is not None:
                for method in route.methods:
                    yield f"{method} {service.path_prefix}{route.path_format}", route.body_field


@every_service
def test_every_request_example_passes_our_own_checks(name, documents):
    """A schema cannot say that two fields exclude each other; the model can."""
    wrong = []
    for call, body in models(name):
        method, path = call.split(" ")
        content = documents[name]["paths"][path][method.lower()]["requestBody"]["content"]
        example = content["application/json"]["example"]
        adapter: TypeAdapter[Any] = TypeAdapter(body.field_info.annotation)
        try:
            adapter.validate_python(json.loads(json.dumps(example)))
        except ValidationError as error:
            wrong.append((call, [(one["loc"], one["msg"]) for one in error.errors()]))

    assert wrong == []


def problems_of(document):
    for call, operation in operations(document):
        for status, answer in operation["responses"].items():
            if status.startswith(("4", "5")):
                for code, example in answer["content"][MEDIA_TYPE].get("examples", {}).items():
                    name = example["$ref"].removeprefix("#/components/examples/")
                    yield call, status, code, document["components"]["examples"][name]["value"]


@pytest.mark.parametrize("name", [*MODULES, "opora"])
def test_every_declared_error_has_an_example_that_fits(name, documents, merged):
    document = merged if name == "opora" else documents[name]
    told: dict[tuple[str, str], int] = {}
    for call, status, code, value in problems_of(document):
        told[call, status] = told.get((call, status), 0) + 1
        assert (str(value["status"]), value["code"]) == (status, code), call
        assert refused({"$ref": "#/components/schemas/ProblemDetail"}, value, document) == []
    declared = {
        (call, status)
        for call, operation in operations(document)
        for status in operation["responses"]
        if status.startswith(("4", "5"))
    }

    assert declared - told.keys() == set()


def test_what_the_door_answers_is_told_as_the_door_says_it(merged):
    known = {
        (kind.status, kind.code(), kind.type_uri(), kind.title)
        for kind in vars(refusals).values()
        if isinstance(kind, type) and kind.__module__ == "gateway.refusals"
    }
    told = [
        example["value"]
        for answer in AT_THE_DOOR
        for one in answer.values()
        for example in one["content"][MEDIA_TYPE]["examples"].values()
    ]
    told += [
        example["value"]
        for name, example in merged["components"]["examples"].items()
        if name in {"gateway.too-many-requests", "gateway.too-many-at-once"}
    ]

    assert len(told) == 5
    assert {(one["status"], one["code"], one["type"], one["title"]) for one in told} <= known


def test_every_example_problem_is_in_the_list_of_problems(merged):
    listed = problem_list()
    unlisted = [
        name
        for name, example in merged["components"]["examples"].items()
        if f"| {example['value']['status']} | `{example['value']['code']}` |" not in listed
    ]

    assert unlisted == []


@pytest.mark.parametrize(
    ("schema", "example"),
    [
        ({"type": "integer", "minimum": 1}, 0),
        ({"type": "string", "format": "date"}, "15.03.2026"),
        ({"$ref": "#/components/schemas/ProblemDetail"}, {"code": "x"}),
    ],
)
def test_an_example_that_does_not_fit_is_seen(schema, example, merged):
    assert refused(schema, example, merged) != []


def test_a_field_without_an_example_is_seen():
    note = {"type": "object", "properties": {"text": {"type": "string"}}}

    with pytest.raises(NoExampleError, match=r"Note\.text"):
        compose({"$ref": "#/components/schemas/Note"}, {"Note": note})
