"""What travels about detectable changes and judgements of targets."""

from decimal import Decimal
from typing import Annotated, Self

from pydantic import Field, model_validator

from services.indicators.methodologies.parts import ExactShare
from services.kit.http import In, Out
from services.kit.inputs import Id
from services.kit.words import Word

__all__ = [
    "Alpha",
    "DetectableIn",
    "DetectableLevelIn",
    "DetectableLevelOut",
    "DetectableOut",
    "LevelKind",
    "LevelSize",
    "Measure",
    "PointsOut",
    "Power",
    "TargetIn",
    "TargetOut",
    "TargetVerdict",
    "WeakNumbers",
]

_OURS = " (настройка Опоры, не норма документа)"

Alpha = Annotated[
    Decimal,
    Field(
        gt=0,
        lt=Decimal("0.5"),
        max_digits=5,
        decimal_places=4,
        description="Вероятность увидеть изменение, которого нет (двусторонняя)" + _OURS,
        examples=["0.05"],
    ),
]
Power = Annotated[
    Decimal,
    Field(
        gt=Decimal("0.5"),
        lt=1,
        max_digits=5,
        decimal_places=4,
        description="Вероятность заметить изменение, которое есть" + _OURS,
        examples=["0.8"],
    ),
]
Rho = Annotated[Decimal, Field(ge=0, lt=1, max_digits=10, decimal_places=9)]
Points = Annotated[
    Decimal,
    Field(max_digits=9, decimal_places=3, ge=-100_000, le=100_000),
]


class Measure(Word):
    """What is measured."""

    SHARE = "share", "доля; изменение в процентных пунктах"
    MEAN = "mean", "среднее; изменение в единицах показателя"


class LevelKind(Word):
    """At which level a target is set."""

    SCHOOL = "school", "школа"
    MUNICIPALITY = "municipality", "муниципалитет"
    REGION = "region", "регион"
    OTHER = "other", "иная группа"


class LevelSize(Word):
    """Which of the groups of a level is meant."""

    SMALLEST = "smallest", "наименьшая"
    MEDIAN = "median", "средняя по размеру (медиана)"
    LARGEST = "largest", "наибольшая"
    ALL = "all", "все вместе"
    GIVEN = "given", "числа заданы в запросе"


class DetectableLevelIn(In):
    """A group with so many participants before and after."""

    level: LevelKind = Field(description="Уровень", examples=["school"])
    before: int = Field(
        ge=1, le=10_000_000, description="Участников в первом измерении", examples=[25]
    )
    after: int = Field(
        ge=1, le=10_000_000, description="Участников во втором измерении", examples=[25]
    )
    schools: int | None = Field(
        default=None,
        ge=1,
        le=100_000,
        description="Из скольких они школ; вместе с rho даёт поправку на похожесть учеников",
        examples=[1],
    )


class DetectableIn(In):
    """Which change can be seen: numbers of participants, or a procedure whose participants are meant."""

    measure: Measure = Field(
        default=Measure.SHARE, description="Что измеряется", examples=["share"]
    )
    base_share: ExactShare | None = Field(
        default=None,
        description="Доля до изменения; для share обязательна, если не задана процедура",
        examples=["3/10"],
    )
    standard_deviation: Decimal | None = Field(
        default=None,
        gt=0,
        max_digits=12,
        decimal_places=6,
        description="Стандартное отклонение показателя между участниками; обязательно для mean",
        examples=[None],
    )
    levels: list[DetectableLevelIn] | None = Field(
        default=None, min_length=1, max_length=50, description="Группы с числами участников"
    )
    procedure_id: Id | None = Field(
        default=None,
        description="Процедура: взять участников, долю ниже минимума и похожесть учеников из неё",
        examples=[None],
    )
    rho: Rho | None = Field(
        default=None,
        description="Внутришкольная корреляция: насколько похожи ученики одной школы; null — оценить по "
        "процедуре или считать 0",
        examples=["0.05"],
    )
    alpha: Alpha = Decimal("0.05")
    power: Power = Decimal("0.8")
    wanted: Points | None = Field(
        default=None,
        description="Задуманное изменение: процентные пункты у доли, единицы показателя у среднего",
        examples=["-3"],
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.levels is None) == (self.procedure_id is None):
            raise ValueError("Укажите либо levels, либо procedure_id")
        if self.measure is Measure.MEAN:
            if self.standard_deviation is None or self.procedure_id is not None:
                raise ValueError("Для среднего укажите standard_deviation и levels")
        elif self.base_share is None and self.procedure_id is None:
            raise ValueError("Для доли укажите base_share")
        if self.wanted is not None and not self.wanted:
            raise ValueError("Задуманное изменение не может быть нулём")
        return self


class DetectableLevelOut(Out):
    """The smallest change that can be seen in a group."""

    level: LevelKind = Field(description="Уровень", examples=["school"])
    size: LevelSize = Field(description="Какая группа этого уровня", examples=["given"])
    before: int = Field(description="Участников в первом измерении", examples=[25])
    after: int = Field(description="Участников во втором измерении", examples=[25])
    design_effect: Decimal = Field(
        description="Во сколько раз похожесть учеников одной школы увеличивает дисперсию",
        examples=["1.000000"],
    )
    detectable: Decimal = Field(
        description="Наименьшее различимое изменение: процентные пункты у доли, единицы показателя у среднего",
        examples=["36.3127"],
    )
    is_measurable: bool | None = Field(
        description="Различимо ли задуманное изменение; null — оно не задано", examples=[False]
    )


