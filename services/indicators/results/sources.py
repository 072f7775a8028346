"""Where the canonical batches of an import come from: one file as it is, or РИС tables joined."""

from collections.abc import AsyncIterator

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.indicators.results import ris
from services.indicators.results.checking import Batch
from services.indicators.results.chunks import batches_of
from services.indicators.results.layouts import LayoutCode, layout
from services.indicators.results.tables import ImportFile, ResultImport
from services.kit.database import Database

__all__ = ["batches", "results_table"]


def results_table(code: LayoutCode) -> str:
    """Name the table of a layout whose rows are results."""
    return layout(code).results_table


async def batches(
    session: AsyncSession, database: Database, found: ResultImport
) -> AsyncIterator[Batch]:
    """Give the batches of an import's results in the order of the file."""
    files = {
        file.table_name: file
        for file in await session.scalars(
            select(ImportFile).where(ImportFile.import_id == found.id)
        )
    }
    if LayoutCode(found.layout) is LayoutCode.RIS_GIA:
        async for batch in ris.joined(session, database, files):
            yield batch
        return
    async for batch in batches_of(database, files[results_table(LayoutCode(found.layout))].id):
        yield batch
