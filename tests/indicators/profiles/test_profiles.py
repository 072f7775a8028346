"""Attributes and profiles over HTTP: four states, exact numbers, everything wrong told at once."""

import pytest

from tests.support.callers import curator, machine, municipality_user, region_user, school_user
from tests.support.running import problem

API = "/api/indicators/v1"
REGION = region_user(region_id=1)
SOURCE = "Социальный паспорт, 2025"


async def ask(service, method, path, token=REGION, **options):
    async with service.as_(token) as client:
        return await client.request(method, f"{API}{path}", **options)


def cell(attribute, **what):
    return {"attribute": attribute, "source": SOURCE} | what


@pytest.fixture
async def service(indicators):
    answer = await ask(indicators, "POST", "/profile-attributes/adoption", json={})
    assert answer.status_code == 200, answer.text
    return indicators


async def write(service, cells, school_id=1001, year=2025):
    body = {"school_id": school_id, "year": year, "cells": cells}
    return await ask(service, "POST", "/school-profiles", json=body)


def by_code(profile):
    return {each["attribute"]: each for each in profile["cells"]}


async def test_the_catalogue_is_taken_once_and_later_leaves_what_is_there(service):
    catalogue = (await ask(service, "GET", "/profile-attributes/catalogue")).json()["items"]
    again = (await ask(service, "POST", "/profile-attributes/adoption", json={})).json()
    unknown = await ask(service, "POST", "/profile-attributes/adoption", json={"codes": ["nope"]})

    assert len(catalogue) >= 20
    assert all(each["source"] for each in catalogue)
    assert again == {"added": [], "known": [each["code"] for each in catalogue]}
    problem(unknown, 409, "catalogue-attribute-unknown")


async def test_a_true_zero_not_applicable_and_not_submitted_stay_apart(service):
    answer = await write(
        service,
        [
            cell("on_register", numerator=0, denominator=40),
            cell("vacancies", value="0"),
            cell("internet", state="not_applicable"),
            cell("computers", state="not_submitted"),
        ],
    )
    assert answer.status_code == 201, answer.text
    cells = by_code(
        (await ask(service, "GET", answer.headers["location"].removeprefix(API))).json()
    )

    zero = cells["on_register"]
    assert (zero["state"], zero["value"], zero["numerator"], zero["denominator"]) == (
        "value",
        "0",
        0,
        40,
    )
    assert (cells["vacancies"]["state"], cells["vacancies"]["value"]) == ("value", "0")
    assert (cells["internet"]["state"], cells["internet"]["value"]) == ("not_applicable", None)
    assert cells["computers"]["state"] == cells["foster"]["state"] == "not_submitted"
    assert (answer.json()["filled"], answer.json()["not_applicable"]) == (2, 1)


async def test_everything_wrong_with_a_profile_is_told_at_once(service):
    answer = await write(
        service,
        [
            cell("on_register", numerator=5, denominator=4),
            cell("large_families", value="35"),
            cell("computers", value="2.5"),
            cell("internet", value="2"),
            cell("foster", numerator=1, denominator=0),
            cell("pupils", numerator=1, denominator=2),
            cell("vacancies"),
            cell("vacancies", state="not_applicable", value="1"),
            cell("unheard_of", value="1"),
        ],
    )

    told = problem(answer, 422, "validation-failed")
    assert [(error["pointer"], error["code"]) for error in told["errors"]] == [
        ("/cells/0/numerator", "share_out_of_range"),
        ("/cells/1/value", "share_out_of_range"),
        ("/cells/2/value", "not_a_count"),
        ("/cells/3/value", "not_a_boolean"),
        ("/cells/4/denominator", "denominator_zero"),
        ("/cells/5/numerator", "not_a_share"),
        ("/cells/6/value", "value_missing"),
        ("/cells/7/state", "value_without_state"),
        ("/cells/8/attribute", "attribute_unknown"),
    ]


