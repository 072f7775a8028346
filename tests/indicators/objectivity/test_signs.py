"""A detection from stored results to signs, reviews and ФИОКО's list, over HTTP and a real worker."""

import io
import json

import asyncpg
import pytest
import python_calamine

from services.indicators.objectivity.queries import asked_schools, signs
from services.indicators.objectivity.thresholds import DetectionSettings
from tests.indicators.objectivity.conftest import (
    DETECTIONS,
    INFLATED,
    SCHOOLS,
    SIGNS,
    rus4,
)
from tests.support.callers import (
    curator,
    machine,
    municipality_user,
    region_user,
    school_user,
)
from tests.support.running import problem

OWN = municipality_user(region_id=1, municipality_id=11)
OTHER = municipality_user(region_id=1, municipality_id=12)
SCHOOL = school_user(region_id=1, municipality_id=11, school_id=INFLATED)
CURATOR = curator(region_id=1, user_id=40)
VERDICTS = ("наруш", "виновн", "обвин", "фальсиф", "мошен", "списыва", "подтасов")


async def seam(desk, years=(2025,)):
    async with desk.facts() as session:
        return await signs(session, region_id=1, years=list(years))


async def test_the_inflated_school_is_found_and_no_other(desk, vpr):
    detection = await desk.detected()

    found = await desk.signs(detection["id"])

    assert detection["state"] == "computed", detection
    assert detection["is_current"]
    assert [(s["school_id"], s["detector"], s["subject"]) for s in found] == [
        (INFLATED, "border_peak", "rus")
    ]
    (sign,) = found
    scores = rus4().scores[INFLATED - 1]
    evidence = sign["evidence"]
    # Counted here from the pupils themselves.
    assert sign["n"] == len(scores) == 300
    for border in evidence["borders"]:
        assert border["above"] == ((scores >= border["border"]) & (scores <= border["last"])).sum()
        assert border["below"] == ((scores >= border["first"]) & (scores < border["border"])).sum()
    assert {one["score"]: one["pupils"] for one in evidence["histogram"]} == {
        one["score"]: int((scores == one["score"]).sum()) for one in evidence["histogram"]
    }
    assert float(sign["p_value"]) <= float(sign["p_adjusted"]) <= 0.05
    assert sign["sample"] == "full"


async def test_a_sign_asks_for_a_check_and_judges_nobody(desk, vpr):
    detection = await desk.detected()
    (sign,) = await desk.signs(detection["id"])

    told = " ".join([sign["statement"], *sign["to_check"], sign["hint"]]).lower()

    assert sign["statement"].startswith("Признак, требующий проверки")
    assert "нужна помощь" in sign["hint"]
    assert [word for word in VERDICTS if word in told] == []


async def test_what_was_not_asked_says_why_and_silence_is_not_no(desk, vpr):
    detection = await desk.detected()

    reasons = {(q["detector"], q["subject"]): q["reason"] for q in detection["questions"]}
    listed = (
        await desk.ask("GET", f"{DETECTIONS}/{detection['id']}/schools", params={"limit": 100})
    ).json()["items"]
    by_id = {one["school_id"]: one for one in listed}

    assert reasons["border_peak", "rus"] is None
    assert ("procedure_mismatch", "rus") not in reasons  # neither of the pairs' later procedures
    assert by_id[INFLATED]["signs"] == 1
    assert by_id[INFLATED]["asked"] > 0
    # A school without results was asked nothing, so it is not among those without signs.
    assert (by_id[91]["asked"], by_id[91]["limited"], by_id[91]["too_few"]) == (0, 0, 0)
    async with desk.facts() as session:
        known = await asked_schools(session, region_id=1, years=[2024, 2025])
    assert (INFLATED, 2025) in known
    assert (91, 2025) not in known
    assert not any(year == 2024 for _, year in known)


# Who sees it --------------------------------------------------------------------------------------


async def test_a_municipality_sees_its_schools_signs_only_after_publication(desk, vpr):
    detection = await desk.detected()
    path = f"{DETECTIONS}/{detection['id']}"
    (sign,) = await desk.signs(detection["id"])

    for token in (OWN, OTHER):
        problem(await desk.ask("GET", path, token=token), 404, "detection-not-found")
        problem(await desk.ask("GET", f"{SIGNS}/{sign['id']}", token=token), 404, "sign-not-found")
        assert (await desk.ask("GET", DETECTIONS, token=token)).json()["items"] == []
    await desk.published(detection)

    assert [s["id"] for s in await desk.signs(detection["id"], token=OWN)] == [sign["id"]]
    assert await desk.signs(detection["id"], token=OTHER) == []
    hidden = await desk.ask("GET", f"{SIGNS}/{sign['id']}", token=OTHER)
    missing = await desk.ask("GET", f"{SIGNS}/999999", token=OTHER)
    assert problem(hidden, 404, "sign-not-found")["title"] == missing.json()["title"]
    schools = (await desk.ask("GET", f"{path}/schools", token=OTHER)).json()["items"]
    assert {one["municipality_id"] for one in schools} == {12}
    markers = (await desk.ask("GET", f"{path}/markers", token=OTHER)).json()
    assert markers["flagged"] == 0
    assert all(one["school_id"] % 2 == 0 or one["school_id"] == 91 for one in markers["schools"])


