"""Waves, from planning to closing, as a region runs them and others see them."""

import pytest

from services.monitoring.app import SERVICE
from tests.support.callers import curator, municipality_user, region_user, school_user
from tests.support.projections import grant_curator, place_schools
from tests.support.running import problem, running

URL = "/api/monitoring/v1/waves"
REGION = region_user(region_id=1)
WAVE = {
    "year": 2026,
    "kind": "entry",
    "title": "Входной мониторинг",
    "opens_on": "2026-03-01",
    "closes_on": "2026-03-31",
}


@pytest.fixture
async def monitoring(databases):
    async with databases.fresh(SERVICE) as urls, running(SERVICE, urls) as service:
        await place_schools(
            service.database, (1, 10, 100), (1, 10, 101), (1, 11, 110), (2, 20, 200)
        )
        yield service


@pytest.fixture
async def region(monitoring):
    async with monitoring.as_(REGION) as client:
        yield client


async def planned(region, school_ids=(100, 101, 110), **changes):
    answer = await region.post(URL, json=WAVE | changes)
    assert answer.status_code == 201, answer.text
    wave = answer.json()
    if school_ids:
        answer = await region.post(
            f"{URL}/{wave['id']}/schools", json={"school_ids": list(school_ids)}
        )
        assert answer.status_code == 200, answer.text
        wave = answer.json()
    return wave


async def moved(region, wave, step, key="step-0001"):
    headers = {"If-Match": f'"{wave["version"]}"', "Idempotency-Key": f"{key}-{step}"}
    return await region.post(f"{URL}/{wave['id']}/{step}", headers=headers)


async def test_a_wave_expects_the_schools_of_its_roster(region):
    wave = await planned(region)

    assert (wave["state"], wave["expected_schools"]) == ("planned", 3)


async def test_adding_a_school_twice_keeps_it_once(region):
    wave = await planned(region)
    again = await region.post(f"{URL}/{wave['id']}/schools", json={"school_ids": [100]})

    assert again.json()["expected_schools"] == 3


async def test_an_unknown_school_leaves_the_roster_as_it_was(region):
    wave = await planned(region)
    answer = await region.post(f"{URL}/{wave['id']}/schools", json={"school_ids": [100, 200, 999]})

    errors = problem(answer, 422, "validation-failed")["errors"]
    assert [error["pointer"] for error in errors] == ["/school_ids/1", "/school_ids/2"]
    assert (await region.get(f"{URL}/{wave['id']}")).json()["expected_schools"] == 3


async def test_the_roster_is_frozen_when_the_wave_opens(region):
    wave = await planned(region)
    opened = await moved(region, wave, "opening")
    late = await region.post(f"{URL}/{wave['id']}/schools", json={"school_ids": [101]})

    assert opened.json()["state"] == "open"
    assert problem(late, 409, "wave-state-conflict")["allowed_states"] == ["planned"]


async def test_a_wave_without_schools_cannot_open(region):
    wave = await planned(region, school_ids=())

    problem(await moved(region, wave, "opening"), 409, "wave-empty")


async def test_a_wave_closes_once(region):
    wave = (await moved(region, await planned(region), "opening")).json()
    closed = await moved(region, wave, "closing")
    repeated = await moved(region, wave, "closing")
    again = await moved(region, closed.json(), "closing", key="step-0002")

    assert closed.json()["state"] == "closed"
    assert repeated.json() == closed.json()
    problem(again, 409, "wave-state-conflict")


async def test_the_title_of_a_wave_is_its_own_within_the_year(region):
    await planned(region, school_ids=())

    problem(await region.post(URL, json=WAVE), 409, "wave-title-taken")
    assert (await region.post(URL, json=WAVE | {"year": 2027})).status_code == 201


@pytest.mark.parametrize("dates", [{"opens_on": "2026-04-01"}, {"closes_on": "2026-02-01"}])
async def test_a_wave_cannot_end_before_it_begins(region, dates):
    wave = await planned(region, school_ids=())
    path = f"{URL}/{wave['id']}"

    problem(await region.post(URL, json=WAVE | dates), 422, "validation-failed")
    problem(
        await region.patch(path, json=dates, headers={"If-Match": '"1"'}), 422, "validation-failed"
    )


async def test_everybody_of_the_region_sees_the_wave_and_only_its_own_schools(monitoring, region):
    wave = await planned(region)
    await grant_curator(monitoring.database, "user:4", (1, 11, 110))
    seen = {}
    for name, token in {
        "municipality": municipality_user(region_id=1, municipality_id=10),
        "school": school_user(region_id=1, municipality_id=10, school_id=100),
        "curator": curator(region_id=1),
    }.items():
        async with monitoring.as_(token) as client:
            shown = (await client.get(f"{URL}/{wave['id']}")).json()
            page = (
                await client.get(f"{URL}/{wave['id']}/schools", params={"count": "true"})
            ).json()
            problem(await client.post(URL, json=WAVE), 403, "missing-scope")
        seen[name] = (
            shown["expected_schools"],
            page["total"],
            [item["school_id"] for item in page["items"]],
        )

    assert seen == {
        "municipality": (2, 2, [100, 101]),
        "school": (1, 1, [100]),
        "curator": (1, 1, [110]),
    }


async def test_another_region_does_not_see_the_wave(monitoring, region):
    wave = await planned(region)
    async with monitoring.as_(region_user(region_id=2, user_id=7)) as client:
        foreign = await client.get(f"{URL}/{wave['id']}")
        missing = await client.get(f"{URL}/999999")
        listed = (await client.get(URL, params={"count": "true"})).json()

    assert foreign.status_code == missing.status_code == 404
    assert {**foreign.json(), "request_id": ""} == {**missing.json(), "request_id": ""}
    assert (listed["items"], listed["total"]) == ([], 0)
