"""The document of a methodology: its fields, and what makes it consistent.

The texts of the errors are read by the person who writes a methodology, hence in Russian.
"""

import datetime as dt
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

from services.indicators.algebra.categories import Category, Flag, ambiguous
from services.indicators.algebra.rules import Rule
from services.kit.words import Meanings, Word

LONGEST_LOOK_BACK = 10
_EVERY_GRADE = range(1, 13)
_SHARE = r"^(\d{1,6}/[1-9]\d{0,5}|[01](\.\d{1,6})?)$"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _proper_share(text: str) -> str:
    if not 0 < Fraction(text) < 1:
        raise ValueError("Доля должна быть больше 0 и меньше 1")
    return text


ExactShare = Annotated[
    str,
    StringConstraints(pattern=_SHARE),
    AfterValidator(_proper_share),
    Field(
        description="Точная доля больше 0 и меньше 1: дробь или десятичная запись",
        examples=["3/10", "0.30"],
    ),
]
Code = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,39}$"),
    Field(
        description="Код: строчная латинская буква, затем буквы, цифры, дефис, подчёркивание",
        examples=["federal-shnor"],
    ),
]
Title = Annotated[
    str,
    StringConstraints(min_length=1, max_length=300, strip_whitespace=True),
    Field(description="Название", examples=["Низкие результаты"]),
]
FlagCode = Annotated[
    Literal["low_results", "adverse_conditions"],
    Meanings(
        "FlagCode",
        {
            "low_results": "низкие результаты обучения (НРО)",
            "adverse_conditions": "неблагоприятные социальные условия (ФНСУ)",
        },
    ),
]


class Order(_Part):
    """The order that approves the methodology."""

    number: str = Field(
        min_length=1, max_length=100, description="Номер приказа", examples=["01-05/112"]
    )
    date: dt.date = Field(description="Дата приказа", examples=["2025-03-14"])


class Source(_Part):
    """The document the rules are taken from."""

    document: str = Field(
        max_length=500, description="Документ-источник", examples=["Письмо Рособрнадзора"]
    )
    paragraph: str | None = Field(
        default=None, max_length=200, description="Раздел, пункт", examples=["п. 1"]
    )
    quote: str | None = Field(
        default=None,
        max_length=2000,
        description="Цитата или пояснение",
        examples=["не менее 30 % участников"],
    )


class LowResult(_Part):
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


class Considered(_Part):
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


class RuleText(_Part):
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


class SmallGroups(_Part):
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


class CertaintySettings(_Part):
    """How sure a judgement must be to be called sure."""

    z: Decimal = Field(
        gt=0,
        le=10,
        max_digits=12,
        decimal_places=9,
        description="Квантиль для интервала Уилсона: 1.959964 для 95 %",
        examples=["1.959964"],
    )


class FlagText(_Part):
    """A flag of a school and where it comes from."""

    code: FlagCode = Field(description="Код признака", examples=["low_results"])
    title: Title
    taken_from: Literal["rules", "school"] = Field(
        description="rules — из правил этой методики; school — из обоснованной отметки в карточке "
        "школы",
        examples=["rules"],
    )

    @property
    def flag(self) -> Flag:
        """The bit of the flag."""
        return _FLAGS[self.code]


class CategoryText(_Part):
    """An exclusive category: has all of these flags and none of those."""

    code: Code
    title: Title
    has: list[FlagCode] = Field(
        min_length=1, max_length=2, description="Признаки, которые есть", examples=[["low_results"]]
    )
    has_not: list[FlagCode] = Field(
        default_factory=list,
        max_length=2,
        description="Признаки, которых нет",
        examples=[["adverse_conditions"]],
    )

    def as_category(self) -> Category:
        """Give the category as the algebra takes it."""
        return Category(self.code, _bits(self.has), _bits(self.has_not))


class PermittedUse(Word):
    """For what the results must be permitted to be used (design 6)."""

    IDENTIFICATION = "identification", "списки школ: результат можно утвердить и опубликовать"
    ANALYSIS = "analysis", "только анализ: прогон нельзя утвердить и опубликовать"


