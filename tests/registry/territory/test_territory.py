"""Regions and municipalities through the API."""

from tests.support import callers
from tests.support.builders.registry import a_territory, root
from tests.support.running import problem

MUNICIPALITIES = "/api/registry/v1/municipalities"
REGIONS = "/api/registry/v1/regions"


async def test_a_region_is_made_by_the_system_client_only(registry):
    body = {"code": "67", "name": "Смоленская область"}

    made = await root(registry).post(REGIONS, json=body)
    again = await root(registry).post(REGIONS, json=body)
    by_region = await registry.as_(callers.region_user(region_id=1)).post(REGIONS, json=body)
    by_machine = await registry.as_(callers.machine(scopes=["regions:write"], region_id=1)).post(
        REGIONS, json=body | {"code": "68"}
    )

    assert made.status_code == 201
    problem(again, 409, "region-code-taken")
    problem(by_region, 403, "missing-scope")
    problem(by_machine, 403, "not-the-system")


async def test_a_region_user_sees_the_own_region_only(registry, smolensk):
    vologda = await a_territory(registry, code="35", name="Вологодская область")

    listed = (await smolensk.region.get(REGIONS, params={"count": True})).json()
    foreign = await smolensk.region.get(f"{REGIONS}/{vologda.region_id}")

    assert [row["code"] for row in listed["items"]] == ["67"]
    assert listed["total"] == 1
    problem(foreign, 404, "region-not-found")


async def test_municipalities_are_listed_by_code_and_found_without_regard_to_yo(smolensk):
    made = await smolensk.region.post(
        MUNICIPALITIES, json={"code": "099", "name": "Тёмкинский район", "kind": "okrug"}
    )

    listed = (await smolensk.region.get(MUNICIPALITIES)).json()
    found = (await smolensk.region.get(MUNICIPALITIES, params={"q": "темкин"})).json()

    assert made.headers["location"] == f"{MUNICIPALITIES}/{made.json()['id']}"
    assert [row["code"] for row in listed["items"]] == ["099", "101", "102"]
    assert [row["name"] for row in found["items"]] == ["Тёмкинский район"]


async def test_a_code_is_given_once_within_a_region(registry, smolensk):
    vologda = await a_territory(registry, code="35", name="Вологодская область")

    again = await smolensk.region.post(
        MUNICIPALITIES, json={"code": "101", "name": "Другой район", "kind": "district"}
    )
    elsewhere = (await vologda.region.get(MUNICIPALITIES, params={"code": "101"})).json()

    problem(again, 409, "municipality-code-taken")
    assert len(elsewhere["items"]) == 1


async def test_a_municipality_is_changed_by_who_has_read_it(smolensk):
    address = f"{MUNICIPALITIES}/{smolensk.velizh}"
    read = await smolensk.region.get(address)

    blind = await smolensk.region.patch(address, json={"kind": "okrug"})
    changed = await smolensk.region.patch(
        address, json={"kind": "okrug"}, headers={"If-Match": read.headers["etag"]}
    )
    late = await smolensk.region.patch(
        address, json={"kind": "city"}, headers={"If-Match": read.headers["etag"]}
    )

    problem(blind, 428, "precondition-required")
    assert changed.json()["kind"] == "okrug"
    assert changed.headers["etag"] == '"2"'
    assert changed.json()["name"] == "Велижский район"
    problem(late, 412, "stale-version")


async def test_a_municipality_user_reads_the_own_and_writes_nothing(smolensk):
    own = smolensk.municipality(smolensk.velizh)

    listed = (await own.get(MUNICIPALITIES)).json()
    other = await own.get(f"{MUNICIPALITIES}/{smolensk.vyazma}")
    written = await own.post(
        MUNICIPALITIES, json={"code": "7", "name": "Новый", "kind": "district"}
    )

    assert [row["id"] for row in listed["items"]] == [smolensk.velizh]
    problem(other, 404, "municipality-not-found")
    problem(written, 403, "missing-scope")


async def test_a_region_user_cannot_write_into_another_region(registry, smolensk):
    vologda = await a_territory(registry, code="35", name="Вологодская область")

    answer = await smolensk.region.post(
        MUNICIPALITIES,
        json={"code": "7", "name": "Чужой", "kind": "district", "region_id": vologda.region_id},
    )

    problem(answer, 404, "region-not-found")


async def test_an_oktmo_has_to_be_of_the_region(registry):
    made = await root(registry).post(
        REGIONS, json={"code": "67", "name": "Смоленская область", "oktmo_prefix": "66"}
    )
    region = registry.as_(callers.region_user(region_id=made.json()["id"]))
    body = {"code": "101", "name": "Велижский район", "kind": "district"}

    foreign = await region.post(MUNICIPALITIES, json=body | {"oktmo": "92659000"})
    slip = await region.post(MUNICIPALITIES, json=body | {"oktmo": "6660300"})
    right = await region.post(MUNICIPALITIES, json=body | {"oktmo": "66603000"})

    assert problem(foreign, 422, "validation-failed")["errors"][0]["pointer"] == "/oktmo"
    assert "8 или 11" in problem(slip, 422, "validation-failed")["errors"][0]["detail"]
    assert right.json()["oktmo"] == "66603000"
