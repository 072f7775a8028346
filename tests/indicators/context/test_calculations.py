"""Indices and expected results over HTTP: what is shown, who sees it, what is refused."""

import itertools

import numpy as np
import pytest

from tests.support.callers import curator, machine, municipality_user, region_user
from tests.support.running import problem

API = "/api/indicators/v1"
REGION = region_user(region_id=1)
ISBSH = {
    "code": "own",
    "title": "Два признака",
    "method": "weighted_z",
    "components": [
        {"attribute": "incomplete_families", "title": "Неполные семьи", "adverse": "high"},
        {
            "attribute": "both_parents_higher",
            "title": "Оба с высшим",
            "adverse": "low",
            "weight": "3",
        },
    ],
}


async def ask(service, method, path, token=REGION, **options):
    async with service.as_(token) as client:
        return await client.request(method, f"{API}{path}", **options)


@pytest.fixture
async def service(indicators):
    """Three schools: the third has said nothing of families."""
    await ask(indicators, "POST", "/profile-attributes/adoption", json={})
    numbers = {
        1001: {"incomplete_families": "0.1", "both_parents_higher": "0.5", "staff_mean_age": "50"},
        1002: {"incomplete_families": "0.3", "both_parents_higher": "0.2", "staff_mean_age": "41"},
        2001: {"both_parents_higher": "0.4", "staff_mean_age": "45"},
    }
    for year in (2024, 2025):
        profiles = [
            {
                "school_id": school,
                "cells": [
                    {"attribute": code, "value": value, "source": "Паспорт"}
                    for code, value in cells.items()
                ],
            }
            for school, cells in numbers.items()
        ]
        answer = await ask(
            indicators, "POST", "/school-profiles/bulk", json={"year": year, "profiles": profiles}
        )
        assert answer.status_code == 200, answer.text
    return indicators


async def calculate(service, **wish):
    return await ask(service, "POST", "/context-calculations", json={"year": 2025} | wish)


async def schools_of(service, answer, **params):
    assert answer.status_code == 201, answer.text
    path = f"/context-calculations/{answer.json()['id']}/schools"
    return (await ask(service, "GET", path, params=params)).json()["items"]


async def test_an_index_shows_its_components_weights_n_and_what_was_missing(service):
    answer = await calculate(service, indices=[ISBSH])
    schools = await schools_of(service, answer)

    (index,) = answer.json()["summary"]["indices"]
    assert [c["n"] for c in index["components"]] == [2, 3]
    assert [c["weight"] for c in index["components"]] == ["1", "3"]
    assert (index["n"], index["max_missing_weight"]) == (3, "3/10")
    # By numpy: z with the deviation divided by n, + is adverse.
    higher = np.array([0.5, 0.2, 0.4])
    z = -(higher - higher.mean()) / higher.std()
    expected = [50 - 10 * (-1 + 3 * z[0]) / 4, 50 - 10 * (1 + 3 * z[1]) / 4, 50 - 10 * z[2]]
    found = [float(school["indices"]["own"]["value"]) for school in schools]
    assert found == pytest.approx(expected, rel=1e-9)
    assert [s["indices"]["own"]["missing_weight"] for s in schools] == [
        "0.000000000",
        "0.000000000",
        "0.250000000",
    ]
    assert schools[2]["indices"]["own"]["components"][0] == {
        "state": "not_submitted",
        "number": None,
        "point": None,
    }
    assert all(school["status"] is None for school in schools)


async def test_a_school_that_lacks_too_much_has_no_index(service):
    light = ISBSH | {"max_missing_weight": "1/5"}
    schools = await schools_of(service, await calculate(service, indices=[light]))

    assert [school["indices"]["own"]["value"] is None for school in schools] == [False, False, True]


async def test_the_same_numbers_and_definitions_give_the_same_hashes(service):
    one = (await calculate(service, indices=[ISBSH])).json()
    two = (await calculate(service, indices=[ISBSH])).json()
    await ask(
        service,
        "POST",
        "/school-profiles/bulk",
        json={
            "year": 2025,
            "profiles": [
                {
                    "school_id": 1001,
                    "cells": [
                        {"attribute": "incomplete_families", "value": "0.11", "source": "Паспорт"}
                    ],
                }
            ],
        },
    )
    three = (await calculate(service, indices=[ISBSH])).json()

    hashes = ("definition_hash", "input_hash", "answer_hash")
    assert [one[name] for name in hashes] == [two[name] for name in hashes]
    assert one["definition_hash"] == three["definition_hash"]
    assert one["input_hash"] != three["input_hash"]
    assert one["answer_hash"] != three["answer_hash"]


async def test_a_school_without_what_is_needed_is_listed_with_the_reason(service):
    answer = await calculate(
        service,
        expectation={
            "result": {"taken_from": "attributes", "attributes": ["staff_mean_age"]},
            "on": [{"attribute": "incomplete_families"}],
        },
    )
    schools = await schools_of(service, answer, status="excluded")

    assert [school["code"] for school in schools] == ["200001"]
    assert schools[0]["reasons"] == [
        {"code": "no_predictor", "detail": "За 2025 год нет сведений: incomplete_families"}
    ]
    line = answer.json()["summary"]["expected"]["line"]
    assert (line["n"], line["slopes"], line["r_squared"]) == (2, ["-45.000000000"], "1.000000000")
    assert line["standard_error"] is None  # two schools, two coefficients


