"""What-ifs of a run over HTTP: who enters, who leaves, why, and what the frozen inputs cannot answer."""

from fractions import Fraction

import pytest
from sqlalchemy import text

from services.indicators.methodologies.shipped import shipped_methodologies
from tests.indicators.identification.conftest import RUNS
from tests.support.builders.rollups import (
    a_municipality,
    a_procedure,
    a_region,
    a_school,
    results,
)
from tests.support.callers import machine, municipality_user, region_user, school_user
from tests.support.running import problem

# School: (low of ОГЭ 2024, low of ЕГЭ 2024), each of 40. The threshold of 30 % is 12 of 40.
LOWS = {1: (20, 20), 2: (12, 20), 3: (11, 20), 4: (10, 10), 5: (9, 20), 6: (0, 0)}
ADVERSE = {6}
TIGHTER = {"low_result": {"threshold": "1/4"}}
STRICTER = {"low_result": {"operator": ">"}}


async def a_small_region(session):
    """Six schools in two municipalities, two exams in each of two years."""
    await a_region(session)
    for place, name in ((1, "Велижский район"), (2, "Вяземский район")):
        await a_municipality(session, place, name)
    for school in LOWS:
        await a_school(session, school, municipality_id=1 + school % 2, adverse=school in ADVERSE)
    await session.execute(text("UPDATE school SET is_rural = id < 4, is_small = id = 3"))
    for number, year in ((240, 2024), (230, 2023)):
        await a_procedure(session, number + 1, kind="oge", grade=9, year=year)
        await a_procedure(session, number + 2, kind="ege", grade=11, year=year)
    await results(session, 241, {school: (low, 40) for school, (low, _) in LOWS.items()})
    await results(session, 242, {school: (low, 40) for school, (_, low) in LOWS.items()})


@pytest.fixture
async def run(desk):
    async with desk.facts() as session:
        await a_small_region(session)
    return await desk.computed(await desk.methodology(shipped="smolensk-nro-fnsu"))


async def asked(desk, run, changes, **options):
    return await desk.call(
        "POST", f"{RUNS}/{run['id']}/scenarios", json={"title": "Что если", "changes": changes},
        **options,
    )  # fmt: skip


async def made(desk, run, changes):
    answer = await asked(desk, run, changes)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def schools_of(desk, scenario, **query):
    path = f"{RUNS}/{scenario['run_id']}/scenarios/{scenario['id']}/schools"
    answer = await desk.call("GET", path, params=query)
    assert answer.status_code == 200, answer.text
    return {school["school_id"]: school for school in answer.json()["items"]}


async def test_a_lower_threshold_lets_in_exactly_the_schools_between_the_two(desk, run):
    scenario = await made(desk, run, TIGHTER)

    entered = await schools_of(desk, scenario, change="entered")
    effect = scenario["effect"]

    # 25 % of 40 is 10: schools 3 (11) and 4 (10, 10) enter, 5 (9) does not.
    assert entered.keys() == {3, 4}
    assert (effect["listed_before"], effect["listed_after"]) == (3, 5)
    assert (effect["entered"], effect["left"], effect["changed"]) == (2, 0, 0)
    assert effect["by_category_before"] == {"fnsu": 1, "nro": 2}
    assert effect["by_category_after"] == {"fnsu": 1, "nro": 4}
    assert [(m["name"], m["listed_before"], m["entered"]) for m in effect["municipalities"]] == [
        ("Велижский район", 2, 1),
        ("Вяземский район", 1, 1),
    ]
    groups = {(g["by"], g["value"]): g["entered"] for g in effect["groups"]}
    assert groups == {
        ("kind", "sosh"): 2, ("locality", "rural"): 1, ("locality", "urban"): 1,
        ("size", "small"): 1, ("size", "other"): 1,
    }  # fmt: skip
    # Forty people of grade 9 and forty of grade 11 in each school.
    assert effect["pupils"]["entered"] == 160
    assert effect["pupils"]["listed_before"] == 240
    reason = entered[3]["reason"]
    assert reason["settings"] == ["/low_result/threshold"]
    assert reason["sentence"].startswith("Вошла в список: ")
    assert "30 %" in reason["sentence"]
    assert "25 %" in reason["sentence"]
    assert scenario["settings"][0]["entered_alone"] == 2


