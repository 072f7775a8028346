"""Smolensk: the list of Table 5, who sees what of it, and what it leaves in the registry."""

import io

import asyncpg
import pytest
from python_calamine import CalamineWorkbook

from tests.support.running import problem
from tests.support.smolensk import LIST_YEAR, TABLE_5
from tests.support.steps import run_in

RUNS = "/api/indicators/v1/identification-runs"


@pytest.fixture(scope="module")
async def listed(smolensk):
    return await smolensk.region.analyst.get(f"{RUNS}/{smolensk.run['id']}/list")


async def test_each_row_of_table_5_is_as_printed(listed):
    rows = {
        row["name"]: (
            row["total"],
            *(row["by_category"].get(code, 0) for code in ("nro", "fnsu", "nro-fnsu")),
        )
        for row in listed["municipalities"]
    }

    assert rows == TABLE_5


async def test_the_totals_of_table_5_are_as_printed(listed):
    assert listed["totals"] == {"total": 75, "by_category": {"nro": 38, "fnsu": 30, "nro-fnsu": 7}}


async def test_every_listed_school_has_a_reason(listed):
    reasons = [school["reason"] for row in listed["municipalities"] for school in row["schools"]]

    assert len(reasons) == 75
    assert all(len(reason) > 20 for reason in reasons)


async def test_the_workbook_holds_the_same_table(smolensk):
    answer = await smolensk.region.analyst.ask("GET", f"{RUNS}/{smolensk.run['id']}/list.xlsx")
    again = await smolensk.region.analyst.ask("GET", f"{RUNS}/{smolensk.run['id']}/list.xlsx")
    sheet = (
        CalamineWorkbook.from_filelike(io.BytesIO(answer.content)).get_sheet_by_index(0).to_python()
    )
    rows = {
        row[0]: tuple(int(cell) for cell in row[1:5])
        for row in sheet
        if row[0] in TABLE_5 or row[0] == "ИТОГО"
    }

    assert rows == TABLE_5 | {"ИТОГО": (75, 38, 30, 7)}
    assert again.content == answer.content


async def test_the_published_list_is_participation_in_the_registry(smolensk):
    found = await smolensk.region.analyst.all("/api/registry/v1/participations", year=LIST_YEAR)

    assert len(found) == 75
    assert {item["run_id"] for item in found} == {smolensk.run["id"]}
    assert {(item["order_number"], item["order_date"]) for item in found} == {
        ("210-ОД", "2026-03-15")
    }


def is_computed(run):
    return run["computed_at"]


async def test_the_same_person_cannot_prepare_and_approve(smolensk):
    region = smolensk.region
    wish = {"year": LIST_YEAR, "methodology_version_id": smolensk.run["methodology_version_id"]}
    first, run = [
        await run_in(region, (await region.analyst.post(RUNS, wish))["id"], is_computed)
        for _ in range(2)
    ]
    prepared = await region.analyst.post(f"{RUNS}/{run['id']}/preparation", etag=run["version"])
    answer = await region.analyst.ask(
        "POST",
        f"{RUNS}/{run['id']}/approval",
        json={"order_number": "1", "order_date": "2026-03-15", "list_hash": prepared["list_hash"]},
        headers={"If-Match": f'"{prepared["version"]}"'},
    )

    assert answer.status_code == 409, answer.text
    # The same frozen facts under the same rules: the same list, byte for byte.
    assert prepared["list_hash"] == first["list_hash"]
    # Since the published list an appeal has corrected a number: no school moves, the facts are others.
    assert prepared["list_hash"] != smolensk.run["list_hash"]
    assert run["counts"]["categories"] == smolensk.run["counts"]["categories"]


