"""What travels about enrolments."""

from datetime import datetime

from pydantic import Field

from services.kit.http import In, Out
from services.kit.inputs import Id

__all__ = ["EnrolmentIn", "EnrolmentOut", "WithdrawalIn"]


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
