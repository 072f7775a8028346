"""The committed documents are what the code says, are valid, and say enough to be used alone."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from services.kit.cli import MODULES, service_named
from services.kit.contracts import merge
from services.kit.problems import MEDIA_TYPE

OPENAPI = Path(__file__).parents[2] / "openapi"
SERVICES = tuple(MODULES)
HOW = "run `make contracts`, read the diff, commit it"


def operations(document):
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


@pytest.mark.parametrize("name", [*SERVICES, "opora"])
def test_the_committed_document_is_current(name, documents, merged):
    committed = OPENAPI / f"{name}.json"
    assert committed.exists(), f"openapi/{name}.json is missing: {HOW}"

    current = merged if name == "opora" else documents[name]

    assert json.loads(committed.read_text(encoding="utf-8")) == current, (
        f"openapi/{name}.json is stale: {HOW}"
    )


def test_openapi_holds_no_document_of_a_service_that_is_gone():
    assert {path.stem for path in OPENAPI.glob("*.json")} <= {*SERVICES, "opora"}


def test_the_merged_document_is_valid(merged):
    errors = [error.message for error in OpenAPIV31SpecValidator(merged).iter_errors()]

    assert errors == []


def test_the_merged_document_loses_no_operation(documents, merged):
    of_services = {
        (call, operation["operationId"])
        for document in documents.values()
        for call, operation in operations(document)
    }

    assert {
        (call, operation["operationId"]) for call, operation in operations(merged)
    } == of_services


def test_every_reference_of_the_merged_document_leads_somewhere(merged):
    lost = [wanted for wanted in set(references(merged)) if not leads_somewhere(wanted, merged)]

    assert lost == []


def leads_somewhere(reference, document):
    node = document
    for step in reference.removeprefix("#/").split("/"):
        node = node.get(step) if isinstance(node, dict) else None
    return node is not None


def test_a_reference_to_nothing_is_seen(merged):
    assert leads_somewhere("#/components/schemas/ProblemDetail", merged)
    assert not leads_somewhere("#/components/schemas/Nothing", merged)
    assert not leads_somewhere("#/components/nowhere/Nothing", merged)


def test_schemas_of_one_name_are_told_apart_also_when_only_what_they_refer_to_differs():
    def service(inner):
        page = {"type": "array", "items": {"$ref": "#/components/schemas/Note"}}
        schemas = {"Note": inner, "Notes": page, "Same": {"type": "integer"}}
        return {"paths": {}, "components": {"schemas": schemas, "securitySchemes": {}}}

    joined = merge({"one": service({"type": "string"}), "two": service({"type": "null"})})
    schemas = joined["components"]["schemas"]

    assert sorted(schemas) == ["OneNote", "OneNotes", "Same", "TwoNote", "TwoNotes"]
    assert schemas["TwoNotes"]["items"] == {"$ref": "#/components/schemas/TwoNote"}


def references(node):
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref":
                yield value
            else:
                yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def test_operation_ids_are_unique_over_all_services(merged):
    counted = Counter(operation["operationId"] for _, operation in operations(merged))

    assert [name for name, times in counted.items() if times > 1] == []


@pytest.mark.parametrize("name", SERVICES)
def test_operation_ids_begin_with_the_service(name, documents):
    ids = [operation["operationId"] for _, operation in operations(documents[name])]

    assert [one for one in ids if not one.startswith(f"{name}_")] == []


@pytest.mark.parametrize("name", SERVICES)
def test_paths_begin_as_the_gateway_routes_them(name, documents):
    prefix = service_named(name).path_prefix

    assert [path for path in documents[name]["paths"] if not path.startswith(f"{prefix}/")] == []


@pytest.mark.parametrize("name", SERVICES)
def test_every_operation_is_described(name, documents):
    silent = [
        (call, part)
        for call, operation in operations(documents[name])
        for part in ("summary", "description", "tags")
        if not operation.get(part)
    ]

    assert silent == []


def test_names_of_schemas_are_class_names_of_a_client(merged):
    unfit = [
        name
        for name in merged["components"]["schemas"]
        if not re.fullmatch(r"[A-Z][A-Za-z0-9]*", name)
    ]

    assert unfit == []


@pytest.mark.parametrize("name", SERVICES)
def test_every_tag_is_described(name, documents):
    described = {tag["name"] for tag in documents[name]["tags"] if tag["description"]}
    used = {tag for _, operation in operations(documents[name]) for tag in operation["tags"]}

    assert used <= described


@pytest.mark.parametrize("name", SERVICES)
def test_every_query_and_header_parameter_is_described(name, documents):
    silent = [
        (call, parameter["name"])
        for call, operation in operations(documents[name])
        for parameter in operation.get("parameters", [])
        # The name of a path parameter stands in the path, and the operation tells of its object.
        if parameter["in"] != "path" and not parameter.get("description")
    ]

    assert silent == []


@pytest.mark.parametrize("name", SERVICES)
def test_every_field_is_described(name, documents):
    silent = [
        f"{schema_name}.{field}"
        for schema_name, schema in documents[name]["components"]["schemas"].items()
        for field, definition in schema.get("properties", {}).items()
        if not is_described(definition, documents[name])
    ]

    assert silent == []


def is_described(definition, document):
    """A field of a nullable or of a named type may carry its description there."""
    if definition.get("description"):
        return True
    if "$ref" in definition:
        referred = definition["$ref"].rsplit("/", 1)[-1]
        return is_described(document["components"]["schemas"][referred], document)
    return any(is_described(one, document) for one in definition.get("anyOf", []))


@pytest.mark.parametrize("name", SERVICES)
def test_every_error_is_a_problem(name, documents):
    otherwise = [
        (call, status)
        for call, operation in operations(documents[name])
        for status, answer in operation["responses"].items()
        if status.startswith(("4", "5"))
        and (
            list(answer["content"]) != [MEDIA_TYPE]
            or answer["content"][MEDIA_TYPE]["schema"]["$ref"]
            != "#/components/schemas/ProblemDetail"
        )
    ]

    assert otherwise == []


@pytest.mark.parametrize("name", SERVICES)
def test_every_operation_behind_a_token_declares_the_refusals_of_the_door(name, documents):
    incomplete = [
        call
        for call, operation in operations(documents[name])
        if operation.get("security") and not {"401", "403", "503"} <= operation["responses"].keys()
    ]

    assert incomplete == []
