"""The kit as a whole, on the tiny service `notes`: what every service inherits."""

import asyncio
import socket

import asyncpg
import httpx
import pytest
from sqlalchemy import text

from services.kit import jobs
from services.kit.reach import Reach
from tests.kit.notes.app import SERVICE
from tests.support.callers import curator, machine, municipality_user, region_user, school_user
from tests.support.running import problem, running

REGION = region_user(region_id=1)
OTHER_REGION = region_user(region_id=2, user_id=7)
SCHOOL = school_user(region_id=1, municipality_id=10, school_id=100)
URL = "/api/notes/v1/notes"


@pytest.fixture
async def notes(databases):
    async with databases.fresh(SERVICE) as urls, running(SERVICE, urls) as service:
        yield service


def a_note(title="Первая", *, region_id=1, municipality_id=10, school_id=100):
    return {
        "region_id": region_id,
        "municipality_id": municipality_id,
        "school_id": school_id,
        "title": title,
    }


async def added(notes, *bodies, token=REGION):
    async with notes.as_(token) as client:
        answers = [await client.post(URL, json=body) for body in bodies]
    assert [answer.status_code for answer in answers] == [201] * len(bodies), answers[-1].text
    return [answer.json() for answer in answers]


async def titles(notes, token, path=URL):
    async with notes.as_(token) as client:
        answer = await client.get(path, params={"count": "true"})
    assert answer.status_code == 200, answer.text
    page = answer.json()
    assert page["total"] == len(page["items"])
    return [item["title"] for item in page["items"]]


async def test_each_level_sees_its_own_rows_only(notes):
    await added(
        notes,
        a_note("своя"),
        a_note("соседней школы", school_id=101),
        a_note("другого района", municipality_id=11, school_id=110),
    )
    await added(
        notes,
        a_note("другой области", region_id=2, municipality_id=20, school_id=200),
        token=OTHER_REGION,
    )

    assert await titles(notes, REGION) == ["другого района", "своя", "соседней школы"]
    assert await titles(notes, municipality_user(region_id=1, municipality_id=10)) == [
        "своя",
        "соседней школы",
    ]
    assert await titles(notes, SCHOOL) == ["своя"]
    assert await titles(notes, curator(region_id=1)) == []
    assert await titles(notes, OTHER_REGION) == ["другой области"]


async def test_a_curator_sees_the_schools_of_its_grants_while_they_last(notes):
    await added(
        notes,
        a_note("своя"),
        a_note("соседней школы", school_id=101),
        a_note("третья", school_id=102),
    )
    async with notes.database.transaction(Reach.system()) as session:
        await session.execute(
            text(
                """
            INSERT INTO curator_grant (curator, region_id, municipality_id, school_id, valid_from, valid_to, revoked_at)
            VALUES ('user:4', 1, 10, 100, '2020-01-01', NULL, NULL),
                   ('user:4', 1, 10, 101, '2020-01-01', '2021-01-01', NULL),
                   ('user:4', 1, 10, 102, '2020-01-01', NULL, now()),
                   ('user:5', 1, 10, 102, '2020-01-01', NULL, NULL)
            """,
            )
        )

    assert await titles(notes, curator(region_id=1)) == ["своя"]


async def test_a_row_cannot_be_written_out_of_reach(notes):
    async with notes.as_(SCHOOL) as client:
        answer = await client.post(URL, json=a_note(school_id=101))

    problem(answer, 403, "out-of-reach")
    assert await titles(notes, REGION) == []


async def test_without_reach_the_app_role_reads_nothing(notes):
    await added(notes, a_note())
    connection = await asyncpg.connect(notes.urls.app.replace("+asyncpg", ""))
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.fetch("SELECT * FROM note")
        await connection.execute("SET ROLE opora_school")
        assert await connection.fetch("SELECT * FROM note") == []
    finally:
        await connection.close()


async def test_the_same_key_has_one_effect_and_one_answer(notes):
    headers = {"Idempotency-Key": "key-00000001"}
    async with notes.as_(REGION) as client:
        answers = await asyncio.gather(
            *(client.post(URL, json=a_note(), headers=headers) for _ in range(8))
        )
        other = await client.post(URL, json=a_note("Вторая"), headers=headers)

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert sum("idempotency-replayed" in answer.headers for answer in answers) == 7
    assert {answer.headers["etag"] for answer in answers} == {'"1"'}
    problem(other, 422, "idempotency-key-reused")
    assert await titles(notes, REGION) == ["Первая"]


