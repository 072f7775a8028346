"""What travels about indices of conditions and calculations."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Self

from pydantic import Field, PlainSerializer, model_validator

from services.indicators.context.documents import ExpectationText, IndexCode, IndexText
from services.kit.http import In, Out
from services.kit.inputs import Id
from services.kit.words import Word

__all__ = [
    "CalculationIn",
    "CalculationOut",
    "CalculationRow",
    "ContextIndexIn",
    "ContextIndexOut",
    "ContextSchoolOut",
    "ContextStatus",
    "ShippedIndicesOut",
]

Exact = Annotated[Decimal, PlainSerializer(lambda number: f"{number:f}", return_type=str)]


class ContextStatus(Word):
    """How a school's result stands to what its conditions let one expect."""

    RESILIENT = "resilient", "условия неблагоприятны, результат выше ожидаемого"
    STRUGGLING = "struggling", "условия неблагоприятны, результат ниже ожидаемого"
    OTHER = "other", "ни то, ни другое"
    EXCLUDED = "excluded", "не участвует в расчёте: причина в reasons"


class CellKnowledge(Word):
    """What is known of a component of a school."""

    VALUE = "value", "есть число"
    NOT_APPLICABLE = "not_applicable", "не применимо"
    NOT_SUBMITTED = "not_submitted", "сведений нет"


class ContextIndexIn(In):
    """An index for the region: a shipped one by its code, or an own document."""

    shipped: IndexCode | None = Field(
        default=None, description="Код поставляемого индекса", examples=["isbsh"]
    )
    document: IndexText | None = Field(
        default=None, description="Собственное определение", examples=[None]
    )

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.shipped is None) == (self.document is None):
            raise ValueError("Укажите либо shipped, либо document")
        return self


class ContextIndexOut(Out):
    """A version of an index."""

    id: int = Field(description="Номер версии индекса", examples=[4])
    code: str = Field(description="Код индекса", examples=["isbsh"])
    number: int = Field(description="Номер версии в пределах кода", examples=[1])
    title: str = Field(description="Название", examples=["Индекс социального благополучия школы"])
    document: IndexText = Field(description="Определение")
    document_hash: str = Field(
        description="SHA-256 определения", examples=["9f86d081884c7d659a2feaa0c55ad015"]
    )
    created_by: str = Field(description="Кто добавил", examples=["user:1"])
    created_at: datetime = Field(description="Добавлен (UTC)", examples=["2026-11-21T10:00:00Z"])


class ShippedIndicesOut(Out):
    """The shipped definitions."""

    items: list[IndexText] = Field(description="Определения")


class CalculationIn(In):
    """What is calculated over the profiles of a year."""

    year: int = Field(
        ge=2000, le=2100, description="Учебный год по году его окончания", examples=[2025]
    )
    index_ids: list[Id] = Field(
        default_factory=list,
        max_length=20,
        description="Версии индексов региона",
        examples=[[4]],
    )
    indices: list[IndexText] = Field(
        default_factory=list, max_length=20, description="Определения, присланные с запросом"
    )
    expectation: ExpectationText | None = Field(
        default=None, description="Ожидаемый результат; null — только индексы", examples=[None]
    )

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if not (self.index_ids or self.indices or self.expectation):
            raise ValueError("Назовите хотя бы один индекс или ожидаемый результат")
        return self


class LineOut(Out):
    """A line fitted by least squares."""

    n: int = Field(description="Школ, по которым построена", examples=[420])
    intercept: Exact = Field(description="Свободный член", examples=["654.156547764"])
    slopes: list[Exact] = Field(
        description="Наклоны в порядке предикторов", examples=[["-20.256439868"]]
    )
    r_squared: Exact | None = Field(
        description="Доля объяснённой дисперсии R²; null — результаты у всех одинаковы",
        examples=["0.768971670"],
    )
    residual_sd: Exact = Field(
        description="Стандартное отклонение остатков, делённое на n", examples=["9.147159616"]
    )
    standard_error: Exact | None = Field(
        description="То же, делённое на n минус число коэффициентов", examples=["9.169016659"]
    )


class MeasuredComponentOut(Out):
    """A component of an index as it came out."""

    attribute: str = Field(description="Код признака", examples=["lunch"])
    over: str | None = Field(description="Признак-делитель", examples=[None])
    title: str = Field(description="Название", examples=["Доля на льготном питании"])
    weight: Exact = Field(description="Вес", examples=["1"])
    adverse: str = Field(description="Неблагоприятная сторона: high или low", examples=["high"])
    transform: str = Field(description="Преобразование: none или ln", examples=["none"])
    n: int = Field(description="Школ с числом", examples=[420])
    mean: Exact | None = Field(description="Среднее", examples=["44.705236865"])
    sd: Exact | None = Field(
        description="Стандартное отклонение, делённое на n", examples=["27.091072099"]
    )
    minimum: Exact | None = Field(
        description="Граница снизу, норма, либо наименьшее", examples=["0"]
    )
    maximum: Exact | None = Field(
        description="Граница сверху, норма, либо наибольшее", examples=["100"]
    )


class MeasuredIndexOut(Out):
    """An index as it came out over all schools."""

    code: str = Field(description="Код индекса", examples=["isbsh"])
    title: str = Field(description="Название", examples=["ИСБШ"])
    method: str = Field(description="Метод", examples=["weighted_z"])
    definition_hash: str = Field(
        description="SHA-256 определения (его версия)",
        examples=["9f86d081884c7d659a2feaa0c55ad015"],
    )
    centre: Exact = Field(description="Начало шкалы", examples=["50"])
    step: Exact = Field(description="Шаг шкалы", examples=["-10"])
    max_missing_weight: str = Field(
        description="Допустимая доля недостающих весов", examples=["3/10"]
    )
    n: int = Field(description="Школ с индексом", examples=[420])
    mean: Exact | None = Field(description="Среднее", examples=["50"])
    sd: Exact | None = Field(
        description="Стандартное отклонение, делённое на n", examples=["8.238"]
    )
    problem: str | None = Field(
        description="Почему индекса нет ни у кого: too_few_schools, predictors_dependent",
        examples=[None],
    )
    components: list[MeasuredComponentOut] = Field(description="Компоненты")
    line: LineOut | None = Field(description="Линия регрессии; только для метода regression")


