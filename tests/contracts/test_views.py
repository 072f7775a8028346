"""What each consumer uses of a neighbour is in the neighbour's contract, and nothing is used unseen."""

import importlib
import re
from pathlib import Path

import pytest

from gateway.routing import DESTINATIONS
from services.kit.cli import MODULES, service_named
from tests.support.contracts import Use, anonymous, misfits

ROOT = Path(__file__).parents[2]
VIEWS = [
    importlib.import_module(f"tests.contracts.views.{path.stem}")
    for path in sorted((Path(__file__).parent / "views").glob("*_*.py"))
]


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.__name__.rsplit(".", 1)[-1])
def test_the_provider_offers_what_the_consumer_uses(view, documents):
    found = [one for use in view.USES for one in misfits(use, documents[view.PROVIDER])]

    assert found == []


@pytest.mark.parametrize(
    ("use", "said"),
    [
        (Use("get", "/notes"), "no such operation"),
        (Use("post", "/notes/{}", query={"page": "integer"}, sent={"text": "string"}), "no query"),
        (Use("post", "/notes/{note_id}", sent={}), "field text is demanded"),
        (Use("post", "/notes/{id}", sent={"text": "string", "tone": "string"}), "no field tone"),
        (Use("post", "/notes/{id}", sent={"text": "integer"}), "field text is not integer"),
        (Use("post", "/notes/{id}", answer={"lines[].at": "integer"}), "may be null"),
        (Use("post", "/notes/{id}", answer={"lines[].by": "string"}), "has no field lines[].by"),
    ],
)
def test_a_misfit_is_seen(use, said):
    line = {
        "type": "object",
        "properties": {"at": {"anyOf": [{"type": "integer"}, {"type": "null"}]}},
    }
    note = {"type": "object", "properties": {"lines": {"type": "array", "items": line}}}
    new = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}}}
    document = {
        "paths": {
            "/notes/{note_id}": {
                "post": {
                    "requestBody": {
                        "content": {"application/json": {"schema": {"$ref": "#/x/schemas/New"}}}
                    },
                    "responses": {"201": {"content": {"application/json": {"schema": note}}}},
                }
            }
        },
        "components": {"schemas": {"New": new}},
    }

    assert any(said in one for one in misfits(use, document))


def test_every_path_that_code_asks_of_a_neighbour_is_in_a_view():
    seen = {(view.CONSUMER, anonymous(use.path)) for view in VIEWS for use in view.USES}

    assert set(asked()) - seen == set()


def asked():
    """Yield (consumer, path) for each literal path of another service in the code."""
    folders = {name: ROOT / "services" / name for name in MODULES} | {"gateway": ROOT / "gateway"}
    for consumer, folder in folders.items():
        for path in folder.rglob("*.py"):
            for found in re.finditer(r'"(/api/([a-z]+)/v1[^"]*)"', path.read_text("utf-8")):
                # The gateway's routing table names prefixes (bytes), its own paths are not a neighbour's.
                is_bytes = path.read_text("utf-8")[found.start() - 1] == "b"
                if found[2] in MODULES and found[2] != consumer and not is_bytes:
                    yield consumer, anonymous(found[1])


@pytest.mark.parametrize("name", [one.service for one in DESTINATIONS])
def test_the_gateway_lets_large_bodies_through_exactly_where_files_are_taken(name, documents):
    uploads = next(one.uploads for one in DESTINATIONS if one.service == name)
    takes_files = {
        path
        for path, methods in documents[name]["paths"].items()
        for operation in methods.values()
        if set(operation.get("requestBody", {}).get("content", {})) - {"application/json"}
    }

    assert {path for path in takes_files if not path.encode().startswith(uploads)} == set()
    assert [
        prefix
        for prefix in uploads
        if not any(path.encode().startswith(prefix) for path in takes_files)
    ] == []


def test_the_gateway_routes_every_service_but_itself():
    assert {one.service for one in DESTINATIONS} == set(MODULES) - {"gateway"}
    assert [
        one.service
        for one in DESTINATIONS
        if not service_named(one.service).path_prefix.encode().startswith(one.prefix)
    ] == []