async def test_a_key_of_another_caller_is_another_key(notes):
    headers = {"Idempotency-Key": "key-00000001"}
    async with notes.as_(REGION) as client:
        await client.post(URL, json=a_note(), headers=headers)
    async with notes.as_(OTHER_REGION) as client:
        answer = await client.post(URL, json=a_note("Моя", region_id=2), headers=headers)

    assert answer.status_code == 201
    assert answer.json()["title"] == "Моя"


async def test_a_refused_request_leaves_its_key_free(notes):
    headers = {"Idempotency-Key": "key-00000001"}
    await added(notes, a_note())
    async with notes.as_(REGION) as client:
        refused = await client.post(URL, json=a_note(), headers=headers)
        taken = await client.post(URL, json=a_note("Другая"), headers=headers)

    problem(refused, 409, "note-taken")
    assert taken.status_code == 201


async def test_an_act_that_happens_once_needs_a_key(notes):
    async with notes.as_(REGION) as client:
        problem(await client.post(f"{URL}/counts"), 400, "idempotency-key-missing")


async def test_an_edit_names_the_state_it_has_seen(notes):
    (note,) = await added(notes, a_note())
    path = f"{URL}/{note['id']}"
    async with notes.as_(REGION) as client:
        problem(await client.patch(path, json={"title": "x"}), 428, "precondition-required")
        problem(
            await client.patch(path, json={"title": "x"}, headers={"If-Match": "3"}),
            400,
            "entity-tag-malformed",
        )
        edited = await client.patch(path, json={"title": "Новая"}, headers={"If-Match": '"1"'})
        stale = await client.patch(path, json={"title": "x"}, headers={"If-Match": '"1"'})

    assert (edited.status_code, edited.headers["etag"]) == (200, '"2"')
    assert problem(stale, 412, "stale-version")["current_version"] == 2


async def test_of_many_simultaneous_edits_one_wins(notes):
    (note,) = await added(notes, a_note())
    async with notes.as_(REGION) as client:
        answers = await asyncio.gather(
            *(
                client.patch(
                    f"{URL}/{note['id']}", json={"title": f"{n}"}, headers={"If-Match": '"1"'}
                )
                for n in range(8)
            )
        )

    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 7


async def test_a_failing_commit_is_not_answered_with_success(notes):
    async with notes.as_(REGION) as client:
        answer = await client.post(f"{URL}/broken-commits")

    assert answer.status_code == 500


async def test_pages_cover_the_list_once_and_in_order(notes):
    await added(notes, *(a_note(f"{number:02}") for number in range(23)))
    seen, cursor = [], None
    async with notes.as_(REGION) as client:
        while True:
            page = (
                await client.get(URL, params={"limit": 5} | ({"cursor": cursor} if cursor else {}))
            ).json()
            seen += [item["title"] for item in page["items"]]
            cursor = page["next"]
            if cursor is None:
                break

    assert seen == [f"{number:02}" for number in range(23)]


async def test_a_tampered_or_borrowed_cursor_is_refused(notes):
    await added(notes, *(a_note(f"{number}") for number in range(3)))
    async with notes.as_(REGION) as client:
        cursor = (await client.get(URL, params={"limit": 1})).json()["next"]
        for position in range(len(cursor)):
            swapped = "A" if cursor[position] != "A" else "B"
            tampered = cursor[:position] + swapped + cursor[position + 1 :]
            problem(
                await client.get(URL, params={"limit": 1, "cursor": tampered}),
                400,
                "cursor-invalid",
            )
    async with notes.as_(region_user(region_id=1, user_id=9)) as client:
        problem(await client.get(URL, params={"limit": 1, "cursor": cursor}), 400, "cursor-invalid")


async def test_unknown_and_malformed_input_is_told_field_by_field(notes):
    async with notes.as_(REGION) as client:
        answer = await client.post(URL, json=a_note() | {"colour": "red", "school_id": "x"})
        nul = await client.post(URL, json=a_note("a\0b"))
        huge = await client.post(URL, json=a_note(school_id=10**30))
        broken = await client.post(URL, content=b"{", headers={"content-type": "application/json"})

    errors = {
        error["pointer"]: error["code"]
        for error in problem(answer, 422, "validation-failed")["errors"]
    }
    assert errors == {"/colour": "extra_forbidden", "/school_id": "int_type"}
    problem(nul, 422, "value-not-storable")
    problem(huge, 422, "value-not-storable")
    problem(broken, 422, "validation-failed")


