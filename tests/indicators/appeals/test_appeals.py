"""An appeal over HTTP: who may contest what, until when, who decides, and what it does to lists."""

import datetime as dt

from sqlalchemy import text

from tests.indicators.appeals.conftest import APPEALS, PROTOCOL
from tests.indicators.identification.conftest import RUNS
from tests.indicators.identification.worlds import five_flags
from tests.support.callers import machine, region_user
from tests.support.running import problem

# School 3 is low in ОГЭ of both years; in the newer one by exactly one pupil: 9 of 30.
CLAIM = {"kind": "result", "procedure_id": 241, "n": 30, "low": 8, "failed": 8}


async def test_an_accepted_appeal_moves_the_school_out_by_the_next_published_run_only(court):
    before = await court.listed(court.run["id"])
    appeal = await court.under_review(3, CLAIM)
    assert appeal["contested"] == CLAIM | {"low": 9, "failed": 9, "suppressed": []}

    tried = await court.step(appeal, "sandboxes", corrected=None)
    assert tried.status_code == 201, tried.text
    outcome = tried.json()["outcome"]
    assert (outcome["change"], outcome["others"]) == ("left", [])
    decided = await court.decided(appeal)

    assert decided["corrected"] == CLAIM | {"suppressed": []}
    assert (decided["state"], decided["decided_by"]) == ("accepted", "user:3")
    assert (decided["carried_out_run_id"], bool(decided["next_step"])) == (None, True)
    assert await court.listed(court.run["id"]) == before
    assert 3 in await court.names(court.run["id"])

    later = await court.published(court.methodology_id)

    assert await court.names(court.run["id"]) - await court.names(later["id"]) == {3}
    found = await court.read(f"{APPEALS}/{appeal['id']}", court.school(3))
    assert (found["carried_out_run_id"], found["next_step"]) == (later["id"], None)
    trace = await court.read(f"{RUNS}/{later['id']}/schools/3/trace", court.school(3))
    (correction,) = trace["corrections"]
    assert (correction["appeal_id"], correction["procedure_id"]) == (appeal["id"], 241)


async def test_what_is_refused_changes_no_later_run(court):
    decided = await court.decided(await court.under_review(3, CLAIM), "rejected")

    assert (decided["corrected"], decided["next_step"]) == (None, None)
    later = await court.computed(court.methodology_id)
    assert later["list_hash"] == court.run["list_hash"]


async def test_the_commission_may_find_another_number_than_the_claimed(court):
    appeal = await court.under_review(3, CLAIM | {"low": 5, "failed": 5})

    decided = await court.decided(appeal, corrected=CLAIM)

    assert decided["corrected"]["failed"] == 8
    page = await court.read(f"{APPEALS}/{appeal['id']}/sandboxes", court.vera)
    assert [one["corrected"]["failed"] for one in page["items"]] == [8]


async def test_a_decision_is_about_the_contested_cell(court):
    appeal = await court.under_review(3, CLAIM)

    answer = await court.decide(appeal, corrected=CLAIM | {"procedure_id": 231})

    problem(answer, 409, "decision-about-another-cell")


async def test_a_correction_is_not_laid_over_results_that_came_later(court):
    await court.decided(await court.under_review(3, CLAIM))
    async with court.facts() as session:
        await session.execute(
            text(
                "UPDATE rollup_pattern SET n = n + 1"
                " WHERE school_id = 3 AND procedure_id = 241 AND low_mask = 0"
            )
        )

    later = await court.computed(court.methodology_id)

    (notice,) = [n for n in later["notices"] if n["code"] == "correction-overtaken"]
    assert (notice["school_id"], notice["procedure_id"]) == (3, 241)
    assert "не применена" in notice["detail"]
    trace = await court.read(f"{RUNS}/{later['id']}/schools/3/trace")
    assert trace["corrections"] == []


async def test_after_a_later_import_there_is_nothing_to_contest(court):
    async with court.facts() as session:
        await session.execute(
            text("UPDATE rollup_pattern SET n = n + 1 WHERE school_id = 3 AND procedure_id = 241")
        )

    problem(await court.ask(3, CLAIM), 409, "cell-already-changed")


