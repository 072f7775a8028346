"""A run gives from its frozen rows what it gave, and notices a row that somebody has changed."""

import dataclasses
import random
from decimal import Decimal

import numpy as np
import pytest
from sqlalchemy import text

from services.indicators.corrections.queries import fingerprint
from services.indicators.identification.answering.evaluation import evaluate
from services.indicators.identification.answering.keeping import keep_answers
from services.indicators.identification.freezing.freeze import freeze
from services.indicators.identification.freezing.frozen import frozen
from services.indicators.identification.tables import IdentificationRun
from services.indicators.methodologies.document import Methodology
from services.indicators.methodologies.operations import document_hash
from services.indicators.methodologies.tables import MethodologyVersion
from tests.indicators.identification.conftest import RUNS
from tests.indicators.identification.worlds import FLAGS, five_flags, full_region
from tests.support.builders.context import a_detection, a_profile
from tests.support.builders.rollups import (
    a_municipality,
    a_procedure,
    a_school,
    insert,
    results,
)
from tests.support.callers import machine, municipality_user
from tests.support.running import problem


def plain(value):
    """Make inputs comparable: arrays become lists."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if dataclasses.is_dataclass(value):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    return [plain(one) for one in value] if isinstance(value, tuple | list) else value


@pytest.fixture
async def full_desk(desk):
    async with desk.facts() as session:
        await full_region(session)
    desk.methodology_id = await desk.methodology(document=five_flags())
    desk.run = await desk.computed(desk.methodology_id)
    return desk


async def verified(desk, run_id, **options):
    return await desk.call("POST", f"{RUNS}/{run_id}/verification", **options)


async def test_what_is_read_back_is_what_was_frozen(full_desk):
    desk = full_desk
    methodology = Methodology.model_validate(five_flags())
    async with desk.facts() as session:
        run = IdentificationRun(
            region_id=1, year=2025, methodology_version_id=desk.methodology_id,
            state="computing", created_by="user:1",
        )  # fmt: skip
        session.add(run)
        await session.flush()
        inputs = await freeze(session, run, methodology)
        await keep_answers(session, run, inputs, evaluate(inputs, methodology), methodology)
        again = await frozen(session, run.id)

    assert plain(again) == plain(inputs)
    # Nothing of it is empty, or equality would prove little.
    assert len(inputs.cells.n) == 23
    assert set(inputs.attributes) == {"higher_education", "large_families", "staff_shortage"}
    assert [sign.detector for sign in inputs.signs] == ["border_peak", "over_easy", "repeated"]
    assert inputs.asked_years[0] == frozenset([2024])


async def test_five_flags_are_told_with_what_is_not_known(full_desk):
    page = (await full_desk.call("GET", f"{RUNS}/{full_desk.run['id']}/schools")).json()

    told = {s["school_id"]: (s["flags"], s["unknown_flags"]) for s in page["items"]}
    assert told[1][0] == ["low_results", "adverse_conditions", "decline_risk", "prevention"]
    assert told[2] == (["biased_results"], [])
    # Asked for no signs in the year that counts, and no profile at all.
    assert "biased_results" in told[4][1]
    assert told[5] == ([], list(FLAGS))
    counts = full_desk.run["counts"]
    assert counts["unknown_flags"]["biased_results"] == 4
    assert {n["code"] for n in full_desk.run["notices"]} == {"attribute-missing"}


async def test_an_untouched_run_is_intact(full_desk):
    answer = (await verified(full_desk, full_desk.run["id"])).json()

    assert answer["is_intact"], answer["mismatches"]
    assert answer["input_hash"]["stored"] == answer["input_hash"]["computed"]
    assert answer["list_hash"]["computed"] == full_desk.run["list_hash"]
    assert (answer["schools"], answer["cells"], answer["total"]) == (8, 23, 0)


CHANGES = {
    "a number of participants": (
        "UPDATE run_evidence SET n[1] = n[1] + 1 WHERE school_id = 6",
        {("run_evidence", "n, low", "670006")},
    ),
    "a count by the other bound": (
        "UPDATE run_evidence SET low_otherwise[1] = low_otherwise[1] + 1 WHERE school_id = 6",
        {("run_evidence", "n, low", "670006")},
    ),
    "a number of a subject": (
        "UPDATE run_evidence SET subject_n[1] = subject_n[1] + 1 WHERE school_id = 6",
        {("run_evidence", "subjects, rows", "670006")},
    ),
    "a row of a file": (
        "UPDATE run_evidence SET first_row[1] = 1 WHERE school_id = 6",
        {("run_evidence", "subjects, rows", "670006")},
    ),
    "a flag": (
        "UPDATE run_school SET flags = 1, category = 'c0' WHERE school_id = 6",
        {("run_school", "flags", "670006"), ("run_school", "category", "670006")},
    ),
    "an unknown flag made known": (
        "UPDATE run_school SET unknown_flags = 0 WHERE school_id = 5",
        {("run_school", "unknown_flags", "670005")},
    ),
    "a mark in a card": (
        "UPDATE run_school SET adverse_reason = 'другая' WHERE school_id = 1",
        {("run_school", "card", "670001")},
    ),
    "a scale": (
        "UPDATE run_procedure SET scales[0]['minimum'] = '\"7\"' WHERE procedure_id = 241",
        {("run_procedure", "oge 2024 (oge, 9, 2024)", None)},
    ),
    "an attribute": (
        "UPDATE run_context SET value[1] = 0.99 WHERE school_id = 6",
        {("run_context", "attribute, signs", "670006")},
    ),
    "an attribute made not submitted": (
        "UPDATE run_context SET state[3] = 'not_submitted', value[3] = NULL WHERE school_id = 6",
        {("run_context", "attribute, signs", "670006")},
    ),
    "a value of an index": (
        "UPDATE run_context SET index_value[1] = 1 WHERE school_id = 6",
        {("run_context", "index_value: isbsh", "670006")},
    ),
    "a statistic of an index": (
        "UPDATE run_index SET n = n + 1",
        {("run_index", "isbsh", None)},
    ),
    "a sign": (
        "DELETE FROM run_sign WHERE school_id = 6",
        {("run_context", "attribute, signs", "670006")},
    ),
    "a count": (
        "UPDATE identification_run SET counts = jsonb_set(counts, '{listed}', '99')",
        {("identification_run", "counts.listed", None)},
    ),
    "a school taken out": (
        "DELETE FROM run_school WHERE school_id = 6",
        {("run_evidence", "school_id", None)},
    ),
    "evidence taken out": (
        "DELETE FROM run_evidence WHERE school_id = 6",
        {("run_evidence", "n, low", "670006")},
    ),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
async def test_a_changed_row_is_noticed_and_named_and_not_approved(full_desk, change):
    statement, expected = CHANGES[change]
    prepared = await full_desk.prepared(full_desk.run)
    async with full_desk.facts() as session:
        changed = await session.execute(text(statement))
    assert changed.rowcount >= 1

    answer = (await verified(full_desk, prepared["id"])).json()

    assert answer["is_intact"] is False
    named = {(m["table"], m["column"], m["code"]) for m in answer["mismatches"]}
    assert expected <= named
    refused = await full_desk.call(
        "POST", f"{RUNS}/{prepared['id']}/approval", version=prepared["version"],
        token=full_desk.bob,
        json={
            "order_number": "1", "order_date": "2025-03-15", "list_hash": prepared["list_hash"],
        },
    )  # fmt: skip
    assert refused.status_code == 409
    assert refused.json()["code"] in ("run-not-verified", "list-hash-differs")


async def test_other_schools_are_not_named_for_the_change_of_one(full_desk):
    async with full_desk.facts() as session:
        await session.execute(text("UPDATE run_evidence SET n[1] = n[1] + 1 WHERE school_id = 6"))

    answer = (await verified(full_desk, full_desk.run["id"])).json()

    assert {m["code"] for m in answer["mismatches"]} == {None, "670006"}


async def test_who_may_not_see_exact_numbers_is_told_where_rows_differ_but_not_what_they_say(
    full_desk,
):
    async with full_desk.facts() as session:
        await session.execute(text("UPDATE run_context SET index_value[1] = 1 WHERE school_id = 6"))
    scopes = ["runs:read", "runs:write"]
    said = {}
    for client, held in (("blind", scopes), ("ris", [*scopes, "indices:exact"])):
        token = machine(region_id=1, scopes=held, client_id=client)
        answer = (await verified(full_desk, full_desk.run["id"], token=token)).json()
        said[client] = next(
            (m["stored"], m["computed"])
            for m in answer["mismatches"]
            if m["table"] == "run_context"
        )

    assert said["blind"] == (None, None)
    assert None not in said["ris"]


async def test_only_who_sees_the_whole_run_may_verify_it(full_desk):
    below = municipality_user(region_id=1, municipality_id=1)

    problem(await verified(full_desk, full_desk.run["id"], token=below), 403, "missing-scope")
    problem(await verified(full_desk, 10_000), 404, "run-not-found")


async def corrected(session, school_id, procedure_id, n, low, failed):
    await session.execute(
        text(
            "INSERT INTO cell_correction (region_id, municipality_id, school_id, procedure_id,"
            " appeal_id, n, low, failed, counts_hash, order_number, created_by)"
            " SELECT region_id, municipality_id, id, :procedure, :school, :n, :low, :failed, :hash,"
            " '17', 'user:2' FROM school WHERE id = :school"
        ),
        {
            "school": school_id, "procedure": procedure_id, "n": n, "low": low, "failed": failed,
            "hash": await fingerprint(session, school_id=school_id, procedure_id=procedure_id),
        },
    )  # fmt: skip


async def test_corrections_lie_over_the_counts_and_are_read_back_with_them(desk):
    async with desk.facts() as session:
        await full_region(session)
        # Fewer low pupils; a cell of nobody; a cell that was never counted.
        await corrected(session, 1, 241, 40, 2, 2)
        await corrected(session, 4, 241, 0, 0, 0)
        await corrected(session, 5, 242, 10, 9, 8)
    run = await desk.computed(await desk.methodology(document=five_flags()))

    async with desk.facts() as session:
        inputs = await frozen(session, run["id"])
        kept = await session.execute(
            text(
                "SELECT school_id, procedure_id, n, low, corrections FROM run_evidence"
                " WHERE run_id = :run AND corrections IS NOT NULL ORDER BY school_id"
            ),
            {"run": run["id"]},
        )
        first, nobody, added = kept.all()

    assert {(c.school_id, c.n, c.low, c.failed) for c in inputs.corrections} == {
        (1, 40, 2, 2), (4, 0, 0, 0), (5, 10, 9, 8),
    }  # fmt: skip
    at = first.procedure_id.index(241)
    assert (first.n[at], first.low[at]) == (40, 2)
    # What was counted stays beside it.
    assert first.corrections[0]["counted"] == {"n": 40, "low": 20, "failed": 20}
    assert (nobody.procedure_id, nobody.corrections[0]["counted"]["n"]) == ([], 1)
    assert (added.procedure_id, added.n, added.low) == ([242], [10], [8])
    answer = (await verified(desk, run["id"])).json()
    assert answer["is_intact"], answer["mismatches"]


async def a_random_region(session, region, dice):
    """A region made by the dice: odd names, missing facts, cells of one pupil, schools without any."""
    await insert(session, "region", id=region, code=f"r{region}", name=f"Регион {region}")
    places = [region * 10 + place for place in range(dice.randint(1, 3))]
    for place in places:
        await a_municipality(session, place, f"Район «{place}»", region_id=region)
    schools = [region * 100 + number for number in range(dice.randint(1, 12))]
    for number in schools:
        await a_school(
            session, number, region_id=region, municipality_id=dice.choice(places),
            name=dice.choice(["Школа", 'Школа "№ 1"; {ё}, \\', "школа"]),
            stages=dice.choice([["noo"], ["ooo", "soo"], []]),
            kind=dice.choice(["sosh", "evening"]), adverse=dice.choice([True, False, None]),
        )  # fmt: skip
    for number, (year, kind, grade) in enumerate(
        (year, kind, grade) for year in (2022, 2023, 2024) for kind, grade in (("oge", 9), ("ege", 11))
    ):  # fmt: skip
        if dice.random() < 0.8:
            procedure = region * 10 + number
            await a_procedure(
                session, procedure, kind=kind, grade=grade, year=year, region_id=region,
                maximum=dice.choice([Decimal(31), Decimal("31.5")]),
            )  # fmt: skip
            counts = {s: dice.choice([1, 1, 5, 30, 60]) for s in schools if dice.random() < 0.7}
            await results(
                session, procedure, {s: (dice.randint(0, n), n) for s, n in counts.items()}
            )
    for school in dice.sample(schools, k=len(schools) // 2):
        codes = ("higher_education", "large_families", "staff_shortage")
        values = {c: dice.choice([None, "0", "0.5", "0.123456789", "100"]) for c in codes}
        await a_profile(session, school, dict(dice.sample(sorted(values.items()), k=2)))
    asked = dice.sample(schools, k=len(schools) // 2)
    if asked:
        signs = [(school, "over_easy") for school in asked[:2]]
        await a_detection(session, year=2024, asked=asked, signs=signs, region_id=region)


@pytest.mark.parametrize("seed", range(6))
async def test_any_region_is_read_back_as_it_was_frozen(idle_desk, seed):
    methodology = Methodology.model_validate(
        five_flags(small_n={"below": 10, "policy": "pool", "years": 2})
    )
    async with idle_desk.facts() as session:
        await a_random_region(session, 1, random.Random(seed))
        version = MethodologyVersion(
            region_id=1, code=methodology.code, number=1, title="М", created_by="user:1",
            document=methodology.canonical(), document_hash=document_hash(methodology),
        )  # fmt: skip
        session.add(version)
        await session.flush()
        run = IdentificationRun(
            region_id=1, year=2025, methodology_version_id=version.id, state="computing",
            created_by="user:1",
        )  # fmt: skip
        session.add(run)
        await session.flush()
        inputs = await freeze(session, run, methodology)
        await keep_answers(session, run, inputs, evaluate(inputs, methodology), methodology)

        assert plain(await frozen(session, run.id)) == plain(inputs)