async def test_a_body_over_the_limit_is_refused_while_it_streams(notes):
    sent = 0

    async def endless():
        nonlocal sent
        while sent < 100_000_000:
            sent += 65_536
            yield b" " * 65_536

    async with notes.as_(REGION) as client:
        answer = await client.post(
            URL, content=endless(), headers={"content-type": "application/json"}
        )

    problem(answer, 413, "body-too-large")
    assert sent < 3_000_000


async def test_an_unexpected_failure_tells_nothing_but_its_number(notes):
    async with notes.as_(REGION) as client:
        answer = await client.get(f"{URL}/failures", headers={"X-Request-Id": "request-0001"})

    document = problem(answer, 500, "internal-error")
    assert "secret" not in answer.text
    assert document["request_id"] == "request-0001"


async def test_a_machine_gets_only_the_scopes_of_its_token(notes):
    async with notes.as_(machine(scopes=["notes:read"], region_id=1)) as client:
        assert (await client.get(URL)).status_code == 200
        problem(await client.post(URL, json=a_note()), 403, "missing-scope")


async def test_the_feed_has_no_gaps_while_transactions_commit_out_of_order(notes):
    async with notes.as_(REGION) as client:

        async def insert(number, pause):
            async with notes.database.transaction(Reach.region(1)) as session:
                await session.execute(
                    text(
                        "INSERT INTO note (region_id, municipality_id, school_id, title) VALUES (1, 10, 100, :t)",
                    ),
                    {"t": f"{number}"},
                )
                await asyncio.sleep(pause)

        async def read():
            seen, cursor = [], None
            while len(seen) < 60:
                params = {"wait": 1, "limit": 7} | ({"after": cursor} if cursor else {})
                page = (await client.get("/api/notes/v1/changes", params=params)).json()
                seen += [item["body"]["title"] for item in page["items"]]
                cursor = page["next"]
            return seen

        reading = asyncio.create_task(read())
        for start in range(0, 60, 6):
            await asyncio.gather(
                *(insert(number, (number % 6) * 0.01) for number in range(start, start + 6))
            )
        seen = await asyncio.wait_for(reading, 20)

    assert sorted(seen, key=int) == [str(number) for number in range(60)]


async def test_the_feed_shows_each_caller_its_own_and_hides_excluded_columns(notes):
    (note, _) = await added(
        notes, a_note("своя"), a_note("чужая", municipality_id=11, school_id=110)
    )
    async with notes.as_(SCHOOL) as client:
        page = (await client.get("/api/notes/v1/changes")).json()

    assert [(item["op"], item["id"], item["key"]) for item in page["items"]] == [
        ("upsert", note["id"], {"school_id": 100, "title": "своя"}),
    ]
    assert "secret" not in page["items"][0]["body"]


async def test_a_row_that_moves_away_leaves_a_tombstone_for_whom_it_left(notes):
    await added(notes, a_note("едет"))
    async with notes.database.transaction(Reach.region(1)) as session:
        await session.execute(text("UPDATE note SET municipality_id = 11, version = version + 1"))
    async with notes.as_(municipality_user(region_id=1, municipality_id=10)) as client:
        old = [item["op"] for item in (await client.get("/api/notes/v1/changes")).json()["items"]]
    async with notes.as_(municipality_user(region_id=1, municipality_id=11)) as client:
        new = [item["op"] for item in (await client.get("/api/notes/v1/changes")).json()["items"]]

    assert (old, new) == (["upsert", "delete"], ["upsert"])


async def test_the_audit_keeps_who_changed_what(notes):
    (note,) = await added(notes, a_note())
    async with notes.as_(REGION) as client:
        await client.patch(
            f"{URL}/{note['id']}", json={"title": "Новая"}, headers={"If-Match": '"1"'}
        )
    async with notes.database.transaction(Reach.region(1)) as session:
        entries = (await session.execute(text("SELECT * FROM audit_entry ORDER BY id"))).all()

    assert [(e.subject, e.op) for e in entries] == [("user:1", "insert"), ("user:1", "update")]
    assert (entries[1].before["title"], entries[1].after["title"]) == ("Первая", "Новая")


