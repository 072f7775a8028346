"""From the draft to the published list: two people, an order, the registry, and no way around."""

import asyncio
import json

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from sqlalchemy import text

from services.indicators.app import SERVICE
from tests.indicators.identification.conftest import RUNS, Desk
from tests.indicators.identification.test_runs import smolensk
from tests.support.callers import municipality_user, school_user
from tests.support.running import problem, running
from tests.support.serving import served


class StandInRegistry:
    """Answers as the registry does: a run is applied once, under its key; it can be told to fail."""

    def __init__(self):
        self.applied = {}
        self.calls = []
        self.failing = False
        self.app = FastAPI()
        self.app.post("/api/registry/v1/participations/bulk")(self._bulk)
        self.app.post("/token")(self._token)

    async def _token(self):
        return {"access_token": "own", "expires_in": 300}

    async def _bulk(self, request: Request):
        body = await request.json()
        self.calls.append((request.headers["idempotency-key"], body))
        if self.failing:
            refusal = {"title": "Год закрыт", "code": "year-closed", "detail": "Год закрыт"}
            return JSONResponse(refusal, 409)
        already = body["run_id"] in self.applied
        self.applied.setdefault(body["run_id"], body)
        return {
            "joined": 0 if already else len(body["entries"]), "rejoined": 0, "changed": 0,
            "unchanged": 0, "withdrawn": 0, "already_applied": already,
        }  # fmt: skip


@pytest.fixture
async def registry():
    stand_in = StandInRegistry()
    async with served(stand_in.app) as address:
        stand_in.address = address
        yield stand_in


@pytest.fixture
async def office(databases, registry):
    """A desk with a draft of Smolensk and a registry to publish to."""
    peers = {
        "registry_url": registry.address, "token_url": registry.address + "/token",
        "client_id": "indicators", "client_secret": "secret",
    }  # fmt: skip
    async with (
        databases.fresh(SERVICE) as urls,
        running(SERVICE, urls, **peers) as service,
        service.worker(),
    ):
        desk = Desk(service)
        async with desk.facts() as session:
            await smolensk(session)
        desk.run = await desk.computed(await desk.methodology(shipped="smolensk-nro-fnsu"))
        yield desk


async def publish(desk, run, token=None):
    return await desk.call(
        "POST", f"{RUNS}/{run['id']}/publication", version=run["version"], token=token or desk.bob
    )


async def test_two_people_an_order_and_the_registry_make_a_published_list(office, registry):
    approved = await office.approved(await office.prepared(office.run))
    assert (approved["prepared_by"], approved["approved_by"]) == ("user:1", "user:2")

    answer = await publish(office, approved)
    assert answer.status_code == 202, answer.text
    run = await office.wait(approved["id"], leave=("approved",))

    assert run["state"] == "published", run
    ((key, body),) = registry.calls
    assert key == f"identification-run-{run['id']}"
    assert (body["year"], body["source"], body["order_number"], body["order_date"]) == (
        2025, "identification", "210-ОД", "2025-03-15",
    )  # fmt: skip
    assert len(body["entries"]) == 75
    assert {c for entry in body["entries"] for c in entry["categories"]} == {
        "nro", "fnsu", "nro-fnsu",
    }  # fmt: skip


async def test_a_published_list_is_seen_by_each_level_for_its_own_schools(office):
    approved = await office.approved(await office.prepared(office.run))
    await publish(office, approved)
    run = await office.wait(approved["id"], leave=("approved",))
    # Ярцевский is the last of the table: 5 listed schools.
    place = 27
    everything = await office.listed(run["id"])
    own = next(m for m in everything["municipalities"] if m["municipality_id"] == place)
    school_id = own["schools"][0]["school_id"]

    below = municipality_user(region_id=1, municipality_id=place)
    assert (await office.listed(run["id"], below))["municipalities"] == [own]
    school = school_user(region_id=1, municipality_id=place, school_id=school_id)
    listed = await office.listed(run["id"], school)
    assert [s["school_id"] for m in listed["municipalities"] for s in m["schools"]] == [school_id]
    trace = await office.call("GET", f"{RUNS}/{run['id']}/schools/{school_id}/trace", token=school)
    assert trace.status_code == 200, trace.text
    other = everything["municipalities"][0]["schools"][0]["school_id"]
    answer = await office.call("GET", f"{RUNS}/{run['id']}/schools/{other}/trace", token=school)
    problem(answer, 404, "run-school-not-found")


async def test_who_prepared_a_list_cannot_approve_it(office):
    prepared = await office.prepared(office.run)

    answer = await office.call(
        "POST", f"{RUNS}/{prepared['id']}/approval", version=prepared["version"],
        json={"order_number": "1", "order_date": "2025-03-15", "list_hash": prepared["list_hash"]},
    )  # fmt: skip

    problem(answer, 409, "same-person")


