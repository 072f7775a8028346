"""Leaving the list over HTTP: out of the published lists, by the rule of the methodology."""

import pytest
from sqlalchemy import text

from services.indicators.methodologies.shipped import shipped_methodologies
from tests.indicators.appeals.conftest import Court, court  # noqa: F401  a fixture
from tests.indicators.identification.conftest import RUNS
from tests.support.builders.rollups import a_procedure, results
from tests.support.running import problem

RULE = {"clear_years": 2, "clear_certainty": "not_excluded", "watch_years": 1}
GOOD, BAD = (0, 40), (30, 40)
# Two procedures a year; what is examined in a year is judged in the list of the next.
LIVES = {
    #   2023 2024 2025 2026 2027
    1: (BAD, BAD, BAD, BAD, BAD),
    2: (BAD, GOOD, GOOD, GOOD, GOOD),
    3: (BAD, GOOD, GOOD, BAD, BAD),
    4: (BAD, GOOD, None, GOOD, GOOD),
    6: (GOOD, GOOD, GOOD, GOOD, GOOD),
    8: (GOOD, GOOD, GOOD, GOOD, BAD),
}


def last_year_only(**changed):
    """Smolensk's rule of one year back, so that a list follows from one year and can be read off."""
    document = shipped_methodologies()["smolensk-nro-fnsu"].canonical()
    document["rules"] = document["rules"][:1]
    return document | {"exit": RULE} | changed


@pytest.fixture
async def lists(court: Court):  # noqa: F811  the fixture
    """Lists of 2024 to 2028; that of 2026 is published twice and the first time with an error."""
    async with court.facts() as session:
        # The world's own results are of other years of the same procedures.
        for table in ("rollup_pattern", "rollup_subject", "rollup_source"):
            await session.execute(text(f"DELETE FROM {table}"))
        for year in (2025, 2026, 2027):
            await a_procedure(session, year * 10 + 1, kind="oge", grade=9, year=year)
            await a_procedure(session, year * 10 + 2, kind="ege", grade=11, year=year)
        numbers = {2023: (231, 232), 2024: (241, 242)} | {
            year: (year * 10 + 1, year * 10 + 2) for year in (2025, 2026, 2027)
        }
        for place, (_, procedures) in enumerate(sorted(numbers.items())):
            told = {school: life[place] for school, life in LIVES.items() if life[place]}
            for procedure in procedures:
                await results(session, procedure, told)
    court.methodology_id = await court.methodology(document=last_year_only())
    court.runs = {}
    for year in (2024, 2025, 2026, 2027, 2028):
        # The world's own list of 2025 is older and without a rule: the newest of a year counts.
        court.runs[year] = await court.published(court.methodology_id, year=year)
    return court


def told(found):
    return {item["school_id"]: item["stage"] for item in found["items"]}


async def test_years_without_low_results_lead_out_through_a_watch(lists):
    by_year = {
        year: told(await lists.read(f"{RUNS}/{run['id']}/exits"))
        for year, run in lists.runs.items()
    }

    assert by_year == {
        2024: {1: "enters", 2: "enters", 3: "enters", 4: "enters"},
        2025: {1: "stays", 2: "stays", 3: "stays", 4: "stays"},
        2026: {1: "stays", 2: "watch", 3: "watch", 4: "stays"},
        2027: {1: "stays", 2: "exits", 3: "returns", 4: "watch"},
        2028: {1: "stays", 3: "stays", 4: "exits", 8: "enters"},
    }


async def test_each_answer_names_the_years_and_runs_it_follows_from(lists):
    run = lists.runs[2027]
    found = await lists.read(f"{RUNS}/{run['id']}/exits?stage=exits")

    (school,) = found["items"]
    assert school["reason"] == "Выходит: без низких результатов (2025, 2026, 2027)"
    assert [(y["year"], y["answer"], y["clear_years"]) for y in school["years"]] == [
        (2024, "low", 0), (2025, "clear", 1), (2026, "clear", 2), (2027, "clear", 3),
    ]  # fmt: skip
    assert [y["run_id"] for y in school["years"]] == found["run_ids"]
    assert found["run_ids"] == [lists.runs[year]["id"] for year in range(2024, 2028)]
    assert found["counts"] == {"enters": 0, "stays": 1, "watch": 1, "exits": 1, "returns": 1}
    gap = await lists.read(f"{RUNS}/{run['id']}/schools/4/exit")
    assert [y["answer"] for y in gap["years"]] == ["low", "clear", "unknown", "clear"]
    assert gap["reason"] == "Под наблюдением, год 1 из 1: без низких результатов (2025, 2027)"


async def test_a_draft_is_told_on_top_of_the_published_lists_to_the_region_only(lists):
    draft = await lists.computed(lists.methodology_id, year=2028)

    assert told(await lists.read(f"{RUNS}/{draft['id']}/exits"))[8] == "enters"
    answer = await lists.call("GET", f"{RUNS}/{draft['id']}/exits", token=lists.city)
    problem(answer, 404, "run-not-found")


async def test_below_the_region_each_sees_its_own(lists):
    path = f"{RUNS}/{lists.runs[2027]['id']}"

    assert told(await lists.read(f"{path}/exits", lists.city)) == {
        1: "stays", 2: "exits", 3: "returns",
    }  # fmt: skip
    own = await lists.read(f"{path}/schools/3/exit", lists.school(3))
    assert own["stage"] == "returns"
    other = await lists.call("GET", f"{path}/schools/2/exit", token=lists.school(3))
    problem(other, 404, "run-school-not-found")
    assert told(await lists.read(f"{path}/exits", lists.school(3))) == {3: "returns"}


async def test_a_school_never_listed_is_outside(lists):
    found = await lists.read(f"{RUNS}/{lists.runs[2028]['id']}/schools/6/exit")

    assert (found["stage"], found["reason"]) == ("outside", "Вне списка и наблюдения")


async def test_a_methodology_without_the_rule_is_told_by_the_default_marked_as_such(
    court,  # noqa: F811  the fixture
):
    found = await court.read(f"{RUNS}/{court.run['id']}/exits")

    assert (found["is_default_rule"], found["rule"]["clear_years"]) == (True, 2)
    assert told(found)[3] == "enters"