async def _enqueued(notes, kind):
    async with notes.as_(REGION) as client:
        answer = await client.post(
            f"{URL}/counts",
            params={"kind": kind},
            headers={"Idempotency-Key": f"job-{kind}-1"},
        )
    return answer.json()["job_id"]


async def _reached(notes, job_id, arrived):
    for _ in range(1000):
        async with notes.database.transaction(Reach.region(1)) as session:
            found = await session.execute(text("SELECT * FROM job WHERE id = :id"), {"id": job_id})
            job = found.one()
        if arrived(job):
            return job
        await asyncio.sleep(0.02)
    raise AssertionError(f"the job stays {job.state}")


async def _job(notes, kind):
    job_id = await _enqueued(notes, kind)
    async with notes.worker():
        return await _reached(
            notes,
            job_id,
            lambda job: job.state in ("done", "failed") or (kind, job.attempt) == ("stale", 2),
        )


async def test_a_job_waits_for_a_neighbour_that_is_away(notes):
    job = await _job(notes, "wait")

    assert (job.state, job.result, job.forgiven) == ("done", {"attempt": 3}, 2)


async def test_a_worker_that_stops_hands_its_job_over_at_once(notes):
    job_id = await _enqueued(notes, "linger")
    async with notes.worker():
        await _reached(notes, job_id, lambda job: job.state == "running")
    handed_over = await _reached(notes, job_id, lambda job: job.state == "queued")
    async with notes.worker():
        done = await _reached(notes, job_id, lambda job: job.state == "done")

    assert (handed_over.attempt, done.attempt) == (1, 2)


async def test_a_job_is_done_once_with_its_effect(notes):
    job = await _job(notes, "count")

    assert (job.state, job.result, job.attempt) == ("done", {"word": "счёт"}, 1)
    assert await titles(notes, REGION) == ["from the job"]


async def test_a_worker_that_lost_its_lease_changes_nothing(notes):
    job = await _job(notes, "stale")

    assert job.state == "running"
    assert await titles(notes, REGION) == []


async def test_a_worker_hears_its_stop_even_as_a_job_ends(notes):
    async def run(_):
        # The stop arrives between the end of the job and the end of its lease.
        asyncio.get_running_loop().call_soon(attempt.cancel)

    work = jobs.Work(
        job_id=1, region_id=1, attempt=1, params={}, created_by="", database=notes.database,
        settings=notes.settings, peers=notes.app.state.peers,
    )  # fmt: skip
    attempt = asyncio.create_task(jobs._attempt(jobs.JobKind("ends", run), work))
    await asyncio.wait([attempt], timeout=5)

    assert attempt.cancelled()


async def test_a_refusal_of_a_job_is_kept_for_its_owner(notes):
    job = await _job(notes, "refuse")

    assert job.state == "failed"
    assert job.error == {"code": "note-taken", "detail": "Причина для человека", "school_id": 5}


async def test_the_service_is_not_ready_before_its_schema_but_stays_ready_beside_a_newer_one(notes):
    async with notes.as_(None) as client:
        assert (await client.get("/health/ready")).status_code == 200
        owner = await asyncpg.connect(notes.urls.owner.replace("+asyncpg", ""))
        await owner.execute("UPDATE alembic_version SET version_num = 'ofthenextrelease'")
        assert (await client.get("/health/ready")).status_code == 200
        await owner.execute("DELETE FROM alembic_version")
        await owner.close()
        assert (await client.get("/health/ready")).status_code == 503
        assert (await client.get("/health/live")).status_code == 200


async def test_metrics_are_told_on_a_port_of_their_own_and_nowhere_else(databases):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    async with databases.fresh(SERVICE) as urls:
        async with (
            running(SERVICE, urls, metrics_port=port) as service,
            service.as_(REGION) as client,
            httpx.AsyncClient() as cluster,
        ):
            await client.get(URL)
            outside = await client.get("/metrics")
            inside = await cluster.get(f"http://127.0.0.1:{port}/metrics")
        async with httpx.AsyncClient() as cluster:
            with pytest.raises(httpx.ConnectError):
                await cluster.get(f"http://127.0.0.1:{port}/metrics")

    problem(outside, 404, "not-found")
    assert "opora_http_answers_total" in inside.text
