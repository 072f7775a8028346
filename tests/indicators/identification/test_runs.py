"""A run from its inputs to the list, over HTTP, with the real worker and the real database."""

import datetime as dt
from io import BytesIO

import python_calamine
from sqlalchemy import text

from services.indicators.methodologies.shipped import shipped_methodologies
from tests.indicators.identification.conftest import RUNS
from tests.support.builders.rollups import (
    a_municipality,
    a_procedure,
    a_region,
    a_school,
    results,
)
from tests.support.callers import municipality_user, region_user, school_user
from tests.support.running import problem

SMOLENSK = """
Велижский 2/1/0/1; Вяземский 6/2/4/0; Гагаринский 2/0/2/0; Глинковский 2/0/2/0; Демидовский 3/1/0/2;
г. Десногорск 2/2/0/0; Дорогобужский 2/1/1/0; Духовщинский 3/1/2/0; Ельнинский 3/1/2/0;
Ершичский 2/1/1/0; Кардымовский 1/1/0/0; Краснинский 2/1/1/0; Монастырщинский 2/1/0/1;
Новодугинский 5/2/3/0; Починковский 2/1/1/0; Рославльский 3/1/2/0; Руднянский 2/2/0/0;
Сафоновский 3/3/0/0; г. Смоленск 5/4/1/0; Смоленский 5/5/0/0; Сычевский 2/1/1/0; Темкинский 2/1/0/1;
Угранский 4/0/2/2; Хиславичский 2/2/0/0; Холм-Жирковский 1/0/1/0; Шумячский 2/0/2/0; Ярцевский 5/3/2/0
"""
TABLE_5 = [
    (name.strip(), tuple(int(part) for part in numbers.split("/")))
    for name, _, numbers in (row.strip().rpartition(" ") for row in SMOLENSK.split(";"))
]


async def two_years_of_exams(session):
    """ОГЭ and ЕГЭ of the two years before 2025: procedures 241, 242, 231, 232."""
    for number, year in ((240, 2024), (230, 2023)):
        await a_procedure(session, number + 1, kind="oge", grade=9, year=year)
        await a_procedure(session, number + 2, kind="ege", grade=11, year=year)


async def smolensk(session):
    """75 listed schools as in the table, and an unlisted one beside them in every municipality."""
    await a_region(session)
    await two_years_of_exams(session)
    school_id = 0
    low, fine = {}, {}
    # Written in another order than the table prints.
    for place, (name, (_, nro, fnsu, both)) in reversed(list(enumerate(TABLE_5, start=1))):
        await a_municipality(session, place, name)
        for is_low, is_adverse, many in (
            (True, False, nro), (False, True, fnsu), (True, True, both), (False, None, 1),
        ):  # fmt: skip
            for _ in range(many):
                school_id += 1
                await a_school(session, school_id, municipality_id=place, adverse=is_adverse)
                (low if is_low else fine)[school_id] = (20, 40) if is_low else (4, 40)
    for procedure in (241, 242, 231, 232):
        await results(session, procedure, low | fine)


async def test_smolensks_table_5_is_reproduced(desk):
    async with desk.facts() as session:
        await smolensk(session)

    run = await desk.computed(await desk.methodology(shipped="smolensk-nro-fnsu"))
    listed = await desk.listed(run["id"])

    rows = [
        (m["name"], (m["total"], *(m["by_category"][c] for c in ("nro", "fnsu", "nro-fnsu"))))
        for m in listed["municipalities"]
    ]
    assert rows == TABLE_5
    assert listed["totals"] == {
        "total": 75, "by_category": {"nro": 38, "fnsu": 30, "nro-fnsu": 7},
    }  # fmt: skip
    assert all(len(m["schools"]) == m["total"] for m in listed["municipalities"])
    assert all(s["reason"] for m in listed["municipalities"] for s in m["schools"])
    assert run["counts"]["schools"] == 75 + 27
    assert run["counts"]["listed"] == 75


async def test_the_workbook_holds_the_same_list_and_the_same_bytes(desk):
    async with desk.facts() as session:
        await smolensk(session)
        await session.execute(text("UPDATE school SET name = '=2+3' WHERE id = 1"))
    methodology = await desk.methodology(shipped="smolensk-nro-fnsu")
    first = await desk.computed(methodology)
    second = await desk.computed(methodology)

    books = [await desk.call("GET", f"{RUNS}/{r['id']}/list.xlsx") for r in (first, second)]

    assert books[0].content == books[1].content
    book = python_calamine.CalamineWorkbook.from_filelike(BytesIO(books[0].content))
    rows = book.get_sheet_by_index(0).to_python()
    head = next(i for i, row in enumerate(rows) if row[0] == "Муниципалитет")
    assert rows[head] == ["Муниципалитет", "Всего школ", "НРО", "ФНСУ", "Обе категории"]
    assert [(r[0], tuple(int(x) for x in r[1:])) for r in rows[head + 1 : -1]] == TABLE_5
    assert rows[-1] == ["ИТОГО", 75, 38, 30, 7]
    schools = book.get_sheet_by_index(1).to_python()
    assert len(schools) == 1 + 75
    assert all(row[6] for row in schools[1:])
    # A name that looks like a formula stays a name, here and wherever it is copied.
    assert "'=2+3" in {row[3] for row in schools}


