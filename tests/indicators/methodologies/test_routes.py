"""Methodologies over HTTP: taken from the shipped ones or sent, never edited."""

import json

import pytest

from services.indicators.app import SERVICE
from services.indicators.methodologies import packages
from services.indicators.methodologies.shipped import shipped_methodologies
from tests.support import callers
from tests.support.callers import municipality_user, region_user
from tests.support.running import problem, running

VERSIONS = "/api/indicators/v1/methodology-versions"
REGION = region_user(region_id=1)


@pytest.fixture
async def service(databases):
    async with databases.fresh(SERVICE) as urls, running(SERVICE, urls) as service:
        yield service


async def post(service, body, token=REGION, **headers):
    async with service.as_(token) as client:
        return await client.post(VERSIONS, json=body, headers=headers)


async def get(service, path, token=REGION):
    async with service.as_(token) as client:
        return await client.get(path)


async def test_a_shipped_methodology_becomes_a_version_of_the_region(service):
    shipped = (await get(service, "/api/indicators/v1/shipped-methodologies")).json()["items"]
    assert [document["code"] for document in shipped] == list(shipped_methodologies())

    answer = await post(service, {"shipped": "smolensk-nro-fnsu"})

    assert answer.status_code == 201, answer.text
    added = answer.json()
    assert (added["code"], added["number"]) == ("smolensk-nro-fnsu", 1)
    found = await get(service, answer.headers["location"])
    assert found.json() == added
    assert found.headers["etag"] == '"1"'


async def test_an_own_document_is_the_next_version_and_the_first_stays(service):
    await post(service, {"shipped": "smolensk-nro-fnsu"})
    own = shipped_methodologies()["smolensk-nro-fnsu"].canonical()
    own["low_result"]["threshold"] = "7/20"

    answer = await post(service, {"document": own})

    assert answer.json()["number"] == 2
    assert answer.json()["document"]["low_result"]["threshold"] == "7/20"
    page = (await get(service, f"{VERSIONS}?code=smolensk-nro-fnsu&count=true")).json()
    assert [row["number"] for row in page["items"]] == [1, 2]
    assert page["total"] == 2


async def test_the_same_document_is_one_version(service):
    first = (await post(service, {"shipped": "federal-shnor-gia"})).json()

    document = problem(
        await post(service, {"shipped": "federal-shnor-gia"}), 409, "methodology-already-added"
    )

    assert document["methodology_version_id"] == first["id"]


async def test_a_repeated_request_has_one_effect(service):
    key = {"Idempotency-Key": "add-federal-1"}

    answers = [await post(service, {"shipped": "federal-shnor-gia"}, **key) for _ in range(2)]

    assert answers[0].json() == answers[1].json()
    assert [answer.status_code for answer in answers] == [201, 201]


async def test_an_inconsistent_document_is_refused_with_its_reason(service):
    own = shipped_methodologies()["federal-shnor"].canonical()
    own["categories"] = own["categories"][:1]

    answer = await post(service, {"document": own})

    document = problem(answer, 422, "validation-failed")
    assert any("категор" in str(error) for error in document["errors"])
    problem(await post(service, {}), 422, "validation-failed")
    problem(await post(service, {"shipped": "no-such"}), 404, "shipped-methodology-not-found")
    problem(
        await post(service, {"shipped": "federal-shnor-gia", "threshold": 1}),
        422,
        "validation-failed",
    )


async def test_below_the_region_methodologies_are_read_not_written(service):
    token = municipality_user(region_id=1, municipality_id=1)
    added = (await post(service, {"shipped": "federal-shnor-gia"})).json()

    assert (await get(service, f"{VERSIONS}/{added['id']}", token)).status_code == 200
    problem(await post(service, {"shipped": "smolensk-nro-fnsu"}, token), 403, "missing-scope")


async def test_another_regions_methodology_does_not_exist(service):
    added = (await post(service, {"shipped": "federal-shnor-gia"})).json()

    answer = await get(service, f"{VERSIONS}/{added['id']}", region_user(region_id=2))

    problem(answer, 404, "methodology-version-not-found")


async def test_a_caller_of_no_region_cannot_own_a_methodology(service):
    token = callers.service("demo", scopes=["methodologies:write"])

    problem(await post(service, {"shipped": "federal-shnor-gia"}, token), 409, "region-not-named")


