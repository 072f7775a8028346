"""Reading imports, their findings, indices and lineage."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from sqlalchemy import and_, func, literal_column, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.indicators.procedures.tables import Scale
from services.indicators.results.layouts import LayoutCode, layout
from services.indicators.results.rules import BY_CODE, RULES
from services.indicators.results.tables import (
    ImportFile,
    ImportFinding,
    ImportRejection,
    ResultImport,
    RollupPattern,
    RollupSource,
    RollupSubject,
)
from services.kit.pages import PageAsk, Rows, keyset
from services.kit.problems import Problem

__all__ = [
    "ImportNotFound",
    "described",
    "findings",
    "imports",
    "indices",
    "lineage",
    "low_indices",
    "marked_rows",
    "visible_import",
]


class ImportNotFound(Problem):
    """There is no such import in the caller's region."""

    status = 404
    title = "Импорт не найден"


async def visible_import(
    session: AsyncSession, import_id: int, *, locked: bool = False
) -> ResultImport:
    """Read one import, locked when it is about to be changed.

    Raises:
        ImportNotFound: None is visible under this id.
    """
    wanted = select(ResultImport).where(ResultImport.id == import_id)
    found = await session.scalar(wanted.with_for_update() if locked else wanted)
    if found is None:
        raise ImportNotFound(f"Импорт {import_id} не найден")
    return found


async def imports(
    session: AsyncSession, *, procedure_id: int | None, state: str | None, ask: PageAsk
) -> tuple[list[dict[str, Any]], Rows]:
    """List imports, oldest first, as they are shown."""
    wanted = select(ResultImport.id)
    if procedure_id is not None:
        wanted = wanted.where(ResultImport.procedure_id == procedure_id)
    if state is not None:
        wanted = wanted.where(ResultImport.state == state)
    rows = await keyset(session, wanted, order=(ResultImport.id,), ask=ask)
    ids = [row.id for row in rows.items]
    found = await session.scalars(
        select(ResultImport).where(ResultImport.id.in_(ids)).order_by(ResultImport.id)
    )
    return await _described(session, list(found)), rows


async def described(session: AsyncSession, found: ResultImport) -> dict[str, Any]:
    """Give an import as it is shown: with its files and its last job."""
    return (await _described(session, [found]))[0]


_JOBS = text(
    """
    SELECT id, kind, state, progress_done AS done, progress_total AS total, progress_note AS note,
           error
    FROM job WHERE id = ANY (:ids)
    """
)


async def _described(session: AsyncSession, found: Sequence[ResultImport]) -> list[dict[str, Any]]:
    ids = [one.id for one in found]
    files: dict[tuple[int, str], ImportFile] = {
        (file.import_id, file.table_name): file
        for file in await session.scalars(select(ImportFile).where(ImportFile.import_id.in_(ids)))
    }
    job_ids = [one.job_id for one in found if one.job_id is not None]
    jobs = {
        row.id: dict(row._mapping)  # noqa: SLF001  the public name of a row's mapping
        for row in await session.execute(_JOBS, {"ids": job_ids})
    }
    return [
        {column.key: getattr(one, column.key) for column in ResultImport.__table__.columns}
        | {
            "files": [
                _file(table.name, files.get((one.id, table.name)))
                for table in layout(LayoutCode(one.layout)).tables
            ],
            "job": jobs.get(one.job_id) if one.job_id is not None else None,
        }
        for one in found
    ]


def _file(table: str, file: ImportFile | None) -> dict[str, Any]:
    return {
        "table": table,
        "state": file.state if file else "awaited",
        "sha256": file.sha256 if file else None,
        "size_bytes": file.size_bytes if file else None,
        "rows_in": file.rows_in if file else None,
        "recognised": file.recognised if file else {},
    }


async def findings(session: AsyncSession, import_id: int) -> list[dict[str, Any]]:
    """Read the findings of an import in the order of the rules."""
    order = {rule.code: place for place, rule in enumerate(RULES)}
    rows = await session.scalars(select(ImportFinding).where(ImportFinding.import_id == import_id))
    found = sorted(rows, key=lambda row: (row.table_name, order[row.rule], row.column_name or ""))
    return [
        {
            "table": row.table_name,
            "code": row.rule,
            "outcome": BY_CODE[row.rule].outcome,
            "message": BY_CODE[row.rule].message,
            "remedy": BY_CODE[row.rule].remedy,
            "column": row.column_name,
            "count": row.count,
            "first_sheet": row.first_sheet,
            "first_row": row.first_row,
            "last_sheet": row.last_sheet,
            "last_row": row.last_row,
            "sample": row.sample,
        }
        for row in found
    ]


