"""One-time codes: set up, demanded, proved once, lost and taken away."""

import asyncio
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from sqlalchemy import text

from gateway.app import SERVICE
from gateway.attempts import operations as attempts
from gateway.second_factor import codes
from services.kit.reach import Reach
from tests.gateway.conftest import KEY_SECRET, as_person, is_dead, log_in
from tests.support.callers import machine, municipality_user, region_user
from tests.support.running import problem, running

ROOT = machine(scopes=["accounts:write", "accounts:read"], level="system", client_id="root")
REGION = region_user(region_id=1, user_id=900)
PASSWORD = "anna ходит по тонкому льду"


@pytest.fixture
async def strict(databases, registry):
    """A gateway as it stands in a cluster: regions and municipalities must show a code."""
    async with (
        databases.fresh(SERVICE) as urls,
        running(SERVICE, urls, key_secret=KEY_SECRET, registry_url=registry[1]) as gateway,
    ):
        yield gateway


@pytest.fixture
async def anna(strict):
    return await account(strict, "municipality", token=REGION, municipality_id=3)


async def account(gateway, role, *, token, login="anna", **node):
    async with gateway.as_(token) as client:
        made = await client.post(
            "/api/accounts",
            json={
                "login": login,
                "display_name": "Анна А.",
                "role": role,
                "password": PASSWORD,
                **node,
            },
        )
    assert made.status_code == 201, made.text
    return made.json()


async def post(gateway, path, body, method="POST"):
    async with gateway.as_(None) as client:
        return await client.request(method, f"/api/auth/second-factor/{path}", json=body)


async def ticket_of(gateway):
    refused = problem(
        await log_in(gateway, "anna", PASSWORD), 403, "second-factor-enrolment-required"
    )
    return refused["enrolment_ticket"]


async def set_up(gateway):
    """Return the app and the recovery codes of somebody who has just set the factor up."""
    ticket = await ticket_of(gateway)
    begun = await post(gateway, "enrolment", {"ticket": ticket})
    assert begun.status_code == 200, begun.text
    app = pyotp.parse_uri(begun.json()["otpauth_uri"])
    assert app.secret == begun.json()["secret"]
    confirmed = await post(gateway, "enrolment", {"ticket": ticket, "code": app.now()}, "PUT")
    assert confirmed.status_code == 200, confirmed.text
    return app, confirmed.json()["recovery_codes"]


async def forget_steps(gateway):
    """Let the time pass after which the app shows another code."""
    async with gateway.database.transaction(Reach.system()) as session:
        await session.execute(text("UPDATE second_factor SET last_step = last_step - 10"))


async def forget_the_name(gateway):
    """Let the time pass after which attempts at the password are forgotten."""
    async with gateway.database.transaction(Reach.system()) as session:
        await attempts.forget(session, "anna")


async def test_a_role_that_must_have_one_gets_nothing_but_the_way_to_it(strict, anna):
    ticket = await ticket_of(strict)
    async with strict.as_(ticket) as client:
        problem(await client.get("/api/auth/me"), 401, "unauthorized")
    problem(await log_in(strict, "anna", "wrong"), 400, "invalid-grant")

    app, recovery = await set_up(strict)

    assert len(set(recovery)) == 10
    problem(await log_in(strict, "anna", PASSWORD), 401, "second-factor-required")
    await forget_steps(strict)
    tokens = await log_in(strict, "anna", PASSWORD, otp=app.now())
    assert tokens.status_code == 200
    async with as_person(strict, tokens.json()) as client:
        state = (await client.get("/api/auth/me/second-factor")).json()
    assert (state["is_on"], state["is_demanded"], state["recovery_codes_left"]) == (True, True, 10)


