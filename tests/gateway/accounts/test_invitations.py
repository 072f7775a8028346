"""People set their own passwords: with an invitation, after a reset, and later by themselves."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text

from services.kit.reach import Reach
from tests.gateway.conftest import as_person, is_dead, log_in
from tests.support.callers import machine, municipality_user, region_user
from tests.support.running import problem

ROOT = machine(scopes=["accounts:write", "accounts:read"], level="system", client_id="root")
REGION = region_user(region_id=1)
ELSEWHERE = region_user(region_id=2)
MUNICIPALITY = municipality_user(region_id=1, municipality_id=3)

CHOSEN = "тихий парус 1812"
ANOTHER = "гроза над рекой 471"


@pytest.fixture
async def invited(gateway):
    """An account that nobody knows a password of."""
    async with gateway.as_(REGION) as client:
        made = await client.post(
            "/api/accounts",
            json={
                "login": "petrov",
                "display_name": "Петров П. П.",
                "role": "school",
                "school_id": 11,
            },
        )
    assert made.status_code == 201, made.text
    return made.json()


async def ask(gateway, account, act="invitation", token=REGION, version=None):
    if version is None:
        async with gateway.as_(REGION) as client:
            version = (await client.get(f"/api/accounts/{account['id']}")).json()["version"]
    async with gateway.as_(token) as client:
        return await client.post(
            f"/api/accounts/{account['id']}/{act}", headers={"If-Match": f'"{version}"'}
        )


async def redeem(gateway, code, password=CHOSEN):
    async with gateway.as_(None) as client:
        return await client.post(
            "/api/auth/invitations/redemption", json={"code": code, "password": password}
        )


async def state_of(gateway, account):
    async with gateway.as_(REGION) as client:
        one = (await client.get(f"/api/accounts/{account['id']}")).json()
        listed = (await client.get("/api/accounts", params={"state": one["state"]})).json()
    assert one in listed["items"]
    return one["state"]


async def test_a_person_who_is_invited_sets_the_password(gateway, invited):
    assert invited["state"] == "invited"
    problem(await log_in(gateway, "petrov", CHOSEN), 400, "invalid-grant")

    invitation = await ask(gateway, invited, token=MUNICIPALITY)

    assert invitation.status_code == 200, invitation.text
    assert invitation.headers["etag"] == '"2"'
    given = invitation.json()
    assert given["account"]["invitation_expires_at"] == given["expires_at"]
    assert (await redeem(gateway, given["code"])).status_code == 204
    assert await state_of(gateway, invited) == "active"
    assert (await log_in(gateway, "petrov", CHOSEN)).status_code == 200


async def test_a_code_is_used_once_and_a_new_one_cancels_it(gateway, invited):
    first = (await ask(gateway, invited)).json()["code"]
    second = (await ask(gateway, invited)).json()["code"]

    replaced = await redeem(gateway, first)
    used = await redeem(gateway, second)
    again = await redeem(gateway, second, ANOTHER)
    unknown = await redeem(gateway, "no such code")

    assert used.status_code == 204
    told = [problem(one, 400, "invitation-invalid") for one in (replaced, again, unknown)]
    # No oracle: what was wrong with a code is not told.
    assert {one["detail"] for one in told} == {told[0]["detail"]}
    problem(await log_in(gateway, "petrov", ANOTHER), 400, "invalid-grant")


async def test_of_two_redemptions_at_once_one_counts(gateway, invited):
    code = (await ask(gateway, invited)).json()["code"]

    answers = await asyncio.gather(redeem(gateway, code, CHOSEN), redeem(gateway, code, ANOTHER))

    assert sorted(answer.status_code for answer in answers) == [204, 400]
    winner = CHOSEN if answers[0].status_code == 204 else ANOTHER
    assert (await log_in(gateway, "petrov", winner)).status_code == 200


async def test_a_code_expires(gateway, invited):
    code = (await ask(gateway, invited)).json()["code"]
    async with gateway.database.transaction(Reach.system()) as session:
        await session.execute(
            text(
                "UPDATE account SET invitation_expires_at = invitation_expires_at - CAST(:by AS interval)"
            ),
            {"by": timedelta(hours=72)},
        )

    problem(await redeem(gateway, code), 400, "invitation-invalid")


async def test_a_password_that_is_easy_to_guess_leaves_the_code_in_force(gateway, invited):
    code = (await ask(gateway, invited)).json()["code"]

    refused = problem(await redeem(gateway, code, "petrov-petrov"), 422, "password-refused")

    assert [error["pointer"] for error in refused["errors"]] == ["/password"]
    assert (await redeem(gateway, code)).status_code == 204


async def test_guessing_codes_is_slowed_down_by_source(gateway):
    answers = [await redeem(gateway, f"guess {number}") for number in range(60)]

    slowed = [answer for answer in answers if answer.status_code == 429]
    assert len(slowed) >= 8
    assert problem(slowed[0], 429, "too-many-attempts")["retry_after_seconds"] >= 1
    assert {answer.status_code for answer in answers} == {400, 429}


async def test_the_code_is_kept_only_as_a_hash(gateway, invited):
    code = (await ask(gateway, invited)).json()["code"]

    async with gateway.database.transaction(Reach.system()) as session:
        tables = await session.scalars(
            text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        )
        stored = ""
        for table in tables:
            stored += "\n".join(await session.scalars(text(f"SELECT t::text FROM {table} t")))

    assert "petrov" in stored
    assert code not in stored
    assert code.encode().hex() not in stored


async def test_only_who_stands_above_invites_and_only_the_state_that_was_seen(gateway, invited):
    boss = await ask(gateway, invited, token=ELSEWHERE)
    stale = await ask(gateway, invited, version=7)
    async with gateway.as_(REGION) as client:
        bare = await client.post(f"/api/accounts/{invited['id']}/invitation")

    problem(boss, 404, "account-not-found")
    problem(stale, 412, "stale-version")
    problem(bare, 428, "precondition-required")


async def test_an_active_person_is_not_invited_but_reset(gateway, person):
    anna = await person(REGION, "anna", "curator")
    tokens = (await log_in(gateway, "anna")).json()

    problem(await ask(gateway, anna), 409, "already-active")
    assert (await log_in(gateway, "anna")).status_code == 200
    code = (await ask(gateway, anna, "password-reset")).json()["code"]

    assert await state_of(gateway, anna) == "invited"
    assert await is_dead(gateway, tokens)
    problem(await log_in(gateway, "anna"), 400, "invalid-grant")
    # The one that may have become known is the one that must not come back.
    refused = problem(
        await redeem(gateway, code, "anna ходит по тонкому льду"), 422, "password-refused"
    )
    assert refused["errors"][0]["code"] == "used-before"
    assert (await redeem(gateway, code)).status_code == 204
    assert (await log_in(gateway, "anna", CHOSEN)).status_code == 200


async def test_blocking_withdraws_the_invitation(gateway, invited):
    code = (await ask(gateway, invited)).json()["code"]
    path = f"/api/accounts/{invited['id']}/blocking"
    async with gateway.as_(REGION) as client:
        blocked = await client.put(path, headers={"If-Match": '"2"'})
        refused = await ask(gateway, invited)
        opened = await client.delete(path, headers={"If-Match": blocked.headers["etag"]})

    assert blocked.json()["state"] == "blocked"
    problem(refused, 409, "account-blocked")
    assert opened.json()["state"] == "invited"
    problem(await redeem(gateway, code), 400, "invitation-invalid")


async def change(gateway, tokens, current, new):
    async with as_person(gateway, tokens) as client:
        return await client.put(
            "/api/auth/me/password", json={"current_password": current, "new_password": new}
        )


async def test_a_person_changes_the_own_password_and_only_the_other_sessions_end(gateway, person):
    await person(REGION, "anna", "curator")
    here = (await log_in(gateway, "anna")).json()
    there = (await log_in(gateway, "anna")).json()

    changed = await change(gateway, here, "anna ходит по тонкому льду", CHOSEN)

    assert changed.status_code == 204, changed.text
    assert await is_dead(gateway, there)
    async with as_person(gateway, here) as client:
        assert (await client.get("/api/auth/me")).status_code == 200
    problem(await log_in(gateway, "anna"), 400, "invalid-grant")
    assert (await log_in(gateway, "anna", CHOSEN)).status_code == 200


async def test_a_stolen_session_does_not_change_the_password(gateway, person):
    await person(REGION, "anna", "curator")
    stolen = (await log_in(gateway, "anna")).json()

    answers = [await change(gateway, stolen, f"guess {number}", CHOSEN) for number in range(8)]

    wrong = problem(answers[0], 422, "current-password-wrong")
    assert wrong["errors"][0]["pointer"] == "/current_password"
    problem(answers[-1], 429, "too-many-attempts")
    # The account itself can still be logged in to: what is guessed in a session slows down that only.
    assert (await log_in(gateway, "anna")).status_code == 200


@pytest.mark.parametrize(
    ("new", "code"), [("anna ходит по тонкому льду", "used-before"), ("annaanna1234", "too-easy")]
)
async def test_the_new_password_is_judged_like_any_other(gateway, person, new, code):
    await person(REGION, "anna", "curator")
    tokens = (await log_in(gateway, "anna")).json()

    refused = problem(
        await change(gateway, tokens, "anna ходит по тонкому льду", new), 422, "password-refused"
    )

    assert [(one["pointer"], one["code"]) for one in refused["errors"]] == [("/new_password", code)]


async def test_a_machine_has_no_own_password(gateway):
    async with gateway.as_(ROOT) as client:
        answer = await client.put(
            "/api/auth/me/password",
            json={"current_password": "x", "new_password": CHOSEN},
        )

    problem(answer, 403, "person-only")
