"""Stores a checked import of schools: effect and the job's end are one transaction."""

from services.kit.clock import now
from services.kit.jobs import JobKind, Work
from services.registry.school_imports import operations

__all__ = ["JOB"]


async def run(work: Work) -> None:
    """Commit the import named by the job; run twice it stores once."""
    result: dict[str, int] = {}
    async with work.finish(result=result) as session:
        done = await operations.perform(
            session,
            int(work.params["import_id"]),
            now=now(),
            progress=lambda stored, total: work.progress(stored, total, "Запись школ"),
        )
        result.update(done)


JOB = JobKind(operations.COMMIT_JOB, run)
