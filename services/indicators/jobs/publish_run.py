"""The job that hands an approved list to the registry and then opens it to all levels."""

import datetime as dt

from sqlalchemy import select

from services.indicators.identification import operations
from services.indicators.identification.tables import IdentificationRun, RunSchool
from services.indicators.peers.registry import Registry
from services.kit.clock import now
from services.kit.jobs import Work

__all__ = ["publish_run"]


async def publish_run(work: Work) -> None:
    """Publish a run: first the registry accepts the list, then the run becomes visible.

    Killed in between, the next attempt sends the same list under the same key, which the registry
    answers without a second effect.
    """
    run_id = int(work.params["run_id"])
    async with work.transaction() as session:
        run = await session.get_one(IdentificationRun, run_id)
        listed = await session.execute(
            select(RunSchool.school_id, RunSchool.category).where(
                RunSchool.run_id == run_id, RunSchool.category.is_not(None)
            )
        )
        categories = {school_id: str(category) for school_id, category in listed}
        state, year = run.state, run.year
        number, day = str(run.order_number), run.order_date or dt.date.min
    applied = None
    if state == "approved":
        await work.progress(0, 2, "Список передаётся в реестр")
        applied = await Registry(work.peers["registry"]).apply_list(
            region_id=work.region_id,
            run_id=run_id,
            year=year,
            order_number=number,
            order_date=day,
            categories=categories,
        )
    result = {"run_id": run_id, "listed": len(categories)}
    if applied is not None:
        result |= {"joined": applied.joined, "withdrawn": applied.withdrawn}
    async with work.finish(result=result) as session:
        await operations.mark_published(session, run_id, at=now())
