"""The metrics of a process, on a port of their own: who may ask the service may not yet count it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from prometheus_client import CollectorRegistry, start_http_server

from services.kit.settings import ServiceSettings

__all__ = ["showing_metrics"]


@asynccontextmanager
async def showing_metrics(
    registry: CollectorRegistry, settings: ServiceSettings
) -> AsyncIterator[None]:
    """Answer `GET /metrics` in a thread for the length of the block, where the settings give a port.

    Raises:
        OSError: The port is taken.
    """
    if settings.metrics_port is None:
        yield
        return
    server, thread = start_http_server(
        settings.metrics_port, addr=settings.metrics_host, registry=registry
    )
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
