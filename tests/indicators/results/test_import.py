"""An import of Opora's CSV from the upload to the rollups, over HTTP with a worker."""

import asyncio
import base64
import hashlib
import itertools
import uuid

import pytest
from sqlalchemy import text

from services.kit.reach import Reach
from tests.support.callers import municipality_user, region_user, school_user
from tests.support.running import problem

API = "/api/indicators/v1"
HEADER = "school_code;participant;subject;grade;class;score;mark;status;source_version\n"


async def test_results_become_indices(region):
    procedure_id = await region.procedure()
    rows = (
        "100001;1;1;9;9А;20;3;;\n100001;1;2;9;9А;12;3;;\n"
        "100001;2;1;9;9А;16;3;;\n100001;2;2;9;9А;12;3;;\n"
        "100001;3;1;9;9А;20;3;;\n100001;3;2;9;9А;9;3;;\n"
        "100001;4;1;9;9Б;10;2;;\n100001;4;2;9;9Б;5;2;;\n"
        "100001;5;1;9;9Б;17;3;;\n100001;5;2;9;9Б;10;3;;\n"
        "200001;6;1;9;9А;;;absent;\n200001;7;1;9;9А;29;5;;\n"
    )

    done = await region.committed(procedure_id, HEADER + rows)

    assert (done["rows_in"], done["stored"]) == (12, 12)
    found = await region.indices(procedure_id=procedure_id)
    assert found[1001, "rus"]["low"] == {
        "numerator": 2,
        "denominator": 5,
        "percent": "40.00",
        "suppressed": [],
    }
    assert found[1001, "mat"]["low"]["numerator"] == 2
    assert (found[2001, "rus"]["n"], found[2001, "rus"]["absent"]) == (1, 1)
    assert found[2001, "rus"]["top"]["numerator"] == 1
    low = (
        await region.client.get(f"{API}/indices/low-results?procedure_id={procedure_id}")
    ).json()["items"]
    # F4, methodology A1: people, not works.
    assert low[0]["low"] == {"numerator": 3, "denominator": 5, "percent": "60.00", "suppressed": []}
    assert low[1]["participants"] == 1
    lineage = (await region.client.get(f"{API}/results/lineage?school_id=1001")).json()["items"]
    assert [(row["first_row"], row["last_row"], row["rows"]) for row in lineage] == [(2, 11, 10)]
    assert len(lineage[0]["sha256"]) == 64


async def test_everything_wrong_is_told_at_once(region):
    procedure_id = await region.procedure()
    rows = (
        "100001;1;1;9;9А;20;3;;\n"  # 2 good
        "999999;2;1;9;9А;20;3;;\n"  # 3 unknown school
        "100001;3;1;9;9А;34;5;;\n"  # 4 above the maximum
        "100001;4;1;9;9А;;;;\n"  # 5 no score
        "100001;5;77;9;9А;20;3;;\n"  # 6 unknown subject
        "100001;6;1;8;8А;20;3;;\n"  # 7 other grade
        "100001;7;1;9;9А;-1;3;;\n"  # 8 negative
        "100001;8;1;9;9А;двадцать;3;;\n"  # 9 not a number
        "100001;9;1;9;9А;20,1234;3;;\n"  # 10 too precise
        ";;;;;;;;\n"  # 11 empty
        "100001;1;1;9;9А;20;3;;\n"  # 12 identical repetition
        "100001;10;1;9;9А;20;3;;\n100001;10;1;9;9А;21;3;;\n"  # 13, 14 conflicting
        "100001;11;1;9;9А;20;7;;\n"  # 15 mark
        "100001;12;1;9\n"  # 16 shape
        "100001;;1;9;9А;20;3;;\n"  # 17 no participant
        "999999;13;1;8;9А;40;3;;\n"  # 18 three things at once
        "100001;14;1;9;9А;20;3;аннулирован;\n"  # 19 cancelled
    )

    shown = await region.checked(procedure_id, HEADER + rows)

    assert (shown["rows_in"], shown["stored"], shown["ignored"]) == (18, 2, 2)
    assert shown["counts"]["noted"] == {"cancelled": 1}
    found = await region.findings(shown["id"])
    places = {code: (f["count"], f["first_row"], f["last_row"]) for code, f in found.items()}
    assert places == {
        "school-unknown": (2, 3, 18),
        "score-above-maximum": (2, 4, 18),
        "score-missing": (1, 5, 5),
        "subject-unknown": (1, 6, 6),
        "grade-wrong": (2, 7, 18),
        "score-negative": (1, 8, 8),
        "score-not-number": (1, 9, 9),
        "score-too-precise": (1, 10, 10),
        "empty-row": (1, 11, 11),
        "duplicate-identical": (1, 12, 12),
        "duplicate-conflicting": (2, 13, 14),
        "mark-wrong": (1, 15, 15),
        "row-shape": (1, 16, 16),
        "participant-missing": (1, 17, 17),
    }
    assert found["score-above-maximum"]["sample"] == "34"
    assert found["score-above-maximum"]["column"] == "score"
    assert all(f["remedy"] for f in found.values())
    marked = (await region.client.get(f"{API}/imports/{shown['id']}/findings.csv")).text
    assert marked.startswith("\ufeffтаблица;лист;строка")
    assert "score-above-maximum" in marked


