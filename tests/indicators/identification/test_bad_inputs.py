"""The documented answer to each kind of bad input (docs/decisions/0027), over HTTP."""

import datetime as dt
from decimal import Decimal

import pytest
from sqlalchemy import text

from services.indicators.methodologies.shipped import shipped_methodologies
from tests.indicators.identification.conftest import RUNS
from tests.support.builders.rollups import (
    a_municipality,
    a_procedure,
    a_region,
    a_school,
    insert,
    results,
)
from tests.support.running import problem

NAIVE = {"below": 1, "policy": "flag"}
POOL = {"below": 10, "policy": "pool", "years": 2}


def document(**changed):
    return shipped_methodologies()["smolensk-nro-fnsu"].canonical() | {"code": "own"} | changed


async def schools(session, *numbers, **values):
    await a_region(session)
    await a_municipality(session, 1, "Велижский")
    for number in numbers:
        await a_school(session, number, municipality_id=1, adverse=False, **values)


async def told(desk, run):
    page = (await desk.call("GET", f"{RUNS}/{run['id']}/schools")).json()
    return {school["school_id"]: school for school in page["items"]}


async def traced(desk, run, school_id):
    answer = await desk.call("GET", f"{RUNS}/{run['id']}/schools/{school_id}/trace")
    assert answer.status_code == 200, answer.text
    return answer.json()


def notices(run, code):
    return [notice for notice in run["notices"] if notice["code"] == code]


async def test_a_procedure_that_the_region_does_not_have_gives_nothing_and_is_told(desk):
    async with desk.facts() as session:
        await schools(session, 1)
        await a_procedure(session, 1, kind="oge", grade=9, year=2024)
        await results(session, 1, {1: (20, 40)})

    run = await desk.computed(await desk.methodology(document=document()))

    # ЕГЭ is considered by the methodology; nobody has written one.
    missing = notices(run, "procedure-missing")
    assert len(missing) == 1
    assert "ege" in missing[0]["detail"]
    school = (await told(desk, run))[1]
    assert (school["state"], school["flags"]) == ("incomplete", [])
    assert school["unknown_flags"] == ["low_results"]


async def test_a_methodology_none_of_whose_procedures_is_there_is_refused(desk):
    async with desk.facts() as session:
        await schools(session, 1)
        await a_procedure(session, 1, kind="vpr", grade=5, year=2024)

    answer = await desk.start(await desk.methodology(document=document()))

    problem(answer, 409, "no-procedures")


async def test_thresholds_that_contradict_are_refused_when_the_methodology_is_written(desk):
    rules = [
        {"code": "a", "title": "А", "years_back": [1], "at_least": 2},
        {"code": "a", "title": "Б", "years_back": [1, 2], "at_least": 1},
    ]
    answer = await desk.call(
        "POST",
        "/api/indicators/v1/methodology-versions",
        json={"document": document(rules=rules)},
    )

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"].startswith("/document/rules")


async def test_a_look_back_over_a_year_without_data_holds_nothing_and_is_told(desk):
    rules = [{"code": "b", "title": "Два года", "years_back": [1, 2], "at_least": 1}]
    async with desk.facts() as session:
        await schools(session, 1)
        await a_procedure(session, 1, kind="oge", grade=9, year=2024)
        await results(session, 1, {1: (40, 40)})

    run = await desk.computed(await desk.methodology(document=document(rules=rules)))

    missing = notices(run, "year-missing")
    assert [(notice["rule"], notice["years"]) for notice in missing] == [("b", [2023])]
    school = (await told(desk, run))[1]
    # All of its pupils are low in the year that is there: still not known, and not "no".
    assert (school["category"], school["unknown_flags"]) == (None, ["low_results"])


@pytest.mark.parametrize(("changed", "category"), [(False, "nro"), (True, None)])
async def test_years_whose_scales_differ_are_not_added_up(desk, changed, category):
    rules = [{"code": "a", "title": "А", "years_back": [1], "at_least": 1}]
    async with desk.facts() as session:
        await schools(session, 1)
        await a_procedure(session, 1, kind="oge", grade=9, year=2024)
        await a_procedure(
            session, 2, kind="oge", grade=9, year=2023,
            maximum=Decimal(33) if changed else Decimal(31),
        )  # fmt: skip
        await results(session, 1, {1: (6, 6)})
        await results(session, 2, {1: (6, 6)})

    run = await desk.computed(await desk.methodology(document=document(rules=rules, small_n=POOL)))

    # Six of six twice over: twelve are enough for an answer, six of another scale are not added.
    school = (await told(desk, run))[1]
    assert school["category"] == category
    assert school["certainty"] == ("too_few" if changed else "certain")
    assert [n["years"] for n in notices(run, "scales-changed")] == (
        [[2023, 2024]] if changed else []
    )
    trace = await traced(desk, run, 1)
    newest = next(p for p in trace["procedures"] if p["year"] == 2024)
    assert newest["judged"]["denominator"] == (6 if changed else 12)