async def test_a_machine_of_a_municipality_cannot_write_for_its_region(service):
    token = callers.machine(
        scopes=["methodologies:write"], level="municipality", region_id=1, municipality_id=1
    )

    answer = await post(service, {"shipped": "federal-shnor-gia"}, token)

    assert answer.status_code == 403, answer.text


async def test_lint_tells_everything_and_stores_nothing(service):
    told = shipped_methodologies()["federal-shnor"].canonical()
    told["rules"][0]["at_least"] = 90

    answer = await ask(service, "POST", f"{VERSIONS}/lint", {"document": told})

    found = answer.json()
    assert (found["is_addable"], found["errors"]) == (False, 2)
    assert [one["code"] for one in found["findings"]][:2] == [
        "use-not-permitted",
        "rule-cannot-hold",
    ]
    assert "procedures-missing" in {one["code"] for one in found["findings"]}
    assert (await get(service, VERSIONS)).json()["items"] == []
    # What is no document at all is told as well, not refused.
    empty = (await ask(service, "POST", f"{VERSIONS}/lint", {"document": {}})).json()
    assert empty["findings"][0]["pointer"] == "/code"


async def test_adding_refuses_the_errors_of_lint_at_their_places_and_keeps_the_warnings(service):
    refused = problem(await post(service, {"shipped": "federal-shnor"}), 422, "validation-failed")

    (error,) = refused["errors"]
    assert (error["pointer"], error["code"]) == (
        "/document/procedures/0/kind",
        "use-not-permitted",
    )
    assert "vpr" in error["detail"]
    assert "01.09.2020" in error["detail"]
    added = (await post(service, {"shipped": "federal-shnor", "required_use": "analysis"})).json()
    assert added["document"]["required_use"] == "analysis"
    assert {one["severity"] for one in added["findings"]} == {"warning"}
    assert added["origin"]["kind"] == "shipped"


async def test_versions_are_compared_in_words(service):
    first = (await post(service, {"shipped": "smolensk-nro-fnsu"})).json()
    own = first["document"] | {"low_result": first["document"]["low_result"] | {"threshold": "1/4"}}
    second = (await post(service, {"document": own})).json()

    answer = await get(service, f"{VERSIONS}/{second['id']}/comparison?with={first['id']}")

    (found,) = answer.json()["differences"]
    assert found["text"] == "порог низкого результата: 30 % → 25 %"
    assert (found["pointer"], found["before"], found["after"]) == (
        "/low_result/threshold",
        "3/10",
        "1/4",
    )
    same = await get(service, f"{VERSIONS}/{first['id']}/comparison?with={first['id']}")
    assert (same.json()["is_equal"], same.json()["differences"]) == (True, [])
    abroad = region_user(region_id=2)
    foreign = (await post(service, {"shipped": "smolensk-nro-fnsu"}, abroad)).json()
    there = await get(service, f"{VERSIONS}/{first['id']}/comparison?with={foreign['id']}")
    problem(there, 404, "methodology-version-not-found")


async def test_a_version_ends_where_the_one_that_replaces_it_begins(service):
    first = (await post(service, {"shipped": "smolensk-nro-fnsu"})).json()
    heir = first["document"] | {"in_force_from": "2026-09-01"}

    second = (await post(service, {"document": heir, "replaces_id": first["id"]})).json()

    former = (await get(service, f"{VERSIONS}/{first['id']}")).json()
    assert (former["in_force_to"], former["replaced_by_id"]) == ("2026-08-31", second["id"])
    assert "in-force-overlap" not in {one["code"] for one in second["findings"]}
    again = heir | {"in_force_from": "2027-09-01"}
    beside = (await post(service, {"document": again})).json()
    assert "in-force-overlap" in {one["code"] for one in beside["findings"]}
    later = heir | {"in_force_from": "2028-09-01"}
    taken = await post(service, {"document": later, "replaces_id": first["id"]})
    problem(taken, 409, "replacement-unsound")
    early = heir | {"in_force_from": "2020-01-01"}
    earlier = await post(service, {"document": early, "replaces_id": second["id"]})
    problem(earlier, 409, "replacement-unsound")
    other = await post(service, {"shipped": "federal-shnor-gia", "replaces_id": second["id"]})
    problem(other, 409, "replacement-unsound")
    missing = await post(service, {"document": later, "replaces_id": 999})
    problem(missing, 404, "methodology-version-not-found")