async def test_too_few_schools_and_a_constant_predictor_give_no_line(service):
    few = await calculate(
        service,
        expectation={
            "result": {"taken_from": "low_index", "kind": "oge", "grade": 9},
            "on": [{"attribute": "both_parents_higher"}],
        },
    )
    schools = await schools_of(service, few)

    assert few.json()["summary"]["expected"]["problem"] == "too_few_schools"
    assert {school["status"] for school in schools} == {"excluded"}
    codes = {reason["code"] for school in schools for reason in school["reasons"]}
    assert codes == {"no_result", "too_few_schools"}


async def test_standing_apart_in_two_years_needs_both(service):
    expectation = {
        "result": {"taken_from": "attributes", "attributes": ["staff_mean_age"]},
        "on": [{"attribute": "both_parents_higher"}],
        "adverse_by": "own",
        "adverse_share": "2/3",
        "residual_sds": "0.5",
        "years": 2,
    }
    both = await calculate(service, indices=[ISBSH], expectation=expectation)
    before = both.json()["summary"]["expected"]
    await ask(
        service,
        "POST",
        "/school-profiles/bulk",
        json={
            "year": 2024,
            "profiles": [
                {
                    "school_id": school,
                    "cells": [{"attribute": "staff_mean_age", "value": "45", "source": "Паспорт"}],
                }
                for school in (1001, 1002, 2001)
            ],
        },
    )
    after = (await calculate(service, indices=[ISBSH], expectation=expectation)).json()["summary"]
    one = await calculate(service, indices=[ISBSH], expectation=expectation | {"years": 1})

    apart = before["resilient"] + before["struggling"]
    assert apart > 0
    assert after["expected"]["resilient"] + after["expected"]["struggling"] == 0
    alone = one.json()["summary"]["expected"]
    assert alone["resilient"] + alone["struggling"] == apart


async def test_a_kept_index_is_a_version_and_can_be_calculated(service):
    first = await ask(service, "POST", "/context-indices", json={"shipped": "isbsh"})
    twice = await ask(service, "POST", "/context-indices", json={"shipped": "isbsh"})
    second = await ask(service, "POST", "/context-indices", json={"document": ISBSH})
    calculated = await calculate(service, index_ids=[first.json()["id"], second.json()["id"]])

    assert (first.status_code, first.json()["number"]) == (201, 1)
    problem(twice, 409, "context-index-already-added")
    assert [i["code"] for i in calculated.json()["summary"]["indices"]] == ["isbsh", "own"]
    found = await ask(service, "GET", f"/context-indices/{first.json()['id']}")
    assert found.json() == first.json()
    problem(
        await ask(service, "POST", "/context-indices", json={"shipped": "nope"}),
        404,
        "shipped-index-not-found",
    )


async def test_what_a_definition_names_must_exist(service):
    unknown = ISBSH | {
        "components": [{"attribute": "nobody", "title": "Нет такого", "adverse": "low"}]
    }
    told = problem(await calculate(service, indices=[unknown]), 409, "attributes-unknown")
    assert told["attributes"] == ["nobody"]
    expectation = {
        "result": {"taken_from": "attributes", "attributes": ["staff_mean_age"]},
        "on": [{"index": "isbsh"}],
    }
    told = problem(await calculate(service, expectation=expectation), 422, "validation-failed")
    assert told["errors"][0]["code"] == "index_unknown"
    problem(await calculate(service), 422, "validation-failed")
    problem(await calculate(service, index_ids=[999]), 404, "context-index-not-found")


async def test_calculations_stay_with_those_who_see_exact_numbers_of_the_region(service):
    made = (await calculate(service, indices=[ISBSH])).json()
    path = f"/context-calculations/{made['id']}"

    for token, status in (
        (municipality_user(region_id=1, municipality_id=11), 404),
        (region_user(region_id=2), 404),
        (curator(region_id=1), 403),
        (machine(region_id=1, scopes=["profiles:read"]), 403),
    ):
        for of in (path, f"{path}/schools"):
            assert (await ask(service, "GET", of, token)).status_code == status
    assert (await ask(service, "GET", path)).json() == made


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        ({"method": "regression"}, "Результат указывается"),
        ({"step": "0"}, "Шаг шкалы"),
        ({"components": ISBSH["components"] * 2}, "повторяться"),
        ({"components": [ISBSH["components"][0] | {"norm": "1"}]}, "bounded_shares"),
        ({"max_missing_weight": "3/2"}, "от 0 до 1"),
        ({"components": [ISBSH["components"][0] | {"weight": "0"}]}, None),
        ({"unheard_of": 1}, None),
    ],
)
async def test_a_contradictory_definition_is_refused(service, change, detail):
    told = problem(await calculate(service, indices=[ISBSH | change]), 422, "validation-failed")
    texts = "; ".join(error["detail"] for error in told["errors"])
    assert detail is None or detail in texts, list(itertools.chain(told["errors"]))
