"""What travels about participation."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from services.kit.http import In, Out
from services.kit.inputs import VISIBLE_TEXT, Id
from services.kit.words import Word
from services.registry.days import Day
from services.registry.participation.terms import Source

__all__ = [
    "BulkIn",
    "BulkOut",
    "Entry",
    "EventOut",
    "MunicipalityCount",
    "ParticipationIn",
    "ParticipationOut",
    "Status",
    "Withdrawal",
]


Year = Annotated[
    int,
    Field(
        ge=2000,
        le=2100,
        description="Год окончания учебного года (2025 = 2024/2025)",
        examples=[2025],
    ),
]
Category = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
Categories = Annotated[
    list[Category],
    Field(
        min_length=1,
        max_length=10,
        description="Коды категорий методики: например, nro (НРО), fnsu (ФНСУ), nro-fnsu (обе)",
        examples=[["low_results"]],
    ),
    AfterValidator(lambda codes: sorted(set(codes))),
]
OrderNumber = Annotated[
    str | None,
    Field(max_length=100, pattern=VISIBLE_TEXT, description="Номер приказа", examples=["210-ОД"]),
]
OrderDate = Annotated[Day | None, Field(description="Дата приказа", examples=["2025-03-15"])]


class ParticipationIn(In):
    """A school joins a programme year by hand or by an order."""

    school_id: Id = Field(description="Школа", examples=[12])
    year: Year
    categories: Categories
    source: Source = Field(default=Source.MANUAL, description="Основание", examples=["order"])
    order_number: OrderNumber = None
    order_date: OrderDate = None
    joined_on: Day | None = Field(
        default=None,
        description="С какого дня участвует; не указано: сегодня (UTC)",
        examples=["2025-03-15"],
    )

    @model_validator(mode="after")
    def _order_is_named(self) -> Self:
        if self.source is Source.IDENTIFICATION:
            message = (
                "Участие по выявлению создаётся публикацией прогона (POST /participations/bulk)"
            )
            raise ValueError(message)
        if self.source is Source.ORDER and (self.order_number is None or self.order_date is None):
            message = "При source = order укажите order_number и order_date"
            raise ValueError(message)
        return self


class Entry(In):
    """One school of a bulk."""

    school_id: Id = Field(description="Школа", examples=[12])
    categories: Categories


class BulkIn(In):
    """A list of schools approved by an order, written at once."""

    year: Year
    source: Source = Field(description="Основание списка", examples=["identification"])
    run_id: Id | None = Field(
        default=None,
        description="Прогон выявления; обязателен при source = identification. Прогон, уже применённый раньше, ничего не меняет",
        examples=[5],
    )
    region_id: Id | None = Field(
        default=None,
        description="Регион; нужен только служебному клиенту при пустом списке",
        examples=[1],
    )
    order_number: OrderNumber = None
    order_date: OrderDate = None
    entries: list[Entry] = Field(
        max_length=10_000,
        description="Школы списка; школа не повторяется",
        examples=[[{"school_id": 12, "categories": ["low_results"]}]],
    )

    @model_validator(mode="after")
    def _ground_is_named(self) -> Self:
        if (self.source is Source.IDENTIFICATION) != (self.run_id is not None):
            message = "run_id указывается при source = identification и только тогда"
            raise ValueError(message)
        if self.source is not Source.MANUAL and (
            self.order_number is None or self.order_date is None
        ):
            message = "Список утверждается приказом: укажите order_number и order_date"
            raise ValueError(message)
        if not self.entries and self.source is not Source.IDENTIFICATION:
            message = "Список пуст"
            raise ValueError(message)
        return self


class BulkOut(Out):
    """What a bulk changed; joined + rejoined + changed + unchanged = number of entries."""

    joined: int = Field(description="Включено впервые в этом году", examples=[75])
    rejoined: int = Field(description="Включено снова после исключения", examples=[0])
    changed: int = Field(description="Изменены категории или основание", examples=[0])
    unchanged: int = Field(description="Осталось как было", examples=[0])
    withdrawn: int = Field(description="Исключено: в новом прогоне школы нет", examples=[0])
    already_applied: bool = Field(
        description="true: этот прогон применён раньше, сейчас ничего не изменилось",
        examples=[False],
    )


class Status(Word):
    """Which participations a list holds."""

    ACTIVE = "active", "участвуют"
    WITHDRAWN = "withdrawn", "исключены"
    ALL = "all", "все"


class Withdrawal(In):
    """A school leaves the programme year."""

    withdrawn_on: Day | None = Field(
        default=None,
        description="Первый день, когда школа не участвует; не указано: сегодня (UTC)",
        examples=["2025-06-01"],
    )
    reason: str = Field(
        max_length=1000, pattern=VISIBLE_TEXT, description="Причина", examples=["Школа закрыта"]
    )


class ParticipationOut(Out):
    """Participation of a school in a programme year."""

    id: int = Field(description="Номер участия", examples=[31])
    region_id: int = Field(description="Регион", examples=[1])
    municipality_id: int = Field(description="Муниципалитет школы", examples=[3])
    school_id: int = Field(description="Школа", examples=[12])
    year: Year
    categories: Categories
    source: Source = Field(description="Основание", examples=["identification"])
    run_id: int | None = Field(description="Прогон выявления; null: не по выявлению", examples=[5])
    order_number: OrderNumber
    order_date: OrderDate
    joined_on: Day = Field(description="С какого дня участвует", examples=["2025-03-15"])
    withdrawn_on: Day | None = Field(
        description="С какого дня не участвует; null: участвует", examples=[None]
    )
    withdrawal_reason: str | None = Field(description="Причина исключения", examples=[None])
    version: int = Field(description="Версия для If-Match", examples=[1])


class EventOut(Out):
    """One step in the life of a participation."""

    kind: str = Field(description="joined, rejoined, changed или withdrawn", examples=["joined"])
    happened_at: datetime = Field(
        description="Когда записано (UTC)", examples=["2026-11-21T10:00:00Z"]
    )
    categories: Categories
    source: Source = Field(description="Основание шага", examples=["identification"])
    run_id: int | None = Field(description="Прогон выявления", examples=[5])
    order_number: OrderNumber
    order_date: OrderDate
    reason: str | None = Field(description="Причина исключения", examples=[None])
    subject: str = Field(description="Кто выполнил", examples=["user:12"])


class MunicipalityCount(Out):
    """How many schools of a municipality take part, by exact combination of categories."""

    municipality_id: int = Field(description="Муниципалитет", examples=[3])
    municipality: str = Field(
        description="Наименование муниципалитета", examples=["Велижский район"]
    )
    total: int = Field(description="Участвует школ", examples=[2])
    by_categories: dict[str, int] = Field(
        description="Число школ по точному сочетанию категорий (коды через «+»)",
        examples=[{"low_results": 1, "adverse+low_results": 1}],
    )