async def test_a_school_and_its_curator_see_nothing_whatever_they_ask(desk, vpr):
    detection = await desk.published(await desk.detected())
    (sign,) = await desk.signs(detection["id"])

    for token in (SCHOOL, CURATOR):
        for path in (
            DETECTIONS,
            f"{DETECTIONS}/{detection['id']}",
            f"{DETECTIONS}/{detection['id']}/signs",
            f"{DETECTIONS}/{detection['id']}/schools",
            f"{DETECTIONS}/{detection['id']}/markers",
            f"{DETECTIONS}/{detection['id']}/markers.xlsx",
            f"{SIGNS}/{sign['id']}",
        ):
            problem(await desk.ask("GET", path, token=token), 403, "missing-scope")


@pytest.mark.parametrize("level", ["school", "curator"])
async def test_the_database_itself_shows_a_school_and_a_curator_no_row(desk, vpr, level):
    await desk.published(await desk.detected())
    tables = ("objectivity_detection", "objectivity_school", "objectivity_sign")
    settings = {
        "region_id": "1", "municipality_id": "11", "school_id": str(INFLATED), "subject": "user:40",
    }  # fmt: skip

    async def seen(role):
        async with desk.facts() as session:
            raw = (await (await session.connection()).get_raw_connection()).driver_connection
            assert isinstance(raw, asyncpg.Connection)
            for name, value in settings.items():
                await raw.execute("SELECT set_config($1, $2, true)", f"opora.{name}", value)
            await raw.execute("SELECT set_config('role', $1, true)", f"opora_{role}")
            return [await raw.fetchval(f"SELECT count(*) FROM {table}") for table in tables]

    assert await seen(level) == [0, 0, 0]
    # The negative control: the same question with the municipality's own reach has rows.
    assert all(many > 0 for many in await seen("municipality"))


async def test_a_machine_reads_signs_only_with_the_scope_and_numbers_only_with_theirs(desk, vpr):
    detection = await desk.detected()
    path = f"{DETECTIONS}/{detection['id']}/signs"

    without = machine(region_id=1, scopes=["runs:read", "changes:read", "audit:read"])
    problem(await desk.ask("GET", path, token=without), 403, "missing-scope")
    reader = machine(region_id=1, scopes=["signs:read"])
    (sign,) = await desk.signs(detection["id"], token=reader)
    exact = machine(region_id=1, scopes=["signs:read", "indices:exact"], client_id="exact")
    (whole,) = await desk.signs(detection["id"], token=exact)

    hidden = ["evidence", "n", "p_adjusted", "p_value"]
    assert [sign[name] for name in hidden] == [None] * 4
    assert sorted(sign["suppressed"]) == hidden
    assert "чел." not in sign["statement"]
    assert "Вероятность" not in sign["statement"]
    assert (whole["n"], whole["suppressed"]) == (300, [])
    assert whole["evidence"]["histogram"]
    assert whole["p_value"] is not None
    assert "Вероятность" in whole["statement"]
    # Ever other numbers of participants would tell how many a school has.
    tries = machine(region_id=1, scopes=["signs:read", "signs:write"], client_id="tries")
    problem(
        await desk.ask("POST", DETECTIONS, token=tries, json={"year": 2025}), 403, "missing-scope"
    )
    judge = machine(region_id=1, scopes=["signs:read", "signs:review"], client_id="judge")
    problem(
        await desk.ask(
            "POST", f"{SIGNS}/{sign['id']}/review", token=judge, version=1,
            json={"outcome": "withdrawn", "reason": "робот решил"},
        ),
        403, "missing-scope",
    )  # fmt: skip


