"""What travels about waves."""

from datetime import date, datetime
from typing import Self

from pydantic import ConfigDict, Field, model_validator

from services.kit.http import In, Out
from services.kit.inputs import Id
from services.monitoring.waves.words import WaveKind, WaveState

__all__ = ["ExpectedSchoolOut", "RosterIn", "WaveEdit", "WaveIn", "WaveOut"]


class WaveIn(In):
    """A new wave."""

    year: int = Field(ge=2000, le=2100, description="Год окончания учебного года", examples=[2026])
    kind: WaveKind = Field(
        description="entry: входной, interim: промежуточный, final: итоговый", examples=["entry"]
    )
    title: str = Field(
        min_length=1,
        max_length=200,
        description="Название",
        examples=["Входной мониторинг, март 2026"],
    )
    opens_on: date = Field(
        description="День, с которого принимаются ответы", examples=["2026-03-01"]
    )
    closes_on: date = Field(description="Последний день приёма ответов", examples=["2026-03-31"])

    @model_validator(mode="after")
    def _closes_after_opening(self) -> Self:
        if self.closes_on < self.opens_on:
            raise ValueError("Волна не может закончиться раньше, чем начнётся: проверьте closes_on")
        return self


class WaveEdit(In):
    """What may be changed in a wave that is not closed."""

    title: str | None = Field(
        default=None,
        min_length=1,
        max_length=200,
        description="Название",
        examples=["Входной мониторинг, 2026/2027"],
    )
    opens_on: date | None = Field(
        default=None, description="Первый день приёма ответов", examples=["2026-10-01"]
    )
    closes_on: date | None = Field(
        default=None, description="Последний день приёма ответов", examples=["2026-10-31"]
    )


class RosterIn(In):
    """Which schools the wave expects: a list, or everybody who takes part in the programme year."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"school_ids": [12, 13]}]})

    school_ids: list[Id] | None = Field(
        default=None,
        min_length=1,
        max_length=5000,
        description="Номера школ",
        examples=[[12, 13]],
    )
    participants: bool = Field(
        default=False,
        description="true: все участники программы этого года (по данным реестра)",
        examples=[True],
    )

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if self.participants == (self.school_ids is not None):
            raise ValueError("Укажите что-то одно: school_ids или participants=true")
        return self


class WaveOut(Out):
    """A wave."""

    id: int = Field(description="Номер волны", examples=[3])
    region_id: int = Field(description="Регион", examples=[1])
    year: int = Field(description="Год окончания учебного года", examples=[2026])
    kind: WaveKind = Field(description="Вид волны", examples=["entry"])
    title: str = Field(description="Название", examples=["Входной мониторинг, март 2026"])
    opens_on: date = Field(description="Первый день приёма", examples=["2026-03-01"])
    closes_on: date = Field(description="Последний день приёма", examples=["2026-03-31"])
    state: WaveState = Field(description="planned, open или closed", examples=["planned"])
    opened_at: datetime | None = Field(
        description="Когда открыта (UTC); с этого момента список школ не меняется",
        examples=["2026-10-01T06:00:00Z"],
    )
    closed_at: datetime | None = Field(
        description="Когда закрыта (UTC)", examples=["2026-11-01T06:00:00Z"]
    )
    version: int = Field(description="Версия для If-Match", examples=[1])
    expected_schools: int = Field(
        description="Сколько школ волна ожидает (из видимых вам)", examples=[75]
    )


class ExpectedSchoolOut(Out):
    """A school that the wave expects."""

    id: int = Field(description="Номер строки списка", examples=[901])
    school_id: int = Field(description="Школа", examples=[12])
    code: str = Field(description="Код школы", examples=["670101"])
    name: str = Field(description="Название школы", examples=["МБОУ Вяземская СОШ № 1"])
    municipality_id: int = Field(description="Муниципалитет", examples=[4])
    added_at: datetime = Field(
        description="Когда внесена в список (UTC)", examples=["2026-09-10T08:30:00Z"]
    )
