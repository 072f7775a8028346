"""Two runs compared over HTTP: the one sentence that says why a school entered or left."""

from dataclasses import replace

import pytest
from sqlalchemy import text

from services.indicators.algebra.attribution import Cause
from services.indicators.identification.differences.causes import Attribution, Side, attribute
from services.indicators.identification.differences.details import SchoolChanges, changes_of
from services.indicators.identification.differences.reasons import (
    Reader,
    SchoolLineage,
    reason_of,
)
from services.indicators.identification.freezing.corrections import Correction
from services.indicators.methodologies.shipped import shipped_methodologies
from tests.indicators.identification.conftest import RUNS
from tests.support.builders.facts import Facts
from tests.support.builders.rollups import (
    a_municipality,
    a_procedure,
    a_region,
    a_school,
    results,
)
from tests.support.callers import curator, municipality_user


@pytest.fixture
async def two_schools(desk):
    """School 1 stands at 12 of 40 in both exams of 2024, school 2 well below."""
    async with desk.facts() as session:
        await a_region(session)
        await a_municipality(session, 1, "Велижский")
        for school in (1, 2):
            await a_school(session, school, municipality_id=1, adverse=False)
        await a_procedure(session, 241, kind="oge", grade=9, year=2024)
        await a_procedure(session, 242, kind="ege", grade=11, year=2024)
        for procedure in (241, 242):
            await results(session, procedure, {1: (12, 40), 2: (4, 40)}, import_id=3)
    methodology = await desk.methodology(shipped="smolensk-nro-fnsu")
    return methodology, await desk.computed(methodology)


async def compared(desk, later, earlier, token=None):
    path = f"{RUNS}/{later['id']}/differences"
    answer = await desk.call("GET", path, token=token, params={"earlier_run_id": earlier["id"]})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def recounted(session, low, import_id=5):
    """School 1 has another number of low results in ОГЭ, from another import."""
    for table in ("rollup_pattern", "rollup_subject", "rollup_source"):
        await session.execute(
            text(f"DELETE FROM {table} WHERE procedure_id = 241 AND school_id = 1")
        )
    await results(session, 241, {1: (low, 40)}, import_id=import_id)


async def test_a_new_import_is_the_cause_with_its_numbers_and_the_import(desk, two_schools):
    methodology, first = two_schools
    async with desk.facts() as session:
        await recounted(session, 11)
    second = await desk.computed(methodology)

    (item,) = (await compared(desk, second, first))["items"]
    (cause,) = item["reason"]["causes"]

    assert (item["kind"], cause["code"], cause["is_enough"]) == ("left", "data", True)
    (cell,) = cause["cells"]
    assert (cell["before"], cell["after"]) == (
        {"n": 40, "low": 12, "suppressed": []}, {"n": 40, "low": 11, "suppressed": []},
    )  # fmt: skip
    assert (cell["import_ids_before"], cell["import_ids_after"]) == ([3], [5])
    assert item["reason"]["sentence"] == (
        "«Школа № 1» вышла из списка: новые результаты (импорт № 5 вместо № 3): "
        "ОГЭ, 9 класс, 2024 год: было 12 из 40, стало 11 из 40."
    )


def test_an_accepted_appeal_is_named_in_the_sentence():
    before = Facts(
        procedures={241: ("oge", 9, 2024, 8), 242: ("ege", 11, 2024, 8)},
        schools={1: ("sosh", None)},
    )
    before.cells = {(1, 241): (40, 12, 12), (1, 242): (40, 12, 12)}
    after = before.copy()
    after.cells[1, 241] = (40, 11, 11)
    rules = shipped_methodologies()["smolensk-nro-fnsu"]
    correction = Correction(
        id=8,
        appeal_id=3,
        school_id=1,
        procedure_id=241,
        n=40,
        low=11,
        failed=11,
        order_number="12-ОД",
    )
    earlier = Side(before.inputs(), rules)
    later = Side(replace(after.inputs(), corrections=(correction,)), rules)

    reason = reason_of(
        "Школа № 5",
        attribute(earlier, later).by_school[1],
        changes_of(earlier, later, [1])[1],
        settings=(),
        years=(2025, 2025),
        lineage=SchoolLineage(),
        reader=Reader(sees_numbers=True, sees_signs=True),
    )

    assert reason.sentence == (
        "«Школа № 5» вышла из списка: по апелляции № 3 (приказ 12-ОД) исправлено число низких "
        "результатов: ОГЭ, 9 класс, 2024 год: было 12 из 40, стало 11 из 40."
    )
    assert reason.causes[0].cells[0].appeal_id == 3


