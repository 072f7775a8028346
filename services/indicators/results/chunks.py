"""Reading back the sanitised batches of an import."""

from collections.abc import AsyncIterator

from sqlalchemy import text

from services.indicators.results.checking import Batch, read_batch
from services.kit.database import Database
from services.kit.reach import Reach

__all__ = ["batches_of"]

_NEXT = text(
    """
    SELECT seq, max(payload) FILTER (WHERE kind = 'rows') AS rows,
           max(payload) FILTER (WHERE kind = 'faults') AS faults
    FROM import_chunk WHERE file_id = :file AND seq = :seq GROUP BY seq
    """
)


async def batches_of(database: Database, file_id: int) -> AsyncIterator[Batch]:
    """Give the batches of a file in order; only one is held at a time."""
    async with database.transaction(Reach.system()) as session:
        seq = 0
        while True:
            row = (await session.execute(_NEXT, {"file": file_id, "seq": seq})).one_or_none()
            if row is None:
                return
            yield read_batch(row.rows, row.faults)
            seq += 1
