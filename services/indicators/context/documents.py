"""Definitions of indices and of expected results, as data.

Parts of a methodology's document and of requests of their own. The texts of the errors are read by the
person who writes a definition, hence in Russian.
"""

import hashlib
import json
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from services.indicators.algebra.composites import CompositeDefinition, Ingredient, Method
from services.kit.words import Meanings

__all__ = [
    "AttributeCode",
    "AttributeResult",
    "ComponentText",
    "ExpectationText",
    "IndexCode",
    "IndexText",
    "LowIndexResult",
    "MassIndexResult",
    "Predictor",
    "ResultText",
    "SubjectMeanResult",
    "definition_hash",
]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _closed_share(text: str) -> str:
    if not 0 <= Fraction(text) <= 1:
        raise ValueError("Доля должна быть от 0 до 1")
    return text


def _open_share(text: str) -> str:
    if not 0 < Fraction(text) < 1:
        raise ValueError("Доля должна быть больше 0 и меньше 1")
    return text


_SHARE = StringConstraints(pattern=r"^(\d{1,6}/[1-9]\d{0,5}|[01](\.\d{1,6})?)$")
_MissingShare = Annotated[str, _SHARE, AfterValidator(_closed_share)]
_PartOfSchools = Annotated[str, _SHARE, AfterValidator(_open_share)]
_Number = Annotated[Decimal, Field(max_digits=18, decimal_places=9, allow_inf_nan=False)]
AttributeCode = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,59}$"),
    Field(description="Код признака профиля", examples=["both_parents_higher"]),
]
IndexCode = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,39}$"),
    Field(description="Код индекса", examples=["isbsh"]),
]
_Title = Annotated[str, StringConstraints(min_length=1, max_length=300, strip_whitespace=True)]
_Kind = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,19}$")]
_Grade = Annotated[int, Field(ge=1, le=12)]

_METHODS = {
    "weighted_z": "среднее взвешенное отклонений от среднего по региону в стандартных отклонениях "
    "(делённых на n), знак + у неблагоприятного",
    "bounded_shares": "среднее взвешенное долей, ограниченных наименьшим и наибольшим значением, либо "
    "долей выполнения нормы (не больше 1); больше — лучше",
    "regression": "результат, который предсказывает линейная регрессия по компонентам",
}
MethodWord = Annotated[
    Literal["weighted_z", "bounded_shares", "regression"], Meanings("IndexMethod", _METHODS)
]


class ComponentText(_Part):
    """A component of an index."""

    attribute: AttributeCode
    over: AttributeCode | None = Field(
        default=None,
        description="Признак, на который делится первый (отношение двух признаков); null — не делится",
        examples=["teachers"],
    )
    title: _Title = Field(
        description="Название компонента",
        examples=["Доля детей, у которых оба родителя с высшим образованием"],
    )
    weight: Decimal = Field(
        default=Decimal(1),
        gt=0,
        le=1000,
        max_digits=10,
        decimal_places=6,
        description="Вес; по умолчанию равные веса (настройка Опоры, не норма документа)",
        examples=["1"],
    )
    adverse: Annotated[
        Literal["high", "low"],
        Meanings(
            "AdverseDirection",
            {"high": "неблагоприятно большое значение", "low": "неблагоприятно малое значение"},
        ),
    ] = Field(description="Какая сторона неблагоприятна", examples=["low"])
    transform: Annotated[
        Literal["none", "ln"],
        Meanings("Transform", {"none": "как есть", "ln": "натуральный логарифм"}),
    ] = Field(default="none", description="Преобразование до расчёта", examples=["none"])
    minimum: _Number | None = Field(
        default=None,
        description="Нижняя граница для bounded_shares; null — наименьшее значение по региону",
        examples=[None, "0"],
    )
    maximum: _Number | None = Field(
        default=None,
        description="Верхняя граница для bounded_shares; null — наибольшее значение по региону",
        examples=[None, "1"],
    )
    norm: _Number | None = Field(
        default=None,
        gt=0,
        description="Норма для bounded_shares: берётся доля её выполнения, не больше 1; null — "
        "границы вместо нормы",
        examples=[None, "0.1"],
    )

    @model_validator(mode="after")
    def _bounds_make_sense(self) -> Self:
        if self.norm is not None and (self.minimum is not None or self.maximum is not None):
            raise ValueError("У компонента либо норма, либо границы")
        if None not in (self.minimum, self.maximum) and not _below(self.minimum, self.maximum):
            raise ValueError("Нижняя граница должна быть меньше верхней")
        if self.over == self.attribute:
            raise ValueError("Признак делится сам на себя")
        return self

    def as_ingredient(self) -> Ingredient:
        """Give the component as the algebra takes it."""
        return Ingredient(
            attribute=self.attribute,
            weight=self.weight,
            is_high_adverse=self.adverse == "high",
            over=self.over,
            is_logarithm=self.transform == "ln",
            minimum=self.minimum,
            maximum=self.maximum,
            norm=self.norm,
        )