async def test_a_rule_over_years_with_different_scales_judges_each_by_its_own(desk):
    rules = [{"code": "b", "title": "Два года", "years_back": [1, 2], "at_least": 1}]
    async with desk.facts() as session:
        await schools(session, 1)
        await a_procedure(session, 1, kind="oge", grade=9, year=2024, minimum=Decimal(8))
        await a_procedure(session, 2, kind="oge", grade=9, year=2023, minimum=Decimal(6))
        await results(session, 1, {1: (20, 40)})
        await results(session, 2, {1: (20, 40)})

    run = await desk.computed(await desk.methodology(document=document(rules=rules, small_n=NAIVE)))

    assert (await told(desk, run))[1]["category"] == "nro"
    assert len(notices(run, "scales-changed")) == 1
    trace = await traced(desk, run, 1)
    minima = {p["year"]: p["subjects"][0]["minimum"] for p in trace["procedures"]}
    assert minima == {2024: "8", 2023: "6"}


async def test_a_school_merged_before_the_run_brings_its_cells_to_its_successor(desk):
    rules = [{"code": "a", "title": "А", "years_back": [1], "at_least": 1}]
    async with desk.facts() as session:
        await schools(session, 1)
        await a_school(session, 2, municipality_id=1, closed_on=dt.date(2024, 8, 31))
        await insert(
            session, "succession", id=1, region_id=1, municipality_id=1, school_id=1,
            predecessor_id=2, kind="merge", happened_on=dt.date(2024, 8, 31),
        )  # fmt: skip
        await a_procedure(session, 1, kind="oge", grade=9, year=2024)
        await results(session, 1, {1: (1, 20), 2: (19, 20)})

    run = await desk.computed(await desk.methodology(document=document(rules=rules, small_n=NAIVE)))

    found = await told(desk, run)
    assert set(found) == {1}
    # 1 of 20 alone is not low; with the merged school's 19 of 20 it is 20 of 40.
    assert found[1]["category"] == "nro"
    trace = await traced(desk, run, 1)
    assert (trace["procedures"][0]["low"]["numerator"], len(trace["procedures"][0]["subjects"])) == (
        20, 2,
    )  # fmt: skip
    answer = (await desk.call("POST", f"{RUNS}/{run['id']}/verification")).json()
    assert answer["is_intact"], answer["mismatches"]


async def test_a_school_all_of_whose_pupils_were_absent_has_no_data_and_not_zero(desk):
    async with desk.facts() as session:
        await schools(session, 1, 2)
        await a_school(session, 3, municipality_id=1, stages=["noo"], adverse=False)
        await a_procedure(session, 1, kind="oge", grade=9, year=2024)
        await a_procedure(session, 2, kind="ege", grade=11, year=2024)
        await results(session, 1, {2: (0, 10)})
        await results(session, 2, {2: (0, 10)})
        for procedure in (1, 2):
            # As the import counts them: on the list, absent in every subject, nobody took part.
            await session.execute(
                text(
                    "INSERT INTO rollup_subject (procedure_id, school_id, subject, region_id,"
                    " municipality_id, year, grade, n, absent, cancelled, low_n, failed_n, mass_n,"
                    " top_n, sum_milli, sum_sq, mark_2, mark_3, mark_4, mark_5)"
                    " VALUES (:procedure, 1, 0, 1, 1, 2024, 9, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)"
                ),
                {"procedure": procedure},
            )

    run = await desk.computed(await desk.methodology(document=document()))

    found = await told(desk, run)
    # Nobody took part; a true zero; the grades are not taught.
    assert [found[n]["state"] for n in (1, 2, 3)] == ["no_data", "assessed", "not_applicable"]
    assert [found[n]["unknown_flags"] for n in (1, 2, 3)] == [["low_results"], [], []]
    states = {p["state"] for p in (await traced(desk, run, 1))["procedures"]}
    assert states == {"no_data"}


@pytest.mark.parametrize(
    ("counts", "policy", "certainty", "category"),
    [
        # One pupil, low: the bare rule lists the school, and even the interval cannot exclude 30 %.
        ((1, 1), NAIVE, "possible", "nro"),
        ((1, 1), {"below": 10, "policy": "no_flag"}, "too_few", None),
        ((1, 1), POOL, "too_few", None),
        ((0, 1), NAIVE, "not_excluded", None),
        # Nobody: no cell at all.
        ((0, 0), NAIVE, "none", None),
    ],
)  # fmt: skip
async def test_no_pupil_and_one_pupil(desk, counts, policy, certainty, category):
    rules = [{"code": "a", "title": "А", "years_back": [1], "at_least": 1}]
    async with desk.facts() as session:
        await schools(session, 1)
        await a_procedure(session, 1, kind="oge", grade=9, year=2024)
        if counts[1]:
            await results(session, 1, {1: counts})

    run = await desk.computed(
        await desk.methodology(document=document(rules=rules, small_n=policy))
    )

    school = (await told(desk, run))[1]
    assert (school["certainty"], school["category"]) == (certainty, category)
    assert school["state"] == ("assessed" if counts[1] else "no_data")


@pytest.mark.parametrize(
    ("operator", "low", "category"),
    [(">=", 9, "nro"), (">", 9, None), (">", 10, "nro"), (">=", 8, None)],
)
async def test_a_share_exactly_on_the_threshold_is_told_by_the_operator(
    desk, operator, low, category
):
    rules = [{"code": "a", "title": "А", "years_back": [1], "at_least": 1}]
    threshold = {"based_on": "minimum", "threshold": "0.3", "operator": operator}
    async with desk.facts() as session:
        await schools(session, 1)
        await a_procedure(session, 1, kind="oge", grade=9, year=2024)
        await results(session, 1, {1: (low, 30)})

    run = await desk.computed(
        await desk.methodology(document=document(rules=rules, low_result=threshold, small_n=NAIVE))
    )

    assert (await told(desk, run))[1]["category"] == category
