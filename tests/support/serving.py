"""Serve an ASGI application on a real loopback port, in the test's own event loop."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn


@asynccontextmanager
async def served(app: Any, *, port: int = 0, **options: Any) -> AsyncIterator[str]:
    """Yield the base URL of the application while it is served by a real uvicorn."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        # As in production (kit/serving.py): longer than any client keeps an idle connection, so that the
        # server is never the one who closes it just as a request comes.
        config = uvicorn.Config(
            app, log_config=None, access_log=False, **{"timeout_keep_alive": 30} | options
        )
        server = uvicorn.Server(config)
        # The test run's own signal handlers stay.
        serving = asyncio.create_task(server._serve([listener]))
        while not server.started:
            await asyncio.sleep(0.005)
            if serving.done():
                serving.result()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            server.force_exit = True
            await serving
            # A forced exit leaves the application's lifespan open; whatever it holds would be lost.
            await server.lifespan.shutdown()
            # Forced, uvicorn leaves out the end of the application's life.
            await server.lifespan.shutdown()
