"""What travels about two runs compared: which schools differ, and why."""

from typing import Annotated, Literal

from pydantic import Field

from services.indicators.identification.schemas import CertaintyCode, RunSchoolState
from services.indicators.suppression.schemas import DERIVED, Counted, Pupils
from services.kit.http import Out
from services.kit.words import Meanings

__all__ = [
    "CauseCode",
    "CauseOut",
    "CellChangeOut",
    "CellNumbersOut",
    "DifferenceOut",
    "DifferenceReasonOut",
    "DifferenceSideOut",
    "DifferencesOut",
    "FactChangeOut",
    "SettingChangeOut",
]

CauseCode = Annotated[
    Literal[
        "data", "scale", "rule", "school", "context", "signs", "network", "hidden", "unexplained"
    ],
    Meanings(
        "DifferenceCause",
        {
            "data": "числа: другой импорт, апелляция, другой год списка",
            "scale": "изменились шкалы массовых предметов процедуры",
            "rule": "изменилась методика",
            "school": "изменилась карточка школы: вид, ступени, отметка о неблагоприятных условиях",
            "context": "изменились показатели профиля или зависящие от них индексы",
            "signs": "изменились признаки необъективности",
            "network": "школа есть только в одном из прогонов: открыта, закрыта, присоединена",
            "hidden": "данные, которых вызывающий не видит",
            "unexplained": "прогон не воспроизводится по своим замороженным данным",
        },
    ),
]


class CellNumbersOut(Counted):
    """The numbers of a cell: people, and those of them who are low."""

    n: Pupils = Field(description="Участников", examples=[40])
    low: Pupils = Field(description="Из них с низким результатом", examples=[12])


class CellChangeOut(Out):
    """A cell of the school that the two runs count differently."""

    procedure_id: int = Field(description="Процедура", examples=[241])
    kind: str = Field(description="Вид процедуры", examples=["oge"])
    grade: int = Field(description="Параллель", examples=[9])
    year: int = Field(description="Год", examples=[2025])
    title: str = Field(description="Название процедуры", examples=["ОГЭ"])
    before: CellNumbersOut | None = Field(description="В прежнем прогоне; null — данных не было")
    after: CellNumbersOut | None = Field(description="В этом прогоне; null — данных нет")
    has_other_scales: bool = Field(
        description="Шкалы массовых предметов у процедуры другие", examples=[False]
    )
    import_ids_before: list[int] = Field(
        description="Импорты прежнего прогона; пусто и у тех, кому номера строк не видны",
        examples=[[3]],
    )
    import_ids_after: list[int] = Field(description="Импорты этого прогона", examples=[[5]])
    appeal_id: int | None = Field(
        description="Принятая апелляция, исправившая ячейку в этом прогоне", examples=[3]
    )
    order_number: str | None = Field(description="Приказ по апелляции", examples=["12-ОД"])
    predecessors: list[str] = Field(
        description="Присоединённые школы, чьи числа учтены в этом прогоне, а в прежнем нет",
        examples=[[]],
    )


class SettingChangeOut(Out):
    """A setting of the methodology that differs."""

    setting: str = Field(
        description="Указатель JSON в документе методики; правила и индексы — по кодам",
        examples=["/low_result/threshold"],
    )
    text: str = Field(description="Словами", examples=["порог низкого результата: 30 % → 25 %"])


class FactChangeOut(Counted):
    """A fact of the school's card or profile that differs; values are told as texts."""

    name: str = Field(
        description="Поле карточки или код показателя профиля", examples=["adverse_conditions"]
    )
    before: Annotated[str | None, Field(json_schema_extra=DERIVED)] = Field(
        description="В прежнем прогоне; null — неизвестно или скрыто", examples=["нет"]
    )
    after: Annotated[str | None, Field(json_schema_extra=DERIVED)] = Field(
        description="В этом прогоне; null — неизвестно или скрыто", examples=["да"]
    )


class CauseOut(Out):
    """One cause of the difference, with the facts that it consists of."""

    code: CauseCode = Field(description="Что изменилось", examples=["data"])
    text: str = Field(
        description="Словами",
        examples=[
            "по апелляции № 3 исправлены числа: ОГЭ, 9 класс, 2025 год: было 12 из 40, стало 11"
        ],
    )
    is_enough: bool = Field(
        description="Одной этой причины достаточно: проверено пересчётом прежних данных",
        examples=[True],
    )
    settings: list[SettingChangeOut] = Field(
        description="Настройки методики: каждой достаточно, а если ни одной — все изменившиеся",
        examples=[[]],
    )
    cells: list[CellChangeOut] = Field(
        description="Ячейки: каждой достаточно, а если ни одной — все изменившиеся"
    )
    facts: list[FactChangeOut] = Field(
        description="Поля карточки или показатели профиля", examples=[[]]
    )


class DifferenceReasonOut(Out):
    """Why the answer for a school differs."""

    sentence: str = Field(
        description="Одним предложением",
        examples=["«Школа № 5» вышла из списка: изменилась методика: порог: 30 % → 40 %."],
    )
    is_combination: bool = Field(
        description="Ни одной причины недостаточно: нужно их сочетание", examples=[False]
    )
    is_exhaustive: bool = Field(
        description="Меньшие сочетания проверены все; false — их слишком много, названы все отличия",
        examples=[True],
    )
    causes: list[CauseOut] = Field(
        description="Причины: любой из них достаточно либо нужны все вместе (is_combination)"
    )


class DifferenceSideOut(Out):
    """What one of two runs says of a school."""

    state: RunSchoolState = Field(description="Состояние", examples=["assessed"])
    category: str | None = Field(description="Категория; null — не в списке", examples=["nro"])
    certainty: CertaintyCode = Field(
        description="Класс признака «низкие результаты»", examples=["possible"]
    )


class DifferenceOut(Out):
    """A school of which two runs say different things."""

    school_id: int = Field(description="Школа", examples=[12])
    code: str = Field(description="Код школы", examples=["670101"])
    name: str = Field(description="Название", examples=["МБОУ Велижская СШ № 1"])
    municipality_name: str = Field(description="Муниципалитет", examples=["Велижский район"])
    kind: Literal["entered", "left", "changed"] = Field(
        description="entered — вошла в список; left — вышла из списка; changed — иное отличие",
        examples=["entered"],
    )
    before: DifferenceSideOut | None = Field(description="В прежнем прогоне; null — школы не было")
    after: DifferenceSideOut | None = Field(description="В этом прогоне; null — школы нет")
    reason: DifferenceReasonOut = Field(description="Почему")


class DifferencesOut(Out):
    """What changed between two runs."""

    earlier_run_id: int = Field(description="Прежний прогон", examples=[4])
    run_id: int = Field(description="Этот прогон", examples=[5])
    has_same_inputs: bool = Field(description="Исходные данные одинаковы", examples=[False])
    settings: list[SettingChangeOut] = Field(
        description="Чем различаются методики прогонов", examples=[[]]
    )
    items: list[DifferenceOut] = Field(description="Школы с отличиями по порядку кодов")
