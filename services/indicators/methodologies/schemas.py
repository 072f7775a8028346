"""What travels about methodologies."""

from datetime import datetime
from typing import Self

from pydantic import Field, model_validator

from services.indicators.methodologies.document import Methodology
from services.kit.http import In, Out

__all__ = ["MethodologyVersionIn", "MethodologyVersionOut", "MethodologyVersionRow", "ShippedOut"]

_EXAMPLE = "smolensk-nro-fnsu"


class MethodologyVersionIn(In):
    """A new version: a shipped document by its code, or a document of the region's own."""

    shipped: str | None = Field(
        default=None,
        max_length=40,
        description="Код поставляемой методики (см. GET /shipped-methodologies)",
        examples=[_EXAMPLE],
    )
    document: Methodology | None = Field(
        default=None,
        description="Собственный документ методики целиком; указывается вместо shipped",
        examples=[None],
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.shipped is None) == (self.document is None):
            raise ValueError("Укажите либо shipped, либо document")
        return self


class MethodologyVersionRow(Out):
    """A version in the list."""

    id: int = Field(description="Номер версии методики", examples=[3])
    code: str = Field(description="Код методики", examples=[_EXAMPLE])
    number: int = Field(description="Порядковый номер версии внутри кода", examples=[1])
    title: str = Field(description="Название", examples=["Смоленская область: НРО и ФНСУ"])
    document_hash: str = Field(
        description="SHA-256 документа методики: одинаков у одинаковых документов",
        examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    )
    created_by: str = Field(description="Кто добавил", examples=["user:12"])
    created_at: datetime = Field(
        description="Когда добавлена (UTC)", examples=["2026-11-21T10:00:00Z"]
    )


class MethodologyVersionOut(MethodologyVersionRow):
    """A version with its document."""

    document: Methodology = Field(description="Документ методики")
    version: int = Field(description="Версия записи (ETag); не меняется", examples=[1])


class ShippedOut(Out):
    """The methodologies that ship with Opora."""

    items: list[Methodology] = Field(description="Документы поставляемых методик")
