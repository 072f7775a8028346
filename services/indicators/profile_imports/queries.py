"""Questions about imports of profiles."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.indicators.profile_imports.schemas import RowOutcome
from services.indicators.profile_imports.tables import ProfileImport, ProfileImportRow
from services.kit.pages import PageAsk, Rows, keyset
from services.kit.problems import Problem

__all__ = [
    "ProfileImportNotFound",
    "imports",
    "known_cells",
    "of_file",
    "rows",
    "rows_of_outcome",
    "schools",
    "visible_import",
]


class ProfileImportNotFound(Problem):
    """The import does not exist for the caller."""

    status = 404
    title = "Импорт профилей не найден"


async def imports(session: AsyncSession, *, year: int | None, ask: PageAsk) -> Rows:
    """List the imports of the region, oldest first."""
    wanted = select(*(column for column in ProfileImport.__table__.c if column.name != "issues"))
    if year is not None:
        wanted = wanted.where(ProfileImport.year == year)
    return await keyset(session, wanted, order=(ProfileImport.id,), ask=ask)


async def visible_import(
    session: AsyncSession, import_id: int, *, locked: bool = False
) -> ProfileImport:
    """Read one import, locked when it is about to be changed.

    Raises:
        ProfileImportNotFound: None is visible under this id.
    """
    wanted = select(ProfileImport).where(ProfileImport.id == import_id)
    found = await session.scalar(wanted.with_for_update() if locked else wanted)
    if found is None:
        raise ProfileImportNotFound
    return found


async def of_file(
    session: AsyncSession, region_id: int, year: int, sha256: str
) -> ProfileImport | None:
    """Return the import of these bytes for this year, locked; None when they are new."""
    found: ProfileImport | None = await session.scalar(
        select(ProfileImport)
        .where(
            ProfileImport.region_id == region_id,
            ProfileImport.year == year,
            ProfileImport.sha256 == sha256,
        )
        .with_for_update()
    )
    return found


async def rows(
    session: AsyncSession, import_id: int, *, outcome: RowOutcome | None, ask: PageAsk
) -> Rows:
    """List the rows of an import as they stand in the file."""
    columns = ProfileImportRow.__table__.c
    listed: Select[Any] = select(
        columns.row_no,
        columns.outcome,
        columns.school_id,
        columns.cells.op("->>")("").label("school_code"),
        columns.cells.op("-")("").label("cells"),
        columns.findings,
    ).where(columns.import_id == import_id)
    if outcome is not None:
        listed = listed.where(columns.outcome == outcome)
    return await keyset(session, listed, order=(columns.row_no, columns.id), ask=ask)


async def rows_of_outcome(
    session: AsyncSession, import_id: int, outcome: RowOutcome
) -> Sequence[ProfileImportRow]:
    """Read the rows with this outcome as they stand in the file."""
    found = await session.scalars(
        select(ProfileImportRow)
        .where(ProfileImportRow.import_id == import_id, ProfileImportRow.outcome == outcome)
        .order_by(ProfileImportRow.row_no, ProfileImportRow.id)
    )
    return found.all()


async def schools(session: AsyncSession, region_id: int) -> list[tuple[int, str, str | None]]:
    """Read ids, codes and logins of the region's schools; of a code used twice, the present one."""
    found = await session.execute(_SCHOOLS, {"region": region_id})
    return [(row.id, row.code, row.vpr_login) for row in found]


_SCHOOLS = text(
    """
    SELECT DISTINCT ON (code) id, code, vpr_login FROM school WHERE region_id = :region
    ORDER BY code, closed_on DESC NULLS FIRST, id DESC
    """
)


async def known_cells(session: AsyncSession, year: int) -> dict[int, dict[str, Any]]:
    """Read the cells that stand in profiles of a year, by school."""
    found = await session.execute(_KNOWN, {"year": year})
    return {row.school_id: row.cells for row in found}


_KNOWN = text('SELECT school_id, "values" AS cells FROM school_profile WHERE year = :year')
