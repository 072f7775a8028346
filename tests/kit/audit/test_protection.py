"""The audit is append-only, and nobody writes in another's name: the database keeps that."""

import asyncpg
import pytest

from services.kit.reach import Level
from tests.kit.audit.conftest import AUDIT, a_note, added, page, sealed

TABLES = ("audit_entry", "read_entry", "audit_link", "audit_pending")


@pytest.fixture
async def app(notes):
    connection = await asyncpg.connect(notes.urls.app.replace("+asyncpg", ""))
    yield connection
    await connection.close()


async def as_level(app, level, statement):
    async with app.transaction():
        await app.execute(f"SET LOCAL ROLE opora_{level}")
        await app.execute(statement)


@pytest.mark.parametrize("level", list(Level))
@pytest.mark.parametrize("table", TABLES)
async def test_no_level_changes_removes_or_adds_an_entry_by_itself(notes, app, table, level):
    await added(notes, a_note())
    await sealed(notes)
    column = {"audit_link": "position", "audit_pending": "id"}.get(table, "subject")

    for statement in (
        f"UPDATE {table} SET {column} = DEFAULT",
        f"DELETE FROM {table}",
        f"TRUNCATE {table}",
        f"INSERT INTO {table} ({column}) VALUES (DEFAULT)",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await as_level(app, level, statement)


async def test_an_event_bears_the_subject_of_its_transaction(notes, app):
    async with app.transaction():
        await app.execute("SELECT set_config('opora.subject', 'user:5', true)")
        await app.execute("SET LOCAL ROLE opora_region")
        await app.execute("SELECT opora_record('login', 'failure', 12, '{}', 1, NULL, NULL)")

    (entry,) = await page(notes, f"{AUDIT}/entries", kind="login")
    assert (entry["subject"], entry["op"], entry["entity_id"]) == ("user:5", "failure", 12)


@pytest.mark.parametrize("op", ["insert", "update", "delete"])
async def test_only_the_trigger_says_that_a_row_changed(app, op):
    with pytest.raises(asyncpg.RaiseError):
        await as_level(
            app, "system", f"SELECT opora_record('note', '{op}', 1, '{{}}', 1, NULL, NULL)"
        )


async def test_without_a_reach_the_app_role_records_and_links_nothing(app):
    for call in (
        "opora_record('login', 'failure', NULL, '{}', NULL, NULL, NULL)",
        "opora_record_reading('o', 'note', '{1}', '{}', NULL)",
        "opora_seal(10)",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await app.execute(f"SELECT {call}")


@pytest.mark.parametrize("level", sorted(set(Level) - {Level.SYSTEM}))
async def test_only_the_system_links(app, level):
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await as_level(app, level, "SELECT opora_seal(10)")
