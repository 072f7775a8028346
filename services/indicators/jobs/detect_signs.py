"""The job that looks for objectivity signs."""

from services.indicators.objectivity import operations
from services.kit.clock import now
from services.kit.jobs import Work
from services.kit.problems import Problem

__all__ = ["detect_signs"]


async def detect_signs(work: Work) -> None:
    """Compute a detection, or write down why it is refused."""
    detection_id = int(work.params["detection_id"])
    await work.progress(0, 3, "Читаются результаты")
    await work.catch_up()
    try:
        await operations.compute(work, detection_id, at=now())
    except Problem as problem:
        async with work.transaction() as session:
            await operations.refuse(session, detection_id, problem)
        raise