async def test_nothing_is_stored_before_the_commit(region, indicators):
    procedure_id = await region.procedure()

    await region.checked(procedure_id, HEADER + "100001;1;1;9;9А;20;3;;\n")

    assert await region.indices(procedure_id=procedure_id) == {}
    async with indicators.database.transaction(Reach.system()) as session:
        assert await session.scalar(text("SELECT count(*) FROM result")) == 0


async def test_the_same_file_twice_is_one_import(region, indicators):
    procedure_id = await region.procedure()
    body = HEADER + "100001;1;1;9;9А;20;3;;\n"
    first = await region.committed(procedure_id, body)

    second = await region.draft(procedure_id)
    again = await region.put(second, body)

    assert (again.status_code, again.json()["id"]) == (200, first["id"])
    shown = (await region.client.get(f"{API}/imports/{second}")).json()
    assert (shown["state"], shown["first_import_id"]) == ("duplicate", first["id"])


async def test_a_repetition_is_recognised_before_its_body(region):
    procedure_id = await region.procedure()
    body = HEADER + "100001;1;1;9;9А;20;3;;\n"
    first = await region.committed(procedure_id, body)
    digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()

    second = await region.draft(procedure_id)
    again = await region.put(second, body, **{"Repr-Digest": f"sha-256=:{digest}:"})

    assert (again.status_code, again.json()["id"]) == (200, first["id"])


async def test_twenty_clients_with_one_file_make_one_import(region):
    procedure_id = await region.procedure()
    body = HEADER + "100001;1;1;9;9А;20;3;;\n"
    drafts = [await region.draft(procedure_id) for _ in range(20)]

    answers = await asyncio.gather(*(region.put(draft, body) for draft in drafts))

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["id"] for answer in answers}) == 1


async def test_a_damaged_upload_is_recognised_by_its_digest(region):
    import_id = await region.draft(await region.procedure())
    digest = base64.b64encode(hashlib.sha256(b"other").digest()).decode()

    answer = await region.put(
        import_id,
        HEADER + "100001;1;1;9;9А;20;3;;\n",
        **{"Repr-Digest": f"sha-256=:{digest}:"},
    )

    problem(answer, 422, "digest-mismatch")


async def test_an_appeal_supersedes_and_the_old_version_stays_in_history(region, indicators):
    procedure_id = await region.procedure()
    await region.committed(
        procedure_id, HEADER + "100001;1;1;9;9А;14;2;;1\n100001;2;1;9;9А;20;3;;1\n"
    )

    done = await region.committed(procedure_id, HEADER + "100001;1;1;9;9А;20;3;;2\n")

    assert done["counts"]["superseded"] == 1
    found = await region.indices(procedure_id=procedure_id)
    assert found[1001, "rus"]["low"] == {
        "numerator": 0,
        "denominator": 2,
        "percent": "0.00",
        "suppressed": [],
    }
    async with indicators.database.transaction(Reach.system()) as session:
        history = await session.execute(
            text("SELECT score_milli, source_version, superseded_by FROM result_history")
        )
        assert [tuple(row) for row in history] == [(14000, 1, done["id"])]


async def test_an_older_version_that_comes_late_changes_nothing(region):
    procedure_id = await region.procedure()
    await region.committed(procedure_id, HEADER + "100001;1;1;9;9А;20;3;;2\n")

    late = await region.checked(procedure_id, HEADER + "100001;1;1;9;9А;14;2;;1\n")

    assert late["counts"]["ignored"] == {"older-version": 1}
    assert late["stored"] == 0


async def test_the_same_version_with_another_score_is_refused(region):
    procedure_id = await region.procedure()
    await region.committed(procedure_id, HEADER + "100001;1;1;9;9А;20;3;;\n")

    shown = await region.checked(
        procedure_id, HEADER + "100001;1;1;9;9А;21;3;;\n100001;2;1;9;9А;21;3;;\n"
    )

    assert shown["counts"]["rejected"] == {"same-version-conflict": 1}
    assert shown["stored"] == 1


@pytest.mark.parametrize("order", list(itertools.permutations((1, 2, 3))))
async def test_versions_in_any_order_end_with_the_newest(region, order):
    procedure_id = await region.procedure()

    for version in order:
        await region.committed(
            procedure_id, HEADER + f"100001;1;1;9;9А;{10 + version};3;;{version}\n"
        )

    found = await region.indices(procedure_id=procedure_id)
    assert found[1001, "rus"]["mean"] == "13.000"


