"""Many schools and sizes at once."""

from tests.support.builders.registry import a_school, a_territory, school_body
from tests.support.running import problem

BULK = "/api/registry/v1/schools/bulk"
SCHOOLS = "/api/registry/v1/schools"
SIZES = "/api/registry/v1/school-sizes"


async def test_a_bulk_creates_updates_and_leaves_alone(smolensk):
    await a_school(smolensk, code="1", name="Прежнее имя", is_rural=True)
    await a_school(smolensk, code="2", name="Останется")
    body = {
        "schools": [
            school_body(smolensk.velizh, code="1", name="Новое имя"),
            school_body(smolensk.velizh, code="2", name="Останется"),
            school_body(smolensk.vyazma, code="3", name="Новая школа"),
        ]
    }

    answer = (await smolensk.region.post(BULK, json=body)).json()
    again = (await smolensk.region.post(BULK, json=body)).json()

    assert [row["outcome"] for row in answer["schools"]] == ["updated", "unchanged", "created"]
    assert (answer["created"], answer["updated"], answer["unchanged"]) == (1, 1, 1)
    assert (again["created"], again["updated"], again["unchanged"]) == (0, 0, 3)
    assert [row["id"] for row in again["schools"]] == [row["id"] for row in answer["schools"]]
    changed = (await smolensk.region.get(f"{SCHOOLS}/{answer['schools'][0]['id']}")).json()
    # What the bulk does not name stays.
    assert (changed["name"], changed["is_rural"], changed["version"]) == ("Новое имя", True, 2)


async def test_a_bulk_change_keeps_the_former_state(smolensk):
    school = await a_school(smolensk, code="1", name="Прежнее имя", valid_from="2010-09-01")

    await smolensk.region.post(
        BULK,
        json={
            "effective_on": "2020-09-01",
            "schools": [school_body(smolensk.velizh, code="1", name="Новое имя")],
        },
    )

    past = await smolensk.region.get(f"{SCHOOLS}/{school['id']}", params={"as_of": "2020-08-31"})
    assert past.json()["name"] == "Прежнее имя"


async def test_a_bulk_tells_everything_wrong_at_once_and_stores_nothing(registry, smolensk):
    vologda = await a_territory(registry, code="35", name="Вологодская область")
    body = {
        "schools": [
            school_body(smolensk.velizh, code="1"),
            school_body(vologda.velizh, code="2"),
            school_body(smolensk.velizh, code="1"),
            school_body(smolensk.velizh, code="4", valid_from="2999-01-01"),
        ]
    }

    errors = problem(await smolensk.region.post(BULK, json=body), 422, "validation-failed")[
        "errors"
    ]

    assert {(error["pointer"], error["code"]) for error in errors} == {
        ("/schools/1/municipality_id", "municipality_not_found"),
        ("/schools/2/code", "repeated"),
        ("/schools/3/valid_from", "in_future"),
    }
    assert (await smolensk.region.get(SCHOOLS)).json()["items"] == []


async def test_a_bulk_points_at_the_school_whose_rules_break_together_with_what_is_known(smolensk):
    await a_school(smolensk, code="1", opened_on="2020-09-01")

    answer = await smolensk.region.post(
        BULK,
        json={"schools": [school_body(smolensk.velizh, code="1", closed_on="2019-09-01")]},
    )

    (error,) = problem(answer, 422, "validation-failed")["errors"]
    assert error["pointer"].startswith("/schools/0")
    assert "раньше" in error["detail"]


async def test_a_login_of_another_school_is_refused(smolensk):
    await a_school(smolensk, code="1", vpr_login="edu111111")

    answer = await smolensk.region.post(
        BULK, json={"schools": [school_body(smolensk.velizh, code="2", vpr_login="edu111111")]}
    )

    problem(answer, 409, "vpr-login-taken")


async def test_a_thousand_schools_are_one_request(smolensk):
    body = {
        "schools": [school_body(smolensk.velizh, code=f"{number:06d}") for number in range(1000)]
    }

    answer = await smolensk.region.post(BULK, json=body)
    listed = await smolensk.region.get(SCHOOLS, params={"count": True})
    too_many = await smolensk.region.post(
        BULK, json={"schools": [*body["schools"], school_body(smolensk.velizh, code="x")]}
    )

    assert answer.json()["created"] == 1000
    assert listed.json()["total"] == 1000
    problem(too_many, 422, "validation-failed")


async def test_sizes_are_written_by_year_and_replaced(smolensk):
    school = await a_school(smolensk)
    size = {"school_id": school["id"], "year": 2025, "pupils": 40, "source": "ОО-1"}
    earlier = size | {"year": 2024, "pupils": 0, "classes": 0}

    first = await smolensk.region.post(f"{SIZES}/bulk", json={"sizes": [size, earlier]})
    second = await smolensk.region.post(
        f"{SIZES}/bulk", json={"sizes": [size | {"pupils": 41}, earlier]}
    )
    listed = (await smolensk.region.get(SIZES, params={"year": 2025})).json()["items"]

    assert first.json() == {"created": 2, "updated": 0, "unchanged": 0}
    assert second.json() == {"created": 0, "updated": 1, "unchanged": 1}
    assert [(row["pupils"], row["classes"], row["version"]) for row in listed] == [(41, None, 2)]


async def test_sizes_of_unseen_schools_and_repeated_years_are_refused(smolensk):
    school = await a_school(smolensk)
    size = {"school_id": school["id"], "year": 2025, "pupils": 40, "source": "ОО-1"}

    answer = await smolensk.region.post(
        f"{SIZES}/bulk", json={"sizes": [size, size, size | {"school_id": 999}]}
    )

    errors = problem(answer, 422, "validation-failed")["errors"]
    assert [error["pointer"] for error in errors] == ["/sizes/1", "/sizes/2/school_id"]
    assert (await smolensk.region.get(SIZES)).json()["items"] == []


async def test_a_bulk_closes_from_the_day_of_closing_and_knows_the_closed_school_again(smolensk):
    school = await a_school(smolensk, code="1")
    closing = {"schools": [school_body(smolensk.velizh, code="1", closed_on="2020-09-01")]}

    first = (await smolensk.region.post(BULK, json=closing)).json()
    second = (await smolensk.region.post(BULK, json=closing)).json()

    async def open_then(day):
        page = await smolensk.region.get(SCHOOLS, params={"as_of": day})
        return len(page.json()["items"])

    assert (first["updated"], second["unchanged"]) == (1, 1)
    assert second["schools"][0]["id"] == school["id"]
    assert (await open_then("2020-08-31"), await open_then("2020-09-01")) == (1, 0)
    assert await open_then("2024-09-01") == 0