async def test_neither_feed_nor_audit_nor_jobs_carry_the_evidence(desk, vpr):
    detection = await desk.published(await desk.detected())
    (sign,) = await desk.signs(detection["id"])
    await desk.reviewed(sign, "confirmed")

    async with desk.facts() as session:
        raw = (await (await session.connection()).get_raw_connection()).driver_connection
        changes = await raw.fetch("SELECT kind FROM change")
        audited = await raw.fetch(
            "SELECT kind, before, after FROM audit_entry WHERE kind LIKE 'objectivity%'"
        )
        jobs = await raw.fetch(
            "SELECT params, result, progress_note FROM job WHERE kind = 'detect-signs'"
        )

    assert not any("objectivity" in row["kind"] for row in changes)
    assert {row["kind"] for row in audited} == {"objectivity_detection", "objectivity_sign"}
    said = " ".join(str(dict(row)) for row in (*audited, *jobs))
    assert "histogram" not in said
    assert "p_value" not in said
    assert "review_reason" in said  # who decided what is there


async def test_another_region_has_none_of_it(desk, vpr):
    detection = await desk.published(await desk.detected())
    (sign,) = await desk.signs(detection["id"])
    stranger = region_user(region_id=2)

    problem(
        await desk.ask("GET", f"{DETECTIONS}/{detection['id']}", token=stranger),
        404,
        "detection-not-found",
    )
    problem(
        await desk.ask(
            "POST", f"{SIGNS}/{sign['id']}/review", token=stranger, version=sign["version"],
            json={"outcome": "withdrawn", "reason": "чужой"},
        ),
        404, "sign-not-found",
    )  # fmt: skip


# Reviews ------------------------------------------------------------------------------------------


async def test_a_withdrawn_sign_no_longer_counts_and_the_others_do(desk, vpr):
    detection = await desk.detected()
    (sign,) = await desk.signs(detection["id"])
    before = await seam(desk)

    explained = await desk.reviewed(sign, "explained", document="Акт № 4", document_on="2025-10-15")
    still = await seam(desk)
    withdrawn = await desk.reviewed(explained.json(), "withdrawn")
    after = await seam(desk)

    assert [(s.school_id, s.detector) for s in before] == [(INFLATED, "border_peak")]
    assert explained.json()["review_document"] == "Акт № 4"
    assert explained.json()["reviewed_by"] == "user:1"
    assert still == before
    assert withdrawn.json()["review"] == "withdrawn"
    assert after == []


async def test_a_review_is_asked_for_by_its_version(desk, vpr):
    detection = await desk.detected()
    (sign,) = await desk.signs(detection["id"])
    await desk.reviewed(sign, "confirmed")

    problem(await desk.reviewed(sign, "withdrawn"), 412, "stale-version")
    answer = await desk.ask(
        "POST", f"{SIGNS}/{sign['id']}/review", json={"outcome": "open", "reason": "нет"}, version=2
    )
    assert answer.status_code == 422


async def test_a_later_detection_supersedes_and_takes_reviews_of_the_same_numbers_over(desk, vpr):
    first = await desk.detected()
    (sign,) = await desk.signs(first["id"])
    await desk.reviewed(sign, "withdrawn")

    second = await desk.detected()
    (again,) = await desk.signs(second["id"])
    stricter = await desk.detected(settings={"border_peak": {"window": 4}})
    (other,) = await desk.signs(stricter["id"])

    assert (again["review"], again["reviewed_with_id"]) == ("withdrawn", sign["id"])
    assert other["review"] == "open"  # other windows, other numbers: another sign
    assert [s.id for s in await seam(desk)] == [other["id"]]
    states = (await desk.ask("GET", DETECTIONS)).json()["items"]
    assert [one["is_current"] for one in states] == [False, False, True]
    problem(
        await desk.ask(
            "POST", f"{DETECTIONS}/{second['id']}/publication", version=second["version"]
        ),
        409,
        "detection-superseded",
    )


async def test_a_voided_detection_gives_way_to_the_one_before_and_municipalities_lose_it(desk, vpr):
    first = await desk.detected()
    second = await desk.published(await desk.detected())
    before = await seam(desk)

    answer = await desk.ask(
        "POST", f"{DETECTIONS}/{second['id']}/voiding", version=second["version"],
        json={"reason": "Шкала введена с ошибкой"},
    )  # fmt: skip

    assert answer.json()["state"] == "voided"
    after = await seam(desk)
    (old,) = await desk.signs(first["id"])
    assert [s.id for s in after] == [old["id"]] != [s.id for s in before]
    problem(
        await desk.ask("GET", f"{DETECTIONS}/{second['id']}", token=OWN), 404, "detection-not-found"
    )
    (kept,) = await desk.signs(second["id"])
    problem(await desk.reviewed(kept), 409, "wrong-detection-state")


# Repetition, sameness, refusals -------------------------------------------------------------------