class AttributeResult(_Part):
    """A school's result is the mean of these attributes of its profile."""

    taken_from: Literal["attributes"] = Field(
        description="attributes — из профиля школы", examples=["attributes"]
    )
    attributes: list[AttributeCode] = Field(
        min_length=1,
        max_length=20,
        description="Признаки; результат — их среднее, нет хотя бы одного — результата нет",
        examples=[["reading_score", "maths_score"]],
    )


class LowIndexResult(_Part):
    """A school's result is its low-results index."""

    taken_from: Literal["low_index"] = Field(
        description="low_index — индекс низких результатов процедуры (меньше — лучше)",
        examples=["low_index"],
    )
    kind: _Kind = Field(description="Вид процедуры", examples=["oge"])
    grade: _Grade = Field(description="Параллель", examples=[9])
    based_on: Literal["minimum", "bmin"] = Field(
        default="minimum",
        description="minimum — ниже минимального балла; bmin — ниже нижней границы",
        examples=["minimum"],
    )


class MassIndexResult(_Part):
    """A school's result is its mass-results index in a subject."""

    taken_from: Literal["mass_index"] = Field(
        description="mass_index — индекс массовых результатов предмета", examples=["mass_index"]
    )
    kind: _Kind = Field(description="Вид процедуры", examples=["oge"])
    grade: _Grade = Field(description="Параллель", examples=[9])
    subject: Annotated[str, Field(max_length=100)] = Field(
        description="Код предмета", examples=["mat"]
    )


class SubjectMeanResult(_Part):
    """A school's result is its mean primary score in a subject."""

    taken_from: Literal["subject_mean"] = Field(
        description="subject_mean — средний балл предмета", examples=["subject_mean"]
    )
    kind: _Kind = Field(description="Вид процедуры", examples=["oge"])
    grade: _Grade = Field(description="Параллель", examples=[9])
    subject: Annotated[str, Field(max_length=100)] = Field(
        description="Код предмета", examples=["mat"]
    )


ResultText = Annotated[
    AttributeResult | LowIndexResult | MassIndexResult | SubjectMeanResult,
    Field(discriminator="taken_from"),
]


class IndexText(_Part):
    """The definition of an index, complete."""

    code: IndexCode
    title: _Title = Field(
        description="Название", examples=["Индекс социального благополучия школы (ИСБШ)"]
    )
    method: MethodWord = Field(description="Как считается", examples=["weighted_z"])
    components: list[ComponentText] = Field(
        min_length=1, max_length=40, description="Компоненты индекса"
    )
    max_missing_weight: _MissingShare = Field(
        default="3/10",
        description="Индекс не считается, если школе не хватает большей доли весов; при regression "
        "нужны все компоненты (методика B3; доля — настройка Опоры)",
        examples=["3/10"],
    )
    centre: _Number | None = Field(
        default=None,
        description="Индекс = centre + step · среднее; по умолчанию 50 для weighted_z, иначе 0",
        examples=["50"],
    )
    step: _Number | None = Field(
        default=None,
        description="Шаг шкалы; по умолчанию −10 для weighted_z (больше — благополучнее), иначе 1",
        examples=["-10"],
    )
    result: ResultText | None = Field(
        default=None,
        description="Результат школы: только для regression",
        examples=[None],
    )

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if (self.method == "regression") != (self.result is not None):
            raise ValueError("Результат указывается для метода regression и только для него")
        if self.step == 0:
            raise ValueError("Шаг шкалы не может быть нулём")
        bounded = [c for c in self.components if {c.minimum, c.maximum, c.norm} != {None}]
        if bounded and self.method != "bounded_shares":
            raise ValueError("Границы и нормы имеют смысл только при bounded_shares")
        taken = [(c.attribute, c.over, c.transform) for c in self.components]
        if len(set(taken)) != len(taken):
            raise ValueError("Компоненты не должны повторяться")
        return self

    @property
    def is_low_adverse(self) -> bool:
        """Whether the low end of the scale is the adverse one."""
        step = self.definition().step
        if self.method == "weighted_z":
            return step < 0
        if self.method == "regression" and isinstance(self.result, LowIndexResult):
            return step < 0
        return step > 0

    @property
    def attributes(self) -> list[str]:
        """The attributes of profiles that the index needs, each once, in order."""
        named = [code for c in self.components for code in (c.attribute, c.over) if code]
        if isinstance(self.result, AttributeResult):
            named += self.result.attributes
        return list(dict.fromkeys(named))

    def definition(self) -> CompositeDefinition:
        """Give the definition as the algebra takes it."""
        is_z = self.method == "weighted_z"
        return CompositeDefinition(
            Method(self.method),
            tuple(component.as_ingredient() for component in self.components),
            Fraction(self.max_missing_weight),
            self.centre if self.centre is not None else Decimal(50 if is_z else 0),
            self.step if self.step is not None else Decimal(-10 if is_z else 1),
        )