class DetectableOut(Out):
    """Which change can be seen at each level."""

    measure: Measure = Field(description="Что измеряется", examples=["share"])
    alpha: Decimal = Field(description="Вероятность ложного изменения", examples=["0.05"])
    power: Decimal = Field(description="Вероятность заметить настоящее", examples=["0.8"])
    base_share: str | None = Field(
        description="Доля, от которой считается, точно; null у среднего", examples=["3/10"]
    )
    rho: str = Field(description="Внутришкольная корреляция, точно", examples=["0"])
    wanted: Decimal | None = Field(description="Задуманное изменение", examples=["-3"])
    needed: int | None = Field(
        description="Сколько участников нужно в каждом измерении, чтобы увидеть задуманное; без "
        "поправки на похожесть учеников; null — изменение не задано",
        examples=[3663],
    )
    levels: list[DetectableLevelOut] = Field(description="Уровни в порядке запроса")
    sentences: list[str] = Field(
        description="То же по-русски",
        examples=[["Школа, 25 участников: различимо изменение не меньше 36,31 п. п."]],
    )


class WeakNumbers(Word):
    """What happens to a target that the numbers cannot carry."""

    MARK = "mark", "ответить «не различимо»"
    REFUSE = "refuse", "отказать"


class TargetVerdict(Word):
    """What may be said of a target."""

    REACHED = "reached", "достигнуто"
    NOT_REACHED = "not_reached", "не достигнуто"
    INDISTINGUISHABLE = "indistinguishable", "не различимо"


class SharePairIn(In):
    """So many of so many."""

    numerator: int = Field(ge=0, le=10_000_000, description="Сколько", examples=[12])
    denominator: int = Field(ge=1, le=10_000_000, description="Из скольких", examples=[25])

    @model_validator(mode="after")
    def _is_a_share(self) -> Self:
        if self.numerator > self.denominator:
            raise ValueError("Числитель больше знаменателя")
        return self


class TargetIn(In):
    """A target of a share, and what was measured before and after."""

    indicator: str = Field(
        min_length=1,
        max_length=300,
        description="Показатель, как он назван в программе",
        examples=["Доля участников ниже минимального балла"],
    )
    level: LevelKind = Field(description="Уровень, на котором судят о цели", examples=["school"])
    wanted: Points = Field(
        description="Задуманное изменение доли, процентные пункты; меньше нуля — снижение",
        examples=["-3"],
    )
    before: SharePairIn = Field(description="До")
    after: SharePairIn = Field(description="После")
    schools: int | None = Field(
        default=None,
        ge=1,
        le=100_000,
        description="Из скольких школ участники; вместе с rho даёт поправку на похожесть учеников",
        examples=[1],
    )
    rho: Rho = Field(
        default=Decimal(0),
        description="Внутришкольная корреляция: насколько похожи ученики одной школы; 0 — как разные",
        examples=["0.05"],
    )
    alpha: Alpha = Decimal("0.05")
    power: Power = Decimal("0.8")
    weak_numbers: WeakNumbers = Field(
        default=WeakNumbers.MARK,
        description="Что делать, если числа не позволяют ни подтвердить, ни опровергнуть цель"
        + _OURS,
        examples=["mark"],
    )

    @model_validator(mode="after")
    def _wants_something(self) -> Self:
        if not self.wanted or abs(self.wanted) > 100:
            raise ValueError("Задуманное изменение — не ноль и не больше 100 п. п.")
        return self


class PointsOut(Out):
    """An interval of a change, in percentage points."""

    lower: Decimal = Field(description="Нижняя граница, процентные пункты", examples=["-33.3862"])
    upper: Decimal = Field(description="Верхняя граница, процентные пункты", examples=["17.7302"])


class TargetOut(Out):
    """What may be said of a target, and why."""

    indicator: str = Field(
        description="Показатель", examples=["Доля участников ниже минимального балла"]
    )
    level: LevelKind = Field(description="Уровень", examples=["school"])
    verdict: TargetVerdict = Field(
        description="reached — изменение не меньше задуманного и не случайно (интервал не содержит "
        "нуля); not_reached — меньше, и задуманное вне интервала; indistinguishable — числа не "
        "позволяют сказать ни того, ни другого",
        examples=["indistinguishable"],
    )
    title: str = Field(description="То же словами", examples=["не различимо"])
    change: Decimal = Field(
        description="Изменение доли, процентные пункты, округлено до 4 знаков", examples=["-8.0000"]
    )
    interval: PointsOut = Field(description="Интервал изменения (Ньюкомб) при этой alpha")
    wanted: Decimal = Field(description="Задумано, процентные пункты", examples=["-3"])
    detectable: Decimal = Field(
        description="Наименьшее различимое изменение при этих участниках, процентные пункты",
        examples=["38.7400"],
    )
    is_measurable: bool = Field(
        description="Различимо ли задуманное при этих участниках", examples=[False]
    )
    needed: int = Field(
        description="Сколько участников нужно в каждом измерении, чтобы увидеть задуманное",
        examples=[3805],
    )
    sentences: list[str] = Field(
        description="Вывод по-русски",
        examples=[["Изменение −8 п. п.; числа не позволяют судить, достигнута ли цель −3 п. п."]],
    )
