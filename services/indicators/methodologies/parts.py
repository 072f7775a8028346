"""What all parts of a methodology's document are made of: codes, titles, exact numbers, sources."""

import datetime as dt
from fractions import Fraction
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    StringConstraints,
)
from pydantic_core import CoreSchema

from services.indicators.algebra.categories import Flag
from services.kit.inputs import as_declared
from services.kit.words import Meanings

__all__ = [
    "FLAGS",
    "Code",
    "ExactNumber",
    "ExactShare",
    "FlagCode",
    "Order",
    "Part",
    "Source",
    "Title",
    "bits_of",
]

_SHARE = r"^(\d{1,6}/[1-9]\d{0,5}|[01](\.\d{1,6})?)$"
_NUMBER = r"^-?\d{1,12}(\.\d{1,9})?$"


class Part(BaseModel):
    """A part of the document: an unknown field is refused, a read document does not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: type[BaseModel], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Hold every field to the JSON type that the contract declares: `true` is not 1."""
        schema: CoreSchema = as_declared(handler(source), cls)
        return schema


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
ExactNumber = Annotated[
    str,
    StringConstraints(pattern=_NUMBER),
    Field(
        description="Точное десятичное число с точкой, не более 9 знаков после неё",
        examples=["41.5"],
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
    Literal["low_results", "adverse_conditions", "biased_results", "decline_risk", "prevention"],
    Meanings(
        "FlagCode",
        {
            "low_results": "низкие результаты обучения (НРО)",
            "adverse_conditions": "неблагоприятные социальные условия (ФНСУ)",
            "biased_results": "признаки необъективности результатов (НО)",
            "decline_risk": "риски снижения результатов",
            "prevention": "профилактика учебной неуспешности",
        },
    ),
]
FLAGS: dict[FlagCode, Flag] = {
    "low_results": Flag.LOW_RESULTS,
    "adverse_conditions": Flag.ADVERSE_CONDITIONS,
    "biased_results": Flag.BIASED_RESULTS,
    "decline_risk": Flag.DECLINE_RISK,
    "prevention": Flag.PREVENTION,
}
"""The bit of every flag, in the order in which flags are told."""


def bits_of(codes: list[FlagCode]) -> Flag:
    """Join flags by their codes."""
    bits = Flag(0)
    for code in codes:
        bits |= FLAGS[code]
    return bits


class Order(Part):
    """The order that approves the methodology."""

    number: str = Field(
        min_length=1, max_length=100, description="Номер приказа", examples=["01-05/112"]
    )
    date: dt.date = Field(description="Дата приказа", examples=["2025-03-14"])


class Source(Part):
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