async def test_the_setting_that_did_it_is_told_from_the_one_that_did_not(desk, run):
    scenario = await made(desk, run, {"low_result": {"threshold": "1/4"}, "small_n": {"below": 5}})

    entered = await schools_of(desk, scenario, change="entered")
    by_setting = {s["setting"]: s["entered_alone"] for s in scenario["settings"]}

    assert by_setting == {"/low_result/threshold": 2, "/small_n/below": 0}
    assert {tuple(s["reason"]["settings"]) for s in entered.values()} == {
        ("/low_result/threshold",)
    }


async def test_what_only_two_settings_do_together_is_called_a_combination(desk, run):
    # 10 of 40 in one procedure: neither the threshold alone nor one procedure alone is enough.
    rules = [
        {"code": "a", "title": "Одна", "years_back": [1], "at_least": 1},
        {"code": "b", "title": "Две", "years_back": [1, 2], "at_least": 1},
    ]
    async with desk.facts() as session:
        await a_school(session, 7, municipality_id=1)
        await results(session, 241, {7: (10, 40)})
        await results(session, 242, {7: (0, 40)})
    run = await desk.computed(run["methodology_version_id"])

    scenario = await made(desk, run, TIGHTER | {"rules": rules})
    school = (await schools_of(desk, scenario, change="entered"))[7]

    assert school["reason"]["is_combination"] is True
    assert set(school["reason"]["settings"]) == {"/low_result/threshold", "/rules/a"}
    assert "сочетание правок" in school["reason"]["sentence"]


async def test_schools_that_one_pupil_decides_are_marked(desk, run):
    scenario = await made(desk, run, STRICTER)

    schools = await schools_of(desk, scenario)

    # Above 30 % of 40 is 13: school 2 (12) would come with one more; nobody stands at 13.
    assert {s for s, told in schools.items() if told["is_gained_by_one"]} == {2}
    assert not any(told["is_lost_by_one"] for told in schools.values())
    assert (await schools_of(desk, scenario, border="gained_by_one")).keys() == {2}
    assert scenario["effect"]["borderline"]["gained_by_one"] == 1
    assert schools[2]["change"] == "left"


async def test_agreement_with_the_run_is_exact(desk, run):
    scenario = await made(desk, run, TIGHTER)

    (with_run,) = scenario["effect"]["agreement"]

    # 3 in both, 2 here only, 1 in neither: po = 4/6, pe = (5*3 + 1*3)/36 = 1/2.
    assert (with_run["compared_with"], with_run["both"], with_run["here_only"]) == ("run", 3, 2)
    assert Fraction(with_run["kappa"]) == (Fraction(4, 6) - Fraction(1, 2)) / Fraction(1, 2)
    assert Fraction(with_run["jaccard"]) == Fraction(3, 5)
    assert with_run["kappa_rounded"] == "0.333"
    assert scenario["effect"]["last_year"] == "Опубликованного списка за 2024 год нет"


async def test_agreement_with_last_years_published_list_is_told(desk, run):
    old = await desk.computed(run["methodology_version_id"], year=2024)
    async with desk.facts() as session:
        # As publication leaves it; the registry is not part of this test.
        await session.execute(
            text(
                "UPDATE identification_run SET state = 'published', is_published = true,"
                " published_at = now(), prepared_by = 'user:1', approved_by = 'user:2',"
                " order_number = '1', order_date = '2024-09-01' WHERE id = :id"
            ),
            {"id": old["id"]},
        )

    scenario = await made(desk, run, TIGHTER)
    published = scenario["effect"]["agreement"][1]

    assert (published["compared_with"], published["id"]) == ("published", old["id"])
    assert (published["year"], published["n"], scenario["effect"]["last_year"]) == (2024, 6, None)
    # Last year nobody had results: school 6 alone was listed, by its card.
    assert (published["both"], published["here_only"], published["there_only"]) == (1, 4, 0)


@pytest.mark.parametrize(
    ("changes", "setting"),
    [
        ({"procedures": [{"kind": "oge", "grades": [9], "mass_subjects": ["rus"]}]}, "/procedures"),
        ({"procedures": [{"kind": "vpr", "grades": [6], "mass_subjects": None}]}, "/procedures"),
        (
            {"rules": [{"code": "a", "title": "А", "years_back": [4], "at_least": 1}]},
            "/rules",
        ),
        ({"small_n": {"years": 4}}, "/small_n/years"),
        ({"low_result": {"based_on": "bmin"}, "margin_share": "1/10"}, "/margin_share"),
    ],
)
async def test_what_was_not_frozen_is_refused_with_the_setting_named(desk, run, changes, setting):
    refused = problem(await asked(desk, run, changes), 409, "inputs-not-frozen")

    assert {one["setting"] for one in refused["settings"]} == {setting}
    assert all(one["detail"] and one["hint"] for one in refused["settings"])


