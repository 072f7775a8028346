"""Courses and who takes their places."""

import asyncio

import pytest

from services.training.app import SERVICE
from tests.support.callers import municipality_user, region_user, school_user
from tests.support.projections import place_schools
from tests.support.running import problem, running

COURSES = "/api/training/v1/courses"
ENROLMENTS = "/api/training/v1/enrolments"
REGION = region_user(region_id=1)
COURSE = {
    "year": 2026,
    "title": "Подготовка тьюторов",
    "hours": 36,
    "places": 10,
    "starts_on": "2026-03-12",
    "ends_on": "2026-03-27",
}
SCHOOLS = [(1, 10, 100 + number) for number in range(12)]


def of_school(place):
    return school_user(
        region_id=place[0], municipality_id=place[1], school_id=place[2], user_id=place[2]
    )


@pytest.fixture
async def training(databases):
    async with databases.fresh(SERVICE) as urls, running(SERVICE, urls) as service:
        await place_schools(service.database, *SCHOOLS, (1, 11, 210), (2, 20, 300))
        yield service


@pytest.fixture
async def course(training):
    async with training.as_(REGION) as client:
        answer = await client.post(COURSES, json=COURSE)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def enrolled(training, course, place, people=1):
    async with training.as_(of_school(place)) as client:
        return await client.post(
            ENROLMENTS,
            json={"course_id": course["id"], "school_id": place[2], "people": people},
        )


async def taken_places(training, course):
    async with training.as_(REGION) as client:
        return (await client.get(f"{COURSES}/{course['id']}")).json()["taken_places"]


async def test_a_school_takes_places_of_a_course(training, course):
    answer = await enrolled(training, course, SCHOOLS[0], people=5)

    assert answer.status_code == 201, answer.text
    assert await taken_places(training, course) == 5


async def test_a_school_cannot_enrol_twice_in_one_course(training, course):
    await enrolled(training, course, SCHOOLS[0])

    problem(await enrolled(training, course, SCHOOLS[0]), 409, "already-enrolled")
    assert await taken_places(training, course) == 1


async def test_the_last_place_goes_to_exactly_one_of_many_schools(training, course):
    await enrolled(training, course, SCHOOLS[0], people=9)
    answers = await asyncio.gather(*(enrolled(training, course, place) for place in SCHOOLS[1:]))

    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 10
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {
        "course-full"
    }
    assert await taken_places(training, course) == 10


async def test_withdrawal_frees_the_places_and_keeps_the_row(training, course):
    enrolment = (await enrolled(training, course, SCHOOLS[0], people=4)).json()
    async with training.as_(of_school(SCHOOLS[0])) as client:
        path = f"{ENROLMENTS}/{enrolment['id']}"
        given_back = await client.post(
            f"{path}/withdrawal",
            json={"reason": "Перенос"},
            headers={"If-Match": '"1"'},
        )
        again = await client.post(
            f"{path}/withdrawal",
            json={"reason": "Перенос"},
            headers={"If-Match": '"2"'},
        )
        kept = (await client.get(path)).json()

    assert given_back.status_code == 200
    problem(again, 409, "already-withdrawn")
    assert (kept["people"], kept["withdrawal_reason"]) == (4, "Перенос")
    assert await taken_places(training, course) == 0


async def test_a_course_never_has_fewer_places_than_are_taken(training, course):
    await enrolled(training, course, SCHOOLS[0], people=5)
    async with training.as_(REGION) as client:
        version = (await client.get(f"{COURSES}/{course['id']}")).headers["etag"]
        answer = await client.patch(
            f"{COURSES}/{course['id']}",
            json={"places": 4},
            headers={"If-Match": version},
        )

    problem(answer, 409, "places-already-taken")


async def test_nobody_enrols_a_school_out_of_reach(training, course):
    body = {"course_id": course["id"], "school_id": 210, "people": 1}
    async with training.as_(municipality_user(region_id=1, municipality_id=10)) as client:
        problem(await client.post(ENROLMENTS, json=body), 404, "school-not-found")
        problem(
            await client.post(ENROLMENTS, json=body | {"school_id": 300}), 404, "school-not-found"
        )
        assert (await client.post(ENROLMENTS, json=body | {"school_id": 101})).status_code == 201


async def test_a_school_sees_its_own_enrolments_only(training, course):
    mine = (await enrolled(training, course, SCHOOLS[0])).json()
    other = (await enrolled(training, course, SCHOOLS[1])).json()
    async with training.as_(of_school(SCHOOLS[0])) as client:
        page = (await client.get(ENROLMENTS, params={"count": "true"})).json()
        problem(await client.get(f"{ENROLMENTS}/{other['id']}"), 404, "enrolment-not-found")

    assert ([item["id"] for item in page["items"]], page["total"]) == ([mine["id"]], 1)


async def enrol_many(training, course, *entries, key="many-schools"):
    async with training.as_(REGION) as client:
        return await client.post(
            f"{ENROLMENTS}/bulk",
            json={
                "course_id": course["id"],
                "enrolments": [{"school_id": s, "people": people} for s, people in entries],
            },
            headers={"Idempotency-Key": key},
        )


async def test_many_schools_enrol_at_once_and_those_enrolled_keep_their_places(training, course):
    await enrolled(training, course, SCHOOLS[0], people=2)

    answer = (await enrol_many(training, course, (100, 2), (101, 3), (210, 4))).json()

    assert [row["outcome"] for row in answer["enrolments"]] == ["unchanged", "created", "created"]
    assert (answer["created"], answer["unchanged"]) == (2, 1)
    assert await taken_places(training, course) == 9


async def test_many_schools_enrol_all_or_none(training, course):
    await enrolled(training, course, SCHOOLS[0], people=2)

    wrong = await enrol_many(training, course, (100, 5), (300, 1), (101, 1), (101, 1))
    full = await enrol_many(training, course, (101, 5), (102, 4), key="too-many-people")

    errors = problem(wrong, 422, "validation-failed")["errors"]
    assert [(e["pointer"], e["code"]) for e in errors] == [
        ("/enrolments/0/school_id", "already_enrolled"),
        ("/enrolments/1/school_id", "school_not_found"),
        ("/enrolments/3/school_id", "repeated"),
    ]
    assert problem(full, 409, "course-full")["free_places"] == 8
    assert await taken_places(training, course) == 2
