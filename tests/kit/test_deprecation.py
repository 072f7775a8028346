"""An operation that will go says so in the contract and in every answer."""

from datetime import date

import httpx
import pytest
from fastapi import FastAPI

from services.kit.deprecation import deprecated
from services.kit.http import router

GOING = {"since": date(2026, 12, 1), "sunset": date(2027, 6, 1), "instead": "GET /new"}


@pytest.fixture
def app():
    routes = router(prefix="/things", tags=["things"])

    @routes.get("/old", **deprecated(**GOING))
    async def old() -> dict[str, str]:
        return {}

    @routes.get("/new")
    async def new() -> dict[str, str]:
        return {}

    app = FastAPI()
    app.state.service = "test"
    app.include_router(routes)
    return app


async def test_the_answers_of_an_operation_that_will_go_announce_it(app):
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://opora") as client:
        going = await client.get("/things/old")
        staying = await client.get("/things/new")

    assert going.headers["deprecation"] == "@1796083200"
    assert going.headers["sunset"] == "Tue, 01 Jun 2027 00:00:00 GMT"
    assert {"deprecation", "sunset"} & staying.headers.keys() == set()


def test_the_contract_marks_an_operation_that_will_go(app):
    paths = app.openapi()["paths"]

    assert paths["/things/old"]["get"]["deprecated"] is True
    assert paths["/things/old"]["get"]["x-sunset"] == "2027-06-01"
    assert "deprecated" not in paths["/things/new"]["get"]


def test_an_operation_cannot_go_before_it_is_announced():
    with pytest.raises(ValueError, match="cannot go"):
        deprecated(since=date(2027, 1, 1), sunset=date(2027, 1, 1), instead="GET /new")
