"""Questions about imports of schools."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, case, column, select, table
from sqlalchemy.ext.asyncio import AsyncSession

from services.kit.pages import PageAsk, Rows, keyset
from services.registry.school_imports.schemas import Outcome
from services.registry.school_imports.tables import (
    SchoolImport,
    SchoolImportIssue,
    SchoolImportRow,
)

__all__ = ["imports", "issues", "of_file", "one", "rejected_rows", "rows", "rows_to_store"]

_import = SchoolImport.__table__.c
_job = table("job", column("id"), column("state"), column("error")).alias("job")


def _with_job() -> Select[Any]:
    """Return imports with their state as the job that commits them has left it."""
    failed = (_import.state == "committing") & (_job.c.state == "failed")
    state: ColumnElement[str] = case((failed, "failed"), else_=_import.state)
    failure = case((failed, _job.c.error.op("->>")("detail")), else_=None)
    plain = [named for named in _import if named.name != "state"]
    return select(*plain, state.label("state"), failure.label("failure")).select_from(
        SchoolImport.__table__.outerjoin(_job, _job.c.id == _import.job_id)
    )


async def imports(session: AsyncSession, *, ask: PageAsk) -> Rows:
    """Return the imports of the region, oldest first."""
    return await keyset(session, _with_job(), order=(_import.id,), ask=ask)


async def one(session: AsyncSession, import_id: int) -> Row[Any] | None:
    """Return an import; None outside reach."""
    found: Row[Any] | None = (
        await session.execute(_with_job().where(_import.id == import_id))
    ).one_or_none()
    return found


async def of_file(session: AsyncSession, region_id: int, sha256: str) -> SchoolImport | None:
    """Return the import of these bytes, locked; None when they are new."""
    return await session.scalar(
        select(SchoolImport)
        .where(SchoolImport.region_id == region_id, SchoolImport.sha256 == sha256)
        .with_for_update()
    )


async def issues(session: AsyncSession, import_id: int) -> Sequence[SchoolImportIssue]:
    """Return what was found in the order it was stored: rejecting first, most rows first."""
    found = await session.scalars(
        select(SchoolImportIssue)
        .where(SchoolImportIssue.import_id == import_id)
        .order_by(SchoolImportIssue.id)
    )
    return found.all()


async def rows(
    session: AsyncSession, import_id: int, *, outcome: Outcome | None, ask: PageAsk
) -> Rows:
    """Return the rows of an import as they stand in the file."""
    columns = SchoolImportRow.__table__.c
    listed: Select[Any] = select(
        columns.row_no, columns.outcome, columns.cells, columns.findings
    ).where(columns.import_id == import_id)
    if outcome is not None:
        listed = listed.where(columns.outcome == outcome)
    return await keyset(session, listed, order=(columns.row_no, columns.id), ask=ask)


async def rejected_rows(session: AsyncSession, import_id: int) -> Sequence[SchoolImportRow]:
    """Return the rejected rows as they stand in the file."""
    return await _of_outcome(session, import_id, Outcome.REJECT)


async def rows_to_store(session: AsyncSession, import_id: int) -> Sequence[SchoolImportRow]:
    """Return the accepted rows as they stand in the file."""
    return await _of_outcome(session, import_id, Outcome.STORE)


async def _of_outcome(
    session: AsyncSession, import_id: int, outcome: Outcome
) -> Sequence[SchoolImportRow]:
    found = await session.scalars(
        select(SchoolImportRow)
        .where(SchoolImportRow.import_id == import_id, SchoolImportRow.outcome == outcome)
        .order_by(SchoolImportRow.row_no, SchoolImportRow.id)
    )
    return found.all()
