"""Asked of the database itself, under the app role: which rows of every located table exist for whom?

No application code stands between the question and the answer, so a query that forgets to ask for
the caller's reach could show no more than this.
"""

from datetime import date

import asyncpg
import pytest

from services.kit.database import Depth, Located
from services.kit.reach import Level
from tests.sweeps.test_tables import SERVICES, mapped

LOCATED = [
    pytest.param(service, cls, id=f"{service.name}.{cls.__tablename__}")
    for service in SERVICES
    for cls in mapped(service)
    if issubclass(cls, Located)
]

# Tables that this job leaves empty, with the reason; any other empty table would prove nothing.
EMPTY = {
    "registry.school_size": "no sizes are loaded in this story",
}


def columns(cls):
    """Names of the columns that say where a row is."""
    own = getattr(cls, "__place__", {})
    present = {column.name for column in cls.__table__.columns}
    named = {level: own.get(level, f"{level}_id") for level in ("region", "municipality", "school")}
    return {level: name for level, name in named.items() if name in present}


class Asking:
    """Questions to one service's database."""

    def __init__(self, admin, app):
        self._admin, self._app = admin, app

    async def truth(self, table, column, value):
        """How many rows there are at a place, seen by an administrator."""
        return await self._admin.fetchval(
            f'SELECT count(*) FROM "{table}" WHERE {column} = $1', value
        )

    async def seen(self, table, level, where="true", *values, **node):
        """How many rows exist for a caller of this reach."""
        async with self._app.transaction():
            for name in ("region_id", "municipality_id", "school_id", "subject"):
                await self._app.execute(
                    "SELECT set_config($1, $2, true)", f"opora.{name}", str(node.get(name, ""))
                )
            await self._app.execute("SELECT set_config('role', $1, true)", f"opora_{level}")
            return await self._app.fetchval(
                f'SELECT count(*) FROM "{table}" WHERE {where}', *values
            )


@pytest.fixture
async def asking(opora, service):
    urls = opora.urls[service.name]
    admin = await asyncpg.connect(urls.admin.replace("+asyncpg", ""))
    app = await asyncpg.connect(urls.app.replace("+asyncpg", ""))
    yield Asking(admin, app)
    await app.close()
    await admin.close()


@pytest.mark.parametrize(("service", "cls"), LOCATED)
async def test_a_row_exists_only_for_those_it_belongs_to(service, cls, asking, smolensk):
    table, where = cls.__tablename__, columns(cls)
    region, own = smolensk.region.id, smolensk.own_school
    rows = await asking.truth(table, where["region"], region)
    if f"{service.name}.{table}" in EMPTY:
        pytest.skip(EMPTY[f"{service.name}.{table}"])
    assert rows > 0, "an empty table proves nothing: fill it in the story or say why it is empty"

    assert await asking.seen(table, "region", region_id=region) == rows
    assert await asking.seen(table, "region", region_id=region + 1_000_000) == 0
    assert await asking.seen(table, "region") == 0
    stranger = {
        "region_id": region,
        "municipality_id": smolensk.municipalities["Вяземский"],
        "school_id": smolensk.schools["670201"]["id"],
        "subject": "user:0",
    }
    for level in ("municipality", "school", "curator"):
        assert await asking.seen(table, level, region_id=region + 1_000_000) == 0, level
        if cls.__reach__ is Depth.REGION:
            assert await asking.seen(table, level, **stranger) == 0, level
        if "municipality" in where:
            foreign = f"{where['municipality']} = $1"
            assert (
                await asking.seen(table, level, foreign, own["municipality_id"], **stranger) == 0
            ), level
        if "school" in where:
            foreign = f"{where['school']} = $1"
            assert await asking.seen(table, level, foreign, own["id"], **stranger) == 0, level


@pytest.mark.parametrize(
    ("service", "cls"), [case for case in LOCATED if case.values[1].__reach__ is Depth.SCHOOL]
)
async def test_a_school_a_municipality_and_a_curator_have_all_of_their_own(
    service, cls, asking, smolensk
):
    table, where = cls.__tablename__, columns(cls)
    if f"{service.name}.{table}" in EMPTY or service.name == "gateway":
        pytest.skip("empty in this story, or accounts, which a curator does not see")
    if cls.__closed_to__:
        pytest.skip("closed to some levels: asked by the next test")
    region, own, granted = smolensk.region.id, smolensk.own_school, smolensk.granted_school
    node = {"region_id": region, "municipality_id": own["municipality_id"], "school_id": own["id"]}
    hidden = "" if not _has_drafts(cls) else " AND is_published"

    async def truth(column, value):
        return await asking._admin.fetchval(
            f'SELECT count(*) FROM "{table}" WHERE {column} = $1{hidden}', value
        )

    assert await asking.seen(table, "municipality", **node) == await truth(
        where["municipality"], own["municipality_id"]
    )
    assert await asking.seen(table, "school", **node) == await truth(where["school"], own["id"])
    if table != "curator_grant":
        curated = await asking.seen(
            table, "curator", region_id=region, subject=smolensk.curator.subject
        )
        assert curated == await truth(where["school"], granted["id"])


CLOSED = [case for case in LOCATED if case.values[1].__closed_to__]


@pytest.mark.parametrize(("service", "cls"), CLOSED)
async def test_a_level_that_a_table_is_closed_to_sees_none_of_its_own(
    service, cls, asking, smolensk
):
    table, own = cls.__tablename__, smolensk.own_school
    node = {
        "region_id": smolensk.region.id,
        "municipality_id": own["municipality_id"],
        "school_id": own["id"],
        "subject": smolensk.curator.subject,
    }

    seen = {str(level): await asking.seen(table, level, **node) for level in Level}

    closed = {str(level) for level in cls.__closed_to__}
    assert {level for level, many in seen.items() if not many} == closed


def _has_drafts(cls):
    return "is_published" in {column.name for column in cls.__table__.columns}


async def test_a_grant_that_ended_shows_nothing_any_more(opora, smolensk):
    admin = await asyncpg.connect(opora.urls["indicators"].admin.replace("+asyncpg", ""))
    app = await asyncpg.connect(opora.urls["indicators"].app.replace("+asyncpg", ""))
    asking = Asking(admin, app)
    caller = {"region_id": smolensk.region.id, "subject": smolensk.curator.subject}
    before = await asking.seen("rollup_subject", "curator", **caller)
    await admin.execute("UPDATE curator_grant SET valid_to = $1", date(2025, 12, 31))
    ended = await asking.seen("rollup_subject", "curator", **caller)
    await admin.execute("UPDATE curator_grant SET valid_to = NULL, revoked_at = now()")
    revoked = await asking.seen("rollup_subject", "curator", **caller)
    await admin.execute("UPDATE curator_grant SET revoked_at = NULL")
    await app.close()
    await admin.close()

    assert before > 0
    assert (ended, revoked) == (0, 0)
