"""The gateway's declaration, and the forwarder around its application."""

from fastapi import FastAPI
from starlette.types import ASGIApp

from gateway.accounts.routes import accounts
from gateway.base import Base
from gateway.clients.routes import clients
from gateway.contract import contract
from gateway.forwarding import Forwarder, Limits
from gateway.parts import Parts
from gateway.roles import ROLES
from gateway.routing import DESTINATIONS
from gateway.seals import WeakSecretError
from gateway.settings import GatewaySettings
from gateway.tokens.routes import tokens
from services.kit.service import Service, build

__all__ = ["SERVICE", "application"]

SERVICE = Service(
    name="gateway",
    title="Опора: шлюз",
    description="Вход: токены, учётные записи людей, машинные клиенты. Остальные пути ведут к службам.",
    settings=GatewaySettings,
    roles=ROLES,
    base=Base,
    # Machine clients stand before accounts, whose path they extend.
    routers=(tokens, clients, accounts, contract),
    has_feed=False,
    prefix="/api",
    tags={
        "tokens": "Токены: вход, продолжение и завершение сеанса, открытые ключи",
        "accounts": "Учётные записи людей и делегированное администрирование",
        "machine-clients": "Машинные клиенты региона",
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
    """Make what the gateway's process serves: the forwarder, and behind it the gateway's own paths.

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