async def test_a_participant_who_moved_counts_in_the_new_school_only(region):
    procedure_id = await region.procedure()
    await region.committed(procedure_id, HEADER + "100001;1;1;9;9А;20;3;;1\n")

    moved = await region.committed(procedure_id, HEADER + "200001;1;1;9;9А;20;3;;2\n")

    assert moved["counts"]["noted"] == {"school-moved": 1}
    found = await region.indices(procedure_id=procedure_id)
    assert set(found) == {(2001, "rus")}


async def test_a_row_rejected_has_to_be_accepted_by_name(region):
    procedure_id = await region.procedure()
    shown = await region.checked(
        procedure_id, HEADER + "100001;1;1;9;9А;20;3;;\n999;2;1;9;9А;20;3;;\n"
    )

    refused = await region.client.post(
        f"{API}/imports/{shown['id']}/commit",
        json={},
        headers={"Idempotency-Key": str(uuid.uuid4())},
    )

    problem(refused, 409, "rejected-rows-present")
    assert (await region.commit(shown["id"], accept_rejected=True))["stored"] == 1


async def test_the_check_is_repeated_when_its_reference_changed(region, indicators):
    procedure_id = await region.procedure()
    shown = await region.checked(procedure_id, HEADER + "300001;1;1;9;9А;20;3;;\n")
    assert shown["counts"]["rejected"] == {"school-unknown": 1}
    async with indicators.database.transaction(Reach.system()) as session:
        await session.execute(
            text(
                "INSERT INTO school (id, region_id, municipality_id, code, name)"
                " VALUES (3001, 1, 12, '300001', 'Новая школа')"
            )
        )

    back = await region.commit(shown["id"], accept_rejected=True)

    assert (back["state"], back["stored"], back["problem"]["code"]) == (
        "checked",
        1,
        "check-changed",
    )
    assert (await region.commit(shown["id"]))["state"] == "committed"


async def test_a_cancelled_import_leaves_nothing_and_frees_its_content(region, indicators):
    procedure_id = await region.procedure()
    body = HEADER + "100001;1;1;9;9А;20;3;;\n"
    shown = await region.checked(procedure_id, body)

    await region.client.post(f"{API}/imports/{shown['id']}/cancellation")

    for _ in range(100):
        async with indicators.database.transaction(Reach.system()) as session:
            left = await session.scalar(text("SELECT count(*) FROM import_chunk"))
            stages = await session.scalar(
                text(
                    "SELECT count(*) FROM pg_class WHERE relname LIKE 'result_p%' AND relkind = 'r'"
                )
            )
        if left == stages == 0:
            break
        await asyncio.sleep(0.05)
    assert (left, stages) == (0, 0)
    assert (await region.committed(procedure_id, body))["state"] == "committed"


async def test_a_changed_scale_moves_the_indices(region):
    procedure_id = await region.procedure()
    await region.committed(procedure_id, HEADER + "100001;1;1;9;9А;16;3;;\n")
    scale = (await region.client.get(f"{API}/procedures/{procedure_id}")).json()["scales"][0]

    await region.client.patch(
        f"{API}/scales/{scale['id']}", json={"minimum": "14"}, headers={"If-Match": '"1"'}
    )

    for _ in range(100):
        found = await region.indices(procedure_id=procedure_id)
        if found[1001, "rus"]["low"]["numerator"] == 0:
            break
        await asyncio.sleep(0.05)
    assert found[1001, "rus"]["low"]["numerator"] == 0


async def test_others_see_neither_imports_nor_schools_of_other_places(region, indicators):
    procedure_id = await region.procedure()
    done = await region.committed(
        procedure_id, HEADER + "100001;1;1;9;9А;20;3;;\n200001;2;1;9;9А;20;3;;\n"
    )
    school = school_user(region_id=1, municipality_id=11, school_id=1001)
    municipality = municipality_user(region_id=1, municipality_id=12)

    async with indicators.as_(school) as own, indicators.as_(municipality) as other:
        mine = (await own.get(f"{API}/indices")).json()["items"]
        theirs = (await other.get(f"{API}/indices")).json()["items"]
        refused = await own.get(f"{API}/imports/{done['id']}")
    async with indicators.as_(region_user(region_id=2)) as foreign:
        hidden = await foreign.get(f"{API}/imports/{done['id']}")

    assert [row["school_id"] for row in mine] == [1001]
    assert [row["school_id"] for row in theirs] == [2001]
    problem(refused, 403, "missing-scope")
    problem(hidden, 404, "import-not-found")


async def test_another_file_of_the_same_length_is_not_taken_for_the_first(region):
    procedure_id = await region.procedure()
    first = await region.committed(procedure_id, HEADER + "100001;1;1;9;9А;20;3;;\n")

    other = await region.committed(procedure_id, HEADER + "100001;2;1;9;9А;20;3;;\n")

    assert other["id"] != first["id"]
    assert (await region.indices(procedure_id=procedure_id))[1001, "rus"]["n"] == 2
