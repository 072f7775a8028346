"""Checking and committing imports of results; recomputing rollups; discarding what was cancelled.

Each job is one transaction with its end (`work.finish`): killed anywhere, it has done nothing and is
done once by the next attempt.
"""

from collections.abc import Awaitable, Callable

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.indicators.results import committing, rollups, sources, staging
from services.indicators.results.checking import Checked, Subject, check
from services.indicators.results.layouts import LayoutCode
from services.indicators.results.tables import ResultImport
from services.kit.jobs import JobKind, Work
from services.kit.problems import Problem
from services.kit.reach import Reach

__all__ = ["JOBS"]


class ImportStateChanged(Problem):
    """The import was cancelled, or another job has already done this."""

    status = 409
    title = "Импорт уже в другом состоянии"


async def check_import(work: Work) -> None:
    """Check an uploaded import and leave its accepted rows in the stage."""
    # A school registered a moment ago must not be "unknown" because its news is still on the way.
    await work.catch_up()
    async with work.finish(Reach.system("job:check-import")) as session:
        found = await _import(session, work, "checking")
        checked = await _checked(session, found, work)
        committing.keep_outcome(found, checked)
        found.state = "checked"
        await session.flush()


async def commit_import(work: Work) -> None:
    """Put the checked rows in force with rollups and lineage.

    The check is repeated when schools, scales or stored results have changed since; if it then
    finds something else, the import goes back to `checked` for a person to look again.
    """
    async with work.finish(Reach.system("job:commit-import")) as session:
        found = await _import(session, work, "committing")
        await staging.lock(session, found.procedure_id)
        if not await committing.is_current(session, found):
            before = (found.stored, found.rejected, found.ignored)
            checked = await _checked(session, found, work)
            committing.keep_outcome(found, checked)
            if before != (found.stored, found.rejected, found.ignored):
                found.state = "checked"
                found.problem = committing.CHECK_CHANGED
                await session.flush()
                return
        await work.progress(found.stored, found.rows_in, "Запись результатов")
        await committing.commit(session, found)


async def discard_import(work: Work) -> None:
    """Drop the stage and the batches of a cancelled import."""
    async with work.finish(Reach.system("job:discard-import")) as session:
        found = await _import(session, work, "cancelled")
        await staging.drop(session, procedure_id=found.procedure_id, import_id=found.id)
        await committing.forget_batches(session, found.id)


async def recompute_rollups(work: Work) -> None:
    """Compute the rollups of a procedure again after a change of its scales."""
    async with work.finish(Reach.system("job:recompute-rollups")) as session:
        procedure_id = int(work.params["procedure_id"])
        await staging.lock(session, procedure_id)
        await rollups.recompute(session, procedure_id)


async def _import(session: AsyncSession, work: Work, state: str) -> ResultImport:
    """Load the import of a job in the state the job is for."""
    found = await session.scalar(
        select(ResultImport)
        .where(ResultImport.id == int(work.params["import_id"]))
        .with_for_update()
    )
    if found is None or found.state != state:
        raise ImportStateChanged(f"Ожидалось состояние {state}")
    return found


async def _checked(session: AsyncSession, found: ResultImport, work: Work) -> Checked:
    subject = Subject(
        import_id=found.id,
        procedure_id=found.procedure_id,
        region_id=found.region_id,
        results_table=sources.results_table(LayoutCode(found.layout)),
        versions_are_explicit=found.layout == LayoutCode.OPORA_RESULTS,
        rows_in=found.rows_in,
    )
    batches = sources.batches(session, work.database, found)
    return await check(session, subject, batches, _progress(work, found.rows_in))


def _progress(work: Work, total: int) -> Callable[[int, int], Awaitable[None]]:
    async def tell(done: int, _: int) -> None:
        await work.progress(done, total, "Проверка строк")

    return tell


JOBS = (
    JobKind("check-import", check_import),
    JobKind("commit-import", commit_import),
    JobKind("discard-import", discard_import),
    JobKind("recompute-rollups", recompute_rollups),
)
"""What the worker of indicators does for imports."""
