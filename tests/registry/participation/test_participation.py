"""Participation through the API: joining by hand, lists of runs, withdrawing."""

import asyncio

from tests.support import callers
from tests.support.builders.registry import a_school, a_territory
from tests.support.running import problem

PARTICIPATIONS = "/api/registry/v1/participations"
YEARS = "/api/registry/v1/programme-years"


def run_body(run_id, entries, *, year=2025):
    return {
        "year": year,
        "source": "identification",
        "run_id": run_id,
        "order_number": f"{run_id}-ОД",
        "order_date": "2025-03-15",
        "entries": [
            {"school_id": school["id"], "categories": categories} for school, categories in entries
        ],
    }


async def apply(client, body, key=None):
    return await client.post(
        f"{PARTICIPATIONS}/bulk",
        json=body,
        headers={"Idempotency-Key": key or f"identification-run-{body['run_id']}"},
    )


async def standing(smolensk, **asked):
    page = (await smolensk.region.get(PARTICIPATIONS, params=asked)).json()
    return {row["school_id"]: row["categories"] for row in page["items"]}


async def test_a_school_joins_an_open_year_once(smolensk):
    school = await a_school(smolensk)
    body = {"school_id": school["id"], "year": 2025, "categories": ["low_results", "adverse"]}

    no_year = await smolensk.region.post(PARTICIPATIONS, json=body)
    await smolensk.region.post(YEARS, json={"year": 2025})
    joined = await smolensk.region.post(PARTICIPATIONS, json=body)
    again = await smolensk.region.post(PARTICIPATIONS, json=body)

    problem(no_year, 409, "programme-year-missing")
    assert joined.status_code == 201
    assert joined.json()["categories"] == ["adverse", "low_results"]
    assert problem(again, 409, "already-participating")["participation_id"] == joined.json()["id"]


async def test_the_window_of_the_year_and_a_closing_keep_schools_out(smolensk):
    open_school = await a_school(smolensk, code="1")
    closed_school = await a_school(smolensk, code="2", closed_on="2024-01-01")
    await smolensk.region.post(
        YEARS, json={"year": 2025, "opens_on": "2024-09-01", "closes_on": "2025-05-31"}
    )
    body = {"school_id": open_school["id"], "year": 2025, "categories": ["low_results"]}

    early = await smolensk.region.post(PARTICIPATIONS, json=body | {"joined_on": "2024-08-31"})
    late = await smolensk.region.post(PARTICIPATIONS, json=body | {"joined_on": "2025-06-01"})
    closed = await smolensk.region.post(
        PARTICIPATIONS,
        json=body | {"school_id": closed_school["id"], "joined_on": "2024-10-01"},
    )
    unordered = await smolensk.region.post(PARTICIPATIONS, json=body | {"source": "order"})
    last_day = await smolensk.region.post(PARTICIPATIONS, json=body | {"joined_on": "2025-05-31"})

    assert problem(early, 409, "year-closed")["opens_on"] == "2024-09-01"
    problem(late, 409, "year-closed")
    problem(closed, 409, "school-closed")
    problem(unordered, 422, "validation-failed")
    assert last_day.status_code == 201