async def test_the_same_facts_give_the_same_hashes(desk):
    async with desk.facts() as session:
        await smolensk(session)
    methodology = await desk.methodology(shipped="smolensk-nro-fnsu")

    first = await desk.computed(methodology)
    async with desk.facts() as session:
        # The same rows in another physical order, from another import.
        await session.execute(text("UPDATE rollup_source SET import_id = 77"))
        await session.execute(text("UPDATE rollup_pattern SET n = n WHERE school_id % 3 = 1"))
    second = await desk.computed(methodology)
    async with desk.facts() as session:
        await session.execute(
            text("UPDATE rollup_pattern SET n = n + 1 WHERE school_id = 1 AND low_mask = 0")
        )
    third = await desk.computed(methodology)

    assert (first["input_hash"], first["list_hash"]) == (second["input_hash"], second["list_hash"])
    assert third["input_hash"] != first["input_hash"]
    # The first run is what it was: its inputs are frozen.
    assert await desk.listed(first["id"]) == await desk.listed(second["id"])


async def test_a_trace_leads_from_the_verdict_to_the_rows(desk):
    async with desk.facts() as session:
        await a_region(session)
        await a_municipality(session, 1, "Велижский")
        await a_school(
            session, 7, municipality_id=1, adverse=True, reason="Депрессивная территория"
        )
        await two_years_of_exams(session)
        await results(session, 241, {7: (9, 30)})
        await results(session, 231, {7: (18, 30)})
    run = await desk.computed(await desk.methodology(shipped="smolensk-nro-fnsu"))

    answer = await desk.call("GET", f"{RUNS}/{run['id']}/schools/7/trace")

    trace = answer.json()
    assert trace["school"]["category"] == "nro-fnsu"
    # Rule A asks for two procedures, there is one; B holds: exactly 30 % is enough, not sure.
    assert [(r["code"], r["holds"], r["is_answerable"]) for r in trace["rules"]] == [
        ("a", False, False), ("b", True, True),
    ]  # fmt: skip
    assert trace["school"]["certainty"] == "possible"
    states = {p["procedure_id"]: p["state"] for p in trace["procedures"]}
    assert states == {231: "counted", 232: "no_data", 241: "counted", 242: "no_data"}
    counted = next(p for p in trace["procedures"] if p["procedure_id"] == 241)
    assert counted["low"] == {
        "numerator": 9,
        "denominator": 30,
        "percent": "30.00",
        "suppressed": [],
    }
    assert counted["threshold"] == {
        "share": "3/10", "operator": ">=", "not_excluded_from": 5, "possible_from": 9,
        "certain_from": 14, "suppressed": [],
    }  # fmt: skip
    assert (counted["interval"]["lower"], counted["interval"]["upper"]) == ("0.166647", "0.478758")
    mathematics = counted["subjects"][1]
    assert (mathematics["n"], mathematics["failed"], mathematics["bmin"], mathematics["bmid"]) == (
        30, 9, "191/20", "631/40",
    )  # fmt: skip
    assert counted["sources"][0]["import_id"] == 1
    assert (counted["sources"][0]["first_row"], counted["sources"][0]["last_row"]) == (700, 729)
    told = " ".join(trace["sentences"])
    assert "Школа отнесена к категории «Обе категории»." in told
    assert "участников 30" in told
    assert "9 (30 %)" in told
    assert "Депрессивная территория" in told


async def test_schools_without_data_stay_visible(desk):
    async with desk.facts() as session:
        await a_region(session)
        await a_municipality(session, 1, "Велижский")
        await two_years_of_exams(session)
        await a_school(session, 1, municipality_id=1)
        await a_school(session, 2, municipality_id=1)
        await a_school(session, 3, municipality_id=1, stages=["noo"])
        await a_school(session, 4, municipality_id=1, closed_on=dt.date(2020, 8, 31))
        await results(session, 241, {1: (1, 40), 4: (40, 40)})
        await results(session, 242, {1: (1, 40), 4: (40, 40)})
    run = await desk.computed(await desk.methodology(shipped="smolensk-nro-fnsu"))

    page = (await desk.call("GET", f"{RUNS}/{run['id']}/schools?count=true")).json()

    assert [(s["school_id"], s["state"]) for s in page["items"]] == [
        (1, "assessed"), (2, "no_data"), (3, "not_applicable"),
    ]  # fmt: skip
    only = (await desk.call("GET", f"{RUNS}/{run['id']}/schools?state=no_data&limit=1")).json()
    assert [s["school_id"] for s in only["items"]] == [2]
    trace = (await desk.call("GET", f"{RUNS}/{run['id']}/schools/3/trace")).json()
    assert {p["state"] for p in trace["procedures"]} == {"not_applicable"}
    missing = await desk.call("GET", f"{RUNS}/{run['id']}/schools/4/trace")
    problem(missing, 404, "run-school-not-found")


