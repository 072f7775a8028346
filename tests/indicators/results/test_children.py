"""The spare intake child: ready before its file, used once, gone with its service."""

import asyncio
import os
import signal
import sys
from contextlib import asynccontextmanager

from services.indicators.results import children
from services.indicators.settings import IndicatorsSettings

OWNER = """
import asyncio
from services.indicators.results import children

async def main():
    child = await children.start()
    print(child.pid, flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


@asynccontextmanager
async def kept(**settings):
    intake = children.Intake(
        IndicatorsSettings(database_url="postgresql://app@localhost/none", **settings)
    )
    try:
        yield intake
    finally:
        await intake.close()


async def settled():
    """Let a spare asked for with no delay be started."""
    for _ in range(100):
        await asyncio.sleep(0.01)


async def ended(pid: int) -> bool:
    for _ in range(200):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        await asyncio.sleep(0.05)
    return False


async def test_a_spare_is_given_to_one_file_only():
    async with kept() as intake:
        intake.prepare()
        await settled()
        spare = intake._spare
        first, second = await intake.child(), await intake.child()
        await children.end(first)
        await children.end(second)

    assert spare is not None
    assert first.pid == spare.pid
    assert second.pid != first.pid


async def test_a_spare_that_died_is_replaced():
    async with kept() as intake:
        intake.prepare()
        await settled()
        dead = intake._spare
        dead.kill()
        await dead.wait()
        child = await intake.child()
        is_alive = child.returncode is None
        await children.end(child)

    assert child.pid != dead.pid
    assert is_alive


async def test_no_spare_is_kept_when_the_operator_does_not_want_one():
    async with kept(intake_spare=False) as intake:
        intake.prepare()
        await settled()

        assert intake._spare is None


async def test_closing_ends_the_spare():
    async with kept() as intake:
        intake.prepare()
        await settled()
        spare = intake._spare

    assert spare.returncode == -signal.SIGKILL


async def test_a_spare_without_a_task_ends_by_itself():
    child = await children.start()
    child.stdin.close()

    assert await asyncio.wait_for(child.wait(), 20) == 0


async def test_a_spare_does_not_outlive_a_killed_service():
    owner = await asyncio.create_subprocess_exec(
        sys.executable, "-c", OWNER, stdout=asyncio.subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    spare = int(await owner.stdout.readline())
    owner.kill()
    await owner.wait()

    assert await ended(spare)
