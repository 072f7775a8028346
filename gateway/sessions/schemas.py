"""What travels about sessions."""

import uuid
from datetime import datetime

from pydantic import Field

from services.kit.audit import PERSONAL
from services.kit.http import Out

__all__ = ["OwnSessionOut", "SessionOut"]


class SessionOut(Out):
    """A session that goes on."""

    id: uuid.UUID = Field(
        description="Номер сеанса", examples=["7f8c1d2e-5b7a-4c1e-9d0a-3f6b2a1c4d5e"]
    )
    started_at: datetime = Field(
        description="Когда человек вошёл, UTC", examples=["2026-11-20T09:00:00Z"]
    )
    last_used_at: datetime = Field(
        description="Когда сеанс в последний раз продлевался, UTC; работающий продлевается раз в несколько минут",
        examples=["2026-11-20T11:25:00Z"],
    )
    device: str = Field(
        description="Вид устройства, без версий и примет",
        examples=["Firefox, Linux"],
        json_schema_extra=PERSONAL,
    )
    source: str | None = Field(
        description="Сеть, из которой пришли: IPv4 /24 или IPv6 /48; null, если неизвестна",
        examples=["192.0.2.0/24"],
        json_schema_extra=PERSONAL,
    )


class OwnSessionOut(SessionOut):
    """A session of the caller's own."""

    is_current: bool = Field(description="Это сеанс, которым выполнен этот запрос", examples=[True])