class Methodology(_Part):
    """One version of a methodology, complete."""

    code: Code
    title: Title
    source: Source | None = Field(default=None, description="Откуда взяты правила")
    order: Order | None = Field(default=None, description="Приказ, утвердивший методику")
    in_force_from: dt.date = Field(description="Действует с", examples=["2020-09-01"])
    in_force_to: dt.date | None = Field(
        default=None, description="Действует по; null — бессрочно", examples=["2026-08-31"]
    )
    required_use: PermittedUse = Field(
        default=PermittedUse.IDENTIFICATION,
        description="Какое использование результатов должно быть разрешено у каждой процедуры; "
        "прогон по методике с analysis нельзя опубликовать",
        examples=["identification"],
    )
    low_result: LowResult = Field(description="Что считается низким результатом и с какой доли")
    margin_share: ExactShare = Field(
        default="1/20",
        description="Доля от максимума, которая прибавляется к минимуму в Bmin",
        examples=["1/20"],
    )
    procedures: list[Considered] = Field(
        min_length=1, max_length=50, description="Какие процедуры учитываются"
    )
    excluded_school_kinds: list[Annotated[str, Field(max_length=40)]] = Field(
        default_factory=list,
        max_length=50,
        description="Виды школ, которых методика не касается",
        examples=[["evening"]],
    )
    rules: list[RuleText] = Field(
        min_length=1, max_length=20, description="Правила: достаточно одного выполненного"
    )
    small_n: SmallGroups = Field(description="Как судить о малых группах участников")
    certainty: CertaintySettings = Field(description="Как определяется класс достоверности")
    flags: list[FlagText] = Field(
        min_length=1, max_length=2, description="Независимые признаки школы"
    )
    categories: list[CategoryText] = Field(
        min_length=1,
        max_length=15,
        description="Взаимоисключающие категории: каждому сочетанию признаков ровно одна",
    )

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.in_force_to and self.in_force_to < self.in_force_from:
            raise ValueError("Срок действия заканчивается раньше, чем начинается")
        _once("Коды правил", [rule.code for rule in self.rules])
        _once("Коды признаков", [flag.code for flag in self.flags])
        _once("Коды категорий", [category.code for category in self.categories])
        _once(
            "Виды и параллели процедур",
            [(p.kind, grade) for p in self.procedures for grade in p.grades or _EVERY_GRADE],
        )
        for flag in self.flags:
            if (flag.code == "low_results") != (flag.taken_from == "rules"):
                raise ValueError("Из правил следует признак low_results, и только он")
        declared = [flag.flag for flag in self.flags]
        used = {code for c in self.categories for code in [*c.has, *c.has_not]}
        if unknown := used - {flag.code for flag in self.flags}:
            raise ValueError(f"Категории ссылаются на необъявленные признаки: {sorted(unknown)}")
        if wrong := ambiguous(declared, self.as_categories()):
            told = "; ".join(
                f"{' + '.join(flag.code for flag in combined)}: категорий {many}"
                for combined, many in wrong
            )
            raise ValueError(f"Каждому сочетанию признаков нужна ровно одна категория ({told})")
        return self

    def as_rules(self) -> list[Rule]:
        """Give the rules as the algebra takes them."""
        return [rule.as_rule() for rule in self.rules]

    def as_categories(self) -> list[Category]:
        """Give the categories as the algebra takes them."""
        return [category.as_category() for category in self.categories]

    def considered(self, kind: str, grade: int) -> Considered | None:
        """Find the line that makes a procedure count, or None."""
        return next((line for line in self.procedures if line.takes(kind, grade)), None)

    def years(self, year: int) -> list[int]:
        """List the years of which results are needed for a list of ``year``, newest first.

        Pooling of small groups looks further back than the rules themselves.
        """
        pooled = range(self.small_n.years or 1)
        back = {back + more for rule in self.rules for back in rule.years_back for more in pooled}
        return [year - offset for offset in sorted(back)]

    def canonical(self) -> dict[str, Any]:
        """Give the document as plain JSON values, always the same for the same methodology."""
        return self.model_dump(mode="json")


_FLAGS: dict[FlagCode, Flag] = {
    "low_results": Flag.LOW_RESULTS,
    "adverse_conditions": Flag.ADVERSE_CONDITIONS,
}


def _bits(codes: list[FlagCode]) -> Flag:
    bits = Flag(0)
    for code in codes:
        bits |= _FLAGS[code]
    return bits


def _once(what: str, names: list[Any]) -> None:
    if len(set(names)) != len(names):
        raise ValueError(f"{what} не должны повторяться")
