"""Guessing is slowed down by name and by source; work under way goes on."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from gateway.app import SERVICE
from gateway.attempts import operations as attempts
from services.kit.reach import Reach
from tests.gateway.conftest import KEY_SECRET, log_in, refresh
from tests.support.callers import region_user
from tests.support.running import problem, running

REGION = region_user(region_id=1, user_id=900)


async def counted(gateway, name, at, patience=attempts.OF_A_NAME):
    async with gateway.database.transaction(Reach.system()) as session:
        return await attempts.seconds_to_wait(session, name, at=at, patience=patience)


async def forgiven(gateway, name):
    async with gateway.database.transaction(Reach.system()) as session:
        await attempts.forgive(session, name)


@pytest.fixture
async def narrow(databases, registry):
    """A gateway that lets one source fail four times."""
    async with (
        databases.fresh(SERVICE) as urls,
        running(
            SERVICE,
            urls,
            key_secret=KEY_SECRET,
            registry_url=registry[1],
            second_factor_roles=(),
            source_attempts=4,
            password_checks_waiting=60,
        ) as gateway,
    ):
        yield gateway


async def test_one_source_that_sprays_over_many_names_is_slowed_down(narrow):
    answers = [await log_in(narrow, f"somebody.{number}") for number in range(12)]

    assert {answer.status_code for answer in answers[:4]} == {400}
    slowed = [answer for answer in answers if answer.status_code == 429]
    assert problem(slowed[0], 429, "too-many-attempts")["error"] == "slow_down"
    assert int(slowed[0].headers["retry-after"]) >= 1


async def test_people_of_one_office_log_in_however_many_they_are(narrow):
    async with narrow.as_(REGION) as client:
        for number in range(3):
            made = await client.post(
                "/api/accounts",
                json={
                    "login": f"clerk.{number}",
                    "display_name": "Служащий",
                    "role": "curator",
                    "password": f"clerk.{number} ходит по тонкому льду",
                },
            )
            assert made.status_code == 201, made.text

    for _ in range(3):
        for number in range(3):
            assert (await log_in(narrow, f"clerk.{number}")).status_code == 200


async def test_fifty_logins_at_once_are_all_judged_or_told_to_come_again(gateway, person):
    await person(REGION, "anna", "curator")
    running_session = (await log_in(gateway, "anna")).json()

    answers = await asyncio.gather(*(log_in(gateway, "anna", "wrong") for _ in range(50)))

    told = sorted(answer.status_code for answer in answers)
    # Five guesses at one name are free, whether they come one by one or all at once.
    assert told.count(400) == 5
    assert set(told) <= {400, 429, 503}
    assert all(answer.headers.get("retry-after") for answer in answers if answer.status_code != 400)
    # Guessing locks nobody out of work.
    assert (await refresh(gateway, running_session)).status_code == 200


async def test_failures_of_a_source_drain_away_one_by_one(gateway):
    at, patience = datetime.now(UTC), attempts.of_a_source(3)
    for _ in range(3):
        assert await counted(gateway, "an office", at, patience) == 0
    assert await counted(gateway, "an office", at, patience) > 0

    # Forty seconds forgive two of the three, not all of them.
    at += timedelta(seconds=40)
    waits = [await counted(gateway, "an office", at, patience) for _ in range(3)]

    assert [wait > 0 for wait in waits] == [False, False, True]


async def test_a_success_takes_back_one_attempt_of_its_source_and_no_other(gateway):
    at, patience = datetime.now(UTC), attempts.of_a_source(3)
    for _ in range(20):
        assert await counted(gateway, "an office", at, patience) == 0
        await forgiven(gateway, "an office")
    for _ in range(3):
        assert await counted(gateway, "an office", at, patience) == 0
    await forgiven(gateway, "an office")

    assert await counted(gateway, "an office", at, patience) == 0
    assert await counted(gateway, "an office", at, patience) > 0


async def test_guessed_codes_are_remembered_for_a_day(gateway):
    at = datetime.now(UTC)
    guesses = 0
    ends = at + timedelta(days=1)
    while at < ends:
        wait = await counted(gateway, "code of user:1", at, attempts.OF_A_CODE)
        guesses += wait == 0
        at += timedelta(seconds=max(wait, 1))

    # Three codes of a million are right at a time: below one chance in 8,000 a day.
    assert guesses < 41
    assert 3 * guesses / 1_000_000 < 1 / 8_000
