"""What travels about printed splits."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from services.indicators.algebra.printed import read_percent
from services.indicators.methodologies.parts import FlagCode
from services.kit.http import In, Out
from services.kit.words import Word

__all__ = [
    "PrintedSplitIn",
    "PrintedSplitOut",
    "PrintedSplitRow",
    "SplitFindingOut",
    "SplitSeverity",
]


def _percent(text: str) -> str:
    read_percent(text)
    return text


PercentText = Annotated[
    str,
    Field(
        min_length=1,
        max_length=20,
        description="Процент дословно, как напечатан: с запятой и знаком, если он есть",
        examples=["42,8 %"],
    ),
    AfterValidator(_percent),
]
Schools = Annotated[int, Field(ge=0, le=100_000)]


class PrintedFlag(In):
    """A flag as the document calls it."""

    code: FlagCode = Field(description="Признак Опоры", examples=["low_results"])
    title: str = Field(
        min_length=1, max_length=300, description="Как назван в документе", examples=["НР"]
    )


class PrintedCell(In):
    """A cell of the split: the schools with exactly these flags."""

    flags: list[FlagCode] = Field(
        min_length=1,
        max_length=5,
        description="Признаки, которые есть у школ ячейки; остальных нет",
        examples=[["low_results"]],
    )
    count: Schools = Field(description="Напечатанное число школ", examples=[13])
    percent: PercentText | None = Field(
        default=None, description="Напечатанный процент; null — не напечатан", examples=["20,6 %"]
    )
    title: str | None = Field(
        default=None,
        max_length=300,
        description="Слова документа",
        examples=["с низкими результатами"],
    )


class PrintedMunicipality(In):
    """A municipality with its printed number of schools."""

    name: str = Field(
        min_length=1,
        max_length=200,
        description="Название, как напечатано",
        examples=["Бабаевский"],
    )
    count: Schools = Field(description="Напечатанное число школ", examples=[3])


class PrintedFlagTotal(In):
    """The printed number of all schools that have a flag."""

    flag: FlagCode = Field(description="Признак", examples=["low_results"])
    count: Schools = Field(description="Напечатанное число школ", examples=[48])


class PrintedSource(In):
    """The document that printed the split."""

    document: str = Field(
        min_length=1,
        max_length=500,
        description="Документ",
        examples=["Программа поддержки школ, 2019"],
    )
    paragraph: str | None = Field(
        default=None, max_length=200, description="Раздел, страница", examples=["раздел 2"]
    )


class Printed(In):
    """A split as printed, word for word."""

    year: int = Field(ge=2000, le=2100, description="Год списка", examples=[2019])
    title: str = Field(
        min_length=1, max_length=300, description="Название", examples=["Выявленные школы, 2019"]
    )
    source: PrintedSource = Field(description="Откуда переписано")
    total: Schools = Field(description="Напечатанное общее число школ", examples=[63])
    flags: list[PrintedFlag] = Field(
        min_length=1,
        max_length=5,
        description="Признаки документа",
        examples=[
            [
                {"code": "low_results", "title": "НР"},
                {"code": "adverse_conditions", "title": "ССК"},
            ]
        ],
    )
    cells: list[PrintedCell] = Field(
        min_length=1,
        max_length=31,
        description="Ячейки по сочетаниям признаков",
        # They add up to the example of total: an example that does not would be refused.
        examples=[
            [
                {"flags": ["low_results"], "count": 20, "percent": "31,7 %"},
                {"flags": ["adverse_conditions"], "count": 16, "percent": "25,4 %"},
                {"flags": ["low_results", "adverse_conditions"], "count": 27, "percent": "42,8 %"},
            ]
        ],
    )
    municipalities: list[PrintedMunicipality] = Field(
        default_factory=list, max_length=200, description="Числа по муниципалитетам", examples=[[]]
    )
    flag_totals: list[PrintedFlagTotal] = Field(
        default_factory=list,
        max_length=5,
        description="Напечатанные итоги по признакам",
        examples=[[]],
    )


class PrintedSplitIn(Printed):
    """A printed split to be kept."""

    accept_as_printed: bool = Field(
        default=False,
        description="true — сохранить, даже если числа не сходятся: с пометкой и замечаниями",
        examples=[False],
    )
    reason: str | None = Field(
        default=None,
        min_length=3,
        max_length=1000,
        description="Почему сохраняется несходящееся; нужно при accept_as_printed",
        examples=["Так напечатано в программе, исправление не издано"],
    )

    @model_validator(mode="after")
    def _reason_is_given(self) -> Self:
        if self.accept_as_printed and self.reason is None:
            raise ValueError("При accept_as_printed укажите причину в reason")
        return self

    def printed(self) -> Printed:
        """Give what was printed, without what is asked of Opora."""
        return Printed.model_validate(self.model_dump(exclude={"accept_as_printed", "reason"}))


class SplitSeverity(Word):
    """What a finding means for the split."""

    ERROR = "error", "числа не могут быть верны одновременно"
    NOTE = "note", "пометка: сходится, но записано непоследовательно"


class SplitFindingOut(Out):
    """What was found in a printed split."""

    code: str = Field(description="Машинный код", examples=["percent-implies-other-count"])
    pointer: str = Field(description="Место (JSON Pointer)", examples=["/cells/3/percent"])
    severity: SplitSeverity = Field(description="Вес", examples=["error"])
    text: str = Field(
        description="Что найдено",
        examples=["23 из 63 — это 36,51 %, а напечатано 42,8 %: процент подразумевает 27"],
    )
    implies: list[int] = Field(
        description="Какие числа следуют из остального; пусто — никакие", examples=[[27]]
    )


class FlagSum(Out):
    """How many schools have a flag, by the cells."""

    flag: FlagCode = Field(description="Признак", examples=["low_results"])
    count: int = Field(description="Школ с признаком, по ячейкам", examples=[48])
    percent: str | None = Field(
        description="Доля от суммы ячеек, %, с округлением; null — ячейки пусты",
        examples=["76.2"],
    )


class SplitSums(Out):
    """What follows from the printed figures."""

    cells: int = Field(description="Сумма ячеек", examples=[63])
    municipalities: int | None = Field(
        description="Сумма по муниципалитетам; null — не напечатаны", examples=[63]
    )
    percents: str | None = Field(
        description="Сумма напечатанных процентов; null — напечатаны не все", examples=["99.85"]
    )
    by_flag: list[FlagSum] = Field(description="Школы по признакам")


class PrintedSplitRow(Out):
    """A printed split in the list."""

    id: int = Field(description="Номер записи", examples=[2])
    year: int = Field(description="Год списка", examples=[2019])
    title: str = Field(description="Название", examples=["Выявленные школы, 2019"])
    is_consistent: bool = Field(
        description="false: числа не сходятся, сохранено как напечатано", examples=[True]
    )
    accepted_reason: str | None = Field(
        default=None, description="Почему сохранено несходящееся", examples=[None]
    )
    content_hash: str = Field(
        description="SHA-256 напечатанного",
        examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    )
    created_by: str = Field(description="Кто загрузил", examples=["user:12"])
    created_at: datetime = Field(
        description="Когда загружено (UTC)", examples=["2026-11-22T10:00:00Z"]
    )


class PrintedSplitOut(PrintedSplitRow):
    """A printed split with its figures, findings and sums."""

    printed: Printed = Field(description="Как напечатано")
    findings: list[SplitFindingOut] = Field(description="Замечания, сначала ошибки")
    sums: SplitSums = Field(description="Что следует из напечатанного")
    version: int = Field(description="Версия записи (ETag); не меняется", examples=[1])
