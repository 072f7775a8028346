"""Clusters of a run over HTTP: what schools share, who is typical, who is left out and why."""

import pytest
from sqlalchemy import text

from tests.indicators.identification.conftest import RUNS
from tests.support.builders.context import a_profile
from tests.support.builders.rollups import (
    a_municipality,
    a_procedure,
    a_region,
    a_school,
    results,
)
from tests.support.callers import curator, machine, municipality_user
from tests.support.running import problem

# School: municipality, rural, adverse conditions, low results, pupils (None: no profile).
SCHOOLS = {
    1: (1, True, False, True, 30),
    2: (1, True, False, True, 35),
    3: (2, True, False, True, 39),
    4: (2, True, True, True, 60),
    5: (1, False, False, True, 700),
    6: (2, False, False, True, 500),
    7: (2, False, False, True, 900),
    8: (1, None, False, True, 55),
    9: (1, True, False, True, None),
    10: (1, True, False, False, 50),
}


@pytest.fixture
async def run(desk):
    async with desk.facts() as session:
        await a_region(session)
        await a_municipality(session, 1, "Велижский")
        await a_municipality(session, 2, "Вяземский")
        for number, (place, is_rural, adverse, _, pupils) in SCHOOLS.items():
            await a_school(session, number, municipality_id=place, adverse=adverse)
            await session.execute(
                text("UPDATE school SET is_rural = :rural WHERE id = :id"),
                {"rural": is_rural, "id": number},
            )
            if pupils is not None:
                await a_profile(session, number, {"pupils": pupils})
        for number, kind, grade in ((241, "oge", 9), (242, "ege", 11)):
            await a_procedure(session, number, kind=kind, grade=grade, year=2024)
            counts = {n: (20 if low else 2, 40) for n, (*_, low, _) in SCHOOLS.items()}
            await results(session, number, counts)
    return await desk.computed(await desk.methodology(shipped="smolensk-nro-fnsu"))


async def clusters(desk, run, token=None, **params):
    answer = await desk.call("GET", f"{RUNS}/{run['id']}/clusters", params=params, token=token)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_clusters_are_explained_by_what_their_schools_share(desk, run):
    found = await clusters(desk, run)

    assert [(c["code"], c["schools"]) for c in found["clusters"]] == [
        ("rural.low_results.smallest", 3),
        ("urban.low_results.usual", 3),
        ("others", 1),
    ]
    first = found["clusters"][0]
    assert [value["title"] for value in first["shared"]][::2] == ["село", "меньше 40 учеников"]
    assert first["medoid"]["school_id"] == 2
    assert first["ranges"][0] == {
        "code": "pupils", "title": "Обучающихся", "known": 3, "least": "30", "middle": "35",
        "greatest": "39",
    }  # fmt: skip
    assert [
        (m["name"], [s["school_id"] for s in m["schools"]]) for m in first["municipalities"]
    ] == [
        ("Велижский", [1, 2]),
        ("Вяземский", [3]),
    ]
    assert "Самая типичная школа: Школа № 2 (670002)." in first["sentences"]


async def test_a_school_of_which_something_is_not_known_is_named_with_the_reason(desk, run):
    found = await clusters(desk, run)

    assert {s["school_id"]: [r["code"] for r in s["reasons"]] for s in found["excluded"]} == {
        8: ["settlement_unknown"],
        9: ["completeness_unknown"],
    }


async def test_dimensions_sizes_and_the_smallest_cluster_are_settings(desk, run):
    by_place = await clusters(desk, run, dimension=["settlement"], at_least=1)
    coarse = await clusters(
        desk, run, dimension=["completeness"], small_below=600, small_to=800, at_least=1
    )
    everybody = await clusters(desk, run, is_listed=False, at_least=1, dimension=["risk_profile"])

    assert [(c["code"], c["schools"]) for c in by_place["clusters"]] == [("rural", 5), ("urban", 3)]
    assert [(c["code"], c["schools"]) for c in coarse["clusters"]] == [
        ("smallest", 6),
        ("small", 1),
        ("usual", 1),
    ]
    assert {c["code"]: c["schools"] for c in everybody["clusters"]} == {
        "low_results": 8,
        "low_results-adverse_conditions": 1,
        "none": 1,
    }


async def test_the_same_run_gives_the_same_bytes(desk, run):
    path = f"{RUNS}/{run['id']}/clusters"
    first = await desk.call("GET", path)
    async with desk.facts() as session:
        # Rows come in another physical order.
        await session.execute(text("UPDATE run_school SET name = name WHERE school_id % 2 = 0"))
    second = await desk.call("GET", path)

    assert first.content == second.content


async def test_below_the_region_a_draft_has_no_clusters(desk, run):
    for token in (municipality_user(region_id=1, municipality_id=1), curator(region_id=1)):
        answer = await desk.call("GET", f"{RUNS}/{run['id']}/clusters", token=token)

        problem(answer, 404, "run-not-found")


async def test_a_published_run_shows_each_level_its_own_schools(desk, run):
    async with desk.facts() as session:
        await session.execute(
            text(
                "UPDATE identification_run SET state = 'published', is_published = true,"
                " prepared_by = 'user:1', approved_by = 'user:2', order_number = '1',"
                " order_date = '2025-03-01' WHERE id = :id"
            ),
            {"id": run["id"]},
        )
        for table in ("run_school", "run_context", "run_evidence", "run_procedure"):
            await session.execute(
                text(f"UPDATE {table} SET is_published = true WHERE run_id = :id"),
                {"id": run["id"]},
            )

    found = await clusters(
        desk, run, token=municipality_user(region_id=1, municipality_id=2), at_least=1
    )

    shown = {
        school["school_id"]
        for cluster in found["clusters"]
        for place in cluster["municipalities"]
        for school in place["schools"]
    }
    assert shown == {3, 4, 6, 7}


# A machine client of the region without indices:exact.
UNTOLD = machine(region_id=1, scopes=["runs:read"])


async def test_measures_and_who_is_typical_by_them_are_for_those_who_see_exact_numbers(desk, run):
    alone = await clusters(desk, run, token=UNTOLD, at_least=1)
    known = await clusters(desk, run, at_least=1)

    assert all(not c["ranges"] and c["medoid"] is None for c in alone["clusters"])
    assert [c["code"] for c in alone["clusters"]] == [c["code"] for c in known["clusters"]]


async def test_borders_of_sizes_do_not_tell_a_number_that_a_profile_hides(desk, run):
    path = f"{RUNS}/{run['id']}/clusters"
    below, at = {"small_below": 4}, {"small_below": 5}

    problem(await desk.call("GET", path, params=below, token=UNTOLD), 403, "missing-scope")
    assert (await desk.call("GET", path, params=at, token=UNTOLD)).status_code == 200
    assert (await desk.call("GET", path, params=below)).status_code == 200
