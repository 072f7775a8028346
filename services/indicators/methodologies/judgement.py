"""Parts of the document that judge results: what is low, which procedures count, rules, small groups."""

from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from services.indicators.algebra.rules import Rule
from services.indicators.methodologies.parts import Code, ExactShare, Part, Title
from services.kit.words import Meanings

__all__ = [
    "CertaintySettings",
    "Considered",
    "LowResult",
    "RuleText",
    "SmallGroups",
]

LONGEST_LOOK_BACK = 10

IntervalKind = Annotated[
    Literal["wilson", "exact"],
    Meanings(
        "IntervalKind",
        {"wilson": "интервал Уилсона", "exact": "точный интервал Клоппера — Пирсона"},
    ),
]
ShrinkageKind = Annotated[
    Literal["none", "beta_binomial"],
    Meanings(
        "ShrinkageKind",
        {
            "none": "не стягиваются",
            "beta_binomial": "бета-биномиальная модель, эмпирический Байес",
        },
    ),
]


class LowResult(Part):
    """When the results of a procedure at a school are low."""

    based_on: Literal["minimum", "bmin"] = Field(
        description="Чем измеряется низкий результат участника: minimum — балл ниже минимального "
        "(отметка «2»); bmin — балл ниже нижней границы Bmin (минимум и доля от максимума)",
        examples=["minimum"],
    )
    threshold: ExactShare
    operator: Literal[">=", ">"] = Field(
        description="Как доля сравнивается с порогом: >= — не меньше; > — больше", examples=[">="]
    )

    @property
    def share(self) -> Fraction:
        """The threshold as a rational."""
        return Fraction(self.threshold)

    @property
    def strict(self) -> bool:
        """Whether only a share above the threshold counts."""
        return self.operator == ">"


class Considered(Part):
    """Which procedures count, and which of their subjects are taken in mass numbers."""

    kind: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,19}$")] = Field(
        description="Вид процедуры", examples=["oge"]
    )
    grades: list[Annotated[int, Field(ge=1, le=12)]] | None = Field(
        default=None,
        min_length=1,
        max_length=12,
        description="Параллели; null — все",
        examples=[[9]],
    )
    mass_subjects: list[Annotated[str, Field(max_length=100)]] | None = Field(
        default=None,
        min_length=1,
        max_length=60,
        description="Коды предметов, сдаваемых в массовых масштабах; null — как отмечено в шкалах "
        "процедуры",
        examples=[["rus", "mat"]],
    )

    def takes(self, kind: str, grade: int) -> bool:
        """Say whether a procedure of this kind and grade counts here."""
        return kind == self.kind and (self.grades is None or grade in self.grades)


class RuleText(Part):
    """A rule: in each of the years back, low in at least so many procedures."""

    code: Code
    title: Title
    years_back: list[Annotated[int, Field(ge=0, le=LONGEST_LOOK_BACK)]] = Field(
        min_length=1,
        max_length=LONGEST_LOOK_BACK + 1,
        description="На сколько лет назад от года списка смотрит правило: 1 — "
        "предыдущий учебный год; правило должно выполняться в каждом из этих лет",
        examples=[[1, 2]],
    )
    at_least: int = Field(
        ge=1, le=100, description="Не менее скольких процедур в году", examples=[1]
    )

    @field_validator("years_back")
    @classmethod
    def _each_year_once(cls, years: list[int]) -> list[int]:
        if len(set(years)) != len(years):
            raise ValueError("Годы в правиле не должны повторяться")
        return sorted(years)

    def as_rule(self) -> Rule:
        """Give the rule as the algebra takes it."""
        return Rule(self.code, tuple(self.years_back), self.at_least)


class SmallGroups(Part):
    """What happens where few people took part."""

    below: int = Field(
        ge=1, le=1000, description="Группа мала, если участников меньше этого числа", examples=[10]
    )
    policy: Literal["flag", "no_flag", "pool"] = Field(
        description="flag — считать как все; no_flag — малая группа не даёт признака сама "
        "(класс «мало данных»); pool — малая группа складывается с той же процедурой прошлых лет, "
        "а если мала и сумма, признака не даёт",
        examples=["pool"],
    )
    years: int | None = Field(
        default=None,
        ge=2,
        le=5,
        description="За сколько лет складывать (только для pool)",
        examples=[2],
    )

    @model_validator(mode="after")
    def _years_belong_to_pooling(self) -> Self:
        if (self.policy == "pool") != (self.years is not None):
            raise ValueError("Число лет указывается для политики pool и только для неё")
        return self


class CertaintySettings(Part):
    """How sure a judgement must be to be called sure."""

    z: Decimal = Field(
        gt=0,
        le=10,
        max_digits=12,
        decimal_places=9,
        description="Квантиль нормального распределения для интервала: 1.959964 для 95 %",
        examples=["1.959964"],
    )
    interval: IntervalKind = Field(
        default="wilson", description="Какой доверительный интервал доли", examples=["wilson"]
    )
    shrinkage: ShrinkageKind = Field(
        default="none",
        description="Стягиваются ли доли малых групп к средней по региону",
        examples=["none"],
    )