async def test_each_caller_sees_only_its_own_of_everything(smolensk):
    own, granted = smolensk.own_school["id"], smolensk.granted_school["id"]
    velizh = {
        school["id"] for school in smolensk.schools.values() if school["code"].startswith("6701")
    }
    run = smolensk.run["id"]
    expected = {
        "municipality": (smolensk.municipality_user, velizh),
        "school": (smolensk.school_user, {own}),
        "curator": (smolensk.curator, {granted}),
    }
    for who, (caller, visible) in expected.items():
        for path, key in (
            ("/api/registry/v1/schools", "id"),
            ("/api/indicators/v1/indices", "school_id"),
            (f"{RUNS}/{run}/schools", "school_id"),
            ("/api/registry/v1/participations", "school_id"),
        ):
            page = await caller.get(path, count="true", limit=500)
            seen = {item[key] for item in page["items"]}
            assert seen <= visible, (who, path)
            assert page["total"] == len(page["items"]), (who, path)
            if key == "id" or "indices" in path or path.endswith("schools"):
                assert seen == visible, (who, path)


async def test_the_feeds_show_each_caller_its_own_schools(smolensk):
    for caller, school in (
        (smolensk.school_user, smolensk.own_school),
        (smolensk.curator, smolensk.granted_school),
    ):
        page = await caller.get("/api/registry/v1/changes", kind="school", limit=1000)
        assert {item["id"] for item in page["items"]} == {school["id"]}


async def test_the_list_of_a_school_names_that_school_only(smolensk):
    listed = await smolensk.school_user.get(f"{RUNS}/{smolensk.run['id']}/list")
    named = [school["school_id"] for row in listed["municipalities"] for school in row["schools"]]
    workbook = await smolensk.school_user.ask("GET", f"{RUNS}/{smolensk.run['id']}/list.xlsx")
    text = str(
        [
            sheet.to_python()
            for book in [CalamineWorkbook.from_filelike(io.BytesIO(workbook.content))]
            for sheet in map(book.get_sheet_by_name, book.sheet_names)
        ]
    )

    assert named == [smolensk.own_school["id"]]
    assert "Вяземский" not in text
    assert smolensk.schools["670201"]["name"] not in text


async def test_a_draft_run_does_not_exist_for_those_below_the_region(smolensk):
    draft = await smolensk.region.analyst.all(RUNS)
    hidden = [run["id"] for run in draft if run["state"] != "published"]
    for caller in (smolensk.municipality_user, smolensk.school_user, smolensk.curator):
        for run_id in hidden:
            answer = await caller.ask("GET", f"{RUNS}/{run_id}")
            problem(answer, 404, "run-not-found")
            assert (await caller.ask("GET", f"{RUNS}/{run_id}/list")).status_code == 404


async def test_a_school_reads_why_it_is_on_the_list_down_to_the_rows(smolensk):
    school = smolensk.own_school["id"]
    trace = await smolensk.school_user.get(f"{RUNS}/{smolensk.run['id']}/schools/{school}/trace")

    counted = [procedure for procedure in trace["procedures"] if procedure["state"] == "counted"]
    shares = {p["year"]: (p["low"]["numerator"], p["low"]["denominator"]) for p in counted}
    assert shares == {2024: (6, 12), 2025: (6, 12)}
    assert all(source["rows"] == 24 for procedure in counted for source in procedure["sources"])
    assert trace["sentences"]


async def test_names_and_birth_dates_of_the_file_are_nowhere_in_the_database(smolensk, opora):
    connection = await asyncpg.connect(opora.urls["indicators"].admin.replace("+asyncpg", ""))
    tables = await connection.fetch(
        "SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
        " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped",
    )
    for canary in ("Канарейкин", "01.02.2009", "2009-02-01", "202467010100"):
        for table, column in tables:
            found = await connection.fetchval(
                f'SELECT count(*) FROM "{table}" WHERE position($1 IN CAST("{column}" AS text)) > 0'
                f' OR position($2 IN CAST("{column}" AS text)) > 0',
                canary,
                canary.encode().hex(),
            )
            assert found == 0, (canary, table, column)
    await connection.close()
