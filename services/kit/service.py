"""A service as a declaration, and everything that is derived from it."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any, cast

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.routing import APIRoute
from prometheus_client import CollectorRegistry
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import DeclarativeBase

from services.kit import audit_chain, logs, problems
from services.kit.audit_routes import audit_router
from services.kit.chores import CHORES, Chore
from services.kit.contracts import describe
from services.kit.database import Database, open_database, refuse_unsafe_role
from services.kit.feed import Follower, feed_router
from services.kit.http import EdgeMiddleware
from services.kit.jobs import JobKind
from services.kit.metrics import showing_metrics
from services.kit.migrations import earlier, head
from services.kit.peers import Peers
from services.kit.principals import Role, TokenVerifier
from services.kit.reach import Reach
from services.kit.settings import ServiceSettings

__all__ = ["Service", "build"]

CLOCK_SKEW_SECONDS = 5.0

_LOOK = text(
    "SELECT (SELECT version_num FROM alembic_version) AS revision,"
    " extract(epoch FROM clock_timestamp())::double precision AS now",
)


@dataclass(frozen=True)
class Service:
    """The table of contents of a service; application, command line and contract follow from it."""

    name: str
    title: str
    description: str
    settings: type[ServiceSettings]
    roles: Mapping[Role, frozenset[str]]
    base: type[DeclarativeBase]
    routers: tuple[APIRouter, ...]
    jobs: tuple[JobKind, ...] = ()
    follows: tuple[Follower, ...] = ()
    chores: tuple[Chore, ...] = ()
    # What the application keeps open while it serves, besides its database and its neighbours.
    holds: Callable[[FastAPI], AbstractAsyncContextManager[None]] | None = None
    has_feed: bool = True
    # A service whose paths do not follow /api/<name>/v1 says so (the gateway).
    prefix: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    # What each scope lets its holder do, in Russian, for the contract.
    scopes: Mapping[str, str] = field(default_factory=dict)

    @property
    def has_work(self) -> bool:
        """Whether the service needs a worker process beside the one that answers."""
        return bool(self.jobs or self.follows or self.every_chore)

    @property
    def every_chore(self) -> tuple[Chore, ...]:
        """The service's own chores and those that every service has."""
        return (*CHORES, *audit_chain.CHORES, *self.chores)

    @property
    def path_prefix(self) -> str:
        """Where the service's routes begin, on itself and behind the gateway alike."""
        return f"/api/{self.name}/v1" if self.prefix is None else self.prefix


def build(service: Service, settings: ServiceSettings) -> FastAPI:
    """Make the application; nothing is connected before its lifespan starts."""
    verifier = TokenVerifier(settings, service.roles)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        logs.configure(service.name, settings.log_level)
        database = open_database(settings)
        app.state.database = database
        app.state.peers = Peers(settings)
        keeping_keys = asyncio.create_task(verifier.keep_fresh())
        try:
            await refuse_unsafe_role(database)
            held = nullcontext() if service.holds is None else service.holds(app)
            async with held, showing_metrics(registry, settings):
                yield
        finally:
            keeping_keys.cancel()
            await asyncio.gather(keeping_keys, return_exceptions=True)
            await cast("Peers", app.state.peers).close()
            await database.engine.dispose()

    def operation_id(route: APIRoute) -> str:
        return f"{service.name}_{route.name}"

    app = FastAPI(
        title=service.title,
        description=service.description,
        version="1",
        lifespan=lifespan,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=operation_id,
        openapi_tags=[{"name": name, "description": text_} for name, text_ in _tags(service)],
    )
    app.state.settings = settings
    app.state.service = service.name
    app.state.verifier = verifier
    # Each says what the operator should know although the process can serve, or None.
    app.state.warnings = []
    app.state.cursor_secret = settings.cursor_secret.get_secret_value().encode()
    registry = CollectorRegistry()
    feed = (feed_router(),) if service.has_feed else ()
    for routes in (*service.routers, *feed, audit_router()):
        app.include_router(routes, prefix=service.path_prefix)
    _add_probes(app, service)
    problems.install(app)
    describe(app, service)
    app.add_middleware(
        EdgeMiddleware,
        registry=registry,
        access_log=settings.access_log,
        max_body_bytes=settings.max_body_bytes,
        prefix=service.path_prefix,
    )
    return app


def _tags(service: Service) -> Iterable[tuple[str, str]]:
    fed = {"changes": "Лента изменений"} if service.has_feed else {}
    audit = {"audit": "Аудит: кто что изменил, кто чьи данные читал, цела ли запись об этом"}
    return (dict(service.tags) | fed | audit).items()


def _add_probes(app: FastAPI, service: Service) -> None:
    newest, behind = head(service), earlier(service)

    @app.get("/health/live", include_in_schema=False)
    async def live() -> dict[str, str]:
        return {"status": "live"}

    @app.get("/health/ready", include_in_schema=False)
    async def ready(request: Request, response: Response) -> dict[str, Any]:
        seen = await _seen(cast("Database", request.app.state.database))
        reason = seen if isinstance(seen, str) else _behind(seen.revision, newest, behind)
        if reason:
            response.status_code = 503
        warnings = [warning() for warning in request.app.state.warnings]
        if not isinstance(seen, str):
            warnings.append(_skew(seen.clock_ahead_seconds))
        return {
            "status": "not ready" if reason else "ready",
            "reason": reason,
            # Facts for the operator; the process serves all the same.
            "warnings": [warning for warning in warnings if warning],
        }


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the database said of itself."""

    revision: str | None
    clock_ahead_seconds: float


async def _seen(database: Database) -> _Seen | str:
    """Look at the database; a text says why it could not be seen."""
    try:
        # As a request does it: a pooled connection that died with an earlier server is replaced.
        async with asyncio.timeout(2), database.transaction(Reach.system()) as session:
            asked = time.time()
            row = (await session.execute(_LOOK)).one()
            return _Seen(row.revision, row.now - (asked + time.time()) / 2)
    except (DBAPIError, InterfaceError, OSError, PoolTimeout, TimeoutError) as error:
        return f"database: {type(error).__name__}"


def _behind(present: str | None, newest: str | None, behind: frozenset[str]) -> str | None:
    # A revision that this code does not know belongs to the next release, whose migration ran first
    # and which this one works beside: turning unready would take the whole service away mid-rollout.
    is_behind = present in behind or (present is None and newest is not None)
    return f"schema: {present}, code: {newest}" if is_behind else None


def _skew(ahead: float) -> str | None:
    """Warn when the database's clock and ours differ: deadlines are told by the one or the other."""
    return f"clock: database ahead by {ahead:.1f} s" if abs(ahead) > CLOCK_SKEW_SECONDS else None
