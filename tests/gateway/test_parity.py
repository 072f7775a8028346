"""The gateway and a service read every request as the same route, however it is spelled (case 23)."""

import asyncio
import json
from importlib import import_module
from urllib.parse import urlsplit

import pytest

from gateway.app import SERVICE, application
from gateway.routing import DESTINATIONS, destination_of
from services.kit.cli import MODULES, service_named
from services.kit.contracts import document
from services.kit.service import build
from services.registry.app import SERVICE as REGISTRY
from tests.gateway.test_app import settings
from tests.gateway.test_limits import OFF
from tests.support.callers import region_user
from tests.support.running import settings_for
from tests.support.serving import served

CALLER = region_user(region_id=1, user_id=801)
LIST = "/api/registry/v1/schools"

PATHS = [
    LIST,
    f"{LIST}/",
    f"{LIST}//",
    f"/{LIST}",
    "/api//registry/v1/schools",
    "/api/registry//v1/schools",
    "/api/registry/v1//schools",
    "//api/registry/v1/schools",
    "/./api/registry/v1/schools",
    "/api/./registry/v1/schools",
    "/api/registry/./v1/schools",
    "/api/registry/v1/./schools",
    "/api/registry/v1/schools/.",
    "/api/registry/v1/schools/..",
    "/api/registry/v1/../v1/schools",
    "/api/registry/../registry/v1/schools",
    "/api/indicators/../registry/v1/schools",
    "/api/registry/v1/schools/%2e%2e",
    "/api/registry/v1/%2e%2e/v1/schools",
    "/api/registry/%2e%2e/registry/v1/schools",
    "/api/registry/v1/schools%2f1",
    "/api/registry/v1%2fschools",
    "/api/registry%2fv1/schools",
    "/api%2fregistry/v1/schools",
    "/%61pi/registry/v1/schools",
    "/api/%72egistry/v1/schools",
    "/api/registry/%761/schools",
    "/api/registry/v1/%73chools",
    "/api/registry/v1/scho%6fls",
    "/api/registry/v1/schools%00",
    "/api/registry/v1/schools%20",
    "/api/registry/v1/schools%0d%0aX-Evil:%201",
    "/api/registry/v1/schools;a=b",
    "/api/registry/v1;a=b/schools",
    "/api/registry;a=b/v1/schools",
    "/API/registry/v1/schools",
    "/api/Registry/v1/schools",
    "/api/registry/V1/schools",
    "/api/registry/v1/Schools",
    "/api/registry/v2/schools",
    "/api/registry/v1",
    "/api/registry/v1/",
    "/api/registry/",
    "/api/registry",
    "/api/registryx/v1/schools",
    "/api/registry/v1/schools/1/../../schools",
    "/api/registry/v1/schools/0",
    "/api/registry/v1/schools/-1",
    "/api/registry/v1/schools/1e3",
    "/api/registry/v1/schools/%D9%A1",
    "/api/registry/v1/schools/99999999999999999999",
    "/api/registry/v1/schools/1",
    "/api/registry/v1/schools/1/",
    "/api/registry/v1/schools?limit=1",
    "/api/registry/v1/schools?limit=1&limit=2",
    "/api/registry/v1/schools?limit=%31",
    "/api/registry/v1/schools?",
    "/api/registry/v1/schools??limit=1",
    "/api/registry/v1/schools%3flimit=1",
    "/api/registry/v1/schools?cursor=%00",
    "/api/registry/v1/schools#fragment",
    "/api/registry/v1/schools?q=%ff%fe",
    "/api/registry/v1/schools\\1",
    "/api\\registry/v1/schools",
    "/metrics",
    "/docs",
    "/openapi.json",
    "/.git/config",
    "/api/registry/v1/schools/%",
    "/api/registry/v1/schools/%zz",
]
VERBS = [
    ("HEAD", LIST, {}),
    ("OPTIONS", LIST, {}),
    ("TRACE", LIST, {}),
    ("PATCH", LIST, {}),
    ("DELETE", LIST, {}),
    ("PUT", LIST, {}),
    ("QUERY", LIST, {}),
    ("PROPFIND", LIST, {}),
    ("get", LIST, {}),
    ("MADEUP", LIST, {}),
    ("GET", LIST, {"X-HTTP-Method-Override": "DELETE"}),
    ("GET", LIST, {"X-Method-Override": "DELETE", "X-HTTP-Method": "PUT"}),
    ("POST", f"{LIST}?_method=DELETE", {"Content-Type": "application/json"}),
    ("GET", "/api/registry/v1/nowhere", {"X-Original-URL": LIST, "X-Rewrite-URL": LIST}),
    ("GET", "/api/registry/v1/nowhere", {"X-Forwarded-Prefix": "/api", "X-Forwarded-Path": LIST}),
    ("GET", LIST, {"Host": "evil.example"}),
    ("GET", f"http://evil.example{LIST}", {}),
    ("GET", "*", {}),
    ("OPTIONS", "*", {}),
]
REQUESTS = [("GET", path, {}) for path in PATHS] + VERBS


