"""A run whose methodology shrinks shares: the list, the trace and the verification judge alike."""

import pytest

from services.indicators.methodologies.shipped import shipped_methodologies
from tests.indicators.identification.conftest import RUNS
from tests.support.builders.rollups import (
    a_municipality,
    a_procedure,
    a_region,
    a_school,
    results,
)

# Eleven schools of forty with few low results, and a small one in which two of five are low.
LARGE = {number: (1 + number % 9, 40) for number in range(1, 12)}
SMALL = 12


@pytest.fixture
async def region(desk):
    async with desk.facts() as session:
        await a_region(session)
        await a_municipality(session, 1, "Велижский")
        for school in (*LARGE, SMALL):
            await a_school(session, school, municipality_id=1)
        for number, kind, grade in ((241, "oge", 9), (242, "ege", 11)):
            await a_procedure(session, number, kind=kind, grade=grade, year=2024)
            await results(session, number, LARGE | {SMALL: (2, 5)})


async def run_of(desk, **certainty):
    document = shipped_methodologies()["smolensk-nro-fnsu"].canonical()
    changed = document | {
        "code": f"own-{'-'.join(certainty.values()) or 'bare'}".replace("_", "-"),
        "small_n": {"below": 1, "policy": "flag"},
        "certainty": {"z": "1.959964"} | certainty,
    }
    return await desk.computed(await desk.methodology(document=changed))


async def test_a_small_school_at_40_percent_is_listed_bare_and_not_when_shares_are_shrunken(
    desk, region
):
    bare = await run_of(desk)
    drawn = await run_of(desk, shrinkage="beta_binomial")

    assert bare["counts"]["listed"] == 1
    assert drawn["counts"]["listed"] == 0


async def test_the_trace_of_one_school_is_judged_by_what_all_have_in_common(desk, region):
    run = await run_of(desk, shrinkage="beta_binomial", interval="exact")

    for school in (SMALL, 1, 8):
        answer = await desk.call("GET", f"{RUNS}/{run['id']}/schools/{school}/trace")
        traced = answer.json()
        assert answer.status_code == 200, answer.text
        best = {"none": 0, "too_few": 1, "not_excluded": 2, "possible": 3, "certain": 4}
        classes = [best[p["certainty"]] for p in traced["procedures"] if p["certainty"]]
        # Both exams of one year are asked for: the school's class is the lower of the two.
        assert best[traced["school"]["certainty"]] == min(classes)


async def test_such_a_run_is_found_whole(desk, region):
    run = await run_of(desk, shrinkage="beta_binomial")
    verified = await desk.call("POST", f"{RUNS}/{run['id']}/verification")

    assert verified.json()["is_intact"] is True, verified.text
