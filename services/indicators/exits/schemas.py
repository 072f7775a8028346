"""What travels about leaving the list."""

from typing import Annotated, Literal

from pydantic import Field

from services.indicators.identification.schemas import CertaintyCode
from services.indicators.methodologies.exits import ExitText
from services.kit.http import Out
from services.kit.words import Meanings

__all__ = ["ExitStage", "ExitYearOut", "ExitsOut", "SchoolExitOut"]

ExitStage = Annotated[
    Literal["enters", "stays", "watch", "exits", "returns"],
    Meanings(
        "ExitStage",
        {
            "enters": "низкие результаты впервые или снова после выхода",
            "stays": "остаётся: лет без низких результатов подряд пока меньше, чем нужно",
            "watch": "под наблюдением: лет без низких результатов достаточно",
            "exits": "выходит: срок наблюдения прошёл",
            "returns": "вернулась: низкие результаты во время наблюдения",
        },
    ),
]
AnyStage = Annotated[
    Literal["outside", "enters", "stays", "watch", "exits", "returns"],
    Meanings(
        "ExitStageOfYear",
        {
            "outside": "вне списка и наблюдения",
            "enters": "входит",
            "stays": "остаётся",
            "watch": "под наблюдением",
            "exits": "выходит",
            "returns": "возвращается",
        },
    ),
]
Answer = Annotated[
    Literal["low", "clear", "unproven", "unknown"],
    Meanings(
        "ExitYearAnswer",
        {
            "low": "низкие результаты",
            "clear": "без низких результатов с той уверенностью, которой просит правило",
            "unproven": "доля ниже порога, но уверенности, которой просит правило, нет",
            "unknown": "данных нет или мало либо списка за год нет",
        },
    ),
]


class ExitYearOut(Out):
    """One year of a school: what the list said, and where the school is after it."""

    year: int = Field(description="Год списка", examples=[2025])
    run_id: int | None = Field(
        description="Прогон, чей это ответ; null — опубликованного списка за год нет", examples=[7]
    )
    certainty: CertaintyCode | None = Field(
        description="Класс признака «низкие результаты»; null — школы в прогоне нет",
        examples=["not_excluded"],
    )
    answer: Answer = Field(description="Что это значит для выхода", examples=["clear"])
    stage: AnyStage = Field(description="Где школа после этого года", examples=["watch"])
    clear_years: int = Field(
        description="Лет без низких результатов подряд (годы без данных не считаются)", examples=[2]
    )
    watch_year: int = Field(
        description="Какой год наблюдения, с 1; 0 — не наблюдается", examples=[1]
    )


class SchoolExitOut(Out):
    """Where a school is on the way out of the list, and by which years."""

    school_id: int = Field(description="Школа", examples=[12])
    municipality_id: int = Field(description="Муниципалитет на момент прогона", examples=[3])
    code: str = Field(description="Код школы", examples=["670101"])
    name: str = Field(description="Название", examples=["МБОУ Велижская СШ № 1"])
    stage: AnyStage = Field(description="Где школа после года списка", examples=["watch"])
    reason: str = Field(
        description="Почему, одним предложением",
        examples=["Под наблюдением, год 1 из 1: без низких результатов 2024, 2025"],
    )
    years: list[ExitYearOut] = Field(
        description="По годам: от первого опубликованного списка до года прогона"
    )


class ExitsOut(Out):
    """All schools that are, or were, in the list of low results, by the year of a run."""

    run_id: int = Field(description="Прогон", examples=[7])
    year: int = Field(description="Год списка", examples=[2025])
    rule: ExitText = Field(description="Правило выхода, по которому дан ответ")
    is_default_rule: bool = Field(
        description="true: в методике прогона правила нет, взяты значения по умолчанию (настройка "
        "Опоры, не норма документа)",
        examples=[False],
    )
    rule_text: str = Field(
        description="Правило словами",
        examples=["Выход: 2 года подряд без низких результатов, затем год наблюдения"],
    )
    run_ids: list[int] = Field(
        description="Прогоны, из которых следует ответ: последний опубликованный за каждый год и этот",
        examples=[[3, 5, 7]],
    )
    counts: dict[str, int] = Field(
        description="Сколько школ в каждом состоянии",
        examples=[{"enters": 4, "stays": 60, "watch": 8, "exits": 3, "returns": 1}],
    )
    items: list[SchoolExitOut] = Field(description="Школы по кодам")
