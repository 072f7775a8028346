"""The document of a methodology: its fields and what they give to the arithmetic."""

import datetime as dt
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import Field

from services.indicators.algebra.categories import Category
from services.indicators.algebra.rules import Rule
from services.indicators.context.documents import ExpectationText, IndexText
from services.indicators.methodologies.conditions import (
    AttributeCut,
    Condition,
    SignsCount,
    nodes,
)
from services.indicators.methodologies.exits import AppealTerms, ExitText
from services.indicators.methodologies.flags import CategoryText, FlagText
from services.indicators.methodologies.judgement import (
    LONGEST_LOOK_BACK,
    CertaintySettings,
    Considered,
    LowResult,
    RuleText,
    SmallGroups,
)
from services.indicators.methodologies.parts import Code, ExactShare, Order, Part, Source, Title
from services.kit.words import Word

__all__ = ["MethodologyText", "PermittedUse"]

_ADDED: dict[str, Any] = {
    "indices": [],
    "expectation": None,
    "context_year_back": 1,
    "exit": None,
    "appeals": None,
}
"""Fields of the second format with the values by which they say nothing."""
_ADDED_TO_CERTAINTY = {"interval": "wilson", "shrinkage": "none"}


class PermittedUse(Word):
    """For what the results must be permitted to be used (design 6)."""

    IDENTIFICATION = "identification", "списки школ: результат можно утвердить и опубликовать"
    ANALYSIS = "analysis", "только анализ: прогон нельзя утвердить и опубликовать"


class MethodologyText(Part):
    """The fields of a version of a methodology, each well-formed; together perhaps contradictory."""

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
        min_length=1, max_length=5, description="Независимые признаки школы"
    )
    categories: list[CategoryText] = Field(
        min_length=1,
        max_length=31,
        description="Взаимоисключающие категории: каждому сочетанию признаков ровно одна",
    )
    indices: list[IndexText] = Field(
        default_factory=list,
        max_length=20,
        description="Индексы по профилям школ, на которые ссылаются условия",
        examples=[[]],
    )
    expectation: ExpectationText | None = Field(
        default=None,
        description="Как определяется ожидаемый с учётом контекста результат; null — не определяется",
        examples=[None],
    )
    context_year_back: int = Field(
        default=1,
        ge=0,
        le=LONGEST_LOOK_BACK,
        description="Профили какого года берутся: на сколько лет раньше года списка",
        examples=[1],
    )
    exit: ExitText | None = Field(
        default=None,
        description="Как школа выходит из списка и наблюдается; null — не определено",
        examples=[None],
    )
    appeals: AppealTerms | None = Field(
        default=None,
        description="Сроки апелляций на опубликованный список; null — 30 и 30 суток (настройка "
        "Опоры, не норма документа)",
        examples=[None],
    )

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

    def context_year(self, year: int) -> int:
        """Give the year of the profiles that a list of ``year`` reads."""
        return year - self.context_year_back

    def sign_years(self, year: int) -> list[int]:
        """List the years of which signs of biased results are needed, newest first."""
        asked = [node.signs.years for _, node in self.conditions() if isinstance(node, SignsCount)]
        return [year - back for back in range(1, max(asked, default=0) + 1)]

    def conditions(self) -> Iterator[tuple[str, Condition]]:
        """Walk the conditions of all flags with their pointers."""
        for place, flag in enumerate(self.flags):
            if flag.when is not None:
                yield from nodes(flag.when, f"/flags/{place}/when")

    def attributes(self) -> list[str]:
        """List the attributes of profiles that conditions, indices and expectation name, by code."""
        named = {node.attribute for _, node in self.conditions() if isinstance(node, AttributeCut)}
        named.update(*(index.attributes for index in self.indices))
        if self.expectation is not None:
            named.update(self.expectation.attributes)
        return sorted(named)

    def canonical(self) -> dict[str, Any]:
        """Give the document as plain JSON values, always the same for the same methodology.

        What later formats added is left out where it says nothing, so that a document written before
        them keeps its hash.
        """
        written = self.model_dump(mode="json")
        for field, silent in _ADDED.items():
            if written[field] == silent:
                del written[field]
        for field, silent in _ADDED_TO_CERTAINTY.items():
            if written["certainty"][field] == silent:
                del written["certainty"][field]
        for flag in written["flags"]:
            if flag["when"] is None:
                del flag["when"]
        return written
