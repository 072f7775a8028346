"""Precision over HTTP: what each number of a run carries, which change is seen, which target judged."""

from decimal import Decimal
from fractions import Fraction

import pytest
from scipy import stats

from tests.indicators.identification.conftest import RUNS
from tests.support.builders.rollups import (
    a_municipality,
    a_procedure,
    a_region,
    a_school,
    results,
)
from tests.support.callers import curator, municipality_user, school_user
from tests.support.running import problem

CHANGES = "/api/indicators/v1/detectable-changes"
TARGETS = "/api/indicators/v1/target-judgements"

# School: low and takers in two exams of 2024.
NUMBERS = {
    1: (9, 30),  # exactly at the threshold
    2: (24, 40),  # far above
    3: (1, 40),  # far below
    4: (5, 12),
    5: (2, 5),  # small
    6: (8, 30),  # one pupil below
}


async def a_small_region(session):
    await a_region(session)
    await a_municipality(session, 1, "Велижский")
    await a_municipality(session, 2, "Вяземский")
    for number, kind, grade in ((241, "oge", 9), (242, "ege", 11)):
        await a_procedure(session, number, kind=kind, grade=grade, year=2024)
        for school in NUMBERS if number == 241 else ():
            await a_school(session, school, municipality_id=1 if school < 4 else 2)
        # The sixth is one pupil below in one exam only: the other is low for sure.
        await results(session, number, NUMBERS if number == 241 else NUMBERS | {6: (20, 30)})


@pytest.fixture
async def run(desk):
    async with desk.facts() as session:
        await a_small_region(session)
    return await desk.computed(await desk.methodology(shipped="smolensk-nro-fnsu"))


async def precision(desk, run, **params):
    token = params.pop("token", None)
    answer = await desk.call("GET", f"{RUNS}/{run['id']}/precision", params=params, token=token)
    assert answer.status_code == 200, answer.text
    return {item["school_id"]: item for item in answer.json()["items"]}


def in_exam(school, procedure_id):
    return next(p for p in school["procedures"] if p["procedure_id"] == procedure_id)


async def test_every_number_stands_beside_what_it_carries(desk, run):
    found = await precision(desk, run)

    fourth = in_exam(found[4], 241)
    assert (fourth["low"], fourth["n"], fourth["share"]) == (5, 12, "0.416667")
    assert fourth["wilson"] == {"lower": "0.193260", "upper": "0.680489"}
    ends = stats.binomtest(5, 12).proportion_ci(method="exact")
    assert float(fourth["exact"]["lower"]) == pytest.approx(ends.low, abs=1e-6)
    assert float(fourth["exact"]["upper"]) == pytest.approx(ends.high, abs=1e-6)
    assert fourth["pupils_to_threshold"] == 2
    prior = fourth["prior"]
    weight, share = Fraction(prior["weight"]), Fraction(prior["share"])
    assert share == Fraction(
        sum(k for k, _ in NUMBERS.values()), sum(n for _, n in NUMBERS.values())
    )
    drawn = (5 + weight * share) / (12 + weight)
    assert abs(Fraction(fourth["shrunken_share"]) - drawn) <= Fraction(1, 10**6)
    law = stats.beta(float(5 + weight * share), float(7 + weight * (1 - share)))
    assert float(fourth["probability"]) == pytest.approx(law.sf(0.3), abs=2e-9)


async def test_badges_and_the_border_of_one_pupil(desk, run):
    found = await precision(desk, run)

    badges = {number: (s["badge"], s["is_borderline"]) for number, s in found.items()}
    assert badges == {
        1: ("borderline", True),
        2: ("reliable", False),
        3: ("reliable", False),
        # Both exams are low: one pupil of one exam leaves the rule of two exams unfulfilled.
        4: ("borderline", False),
        5: ("few_data", False),
        6: ("borderline", True),
    }
    assert in_exam(found[6], 241)["pupils_to_threshold"] == -1


async def test_borderline_schools_can_be_asked_for_alone(desk, run):
    near = await precision(desk, run, is_borderline=True)
    others = await precision(desk, run, is_borderline=False)

    assert set(near) == {1, 6}
    assert set(near) | set(others) == set(NUMBERS)
    assert set(await precision(desk, run, is_borderline=True, municipality_id=2)) == {6}
    assert set(await precision(desk, run, certainty="certain")) == {2}


