"""ВПР Ф1 from the workbook to the indices."""

from sqlalchemy import text

from services.kit.reach import Reach
from tests.indicators.results.test_intake import vpr
from tests.support.running import problem

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


async def test_a_form_becomes_indices(region):
    procedure_id = await region.procedure(kind="vpr", grade=5, year=2025)
    import_id = await region.draft(procedure_id, layout="vpr-f1")

    answer = await region.put(import_id, vpr(), **{"Content-Type": XLSX})
    assert answer.status_code == 200, answer.text
    shown = await region.settled(import_id, "checked")
    done = await region.commit(import_id)

    assert (shown["rows_in"], shown["stored"]) == (3, 3)
    assert shown["files"][0]["recognised"]["title"]["subject"] == "математика"
    assert done["state"] == "committed", done
    found = await region.indices(procedure_id=procedure_id)
    assert (found[1001, "mat"]["n"], found[1001, "mat"]["absent"]) == (1, 1)
    # ВПР математика 5: Bmin is 8; 6 is low.
    assert found[2001, "mat"]["low"] == {
        "numerator": 1,
        "denominator": 1,
        "percent": "100.00",
        "suppressed": [],
    }


async def test_the_mark_of_the_journal_is_stored(region, indicators):
    procedure_id = await region.procedure(kind="vpr", grade=5, year=2025)
    import_id = await region.draft(procedure_id, layout="vpr-f1")
    await region.put(import_id, vpr(), **{"Content-Type": XLSX})
    await region.settled(import_id, "checked")
    await region.commit(import_id)

    async with indicators.database.transaction(Reach.system()) as session:
        rows = await session.execute(
            text(
                "SELECT school_id, score_milli, mark, journal_mark FROM result"
                " WHERE procedure_id = :id ORDER BY 1, 2"
            ),
            {"id": procedure_id},
        )

    assert [tuple(row) for row in rows] == [
        (1001, 14000, 4, 4),
        (1001, None, None, 4),
        (2001, 6000, 2, 3),
    ]


async def test_a_form_of_another_grade_is_refused(region):
    procedure_id = await region.procedure(kind="vpr", grade=6, year=2025)
    import_id = await region.draft(procedure_id, layout="vpr-f1")

    answer = await region.put(import_id, vpr(), **{"Content-Type": XLSX})

    document = problem(answer, 422, "file-refused")
    assert document["reason"] == "title-mismatch"
