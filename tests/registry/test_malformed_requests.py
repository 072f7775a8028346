"""Requests that no client of ours would send get an answer of their own, never a 500."""

import json

from tests.support.builders.registry import a_school, school_body

API = "/api/registry/v1"
BEYOND = 2**63
BEYOND_BOUNDS = [
    f"/schools/{BEYOND}",
    f"/schools/{BEYOND}/states",
    f"/schools/{BEYOND}/lineage",
    "/schools/-1",
    "/schools/1e3",
    f"/municipalities/{BEYOND}",
    f"/regions/{BEYOND}",
    f"/participations/{BEYOND}/events",
    f"/programme-years/{BEYOND}",
    f"/curator-grants/{BEYOND}",
    f"/school-imports/{BEYOND}",
    f"/school-imports/{BEYOND}/rows",
    f"/school-sizes?year={BEYOND}",
    f"/school-sizes?school_id={BEYOND}",
    f"/participations?year={BEYOND}",
    f"/participations/summary?year={BEYOND}",
    f"/successions?school_id={BEYOND}",
    "/schools?as_of=0001-01-01",
    "/schools?as_of=9999-12-31",
    "/schools?known_at=0001-01-01T00:00:00%2B23:59",
    "/schools?known_at=9999-12-31T23:59:59-23:59",
    "/schools?limit=501",
    "/schools?cursor=x",
    "/schools?stage=doo",
]
STRANGE_ATTRIBUTES = [
    {"latitude": 1e400, "longitude": 0},
    {"latitude": "NaN", "longitude": "NaN"},
    {"latitude": "55.1234567", "longitude": "31"},
    {"municipality_id": BEYOND},
    {"valid_from": 1.5},
    {"opened_on": "2020-02-30"},
    {"opened_on": 0},
    {"stages": ["noo"] * 4},
    {"version": 7},
    {"id": 7},
    {"region_id": 7},
]
STRANGE = [
    "\x00",
    "%00",
    "'; DROP TABLE school; --",
    "\ud800".encode("utf-8", "replace").decode(),
    "%",
    "_",
    "١",
]


async def test_a_read_beyond_all_bounds_is_answered(smolensk):
    answers = {path: await smolensk.region.get(API + path) for path in BEYOND_BOUNDS}

    statuses = {path: answer.status_code for path, answer in answers.items()}
    assert {path: code for path, code in statuses.items() if code not in {200, 400, 404, 422}} == {}


async def test_a_strange_text_in_a_search_is_answered(smolensk):
    await a_school(smolensk)

    for value in STRANGE:
        for parameter in ("q", "code"):
            answer = await smolensk.region.get(f"{API}/schools", params={parameter: value})

            assert answer.status_code in {200, 422}, (value, answer.text)
            assert answer.status_code == 422 or answer.json()["items"] == []


async def test_a_strange_name_is_refused(smolensk):
    for value in ["a\x00b", "\x00", "строка\nвторая", "x" * 501, 5, None, [], {}]:
        answer = await smolensk.region.post(
            f"{API}/schools", json=school_body(smolensk.velizh, name=value)
        )

        assert answer.status_code == 422, (value, answer.text)


async def test_a_strange_attribute_is_refused(smolensk):
    for body in STRANGE_ATTRIBUTES:
        answer = await smolensk.region.post(
            f"{API}/schools",
            content=json.dumps(school_body(smolensk.velizh) | body),
            headers={"Content-Type": "application/json"},
        )

        assert answer.status_code in {404, 422}, (body, answer.text)
    assert (await smolensk.region.get(f"{API}/schools")).json()["items"] == []
