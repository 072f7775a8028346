"""What the trace of one school costs against one indexed read, and whether the region's size matters.

The read is the evidence of a school by its key, through the same session. A trace with 30 procedures, 60
subjects and 30 sources is read, judged and told; beside it the page and the document made of it.
"""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from sqlalchemy import event

from bench.figures import Figure
from bench.identification import SCHOOLS, filled
from services.indicators.identification import queries
from services.indicators.identification.sheets.contents import sheet_of
from services.indicators.identification.sheets.document import document
from services.indicators.identification.sheets.page import page
from services.indicators.identification.tables import RunEvidence
from services.indicators.identification.tracing.schemas import TraceOut
from services.indicators.suppression.queries import Told
from services.kit.reach import Reach

FEW_SCHOOLS, ASKED, ROUNDS = 150, range(1, 101), 3


def measure(tell: Callable[[str], None]) -> list[Figure]:
    return asyncio.run(_measure(tell))


async def _measure(tell: Callable[[str], None]) -> list[Figure]:
    async with filled(FEW_SCHOOLS, tell) as few:
        small = await _reading(few.database, await few.whole_run())
    async with filled(SCHOOLS, tell) as many:
        large = await _reading(many.database, await many.whole_run())
    tell(
        f"one indexed read {large['read'] * 1e3:.2f} ms; trace {large['trace'] * 1e3:.2f} ms in"
        f" {large['statements']:.0f} statements; its statements alone {large['rows'] * 1e3:.2f} ms;"
        f" page {large['page'] * 1e3:.1f} ms, document {large['document'] * 1e3:.0f} ms more"
    )
    return [
        Figure("trace of one school / one indexed read", large["trace"] / large["read"]),
        Figure("trace: reading alone / one indexed read", large["rows"] / large["read"]),
        Figure("trace of one school: statements", large["statements"], ceiling=8),
        Figure(
            "trace of one school, 1500 schools / 150 schools",
            large["trace"] / small["trace"],
            ceiling=1.3,
        ),
        Figure("decision sheet: page of a trace", large["page"] * 1e3, "ms"),
        Figure("decision sheet: document of a trace", large["document"] * 1e3, "ms"),
    ]


async def _reading(database: Any, run_id: int) -> dict[str, float]:
    reach = Reach.region(1)
    async with database.transaction(reach) as session:
        told = Told(session, reach, size=5, is_exact=True)

        async def read(school: int) -> object:
            session.expunge_all()
            return await session.get(RunEvidence, (run_id, school))

        async def trace(school: int) -> TraceOut:
            session.expunge_all()
            return await queries.school_trace(
                session, run_id, school, numbers=told, sees_signs=True
            )

        counted: list[float] = []
        started: list[float] = []
        engine = database.engine.sync_engine
        event.listen(
            engine, "before_cursor_execute", lambda *_: started.append(time.perf_counter())
        )
        event.listen(
            engine, "after_cursor_execute",
            lambda *_: counted.append(time.perf_counter() - started[-1]),
        )  # fmt: skip
        one = await trace(1)
        counted.clear()
        traces = [await _each(trace, ASKED) for _ in range(ROUNDS)]
        rows, statements = sum(counted), len(counted)
        reads = [await _each(read, ASKED) for _ in range(ROUNDS)]
        asked = ROUNDS * len(ASKED)
        return {
            # The quietest round: the others measure the neighbours.
            "trace": min(traces),
            "read": min(reads),
            "rows": rows / asked,
            "statements": statements / asked,
            "page": _seconds(lambda: page(sheet_of(one))),
            "document": _seconds(lambda: document(sheet_of(one))),
        }


async def _each(act: Callable[[int], Awaitable[object]], schools: Iterable[int]) -> float:
    times = []
    for school in schools:
        begun = time.perf_counter()
        await act(school)
        times.append(time.perf_counter() - begun)
    return statistics.median(times)


def _seconds(act: Callable[[], object]) -> float:
    act()
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun
