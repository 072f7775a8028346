"""A running indicators service on a fresh database, with a small region known from the registry."""

import pytest
from sqlalchemy import text

from services.indicators.app import SERVICE
from services.kit.reach import Reach
from tests.support.running import running

SCHOOLS = {
    # code: (id, municipality)
    "100001": (1001, 11),
    "100002": (1002, 11),
    "200001": (2001, 12),
}


@pytest.fixture
async def indicators(databases):
    async with (
        databases.fresh(SERVICE) as urls,
        running(SERVICE, urls, pseudonym_key="a key for tests only") as service,
    ):
        async with service.database.transaction(Reach.system()) as session:
            await session.execute(text("INSERT INTO region VALUES (1, '67', 'Смоленская область')"))
            await session.execute(
                text(
                    "INSERT INTO municipality (id, region_id, code, name)"
                    " VALUES (11, 1, '11', 'Вяземский'), (12, 1, '12', 'Гагаринский')"
                )
            )
            for code, (school_id, municipality_id) in SCHOOLS.items():
                await session.execute(
                    text(
                        "INSERT INTO school (id, region_id, municipality_id, code, name, vpr_login)"
                        " VALUES (:id, 1, :municipality, :code, :name, :login)"
                    ),
                    {
                        "id": school_id,
                        "municipality": municipality_id,
                        "code": code,
                        "name": f"Школа {code}",
                        "login": f"edu{code}",
                    },
                )
        yield service
