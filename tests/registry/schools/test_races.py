"""Several callers at once: the database decides, nobody's work is lost silently."""

import asyncio

from tests.support.builders.registry import a_school, school_body

SCHOOLS = "/api/registry/v1/schools"


async def test_of_many_edits_of_one_state_one_wins(smolensk):
    school = await a_school(smolensk)

    answers = await asyncio.gather(
        *(
            smolensk.region.patch(
                f"{SCHOOLS}/{school['id']}",
                json={"name": f"Имя {number}", "is_correction": True},
                headers={"If-Match": '"1"'},
            )
            for number in range(8)
        )
    )

    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 7
    winner = next(answer for answer in answers if answer.status_code == 200).json()["name"]
    states = (await smolensk.region.get(f"{SCHOOLS}/{school['id']}/states")).json()
    assert [state["name"] for state in states] == [winner]


async def test_of_many_entries_of_one_code_one_is_made(smolensk):
    answers = await asyncio.gather(
        *(smolensk.region.post(SCHOOLS, json=school_body(smolensk.velizh)) for _ in range(8))
    )

    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7


async def test_two_halves_of_a_loop_are_not_both_recorded(smolensk):
    first = await a_school(smolensk, code="1")
    second = await a_school(smolensk, code="2")

    def merge(school, predecessor):
        return smolensk.region.post(
            "/api/registry/v1/successions",
            json={
                "kind": "merge",
                "school_id": school["id"],
                "predecessor_id": predecessor["id"],
                "happened_on": "2020-09-01",
            },
        )

    answers = await asyncio.gather(merge(first, second), merge(second, first))

    assert sorted(answer.status_code for answer in answers) == [201, 409]
