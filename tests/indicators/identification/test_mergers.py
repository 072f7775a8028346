"""A school merged in the middle of the years that the rules look at, from the registry's event to the trace."""

import datetime as dt

import pytest
from sqlalchemy import text

from tests.indicators.identification.conftest import RUNS
from tests.support.builders.rollups import (
    a_municipality,
    a_procedure,
    a_region,
    a_school,
    insert,
    results,
)

AUTUMN = dt.date(2024, 9, 1)
OWN, MERGED, OTHER = 1, 2, 3


async def an_event(session, number, *, kind="merge", school=OWN, predecessor=MERGED, on=AUTUMN):
    await insert(
        session, "succession", id=number, region_id=1, municipality_id=1, school_id=school,
        predecessor_id=predecessor, kind=kind, happened_on=on, order_number="15",
        order_date=dt.date(2024, 8, 1),
    )  # fmt: skip


async def two_schools(session, *, closed_on=AUTUMN):
    """Two exams of 2024 and of 2023; the second school is low, the first is not."""
    await a_region(session)
    await a_municipality(session, 1, "Велижский")
    await a_school(session, OWN, municipality_id=1)
    await a_school(session, MERGED, municipality_id=1, closed_on=closed_on, name="Малая школа")
    await a_school(session, OTHER, municipality_id=1)
    for number, kind, grade, year in (
        (241, "oge", 9, 2024), (242, "ege", 11, 2024), (231, "oge", 9, 2023), (232, "ege", 11, 2023),
    ):  # fmt: skip
        await a_procedure(session, number, kind=kind, grade=grade, year=year)
        await results(session, number, {OWN: (5, 20), MERGED: (10, 20), OTHER: (1, 30)})


async def run_of(desk):
    return await desk.computed(await desk.methodology(shipped="smolensk-nro-fnsu"))


async def trace(desk, run, school=OWN):
    answer = await desk.call("GET", f"{RUNS}/{run['id']}/schools/{school}/trace")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def reorganised(desk, run):
    async with desk.facts() as session:
        rows = await session.execute(
            text("SELECT * FROM run_reorganisation WHERE run_id = :run ORDER BY event_id"),
            {"run": run["id"]},
        )
        return rows.mappings().all()


def numbers(traced):
    return {
        p["procedure_id"]: (p["low"]["numerator"], p["low"]["denominator"])
        for p in traced["procedures"]
        if p["low"]
    }


async def test_the_successor_is_judged_by_the_results_of_both(desk):
    async with desk.facts() as session:
        await two_schools(session)
        await an_event(session, 7)

    run = await run_of(desk)
    traced = await trace(desk, run)

    assert numbers(traced) == dict.fromkeys((241, 242, 231, 232), (15, 40))
    # 15 of 40 is 37.5 %: by itself the school stood at 25 %.
    assert traced["school"]["category"] == "nro"
    assert any("Малая школа" in sentence for sentence in traced["sentences"])
    assert run["counts"]["schools"] == 2
    (kept,) = await reorganised(desk, run)
    assert (kept["school_id"], kept["predecessor_id"], kept["outcome"]) == (OWN, MERGED, "passed")
    assert (kept["predecessor_name"], kept["order_number"]) == ("Малая школа", "15")
    assert sorted(
        zip(kept["procedure_id"], kept["n"], kept["low"], kept["failed"], strict=True)
    ) == [(number, 20, 10, 10) for number in (231, 232, 241, 242)]


async def test_subjects_and_sources_are_those_of_both(desk):
    async with desk.facts() as session:
        await two_schools(session)
        await an_event(session, 7)

    traced = await trace(desk, await run_of(desk))

    procedure = next(p for p in traced["procedures"] if p["procedure_id"] == 241)
    mathematics = next(s for s in procedure["subjects"] if s["subject"] == "mat")
    assert (mathematics["n"], mathematics["failed"], mathematics["absent"]) == (40, 15, 2)
    assert sorted(source["first_row"] for source in procedure["sources"]) == [100, 200]


async def test_a_merger_in_the_middle_leaves_later_years_as_they_are(desk):
    async with desk.facts() as session:
        await two_schools(session, closed_on=dt.date(2023, 9, 1))
        # Since the merger the pupils are counted at the successor.
        for table in ("rollup_pattern", "rollup_subject", "rollup_source"):
            await session.execute(
                text(f"DELETE FROM {table} WHERE school_id = 2 AND procedure_id IN (241, 242)")
            )
        await an_event(session, 7, on=dt.date(2023, 9, 1))

    traced = await trace(desk, await run_of(desk))

    assert numbers(traced) == {241: (5, 20), 242: (5, 20), 231: (15, 40), 232: (15, 40)}


@pytest.mark.parametrize("order", [(7, 8), (8, 7)])
async def test_a_chain_of_mergers_ends_at_the_school_that_is_open(desk, order):
    first, second = order
    async with desk.facts() as session:
        await two_schools(session)
        await session.execute(text("UPDATE school SET closed_on = '2024-10-01' WHERE id = 3"))
        await an_event(session, first, school=OTHER, predecessor=MERGED)
        await an_event(session, second, school=OWN, predecessor=OTHER, on=dt.date(2024, 10, 1))

    run = await run_of(desk)

    assert numbers(await trace(desk, run))[241] == (16, 70)
    assert {row["predecessor_id"]: row["school_id"] for row in await reorganised(desk, run)} == {
        MERGED: OWN,
        OTHER: OWN,
    }


async def test_a_divided_school_is_passed_to_nobody(desk):
    async with desk.facts() as session:
        await two_schools(session)
        await an_event(session, 7, school=OWN)
        await an_event(session, 8, school=OTHER)

    run = await run_of(desk)

    assert numbers(await trace(desk, run))[241] == (5, 20)
    assert numbers(await trace(desk, run, OTHER))[241] == (1, 30)
    kept = await reorganised(desk, run)
    assert [(row["outcome"], row["procedure_id"]) for row in kept] == [
        ("several_successors", [])
    ] * 2


async def test_a_predecessor_that_is_open_is_not_counted_twice(desk):
    async with desk.facts() as session:
        await two_schools(session, closed_on=None)
        await an_event(session, 7)

    run = await run_of(desk)

    assert numbers(await trace(desk, run))[241] == (5, 20)
    assert numbers(await trace(desk, run, MERGED))[241] == (10, 20)
    assert [row["outcome"] for row in await reorganised(desk, run)] == ["still_open"]


async def test_a_merger_after_the_day_of_the_run_changes_nothing_yet(desk):
    later = dt.date(2124, 9, 1)
    async with desk.facts() as session:
        await two_schools(session, closed_on=later)
        await an_event(session, 7, on=later)

    run = await run_of(desk)

    assert run["counts"]["schools"] == 3
    assert await reorganised(desk, run) == []


async def test_a_run_with_a_merger_is_found_whole_when_it_is_verified(desk):
    async with desk.facts() as session:
        await two_schools(session)
        await an_event(session, 7)

    run = await run_of(desk)
    verified = await desk.call("POST", f"{RUNS}/{run['id']}/verification")

    assert verified.status_code == 200, verified.text
    assert verified.json()["is_intact"] is True