async def test_a_profile_is_replaced_on_its_etag_and_exists_once(service):
    first = await write(service, [cell("vacancies", value="1.5"), cell("computers", value="7")])
    problem(await write(service, []), 409, "profile-exists")
    path = f"/school-profiles/{first.json()['id']}"
    put = {"cells": [cell("vacancies", value="2")]}

    problem(await ask(service, "PUT", path, json=put), 428, "precondition-required")
    done = await ask(service, "PUT", path, json=put, headers={"If-Match": '"1"'})
    stale = await ask(service, "PUT", path, json=put, headers={"If-Match": '"1"'})

    assert done.headers["etag"] == '"2"'
    cells = by_code(done.json())
    assert (cells["vacancies"]["value"], cells["computers"]["state"]) == ("2", "not_submitted")
    problem(stale, 412, "stale-version")


async def test_many_profiles_are_written_all_or_none_and_leave_other_cells(service):
    await write(service, [cell("vacancies", value="1"), cell("computers", value="7")])
    wish = {
        "year": 2025,
        "profiles": [
            {"school_id": 1001, "cells": [cell("vacancies", value="3")]},
            {"school_id": 2001, "cells": [cell("vacancies", value="4")]},
        ],
    }
    broken = {
        "year": 2025,
        "profiles": [
            *wish["profiles"],
            {"school_id": 999, "cells": [cell("internet", value="5")]},
        ],
    }

    refused = problem(
        await ask(service, "POST", "/school-profiles/bulk", json=broken), 422, "validation-failed"
    )
    done = await ask(service, "POST", "/school-profiles/bulk", json=wish)
    again = await ask(service, "POST", "/school-profiles/bulk", json=wish)

    assert [error["pointer"] for error in refused["errors"]] == [
        "/profiles/2/school_id",
        "/profiles/2/cells/0/value",
    ]
    assert done.json() == {"created": 1, "updated": 1, "unchanged": 0}
    assert again.json() == {"created": 0, "updated": 0, "unchanged": 2}
    listed = (await ask(service, "GET", "/school-profiles?year=2025&count=true")).json()
    assert [row["school_id"] for row in listed["items"]] == [1001, 2001]
    found = await ask(service, "GET", f"/school-profiles/{listed['items'][0]['id']}")
    cells = by_code(found.json())
    assert (cells["vacancies"]["value"], cells["computers"]["value"]) == ("3", "7")


async def test_a_retired_attribute_is_asked_no_more_and_keeps_its_numbers(service):
    profile = (await write(service, [cell("vacancies", value="1")])).json()
    listed = (await ask(service, "GET", "/profile-attributes?group=staff")).json()["items"]
    (attribute,) = [each for each in listed if each["code"] == "vacancies"]
    path = f"/profile-attributes/{attribute['id']}"
    retired = await ask(
        service, "PATCH", path, json={"is_retired": True}, headers={"If-Match": '"1"'}
    )

    assert retired.json()["is_retired"] is True
    refused = await write(service, [cell("vacancies", value="1")], school_id=2001)
    told = problem(refused, 422, "validation-failed")
    assert told["errors"][0]["code"] == "attribute_retired"
    kept = by_code((await ask(service, "GET", f"/school-profiles/{profile['id']}")).json())
    assert kept["vacancies"]["value"] == "1"


async def test_an_own_attribute_has_a_code_of_its_own(service):
    own = {
        "code": "bus_minutes",
        "title": "Минут в пути на школьном автобусе",
        "kind": "number",
        "unit": "мин",
        "group": "other",
        "source": "Приказ от 01.09.2025 № 5",
        "is_about_pupils": False,
    }

    made = await ask(service, "POST", "/profile-attributes", json=own)
    taken = await ask(service, "POST", "/profile-attributes", json=own)

    assert made.status_code == 201, made.text
    problem(taken, 409, "attribute-exists")