class Predictor(_Part):
    """What the expected result is computed from: an index or an attribute."""

    index: IndexCode | None = Field(
        default=None, description="Код индекса; null — признак", examples=["isbsh"]
    )
    attribute: AttributeCode | None = Field(
        default=None, description="Код признака; null — индекс", examples=[None]
    )
    over: AttributeCode | None = Field(
        default=None, description="Признак, на который делится первый", examples=[None]
    )

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.index is None) == (self.attribute is None):
            raise ValueError("Укажите либо индекс, либо признак")
        if self.over is not None and self.attribute is None:
            raise ValueError("Делится признак, а не индекс")
        return self

    @property
    def name(self) -> str:
        """How the predictor is told of: the index, the attribute, or the ratio of two."""
        named = self.index or self.attribute or ""
        return f"{named} / {self.over}" if self.over else named


class ExpectationText(_Part):
    """Expected results: what they are computed from, and who is told apart."""

    result: ResultText = Field(description="Чем измеряется результат школы")
    better: Annotated[
        Literal["high", "low"],
        Meanings("BetterResult", {"high": "лучше больший", "low": "лучше меньший"}),
    ] = Field(default="high", description="Какой результат лучше", examples=["high"])
    on: list[Predictor] = Field(
        min_length=1, max_length=10, description="Индексы или признаки, по которым ожидают"
    )
    adverse_by: IndexCode | None = Field(
        default=None,
        description="Индекс, по которому определяются неблагоприятные условия; null — первый индекс "
        "из on, а без индексов условия не делятся",
        examples=["isbsh"],
    )
    adverse_share: _PartOfSchools = Field(
        default="1/4",
        description="Доля школ с самыми неблагоприятными условиями (методика B5: квартиль)",
        examples=["1/4"],
    )
    residual_sds: Decimal = Field(
        default=Decimal(1),
        gt=0,
        le=10,
        max_digits=6,
        decimal_places=3,
        description="На сколько стандартных отклонений остаток должен быть больше (строго)",
        examples=["1"],
    )
    years: int = Field(
        default=1,
        ge=1,
        le=5,
        description="В скольких годах подряд условия должны выполняться (методика B5 предлагает 2)",
        examples=[1],
    )
    z: Decimal = Field(
        default=Decimal("1.959964"),
        gt=0,
        le=10,
        max_digits=12,
        decimal_places=9,
        description="Квантиль интервала ожидаемого результата",
        examples=["1.959964"],
    )

    @property
    def conditions(self) -> str | None:
        """The code of the index by which conditions are adverse; None where none is told apart."""
        named = [predictor.index for predictor in self.on if predictor.index is not None]
        return self.adverse_by or next(iter(named), None)

    @property
    def indices(self) -> list[str]:
        """The codes of the indices that are needed, each once."""
        named = [predictor.index for predictor in self.on if predictor.index is not None]
        return list(dict.fromkeys([*named, *filter(None, [self.conditions])]))

    @property
    def attributes(self) -> list[str]:
        """The attributes of profiles that are needed beside those of the indices."""
        named = [code for p in self.on for code in (p.attribute, p.over) if code is not None]
        if isinstance(self.result, AttributeResult):
            named += self.result.attributes
        return list(dict.fromkeys(named))


def definition_hash(*parts: BaseModel | None) -> str:
    """Name definitions by their content: SHA-256 of the canonical JSON, 64 hexadecimal digits."""
    canonical: list[Any] = [
        None if part is None else part.model_dump(mode="json") for part in parts
    ]
    text = json.dumps(canonical, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _below(one: Decimal | None, other: Decimal | None) -> bool:
    return one is not None and other is not None and one < other
