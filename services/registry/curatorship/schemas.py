"""What travels about curators' grants."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from services.kit.http import In, Out
from services.kit.inputs import VISIBLE_TEXT, Id
from services.registry.days import Day

__all__ = ["GrantBulkIn", "GrantBulkOut", "GrantBulkRow", "GrantIn", "GrantOut", "Revocation"]

Subject = Annotated[
    str,
    Field(
        pattern=r"^user:[0-9]{1,18}$",
        description="Учётная запись куратора (sub токена)",
        examples=["user:12"],
    ),
]
Reason = Annotated[
    str,
    Field(
        max_length=1000,
        pattern=VISIBLE_TEXT,
        description="Основание",
        examples=["Приказ от 15.03.2025 № 211"],
    ),
]


class GrantIn(In):
    """A curator is given a school."""

    curator: Subject
    school_id: Id = Field(description="Школа", examples=[12])
    valid_from: Day = Field(description="Первый день", examples=["2025-03-15"])
    valid_to: Day | None = Field(
        default=None,
        description="Первый день, когда право уже не действует; null: бессрочно",
        examples=["2025-12-31"],
    )
    reason: Reason

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.valid_to is not None and self.valid_to <= self.valid_from:
            message = "Право должно действовать хотя бы один день: valid_to позже valid_from"
            raise ValueError(message)
        return self


class Revocation(In):
    """A grant is taken back at once."""

    reason: Reason


class GrantOut(Out):
    """A curator's grant."""

    id: int = Field(description="Номер права", examples=[9])
    curator: Subject
    region_id: int = Field(description="Регион", examples=[1])
    municipality_id: int = Field(description="Муниципалитет школы", examples=[3])
    school_id: int = Field(description="Школа", examples=[12])
    valid_from: Day = Field(description="Первый день", examples=["2025-03-15"])
    valid_to: Day | None = Field(
        description="Первый день без права; null: бессрочно", examples=[None]
    )
    reason: Reason
    revoked_at: datetime | None = Field(description="Когда отозвано (UTC)", examples=[None])
    revocation_reason: str | None = Field(description="Почему отозвано", examples=[None])
    version: int = Field(description="Версия записи (ETag): 1 — дано, 2 — отозвано", examples=[1])


class GrantBulkIn(In):
    """Up to 1000 grants given at once: all or nothing."""

    grants: list[GrantIn] = Field(
        min_length=1,
        max_length=1000,
        description="Права; внутри списка не повторяются",
        examples=[
            [
                {
                    "curator": "user:12",
                    "school_id": 12,
                    "valid_from": "2025-03-15",
                    "reason": "Приказ от 15.03.2025 № 211",
                }
            ]
        ],
    )


class GrantBulkRow(Out):
    """What became of one grant of the bulk."""

    id: int = Field(description="Номер права", examples=[9])
    curator: Subject
    school_id: int = Field(description="Школа", examples=[12])
    outcome: Literal["created", "unchanged"] = Field(
        description="created — дано; unchanged — точно такое право уже действует",
        examples=["created"],
    )


class GrantBulkOut(Out):
    """What a bulk did; created + unchanged = number of grants sent."""

    created: int = Field(description="Дано прав", examples=[40])
    unchanged: int = Field(description="Уже действовали", examples=[0])
    grants: list[GrantBulkRow] = Field(
        description="По одной строке на право, в порядке запроса",
        examples=[[{"id": 9, "curator": "user:12", "school_id": 12, "outcome": "created"}]],
    )