@pytest.mark.parametrize(("sees", "values"), [(True, ("0.0123", "0.0247")), (False, (None, None))])
def test_values_of_a_profile_are_told_to_those_who_see_exact_numbers(sees, values):
    found = Attribution("changed", Cause((("context",),)))
    changes = SchoolChanges(
        cells=(),
        card=(),
        attributes=(("incomplete_families", "0.0123", "0.0247"),),
        signs=(0, 0),
    )

    reason = reason_of(
        "Школа № 5",
        found,
        changes,
        settings=(),
        years=(2025, 2025),
        lineage=SchoolLineage(),
        reader=Reader(sees_numbers=sees, sees_signs=True),
    )

    (fact,) = reason.causes[0].facts
    assert (fact.before, fact.after) == values
    assert fact.suppressed == ([] if sees else ["before", "after"])
    assert ("0.0123 → 0.0247" in reason.sentence) is sees
    assert "incomplete_families" in reason.sentence


async def test_a_changed_threshold_is_the_cause_rule_in_words(desk, two_schools):
    _, first = two_schools
    document = shipped_methodologies()["smolensk-nro-fnsu"].canonical()
    document["low_result"]["threshold"] = "2/5"
    document["small_n"]["below"] = 9
    second = await desk.computed(await desk.methodology(document=document))

    found = await compared(desk, second, first)
    (item,) = found["items"]
    (cause,) = item["reason"]["causes"]

    assert [one["setting"] for one in cause["settings"]] == ["/low_result/threshold"]
    assert "30 % → 40 %" in item["reason"]["sentence"]
    assert {one["setting"] for one in found["settings"]} == {
        "/low_result/threshold", "/small_n/below",
    }  # fmt: skip


async def test_new_scales_are_the_cause_scale(desk, two_schools):
    methodology, first = two_schools
    async with desk.facts() as session:
        await session.execute(text("UPDATE scale SET minimum = 7 WHERE procedure_id = 241"))
        await recounted(session, 11, import_id=3)
    second = await desk.computed(methodology)

    (item,) = (await compared(desk, second, first))["items"]
    (cause,) = item["reason"]["causes"]

    assert (cause["code"], cause["cells"][0]["has_other_scales"]) == ("scale", True)


async def test_the_card_of_the_school_is_a_cause(desk, two_schools):
    methodology, first = two_schools
    async with desk.facts() as session:
        await session.execute(
            text(
                "UPDATE school SET adverse_conditions = true, adverse_reason = 'Анкета' WHERE id = 2"
            )
        )
    second = await desk.computed(methodology)

    (item,) = (await compared(desk, second, first))["items"]

    assert (item["kind"], item["reason"]["causes"][0]["code"]) == ("entered", "school")
    assert "отметка о неблагоприятных условиях: нет → да" in item["reason"]["sentence"]


