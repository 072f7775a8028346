"""What travels of a school's flags: conditions with answers, indices with components, signs."""

from typing import Annotated, Literal

from pydantic import Field

from services.indicators.methodologies.conditions import Operator
from services.kit.http import Out
from services.kit.words import Meanings

__all__ = [
    "CategoryTraceOut",
    "ComponentTraceOut",
    "ConditionAnswer",
    "ConditionKind",
    "ConditionTraceOut",
    "FlagTraceOut",
    "IndexTraceOut",
    "SignTraceOut",
    "ValueState",
]

ConditionAnswer = Annotated[
    Literal["yes", "no", "unknown", "hidden"],
    Meanings(
        "ConditionAnswer",
        {
            "yes": "да",
            "no": "нет",
            "unknown": "неизвестно: данных нет",
            "hidden": "скрыто: основание видят регион и муниципалитет",
        },
    ),
]

ConditionKind = Annotated[
    Literal[
        "any",
        "all",
        "at_least",
        "school_mark",
        "index",
        "lowest_share",
        "attribute",
        "signs",
        "rule",
    ],
    Meanings(
        "ConditionKind",
        {
            "any": "достаточно одного",
            "all": "нужны все",
            "at_least": "не менее скольких",
            "school_mark": "отметка в карточке школы",
            "index": "индекс с порогом",
            "lowest_share": "нижняя доля школ по индексу",
            "attribute": "показатель профиля с порогом",
            "signs": "признаки необъективности",
            "rule": "правило низких результатов",
        },
    ),
]

ValueState = Annotated[
    Literal["value", "not_applicable", "not_submitted"],
    Meanings(
        "ValueState",
        {
            "value": "значение есть",
            "not_applicable": "неприменимо",
            "not_submitted": "не подано",
        },
    ),
]


class ConditionTraceOut(Out):
    """A condition of a flag at the school: what was compared with what, and the answer."""

    kind: ConditionKind = Field(
        description="any — достаточно одного; all — нужны все; at_least — не менее скольких; "
        "school_mark — отметка в карточке школы; index — индекс с порогом; lowest_share — нижняя "
        "доля школ по индексу; attribute — показатель профиля с порогом; signs — признаки "
        "необъективности; rule — правило низких результатов",
        examples=["index"],
    )
    text: str = Field(
        description="Условие словами, с числами школы",
        examples=["Индекс «ИСБШ» не больше 45: у школы 43,2 — да"],
    )
    answer: ConditionAnswer = Field(
        description="yes — да; no — нет; unknown — неизвестно: данных нет; hidden — скрыто",
        examples=["yes"],
    )
    code: str | None = Field(
        default=None, description="Код индекса, показателя или правила", examples=["isbsh"]
    )
    operator: Operator | None = Field(
        default=None, description="Сравнение значения с порогом", examples=["<="]
    )
    threshold: str | None = Field(default=None, description="Порог, точно", examples=["45"])
    value: str | None = Field(
        default=None,
        description="Значение у школы, точно; null — нет или скрыто",
        examples=["43.2"],
    )
    state: ValueState | None = Field(
        default=None,
        description="Состояние показателя: value — значение есть; not_applicable — неприменимо, "
        "ответ «нет»; not_submitted — не подано, ответ «неизвестно»",
        examples=["value"],
    )
    detectors: list[str] | None = Field(
        default=None, description="Только эти виды признаков; null — все", examples=[None]
    )
    asked_years: list[int] | None = Field(
        default=None,
        description="Годы, в которых признаки искали; о других годах молчание — не «нет»",
        examples=[[2023, 2024]],
    )
    at_least: int | None = Field(
        default=None, description="Сколько частей или признаков нужно", examples=[2]
    )
    years: int | None = Field(
        default=None, description="За сколько лет считаются признаки", examples=[3]
    )
    schools: int | None = Field(
        default=None,
        description="У скольких школ индекс посчитан (для нижней доли)",
        examples=[75],
    )
    place: int | None = Field(
        default=None,
        description="Ранг пограничной школы снизу: доля, умноженная на schools, округлённая вверх",
        examples=[18],
    )
    border: str | None = Field(
        default=None,
        description="Значение индекса у пограничной школы, точно; школы с таким же значением входят; "
        "null — школ с индексом нет или скрыто",
        examples=["44.015"],
    )
    # The example ends here: composed from the type it would nest for ever.
    conditions: list["ConditionTraceOut"] = Field(
        default_factory=list, description="Части условия", examples=[[]]
    )


class FlagTraceOut(Out):
    """A flag of the methodology at the school."""

    code: str = Field(description="Код признака", examples=["low_results"])
    title: str = Field(description="Признак", examples=["Низкие результаты"])
    taken_from: Literal["rules", "school", "conditions"] = Field(
        description="rules — из правил низких результатов; school — из отметки в карточке школы; "
        "conditions — из условий методики",
        examples=["rules"],
    )
    answer: ConditionAnswer = Field(
        description="yes — признак есть; no — нет; unknown — неизвестно, признаком не считается",
        examples=["yes"],
    )
    condition: ConditionTraceOut | None = Field(
        default=None, description="Условие признака с ответом; null — признак не из условий"
    )


