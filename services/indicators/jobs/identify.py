"""The job that computes a run."""

from services.indicators.identification import operations
from services.kit.clock import now
from services.kit.jobs import Work
from services.kit.problems import Problem
from services.kit.reach import Reach

__all__ = ["identify"]


async def identify(work: Work) -> None:
    """Compute the run in one transaction, or write down why it is refused.

    The reach is the region's, so that not even a mistaken statement counts another region's pupils.
    Measured against the system's reach (`bench/identification.py`) the difference is lost in noise.
    """
    run_id = int(work.params["run_id"])
    await work.progress(0, 1, "Замораживаются исходные данные и применяются правила")
    await work.catch_up()
    reach = Reach.region(work.region_id, work.created_by)
    try:
        async with work.finish(reach, result={"run_id": run_id}) as session:
            await operations.compute(session, run_id, at=now())
    except Problem as problem:
        async with work.transaction() as session:
            await operations.refuse(session, run_id, problem)
        raise