async def test_pages_of_schools_cover_the_run_once(desk):
    async with desk.facts() as session:
        await smolensk(session)
    run = await desk.computed(await desk.methodology(shipped="smolensk-nro-fnsu"))

    seen, cursor = [], ""
    while cursor is not None:
        page = (
            await desk.call("GET", f"{RUNS}/{run['id']}/schools?limit=40&flag=low_results{cursor}")
        ).json()
        seen += [s["school_id"] for s in page["items"]]
        cursor = f"&cursor={page['next']}" if page["next"] else None

    assert len(seen) == len(set(seen)) == 45


async def test_results_that_may_not_rate_schools_are_refused_or_only_analysed(desk):
    vpr = [{"use": "analysis", "from": "2020-01-01", "to": None, "basis": "Порядок ВПР"}]
    async with desk.facts() as session:
        await a_region(session)
        await a_procedure(session, 1, kind="vpr", grade=5, year=2024, uses=vpr)
        # The region permits another of the kind, so that the methodology itself can be added.
        own = [
            {"use": use, "from": None, "to": None, "basis": "Порядок региона"}
            for use in ("analysis", "identification")
        ]
        await a_procedure(session, 2, kind="vpr", grade=6, year=2024, uses=own)

    refused = await desk.start(await desk.methodology(shipped="federal-shnor"))

    document = problem(refused, 409, "use-not-permitted")
    assert document["procedure_ids"] == [1]
    analysis = shipped_methodologies()["federal-shnor"].canonical() | {"required_use": "analysis"}
    run = await desk.computed(await desk.methodology(document=analysis))
    answer = await desk.call("POST", f"{RUNS}/{run['id']}/preparation", version=run["version"])
    problem(answer, 409, "only-for-analysis")


async def test_a_permission_ends_with_its_last_day(desk):
    past = [{"use": "identification", "from": "2020-01-01", "to": "2021-12-31", "basis": "Приказ"}]
    async with desk.facts() as session:
        await a_region(session)
        await a_procedure(session, 1, kind="oge", grade=9, year=2024, uses=past)

    answer = await desk.start(await desk.methodology(shipped="smolensk-nro-fnsu"))

    problem(answer, 409, "use-not-permitted")


async def test_what_cannot_be_computed_is_told_at_once(desk):
    methodology = await desk.methodology(shipped="smolensk-nro-fnsu")
    problem(await desk.start(methodology), 409, "no-procedures")
    problem(await desk.start(methodology + 99), 404, "methodology-version-not-found")

    async with desk.facts() as session:
        await a_region(session)
        await a_procedure(session, 1, year=2024, subjects=[("phy", "Физика", True)])
    problem(await desk.start(methodology), 409, "no-mass-subjects")

    async with desk.facts() as session:
        await a_procedure(
            session, 2, year=2023, subjects=[("rus", "Русский", True), ("mat", "Математика", False)]
        )
    # Mathematics was not counted as a mass subject: silence would read as "nobody is low".
    document = problem(await desk.start(methodology, year=2024), 409, "no-mass-subjects")
    assert document["procedure_id"] == 2


async def test_another_margin_than_the_methodologys_is_refused(desk):
    async with desk.facts() as session:
        await a_region(session)
        await a_procedure(session, 1, year=2024, margin="0.1")

    bmin = shipped_methodologies()["stavropol-bmin"].canonical()
    bmin["procedures"] = [line for line in bmin["procedures"] if line["kind"] != "vpr"]
    answer = await desk.start(await desk.methodology(document=bmin))

    problem(answer, 409, "margin-differs")


async def test_a_methodology_out_of_force_is_refused(desk):
    old = shipped_methodologies()["smolensk-nro-fnsu"].canonical() | {"in_force_to": "2021-01-01"}

    answer = await desk.start(await desk.methodology(document=old))

    problem(answer, 409, "methodology-not-in-force")


async def test_a_replaced_methodology_is_out_of_force_from_the_day_its_heir_begins(desk):
    async with desk.facts() as session:
        await a_region(session)
        await two_years_of_exams(session)
    former = await desk.methodology(shipped="smolensk-nro-fnsu")
    heir = shipped_methodologies()["smolensk-nro-fnsu"].canonical()
    heir |= {"in_force_from": "2021-01-01"}
    await desk.methodology(document=heir, replaces_id=former)

    document = problem(await desk.start(former), 409, "methodology-not-in-force")

    assert "по 31.12.2020" in document["detail"]


