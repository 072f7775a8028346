"""Keys follow each other in time or when asked; a revoked one is dead and its secret gone."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text

from gateway.keys import operations
from gateway.keys.keyring import Keyring
from gateway.keys.rotating import keep_keys, replace_keys
from gateway.seals import Seal
from services.kit import clock
from services.kit.reach import Reach
from tests.gateway.conftest import KEY_SECRET
from tests.support.callers import machine, region_user
from tests.support.running import problem

ROOT = machine(scopes=["keys:read", "keys:write"], level="system", client_id="root", region_id=None)
SEAL = Seal(KEY_SECRET)
RHYTHM = operations.Rhythm(age=timedelta(days=30), lead=timedelta(seconds=120))


async def states(gateway):
    async with gateway.as_(ROOT) as client:
        answer = await client.get("/api/auth/keys")
    assert answer.status_code == 200, answer.text
    return {item["kid"]: item["state"] for item in answer.json()["items"]}


async def published(gateway):
    gateway.app.state.parts.keyring.forget()
    async with gateway.as_(None) as client:
        return {key["kid"] for key in (await client.get("/api/auth/jwks")).json()["keys"]}


async def of_state(gateway, state):
    (kid,) = [kid for kid, found in (await states(gateway)).items() if found == state]
    return kid


async def keep(gateway, *, after=timedelta(0), rhythm=RHYTHM):
    async with gateway.database.transaction(Reach.system()) as session:
        await operations.keep_ring(session, seal=SEAL, rhythm=rhythm, at=clock.now() + after)


async def ask(gateway, path, token=ROOT, **headers):
    async with gateway.as_(token) as client:
        return await client.post(f"/api/auth/keys/{path}", headers=headers)


async def secrets(gateway):
    async with gateway.database.transaction(Reach.system()) as session:
        rows = await session.execute(text("SELECT kid, length(private_sealed) FROM signing_key"))
        return {row.kid: row.length for row in rows}


@pytest.fixture
async def ring(gateway):
    """A gateway whose first keys are made: the current and the next."""
    await Keyring(SEAL).current(gateway.database)
    async with gateway.as_(None) as client:
        await client.get("/api/auth/jwks")
    return gateway


async def test_the_first_start_makes_a_current_key_and_publishes_the_next(ring):
    found = await states(ring)

    assert sorted(found.values()) == ["current", "next"]
    assert await published(ring) == set(found)


async def test_keys_follow_each_other_in_time(ring):
    first, second = await of_state(ring, "current"), await of_state(ring, "next")
    await keep(ring, after=timedelta(days=29))
    early = await states(ring)
    await keep(ring, after=timedelta(days=31))
    late = await states(ring)

    assert early == {first: "current", second: "next"}
    assert (late[first], late[second]) == ("retired", "current")
    assert sorted(late.values()) == ["current", "next", "retired"]
    assert await published(ring) == set(late), "the retired one verifies its last tokens"
    assert (await secrets(ring))[first] == 0, "nobody shall sign with it again"


async def test_a_key_never_signs_before_it_was_published_long_enough(ring):
    second = await of_state(ring, "next")
    impatient = operations.Rhythm(age=timedelta(0), lead=timedelta(seconds=120))
    await keep(ring, after=timedelta(seconds=110), rhythm=impatient)
    waiting = (await states(ring))[second]
    await keep(ring, after=timedelta(seconds=130), rhythm=impatient)

    assert (waiting, (await states(ring))[second]) == ("next", "current")


async def test_a_rotation_that_is_asked_for_waits_until_every_service_knows_the_key(ring):
    second = await of_state(ring, "next")

    answer = (await ask(ring, "rotation")).json()
    asked_again = (await ask(ring, "rotation")).json()
    await keep(ring, after=timedelta(seconds=130))

    assert (answer["kid"], answer["state"]) == (second, "next")
    assert answer["due_at"] == asked_again["due_at"] is not None
    assert await of_state(ring, "current") == second


async def test_a_rotation_happens_at_once_when_the_next_key_is_known(ring):
    second = await of_state(ring, "next")
    async with ring.database.transaction(Reach.system()) as session:
        await session.execute(
            text("UPDATE signing_key SET created_at = created_at - interval '3 minutes'")
        )

    answer = (await ask(ring, "rotation")).json()

    assert (answer["kid"], answer["state"], answer["due_at"]) == (second, "current", None)
    assert sorted((await states(ring)).values()) == ["current", "next", "retired"]


async def test_a_revoked_current_key_leaves_the_set_at_once_and_the_next_takes_over(ring):
    first, second = await of_state(ring, "current"), await of_state(ring, "next")

    answer = await ask(ring, f"{first}/revocation")
    again = await ask(ring, f"{first}/revocation")

    assert (answer.status_code, answer.json()["state"]) == (200, "revoked")
    assert again.json() == answer.json()
    found = await states(ring)
    assert (found[first], found[second]) == ("revoked", "current")
    assert sorted(found.values()) == ["current", "next", "revoked"]
    assert await published(ring) == set(found) - {first}
    assert (await secrets(ring))[first] == 0


@pytest.mark.parametrize("state", ["next", "retired"])
async def test_any_other_key_can_be_revoked_too(ring, state):
    await keep(ring, after=timedelta(days=31))
    kid, current = await of_state(ring, state), await of_state(ring, "current")

    await ask(ring, f"{kid}/revocation")

    found = await states(ring)
    assert (found[kid], found[current]) == ("revoked", "current")
    assert list(found.values()).count("next") == 1
    assert kid not in await published(ring)


async def test_rotations_at_once_leave_one_current_and_one_next(ring):
    async def rotate():
        async with ring.database.transaction(Reach.system()) as session:
            await operations.rotate(
                session,
                seal=SEAL,
                rhythm=operations.Rhythm(age=timedelta(days=30), lead=timedelta(0)),
                at=clock.now(),
            )

    await asyncio.gather(*(rotate() for _ in range(5)))

    found = list((await states(ring)).values())
    assert (found.count("current"), found.count("next")) == (1, 1)


async def test_only_a_client_of_the_settings_sees_and_changes_keys(ring):
    everything = ["keys:read", "keys:write", "accounts:read", "accounts:write"]
    person = region_user(region_id=1, scope=" ".join(everything))
    kid = await of_state(ring, "current")
    for token in (person, machine(scopes=["accounts:read"], region_id=1)):
        async with ring.as_(token) as client:
            problem(await client.get("/api/auth/keys"), 403, "missing-scope")
        for path in ("rotation", f"{kid}/revocation"):
            problem(await ask(ring, path, token), 403, "missing-scope")
    problem(await ask(ring, "abcdef/revocation"), 404, "key-not-found")
    problem(await ask(ring, "rotation", None), 401, "unauthorized")

    assert await of_state(ring, "current") == kid


async def test_the_list_tells_no_secret(ring):
    async with ring.as_(ROOT) as client:
        text_ = (await client.get("/api/auth/keys")).text

    assert "private" not in text_
    assert "sealed" not in text_


async def test_the_chore_and_the_command_line_do_the_same(ring, monkeypatch):
    settings = ring.settings.model_copy(update={"key_lead_seconds": 0.0, "key_days": 0.00001})
    first = await of_state(ring, "current")
    await asyncio.sleep(1)
    await keep_keys(ring.database, settings)
    second = await of_state(ring, "current")
    told = await replace_keys(settings)
    third = await of_state(ring, "current")
    revoked = await replace_keys(settings, third)

    assert len({first, second, third}) == 3
    assert third in told
    assert "отозван" in revoked
    assert (await states(ring))[third] == "revoked"


async def test_the_audit_tells_who_changed_which_key(ring):
    first, second = await of_state(ring, "current"), await of_state(ring, "next")
    await ask(ring, f"{first}/revocation")

    async with ring.database.transaction(Reach.system()) as session:
        rows = await session.execute(
            text(
                "SELECT subject, op, after ->> 'kid' AS kid FROM audit_entry"
                " WHERE kind = 'signing_key' ORDER BY id"
            )
        )
        told = [(row.subject, row.op, row.kid) for row in rows]
    assert told[-2:] == [("client:root", "revoked", first), ("client:root", "current", second)]