@pytest.fixture(scope="module")
async def doors(databases):
    """The addresses of the gateway and of the registry behind it."""
    async with databases.fresh(REGISTRY) as registry_urls, databases.fresh(SERVICE) as urls:
        registry = build(REGISTRY, settings_for(REGISTRY, registry_urls))
        async with served(registry, lifespan="on", proxy_headers=False) as service:
            gateway = application(
                settings(urls.app, registry_url=service, indicators_url=service, **OFF)
            )
            async with served(gateway, lifespan="on", proxy_headers=False) as base:
                yield base, service


async def outcome(base, method, path, headers):
    """Return the status and the problem's code of one raw request."""
    parts = urlsplit(base)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    given = {"Host": "opora", "Authorization": f"Bearer {CALLER}", "Connection": "close"} | headers
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items())]
    writer.write("\r\n".join([*lines, "", ""]).encode("latin-1"))
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    names = {line.split(b":")[0].lower(): line for line in head.split(b"\r\n")[1:]}
    code = ""
    if b"problem+json" in names.get(b"content-type", b""):
        code = json.loads(body)["code"] if body else ""
    allow = names.get(b"allow", b"").partition(b":")[2].strip().decode()
    return int(head.split(b" ")[1]), code, allow


@pytest.mark.parametrize(("method", "path", "headers"), REQUESTS)
async def test_both_doors_say_the_same(doors, method, path, headers):
    through, direct = [await outcome(base, method, path, headers) for base in doors]

    assert through == direct
    assert through[0] < 500
    if through[0] == 405:
        assert through[2]


async def test_no_door_opens_a_tunnel(doors):
    answers = [await outcome(base, "CONNECT", LIST, {}) for base in doors]

    assert [(status, code) for status, code, _ in answers] == [
        (405, "tunnel-refused"),
        (405, "method-not-allowed"),
    ]


def test_there_are_enough_of_them():
    assert len(REQUESTS) >= 60


async def test_some_spellings_are_answered_and_others_are_not(doors):
    """The control: the table holds both kinds, so that equality says something."""
    found = {
        await outcome(doors[0], "GET", path, {}) for path in (LIST, f"{LIST}/", "/api/registry")
    }

    assert {status for status, _, _ in found} == {200, 404}


async def test_a_405_names_every_verb_of_the_address(doors):
    for base in doors:
        status, code, allow = await outcome(base, "DELETE", LIST, {})

        assert (status, code) == (405, "method-not-allowed")
        assert {one.strip() for one in allow.split(",")} == {"GET", "POST"}


def test_the_routing_table_and_the_services_name_the_same_prefixes():
    services = [name for name in MODULES if name != "gateway"]

    assert [one.service for one in DESTINATIONS] == services
    for one in DESTINATIONS:
        declared = service_named(one.service)
        assert declared.path_prefix.startswith(one.prefix.decode())
        # Everything the contract offers comes to where it is served, and nothing to anybody else.
        for path in document(declared)["paths"]:
            found = destination_of(path.encode())
            assert found is not None, path
            assert found.service == one.service
    own = document(import_module("gateway.app").SERVICE)["paths"]
    assert [path for path in own if destination_of(path.encode()) is not None] == []