class PredictorOut(Out):
    """A predictor of results."""

    name: str = Field(description="Индекс, признак или отношение признаков", examples=["isbsh"])
    correlation: Exact | None = Field(
        description="Корреляция Пирсона с результатом", examples=["-0.876910000"]
    )


class ExpectedOut(Out):
    """The line of expected results and how many schools stand apart."""

    predictors: list[PredictorOut] = Field(description="По чему ожидают")
    line: LineOut | None = Field(description="Линия; null — не определена")
    problem: str | None = Field(
        description="Почему линии нет: too_few_schools — школ меньше, чем коэффициентов; "
        "predictors_dependent — предиктор у всех одинаков или следует из других",
        examples=[None],
    )
    adverse: int = Field(description="Школ в неблагоприятных условиях", examples=[105])
    resilient: int = Field(description="Резильентных школ", examples=[15])
    struggling: int = Field(
        description="Школ в неблагоприятных условиях с результатом ниже ожидаемого", examples=[15]
    )
    excluded: int = Field(description="Школ вне расчёта", examples=[0])


class SummaryOut(Out):
    """What holds for all schools."""

    schools: int = Field(description="Школ, действовавших в этом году", examples=[420])
    indices: list[MeasuredIndexOut] = Field(description="Индексы")
    expected: ExpectedOut | None = Field(description="Ожидаемые результаты; null — не просили")


class CalculationRow(Out):
    """A calculation in a list."""

    id: int = Field(description="Номер расчёта", examples=[6])
    year: int = Field(description="Учебный год по году его окончания", examples=[2025])
    definition_hash: str = Field(
        description="SHA-256 определений", examples=["9f86d081884c7d659a2feaa0c55ad015"]
    )
    input_hash: str = Field(
        description="SHA-256 прочитанных чисел", examples=["60303ae22b998861bce3b28f33eec1be"]
    )
    answer_hash: str = Field(
        description="SHA-256 ответа: при тех же числах и определениях всегда тот же",
        examples=["fd61a03af4f77d870fc21e05e7e80678"],
    )
    created_by: str = Field(description="Кто посчитал", examples=["user:1"])
    created_at: datetime = Field(description="Посчитан (UTC)", examples=["2026-11-21T10:00:00Z"])


class DefinitionOut(Out):
    """What was calculated."""

    indices: list[IndexText] = Field(description="Определения индексов")
    expectation: ExpectationText | None = Field(description="Ожидаемый результат")


class CalculationOut(CalculationRow):
    """A calculation."""

    definition: DefinitionOut = Field(description="Определения")
    summary: SummaryOut = Field(description="Что верно для всех школ")


class SchoolComponentOut(Out):
    """A component of a school's index."""

    state: CellKnowledge = Field(description="Что известно", examples=["value"])
    number: Exact | None = Field(
        description="Признак, отношение или логарифм; null — нет или не определено",
        examples=["58.5"],
    )
    point: Exact | None = Field(
        description="z (знак + у неблагоприятного) либо доля (больше — лучше)", examples=["0.51"]
    )


class SchoolIndexOut(Out):
    """An index of a school."""

    value: Exact | None = Field(description="Значение; null — не хватает весов", examples=["44.2"])
    missing_weight: Exact = Field(description="Доля недостающих весов", examples=["0"])
    components: list[SchoolComponentOut] = Field(description="В порядке компонентов определения")


class ReasonOut(Out):
    """Why a school stands where it stands."""

    code: str = Field(description="Машинный код", examples=["no_result"])
    detail: str = Field(description="Словами", examples=["Результата школы за 2025 год нет"])


class ContextSchoolOut(Out):
    """The answer for one school."""

    school_id: int = Field(description="Номер школы", examples=[15])
    municipality_id: int = Field(description="Номер муниципалитета", examples=[2])
    code: str = Field(description="Код ОО", examples=["670101"])
    name: str = Field(description="Наименование", examples=["Школа № 1"])
    indices: dict[str, SchoolIndexOut] = Field(
        description="Индексы по кодам",
        examples=[
            {
                "isbsh": {
                    "value": "44.210000000",
                    "missing_weight": "0.000000000",
                    "components": [
                        {"state": "value", "number": "0.310000000", "point": "0.510000000"}
                    ],
                }
            }
        ],
    )
    status: ContextStatus | None = Field(
        description="Место школы; null — ожидаемый результат не просили", examples=["resilient"]
    )
    reasons: list[ReasonOut] = Field(description="Почему так")
    is_adverse: bool | None = Field(
        description="Условия в неблагоприятной доле; null — не известно", examples=[True]
    )
    result: Exact | None = Field(description="Результат", examples=["661.2"])
    expected: Exact | None = Field(description="Ожидаемый результат", examples=["645.1"])
    half_width: Exact | None = Field(
        description="Половина интервала: результат школы с такими условиями лежит в пределах "
        "expected ± half_width (квантиль z · s · √(1 + рычаг))",
        examples=["18.04"],
    )
    residual: Exact | None = Field(description="Остаток: результат − ожидаемый", examples=["16.1"])
    standardised: Exact | None = Field(
        description="Остаток в стандартных отклонениях остатков (делённых на n)",
        examples=["1.76"],
    )