async def test_precision_is_paged_by_code(desk, run):
    first = (await desk.call("GET", f"{RUNS}/{run['id']}/precision", params={"limit": 4})).json()
    rest = (
        await desk.call(
            "GET", f"{RUNS}/{run['id']}/precision", params={"limit": 4, "cursor": first["next"]}
        )
    ).json()

    assert [s["school_id"] for s in [*first["items"], *rest["items"]]] == list(NUMBERS)
    assert rest["next"] is None


async def test_the_level_below_sees_its_schools_after_publication_only(desk, run):
    token = municipality_user(region_id=1, municipality_id=1)
    answer = await desk.call("GET", f"{RUNS}/{run['id']}/precision", token=token)

    problem(answer, 404, "run-not-found")


async def test_nobody_without_exact_numbers_asks_for_the_border(desk, run):
    token = curator(region_id=1)
    answer = await desk.call(
        "GET", f"{RUNS}/{run['id']}/precision", params={"is_borderline": True}, token=token
    )

    problem(answer, 403, "missing-scope")


async def test_a_run_that_is_not_there_has_no_precision(desk):
    problem(await desk.call("GET", f"{RUNS}/99/precision"), 404, "run-not-found")


async def test_three_points_need_3663_takers_and_a_school_of_25_sees_36(desk):
    answer = await desk.call(
        "POST",
        CHANGES,
        json={
            "base_share": "3/10",
            "wanted": -3,
            "levels": [
                {"level": "school", "before": 25, "after": 25},
                {"level": "region", "before": 3663, "after": 3663},
                {"level": "region", "before": 3662, "after": 3663},
            ],
        },
    )

    found = answer.json()
    assert answer.status_code == 200, answer.text
    assert found["needed"] == 3663
    assert [level["is_measurable"] for level in found["levels"]] == [False, True, False]
    assert found["levels"][0]["detectable"] == "36.3127"
    assert found["sentences"][0] == (
        "Школа: участников 25; различимо изменение не меньше 36,3127 п. п.; задуманное −3 п. п. "
        "не различимо."
    )
    assert (found["alpha"], found["power"]) == ("0.05", "0.8")


async def test_pupils_of_a_few_schools_see_less_than_as_many_strangers(desk):
    level = {"level": "municipality", "before": 600, "after": 600, "schools": 12}
    body = {"base_share": "0.3", "levels": [level], "rho": 0.1}

    answer = await desk.call("POST", CHANGES, json=body)

    found = answer.json()["levels"][0]
    # 50 to a school: 1 + 49 * 0.1.
    assert Decimal(found["design_effect"]) == Decimal("5.9")


async def test_means_are_seen_in_their_own_unit(desk):
    body = {
        "measure": "mean",
        "standard_deviation": 10,
        "wanted": 2,
        "levels": [{"level": "other", "before": 100, "after": 100}],
    }

    found = (await desk.call("POST", CHANGES, json=body)).json()

    # 2.801585 * 10 * sqrt(2 / 100)
    assert found["levels"][0]["detectable"] == "3.9620"
    assert found["levels"][0]["is_measurable"] is False
    assert found["needed"] == 393


async def test_the_participants_of_a_procedure_are_taken_by_level(desk):
    async with desk.facts() as session:
        await a_small_region(session)

    found = (await desk.call("POST", CHANGES, json={"procedure_id": 241, "wanted": -3})).json()
    below = (
        await desk.call(
            "POST",
            CHANGES,
            json={"procedure_id": 241},
            token=municipality_user(region_id=1, municipality_id=1),
        )
    ).json()

    sizes = [(level["level"], level["size"], level["before"]) for level in found["levels"]]
    assert sizes == [
        ("school", "smallest", 5),
        ("school", "median", 30),
        ("school", "largest", 40),
        ("municipality", "smallest", 47),
        ("municipality", "median", 47),
        ("municipality", "largest", 110),
        ("region", "all", 157),
    ]
    assert found["base_share"] == "49/157"
    assert not any(level["is_measurable"] for level in found["levels"])
    assert [level["level"] for level in below["levels"]] == ["school"] * 3 + ["municipality"] * 3
    assert below["base_share"] == "17/55"


