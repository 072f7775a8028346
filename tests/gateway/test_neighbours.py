"""A service that fails in every way a network knows: a problem in time, and health soon after."""

import asyncio
import time

import httpx
import pytest

from gateway.app import SERVICE, application
from gateway.forwarding import Forwarder, Limits
from services.kit.budgets import HEADER
from services.kit.peers import Peers, PeerTimeout, PeerUnavailable
from tests.gateway.test_app import settings
from tests.gateway.test_forwarding import own
from tests.gateway.test_limits import OFF
from tests.support.callers import bearer, region_user
from tests.support.faults import faulty_wire
from tests.support.serving import served

BUDGET_SECONDS = 1.5
CALLER = region_user(region_id=1, user_id=701)
SCHOOL = "/api/registry/v1/schools/11"
FAULTS = {
    # What the client is told, and how soon at the latest.
    "reset": ((502,), 1.0),
    "garbage": ((502,), 1.0),
    "cut": ((502,), 1.0),
    "half-closed": ((502,), 1.0),
    "slow": ((504,), BUDGET_SECONDS + 0.5),
    "blackhole": ((504,), BUDGET_SECONDS + 0.5),
}


@pytest.fixture(scope="module")
async def a_wire(registry):
    async with faulty_wire(registry[1]) as wire:
        yield wire


@pytest.fixture
async def wire(a_wire):
    yield a_wire
    a_wire.fault = ""
    a_wire.drop()


@pytest.fixture(scope="module")
async def a_gateway(databases, a_wire):
    async with databases.fresh(SERVICE) as urls:
        app = application(
            settings(urls.app, registry_url=a_wire.url, answer_seconds=BUDGET_SECONDS, **OFF)
        )
        async with (
            served(app, lifespan="on") as base,
            httpx.AsyncClient(base_url=base, headers=bearer(CALLER), timeout=10) as client,
        ):
            yield client


@pytest.fixture
def gateway(a_gateway, wire):
    return a_gateway


@pytest.mark.parametrize("is_kept", [False, True], ids=["new connection", "kept connection"])
@pytest.mark.parametrize("fault", FAULTS)
async def test_a_failing_service_is_told_as_a_problem_in_time(gateway, wire, fault, is_kept):
    statuses, seconds = FAULTS[fault]
    if is_kept:
        assert (await gateway.get(SCHOOL)).status_code == 200
    wire.fault = fault

    started = time.monotonic()
    answer = await gateway.get(SCHOOL)
    took = time.monotonic() - started

    assert answer.status_code in statuses, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["service"] == "registry"
    assert answer.json()["hint"]
    assert took < seconds

    wire.fault = ""
    repaired = time.monotonic()
    while (await gateway.get(SCHOOL)).status_code != 200:
        assert time.monotonic() - repaired < 5
        await asyncio.sleep(0.1)


async def test_a_refusing_service_is_told_at_once_and_its_return_noticed_at_once(databases):
    async with databases.fresh(SERVICE) as urls:
        app = application(settings(urls.app, registry_url="http://127.0.0.1:9", **OFF))
        async with (
            served(app, lifespan="on") as base,
            httpx.AsyncClient(base_url=base, headers=bearer(CALLER)) as client,
        ):
            started = time.monotonic()
            answer = await client.get(SCHOOL)

    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "2"
    assert time.monotonic() - started < 1.5


async def test_one_service_that_hangs_does_not_hold_up_the_others(databases, registry, wire):
    wire.fault = "blackhole"
    async with databases.fresh(SERVICE) as urls:
        app = application(
            settings(
                urls.app,
                registry_url=registry[1],
                training_url=wire.url,
                answer_seconds=BUDGET_SECONDS,
                **OFF,
            )
        )
        async with (
            served(app, lifespan="on") as base,
            httpx.AsyncClient(base_url=base, headers=bearer(CALLER), timeout=10) as client,
        ):
            hanging = [
                asyncio.create_task(client.get("/api/training/v1/courses")) for _ in range(50)
            ]
            await asyncio.sleep(0.3)
            started = time.monotonic()
            answer = await client.get(SCHOOL)
            took = time.monotonic() - started
            told = await asyncio.gather(*hanging)

    assert answer.status_code == 200
    assert took < 0.5
    assert {one.status_code for one in told} == {504}


async def test_a_service_is_told_how_long_we_wait_and_no_client_can_say_otherwise():
    seen = []

    async def service(scope, receive, send):
        seen.append([value for name, value in scope["headers"] if name == HEADER.encode()])
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    async with served(service, lifespan="off") as url:
        forwarder = Forwarder(own, {"registry": url}, Limits(answer_seconds=12.5))
        async with served(forwarder, lifespan="off") as base, httpx.AsyncClient() as client:
            await client.get(base + SCHOOL, headers={HEADER: "9999999"})
            await client.get(base + SCHOOL)
        await forwarder.close()

    assert seen == [[b"12500"], [b"12500"]]


@pytest.mark.parametrize("fault", [*FAULTS, "refused", "unreachable"])
async def test_a_question_to_a_neighbour_ends_within_two_seconds(registry, wire, fault):
    wire.fault = fault
    url = {"refused": "http://127.0.0.1:9", "unreachable": "http://192.0.2.1"}.get(fault, wire.url)
    peers = Peers(settings("postgresql+asyncpg://nobody", registry_url=url))

    started = time.monotonic()
    with pytest.raises((PeerUnavailable, PeerTimeout)):
        await peers.on_behalf("registry", CALLER).get(SCHOOL)

    assert time.monotonic() - started < 2
    await peers.close()
