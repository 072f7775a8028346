"""The chain: every committed entry once, whatever dies; and each way of tampering is found."""

import asyncio
import hashlib
import json
import sys

import asyncpg
import pytest
from alembic import command
from pydantic import ValidationError
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.kit import audit_chain, migrations
from services.kit.audit_chain import BrokenAt, ChainBreak
from services.kit.reach import Reach, enter
from tests.kit.audit.conftest import (
    AUDIT,
    REGION,
    a_note,
    added,
    page,
    sealed,
    verified,
)
from tests.kit.notes.app import SERVICE
from tests.support.callers import machine
from tests.support.running import problem, settings_for

SYSTEM = machine(scopes=["audit:read"], level="system", client_id="root")

# Recomputes the links as the sealer makes them, as an owner who tampers could.
RELINK = """
DO $$
DECLARE one record; last bytea := decode(repeat('00', 32), 'hex');
BEGIN
    FOR one IN SELECT position, digest FROM audit_link ORDER BY position LOOP
        last := sha256(last || one.digest);
        UPDATE audit_link SET hash = last WHERE position = one.position;
    END LOOP;
END $$
"""


@pytest.fixture
async def chain(notes):
    """Five changes and five readings, linked."""
    await added(notes, *(a_note(f"{number}") for number in range(5)))
    await sealed(notes)
    return await verified(notes)


async def test_every_entry_is_linked_once_and_in_order(notes, chain, owner):
    links = await owner.fetch("SELECT position, entry_id FROM audit_link ORDER BY position")

    assert chain.broken is None
    assert chain.is_complete
    assert [link["position"] for link in links] == list(range(1, 11))
    assert [link["entry_id"] for link in links] == list(range(1, 11))
    assert await owner.fetchval("SELECT count(*) FROM audit_pending") == 0


async def test_what_is_not_committed_is_not_linked_and_holds_nobody_up(notes):
    async with notes.database.transaction(Reach.region(1, "slow")) as slow:
        await slow.execute(
            text(
                "INSERT INTO note (region_id, municipality_id, school_id, title)"
                " VALUES (1, 10, 100, 'slow')"
            )
        )
        await added(notes, a_note("fast"))
        await sealed(notes)
        before = await verified(notes)
    await sealed(notes)
    after = await verified(notes)

    assert (before.head.position, before.broken) == (2, None)
    assert (after.head.position, after.broken) == (3, None)


async def test_what_was_rolled_back_is_in_nobodys_chain(notes):
    async with notes.database.sessions() as session:
        await enter(session, Reach.region(1, "undone"))
        await session.execute(
            text("SELECT opora_record('login', 'failure', 1, '{}', 1, NULL, NULL)")
        )
        await session.rollback()
    await added(notes, a_note())
    await sealed(notes)

    verdict = await verified(notes)

    assert (verdict.head.position, verdict.broken) == (2, None)


async def test_several_sealers_at_once_link_everything_once(notes):
    await added(notes, *(a_note(f"{number}") for number in range(20)))

    await asyncio.gather(*(sealed(notes) for _ in range(8)))
    await sealed(notes)

    verdict = await verified(notes)
    assert (verdict.head.position, verdict.broken) == (40, None)