async def test_the_participants_of_a_procedure_are_for_those_who_have_the_rows(desk):
    async with desk.facts() as session:
        await a_small_region(session)
    body = {"procedure_id": 241}

    visiting = await desk.call("POST", CHANGES, json=body, token=curator(region_id=1))
    school = await desk.call(
        "POST",
        CHANGES,
        json=body,
        token=school_user(region_id=1, municipality_id=1, school_id=1),
    )
    missing = await desk.call("POST", CHANGES, json={"procedure_id": 99})

    problem(visiting, 403, "missing-scope")
    assert {level["before"] for level in school.json()["levels"]} == {30}
    problem(missing, 404, "procedure-not-found")


async def test_a_procedure_without_participants_or_low_results_says_so(desk):
    async with desk.facts() as session:
        await a_small_region(session)
        await a_procedure(session, 243, kind="gve", grade=9, year=2024)
        await a_procedure(session, 244, kind="rdr", grade=9, year=2024)
        await results(session, 244, {1: (0, 20), 2: (0, 30)})

    nobody = await desk.call("POST", CHANGES, json={"procedure_id": 243})
    none_low = await desk.call("POST", CHANGES, json={"procedure_id": 244})
    given = await desk.call("POST", CHANGES, json={"procedure_id": 244, "base_share": "1/10"})

    problem(nobody, 409, "no-base-share")
    problem(none_low, 409, "no-base-share")
    assert given.status_code == 200


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"base_share": "3/10"}, ""),
        ({"levels": [{"level": "school", "before": 25, "after": 25}]}, ""),
        (
            {"base_share": "3/10", "levels": [{"level": "school", "before": 0, "after": 2}]},
            "/levels",
        ),
        ({"procedure_id": 1, "alpha": 0.7}, "/alpha"),
        ({"procedure_id": 1, "wanted": 0}, ""),
        ({"procedure_id": 1, "measure": "mean", "standard_deviation": 1}, ""),
    ],
)
async def test_what_cannot_be_meant_is_refused(desk, body, pointer):
    answer = await desk.call("POST", CHANGES, json=body)

    problem(answer, 422, "validation-failed")
    assert answer.json()["errors"][0]["pointer"].startswith(pointer)


TARGET = {
    "indicator": "Доля участников ниже минимального балла",
    "level": "school",
    "wanted": -3,
    "before": {"numerator": 9, "denominator": 25},
    "after": {"numerator": 7, "denominator": 25},
}


async def test_a_target_that_a_school_cannot_show_is_not_distinguishable(desk):
    found = (await desk.call("POST", TARGETS, json=TARGET)).json()

    assert (found["verdict"], found["title"]) == ("indistinguishable", "не различимо")
    assert found["change"] == "-8.0000"
    assert found["is_measurable"] is False
    assert found["needed"] > 3000
    assert "не различимо" in found["sentences"][1]


async def test_the_same_target_is_refused_where_that_is_asked_for(desk):
    answer = await desk.call("POST", TARGETS, json=TARGET | {"weak_numbers": "refuse"})

    refused = problem(answer, 409, "target-not-distinguishable")
    assert refused["needed"] > 3000


async def test_a_region_reaches_or_misses_the_same_target(desk):
    region = TARGET | {
        "level": "region",
        "before": {"numerator": 3600, "denominator": 10_000},
        "weak_numbers": "refuse",
    }
    reached = region | {"after": {"numerator": 3300, "denominator": 10_000}}
    missed = region | {"after": {"numerator": 3590, "denominator": 10_000}}

    answers = [(await desk.call("POST", TARGETS, json=body)).json() for body in (reached, missed)]

    assert [answer["title"] for answer in answers] == ["достигнуто", "не достигнуто"]
    assert all(answer["is_measurable"] for answer in answers)


async def test_a_target_needs_a_change_and_people(desk):
    for wrong in (
        TARGET | {"wanted": 0},
        TARGET | {"wanted": 101},
        TARGET | {"after": {"numerator": 26, "denominator": 25}},
        TARGET | {"after": {"numerator": 0, "denominator": 0}},
    ):
        problem(await desk.call("POST", TARGETS, json=wrong), 422, "validation-failed")
