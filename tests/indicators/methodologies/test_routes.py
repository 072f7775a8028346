"""Methodologies over HTTP: taken from the shipped ones or sent, never edited."""

import pytest

from services.indicators.app import SERVICE
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
