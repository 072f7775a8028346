"""Programme years through the API."""

from tests.support.builders.registry import a_territory
from tests.support.running import problem

YEARS = "/api/registry/v1/programme-years"


async def test_a_region_opens_a_year_once(registry, smolensk):
    vologda = await a_territory(registry, code="35", name="Вологодская область")

    first = await smolensk.region.post(YEARS, json={"year": 2025})
    again = await smolensk.region.post(YEARS, json={"year": 2025})
    elsewhere = await vologda.region.post(YEARS, json={"year": 2025})

    assert first.status_code == 201
    problem(again, 409, "programme-year-exists")
    assert elsewhere.status_code == 201
    assert len((await smolensk.region.get(YEARS)).json()["items"]) == 1
    problem(
        await smolensk.region.get(elsewhere.headers["location"]), 404, "programme-year-not-found"
    )


async def test_the_window_is_moved_but_never_turned_round(smolensk):
    made = await smolensk.region.post(YEARS, json={"year": 2025, "opens_on": "2024-09-01"})
    address = made.headers["location"]

    turned = await smolensk.region.patch(
        address, json={"closes_on": "2024-08-01"}, headers={"If-Match": '"1"'}
    )
    moved = await smolensk.region.patch(
        address, json={"closes_on": "2025-05-31"}, headers={"If-Match": '"1"'}
    )

    problem(turned, 422, "validation-failed")
    assert (moved.json()["opens_on"], moved.json()["closes_on"]) == ("2024-09-01", "2025-05-31")


async def test_a_municipality_reads_the_years_of_its_region(smolensk):
    await smolensk.region.post(YEARS, json={"year": 2025})
    municipality = smolensk.municipality(smolensk.velizh)

    assert [row["year"] for row in (await municipality.get(YEARS)).json()["items"]] == [2025]
    problem(await municipality.post(YEARS, json={"year": 2026}), 403, "missing-scope")
