"""The gateway's declaration, and the forwarder around its application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from gateway.accounts.routes import accounts
from gateway.admission import Admission
from gateway.base import Base
from gateway.callers import knowing_callers
from gateway.chores import CHORES
from gateway.clients.routes import clients
from gateway.compression import Compression
from gateway.contract import contract
from gateway.credentials.routes import credentials
from gateway.custody.routes import keys
from gateway.documentation.routes import documentation
from gateway.erasure.routes import erasure
from gateway.federation.operations.logins import forget_old_logins
from gateway.federation.routes import external_identities, external_logins
from gateway.forwarding import Forwarder, Limits
from gateway.limits.exchange import exchanging, forget_old_levels
from gateway.parts import Parts
from gateway.roles import ROLES
from gateway.routing import DESTINATIONS
from gateway.seals import WeakSecretError
from gateway.second_factor.routes import second_factor
from gateway.sessions.routes import sessions
from gateway.settings import GatewaySettings
from gateway.shield import Shield
from gateway.tokens.operations.assertions import forget_used_assertions
from gateway.tokens.routes import tokens
from services.kit.chores import Chore
from services.kit.service import Service, build

__all__ = ["SERVICE", "application"]

# Headers of ours that a web app of another origin may send and read (CORS).
_ASKED_HEADERS = (
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "Repr-Digest",
    "X-Request-Id",
)
_TOLD_HEADERS = (
    "Content-Disposition",
    "Deprecation",
    "ETag",
    "Idempotency-Replayed",
    "Link",
    "Location",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "Sunset",
    "X-Request-Id",
)


@asynccontextmanager
async def _held(app: FastAPI) -> AsyncIterator[None]:
    """Hold what the gateway's process keeps open: it hears of revocations and of spent rates."""
    async with knowing_callers(app), exchanging(app):
        yield


SERVICE = Service(
    name="gateway",
    title="Опора: шлюз",
    description="Вход: токены, учётные записи людей, машинные клиенты. Остальные пути ведут к службам.",
    settings=GatewaySettings,
    roles=ROLES,
    base=Base,
    # Machine clients stand before accounts, whose path they extend.
    routers=(
        tokens,
        keys,
        sessions,
        credentials,
        second_factor,
        clients,
        accounts,
        erasure,
        external_logins,
        external_identities,
        contract,
        documentation,
    ),
    has_feed=False,
    holds=_held,
    chores=(
        *CHORES,
        Chore("forget-old-levels", 300.0, forget_old_levels),
        Chore("forget-old-logins", 600.0, forget_old_logins),
        Chore("forget-used-assertions", 600.0, forget_used_assertions),
    ),
    prefix="/api",
    tags={
        "tokens": "Токены: вход, продолжение и завершение сеанса, открытые ключи",
        "keys": "Ключи подписи токенов: смена и отзыв; для того, кто ведёт установку",
        "sessions": "Сеансы: где и когда вы вошли, завершение",
        "credentials": "Свой пароль: приглашение, смена",
        "second-factor": "Второй фактор: одноразовые коды из приложения",
        "accounts": "Учётные записи людей и делегированное администрирование",
        "machine-clients": "Машинные клиенты: права, секреты, открытые ключи",
        "external-logins": "Вход через внешние системы (OpenID Connect)",
    },
    scopes={
        "accounts:read": "Читать учётные записи",
        "accounts:write": "Создавать, менять и блокировать учётные записи",
        "clients:read": "Читать машинных клиентов",
        "clients:write": "Создавать машинных клиентов, выпускать их секреты, блокировать",
        "keys:read": "Читать состояние ключей подписи (только системный клиент)",
        "keys:write": "Менять и отзывать ключи подписи (только системный клиент)",
    },
)


def application(settings: GatewaySettings, own: FastAPI | None = None) -> ASGIApp:
    """Make what the gateway's process serves: the edge, the forwarder, the gateway's own paths.

    Args:
        settings: The gateway's settings.
        own: The gateway's own application, when it is already built.

    Raises:
        SystemExit: The settings are not fit to serve with; says why, in Russian.
    """
    inner = own or build(SERVICE, settings)
    try:
        inner.state.parts = Parts.of(settings)
    except WeakSecretError as weak:
        raise SystemExit(str(weak)) from None
    return _edge(_forwarder(inner, settings), inner, settings)


def _edge(app: ASGIApp, inner: FastAPI, settings: GatewaySettings) -> ASGIApp:
    """Put the layers that every request passes around the forwarder, from the inside out."""
    app = Admission(app, inner.state, settings)
    app = Compression(app)
    if settings.allowed_origins:
        # Outside of admission: a browser asks first without any token, and must read refusals too.
        app = CORSMiddleware(
            app,
            allow_origins=settings.allowed_origins,
            allow_methods=("GET", "POST", "PUT", "PATCH", "DELETE"),
            allow_headers=_ASKED_HEADERS,
            expose_headers=_TOLD_HEADERS,
            max_age=600,
        )
    return Shield(app)


def _forwarder(inner: FastAPI, settings: GatewaySettings) -> Forwarder:
    return Forwarder(
        inner,
        {one.service: str(getattr(settings, f"{one.service}_url")) for one in DESTINATIONS},
        Limits(
            body_bytes=settings.max_body_bytes,
            upload_bytes=settings.max_upload_bytes,
            connect_seconds=settings.connect_seconds,
            answer_seconds=settings.answer_seconds,
            connections_per_service=settings.connections_per_service,
        ),
    )
