"""The intake children of one web process: how many read at once, and one started ahead of need.

A child takes half a second to load what it reads with. So one is kept that has done that and waits
for its task: it has seen no file, is used for one file only, and ends by itself when this process is
gone (its stdin closes).
"""

import asyncio
import contextlib
import os
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator

from fastapi import FastAPI

from services.indicators.settings import IndicatorsSettings

__all__ = ["Intake", "end", "intake", "start"]

_AFTER_START = 0.5
_AFTER_FILE = 3.0
"""Seconds until a spare is made: whatever is under way has the processor first."""


async def start() -> Process:
    """Start a child."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "services.indicators.results.intake",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        limit=4 * 1024 * 1024,
        # The child gets none of the service's settings: no database address, no keys of tokens.
        env={"PATH": os.environ.get("PATH", ""), "LANG": "C.UTF-8", "PYTHONPATH": _import_path()},
    )


async def end(child: Process) -> None:
    """End a child, whatever it is doing."""
    with contextlib.suppress(ProcessLookupError):
        child.kill()
    await child.wait()


class Intake:
    """The turnstile for reading files, and the spare child."""

    def __init__(self, settings: IndicatorsSettings) -> None:
        self.turns = asyncio.Semaphore(settings.intake_children)
        self._keeps_spare = settings.intake_spare
        self._spare: Process | None = None
        self._preparing: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()

    def prepare(self, after: float = 0.0) -> None:
        """Make a spare some seconds from now, unless one is there or on its way."""
        is_under_way = self._preparing is not None and not self._preparing.done()
        if self._keeps_spare and not is_under_way:
            self._preparing = asyncio.create_task(self._prepare(after))

    async def child(self) -> Process:
        """Give a child for one file: the spare, or a new one."""
        spare, self._spare = self._spare, None
        self.prepare(_AFTER_FILE)
        if spare is None:
            return await start()
        if spare.returncode is None:
            return spare
        await end(spare)
        return await start()

    async def close(self) -> None:
        """Leave no child behind."""
        self._closing.set()
        if self._preparing is not None:
            await self._preparing
        if self._spare is not None:
            await end(self._spare)

    async def _prepare(self, after: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._closing.wait(), after)
        if self._spare is None and not self._closing.is_set():
            self._spare = await start()


@contextlib.asynccontextmanager
async def intake(app: FastAPI) -> AsyncIterator[None]:
    """Hold the intake of an application from its start to its end."""
    held = Intake(app.state.settings)
    app.state.intake = held
    held.prepare(_AFTER_START)
    try:
        yield
    finally:
        await held.close()


def _import_path() -> str:
    return os.pathsep.join(path for path in sys.path if path)