class CategoryTraceOut(Out):
    """A category of the methodology: which flags it asks for."""

    code: str = Field(description="Код категории", examples=["nro"])
    title: str = Field(description="Категория", examples=["НРО"])
    has: list[str] = Field(description="Признаки, которые должны быть", examples=[["low_results"]])
    has_not: list[str] = Field(
        description="Признаки, которых не должно быть", examples=[["adverse_conditions"]]
    )
    is_chosen: bool = Field(description="Категория школы", examples=[True])


class ComponentTraceOut(Out):
    """A component of an index at the school."""

    title: str = Field(description="Компонент", examples=["Доля неполных семей"])
    attribute: str = Field(description="Код показателя профиля", examples=["incomplete_families"])
    over: str | None = Field(
        description="Показатель, на который делится первый; null — не делится", examples=[None]
    )
    transform: Literal["none", "ln"] = Field(
        description="none — как есть; ln — натуральный логарифм", examples=["none"]
    )
    adverse: Literal["high", "low"] = Field(
        description="high — неблагоприятно большое значение; low — малое", examples=["high"]
    )
    weight: str = Field(description="Вес, точно", examples=["1"])
    state: ValueState = Field(
        description="value — значение есть; not_applicable — неприменимо; not_submitted — не подано",
        examples=["value"],
    )
    value: str | None = Field(
        description="Значение показателя у школы; null — нет или скрыто", examples=["0.31"]
    )
    over_value: str | None = Field(
        description="Значение делителя; null — нет, скрыто или не делится", examples=[None]
    )
    source: str | None = Field(
        description="Источник значения", examples=["Социальный паспорт, строка 12"]
    )
    schools: int = Field(description="У скольких школ компонент есть", examples=[75])
    mean: str | None = Field(
        description="Среднее по школам, до 9 знаков; null — нет или скрыто (is_hidden индекса)",
        examples=["0.25"],
    )
    sd: str | None = Field(
        description="Стандартное отклонение (делённое на n), до 9 знаков; null — нет или скрыто",
        examples=["0.08"],
    )
    minimum: str | None = Field(
        description="Нижняя граница или наименьшее; null — нет или скрыто", examples=["0.05"]
    )
    maximum: str | None = Field(
        description="Верхняя граница или наибольшее; null — нет или скрыто", examples=["0.6"]
    )
    norm: str | None = Field(description="Норма; null — не по норме", examples=[None])
    points: str | None = Field(
        description="Балл компонента: отклонение от среднего в стандартных отклонениях со знаком «+» у "
        "неблагоприятного, ограниченная доля или само значение (для регрессии); null — нет или скрыт",
        examples=["0.75"],
    )
    contribution: str | None = Field(
        description="Вес, умноженный на балл; null — нет или скрыт", examples=["0.75"]
    )


class IndexTraceOut(Out):
    """An index of the methodology at the school: how it comes about."""

    code: str = Field(description="Код индекса", examples=["isbsh"])
    title: str = Field(description="Индекс", examples=["Индекс социального благополучия школы"])
    method: Literal["weighted_z", "bounded_shares", "regression"] = Field(
        description="weighted_z — взвешенные отклонения; bounded_shares — ограниченные доли; "
        "regression — предсказание регрессии",
        examples=["weighted_z"],
    )
    year: int = Field(description="Год профилей школ", examples=[2024])
    centre: str = Field(description="Середина шкалы", examples=["50"])
    step: str = Field(description="Шаг шкалы", examples=["-10"])
    max_missing_weight: str = Field(
        description="Индекс не считается, если не хватает большей доли весов", examples=["3/10"]
    )
    missing_weight: str | None = Field(
        description="Какой доли весов у школы не хватает", examples=["0"]
    )
    schools: int = Field(description="У скольких школ индекс посчитан", examples=[75])
    value: str | None = Field(
        description="Значение у школы; null — не посчитано или скрыто", examples=["43.2"]
    )
    is_hidden: bool = Field(
        description="Числа этого индекса у школы и по региону скрыты: у читателя нет права "
        "indices:exact",
        examples=[False],
    )
    components: list[ComponentTraceOut] = Field(description="Компоненты")


class SignTraceOut(Out):
    """A sign of biased results that the run took into account: a reason to check, not a verdict."""

    sign_id: int = Field(description="Признак", examples=[41])
    year: int = Field(description="Год", examples=[2024])
    detector: str = Field(description="Вид признака", examples=["border_peak"])
    procedure: str | None = Field(description="Процедура", examples=["vpr 4 2024"])
    subject: str | None = Field(description="Предмет", examples=["rus"])