async def test_a_school_appeals_about_itself_and_its_municipality_about_its_schools(court):
    foreign = court.school(7, municipality_id=2)
    problem(await court.ask(3, CLAIM, token=foreign), 404, "run-school-not-found")
    problem(await court.ask(7, CLAIM, token=court.city), 404, "run-school-not-found")

    appeal = await court.filed(3, CLAIM, token=court.city)

    assert (appeal["filed_as"], appeal["municipality_id"]) == ("municipality", 1)
    for token in (court.vera, court.city, court.school(3)):
        assert (await court.read(APPEALS, token))["items"][0]["id"] == appeal["id"]
    for token in (foreign, court.school(2), court.curator, region_user(region_id=2)):
        assert (await court.read(APPEALS, token))["items"] == []
        answer = await court.call("GET", f"{APPEALS}/{appeal['id']}", token=token)
        problem(answer, 404, "appeal-not-found")


async def test_a_curator_of_the_school_reads_the_dispute_without_its_numbers(court):
    await court.filed(3, CLAIM)
    async with court.facts() as session:
        await session.execute(
            text(
                "INSERT INTO curator_grant (id, region_id, municipality_id, school_id, curator,"
                " valid_from) VALUES (1, 1, 1, 3, 'user:40', '2020-01-01')"
            )
        )

    (found,) = (await court.read(APPEALS, court.curator))["items"]

    assert found["reason"]
    for cell in (found["contested"], found["claimed"]):
        assert (cell["n"], cell["low"], cell["failed"]) == (None, None, None)
        assert cell["suppressed"] == ["n", "low", "failed"]
    refused = await court.ask(3, CLAIM, token=court.curator)
    problem(refused, 403, "missing-scope")


async def test_only_the_region_decides_and_neither_filer_nor_preparer(court):
    appeal = await court.filed(3, CLAIM, token=court.vera)
    for token in (court.school(3), court.city):
        problem(await court.step(appeal, "review", token=token), 403, "missing-scope")
    taken = (await court.step(appeal, "review")).json()

    problem(await court.decide(taken, token=court.city), 403, "missing-scope")
    problem(await court.decide(taken, token=court.vera), 409, "own-appeal")
    problem(await court.decide(taken, token=court.ann), 409, "decision-by-preparer")
    robot = machine(scopes=["appeals:decide", "appeals:write"], region_id=1)
    problem(await court.decide(taken, token=robot), 403, "missing-scope")

    assert (await court.decided(taken, token=court.bob))["decided_by"] == "user:2"


async def test_a_decision_follows_a_review_and_comes_once(court):
    appeal = await court.filed(3, CLAIM)
    problem(await court.decide(appeal), 409, "wrong-appeal-state")
    taken = (await court.step(appeal, "review")).json()
    decided = await court.decided(taken, "rejected")

    problem(await court.decide(taken), 412, "stale-version")
    problem(await court.decide(decided), 409, "wrong-appeal-state")
    problem(await court.step(decided, "review"), 409, "wrong-appeal-state")
    problem(await court.step(decided, "sandboxes", corrected=None), 409, "wrong-appeal-state")
    # Nor by another letter about the same cell.
    problem(await court.ask(3, CLAIM | {"low": 7, "failed": 7}), 409, "appeal-already-filed")


async def test_the_side_that_filed_it_withdraws_it_and_may_file_anew(court):
    appeal = await court.filed(3, CLAIM)
    problem(await court.ask(3, CLAIM, token=court.city), 409, "appeal-already-filed")
    why = {"reason": "Ошибка найдена у нас"}
    problem(
        await court.step(appeal, "withdrawal", token=court.city, **why), 409, "other-side-filed"
    )

    answer = await court.step(appeal, "withdrawal", token=court.school(3), **why)

    assert (answer.json()["state"], answer.json()["withdrawn_by"]) == ("withdrawn", "user:103")
    assert (await court.filed(3, CLAIM))["id"] != appeal["id"]


async def after(court, days):
    """Let so many days pass since the publication."""
    async with court.facts() as session:
        await session.execute(
            text(
                "UPDATE identification_run SET published_at = published_at - make_interval(days => :d)"
                " WHERE id = :run"
            ),
            {"run": court.run["id"], "d": days},
        )


async def test_after_the_term_the_region_alone_takes_an_appeal_with_a_reason(court):
    await after(court, 29)
    in_time = await court.filed(2, CLAIM | {"n": 40, "low": 1, "failed": 1}, late_reason="Не нужна")
    assert in_time["late_reason"] is None
    await after(court, 1)

    over = problem(await court.ask(3, CLAIM, late_reason="Болели"), 409, "appeal-term-over")
    closes = dt.datetime.fromisoformat(over["closes_at"])
    assert dt.timedelta(0) < dt.datetime.now(dt.UTC) - closes < dt.timedelta(hours=1)
    problem(await court.ask(3, CLAIM, token=court.vera), 409, "appeal-term-over")
    late = await court.filed(3, CLAIM, token=court.vera, late_reason="Письмо пришло в срок")

    assert late["late_reason"] == "Письмо пришло в срок"


