"""What travels about enrolments."""

from datetime import datetime

from pydantic import Field

from services.kit.http import In, Out

__all__ = ["EnrolmentIn", "EnrolmentOut", "WithdrawalIn"]


class EnrolmentIn(In):
    """A school takes places of a course."""

    course_id: int = Field(description="Курс", examples=[7])
    school_id: int = Field(description="Школа", examples=[12])
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
    enrolled_at: datetime = Field(description="Когда записана (UTC)")
    withdrawn_at: datetime | None = Field(
        description="Когда отказалась (UTC); null: запись действует"
    )
    withdrawal_reason: str | None = Field(description="Причина отказа")
    version: int = Field(description="Версия для If-Match", examples=[1])