async def test_a_published_run_makes_participations_and_a_later_one_replaces_them(smolensk):
    leaves = await a_school(smolensk, code="1")
    stays = await a_school(smolensk, code="2")
    comes = await a_school(smolensk, smolensk.vyazma, code="3")
    by_order = await a_school(smolensk, code="4")

    first = await apply(
        smolensk.region, run_body(1, [(leaves, ["low_results"]), (stays, ["adverse"])])
    )
    await smolensk.region.post(
        PARTICIPATIONS,
        json={
            "school_id": by_order["id"],
            "year": 2025,
            "categories": ["adverse"],
            "source": "order",
            "order_number": "9",
            "order_date": "2025-03-01",
        },
    )
    second = await apply(
        smolensk.region,
        run_body(2, [(stays, ["adverse", "low_results"]), (comes, ["low_results"])]),
    )
    third = await apply(smolensk.region, run_body(3, [(leaves, ["low_results"])]))

    assert first.json() == {
        "joined": 2, "rejoined": 0, "changed": 0, "unchanged": 0, "withdrawn": 0,
        "already_applied": False,
    }  # fmt: skip
    assert (second.json()["joined"], second.json()["changed"], second.json()["withdrawn"]) == (
        1,
        1,
        1,
    )
    assert (third.json()["rejoined"], third.json()["withdrawn"]) == (1, 2)
    assert await standing(smolensk, year=2025) == {
        leaves["id"]: ["low_results"],
        by_order["id"]: ["adverse"],
    }
    page = (await smolensk.region.get(PARTICIPATIONS, params={"school_id": leaves["id"]})).json()[
        "items"
    ]
    steps = (await smolensk.region.get(f"{PARTICIPATIONS}/{page[0]['id']}/events")).json()
    assert [(step["kind"], step["run_id"]) for step in steps] == [
        ("joined", 1),
        ("withdrawn", 2),
        ("rejoined", 3),
    ]
    assert steps[1]["reason"] == "Не названа прогоном выявления 2"


async def test_a_run_applied_twice_changes_nothing(smolensk):
    school = await a_school(smolensk, code="1")
    other = await a_school(smolensk, code="2")
    await apply(smolensk.region, run_body(1, [(school, ["low_results"])]))
    await apply(smolensk.region, run_body(2, [(other, ["low_results"])]))

    replayed = await apply(smolensk.region, run_body(1, [(school, ["low_results"])]))
    again = await apply(
        smolensk.region, run_body(1, [(school, ["low_results"])]), key="another-key"
    )

    assert replayed.json()["joined"] == 1
    assert replayed.headers["idempotency-replayed"] == "true"
    assert again.json()["already_applied"] is True
    assert await standing(smolensk, year=2025) == {other["id"]: ["low_results"]}


async def test_one_run_sent_many_times_at_once_is_applied_once(smolensk):
    schools = [await a_school(smolensk, code=f"{number}") for number in range(3)]
    body = run_body(1, [(school, ["low_results"]) for school in schools])

    answers = await asyncio.gather(
        *(apply(smolensk.region, body, key=f"attempt-{number}") for number in range(8))
    )

    assert sorted(answer.json()["already_applied"] for answer in answers) == [False] + [True] * 7
    assert len(await standing(smolensk, year=2025)) == 3


async def test_the_indicators_service_applies_a_run_for_the_region_of_its_schools(
    registry, smolensk
):
    vologda = await a_territory(registry, code="35", name="Вологодская область")
    school = await a_school(smolensk)
    foreign = await a_school(vologda)
    service = registry.as_(callers.service("indicators", scopes=["participations:write"]))

    mixed = await apply(service, run_body(1, [(school, ["low_results"]), (foreign, ["adverse"])]))
    empty = await apply(service, run_body(2, []))
    right = await apply(service, run_body(3, [(school, ["low_results"])]))
    emptied = await apply(service, run_body(4, []) | {"region_id": smolensk.region_id})

    assert problem(mixed, 422, "validation-failed")["errors"][0]["code"] == "several_regions"
    problem(empty, 422, "validation-failed")
    assert right.json()["joined"] == 1
    assert emptied.json()["withdrawn"] == 1


async def test_a_list_is_refused_whole(registry, smolensk):
    vologda = await a_territory(registry, code="35", name="Вологодская область")
    school = await a_school(smolensk)
    foreign = await a_school(vologda)
    body = run_body(1, [(school, ["low_results"]), (foreign, ["adverse"]), (school, ["adverse"])])

    refused = await apply(smolensk.region, body)
    keyless = await smolensk.region.post(f"{PARTICIPATIONS}/bulk", json=body)

    errors = problem(refused, 422, "validation-failed")["errors"]
    assert {(error["pointer"], error["code"]) for error in errors} == {
        ("/entries/1/school_id", "school_not_found"),
        ("/entries/2/school_id", "repeated"),
    }
    problem(keyless, 400, "idempotency-key-missing")
    assert await standing(smolensk, year=2025) == {}


