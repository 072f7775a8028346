"""What a school was, what was known of it, and what became of it."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.support.builders.registry import a_school
from tests.support.running import problem

SCHOOLS = "/api/registry/v1/schools"


async def change(smolensk, school, version, **values):
    answer = await smolensk.region.patch(
        f"{SCHOOLS}/{school['id']}", json=values, headers={"If-Match": f'"{version}"'}
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


async def then(smolensk, school, **moment):
    return (await smolensk.region.get(f"{SCHOOLS}/{school['id']}", params=moment)).json()


async def test_a_school_reads_as_it_was(smolensk):
    school = await a_school(smolensk, kind="sosh", opened_on="1998-09-01")
    await change(smolensk, school, 1, kind="oosh", stages=["noo", "ooo"], effective_on="2018-09-01")
    await change(smolensk, school, 2, kind="nosh", stages=["noo"], effective_on="2023-09-01")

    assert (await then(smolensk, school, as_of="2018-08-31"))["kind"] == "sosh"
    assert (await then(smolensk, school, as_of="2018-09-01"))["kind"] == "oosh"
    assert (await then(smolensk, school, as_of="2023-08-31"))["stages"] == ["noo", "ooo"]
    assert (await then(smolensk, school, as_of="2023-09-01"))["kind"] == "nosh"
    assert (await then(smolensk, school))["kind"] == "nosh"


async def test_before_its_opening_a_school_is_not_known(smolensk):
    school = await a_school(smolensk, opened_on="1998-09-01")

    answer = await smolensk.region.get(f"{SCHOOLS}/{school['id']}", params={"as_of": "1998-08-31"})

    problem(answer, 404, "school-not-found")


async def test_a_school_of_unknown_opening_is_there_in_the_past(smolensk):
    school = await a_school(smolensk)

    assert school["valid_from"] is None
    assert (await then(smolensk, school, as_of="2019-09-01"))["code"] == school["code"]


async def test_a_correction_changes_the_past_but_not_what_was_known(smolensk):
    school = await a_school(smolensk, is_rural=True, valid_from="2015-09-01")
    before = datetime.now(UTC)
    await change(smolensk, school, 1, is_rural=False, is_correction=True)

    assert (await then(smolensk, school, as_of="2019-09-01"))["is_rural"] is False
    assert (await then(smolensk, school, as_of="2019-09-01", known_at=before.isoformat()))[
        "is_rural"
    ] is True


async def test_nothing_was_known_before_it_was_entered(smolensk):
    school = await a_school(smolensk)
    earlier = datetime.now(UTC) - timedelta(days=1)

    answer = await smolensk.region.get(
        f"{SCHOOLS}/{school['id']}", params={"as_of": "2019-09-01", "known_at": earlier.isoformat()}
    )

    problem(answer, 404, "school-not-found")


async def test_a_change_cannot_begin_before_the_present_state_or_in_the_future(smolensk):
    school = await a_school(smolensk, valid_from="2020-09-01")
    address = f"{SCHOOLS}/{school['id']}"

    early = await smolensk.region.patch(
        address,
        json={"name": "Раньше", "effective_on": "2019-09-01"},
        headers={"If-Match": '"1"'},
    )
    late = await smolensk.region.patch(
        address,
        json={"name": "Позже", "effective_on": "2999-09-01"},
        headers={"If-Match": '"1"'},
    )

    both = await smolensk.region.patch(
        address,
        json={"name": "Иначе", "effective_on": "2021-09-01", "is_correction": True},
        headers={"If-Match": '"1"'},
    )

    problem(both, 422, "validation-failed")
    assert problem(early, 409, "earlier-than-state")["valid_from"] == "2020-09-01"
    problem(late, 422, "validation-failed")


async def test_the_history_shows_each_state_once_and_superseded_ones_on_request(smolensk):
    school = await a_school(smolensk, name="Первая", valid_from="2010-09-01")
    await change(smolensk, school, 1, name="Вторая", effective_on="2015-09-01")
    await change(smolensk, school, 2, name="Вторая исправленная", is_correction=True)

    address = f"{SCHOOLS}/{school['id']}/states"
    shown = (await smolensk.region.get(address)).json()
    everything = (await smolensk.region.get(address, params={"with_superseded": True})).json()

    assert [(s["name"], s["valid_from"], s["valid_to"]) for s in shown] == [
        ("Первая", "2010-09-01", "2015-09-01"),
        ("Вторая исправленная", "2015-09-01", None),
    ]
    assert [s["name"] for s in everything if s["superseded_at"]] == ["Первая", "Вторая"]


async def test_the_list_of_a_past_day_holds_the_schools_of_that_day(smolensk):
    closed = await a_school(smolensk, code="1", opened_on="1990-09-01")
    await a_school(smolensk, code="2", opened_on="2021-09-01")
    moved = await a_school(smolensk, code="3", opened_on="1990-09-01")
    await smolensk.region.post(
        f"{SCHOOLS}/{closed['id']}/closure",
        json={"closed_on": "2020-09-01"},
        headers={"If-Match": '"1"'},
    )
    await change(smolensk, moved, 1, municipality_id=smolensk.vyazma, effective_on="2022-09-01")

    async def codes(**asked):
        page = (await smolensk.region.get(SCHOOLS, params=asked | {"count": True})).json()
        assert page["total"] == len(page["items"])
        return [row["code"] for row in page["items"]]

    assert await codes() == ["2", "3"]
    assert await codes(as_of="2019-09-01") == ["1", "3"]
    assert await codes(as_of="2020-09-01") == ["3"]
    assert await codes(as_of="2020-09-01", status="closed") == ["1"]
    assert await codes(as_of="2021-09-01") == ["2", "3"]
    assert await codes(as_of="2021-09-01", municipality_id=smolensk.vyazma) == []
    assert await codes(as_of="2022-09-01", municipality_id=smolensk.vyazma) == ["3"]
    assert await codes(as_of="2019-09-01", q="селезнев") == ["1", "3"]


async def test_a_school_that_moves_takes_its_rows_along(smolensk):
    school = await a_school(smolensk)
    await smolensk.region.post(
        "/api/registry/v1/school-sizes/bulk",
        json={"sizes": [{"school_id": school["id"], "year": 2025, "pupils": 40, "source": "ОО-1"}]},
    )
    old, new = smolensk.municipality(smolensk.velizh), smolensk.municipality(smolensk.vyazma)
    start = (await old.get("/api/registry/v1/changes")).json()

    await change(smolensk, school, 1, municipality_id=smolensk.vyazma)

    for path in (f"{SCHOOLS}/{school['id']}", f"{SCHOOLS}/{school['id']}/states"):
        problem(await old.get(path), 404, "school-not-found")
        assert (await new.get(path)).status_code == 200
    assert (await old.get("/api/registry/v1/school-sizes")).json()["items"] == []
    sizes = (await new.get("/api/registry/v1/school-sizes")).json()["items"]
    assert [size["pupils"] for size in sizes] == [40]
    past = (await new.get(f"{SCHOOLS}/{school['id']}", params={"as_of": "2019-09-01"})).json()
    assert past["municipality_id"] == smolensk.velizh
    told = (await old.get("/api/registry/v1/changes", params={"after": start["next"]})).json()
    assert {(item["kind"], item["op"]) for item in told["items"]} == {
        ("school", "delete"),
        ("school_size", "delete"),
    }
    tombstone = next(item for item in told["items"] if item["kind"] == "school")
    assert (tombstone["key"], tombstone["body"]) == ({"code": school["code"]}, None)


async def test_a_school_cannot_move_to_another_region(registry, smolensk):
    from tests.support.builders.registry import a_territory

    vologda = await a_territory(registry, code="35", name="Вологодская область")
    school = await a_school(smolensk)

    answer = await smolensk.region.patch(
        f"{SCHOOLS}/{school['id']}",
        json={"municipality_id": vologda.velizh},
        headers={"If-Match": '"1"'},
    )

    problem(answer, 404, "municipality-not-found")


async def test_a_closed_school_stays_readable_and_its_successor_is_known(smolensk):
    closed = await a_school(smolensk, code="1")
    successor = await a_school(smolensk, code="2")

    answer = await smolensk.region.post(
        f"{SCHOOLS}/{closed['id']}/closure",
        json={
            "closed_on": "2020-09-01",
            "successor_id": successor["id"],
            "order_number": "15",
            "order_date": "2020-06-01",
        },
        headers={"If-Match": '"1"'},
    )
    again = await smolensk.region.post(
        f"{SCHOOLS}/{closed['id']}/closure",
        json={"closed_on": "2021-09-01"},
        headers={"If-Match": '"2"'},
    )

    assert answer.json()["closed_on"] == "2020-09-01"
    problem(again, 409, "already-closed")
    assert (await then(smolensk, closed))["closed_on"] == "2020-09-01"
    assert (await then(smolensk, closed, as_of="2020-08-31"))["closed_on"] is None
    lineage = (await smolensk.region.get(f"{SCHOOLS}/{successor['id']}/lineage")).json()
    assert [(s["predecessor_id"], s["side"], s["steps"]) for s in lineage] == [
        (closed["id"], "predecessors", 1)
    ]


async def test_a_closing_is_taken_back(smolensk):
    school = await a_school(smolensk)
    address = f"{SCHOOLS}/{school['id']}"
    open_yet = await smolensk.region.post(f"{address}/reopening", headers={"If-Match": '"1"'})
    await smolensk.region.post(
        f"{address}/closure", json={"closed_on": "2020-09-01"}, headers={"If-Match": '"1"'}
    )

    answer = await smolensk.region.post(f"{address}/reopening", headers={"If-Match": '"2"'})

    problem(open_yet, 409, "not-closed")
    assert answer.json()["closed_on"] is None
    assert (await then(smolensk, school, as_of="2022-09-01"))["closed_on"] is None


async def test_the_network_has_no_loops_and_shows_the_whole_way(smolensk):
    first = await a_school(smolensk, code="1")
    second = await a_school(smolensk, code="2")
    third = await a_school(smolensk, code="3")
    successions = "/api/registry/v1/successions"

    async def record(school, predecessor, kind="merge"):
        return await smolensk.region.post(
            successions,
            json={
                "kind": kind,
                "school_id": school["id"],
                "predecessor_id": predecessor and predecessor["id"],
                "happened_on": "2020-09-01",
            },
        )

    assert (await record(second, first)).status_code == 201
    assert (await record(third, second)).status_code == 201
    problem(await record(second, first), 409, "succession-exists")
    problem(await record(first, third), 409, "succession-loop")
    problem(await record(first, first), 422, "validation-failed")
    problem(await record(first, None), 422, "validation-failed")
    problem(await record(first, second, kind="rename"), 422, "validation-failed")
    problem(await record(first, {"id": 999}), 404, "school-not-found")
    lineage = (await smolensk.region.get(f"{SCHOOLS}/{third['id']}/lineage")).json()
    assert [(s["predecessor_id"], s["steps"]) for s in lineage] == [
        (second["id"], 1),
        (first["id"], 2),
    ]
    listed = (await smolensk.region.get(successions, params={"school_id": second["id"]})).json()
    assert len(listed["items"]) == 2


async def test_history_is_written_by_nobody_but_the_database(registry, smolensk):
    from sqlalchemy import text
    from sqlalchemy.exc import ProgrammingError

    from services.kit.reach import Reach

    await a_school(smolensk)

    async def forge() -> None:
        async with registry.database.transaction(Reach.region(smolensk.region_id)) as session:
            await session.execute(text("UPDATE school_state SET name = 'Другое прошлое'"))

    with pytest.raises(ProgrammingError, match="permission denied"):
        await forge()
