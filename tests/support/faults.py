"""A TCP proxy that spoils what passes through it, one fault at a time."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass
class FaultyWire:
    """Between somebody and a server; `fault` names what happens to the next connections' answers."""

    target: tuple[str, int]
    fault: str = ""
    url: str = ""
    _open: set[asyncio.Task[None]] = field(default_factory=set)

    async def carry(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            await self._carry(near, back)
        except (OSError, asyncio.CancelledError, asyncio.IncompleteReadError):
            pass
        finally:
            self._open.discard(task)
            back.transport.abort()

    async def _carry(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        far, onward = await asyncio.open_connection(*self.target)
        try:
            while request := await near.read(65536):
                match self.fault:
                    case "reset":
                        return
                    case "blackhole":
                        await asyncio.sleep(3600)
                    case "slow":
                        await asyncio.sleep(5)
                    case "garbage":
                        back.write(b"\x00\xffSSH-2.0-nonsense\r\n" * 3)
                        await back.drain()
                        return
                onward.write(request)
                answer = await far.read(65536)
                if self.fault == "cut":
                    back.write(answer[:40])
                    await back.drain()
                    return
                if self.fault == "half-closed":
                    back.write_eof()
                    await asyncio.sleep(3600)
                back.write(answer)
                await back.drain()
        finally:
            onward.transport.abort()

    def drop(self) -> None:
        """Cut what is open."""
        for task in self._open:
            task.cancel()


@asynccontextmanager
async def faulty_wire(url: str) -> AsyncIterator[FaultyWire]:
    """Yield a wire to the server at this URL; it spoils nothing until it is told to."""
    parts = urlsplit(url)
    wire = FaultyWire((parts.hostname or "", parts.port or 80))
    server = await asyncio.start_server(wire.carry, "127.0.0.1", 0)
    wire.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield wire
    finally:
        server.close()
        wire.drop()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2):
                await server.wait_closed()
