"""What a methodology says of the time after its list: leaving it, and the terms of appeals.

Source: peers 36 (fair exit), 7 (appeals with a clock). No document gives the numbers, so all of them are
settings of a region, marked as such.
"""

from typing import Annotated, Literal

from pydantic import Field

from services.indicators.methodologies.parts import Part
from services.kit.words import Meanings

__all__ = ["AppealTerms", "ClearCertainty", "ExitText"]

ClearCertainty = Annotated[
    Literal["none", "not_excluded"],
    Meanings(
        "ClearCertainty",
        {
            "none": "год засчитывается, только если низкие результаты исключены: класс «нет»",
            "not_excluded": "достаточно, что доля ниже порога: класс «нет» или «не исключено»",
        },
    ),
]


class ExitText(Part):
    """When a school leaves the list, and how long it is watched after that."""

    clear_years: int = Field(
        default=2,
        ge=1,
        le=5,
        description="Сколько лет подряд без низких результатов (настройка Опоры, не норма документа)",
        examples=[2],
    )
    clear_certainty: ClearCertainty = Field(
        default="not_excluded",
        description="Наибольший класс достоверности, с которым год засчитывается как год без низких "
        "результатов (настройка Опоры, не норма документа); «мало данных» не засчитывается никогда",
        examples=["not_excluded"],
    )
    watch_years: int = Field(
        default=1,
        ge=0,
        le=5,
        description="Сколько лет наблюдения, считая с года, в котором набраны clear_years; 0 — без "
        "наблюдения (настройка Опоры, не норма документа)",
        examples=[1],
    )


class AppealTerms(Part):
    """How long a published list may be contested, and how long an appeal may wait for its decision."""

    filing_days: int = Field(
        default=30,
        ge=1,
        le=365,
        description="Сколько суток после публикации принимаются апелляции (настройка Опоры, не норма "
        "документа)",
        examples=[30],
    )
    decision_days: int = Field(
        default=30,
        ge=1,
        le=365,
        description="За сколько суток после подачи апелляцию следует решить (настройка Опоры, не "
        "норма документа)",
        examples=[30],
    )