PACKAGES = "/api/indicators/v1/methodology-packages"
ABROAD = region_user(region_id=2)


async def test_a_package_is_taken_by_another_region_and_twice_is_one_version(service):
    added = (await post(service, {"shipped": "vologda-nr-ssk-no"})).json()
    path = f"{VERSIONS}/{added['id']}/package"
    package = await get(service, path)
    assert package.content == (await get(service, path)).content

    answers = [await ask(service, "POST", PACKAGES, package.json(), ABROAD) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [201, 200]
    taken = answers[0].json()
    assert answers[1].json() == taken
    assert taken["document_hash"] == added["document_hash"]
    assert taken["origin"]["kind"] == "package"
    assert (taken["origin"]["code"], taken["origin"]["number"]) == ("vologda-nr-ssk-no", 1)
    forth = (await get(service, f"{VERSIONS}/{taken['id']}/package", ABROAD)).json()
    assert forth["document_hash"] == package.json()["document_hash"]


async def test_a_tampered_or_later_package_is_refused(service):
    added = (await post(service, {"shipped": "smolensk-nro-fnsu"})).json()
    package = (await get(service, f"{VERSIONS}/{added['id']}/package")).json()
    milder = package["document"] | {"title": "Другая"}

    async def pointers(**changed):
        answer = await ask(service, "POST", PACKAGES, package | changed, ABROAD)
        return [error["pointer"] for error in problem(answer, 422, "validation-failed")["errors"]]

    assert await pointers(document=milder) == ["/document_hash", "/package_hash"]
    assert await pointers(origin=package["origin"] | {"number": 9}) == ["/package_hash"]
    later = await ask(service, "POST", PACKAGES, package | {"format_version": 2}, ABROAD)
    problem(later, 409, "package-format-unknown")
    assert (await get(service, VERSIONS, ABROAD)).json()["items"] == []


async def test_a_package_that_cannot_be_written_is_refused_before_it_is_hashed(service):
    added = (await post(service, {"shipped": "smolensk-nro-fnsu"})).json()
    package = (await get(service, f"{VERSIONS}/{added['id']}/package")).json()
    deep = {}
    for _ in range(200):
        deep = {"any": [deep]}

    for changed in (
        {"origin": {"code": "\ud800"}},
        {"document": {"\ud800": 1}},
        {"document": deep},
    ):
        async with service.as_(ABROAD) as client:
            # httpx would write the half of a pair as it is, which has no bytes; JSON may escape it.
            answer = await client.post(
                PACKAGES,
                content=json.dumps(package | changed),
                headers={"Content-Type": "application/json"},
            )
        (error,) = problem(answer, 422, "validation-failed")["errors"]
        assert error["pointer"] == f"/{next(iter(changed))}"


async def test_a_forged_origin_is_not_told_on(service):
    added = (await post(service, {"shipped": "smolensk-nro-fnsu"})).json()
    package = (await get(service, f"{VERSIONS}/{added['id']}/package")).json()
    forged = packages.make(
        document=package["document"],
        origin={"number": 10**40, "code": "\x00", "region_code": ["67"]},
        findings=[],
    )

    taken = await ask(service, "POST", PACKAGES, forged, ABROAD)

    assert taken.status_code == 201, taken.text
    origin = taken.json()["origin"]
    assert [origin[field] for field in ("number", "code", "region_code")] == [None, None, None]


async def test_a_package_with_errors_in_this_region_is_refused(service):
    wish = {"shipped": "federal-shnor", "required_use": "analysis"}
    added = (await post(service, wish)).json()
    package = (await get(service, f"{VERSIONS}/{added['id']}/package")).json()
    assert (await ask(service, "POST", PACKAGES, package, ABROAD)).status_code == 201
    document = {k: v for k, v in package["document"].items() if k != "rules"}
    broken = packages.make(document=document, origin=package["origin"], findings=[])

    refused = problem(
        await ask(service, "POST", PACKAGES, broken, ABROAD), 422, "validation-failed"
    )

    assert [error["pointer"] for error in refused["errors"]] == ["/document/rules"]


async def ask(service, method, path, body, token=REGION, **headers):
    async with service.as_(token) as client:
        return await client.request(method, path, json=body, headers=headers)
