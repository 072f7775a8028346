"""The contract says enough to be used alone: every field, parameter, word, right and error speaks.

Nothing is excepted: who adds an operation or a field and forgets to tell of it reads here where.
"""

import re

import pytest

from services.kit.cli import MODULES, service_named
from services.kit.inputs import MAX_ID

CYRILLIC = re.compile("[а-яё]", re.IGNORECASE)
every_service = pytest.mark.parametrize("name", tuple(MODULES))


def operations(document):
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def parameters(document):
    for call, operation in operations(document):
        for parameter in operation.get("parameters", []):
            yield call, operation, parameter


def fields(document):
    for name, schema in document["components"]["schemas"].items():
        for field, definition in schema.get("properties", {}).items():
            yield f"{name}.{field}", definition


def resolved(schema, document):
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
    return schema


def parts(schema, document, seen=()):
    """Yield a schema and everything inside it."""
    schema = resolved(schema, document)
    if id(schema) in seen:
        return
    yield schema
    seen = (*seen, id(schema))
    inner = [*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())]
    if isinstance(schema.get("items"), dict):
        inner.append(schema["items"])
    inner += schema.get("properties", {}).values()
    for one in inner:
        yield from parts(one, document, seen)


def is_russian(text):
    return bool(CYRILLIC.search(text or ""))


@every_service
def test_every_parameter_says_in_russian_what_it_is(name, documents):
    silent = [
        (call, parameter["name"])
        for call, _, parameter in parameters(documents[name])
        if not is_russian(parameter.get("description"))
    ]

    assert silent == []


@every_service
def test_every_parameter_has_an_example(name, documents):
    silent = [
        (call, parameter["name"])
        for call, _, parameter in parameters(documents[name])
        if not any(
            one.get("examples") or "enum" in one
            for one in parts(parameter["schema"], documents[name])
        )
    ]

    assert silent == []


@every_service
def test_every_word_of_a_closed_list_has_a_meaning(name, documents):
    document = documents[name]
    everywhere = [(place, definition) for place, definition in fields(document)]
    everywhere += [
        (
            f"{call} {parameter['name']}",
            parameter["schema"] | {"description": parameter["description"]},
        )
        for call, _, parameter in parameters(document)
    ]
    everywhere += list(document["components"]["schemas"].items())
    silent = []
    for place, definition in everywhere:
        for one in (definition, *definition.get("anyOf", ()), definition.get("items", {})):
            if "enum" not in one:
                continue
            told = one.get("description") or definition.get("description") or ""
            meanings = one.get("x-enum-descriptions", [])
            if len(meanings) == len(one["enum"]) and all(map(is_russian, meanings)):
                continue
            if not (is_russian(told) and all(str(word) in told for word in one["enum"])):
                silent.append((place, one["enum"]))

    assert silent == []


@every_service
def test_every_field_that_may_be_null_says_what_null_means(name, documents):
    silent = [
        place
        for place, definition in fields(documents[name])
        if {"type": "null"} in definition.get("anyOf", ())
        and "null" not in definition.get("description", "")
        # The named type may tell it itself.
        and not any("$ref" in one for one in definition["anyOf"])
    ]

    assert silent == []


UNITS = {
    "percent": ("процент", "%"),
    "seconds": ("секунд",),
    "bytes": ("байт",),
    "pupils": ("человек",),
    "hours": ("час",),
    "latitude": ("градус",),
    "longitude": ("градус",),
    "share": ("дол",),
}
"""Words in the names of fields that mean a unit, and how the description names it."""


@every_service
def test_a_field_with_a_unit_names_it(name, documents):
    silent = [
        place
        for place, definition in fields(documents[name])
        for word, said in UNITS.items()
        if word in place.rsplit(".", 1)[-1].split("_")
        and not any(
            unit in text.lower()
            for unit in said
            for text in (
                definition.get("description", ""),
                resolved(definition, documents[name]).get("description", ""),
            )
        )
    ]

    assert silent == []


@every_service
def test_a_moment_says_that_it_is_utc(name, documents):
    silent = [
        place
        for place, definition in fields(documents[name])
        if any(one.get("format") == "date-time" for one in parts(definition, documents[name]))
        and not {"$ref", "items", "properties"} & definition.keys()
        and not any("$ref" in one for one in definition.get("anyOf", ()))
        and "UTC" not in definition.get("description", "")
    ]

    assert silent == []


@every_service
def test_the_number_of_a_record_is_bounded_wherever_a_caller_writes_it(name, documents):
    document = documents[name]
    wild = [
        (call, parameter["name"])
        for call, _, parameter in parameters(document)
        for one in parts(parameter["schema"], document)
        if one.get("type") == "integer" and not ("minimum" in one and "maximum" in one)
    ]
    for call, operation in operations(document):
        for content in operation.get("requestBody", {}).get("content", {}).values():
            for schema in parts(content.get("schema", {}), document):
                wild += [
                    (call, field)
                    for field, definition in schema.get("properties", {}).items()
                    for one in (definition, *definition.get("anyOf", ()))
                    if re.search("(^|_)id$", field)
                    and one.get("type") == "integer"
                    and (one.get("minimum"), one.get("maximum")) != (1, MAX_ID)
                ]

    assert wild == []


