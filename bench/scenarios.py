"""What a what-if costs against the run that it starts from: 1 500 and 40 000 schools x 10 x 3.

The run counts the rollups and freezes them; the what-if reads the frozen inputs, answers every school
under another threshold, finds which setting did it and whom one pupil decides, and keeps the answers.
Beside it: a ladder of 21 thresholds, and two runs compared with the causes of every difference.
"""

import asyncio
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bench.figures import Figure
from bench.identification import MANY_SCHOOLS, SCHOOLS, Bench, filled
from services.indicators.identification.differences import comparing
from services.indicators.identification.differences.reasons import Reader
from services.indicators.scenarios import operations, queries
from services.indicators.scenarios.schemas import ScenarioIn
from services.kit.principals import Principal, Role
from services.kit.reach import Reach

ROUNDS, MANY_ROUNDS = 5, 3
REGION = Reach.region(1, "user:1")
ANALYST = Principal(subject="user:1", role=Role.REGION, scopes=frozenset(), reach=REGION, token="")
WISH = ScenarioIn(title="Порог 25 %", changes={"low_result": {"threshold": "1/4"}})
LADDER = [f"{percent}/100" for percent in range(20, 41)]
# One school in twenty has other numbers; what they came from stays.
CHANGE = "UPDATE rollup_pattern SET n = 1 WHERE school_id % 20 = 0 AND failed_mask <> 0"


@dataclass(frozen=True)
class Cost:
    """Medians, in seconds."""

    run: float
    what_if: float
    ladder: float
    comparison: float
    differing: int


def measure(tell: Callable[[str], None]) -> list[Figure]:
    return asyncio.run(_measure(tell))


async def _measure(tell: Callable[[str], None]) -> list[Figure]:
    few, many = await _cost(SCHOOLS, ROUNDS, tell), await _cost(MANY_SCHOOLS, MANY_ROUNDS, tell)
    growth = (many.what_if / MANY_SCHOOLS) / (few.what_if / SCHOOLS)
    return [
        Figure("what-if / run, 1500 x 10 x 3", few.what_if / few.run, ceiling=0.5),
        Figure("what-if / run, 40000 x 10 x 3", many.what_if / many.run, ceiling=0.5),
        Figure("what-if, 40000 x 10 x 3", many.what_if, "s"),
        Figure("what-if for each school, 40000 / 1500", growth, ceiling=1),
        Figure("ladder of 21 thresholds / run, 40000 schools", many.ladder / many.run),
        Figure("two runs with causes / run, 40000 schools", many.comparison / many.run),
    ]


async def _cost(schools: int, rounds: int, tell: Callable[[str], None]) -> Cost:
    async with filled(schools, tell) as bench:
        runs, what_ifs, ladders = [], [], []
        for _ in range(rounds):
            run_id, seconds = await _timed(bench.whole_run())
            runs.append(seconds)
            what_ifs.append((await _timed(_what_if(bench, run_id)))[1])
            ladders.append((await _timed(_ladder(bench, run_id)))[1])
        await bench.admin.execute(CHANGE)
        later = await bench.whole_run()
        differing, comparison = await _timed(_comparison(bench, later, run_id))
        cost = Cost(
            statistics.median(runs),
            statistics.median(what_ifs),
            statistics.median(ladders),
            comparison,
            differing,
        )
    tell(
        f"{schools} schools: run {cost.run:.2f} s, what-if {cost.what_if:.2f} s, ladder of"
        f" {len(LADDER)} {cost.ladder:.2f} s, two runs with {cost.differing} differences and their"
        f" causes {cost.comparison:.2f} s"
    )
    return cost


async def _timed(act: Any) -> tuple[Any, float]:
    started = time.perf_counter()
    return await act, time.perf_counter() - started


async def _what_if(bench: Bench, run_id: int) -> None:
    async with bench.database.transaction(REGION) as session:
        await operations.create(session, run_id, WISH, by=ANALYST)


async def _ladder(bench: Bench, run_id: int) -> None:
    async with bench.database.transaction(REGION) as session:
        await queries.sensitivity(session, run_id, setting="/low_result/threshold", values=LADDER)


async def _comparison(bench: Bench, run_id: int, earlier_run_id: int) -> int:
    reader = Reader(sees_numbers=True, sees_signs=True)
    async with bench.database.transaction(REGION) as session:
        found = await comparing.differences(
            session, run_id, earlier_run_id=earlier_run_id, reader=reader, by=ANALYST
        )
        return len(found.items)