async def test_the_other_bound_and_fewer_procedures_are_answered(desk, run):
    by_bmin = await made(desk, run, {"low_result": {"based_on": "bmin"}})
    only_oge = await made(
        desk, run, {"procedures": [{"kind": "oge", "grades": [9], "mass_subjects": ["rus", "mat"]}]}
    )

    # Who is low here is low by both bounds; one exam is less than two procedures of rule «а».
    assert by_bmin["effect"]["entered"] == by_bmin["effect"]["left"] == 0
    assert only_oge["effect"]["left"] == 2


async def test_a_scenario_that_changes_nothing_or_is_malformed_is_refused(desk, run):
    same = await asked(desk, run, {"title": "Иное название"})
    wrong = await asked(desk, run, {"low_result": {"threshold": "3/2"}})
    removed = await asked(desk, run, {"low_result": None})
    deep = {}
    for _ in range(60):
        deep = {"a": deep}

    problem(same, 409, "nothing-changed")
    (error,) = problem(wrong, 422, "validation-failed")["errors"]
    assert error["pointer"] == "/changes/low_result/threshold"
    assert problem(removed, 422, "validation-failed")["errors"][0]["pointer"] == (
        "/changes/low_result"
    )
    problem(await asked(desk, run, deep), 422, "validation-failed")
    both = await desk.call(
        "POST",
        f"{RUNS}/{run['id']}/scenarios",
        json={"title": "Оба", "changes": {}, "document": {}},
    )
    problem(both, 422, "validation-failed")


async def test_a_whole_document_says_the_same_as_its_patch(desk, run):
    document = shipped_methodologies()["smolensk-nro-fnsu"].canonical()
    document["low_result"]["threshold"] = "1/4"
    whole = await desk.call(
        "POST", f"{RUNS}/{run['id']}/scenarios", json={"title": "Целиком", "document": document}
    )
    patched = await made(desk, run, TIGHTER)

    assert whole.status_code == 201, whole.text
    assert whole.json()["answers_hash"] == patched["answers_hash"]
    assert whole.json()["effect"] == patched["effect"]


async def test_a_scenario_says_what_a_run_by_its_document_says(desk, run):
    document = shipped_methodologies()["smolensk-nro-fnsu"].canonical()
    document["low_result"]["threshold"] = "1/4"
    real = await desk.computed(await desk.methodology(document=document))
    scenario = await made(desk, run, TIGHTER)

    listed = await desk.call("GET", f"{RUNS}/{real['id']}/schools")
    told = await schools_of(desk, scenario)

    assert {
        school["school_id"]: (
            school["state"], school["flags"], school["category"], school["certainty"],
        )
        for school in listed.json()["items"]
    } == {
        number: tuple(school["after"][name] for name in ("state", "flags", "category", "certainty"))
        for number, school in told.items()
    }  # fmt: skip


async def test_later_data_do_not_reach_a_scenario(desk, run):
    first = await made(desk, run, TIGHTER)
    async with desk.facts() as session:
        await session.execute(text("DELETE FROM rollup_pattern"))
        await session.execute(text("UPDATE scale SET minimum = 20"))

    second = await made(desk, run, TIGHTER)

    assert (first["answers_hash"], first["effect"]) == (second["answers_hash"], second["effect"])


async def test_a_run_whose_rows_were_changed_has_no_scenarios(desk, run):
    async with desk.facts() as session:
        await session.execute(
            text("UPDATE run_evidence SET low = array_fill(0, ARRAY[2]) WHERE school_id = 1")
        )

    problem(await asked(desk, run, TIGHTER), 409, "run-not-reproduced")


async def test_two_scenarios_stand_side_by_side(desk, run):
    here, there = await made(desk, run, TIGHTER), await made(desk, run, STRICTER)

    path = f"{RUNS}/{run['id']}/scenarios/{here['id']}/comparison"
    answer = await desk.call("GET", path, params={"other_scenario_id": there["id"]})
    found = answer.json()

    assert [school["school_id"] for school in found["schools"]] == [2, 3, 4]
    assert {school["there"] for school in found["schools"]} == {None}
    assert found["agreement"]["both"] == 2
    assert len(found["settings"]) == 2


async def test_a_ladder_counts_the_list_at_every_value(desk, run):
    path = f"{RUNS}/{run['id']}/sensitivity"
    values = ["1/5", "1/4", "3/10", "2/5", "7"]
    answer = await desk.call(
        "GET", path, params={"setting": "/low_result/threshold", "value": values}
    )
    found = answer.json()
    nothing = await desk.call("GET", path, params={"setting": "/rules", "value": ["1"]})
    inside = await desk.call(
        "GET", path, params={"setting": "/rules/a/at_least", "value": ["1", "2", "x"]}
    )

    # By hand: 8, 10, 12 and 16 of 40 in both exams; school 6 by its card.
    assert [step["listed"] for step in found["steps"]] == [6, 5, 3, 2, None]
    assert [step["problem"] is None for step in found["steps"]] == [True] * 4 + [False]
    assert (found["value"], found["listed"]) == ("3/10", 3)
    assert found["steps"][2]["kappa_rounded"] == "1.000"
    problem(nothing, 409, "setting-not-found")
    assert [step["listed"] for step in inside.json()["steps"]] == [5, 3, None]


async def test_scenarios_are_the_regions_own(desk, run):
    scenario = await made(desk, run, TIGHTER)
    path = f"{RUNS}/{run['id']}/scenarios"

    for token in (
        municipality_user(region_id=1, municipality_id=1),
        school_user(region_id=1, municipality_id=2, school_id=1),
    ):
        for address in (path, f"{path}/{scenario['id']}", f"{path}/{scenario['id']}/schools"):
            problem(await desk.call("GET", address, token=token), 403, "missing-scope")
    stranger = region_user(region_id=2, user_id=9)
    problem(
        await desk.call("GET", f"{path}/{scenario['id']}", token=stranger),
        404,
        "scenario-not-found",
    )
    problem(await asked(desk, run, TIGHTER, token=stranger), 404, "run-not-found")
    blurred = machine(region_id=1, scopes=["scenarios:read", "runs:read"])
    problem(await desk.call("GET", path, token=blurred), 403, "missing-scope")


async def test_a_scenario_is_voided_once_and_stays_readable(desk, run):
    scenario = await made(desk, run, TIGHTER)
    path = f"{RUNS}/{run['id']}/scenarios/{scenario['id']}"
    why = {"reason": "Больше не нужен"}

    voided = await desk.call("POST", f"{path}/voiding", version=1, json=why)
    again = await desk.call("POST", f"{path}/voiding", version=2, json=why)
    stale = await desk.call("POST", f"{path}/voiding", version=1, json=why)
    listed = await desk.call("GET", f"{RUNS}/{run['id']}/scenarios", params={"is_voided": "true"})

    assert voided.status_code == 200, voided.text
    assert (voided.json()["voided_by"], voided.json()["version"]) == ("user:1", 2)
    problem(again, 409, "scenario-voided")
    problem(stale, 412, "stale-version")
    assert [one["id"] for one in listed.json()["items"]] == [scenario["id"]]


async def test_the_same_key_makes_one_scenario_and_voids_it_once(desk, run):
    path = f"{RUNS}/{run['id']}/scenarios"
    wish = {"title": "Дважды", "changes": TIGHTER}
    why = {"reason": "Больше не нужен"}
    async with desk.service.as_(desk.ann) as client:
        key = {"Idempotency-Key": "twice-made"}
        made = [await client.post(path, headers=key, json=wish) for _ in range(2)]
        other = await client.post(path, headers=key, json=wish | {"title": "Иной"})
        key = {"Idempotency-Key": "twice-voided", "If-Match": '"1"'}
        address = f"{path}/{made[0].json()['id']}/voiding"
        voided = [await client.post(address, headers=key, json=why) for _ in range(2)]
        listed = await client.get(path, params={"count": "true"})

    assert made[0].status_code == 201, made[0].text
    assert made[0].content == made[1].content
    assert [answer.status_code for answer in voided] == [200, 200]
    assert voided[0].content == voided[1].content
    assert listed.json()["total"] == 1
    problem(other, 422, "idempotency-key-reused")


async def test_an_uncomputed_run_has_nothing_to_ask(idle_desk):
    async with idle_desk.facts() as session:
        await a_small_region(session)
    started = await idle_desk.start(await idle_desk.methodology(shipped="smolensk-nro-fnsu"))

    problem(await asked(idle_desk, started.json(), TIGHTER), 409, "run-not-computed")
