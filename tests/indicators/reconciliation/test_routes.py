"""Printed splits over HTTP: refused, taken as printed, corrected."""

import pytest
from sqlalchemy import text

from services.indicators.app import SERVICE
from services.kit.reach import Reach
from tests.support.callers import municipality_user, region_user
from tests.support.running import problem, running
from tests.support.vologda import MUNICIPALITIES, corrected, printed

SPLITS = "/api/indicators/v1/printed-splits"
REGION = region_user(region_id=1)


@pytest.fixture
async def service(databases):
    async with databases.fresh(SERVICE) as urls, running(SERVICE, urls) as service:
        async with service.database.transaction(Reach.system()) as session:
            await session.execute(
                text("INSERT INTO region (id, code, name) VALUES (1, '35', 'Вологодская область')")
            )
            for number, name in enumerate(MUNICIPALITIES, 1):
                await session.execute(
                    text(
                        "INSERT INTO municipality (id, region_id, code, name)"
                        " VALUES (:id, 1, :code, :name)"
                    ),
                    {"id": number, "code": f"{number:02}", "name": name},
                )
        yield service


async def keep(service, body, token=REGION, **headers):
    async with service.as_(token) as client:
        return await client.post(SPLITS, json=body, headers=headers)


async def get(service, path, token=REGION):
    async with service.as_(token) as client:
        return await client.get(path)


async def test_the_printed_split_is_refused_with_what_its_figures_imply(service):
    refused = problem(await keep(service, printed()), 422, "figures-inconsistent")

    assert {error["pointer"] for error in refused["errors"]} == {
        "/cells",
        "/cells/3/percent",
        "/municipalities",
        "/municipalities/3/name",
        "/municipalities/27/name",
    }
    implied = {one["pointer"]: one["implies"] for one in refused["findings"]}
    assert implied["/cells/3/percent"] == [27]
    assert (await get(service, SPLITS)).json()["items"] == []


async def test_taken_as_printed_it_is_kept_and_stays_marked(service):
    problem(await keep(service, printed() | {"accept_as_printed": True}), 422, "validation-failed")

    answer = await keep(
        service, printed() | {"accept_as_printed": True, "reason": "Так в программе"}
    )

    assert answer.status_code == 201, answer.text
    kept = answer.json()
    assert (kept["is_consistent"], kept["accepted_reason"]) == (False, "Так в программе")
    assert kept["printed"]["cells"][3]["count"] == 23
    assert kept["sums"]["cells"] == 59
    found = await get(service, answer.headers["location"])
    assert found.json() == kept
    assert found.headers["etag"] == '"1"'


async def test_the_corrected_split_passes_and_counts_by_flag(service):
    answer = await keep(service, corrected() | {"accept_as_printed": True, "reason": "На случай"})

    kept = answer.json()
    assert (kept["is_consistent"], kept["accepted_reason"]) == (True, None)
    assert [one["count"] for one in kept["sums"]["by_flag"]] == [48, 43, 14]
    problem(await keep(service, corrected()), 409, "split-already-kept")
    only = (await get(service, f"{SPLITS}?is_consistent=true&year=2019")).json()["items"]
    assert [one["id"] for one in only] == [kept["id"]]
    assert (await get(service, f"{SPLITS}?is_consistent=false")).json()["items"] == []


async def test_below_the_region_splits_are_read_not_loaded(service):
    kept = (await keep(service, corrected())).json()
    token = municipality_user(region_id=1, municipality_id=1)

    assert (await get(service, f"{SPLITS}/{kept['id']}", token)).status_code == 200
    problem(await keep(service, corrected(), token), 403, "missing-scope")
    elsewhere = await get(service, f"{SPLITS}/{kept['id']}", region_user(region_id=2))
    problem(elsewhere, 404, "printed-split-not-found")


async def test_what_is_no_percent_is_malformed(service):
    body = corrected()
    body["cells"][0]["percent"] = "пятая часть"

    refused = problem(await keep(service, body), 422, "validation-failed")

    assert [error["pointer"] for error in refused["errors"]] == ["/cells/0/percent"]
