"""Fill a service's projection of the registry, as its feed would, for tests of that service alone."""

from datetime import date

from sqlalchemy import text

from services.kit.database import Database
from services.kit.reach import Reach


async def place_schools(database: Database, *schools: tuple[int, int, int]) -> None:
    """Put schools (region_id, municipality_id, school_id) with their territory into the projection."""
    async with database.transaction(Reach.system()) as session:
        for region_id, municipality_id, school_id in schools:
            values = {"r": region_id, "m": municipality_id, "s": school_id}
            await _region(session, region_id)
            await _municipality(session, region_id, municipality_id)
            await _school(session, values)


async def _region(session, region_id: int) -> None:
    await session.execute(
        text(
            "INSERT INTO region (id, code, name) VALUES (:id, :code, :name) ON CONFLICT DO NOTHING"
        ),
        {"id": region_id, "code": f"{region_id:02}", "name": f"Регион {region_id}"},
    )


async def _municipality(session, region_id: int, municipality_id: int) -> None:
    await session.execute(
        text(
            "INSERT INTO municipality (id, region_id, name) VALUES (:id, :region_id, :name)"
            " ON CONFLICT DO NOTHING",
        ),
        {"id": municipality_id, "region_id": region_id, "name": f"Район {municipality_id}"},
    )


async def _school(session, values) -> None:
    await session.execute(
        text(
            "INSERT INTO school (id, region_id, municipality_id, code, name)"
            " VALUES (:s, :r, :m, :code, :name) ON CONFLICT DO NOTHING",
        ),
        values | {"code": f"{values['s']:06}", "name": f"Школа № {values['s']}"},
    )


async def grant_curator(
    database: Database,
    curator: str,
    school: tuple[int, int, int],
    *,
    valid_to: date | None = None,
) -> None:
    """Give a curator the school from 2020 on, until `valid_to` when given."""
    region_id, municipality_id, school_id = school
    async with database.transaction(Reach.system()) as session:
        await session.execute(
            text(
                "INSERT INTO curator_grant (id, curator, region_id, municipality_id, school_id, valid_from, valid_to)"
                " SELECT COALESCE(max(id), 0) + 1, :curator, :r, :m, :s, DATE '2020-01-01', :valid_to FROM curator_grant",
            ),
            {
                "curator": curator,
                "r": region_id,
                "m": municipality_id,
                "s": school_id,
                "valid_to": valid_to,
            },
        )
