"""What travels about drafts of methodologies."""

from datetime import datetime
from typing import Any, Self

from pydantic import Field, model_validator

from services.indicators.methodologies.schemas import MethodologyFindingOut, OriginOut
from services.kit.http import In, Out
from services.kit.inputs import Id

__all__ = ["AdoptionIn", "DraftIn", "DraftOut", "DraftPatch", "DraftPut", "DraftRow"]

_NOTE = Field(
    default=None,
    max_length=1000,
    description="Заметка для себя: зачем черновик",
    examples=["Порог по приказу 2026 года"],
)
_DOCUMENT = {"code": "own-rules", "title": "Методика региона"}


class DraftIn(In):
    """What a draft begins from: a shipped document, a version of the region, or a page of its own."""

    shipped: str | None = Field(
        default=None,
        max_length=40,
        description="Код поставляемой методики",
        examples=["smolensk-nro-fnsu"],
    )
    version_id: Id | None = Field(
        default=None, description="Версия методики региона", examples=[None]
    )
    document: dict[str, Any] | None = Field(
        default=None,
        description="Документ, возможно неполный; указывается вместо shipped и version_id",
        examples=[None],
    )
    note: str | None = _NOTE

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if [self.shipped, self.version_id, self.document].count(None) != 2:
            raise ValueError("Укажите одно из трёх: shipped, version_id или document")
        return self


class DraftPut(In):
    """The draft as it is to be."""

    document: dict[str, Any] = Field(
        description="Документ целиком, возможно неполный", examples=[_DOCUMENT]
    )
    note: str | None = _NOTE


class DraftPatch(In):
    """A change of the draft."""

    document: dict[str, Any] = Field(
        description="JSON Merge Patch (RFC 7396) к документу: поле заменяется, null убирает поле, "
        "список заменяется целиком",
        examples=[{"low_result": {"threshold": "1/4"}}],
    )


class AdoptionIn(In):
    """How the draft becomes a version."""

    replaces_id: Id | None = Field(
        default=None,
        description="Версия, которую новая заменяет с начала своего действия; null — никакую",
        examples=[None],
    )


class DraftRow(Out):
    """A draft in the list."""

    id: int = Field(description="Номер черновика", examples=[7])
    note: str | None = Field(
        default=None, description="Заметка", examples=["Порог по приказу 2026 года"]
    )
    origin: OriginOut = Field(description="С чего начат")
    adopted_id: int | None = Field(
        default=None, description="Версия, которой стал черновик; null — ещё нет", examples=[None]
    )
    created_by: str = Field(description="Кто начал", examples=["user:12"])
    created_at: datetime = Field(description="Когда начат (UTC)", examples=["2026-11-21T10:00:00Z"])
    changed_by: str = Field(description="Кто менял последним", examples=["user:12"])
    changed_at: datetime = Field(
        description="Когда изменён (UTC)", examples=["2026-11-21T10:00:00Z"]
    )
    version: int = Field(description="Версия записи (ETag)", examples=[1])


class DraftOut(DraftRow):
    """A draft with its document and what the linter says of it now."""

    document: dict[str, Any] = Field(description="Документ, каким он записан", examples=[_DOCUMENT])
    is_addable: bool = Field(
        description="true: ошибок нет, черновик можно принять версией", examples=[False]
    )
    findings: list[MethodologyFindingOut] = Field(description="Замечания линтера на сегодня")
