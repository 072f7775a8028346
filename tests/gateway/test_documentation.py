"""The documentation page works without any other server, and the contracts are cheap to ask again."""

import gzip
import json
import re
from importlib.resources import files

import pytest

from gateway.app import SERVICE
from gateway.routing import DESTINATIONS
from tests.support.running import problem, running


@pytest.fixture(scope="module")
async def gateway(databases):
    async with databases.fresh(SERVICE) as urls, running(SERVICE, urls) as gateway:
        yield gateway


@pytest.fixture
async def client(gateway):
    async with gateway.as_(None) as client:
        yield client


async def test_the_page_is_russian_and_names_only_files_of_the_gateway(client):
    page = await client.get("/api/docs")

    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert '<html lang="ru">' in page.text
    assert "<title>Опора: описание API</title>" in page.text
    named = re.findall(r'(?:src|href)="([^"]*)"', page.text)
    assert len(named) >= 5
    assert [one for one in named if not one.startswith("/api/")] == []
    assert "<script>" not in page.text
    for one in named:
        answer = await client.get(one)
        assert answer.status_code == 200, one


async def test_the_page_lets_no_other_server_and_no_inline_script_in(client):
    page = await client.get("/api/docs")
    policy = dict(
        rule.strip().split(" ", 1) for rule in page.headers["content-security-policy"].split(";")
    )

    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert not re.search(r"https?:|\*|unsafe-eval", page.headers["content-security-policy"])


async def test_our_own_files_ask_no_other_server(client):
    for name in ("page.html", "page.css", "start.js"):
        text = files("gateway.documentation").joinpath(name).read_text(encoding="utf-8")
        assert not re.search(r"(https?:)?//[a-z0-9-]+\.", text), name


async def test_a_style_of_swagger_ui_fetches_nothing_from_elsewhere(client):
    page = await client.get("/api/docs")
    style = next(one for one in re.findall(r'href="([^"]*)"', page.text) if "swagger-ui" in one)
    fetched = re.findall(r"url\(([^)]*)\)|@import", (await client.get(style)).text)

    assert [one for one in fetched if re.match("[\"']?(https?:)?//", one)] == []


async def test_a_file_of_the_page_may_be_kept_for_ever_and_a_new_release_has_new_addresses(client):
    page = await client.get("/api/docs")
    script = next(one for one in re.findall(r'src="([^"]*)"', page.text) if "start.js" in one)
    kept = await client.get(script)
    version = script.split("/")[3]
    other = await client.get(script.replace(version, "0" * len(version)))
    outside = await client.get(f"/api/docs/{version}/..%2froutes.py")

    assert "immutable" in kept.headers["cache-control"]
    assert page.headers["cache-control"] == "no-cache"
    problem(other, 404, "documentation-file-not-found")
    assert outside.status_code == 404


async def test_a_contract_that_the_client_has_is_not_sent_again(client):
    first = await client.get("/api/openapi.json", headers={"Accept-Encoding": "gzip"})
    plain = await client.get("/api/openapi.json", headers={"Accept-Encoding": "identity"})
    again = await client.get("/api/openapi.json", headers={"If-None-Match": first.headers["etag"]})
    changed = await client.get("/api/openapi.json", headers={"If-None-Match": '"another"'})

    assert first.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert first.headers["etag"] != plain.headers["etag"]
    assert first.json() == plain.json()
    assert (again.status_code, again.content) == (304, b"")
    assert changed.status_code == 200
    assert first.headers["vary"] == "Accept-Encoding"


async def test_who_refuses_gzip_gets_the_contract_as_it_is(client):
    answer = await client.get(
        "/api/openapi.json", headers={"Accept-Encoding": "gzip;q=0, identity"}
    )

    assert "content-encoding" not in answer.headers


async def test_a_packed_contract_is_much_shorter(client):
    async with client.stream(
        "GET", "/api/openapi.json", headers={"Accept-Encoding": "gzip"}
    ) as answer:
        packed = b"".join([chunk async for chunk in answer.aiter_raw()])

    assert len(packed) * 5 < len(gzip.decompress(packed))


@pytest.mark.parametrize("service", ["gateway", *(one.service for one in DESTINATIONS)])
async def test_each_service_has_its_own_contract(service, client):
    answer = await client.get(f"/api/openapi/{service}.json")

    assert json.loads(answer.content)["info"]["x-service"] == service


@pytest.mark.parametrize("name", ["opora2", "..%2fpyproject", "README", "landed%2fopora"])
async def test_nothing_else_is_served_as_a_contract(name, client):
    answer = await client.get(f"/api/openapi/{name}.json")

    assert answer.status_code == 404