async def test_a_fact_that_changes_before_the_job_refuses_the_run(idle_desk):
    """The job checks again: what has changed since the request is a refusal, not a guess."""
    desk = idle_desk
    async with desk.facts() as session:
        await a_region(session)
        await two_years_of_exams(session)
    answer = await desk.start(await desk.methodology(shipped="smolensk-nro-fnsu"))
    async with desk.facts() as session:
        await session.execute(text("UPDATE procedure SET permitted_uses = '[]'"))

    async with desk.service.worker():
        run = await desk.wait(answer.json()["id"])

    assert run["state"] == "refused"
    assert run["refusal"]["code"] == "use-not-permitted"
    listed = await desk.call("GET", f"{RUNS}/{run['id']}/list")
    problem(listed, 409, "run-not-computed")


async def test_a_run_does_not_count_by_scales_that_the_rollups_do_not_know_yet(idle_desk):
    desk = idle_desk
    async with desk.facts() as session:
        await a_region(session)
        await two_years_of_exams(session)
    answer = await desk.start(await desk.methodology(shipped="smolensk-nro-fnsu"))
    async with desk.facts() as session:
        # A recount that another worker has in its hands.
        await session.execute(
            text(
                "INSERT INTO job (kind, region_id, params, created_by, state, attempt, lease_until)"
                """ VALUES ('recompute-rollups', 1, '{"procedure_id": 241}', 'user:1', 'running',"""
                " 1, now() + interval '1 hour')"
            )
        )

    async with desk.service.worker():
        run = await desk.wait(answer.json()["id"])

    assert (run["state"], run["refusal"]["code"]) == ("refused", "rollups-not-current")
    assert run["refusal"]["procedure_ids"] == [241]


async def test_a_draft_is_seen_by_its_region_only(desk):
    async with desk.facts() as session:
        await smolensk(session)
    run = await desk.computed(await desk.methodology(shipped="smolensk-nro-fnsu"))

    for token in (
        municipality_user(region_id=1, municipality_id=1),
        school_user(region_id=1, municipality_id=1, school_id=1),
        region_user(region_id=2),
    ):
        for path in ("", "/schools", "/list", "/list.xlsx", "/schools/1/trace"):
            answer = await desk.call("GET", f"{RUNS}/{run['id']}{path}", token=token)
            problem(answer, 404, "run-not-found")
        page = (await desk.call("GET", RUNS + "?count=true", token=token)).json()
        assert (page["items"], page["total"]) == ([], 0)


async def test_what_changed_between_two_runs_is_one_call(desk):
    async with desk.facts() as session:
        await smolensk(session)
    methodology = await desk.methodology(shipped="smolensk-nro-fnsu")
    first = await desk.computed(methodology)
    low = (await desk.call("GET", f"{RUNS}/{first['id']}/schools?category=nro&limit=1")).json()
    left = low["items"][0]["school_id"]
    none = (await desk.call("GET", f"{RUNS}/{first['id']}/schools?is_listed=false&limit=1")).json()
    entered = none["items"][0]["school_id"]
    async with desk.facts() as session:
        await session.execute(
            text("UPDATE rollup_pattern SET n = 1 WHERE school_id = :id AND low_mask <> 0"),
            {"id": left},
        )
        await session.execute(
            text(
                "UPDATE school SET adverse_conditions = true, adverse_reason = 'x' WHERE id = :id"
            ),
            {"id": entered},
        )
    second = await desk.computed(methodology)

    path = f"{RUNS}/{second['id']}/differences?earlier_run_id={first['id']}"
    found = (await desk.call("GET", path)).json()

    assert {(d["school_id"], d["kind"]) for d in found["items"]} == {
        (left, "left"), (entered, "entered"),
    }  # fmt: skip
    assert not found["has_same_inputs"]
    of_left = next(d for d in found["items"] if d["school_id"] == left)
    assert (of_left["before"]["category"], of_left["after"]["category"]) == ("nro", None)
    itself = f"{RUNS}/{first['id']}/differences?earlier_run_id={first['id']}"
    assert (await desk.call("GET", itself)).json()["items"] == []


async def test_a_region_without_any_results_has_an_empty_list(desk):
    async with desk.facts() as session:
        await a_region(session)
        await a_municipality(session, 1, "Велижский")
        await a_school(session, 1, municipality_id=1)
        await two_years_of_exams(session)

    run = await desk.computed(await desk.methodology(shipped="smolensk-nro-fnsu"))

    listed = await desk.listed(run["id"])
    assert listed["totals"]["total"] == 0
    assert [m["total"] for m in listed["municipalities"]] == [0]
    assert run["counts"]["states"] == {"no_data": 1}
