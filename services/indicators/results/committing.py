"""Putting a checked import in force."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.indicators.results import rollups, staging
from services.indicators.results.checking import Checked
from services.indicators.results.reference import read_reference
from services.indicators.results.tables import ResultImport

__all__ = ["CHECK_CHANGED", "commit", "forget_batches", "is_current", "keep_outcome"]

CHECK_CHANGED: dict[str, Any] = {
    "code": "check-changed",
    "title": "После проверки изменились школы, шкалы или результаты",
    "detail": "Проверка повторена перед записью и дала другой итог.",
    "hint": "Посмотрите замечания и подтвердите импорт ещё раз.",
}


def keep_outcome(found: ResultImport, checked: Checked) -> None:
    """Write the outcome of a check on its import."""
    found.stored = checked.stored
    found.rejected = checked.rejected
    found.ignored = checked.ignored
    found.counts = checked.counts
    found.reference = checked.fingerprint
    found.stage = checked.stage
    found.problem = None
    found.checked_at = datetime.now(UTC)


async def is_current(session: AsyncSession, found: ResultImport) -> bool:
    """Tell whether what the import was checked against is still so."""
    reference = await read_reference(session, found.procedure_id)
    return reference.fingerprint == found.reference


async def commit(session: AsyncSession, found: ResultImport) -> None:
    """Put the staged rows in force; the caller holds the procedure's lock."""
    assert found.stage is not None  # noqa: S101  a checked import has a stage
    superseded = 0
    if not await staging.has_results(session, found.procedure_id) and found.stored:
        await staging.attach(session, procedure_id=found.procedure_id, import_id=found.id)
        await rollups.recompute(session, found.procedure_id)
    else:
        touched = await staging.touched_schools(session, found.stage, found.procedure_id)
        superseded = await staging.merge(
            session, found.stage, procedure_id=found.procedure_id, import_id=found.id
        )
        await staging.drop(session, procedure_id=found.procedure_id, import_id=found.id)
        if touched:
            await rollups.recompute(session, found.procedure_id, schools=touched)
    if found.stored:
        await session.execute(
            text("UPDATE procedure SET result_revision = result_revision + 1 WHERE id = :id"),
            {"id": found.procedure_id},
        )
    await forget_batches(session, found.id)
    found.counts = {**found.counts, "superseded": superseded}
    found.state = "committed"
    found.stage = None
    found.committed_at = datetime.now(UTC)
    await session.flush()


async def forget_batches(session: AsyncSession, import_id: int) -> None:
    """Delete the sanitised batches: the results now stand in their table."""
    await session.execute(
        text(
            "DELETE FROM import_chunk c USING import_file f"
            " WHERE f.id = c.file_id AND f.import_id = :id"
        ),
        {"id": import_id},
    )