async def test_a_school_is_withdrawn_with_a_reason_and_joins_again(smolensk):
    school = await a_school(smolensk)
    await smolensk.region.post(YEARS, json={"year": 2025})
    body = {"school_id": school["id"], "year": 2025, "categories": ["low_results"]}
    joined = await smolensk.region.post(PARTICIPATIONS, json=body | {"joined_on": "2025-03-01"})
    address = f"{PARTICIPATIONS}/{joined.json()['id']}"
    leaving = {"reason": "Школа вышла на средние результаты", "withdrawn_on": "2025-04-01"}

    early = await smolensk.region.post(
        f"{address}/withdrawal",
        json=leaving | {"withdrawn_on": "2025-02-01"},
        headers={"If-Match": '"1"'},
    )
    left = await smolensk.region.post(
        f"{address}/withdrawal", json=leaving, headers={"If-Match": '"1"'}
    )
    twice = await smolensk.region.post(
        f"{address}/withdrawal", json=leaving, headers={"If-Match": '"2"'}
    )
    back = await smolensk.region.post(PARTICIPATIONS, json=body)

    problem(early, 422, "validation-failed")
    assert left.json()["withdrawn_on"] == "2025-04-01"
    problem(twice, 409, "already-withdrawn")
    assert (back.json()["id"], back.json()["withdrawn_on"]) == (joined.json()["id"], None)


async def test_the_summary_counts_exact_combinations_by_municipality(smolensk):
    one = await a_school(smolensk, code="1")
    two = await a_school(smolensk, code="2")
    far = await a_school(smolensk, smolensk.vyazma, code="3")
    await apply(
        smolensk.region,
        run_body(
            1, [(one, ["low_results"]), (two, ["low_results", "adverse"]), (far, ["adverse"])]
        ),
    )

    summary = (await smolensk.region.get(f"{PARTICIPATIONS}/summary", params={"year": 2025})).json()
    of_municipality = (
        await smolensk.municipality(smolensk.vyazma).get(
            f"{PARTICIPATIONS}/summary", params={"year": 2025}
        )
    ).json()

    assert [(row["municipality"], row["total"], row["by_categories"]) for row in summary] == [
        ("Велижский район", 2, {"low_results": 1, "adverse+low_results": 1}),
        ("Вяземский район", 1, {"adverse": 1}),
    ]
    assert [row["municipality"] for row in of_municipality] == ["Вяземский район"]


async def test_everyone_sees_the_participation_of_theirs(registry, smolensk):
    own = await a_school(smolensk, code="1")
    other = await a_school(smolensk, smolensk.vyazma, code="2")
    await apply(smolensk.region, run_body(1, [(own, ["low_results"]), (other, ["adverse"])]))
    school = registry.as_(
        callers.school_user(
            region_id=smolensk.region_id, municipality_id=smolensk.velizh, school_id=own["id"]
        )
    )
    page = (await smolensk.region.get(PARTICIPATIONS, params={"school_id": other["id"]})).json()
    hidden = page["items"][0]["id"]

    for client in (school, smolensk.municipality(smolensk.velizh)):
        listed = (await client.get(PARTICIPATIONS, params={"count": True})).json()

        assert ([row["school_id"] for row in listed["items"]], listed["total"]) == ([own["id"]], 1)
        problem(await client.get(f"{PARTICIPATIONS}/{hidden}"), 404, "participation-not-found")
        problem(
            await client.get(f"{PARTICIPATIONS}/{hidden}/events"), 404, "participation-not-found"
        )
