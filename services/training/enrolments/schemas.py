"""What travels about enrolments."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from services.kit.http import In, Out
from services.kit.inputs import Id

__all__ = [
    "EnrolmentBulkIn",
    "EnrolmentBulkOut",
    "EnrolmentBulkRow",
    "EnrolmentIn",
    "EnrolmentOut",
    "WithdrawalIn",
]


class EnrolmentIn(In):
    """A school takes places of a course."""

    course_id: Id = Field(description="Курс", examples=[7])
    school_id: Id = Field(description="Школа", examples=[12])
    people: int = Field(ge=1, le=1000, description="Сколько человек от школы", examples=[5])


class WithdrawalIn(In):
    """A school gives its places back."""

    reason: str = Field(
        min_length=3, max_length=500, description="Причина отказа", examples=["Перенос на осень"]
    )


class EnrolmentOut(Out):
    """An enrolment."""

    id: int = Field(description="Номер записи", examples=[31])
    course_id: int = Field(description="Курс", examples=[7])
    school_id: int = Field(description="Школа", examples=[12])
    municipality_id: int = Field(description="Муниципалитет школы", examples=[4])
    people: int = Field(description="Сколько человек от школы", examples=[5])
    enrolled_at: datetime = Field(
        description="Когда записана (UTC)", examples=["2026-09-20T08:30:00Z"]
    )
    withdrawn_at: datetime | None = Field(
        description="Когда отказалась (UTC); null: запись действует",
        examples=["2026-09-25T08:30:00Z"],
    )
    withdrawal_reason: str | None = Field(
        description="Причина отказа", examples=["Болезнь слушателя"]
    )
    version: int = Field(description="Версия для If-Match", examples=[1])


class EnrolmentEntry(In):
    """One school of a bulk."""

    school_id: Id = Field(description="Школа", examples=[12])
    people: int = Field(ge=1, le=1000, description="Сколько человек от школы", examples=[5])


class EnrolmentBulkIn(In):
    """Up to 1000 schools enrolled in one course at once: all or nothing."""

    course_id: Id = Field(description="Курс", examples=[7])
    enrolments: list[EnrolmentEntry] = Field(
        min_length=1,
        max_length=1000,
        description="Школы; внутри списка не повторяются",
        examples=[[{"school_id": 12, "people": 5}]],
    )


class EnrolmentBulkRow(Out):
    """What became of one school of the bulk."""

    id: int = Field(description="Номер записи", examples=[31])
    school_id: int = Field(description="Школа", examples=[12])
    outcome: Literal["created", "unchanged"] = Field(
        description="created — записана; unchanged — столько же человек уже записано",
        examples=["created"],
    )


class EnrolmentBulkOut(Out):
    """What a bulk did; created + unchanged = number of schools sent."""

    created: int = Field(description="Записано школ", examples=[40])
    unchanged: int = Field(description="Уже были записаны", examples=[0])
    enrolments: list[EnrolmentBulkRow] = Field(
        description="По одной строке на школу, в порядке запроса",
        examples=[[{"id": 31, "school_id": 12, "outcome": "created"}]],
    )