async def test_only_the_list_that_was_seen_is_approved(office):
    prepared = await office.prepared(office.run)
    order = {"order_number": "1", "order_date": "2025-03-15", "list_hash": prepared["list_hash"]}
    path, version = f"{RUNS}/{prepared['id']}/approval", prepared["version"]

    other = await office.call(
        "POST", path, version=version, token=office.bob, json=order | {"list_hash": "0" * 64}
    )
    problem(other, 409, "list-hash-differs")
    async with office.facts() as session:
        # Somebody edits the stored list behind the service's back.
        await session.execute(
            text("UPDATE run_school SET category = 'fnsu', flags = 2 WHERE school_id = 1")
        )
    tampered = await office.call("POST", path, version=version, token=office.bob, json=order)
    problem(tampered, 409, "list-hash-differs")


async def test_steps_are_taken_in_order_and_from_the_state_that_was_seen(office):
    run = office.run
    problem(await publish(office, run), 409, "wrong-run-state")
    missing = await office.call("POST", f"{RUNS}/{run['id']}/preparation")
    problem(missing, 428, "precondition-required")

    prepared = await office.prepared(run)

    stale = await office.call("POST", f"{RUNS}/{run['id']}/preparation", version=run["version"])
    problem(stale, 412, "stale-version")
    again = await office.call(
        "POST", f"{RUNS}/{run['id']}/preparation", version=prepared["version"]
    )
    problem(again, 409, "wrong-run-state")


async def test_below_the_region_nobody_prepares_or_approves(office):
    token = municipality_user(region_id=1, municipality_id=1)
    for step in ("preparation", "publication", "voiding"):
        answer = await office.call(
            "POST", f"{RUNS}/{office.run['id']}/{step}", version=1, token=token,
            json={"reason": "так"},
        )  # fmt: skip
        problem(answer, 403, "missing-scope")


async def test_a_list_that_the_registry_refuses_stays_approved_and_can_be_published_later(
    office, registry
):
    registry.failing = True
    approved = await office.approved(await office.prepared(office.run))
    await publish(office, approved)
    run = await office.wait(approved["id"], leave=("approved",))
    assert (run["state"], run["job"]["state"]) == ("approved", "failed")
    assert "Год закрыт" in json.dumps(run["job"]["error"], ensure_ascii=False)

    registry.failing = False
    answer = await publish(office, run)
    assert answer.status_code == 202, answer.text
    for _ in range(200):
        run = await office.wait(run["id"], leave=("approved",))
        if run["state"] == "published":
            break
        await asyncio.sleep(0.02)

    assert run["state"] == "published"
    assert list(registry.applied) == [run["id"]]


async def test_publishing_twice_after_a_crash_changes_nothing_more(office, registry):
    approved = await office.approved(await office.prepared(office.run))
    await publish(office, approved)
    run = await office.wait(approved["id"], leave=("approved",))
    async with office.facts() as session:
        # As if the worker had died after the registry's answer and before its own commit.
        await session.execute(
            text("UPDATE identification_run SET state = 'approved', is_published = false")
        )
        await session.execute(
            text("UPDATE job SET state = 'queued', finished_at = NULL WHERE kind = 'publish-run'")
        )
        await session.execute(text("SELECT pg_notify('opora_job', '')"))
    run = await office.wait(run["id"], leave=("approved",))

    assert run["state"] == "published"
    first, second = registry.calls
    assert first == second
    assert list(registry.applied) == [run["id"]]


async def test_a_run_is_set_aside_with_a_reason_and_stays(office):
    answer = await office.call(
        "POST", f"{RUNS}/{office.run['id']}/voiding", version=office.run["version"],
        json={"reason": "Загружены апелляции"},
    )  # fmt: skip

    assert answer.status_code == 200, answer.text
    run = answer.json()
    assert (run["state"], run["void_reason"]) == ("voided", "Загружены апелляции")
    assert (await office.listed(run["id"]))["totals"]["total"] == 75
    again = await office.call("POST", f"{RUNS}/{run['id']}/preparation", version=run["version"])
    problem(again, 409, "wrong-run-state")


async def test_a_published_list_is_not_voided(office):
    approved = await office.approved(await office.prepared(office.run))
    await publish(office, approved)
    run = await office.wait(approved["id"], leave=("approved",))

    answer = await office.call(
        "POST", f"{RUNS}/{run['id']}/voiding", version=run["version"], json={"reason": "Ошибка"}
    )

    problem(answer, 409, "wrong-run-state")
