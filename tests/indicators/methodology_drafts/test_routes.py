"""A region writes its own methodology: draft, patch, lint, adoption; then it does not change."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.indicators.app import SERVICE
from services.indicators.methodology_drafts.operations import merged
from tests.support.callers import municipality_user, region_user
from tests.support.running import problem, running

DRAFTS = "/api/indicators/v1/methodology-drafts"
VERSIONS = "/api/indicators/v1/methodology-versions"
REGION = region_user(region_id=1)


@pytest.fixture
async def service(databases):
    async with databases.fresh(SERVICE) as urls, running(SERVICE, urls) as service:
        yield service


async def ask(service, method, path, body=None, *, token=REGION, version=None):
    headers = {} if version is None else {"If-Match": f'"{version}"'}
    async with service.as_(token) as client:
        return await client.request(method, path, json=body, headers=headers)


async def begun(service, **wish):
    answer = await ask(service, "POST", DRAFTS, wish)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_a_region_changes_a_shipped_methodology_without_a_release(service):
    draft = await begun(service, shipped="smolensk-nro-fnsu", note="Порог ниже")
    path = f"{DRAFTS}/{draft['id']}"

    patch = {"code": "our-rules", "low_result": {"threshold": "1/4"}}
    patched = await ask(service, "PATCH", path, {"document": patch}, version=draft["version"])

    assert patched.status_code == 200, patched.text
    changed = patched.json()
    assert changed["document"]["low_result"] == {
        "based_on": "minimum",
        "threshold": "1/4",
        "operator": ">=",
    }
    assert changed["is_addable"]
    adopted = await ask(service, "POST", f"{path}/adoption", {}, version=changed["version"])
    assert adopted.status_code == 201, adopted.text
    version = adopted.json()
    assert (version["code"], version["number"]) == ("our-rules", 1)
    assert version["origin"] == {
        "kind": "draft",
        "draft_id": draft["id"],
        "region_code": None,
        "code": None,
        "number": None,
        "version_id": None,
    }
    kept = (await ask(service, "GET", path)).json()
    assert kept["adopted_id"] == version["id"]
    again = await ask(service, "PATCH", path, {"document": {}}, version=kept["version"])
    problem(again, 409, "draft-adopted")


async def test_the_next_version_begins_from_the_last_one_and_replaces_it(service):
    first = (await ask(service, "POST", VERSIONS, {"shipped": "smolensk-nro-fnsu"})).json()
    draft = await begun(service, version_id=first["id"])
    path = f"{DRAFTS}/{draft['id']}"
    patch = {"in_force_from": "2026-09-01", "order": {"number": "12", "date": "2026-08-01"}}
    changed = await ask(service, "PATCH", path, {"document": patch}, version=1)

    adopted = await ask(
        service, "POST", f"{path}/adoption", {"replaces_id": first["id"]}, version=2
    )

    assert changed.headers["etag"] == '"2"'
    second = adopted.json()
    assert (second["number"], second["replaces_id"]) == (2, first["id"])
    words = await ask(service, "GET", f"{VERSIONS}/{second['id']}/comparison?with={first['id']}")
    assert [one["text"] for one in words.json()["differences"]] == [
        "приказ: не указано → указано: number = 12, date = 2026-08-01",
        "действует с: 2020-09-01 → 2026-09-01",
    ]


async def test_a_draft_may_be_wrong_and_is_not_adopted_while_it_is(service):
    draft = await begun(service, document={"code": "our-rules"})
    path = f"{DRAFTS}/{draft['id']}"

    assert not draft["is_addable"]
    assert "/rules" in {one["pointer"] for one in draft["findings"]}
    refused = await ask(service, "POST", f"{path}/adoption", {}, version=1)
    document = problem(refused, 422, "validation-failed")
    assert "/document/rules" in {error["pointer"] for error in document["errors"]}
    whole = (await ask(service, "GET", "/api/indicators/v1/shipped-methodologies")).json()["items"]
    put = await ask(service, "PUT", path, {"document": whole[1], "note": "Целиком"}, version=1)
    assert (put.json()["is_addable"], put.json()["note"]) == (True, "Целиком")


async def test_a_change_says_which_state_it_has_seen(service):
    draft = await begun(service, shipped="smolensk-nro-fnsu")
    path = f"{DRAFTS}/{draft['id']}"
    body = {"document": {"title": "Другая"}}

    problem(await ask(service, "PATCH", path, body), 428, "precondition-required")
    assert (await ask(service, "PATCH", path, body, version=1)).status_code == 200
    problem(await ask(service, "PATCH", path, body, version=1), 412, "stale-version")
    problem(await ask(service, "PUT", path, body, version=1), 412, "stale-version")
    problem(await ask(service, "POST", f"{path}/adoption", {}, version=1), 412, "stale-version")


async def test_a_draft_begins_from_exactly_one_thing(service):
    problem(await ask(service, "POST", DRAFTS, {}), 422, "validation-failed")
    both = {"shipped": "smolensk-nro-fnsu", "document": {}}
    problem(await ask(service, "POST", DRAFTS, both), 422, "validation-failed")
    missing = await ask(service, "POST", DRAFTS, {"version_id": 99})
    problem(missing, 404, "methodology-version-not-found")
    unknown = await ask(service, "POST", DRAFTS, {"shipped": "no-such"})
    problem(unknown, 404, "shipped-methodology-not-found")
    huge = await ask(service, "POST", DRAFTS, {"document": {"a": [0] * 9000}})
    problem(huge, 422, "validation-failed")


async def test_a_document_nested_deeper_than_any_methodology_is_refused(service):
    draft = await begun(service, document={"code": "x"})
    path = f"{DRAFTS}/{draft['id']}"
    deep = {"any": []}
    for _ in range(200):
        deep = {"any": [deep]}
    within = {"a": 1}
    for _ in range(30):
        within = {"a": within}

    for method, address, version in (("POST", DRAFTS, None), ("PUT", path, 1), ("PATCH", path, 1)):
        refused = await ask(service, method, address, {"document": deep}, version=version)
        (error,) = problem(refused, 422, "validation-failed")["errors"]
        assert (error["pointer"], error["code"]) == ("/document", "too_deep")
    assert (await begun(service, document=within))["document"] == within


async def test_drafts_are_seen_by_their_region_only(service):
    draft = await begun(service, shipped="smolensk-nro-fnsu")
    path = f"{DRAFTS}/{draft['id']}"

    elsewhere = await ask(service, "GET", path, token=region_user(region_id=2))
    problem(elsewhere, 404, "methodology-draft-not-found")
    below = municipality_user(region_id=1, municipality_id=1)
    problem(await ask(service, "GET", path, token=below), 403, "missing-scope")
    listed = (await ask(service, "GET", f"{DRAFTS}?is_adopted=false")).json()["items"]
    assert [one["id"] for one in listed] == [draft["id"]]
    assert (await ask(service, "GET", f"{DRAFTS}?is_adopted=true")).json()["items"] == []


# The examples of RFC 7396, appendix A.
RFC_7396 = [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    (["a", "b"], ["c", "d"], ["c", "d"]),
    ({"a": "b"}, ["c"], ["c"]),
    ({"a": "foo"}, None, None),
    ({"a": "foo"}, "bar", "bar"),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
]


@pytest.mark.parametrize(("target", "patch", "result"), RFC_7396)
def test_a_merge_patch_does_what_its_standard_says(target, patch, result):
    assert merged(target, patch) == result


JSON = st.recursive(
    st.integers() | st.text(), lambda inner: st.dictionaries(st.text(), inner) | st.lists(inner)
)


@given(target=JSON, patch=JSON)
def test_a_merge_patch_applied_twice_is_applied_once(target, patch):
    once = merged(target, patch)

    assert merged(once, patch) == once