KILLED_SEALER = """
import asyncio, os, sys
import asyncpg

async def main():
    connection = await asyncpg.connect(sys.argv[1])
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute("SET LOCAL ROLE opora_system")
    print(await connection.fetchval("SELECT opora_seal(3)"), flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


async def test_a_sealer_killed_in_the_middle_loses_and_doubles_nothing(notes):
    await added(notes, *(a_note(f"{number}") for number in range(5)))
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        KILLED_SEALER,
        notes.urls.app.replace("+asyncpg", ""),
        stdout=asyncio.subprocess.PIPE,
    )
    assert await process.stdout.readline() == b"3\n"
    process.kill()
    await process.wait()

    # The server notices the death of its client, and lets go of the lock, a moment later.
    for _ in range(100):
        await sealed(notes)
        verdict = await verified(notes)
        if verdict.head.position:
            break
        await asyncio.sleep(0.05)

    assert (verdict.head.position, verdict.broken) == (10, None)


TAMPERING = {
    "a value is changed": (
        "UPDATE audit_entry SET after = jsonb_set(after, '{title}', '\"иначе\"') WHERE id = 3",
        BrokenAt(ChainBreak.CHANGED, 3, 3),
    ),
    "the reader is changed": (
        "UPDATE read_entry SET subject = 'user:666' WHERE id = 4",
        BrokenAt(ChainBreak.CHANGED, 4, 4),
    ),
    "the time is changed": (
        "UPDATE read_entry SET at = at + interval '1 microsecond' WHERE id = 4",
        BrokenAt(ChainBreak.CHANGED, 4, 4),
    ),
    "an entry is removed": (
        "DELETE FROM audit_entry WHERE id = 5",
        BrokenAt(ChainBreak.REMOVED, 5, 5),
    ),
    "an entry and its link are removed": (
        "DELETE FROM audit_entry WHERE id = 5; DELETE FROM audit_link WHERE entry_id = 5",
        BrokenAt(ChainBreak.GAP, 5, None),
    ),
    "an entry and its link are removed and the gap is closed": (
        (
            "DELETE FROM audit_entry WHERE id = 5; DELETE FROM audit_link WHERE entry_id = 5;"
            "UPDATE audit_link SET position = -(position - 1) WHERE position > 5;"
            "UPDATE audit_link SET position = -position WHERE position < 0"
        ),
        BrokenAt(ChainBreak.REORDERED, 5, 6),
    ),
    "an entry is inserted": (
        (
            "INSERT INTO audit_entry (id, subject, request_id, kind, entity_id, op)"
            " OVERRIDING SYSTEM VALUE VALUES (1000, 'user:1', '', 'note', 1, 'update')"
        ),
        BrokenAt(ChainBreak.INSERTED, None, 1000),
    ),
    "an entry is inserted with a link in the middle": (
        (
            "INSERT INTO audit_entry (id, subject, request_id, kind, entity_id, op)"
            " OVERRIDING SYSTEM VALUE VALUES (1000, 'user:1', '', 'note', 1, 'update');"
            "UPDATE audit_link SET position = -(position + 1) WHERE position > 5;"
            "UPDATE audit_link SET position = -position WHERE position < 0;"
            "INSERT INTO audit_link (position, entry_id, form, digest, hash)"
            " SELECT 6, 1000, 1, sha256('x'), sha256('y')"
        ),
        BrokenAt(ChainBreak.REORDERED, 6, 1000),
    ),
    "two entries are swapped": (
        (
            "UPDATE audit_entry AS a SET after = b.after, entity_id = b.entity_id"
            " FROM audit_entry AS b WHERE (a.id, b.id) IN ((1, 3), (3, 1))"
        ),
        BrokenAt(ChainBreak.CHANGED, 1, 1),
    ),
    "two links are swapped": (
        (
            "UPDATE audit_link SET position = -position WHERE position IN (3, 5);"
            "UPDATE audit_link SET position = CASE position WHEN -3 THEN 5 ELSE 3 END"
            " WHERE position < 0"
        ),
        BrokenAt(ChainBreak.REORDERED, 3, 5),
    ),
    "the links at the end are removed": (
        "DELETE FROM audit_link WHERE position > 8",
        BrokenAt(ChainBreak.INSERTED, None, 9),
    ),
}


@pytest.mark.parametrize("how", TAMPERING)
async def test_the_first_broken_entry_is_named(notes, chain, owner, how):
    statement, expected = TAMPERING[how]

    await owner.execute(statement)

    assert (await verified(notes)).broken == expected


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        (
            (
                "DELETE FROM read_entry WHERE id > 8; DELETE FROM audit_entry WHERE id > 8;"
                "DELETE FROM audit_link WHERE position > 8"
            ),
            BrokenAt(ChainBreak.TRUNCATED, 9, None),
        ),
        (
            (
                "UPDATE audit_entry SET subject = 'user:666' WHERE id = 3;"
                "UPDATE audit_link SET digest = sha256('forged') WHERE position = 3"
            ),
            BrokenAt(ChainBreak.REWRITTEN, 10, None),
        ),
    ],
    ids=["cut off", "rewritten"],
)
async def test_a_chain_that_was_made_anew_is_found_by_the_head_that_was_kept(
    notes, chain, owner, how, expected
):
    """An owner who recomputes every link is found only against a head kept elsewhere."""
    await owner.execute(how)
    # The forger hashes the changed entry as the sealer does.
    forged = (await verified(notes)).broken
    if forged is not None:
        async with notes.database.transaction(Reach.system()) as session:
            texts = {
                link["position"]: link["canonical"] async for link in audit_chain.export(session)
            }
        digest = hashlib.sha256(texts[3].encode()).digest()
        await owner.execute("UPDATE audit_link SET digest = $1 WHERE position = 3", digest)
    await owner.execute(RELINK)

    without = await verified(notes)
    against = await verified(notes, kept=(chain.head.position, chain.head.hash))

    assert without.broken is None
    assert against.broken == expected


async def test_verification_goes_on_where_it_stopped(notes, chain):
    first = await verified(notes, limit=4)
    second = await verified(notes, after=first.checked_to, limit=100)

    assert (first.checked_to, first.is_complete) == (4, False)
    assert (second.checked_from, second.checked_to, second.is_complete) == (4, 10, True)


async def test_an_outsider_verifies_the_export_with_nothing_but_sha256(notes, chain, owner):
    async with notes.database.transaction(Reach.system()) as session:
        lines = [json.dumps(link) async for link in audit_chain.export(session)]

    # As docs/decisions/0022 describes it.
    before = bytes(32)
    for line in lines:
        link = json.loads(line)
        digest = hashlib.sha256(link["canonical"].encode()).digest()
        before = hashlib.sha256(before + digest).digest()
        assert (digest.hex(), before.hex()) == (link["digest"], link["hash"])
    assert before == chain.head.hash
    # The text says what the entry says.
    form, table, number, at, subject, role, *_ = json.loads(json.loads(lines[0])["canonical"])
    kept = await owner.fetchrow("SELECT * FROM audit_entry WHERE id = 1")
    assert (form, table, number, subject, role) == (1, "entry", 1, kept["subject"], "region")
    assert at == kept["at"].strftime("%Y-%m-%dT%H:%M:%S.%fZ")


async def test_the_head_and_the_verification_are_told_by_the_api(notes, chain, owner):
    async with notes.as_(REGION) as client:
        head = (await client.get(f"{AUDIT}/head")).json()
        whole = (await client.post(f"{AUDIT}/verification", json={})).json()
        kept = {"position": head["position"], "hash": head["hash"]}
        await owner.execute("UPDATE read_entry SET ids = '{7}' WHERE id = 2")
        broken = (await client.post(f"{AUDIT}/verification", json={"kept": kept})).json()
        unknown = await client.post(f"{AUDIT}/verification", json={"after": 999})

    assert head["hash"] == chain.head.hash.hex()
    assert (whole["is_intact"], whole["is_complete"], whole["head"]) == (True, True, head)
    assert broken["broken"] == {"code": "changed", "position": 2, "entry_id": 2}
    assert unknown.json()["broken"]["code"] == "gap"


async def test_an_entry_says_where_in_the_chain_it_is(notes):
    await added(notes, a_note())
    waiting = (await page(notes, f"{AUDIT}/entries"))[0]
    await sealed(notes)
    linked = (await page(notes, f"{AUDIT}/entries"))[0]

    assert (waiting["position"], waiting["digest"]) == (None, None)
    assert linked["position"] == 1
    assert len(linked["digest"]) == 64


async def test_the_worker_links_by_itself(notes):
    async with notes.worker():
        await added(notes, a_note())
        for _ in range(100):
            if (verdict := await verified(notes)).head.position == 2:
                break
            await asyncio.sleep(0.1)

    assert (verdict.head.position, verdict.broken) == (2, None)


async def test_entries_from_before_the_chain_are_its_beginning(databases):
    """A database of the former release is upgraded with what its audit already holds."""
    async with databases.fresh(SERVICE) as urls:
        owner = await asyncpg.connect(urls.owner.replace("+asyncpg", ""))
        await owner.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        await owner.execute(
            "GRANT USAGE ON SCHEMA public TO opora_system, opora_region, opora_municipality,"
            " opora_school, opora_curator, opora_notes_app"
        )
        await migrations._run(SERVICE, urls.owner, lambda config: command.upgrade(config, "a1"))
        await owner.execute(
            "INSERT INTO note (region_id, municipality_id, school_id, title)"
            " VALUES (1, 10, 100, 'old')"
        )
        await migrations.upgrade(SERVICE, urls.owner)
        await owner.execute("SELECT opora_seal(10)")
        linked = await owner.fetch("SELECT entry_id FROM audit_link")
        await owner.close()

    assert [link["entry_id"] for link in linked] == [1]


async def test_a_caller_without_the_scope_is_refused(notes):
    weak = machine(scopes=["notes:read"], region_id=1)
    async with notes.as_(weak) as client:
        for path in ("entries", "readings", "head"):
            problem(await client.get(f"{AUDIT}/{path}"), 403, "missing-scope")
        problem(await client.post(f"{AUDIT}/verification", json={}), 403, "missing-scope")


async def test_what_is_forgotten_in_its_time_is_no_break_but_anything_else_is(
    notes, chain, owner, app_settings
):
    await owner.execute(
        "UPDATE audit_link SET sealed_at = sealed_at - interval '400 days' WHERE position <= 6"
    )

    await audit_chain.forget(notes.database, app_settings)
    await sealed(notes)

    assert await owner.fetchval("SELECT count(*) FROM audit_entry WHERE id <= 6") == 0
    assert await owner.fetchval("SELECT count(*) FROM read_entry WHERE id > 6") == 2
    told = await page(notes, f"{AUDIT}/entries", SYSTEM, kind="audit")
    assert [(entry["op"], entry["after"]) for entry in told] == [
        ("forget", {"position": 6, "removed": 6})
    ]
    assert (await verified(notes, kept=(chain.head.position, chain.head.hash))).broken is None
    await owner.execute("DELETE FROM audit_entry WHERE id = 7")
    assert (await verified(notes)).broken == BrokenAt(ChainBreak.REMOVED, 7, 7)


async def test_by_default_nothing_is_forgotten(notes, chain, owner):
    await owner.execute("UPDATE audit_link SET sealed_at = sealed_at - interval '9 years'")

    await audit_chain.forget(notes.database, notes.settings)

    assert await owner.fetchval("SELECT count(*) FROM audit_entry") == 5
    with pytest.raises(ValidationError, match="audit_keep_days"):
        settings_for(SERVICE, notes.urls, audit_keep_days=30)


async def test_nobody_makes_the_audit_forget_the_last_year(notes, chain):
    with pytest.raises(DBAPIError, match="at least 365 days"):
        await _ask(notes, "SELECT opora_forget(364)")


async def _ask(notes, statement):
    async with notes.database.transaction(Reach.system()) as session:
        await session.execute(text(statement))


@pytest.fixture
def app_settings(notes):
    return settings_for(SERVICE, notes.urls, audit_keep_days=365)
