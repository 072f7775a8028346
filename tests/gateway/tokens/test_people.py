"""People log in, go on with refresh tokens used once, and log out."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from jose import jwt
from sqlalchemy import text

from gateway.attempts import operations as attempts
from services.kit.principals import TokenVerifier
from services.kit.reach import Reach
from tests.support.callers import bearer, machine
from tests.support.running import problem

ROOT = machine(scopes=["accounts:write", "accounts:read"], level="system", client_id="root")
PASSWORD = "anna ходит по тонкому льду"


@pytest.fixture
async def anna(gateway, person):
    return await person(ROOT, "anna", "region", region_id=1)


async def ask(gateway, **fields):
    async with gateway.as_(None) as client:
        return await client.post("/api/auth/token", json=fields)


async def log_in(gateway, password=PASSWORD, login="anna"):
    return await ask(gateway, grant_type="password", login=login, password=password)


async def refresh(gateway, token):
    return await ask(gateway, grant_type="refresh_token", refresh_token=token)


async def earlier(gateway, seconds):
    """Let the refresh tokens have been used so much earlier."""
    async with gateway.database.transaction(Reach.system()) as session:
        shift = {"by": timedelta(seconds=seconds)}
        await session.execute(
            text("UPDATE refresh_token SET used_at = used_at - CAST(:by AS interval)"), shift
        )


async def test_a_person_gets_a_short_token_with_role_and_node(gateway, anna):
    answer = await log_in(gateway)

    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    tokens = answer.json()
    claims = jwt.get_unverified_claims(tokens["access_token"])
    assert tokens["expires_in"] == 300
    # Issued to the millisecond, ends at a whole second.
    assert 299 < claims["exp"] - claims["iat"] <= 300
    assert (claims["sub"], claims["role"], claims["level"], claims["region_id"]) == (
        f"user:{anna['id']}",
        "region",
        "region",
        1,
    )
    assert "scope" not in claims
    header = jwt.get_unverified_header(tokens["access_token"])
    assert (header["alg"], header["typ"]) == ("RS256", "at+jwt")


async def test_the_login_is_the_same_however_it_is_typed(gateway, anna):
    assert (await log_in(gateway, login=" Anna ")).status_code == 200


async def test_an_oauth_form_with_username_works(gateway, anna):
    async with gateway.as_(None) as client:
        answer = await client.post(
            "/api/auth/token",
            data={"grant_type": "password", "username": "anna", "password": PASSWORD},
        )

    assert answer.status_code == 200


@pytest.mark.parametrize("login", ["anna", "nobody"])
async def test_a_wrong_password_and_an_unknown_login_are_told_alike(gateway, anna, login):
    answer = await log_in(gateway, password="wrong", login=login)

    refusal = problem(answer, 400, "invalid-grant")
    assert refusal["error"] == "invalid_grant"
    assert "неверны" in refusal["detail"]


async def test_who_am_i(gateway, anna):
    token = (await log_in(gateway)).json()["access_token"]
    async with gateway.as_(None) as client:
        jwks = (await client.get("/api/auth/jwks")).text
    # The application under test trusts the tests' key; let it trust the one it has published.
    gateway.app.state.verifier = TokenVerifier(
        gateway.settings.model_copy(update={"jwks": jwks}), gateway.service.roles
    )

    async with gateway.as_(token) as client:
        me = (await client.get("/api/auth/me")).json()

    assert me == {
        "subject": f"user:{anna['id']}",
        "role": "region",
        "login": "anna",
        "display_name": "Anna",
        "region_id": 1,
        "municipality_id": None,
        "school_id": None,
    }


async def test_a_refresh_token_gives_its_successor(gateway, anna):
    first = (await log_in(gateway)).json()["refresh_token"]

    second = (await refresh(gateway, first)).json()["refresh_token"]
    third = (await refresh(gateway, second)).json()["refresh_token"]

    assert len({first, second, third}) == 3


async def test_a_refresh_token_that_comes_back_ends_the_session_for_both(gateway, anna):
    stolen = (await log_in(gateway)).json()["refresh_token"]
    second = (await refresh(gateway, stolen)).json()["refresh_token"]
    third = (await refresh(gateway, second)).json()["refresh_token"]

    replayed = await refresh(gateway, stolen)

    problem(replayed, 400, "invalid-grant")
    problem(await refresh(gateway, third), 400, "invalid-grant")


async def test_a_stolen_token_used_late_ends_the_session_even_while_its_successor_is_unused(
    gateway, anna
):
    first = (await log_in(gateway)).json()["refresh_token"]
    second = (await refresh(gateway, first)).json()["refresh_token"]
    await earlier(gateway, 11)

    problem(await refresh(gateway, first), 400, "invalid-grant")
    problem(await refresh(gateway, second), 400, "invalid-grant")


async def test_a_lost_answer_can_be_asked_for_again(gateway, anna):
    first = (await log_in(gateway)).json()["refresh_token"]
    lost = (await refresh(gateway, first)).json()["refresh_token"]
    await earlier(gateway, 9)

    again = (await refresh(gateway, first)).json()["refresh_token"]

    assert again == lost
    assert (await refresh(gateway, again)).status_code == 200


async def test_fifty_refreshes_at_once_make_one_branch(gateway, anna):
    first = (await log_in(gateway)).json()["refresh_token"]

    answers = await asyncio.gather(*(refresh(gateway, first) for _ in range(50)))

    # More requests than connections: a busy pool may say so, but never branch.
    assert {answer.status_code for answer in answers} <= {200, 503}
    successors = {a.json()["refresh_token"] for a in answers if a.status_code == 200}
    assert len(successors) == 1
    async with gateway.database.transaction(Reach.system()) as session:
        assert await session.scalar(text("SELECT count(*) FROM refresh_token")) == 2


async def test_other_sessions_of_the_person_go_on(gateway, anna):
    here = (await log_in(gateway)).json()["refresh_token"]
    there = (await log_in(gateway)).json()["refresh_token"]
    async with gateway.as_(None) as client:
        ended = await client.post("/api/auth/revocation", json={"token": here})

    assert ended.status_code == 204
    problem(await refresh(gateway, here), 400, "invalid-grant")
    assert (await refresh(gateway, there)).status_code == 200


async def test_an_unknown_token_is_revoked_without_complaint(gateway):
    async with gateway.as_(None) as client:
        answer = await client.post(
            "/api/auth/revocation", data={"token": "x", "token_type_hint": "y"}
        )

    assert answer.status_code == 204


async def test_a_blocked_person_neither_logs_in_nor_goes_on(gateway, anna):
    token = (await log_in(gateway)).json()["refresh_token"]
    async with gateway.as_(ROOT) as client:
        blocked = await client.put(
            f"/api/accounts/{anna['id']}/blocking", headers={"If-Match": '"1"'}
        )

    assert blocked.json()["blocked_at"] is not None
    problem(await refresh(gateway, token), 400, "invalid-grant")
    problem(await log_in(gateway), 400, "invalid-grant")


async def test_a_new_password_ends_the_sessions_of_the_old(gateway, anna):
    token = (await log_in(gateway)).json()["refresh_token"]
    async with gateway.as_(ROOT) as client:
        await client.put(
            f"/api/accounts/{anna['id']}/password",
            json={"password": "another long password"},
            headers={"If-Match": '"1"'},
        )

    problem(await refresh(gateway, token), 400, "invalid-grant")
    problem(await log_in(gateway), 400, "invalid-grant")
    assert (await log_in(gateway, password="another long password")).status_code == 200


async def counted(gateway, login, at):
    async with gateway.database.transaction(Reach.system()) as session:
        return await attempts.seconds_to_wait(session, login, at=at)


async def test_guessing_is_slowed_down_ever_more_and_heals_with_time(gateway):
    at = datetime.now(UTC)
    waits = []
    for _ in range(10):
        wait = await counted(gateway, "anybody", at)
        waits.append(wait)
        at += timedelta(seconds=wait)
    healed = [await counted(gateway, "anybody", at + timedelta(minutes=16)) for _ in range(5)]

    # Five at once; then each is heard after the pause that the one before has earned.
    assert waits == [0, 0, 0, 0, 0, 2, 0, 3, 0, 5]
    assert healed == [0] * 5


async def test_guesses_sent_at_once_are_counted_too(gateway):
    at = datetime.now(UTC)

    waits = await asyncio.gather(*(counted(gateway, "anybody", at) for _ in range(10)))

    assert sum(wait == 0 for wait in waits) == 5


@pytest.mark.parametrize("login", ["anna", "nobody"])
async def test_a_name_that_waits_is_told_so_and_running_sessions_go_on(gateway, anna, login):
    running = (await log_in(gateway)).json()["refresh_token"]
    at = datetime.now(UTC)
    for _ in range(30):
        at += timedelta(seconds=await counted(gateway, login, at))

    slowed = await log_in(gateway, login=login.upper())

    refusal = problem(slowed, 429, "too-many-attempts")
    assert refusal["error"] == "slow_down"
    assert slowed.headers["retry-after"] == str(refusal["retry_after_seconds"])
    # Guessing cannot lock a person out of work.
    assert (await refresh(gateway, running)).status_code == 200


async def test_a_login_that_succeeds_forgets_the_failures_before(gateway, anna):
    for _ in range(3):
        for _ in range(3):
            problem(await log_in(gateway, password="typo"), 400, "invalid-grant")
        assert (await log_in(gateway)).status_code == 200


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        ({"json": {"grant_type": "implicit"}}, "unsupported_grant_type"),
        ({"json": {"grant_type": "password", "login": "anna"}}, "invalid_request"),
        (
            {"json": {"grant_type": "refresh_token", "refresh_token": "x", "role": "region"}},
            "invalid_request",
        ),
        ({"content": b"{", "headers": {"Content-Type": "application/json"}}, "invalid_request"),
        ({"content": b"[" * 100_000}, "invalid_request"),
        ({"json": []}, "invalid_request"),
        (
            {
                "content": b"grant_type=password&grant_type=refresh_token",
                "headers": {"Content-Type": "application/x-www-form-urlencoded"},
            },
            "invalid_request",
        ),
        (
            {"content": rb'{"grant_type":"password","login":"a\u0000","password":"x"}'},
            "invalid_request",
        ),
        (
            {"content": rb'{"grant_type":"password","login":"\ud800","password":"x"}'},
            "invalid_request",
        ),
        (
            {"content": rb'{"grant_type":"password","login":"a","password":"\ud800"}'},
            "invalid_request",
        ),
        (
            {"content": rb'{"grant_type":"refresh_token","refresh_token":"\ud800"}'},
            "invalid_request",
        ),
    ],
)
async def test_a_token_request_that_makes_no_sense_is_refused(gateway, sent, error):
    async with gateway.as_(None) as client:
        answer = await client.post("/api/auth/token", **sent)

    assert answer.status_code == 400
    assert answer.json()["error"] == error


async def test_a_token_in_the_query_is_not_read(gateway, anna):
    token = (await log_in(gateway)).json()["access_token"]
    async with gateway.as_(None) as client:
        answer = await client.get(f"/api/auth/me?access_token={token}&token={token}")

    assert answer.status_code == 401


async def test_the_database_holds_no_token_and_no_password(gateway, anna):
    tokens = (await log_in(gateway)).json()
    second = (await refresh(gateway, tokens["refresh_token"])).json()
    secrets = [tokens["refresh_token"], second["refresh_token"], PASSWORD, "PRIVATE KEY"]

    async with gateway.database.transaction(Reach.system()) as session:
        tables = await session.scalars(
            text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        )
        stored = ""
        for table in tables:
            rows = await session.scalars(text(f"SELECT t::text FROM {table} t"))
            stored += "\n".join(rows)

    for secret in secrets:
        assert secret not in stored
        assert secret.encode().hex() not in stored


async def test_headers_that_name_a_user_count_for_nothing(gateway):
    forged = dict.fromkeys(
        ("X-User-Id", "X-Role", "X-Forwarded-User", "X-Remote-User", "X-Region-Id"), "1"
    )
    async with gateway.as_(None) as client:
        answer = await client.get("/api/auth/me", headers=forged | bearer(None))

    assert answer.status_code == 401
