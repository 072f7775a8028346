"""What travels about machine clients."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from services.kit.http import In, Out

__all__ = ["MachineClientIn", "MachineClientOut", "SecretOut"]

ScopeName = Annotated[str, Field(pattern=r"^[a-z][a-z-]{1,38}:(read|write|approve|administer)$")]
Scopes = Annotated[
    list[ScopeName],
    Field(
        min_length=1,
        max_length=50,
        description="Права, которые клиент может получить в токене",
        examples=[["imports:write", "imports:read"]],
    ),
]


class MachineClientIn(In):
    """A new machine client of the caller's region."""

    client_id: str = Field(
        pattern=r"^[a-z0-9][a-z0-9.-]{2,39}$",
        description="Имя клиента; субъект токена — client:<имя>",
        examples=["ris-gia-67"],
    )
    title: str = Field(
        min_length=1,
        max_length=200,
        pattern=r"^[^\x00-\x1f]*[^\x00-\x20][^\x00-\x1f]*$",
        description="Что это за система",
        examples=["РИС ГИА-9 и ГИА-11"],
    )
    scopes: Scopes


class MachineClientOut(Out):
    """A machine client, never with its secret."""

    id: int = Field(description="Номер клиента", examples=[5])
    client_id: str = Field(description="Имя клиента", examples=["ris-gia-67"])
    title: str = Field(description="Что это за система", examples=["РИС ГИА-9 и ГИА-11"])
    scopes: Scopes
    region_id: int = Field(description="Регион", examples=[1])
    has_secret: bool = Field(description="Выдан ли секрет", examples=[True])
    blocked_at: datetime | None = Field(
        description="Когда заблокирован, UTC; null, если работает", examples=[None]
    )
    created_at: datetime = Field(description="Когда создан, UTC", examples=["2026-11-20T09:00:00Z"])
    version: int = Field(description="Версия для If-Match", examples=[1])


class SecretOut(Out):
    """A fresh secret; it is shown only here."""

    client_id: str = Field(description="Имя клиента", examples=["ris-gia-67"])
    client_secret: str = Field(
        description="Секрет; сохраните его сейчас, второй раз он не показывается",
        examples=["0P0nU4v6…"],
    )