async def test_two_changes_that_only_together_suffice_are_a_combination(desk, two_schools):
    _, first = two_schools
    document = shipped_methodologies()["smolensk-nro-fnsu"].canonical()
    document["low_result"]["threshold"] = "1/4"
    async with desk.facts() as session:
        # 10 of 40 reach 25 % and not 30 %; 4 of 40 reach neither.
        for table in ("rollup_pattern", "rollup_subject", "rollup_source"):
            await session.execute(text(f"DELETE FROM {table} WHERE school_id = 2"))
        for procedure in (241, 242):
            await results(session, procedure, {2: (10, 40)}, import_id=5)
    second = await desk.computed(await desk.methodology(document=document))

    (item,) = (await compared(desk, second, first))["items"]

    assert (item["school_id"], item["kind"]) == (2, "entered")
    assert item["reason"]["is_combination"] is True
    assert [(c["code"], c["is_enough"]) for c in item["reason"]["causes"]] == [
        ("data", False), ("rule", False),
    ]  # fmt: skip
    assert "сочетание причин: новые результаты" in item["reason"]["sentence"]
    assert "30 % → 25 %" in item["reason"]["sentence"]


async def test_a_school_that_only_one_run_knows_says_so(desk, two_schools):
    methodology, first = two_schools
    async with desk.facts() as session:
        await session.execute(text("UPDATE school SET closed_on = '2020-01-01' WHERE id = 1"))
    second = await desk.computed(methodology)

    (item,) = (await compared(desk, second, first))["items"]

    assert (item["kind"], item["after"]) == ("left", None)
    assert item["reason"]["causes"][0]["code"] == "network"


async def test_another_year_of_the_list_is_told(desk, two_schools):
    methodology, first = two_schools
    async with desk.facts() as session:
        await a_procedure(session, 251, kind="oge", grade=9, year=2025)
        await results(session, 251, {1: (2, 40), 2: (20, 40)})
    second = await desk.computed(methodology, year=2026)

    items = {item["school_id"]: item for item in (await compared(desk, second, first))["items"]}

    assert items[1]["kind"] == "left"
    assert items[1]["reason"]["causes"][0]["code"] == "data"
    assert "список другого года (2025 → 2026)" in items[1]["reason"]["sentence"]


async def test_a_run_whose_rows_were_changed_gives_no_invented_cause(desk, two_schools):
    methodology, first = two_schools
    async with desk.facts() as session:
        await recounted(session, 11)
    second = await desk.computed(methodology)
    async with desk.facts() as session:
        await session.execute(
            text("UPDATE run_evidence SET low = array_fill(4, ARRAY[2]) WHERE run_id = :run"),
            {"run": first["id"]},
        )

    (item,) = (await compared(desk, second, first))["items"]

    assert item["reason"]["causes"][0]["code"] == "unexplained"


async def test_who_has_not_the_rows_reads_the_cause_without_numbers(desk, two_schools):
    methodology, first = two_schools
    async with desk.facts() as session:
        await recounted(session, 11)
    second = await desk.computed(methodology)
    async with desk.facts() as session:
        for table in ("identification_run", "run_school", "run_evidence", "run_procedure"):
            published = ", state = 'published'" if table == "identification_run" else ""
            if published:
                published += (
                    ", prepared_by = 'user:1', approved_by = 'user:2', order_number = '1',"
                    " order_date = '2025-03-15', published_at = now()"
                )
            await session.execute(text(f"UPDATE {table} SET is_published = true{published}"))
        await session.execute(
            text(
                "INSERT INTO curator_grant (id, region_id, municipality_id, school_id, curator,"
                " valid_from) VALUES (1, 1, 1, 1, 'user:4', '2020-01-01')"
            )
        )

    (of_curator,) = (await compared(desk, second, first, token=curator(region_id=1)))["items"]
    of_municipality = await compared(
        desk, second, first, token=municipality_user(region_id=1, municipality_id=1)
    )

    cell = of_curator["reason"]["causes"][0]["cells"][0]
    assert cell["before"] == {"n": None, "low": None, "suppressed": ["n", "low"]}
    assert cell["import_ids_after"] == []
    assert "40" not in of_curator["reason"]["sentence"]
    (exact,) = of_municipality["items"]
    assert exact["reason"]["causes"][0]["cells"][0]["after"]["low"] == 11
    # The wider reach is given back: the municipality next door sees nothing of this.
    other = municipality_user(region_id=1, municipality_id=2)
    assert (await compared(desk, second, first, token=other))["items"] == []
