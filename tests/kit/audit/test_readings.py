"""Who read whom: recorded before the answer leaves, by whom and of whom, without naming anybody."""

import asyncpg
import pytest

from services.kit import audit
from services.kit.http import Out, router
from services.kit.pages import Page
from tests.kit.audit.conftest import AUDIT, REGION, SIGNED, a_note, added, page
from tests.kit.notes.app import NoteOut, SignedNoteOut
from tests.support.callers import machine, municipality_user, region_user
from tests.support.running import problem

NEIGHBOUR = region_user(region_id=2, user_id=7)
SYSTEM = machine(
    scopes=["notes:read", "audit:read"], level="system", client_id="root", region_id=None
)


async def test_a_list_of_persons_leaves_an_entry_of_who_read_whom(notes):
    first, second = await added(notes, a_note("a"), a_note("b"))
    reader = municipality_user(region_id=1, municipality_id=10, user_id=9)

    await page(notes, SIGNED, reader, title="b")

    (entry,) = await page(notes, f"{AUDIT}/readings", subject="user:9")
    assert (entry["kind"], entry["ids"], entry["role"]) == ("note", [second["id"]], "municipality")
    assert entry["operation"] == "notes_list_signed_notes"
    assert entry["municipality_id"] == 10
    assert first["id"] not in entry["ids"]


async def test_who_read_this_person_is_one_question(notes):
    first, second = await added(notes, a_note("a"), a_note("b"))
    await page(notes, SIGNED, title="a")
    await page(notes, SIGNED)

    asked = {"kind": "note", "person_id": second["id"]}
    found = await page(notes, f"{AUDIT}/readings", **asked)
    later = await page(notes, f"{AUDIT}/readings", since="2100-01-01T00:00:00Z", **asked)

    # Made by one request, then read in the list of all.
    assert [entry["ids"] for entry in found] == [[second["id"]], [first["id"], second["id"]]]
    assert later == []


async def test_a_word_that_was_searched_for_is_not_kept(notes):
    await added(notes, a_note("Иванова"))

    await page(notes, SIGNED, title="Иванова")

    entry = (await page(notes, f"{AUDIT}/readings", kind="note"))[-1]
    assert entry["filters"] == {"title": None}


async def test_nobody_found_is_nothing_read(notes):
    assert await page(notes, SIGNED) == []

    assert await page(notes, f"{AUDIT}/readings") == []


async def test_an_answer_that_is_replayed_is_read_again(notes):
    headers = {"Idempotency-Key": "key-00000001"}
    async with notes.as_(REGION) as client:
        for _ in range(2):
            answer = await client.post(SIGNED, json=a_note(), headers=headers)
            assert answer.status_code == 201

    found = await page(notes, f"{AUDIT}/readings", kind="note")
    assert answer.headers["idempotency-replayed"] == "true"
    assert [entry["ids"] for entry in found] == [[answer.json()["id"]]] * 2
    assert [entry["filters"] for entry in found] == [{}, {"replayed": "true"}]


async def test_a_route_that_forgets_to_record_lets_nothing_out(notes):
    await added(notes, a_note())

    async with notes.as_(REGION) as client:
        answer = await client.get("/api/notes/v1/notes/leaking")

    problem(answer, 500, "internal-error")
    assert "Иванова" not in answer.text


async def test_a_failed_request_has_read_nothing(notes):
    await added(notes, a_note())

    async with notes.as_(REGION) as client:
        answer = await client.post(SIGNED, json=a_note(school_id=0) | {"title": ""})

    assert answer.status_code == 422
    assert len(await page(notes, f"{AUDIT}/readings", kind="note")) == 1


async def test_reading_the_audit_is_itself_recorded(notes):
    await added(notes, a_note())

    await page(notes, f"{AUDIT}/entries", REGION)

    (entry,) = await page(notes, f"{AUDIT}/readings", kind="audit_entry")
    assert entry["operation"] == "notes_list_audit_entries"
    assert len(entry["ids"]) == 1


async def test_a_region_sees_readings_of_its_own_region_only(notes):
    await added(notes, a_note())

    assert await page(notes, f"{AUDIT}/readings", NEIGHBOUR) == []
    assert await page(notes, f"{AUDIT}/entries", NEIGHBOUR) == []


async def test_who_reads_from_above_all_regions_is_shown_to_the_region(notes):
    await added(notes, a_note(), a_note("b"))
    await added(notes, a_note("c", region_id=2, municipality_id=20, school_id=200), token=NEIGHBOUR)

    await page(notes, SIGNED, SYSTEM)

    own = await page(notes, f"{AUDIT}/readings", subject="client:root")
    theirs = await page(notes, f"{AUDIT}/readings", NEIGHBOUR, subject="client:root")
    assert [len(entry["ids"]) for entry in (*own, *theirs)] == [2, 1]


@pytest.mark.parametrize("level", ["municipality", "school", "curator"])
async def test_below_the_region_the_audit_is_not_shown(notes, level):
    await added(notes, a_note())
    connection = await asyncpg.connect(notes.urls.app.replace("+asyncpg", ""))
    node = {"region_id": 1, "municipality_id": 10, "school_id": 100}
    async with connection.transaction():
        for name, value in node.items():
            await connection.execute("SELECT set_config($1, $2, true)", f"opora.{name}", str(value))
        await connection.execute("SELECT set_config('role', $1, true)", f"opora_{level}")
        seen = [
            await connection.fetchval(f"SELECT count(*) FROM {table}")
            for table in ("audit_entry", "read_entry", "audit_link", "audit_pending")
        ]
    await connection.close()

    assert seen == [0, 0, 0, 0]


async def test_the_audit_keeps_that_a_name_changed_but_not_the_name(notes):
    (note,) = await added(notes, a_note("a", "Иванова Мария"))
    async with notes.as_(REGION) as client:
        answer = await client.patch(
            f"/api/notes/v1/notes/{note['id']}",
            json={"title": "a", "author": "Петрова Мария"},
            headers={"If-Match": '"1"'},
        )
    assert answer.status_code == 200, answer.text

    made, changed = await page(notes, f"{AUDIT}/entries", kind="note", entity_id=note["id"])
    async with notes.as_(REGION) as client:
        feed = await client.get("/api/notes/v1/changes")
    assert changed["changed"] == ["author", "version"]
    assert (made["municipality_id"], made["school_id"]) == (10, 100)
    for text in (str(made), str(changed), feed.text):
        assert "Мария" not in text
    assert feed.json()["items"]


@pytest.mark.parametrize("shape", [SignedNoteOut, Page[SignedNoteOut], list[SignedNoteOut] | None])
def test_a_route_that_forgets_to_say_whose_data_it_shows_is_not_made(shape):
    routes = router(prefix="/forgetful", tags=["notes"])

    with pytest.raises(audit.UnrecordedReadingError, match="forget"):
        routes.get("", response_model=shape)(_forget)
    routes.get("", response_model=shape, openapi_extra=audit.reads("note"))(_forget)
    routes.get("/plain", response_model=NoteOut)(_forget)


async def _forget():
    """A route's function of no further interest."""


def test_a_marked_field_is_found_however_deep_it_lies():
    class Deep(Out):
        pages: list[Page[SignedNoteOut] | None]

    class Plain(Out):
        notes: list[NoteOut]

    assert audit.holds_personal_data(Page[SignedNoteOut])
    assert audit.holds_personal_data(dict[str, Deep])
    assert not audit.holds_personal_data(Plain)
    assert not audit.holds_personal_data(None)