async def test_the_methodology_sets_the_terms(court):
    document = five_flags(appeals={"filing_days": 3, "decision_days": 10})
    court.run = await court.published(await court.methodology(document=document))

    appeal = await court.filed(3, CLAIM)
    await after(court, 3)

    due = dt.datetime.fromisoformat(appeal["due_at"])
    assert due - dt.datetime.fromisoformat(appeal["filed_at"]) == dt.timedelta(days=10)
    problem(await court.ask(1, CLAIM), 409, "appeal-term-over")


async def test_an_overdue_appeal_is_told(court):
    appeal = await court.filed(3, CLAIM)
    async with court.facts() as session:
        await session.execute(text("UPDATE appeal SET due_at = now() - interval '1 second'"))

    (found,) = (await court.read(f"{APPEALS}?is_overdue=true", court.vera))["items"]

    assert (found["id"], found["is_overdue"]) == (appeal["id"], True)
    assert (await court.read(f"{APPEALS}?is_overdue=false", court.vera))["items"] == []
    await court.decided((await court.step(found, "review")).json(), "rejected")
    assert (await court.read(f"{APPEALS}?is_overdue=true", court.vera))["items"] == []


async def test_only_a_published_list_and_only_what_it_rests_on_can_be_contested(court):
    draft = await court.computed(court.methodology_id)
    refused = await court.ask(3, CLAIM, token=court.vera, run_id=draft["id"])
    problem(refused, 409, "run-not-published")
    problem(await court.ask(3, CLAIM, run_id=draft["id"]), 404, "run-not-found")
    problem(await court.ask(3, CLAIM | {"procedure_id": 9}), 409, "cell-not-in-run")
    attribute = {"kind": "attribute", "attribute": "staff_shortage", "state": "not_submitted"}
    problem(await court.ask(3, attribute), 409, "cell-not-in-run")
    problem(await court.ask(3, CLAIM | {"low": 9, "failed": 9}), 409, "nothing-claimed")
    problem(await court.ask(3, CLAIM | {"low": 31}), 422, "validation-failed")


async def test_a_cell_that_adds_up_a_merged_school_is_nobodys_alone(court):
    async with court.facts() as session:
        await session.execute(
            text(
                "INSERT INTO run_reorganisation (run_id, event_id, region_id, municipality_id,"
                " school_id, is_published, predecessor_id, predecessor_code, predecessor_name, kind,"
                " happened_on, outcome, procedure_id, n, low, failed) VALUES (:run, 1, 1, 1, 3, true,"
                " 99, '670099', 'Школа № 99', 'merge', '2024-09-01', 'passed', '{241}', '{5}', '{1}',"
                " '{1}')"
            ),
            {"run": court.run["id"]},
        )

    refused = problem(await court.ask(3, CLAIM), 409, "cell-of-several-schools")

    assert "Школа № 99" in refused["detail"]


async def test_profile_mark_and_sign_are_contested_like_results(wide_court):
    court = wide_court
    attribute = {
        "kind": "attribute",
        "attribute": "staff_shortage",
        "state": "value",
        "value": "0.10",
    }
    appeal = await court.under_review(1, attribute)
    assert appeal["contested"]["value"] == "0.25"
    assert appeal["claimed"]["value"] == "0.1"
    decided = await court.decided(appeal)
    assert "профиль" in decided["next_step"]

    mark = await court.under_review(1, {"kind": "mark", "adverse_conditions": False})
    tried = (await court.step(mark, "sandboxes", corrected=None)).json()
    assert "adverse_conditions" in tried["outcome"]["school"]["before"]["flags"]
    problem(
        await court.ask(1, {"kind": "mark", "adverse_conditions": True}), 409, "nothing-claimed"
    )


