"""Procedures and scales over HTTP."""

import pytest

from tests.support.callers import municipality_user, region_user
from tests.support.running import problem

API = "/api/indicators/v1"
OGE = {"kind": "oge", "grade": 9, "year": 2024, "published": True}


async def test_a_published_procedure_has_exact_bounds(indicators):
    async with indicators.as_(region_user(region_id=1)) as client:
        answer = await client.post(f"{API}/procedures", json=OGE)

    assert answer.status_code == 201, answer.text
    russian = next(scale for scale in answer.json()["scales"] if scale["subject"] == "rus")
    assert (russian["bmin"], russian["bmid"]) == ("333/20", "913/40")
    assert (russian["low_below_milli"], russian["mass_from_milli"]) == (16650, 22825)
    assert russian["is_mass"]


async def test_the_same_procedure_cannot_be_added_twice(indicators):
    async with indicators.as_(region_user(region_id=1)) as client:
        await client.post(f"{API}/procedures", json=OGE)
        again = await client.post(f"{API}/procedures", json=OGE)

    problem(again, 409, "procedure-exists")


async def test_results_of_vpr_are_not_permitted_for_identification_unless_said(indicators):
    async with indicators.as_(region_user(region_id=1)) as client:
        answer = await client.post(f"{API}/procedures", json=OGE | {"kind": "vpr", "grade": 5})

    assert [use["use"] for use in answer.json()["permitted_uses"]] == ["analysis"]


async def test_a_year_without_published_scales_is_told(indicators):
    async with indicators.as_(region_user(region_id=1)) as client:
        answer = await client.post(f"{API}/procedures", json=OGE | {"year": 2005})

    problem(answer, 409, "published-scales-missing")


@pytest.mark.parametrize(
    ("patch", "status", "code"),
    [({"top": "40"}, 409, "scale-unsound"), ({"subject": "mat"}, 422, "validation-failed")],
)
async def test_an_unsound_scale_is_refused(indicators, patch, status, code):
    async with indicators.as_(region_user(region_id=1)) as client:
        added = (await client.post(f"{API}/procedures", json=OGE)).json()
        scale = added["scales"][0]
        answer = await client.patch(
            f"{API}/scales/{scale['id']}", json=patch, headers={"If-Match": '"1"'}
        )

    problem(answer, status, code)


async def test_a_changed_scale_moves_its_bounds(indicators):
    async with indicators.as_(region_user(region_id=1)) as client:
        scale = (await client.post(f"{API}/procedures", json=OGE)).json()["scales"][0]
        answer = await client.patch(
            f"{API}/scales/{scale['id']}", json={"minimum": "16"}, headers={"If-Match": '"1"'}
        )
        stale = await client.patch(
            f"{API}/scales/{scale['id']}", json={"minimum": "17"}, headers={"If-Match": '"1"'}
        )

    assert answer.json()["bmin"] == "353/20"
    problem(stale, 412, "stale-version")


async def test_a_municipality_reads_procedures_and_does_not_change_them(indicators):
    async with indicators.as_(region_user(region_id=1)) as region:
        await region.post(f"{API}/procedures", json=OGE)
    async with indicators.as_(municipality_user(region_id=1, municipality_id=11)) as client:
        listed = await client.get(f"{API}/procedures")
        refused = await client.post(f"{API}/procedures", json=OGE | {"year": 2023})

    assert len(listed.json()["items"]) == 1
    problem(refused, 403, "missing-scope")


async def test_published_scales_name_their_source(indicators):
    async with indicators.as_(region_user(region_id=1)) as client:
        answer = await client.get(f"{API}/published-scales?kind=vpr&grade=5&year=2024")

    items = answer.json()["items"]
    assert {item["subject"]: item["mark_borders"] for item in items} == {
        "rus": [18, 29, 39],
        "mat": [7, 11, 15],
    }
    assert all(item["source"] for item in items)