async def test_signs_of_two_years_are_a_sign_of_their_own(desk, vpr):
    await desk.procedure([rus4(2024)], year=2024)
    await desk.detected(year=2024)

    detection = await desk.detected()
    found = await desk.signs(detection["id"], detector="repeated")

    assert [s["school_id"] for s in found] == [INFLATED]
    (sign,) = found
    assert sign["evidence"]["years"] == [2024, 2025]
    assert (sign["n"], sign["p_value"], sign["suppressed"]) == (None, None, [])


async def test_a_withdrawn_sign_does_not_repeat(desk, vpr):
    await desk.procedure([rus4(2024)], year=2024)
    earlier = await desk.detected(year=2024)
    (sign,) = await desk.signs(earlier["id"])
    await desk.reviewed(sign, "withdrawn")

    detection = await desk.detected()

    assert await desk.signs(detection["id"], detector="repeated") == []


async def test_the_same_results_give_the_same_hashes_and_other_settings_others(desk, vpr):
    first, second = await desk.detected(), await desk.detected()
    other = await desk.detected(settings={"level": "0.01"})

    assert (first["input_hash"], first["result_hash"]) == (
        second["input_hash"],
        second["result_hash"],
    )
    assert first["settings_hash"] != other["settings_hash"]
    assert first["input_hash"] != other["input_hash"]
    assert first["settings"] == json.loads(json.dumps(DetectionSettings().canonical()))


async def test_results_that_may_not_be_looked_at_are_not(desk):
    await desk.procedure([rus4()], uses=[])
    expired = [{"use": "analysis", "from": None, "to": "2020-01-01", "basis": "Старый порядок"}]
    await desk.procedure([rus4(2023)], year=2023, uses=expired)

    for year in (2023, 2025):
        answer = await desk.ask("POST", DETECTIONS, json={"year": year})
        assert "analysis" in problem(answer, 409, "nothing-to-detect")["hint"]
    problem(await desk.ask("POST", DETECTIONS, json={"year": 2001}), 409, "nothing-to-detect")


@pytest.mark.parametrize(
    ("settings", "pointer"),
    [
        ({"border_peak": {"window": 9}}, "/settings/border_peak/window"),
        ({"limited_from": 60}, "/settings"),
        ({"repeated": {"years": 2, "at_least": 3}}, "/settings/repeated"),
        ({"unknown": 1}, "/settings/unknown"),
        ({"procedure_mismatch": {"pairs": [
            {"earlier_kind": "vpr", "earlier_grade": 9, "later_kind": "oge", "later_grade": 9}
        ]}}, "/settings/procedure_mismatch/pairs/0"),
    ],
)  # fmt: skip
async def test_malformed_settings_are_refused_with_their_place(desk, settings, pointer):
    answer = await desk.ask("POST", DETECTIONS, json={"year": 2025, "settings": settings})

    errors = problem(answer, 422, "validation-failed")["errors"]
    assert pointer in [error["pointer"].removeprefix("/body") for error in errors]


# ФИОКО's list -------------------------------------------------------------------------------------


async def test_the_list_has_four_markers_their_number_and_the_share(desk, vpr):
    detection = await desk.detected()

    listed = (await desk.ask("GET", f"{DETECTIONS}/{detection['id']}/markers")).json()

    by_id = {one["school_id"]: one for one in listed["schools"]}
    assert (listed["flagged"], listed["wrote_rus4"]) == (1, SCHOOLS)
    assert (listed["share"], listed["percent"]) == (f"1/{SCHOOLS}", "4.17")
    assert by_id[INFLATED]["rus4"] == {"state": "asked", "marker": 1}
    assert by_id[INFLATED]["mat4"] == {"state": "asked", "marker": 0}
    assert by_id[INFLATED]["rus5"] == {"state": "not_submitted", "marker": None}
    assert by_id[INFLATED]["markers"] == 1
    assert by_id[90]["rus4"] == {"state": "not_applicable", "marker": None}
    assert by_id[91]["rus4"] == {"state": "not_submitted", "marker": None}


async def test_the_workbook_says_what_the_list_says_and_is_the_same_bytes(desk, vpr):
    detection = await desk.detected()
    path = f"{DETECTIONS}/{detection['id']}/markers.xlsx"

    book = (await desk.ask("GET", path)).content
    again = (await desk.ask("GET", path)).content

    rows = python_calamine.load_workbook(io.BytesIO(book)).get_sheet_by_index(0).to_python()
    head = next(row for row in rows if row[0] == "№")
    assert head[4:9] == ["4 РУ", "4 МА", "5 РУ", "5 МА", "Количество маркеров"]
    school = next(row for row in rows if row[2] == f"67{INFLATED:04}")
    assert school[4:9] == [1, 0, "нет данных", "нет данных", 1]
    assert book == again