async def test_who_lacks_exact_numbers_sees_no_small_group(service):
    made = await write(
        service,
        [
            cell("on_register", numerator=2, denominator=40),
            cell("large_families", numerator=38, denominator=40),
            cell("disabilities", numerator=0, denominator=40),
            cell("foster", numerator=1, denominator=3),
            cell("incomplete_families", numerator=13, denominator=40),
            cell("both_parents_higher", value="0.5"),
            cell("pupils", value="3"),
            cell("vacancies", value="1"),
        ],
    )
    profile = made.json()["id"]
    client = machine(region_id=1, scopes=["profiles:read"])

    seen = by_code((await ask(service, "GET", f"/school-profiles/{profile}", client)).json())

    assert {code: seen[code]["value"] for code in seen if seen[code]["state"] == "value"} == {
        "on_register": None,  # two pupils
        "large_families": None,  # all but two
        "disabilities": "0.00",
        "foster": None,
        "incomplete_families": "0.33",
        "both_parents_higher": None,  # of how many, nobody has said
        "pupils": None,
        "vacancies": "1",
    }
    assert all(each["numerator"] is None for each in seen.values())
    assert seen["on_register"]["suppressed"] == ["value", "numerator", "denominator"]
    assert seen["vacancies"]["suppressed"] == []


async def test_everybody_reads_what_is_theirs_and_only_the_region_writes(service):
    await write(service, [cell("vacancies", value="1")])
    await write(service, [cell("vacancies", value="2")], school_id=2001)
    municipality = municipality_user(region_id=1, municipality_id=11)
    school = school_user(region_id=1, municipality_id=12, school_id=2001)

    async def schools(token):
        page = (await ask(service, "GET", "/school-profiles", token)).json()
        return [row["school_id"] for row in page["items"]]

    assert await schools(REGION) == [1001, 2001]
    assert await schools(municipality) == [1001]
    assert await schools(school) == [2001]
    assert await schools(region_user(region_id=2)) == []
    body = {"school_id": 2001, "year": 2026, "cells": []}
    for token in (municipality, school, curator(region_id=1)):
        problem(
            await ask(service, "POST", "/school-profiles", token, json=body),
            403,
            "missing-scope",
        )


async def test_statistics_count_every_state_and_divide_by_n_less_one(service):
    await write(service, [cell("vacancies", value="1"), cell("computers", value="3")])
    await write(
        service,
        [cell("vacancies", value="4"), cell("computers", state="not_applicable")],
        school_id=2001,
    )

    found = await ask(
        service, "GET", "/profile-statistics?year=2025&attribute=vacancies&attribute=computers"
    )

    assert found.json()["schools"] == 3
    vacancies, computers = found.json()["items"]
    assert (vacancies["n"], vacancies["not_submitted"], vacancies["not_applicable"]) == (2, 1, 0)
    assert (vacancies["mean"], vacancies["sd"]) == ("2.500000000", "2.121320344")
    assert vacancies["sd_population"] == "1.500000000"
    assert (computers["n"], computers["not_submitted"], computers["not_applicable"]) == (1, 1, 1)
    assert (computers["sd"], computers["mean"]) == (None, "3.000000000")
    problem(
        await ask(
            service,
            "GET",
            "/profile-statistics?year=2025&attribute=vacancies",
            curator(region_id=1),
        ),
        403,
        "missing-scope",
    )


async def test_two_attributes_that_do_not_vary_have_no_correlation(service):
    await write(service, [cell("vacancies", value="1"), cell("computers", value="3")])

    one = (
        await ask(
            service, "GET", "/profile-statistics/correlation?year=2025&x=vacancies&y=computers"
        )
    ).json()
    await write(
        service, [cell("vacancies", value="2"), cell("computers", value="1")], school_id=2001
    )
    two = (
        await ask(
            service, "GET", "/profile-statistics/correlation?year=2025&x=vacancies&y=computers"
        )
    ).json()

    assert (one["n"], one["correlation"], one["slope"]) == (1, None, None)
    assert (two["n"], two["correlation"], two["slope"]) == (2, "-1.000000000", "-2.000000000")