async def marked_rows(
    session: AsyncSession, import_id: int
) -> AsyncIterator[tuple[str, int, int, str, str | None, str | None]]:
    """Read the marked rows: table, sheet, row, rule, column, sample."""
    rows = await session.execute(
        select(
            ImportRejection.table_name,
            ImportRejection.sheet_no,
            ImportRejection.row_no,
            ImportRejection.rule,
            ImportRejection.column_name,
            ImportRejection.sample,
        )
        .where(ImportRejection.import_id == import_id)
        .order_by(
            ImportRejection.table_name,
            ImportRejection.sheet_no,
            ImportRejection.row_no,
            ImportRejection.id,
        )
    )
    for row in rows:
        yield (row[0], row[1], row[2], row[3], row[4], row[5])


async def indices(
    session: AsyncSession,
    *,
    procedure_id: int | None,
    school_id: int | None,
    municipality_id: int | None,
    year: int | None,
    ask: PageAsk,
) -> Rows:
    """List rollups by procedure, school and subject."""
    wanted = select(*RollupSubject.__table__.columns, Scale.subject.label("subject_code")).join(
        Scale,
        and_(
            Scale.procedure_id == RollupSubject.procedure_id,
            Scale.position == RollupSubject.subject,
        ),
    )
    if procedure_id is not None:
        wanted = wanted.where(RollupSubject.procedure_id == procedure_id)
    if school_id is not None:
        wanted = wanted.where(RollupSubject.school_id == school_id)
    if municipality_id is not None:
        wanted = wanted.where(RollupSubject.municipality_id == municipality_id)
    if year is not None:
        wanted = wanted.where(RollupSubject.year == year)
    order = (RollupSubject.procedure_id, RollupSubject.school_id, RollupSubject.subject)
    return await keyset(session, wanted, order=order, ask=ask)


async def low_indices(
    session: AsyncSession,
    *,
    procedure_id: int,
    mass_mask: int,
    school_id: int | None,
    municipality_id: int | None,
    ask: PageAsk,
) -> Rows:
    """List the low-results index of a procedure by school, for a choice of mass subjects. F4."""
    low = func.sum(RollupPattern.n).filter(RollupPattern.low_mask.op("&")(mass_mask) != 0)
    failed = func.sum(RollupPattern.n).filter(RollupPattern.failed_mask.op("&")(mass_mask) != 0)
    wanted = (
        select(
            RollupPattern.procedure_id,
            RollupPattern.school_id,
            func.max(RollupPattern.municipality_id).label("municipality_id"),
            func.sum(RollupPattern.n).label("participants"),
            func.coalesce(low, 0).label("low_n"),
            func.coalesce(failed, 0).label("failed_n"),
        )
        .where(RollupPattern.procedure_id == procedure_id)
        .group_by(RollupPattern.procedure_id, RollupPattern.school_id)
    )
    if school_id is not None:
        wanted = wanted.where(RollupPattern.school_id == school_id)
    if municipality_id is not None:
        wanted = wanted.where(RollupPattern.municipality_id == municipality_id)
    return await keyset(session, wanted, order=(RollupPattern.school_id,), ask=ask)


async def lineage(
    session: AsyncSession, *, procedure_id: int | None, school_id: int, ask: PageAsk
) -> Rows:
    """List from which rows of which files a school's results come.

    The file's hash is shown to those who see the import; others get the rows alone.
    """
    results = or_(
        ImportFile.table_name == "results",
        ImportFile.table_name == literal_column("'res_HumanTests'"),
    )
    wanted = (
        select(*RollupSource.__table__.columns, ImportFile.sha256, ImportFile.size_bytes)
        .outerjoin(ImportFile, and_(ImportFile.import_id == RollupSource.import_id, results))
        .where(RollupSource.school_id == school_id)
    )
    if procedure_id is not None:
        wanted = wanted.where(RollupSource.procedure_id == procedure_id)
    order = (RollupSource.procedure_id, RollupSource.import_id, RollupSource.sheet_no)
    return await keyset(session, wanted, order=order, ask=ask)