async def test_the_ticket_is_for_one_setting_up_and_for_its_time(strict, anna):
    replaced = await ticket_of(strict)
    ticket = await ticket_of(strict)
    problem(await post(strict, "enrolment", {"ticket": replaced}), 400, "ticket-invalid")
    early = await post(strict, "enrolment", {"ticket": ticket, "code": "123456"}, "PUT")
    problem(early, 409, "enrolment-not-begun")

    begun = (await post(strict, "enrolment", {"ticket": ticket})).json()
    wrong = await post(strict, "enrolment", {"ticket": ticket, "code": "000000"}, "PUT")
    problem(wrong, 422, "code-wrong")
    code = pyotp.TOTP(begun["secret"]).now()
    answers = await asyncio.gather(
        *(post(strict, "enrolment", {"ticket": ticket, "code": code}, "PUT") for _ in range(2))
    )

    # Of two confirmations at once one shows the recovery codes.
    first, second = sorted(answer.status_code for answer in answers)
    assert first == 200
    assert second in (400, 409)
    problem(await post(strict, "enrolment", {"ticket": ticket}), 400, "ticket-invalid")


async def test_a_ticket_dies_with_the_password_that_earned_it(strict, anna):
    ticket = await ticket_of(strict)
    async with strict.as_(REGION) as client:
        await client.put(
            f"/api/accounts/{anna['id']}/password",
            json={"password": "гроза над рекой 471"},
            headers={"If-Match": '"1"'},
        )

    problem(await post(strict, "enrolment", {"ticket": ticket}), 400, "ticket-invalid")


async def test_a_ticket_expires(strict, anna):
    ticket = await ticket_of(strict)
    async with strict.database.transaction(Reach.system()) as session:
        await session.execute(
            text(
                "UPDATE second_factor SET ticket_expires_at = ticket_expires_at - CAST(:by AS interval)"
            ),
            {"by": timedelta(minutes=15)},
        )

    problem(await post(strict, "enrolment", {"ticket": ticket}), 400, "ticket-invalid")