async def test_a_sign_is_contested_by_those_who_see_it_and_nobody_below_learns_of_it(wide_court):
    court = wide_court
    async with court.facts() as session:
        sign = await session.scalar(
            text("SELECT min(id) FROM objectivity_sign WHERE school_id = 2")
        )
        await session.execute(
            text(
                "INSERT INTO curator_grant (id, region_id, municipality_id, school_id, curator,"
                " valid_from) VALUES (1, 1, 1, 2, 'user:40', '2020-01-01')"
            )
        )
    claim = {"kind": "sign", "sign_id": sign}
    unseen = problem(await court.ask(2, claim), 409, "cell-not-in-run")
    missing = problem(await court.ask(2, claim | {"sign_id": 10**6}), 409, "cell-not-in-run")
    assert unseen["detail"].replace(str(sign), "N") == missing["detail"].replace(str(10**6), "N")

    appeal = await court.under_review(2, claim, token=court.city)

    assert (appeal["contested"]["counts"], appeal["claimed"]["counts"]) == (True, False)
    for token in (court.school(2), court.curator):
        assert (await court.read(APPEALS, token))["items"] == []
        feed = await court.read("/api/indicators/v1/changes", token)
        assert [c for c in feed["items"] if c["kind"] == "appeal"] == []
    told = await court.read("/api/indicators/v1/changes?limit=500", court.vera)
    assert [c for c in told["items"] if c["kind"] == "appeal"] == []


async def test_every_step_is_in_the_audit_and_the_feed_without_numbers(court):
    appeal = await court.under_review(3, CLAIM)
    await court.decided(appeal)

    feed = await court.read("/api/indicators/v1/changes?limit=500", court.school(3))
    bodies = [c["body"] for c in feed["items"] if c["kind"] == "appeal"]
    assert [body["state"] for body in bodies] == ["filed", "under_review", "accepted"]
    assert {"claimed", "contested", "corrected", "reason", "evidence"} & bodies[-1].keys() == set()
    audit = await court.read("/api/indicators/v1/audit/entries?kind=appeal", court.vera)
    assert [entry["subject"] for entry in audit["items"]] == ["user:103", "user:3", "user:3"]
    kept = await court.read("/api/indicators/v1/audit/entries?kind=cell_correction", court.vera)
    assert kept["items"][0]["after"]["failed"] == 8


async def test_the_same_letter_twice_is_one_appeal(court):
    headers = {"Idempotency-Key": "the-same-letter"}
    answers = []
    for _ in range(2):
        async with court.service.as_(court.school(3)) as client:
            answers.append(await client.post(APPEALS, json=court.wish(3, CLAIM), headers=headers))

    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert len((await court.read(APPEALS, court.vera))["items"]) == 1


async def test_every_step_sent_twice_with_one_key_is_taken_once(court):
    async def twice(path, body, version, token):
        answers = []
        for _ in range(2):
            async with court.service.as_(token) as client:
                answers.append(
                    await client.post(
                        path,
                        json=body,
                        headers={"Idempotency-Key": f"twice:{path}", "If-Match": f'"{version}"'},
                    )
                )
        first, second = answers
        assert first.status_code in (200, 201), first.text
        assert (second.status_code, second.content) == (first.status_code, first.content)
        return first.json()

    own = court.school(3)
    withdrawn = await court.filed(3, CLAIM)
    why = {"reason": "Ошибка найдена у нас"}
    await twice(f"{APPEALS}/{withdrawn['id']}/withdrawal", why, withdrawn["version"], own)
    appeal = await court.filed(3, CLAIM)
    path = f"{APPEALS}/{appeal['id']}"
    taken = await twice(f"{path}/review", None, appeal["version"], court.vera)
    await twice(f"{path}/sandboxes", {"corrected": None}, 1, court.vera)
    assert len((await court.read(f"{path}/sandboxes", court.vera))["items"]) == 1
    body = {"outcome": "rejected", "reason": "Ошибки нет", **PROTOCOL}
    await twice(f"{path}/decision", body, taken["version"], court.vera)


async def test_the_sandbox_foretells_the_next_run_for_every_school(court):
    appeal = await court.under_review(3, CLAIM)
    tried = (await court.step(appeal, "sandboxes", corrected=None)).json()["outcome"]
    await court.decided(appeal)

    later = await court.computed(court.methodology_id)

    before = await court.read(f"{RUNS}/{court.run['id']}/schools")
    after = await court.read(f"{RUNS}/{later['id']}/schools")
    told = ("state", "flags", "category", "certainty")
    moved = {
        new["school_id"]: {name: new[name] for name in told}
        for old, new in zip(before["items"], after["items"], strict=True)
        if any(old[name] != new[name] for name in told)
    }
    foretold = {
        one["school_id"]: {name: one["after"][name] for name in told}
        for one in (tried["school"], *tried["others"])
    }
    assert moved == foretold
