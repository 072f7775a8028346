"""The same facts give the same bytes: another order of rows, time zone, collation, number of workers."""

import os
import time
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from services.indicators.app import SERVICE
from tests.indicators.identification.conftest import RUNS, Desk
from tests.indicators.identification.worlds import five_flags, full_region
from tests.support.running import running

COLLATED = (
    ("region", "name"), ("municipality", "code"), ("municipality", "name"), ("school", "code"),
    ("school", "name"), ("school", "kind"), ("procedure", "kind"), ("procedure", "title"),
    ("scale", "subject"), ("run_school", "code"), ("run_school", "name"),
    ("run_school", "municipality_name"), ("run_procedure", "title"),
)  # fmt: skip


@asynccontextmanager
async def world(databases, *, workers=1, zone=None, collation=None):
    """A service on a database of its own, whose settings differ from the usual ones."""
    async with databases.fresh(SERVICE) as urls, AsyncExitStack() as stack:
        service = await stack.enter_async_context(running(SERVICE, urls))
        desk = Desk(service)
        if zone or collation:
            url = make_url(urls.admin).set(drivername="postgresql")
            admin = await asyncpg.connect(url.render_as_string(hide_password=False))
            name = await admin.fetchval("SELECT current_database()")
            if zone:
                await admin.execute(f"ALTER DATABASE {name} SET timezone = '{zone}'")
                await admin.execute(f"ALTER DATABASE {name} SET datestyle = 'German'")
            for table, column in COLLATED if collation else ():
                await admin.execute(
                    f'ALTER TABLE {table} ALTER COLUMN {column} TYPE text COLLATE "{collation}"'
                )
            await admin.close()
            await service.database.engine.dispose()
        for _ in range(workers):
            await stack.enter_async_context(service.worker())
        yield desk


@asynccontextmanager
async def zone_of_the_process(zone):
    before = os.environ.get("TZ")
    os.environ["TZ"] = zone
    time.tzset()
    try:
        yield
    finally:
        os.environ.pop("TZ") if before is None else os.environ.update(TZ=before)
        time.tzset()


async def answers(desk, *, backwards):
    """Compute the full region's run and give everything that leaves it as bytes."""
    async with desk.facts() as session:
        await full_region(session, backwards=backwards)
    run = await desk.computed(await desk.methodology(document=five_flags()))
    listed = await desk.call("GET", f"{RUNS}/{run['id']}/list")
    book = await desk.call("GET", f"{RUNS}/{run['id']}/list.xlsx")
    assert (listed.status_code, book.status_code) == (200, 200)
    return {
        "input_hash": run["input_hash"],
        "list_hash": run["list_hash"],
        "counts": run["counts"],
        "notices": run["notices"],
        "list": listed.content,
        "workbook": book.content,
    }


async def another_collation(databases):
    """Find a collation that orders unlike bytes; a server built without ICU has only its own ones."""
    async with databases.fresh(SERVICE) as urls, running(SERVICE, urls) as service:
        for name in ("ru-x-icu", "und-x-icu"):
            with suppress(DBAPIError):
                async with Desk(service).facts() as session:
                    await session.execute(text(f"SELECT 'a' < 'B' COLLATE \"{name}\""))
                    return name
    return "pg_unicode_fast"


async def test_order_zone_collation_and_workers_change_no_byte(databases):
    collation = await another_collation(databases)
    async with world(databases) as desk:
        usual = await answers(desk, backwards=False)
    async with (
        zone_of_the_process("Pacific/Chatham"),
        world(databases, workers=3, zone="Asia/Kathmandu", collation=collation) as desk,
    ):
        unusual = await answers(desk, backwards=True)

    assert unusual == usual
    assert len(usual["list"]) > 1000


CHANGES = {
    "a pupil more": "UPDATE rollup_pattern SET n = n + 1"
    " WHERE school_id = 6 AND procedure_id = 241 AND low_mask = 0",
    "a name": "UPDATE school SET name = 'Другое имя' WHERE id = 6",
    "a scale": "UPDATE scale SET maximum = maximum + 1 WHERE procedure_id = 232",
    "an attribute": 'UPDATE school_profile SET "values" = jsonb_set("values",'
    " '{staff_shortage,value}', '\"0.01\"') WHERE school_id = 6",
    "a sign withdrawn": "UPDATE objectivity_sign SET review = 'withdrawn', reviewed_by = 'user:1',"
    " reviewed_at = now(), review_reason = 'проверка' WHERE school_id = 6",
}


@pytest.mark.parametrize("change", CHANGES)
async def test_another_fact_gives_another_hash(desk, change):
    """The negative control: what is equal above is not equal for want of looking."""
    async with desk.facts() as session:
        await full_region(session)
    methodology = await desk.methodology(document=five_flags())
    before = await desk.computed(methodology)
    async with desk.facts() as session:
        assert (await session.execute(text(CHANGES[change]))).rowcount >= 1

    after = await desk.computed(methodology)

    assert after["input_hash"] != before["input_hash"]
    assert after["list_hash"] != before["list_hash"]