@every_service
def test_texts_and_lists_that_a_caller_writes_have_an_end(name, documents):
    document = documents[name]
    endless = []
    for call, operation in operations(document):
        bodies = [
            content.get("schema", {})
            for media_type, content in operation.get("requestBody", {}).get("content", {}).items()
            if media_type == "application/json"
        ]
        asked = [parameter["schema"] for parameter in operation.get("parameters", [])]
        for schema in (*bodies, *asked):
            for one in parts(schema, document):
                is_bound = {"maxLength", "pattern", "enum", "const", "format"} & one.keys()
                if one.get("type") == "string" and not is_bound:
                    endless.append((call, one.get("title"), one.get("description"), one))
                if one.get("type") == "array" and "maxItems" not in one:
                    endless.append((call, one.get("title"), one.get("description"), one))

    assert endless == []


@every_service
def test_every_operation_says_who_may_call_it(name, documents):
    roles = service_named(name).roles
    wrong = []
    for call, operation in operations(documents[name]):
        scopes = [scope for way in operation["security"] for scope in way.get("Opora", [])]
        told = operation["description"].rsplit("\n\n", 1)[-1]
        if not operation["security"]:
            is_told = told == "Токен не нужен."
        elif not scopes:
            is_told = told.startswith("Нужен токен")
        else:
            held = any(set(scopes) <= of_role for of_role in roles.values())
            is_told = all(f"`{scope}`" in told for scope in scopes) and held
        if not is_told:
            wrong.append((call, told))

    assert wrong == []


def test_a_right_names_exactly_the_roles_that_hold_it(documents):
    operation = documents["registry"]["paths"]["/api/registry/v1/schools"]["post"]

    assert operation["description"].endswith("Право `schools:write`: регион, машинный клиент.")


@every_service
def test_every_scope_is_described(name, documents):
    schemes = documents[name]["components"]["securitySchemes"]
    flows = schemes["Opora"]["flows"]
    silent = [scope for scope, text in flows["password"]["scopes"].items() if not is_russian(text)]
    used = {
        scope
        for _, operation in operations(documents[name])
        for way in operation["security"]
        for scope in way.get("Opora", [])
    }

    assert silent == []
    assert used <= set(flows["clientCredentials"]["scopes"])
    assert schemes["Bearer"]["scheme"] == "bearer"


def test_public_operations_are_marked_as_such(documents):
    public = {
        operation["operationId"]
        for document in documents.values()
        for _, operation in operations(document)
        if operation["security"] == []
    }

    assert {"gateway_issue_token", "gateway_revoke_token", "gateway_publish_keys"} <= public
    assert all(one.startswith("gateway_") for one in public)


@every_service
def test_every_operation_with_an_id_in_its_path_declares_that_it_may_be_missing(name, documents):
    silent = [
        call
        for call, operation in operations(documents[name])
        if "{" in call and "404" not in operation["responses"]
    ]

    assert silent == []


@every_service
def test_headers_that_a_client_relies_on_are_declared(name, documents):
    document = documents[name]
    silent = []
    for call, operation in operations(document):
        named = {parameter["name"].lower() for parameter in operation.get("parameters", [])}
        for status, answer in operation["responses"].items():
            told = answer["headers"].keys()
            wanted = {"X-Request-Id"}
            wanted |= {"Location"} if status == "201" else set()
            wanted |= {"Retry-After"} if status in {"429", "503"} else set()
            wanted |= {"RateLimit", "RateLimit-Policy"} if status == "429" else set()
            if status.startswith("2") and "idempotency-key" in named:
                wanted |= {"Idempotency-Replayed"}
            if status.startswith("2") and "if-match" in named and answer.get("content"):
                wanted |= {"ETag"}
            silent += [(call, status, one) for one in wanted - told]

    assert silent == []


@every_service
def test_what_every_operation_may_answer_is_declared(name, documents):
    silent = []
    for call, operation in operations(documents[name]):
        named = {parameter["name"].lower() for parameter in operation.get("parameters", [])}
        wanted = {"429"}
        wanted |= {"412", "428"} if "if-match" in named else set()
        wanted |= {"413"} if "requestBody" in operation else set()
        wanted |= {"422"} if operation["security"] and named else set()
        silent += [(call, status) for status in wanted - operation["responses"].keys()]

    assert silent == []


def test_the_conventions_are_told_at_the_head(documents, merged):
    for document in (*documents.values(), merged):
        for word in (
            "cursor",
            "If-Match",
            "Idempotency-Key",
            "problem+json",
            "wait",
            "429",
            "UTC",
            "Sunset",
        ):
            assert word in document["info"]["description"], word
