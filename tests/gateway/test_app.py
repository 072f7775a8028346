"""The whole gateway as its process serves it: own paths, services behind, one lifespan."""

from importlib import import_module

import httpx
import pytest
from openapi_spec_validator import validate

from gateway.app import SERVICE, application
from gateway.routing import DESTINATIONS
from gateway.settings import GatewaySettings
from services.kit.contracts import document
from services.kit.principals import Role
from services.kit.reach import Level
from tests.gateway.conftest import KEY_SECRET, SYSTEM_CLIENTS
from tests.support.callers import TEST_JWKS, bearer, region_user
from tests.support.running import problem, running
from tests.support.serving import served


def settings(database_url: str, **values) -> GatewaySettings:
    return GatewaySettings(
        **{
            "database_url": database_url,
            "jwks": TEST_JWKS,
            "key_secret": KEY_SECRET,
            "system_clients": SYSTEM_CLIENTS,
            "access_log": False,
        }
        | values
    )


async def test_own_paths_and_services_answer_through_one_door(databases, registry):
    async with databases.fresh(SERVICE) as urls:
        gateway = application(settings(urls.app, registry_url=registry[1]))
        async with (
            served(gateway, lifespan="on") as base,
            httpx.AsyncClient(base_url=base) as client,
        ):
            ready = await client.get("/health/ready")
            keys = await client.get("/api/auth/jwks")
            nowhere = await client.get("/api/nowhere/v1/x")
            school = await client.get(
                "/api/registry/v1/schools/11", headers=bearer(region_user(region_id=1))
            )

    assert ready.json()["status"] == "ready"
    assert len(keys.json()["keys"]) == 2
    problem(nowhere, 404, "not-found")
    assert school.json()["municipality_id"] == 3


async def test_the_merged_contract_is_served_when_it_is_shipped(databases, tmp_path):
    shipped = tmp_path / "opora.json"
    async with (
        databases.fresh(SERVICE) as urls,
        running(SERVICE, urls, merged_contract=shipped) as gateway,
        gateway.as_(None) as client,
    ):
        missing = await client.get("/api/openapi.json")
        shipped.write_text('{"openapi": "3.1.0"}')
        present = await client.get("/api/openapi.json")

    problem(missing, 404, "contract-missing")
    assert present.json() == {"openapi": "3.1.0"}
    assert present.headers["content-type"] == "application/json"


def test_the_gateway_does_not_serve_without_a_secret():
    with pytest.raises(SystemExit, match="OPORA_GATEWAY_KEY_SECRET"):
        application(settings("postgresql+asyncpg://nobody@127.0.0.1/nothing", key_secret=None))


def test_the_contract_is_a_valid_openapi_document():
    contract = document(SERVICE)

    validate(contract)
    operations = [one for path in contract["paths"].values() for one in path.values()]
    assert all(one["operationId"].startswith("gateway_") for one in operations)
    assert all(one["summary"] and one["description"] for one in operations)


def test_every_destination_has_a_url_in_the_settings():
    assert {f"{one.service}_url" for one in DESTINATIONS} <= set(GatewaySettings.model_fields)
    for one in DESTINATIONS:
        assert all(upload.startswith(one.prefix) for upload in one.uploads)


def test_appointment_only_goes_down():
    from gateway.roles import MAY_APPOINT

    height = [Level.SYSTEM, Level.REGION, Level.MUNICIPALITY, Level.SCHOOL, Level.CURATOR]
    assert set(MAY_APPOINT) == set(height)
    for level, roles in MAY_APPOINT.items():
        for role in roles:
            assert role is not Role.INTEGRATION
            assert height.index(Level(role.value)) > height.index(level)


def test_every_path_for_uploads_is_one_of_its_service():
    for destination in DESTINATIONS:
        if destination.uploads:
            service = import_module(f"services.{destination.service}.app").SERVICE
            paths = document(service)["paths"]
            for upload in destination.uploads:
                assert any(path.startswith(upload.decode()) for path in paths), upload