async def test_a_code_counts_once_and_looks_like_a_wrong_password_when_it_does_not(strict, anna):
    app, recovery = await set_up(strict)
    used = app.now()

    again = problem(await log_in(strict, "anna", PASSWORD, otp=used), 400, "invalid-grant")
    neither = problem(await log_in(strict, "anna", "wrong", otp=used), 400, "invalid-grant")
    assert {**again, "request_id": ""} == {**neither, "request_id": ""}

    await forget_steps(strict)
    await forget_the_name(strict)
    code = app.now()
    answers = await asyncio.gather(*(log_in(strict, "anna", PASSWORD, otp=code) for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [200, 400, 400]

    await forget_the_name(strict)
    lost = recovery[0].lower().replace("-", " ")
    assert (await log_in(strict, "anna", PASSWORD, otp=lost)).status_code == 200
    problem(await log_in(strict, "anna", PASSWORD, otp=lost), 400, "invalid-grant")


async def test_guessing_codes_is_slowed_down_though_passwords_are_right(strict, anna):
    app, _ = await set_up(strict)
    await forget_steps(strict)
    for _ in range(8):
        await log_in(strict, "anna", PASSWORD, otp="000000")
        await forget_the_name(strict)

    slowed = await log_in(strict, "anna", PASSWORD, otp=app.now())

    problem(slowed, 429, "too-many-attempts")


async def test_who_stands_above_resets_what_was_lost(strict, anna):
    app, _ = await set_up(strict)
    await forget_steps(strict)
    tokens = (await log_in(strict, "anna", PASSWORD, otp=app.now())).json()
    path = f"/api/accounts/{anna['id']}"
    async with strict.as_(municipality_user(region_id=1, municipality_id=3, user_id=77)) as client:
        beside = await client.delete(f"{path}/second-factor", headers={"If-Match": '"2"'})
    async with strict.as_(REGION) as client:
        seen = (await client.get(path)).json()
        bare = await client.delete(f"{path}/second-factor")
        reset = await client.delete(
            f"{path}/second-factor", headers={"If-Match": f'"{seen["version"]}"'}
        )

    problem(beside, 403, "account-not-below")
    problem(bare, 428, "precondition-required")
    assert seen["second_factor_since"] is not None
    assert (reset.status_code, reset.json()["second_factor_since"]) == (200, None)
    assert await is_dead(strict, tokens)
    assert await ticket_of(strict)


async def test_the_database_holds_no_secret_and_no_code(strict, anna):
    app, recovery = await set_up(strict)
    secrets = [app.secret, *recovery, *(one.replace("-", "") for one in recovery)]

    async with strict.database.transaction(Reach.system()) as session:
        tables = await session.scalars(
            text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        )
        stored = ""
        for table in tables:
            stored += "\n".join(await session.scalars(text(f"SELECT t::text FROM {table} t")))

    for secret in secrets:
        assert secret not in stored
        assert secret.encode().hex() not in stored


async def test_a_person_who_need_not_may_have_one_and_give_it_up(gateway, person):
    await person(REGION, "anna", "curator")
    here = (await log_in(gateway, "anna")).json()
    there = (await log_in(gateway, "anna")).json()
    async with as_person(gateway, here) as client:
        path = "/api/auth/me/second-factor"
        before = (await client.get(path)).json()
        off = await client.post(f"{path}/removal", json={"code": "123456"})
        secret = (await client.post(path)).json()["secret"]
        # Given out again before it is confirmed: the first counts for nothing.
        app = pyotp.TOTP((await client.post(path)).json()["secret"])
        stale = await client.put(f"{path}/confirmation", json={"code": pyotp.TOTP(secret).now()})
        confirmed = await client.put(f"{path}/confirmation", json={"code": app.now()})
        twice = await client.post(path)
        replay = await client.post(f"{path}/recovery-codes", json={"code": app.now()})
        fresh = await client.post(
            f"{path}/recovery-codes", json={"code": confirmed.json()["recovery_codes"][0]}
        )
        old = await client.post(
            f"{path}/removal", json={"code": confirmed.json()["recovery_codes"][1]}
        )
        removed = await client.post(
            f"{path}/removal", json={"code": fresh.json()["recovery_codes"][0]}
        )

    assert before == {
        "is_on": False,
        "since": None,
        "is_demanded": False,
        "recovery_codes_left": 0,
    }
    problem(off, 409, "second-factor-off")
    problem(stale, 422, "code-wrong")
    assert confirmed.status_code == 200, confirmed.text
    assert await is_dead(gateway, there)
    problem(twice, 409, "second-factor-already-on")
    problem(replay, 422, "code-wrong")
    assert fresh.status_code == 200
    problem(old, 422, "code-wrong")
    assert removed.status_code == 204
    assert (await log_in(gateway, "anna")).status_code == 200


async def test_who_must_have_one_does_not_give_it_up(strict, anna):
    _, recovery = await set_up(strict)
    tokens = (await log_in(strict, "anna", PASSWORD, otp=recovery[0])).json()
    async with as_person(strict, tokens) as client:
        kept = await client.post("/api/auth/me/second-factor/removal", json={"code": recovery[1]})

    problem(kept, 409, "second-factor-demanded")
    problem(await log_in(strict, "anna", PASSWORD), 401, "second-factor-required")


async def test_who_need_not_logs_in_without(strict):
    await account(strict, "curator", token=REGION)

    assert (await log_in(strict, "anna", PASSWORD)).status_code == 200


AT = datetime(2026, 11, 22, 12, 0, 10, tzinfo=UTC)
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@pytest.mark.parametrize(
    ("seconds", "accepted"), [(-60, False), (-30, True), (0, True), (30, True), (60, False)]
)
def test_a_clock_may_be_one_step_apart(seconds, accepted):
    code = pyotp.TOTP(SECRET).at(AT + timedelta(seconds=seconds))

    assert (codes.accepted_step(SECRET, code, at=AT, after=None) is not None) is accepted


def test_no_step_counts_that_is_not_later_than_the_last():
    code = pyotp.TOTP(SECRET).at(AT)
    step = codes.accepted_step(SECRET, code, at=AT, after=None)

    assert codes.accepted_step(SECRET, code, at=AT, after=step) is None
    assert codes.accepted_step(SECRET, code, at=AT, after=step - 1) == step


def test_the_codes_are_those_of_the_standard():
    # RFC 6238, appendix B, cut to six digits: 20-byte ASCII secret, T = 59 s and 1111111109 s.
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    for seconds, code in ((59, "287082"), (1111111109, "081804"), (20000000000, "353130")):
        at = datetime.fromtimestamp(seconds, UTC)
        assert codes.accepted_step(secret, code, at=at, after=None) == seconds // 30
