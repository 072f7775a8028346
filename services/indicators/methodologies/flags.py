"""Parts of the document that group schools: independent flags and exclusive categories."""

from typing import Literal, Self

from pydantic import Field, model_validator

from services.indicators.algebra.categories import Category, Flag
from services.indicators.methodologies.conditions import (
    DEEPEST,
    MOST_NODES,
    Condition,
    depth,
    nodes,
)
from services.indicators.methodologies.parts import (
    FLAGS,
    Code,
    FlagCode,
    Part,
    Title,
    bits_of,
)

__all__ = ["CategoryText", "FlagText"]


class FlagText(Part):
    """A flag of a school and where it comes from."""

    code: FlagCode = Field(description="Код признака", examples=["low_results"])
    title: Title
    taken_from: Literal["rules", "school", "conditions"] = Field(
        description="rules — из правил этой методики; school — из обоснованной отметки в карточке "
        "школы; conditions — из условия when",
        examples=["rules"],
    )
    when: Condition | None = Field(
        default=None,
        description="Условие признака; указывается для conditions и только для них",
        examples=[None],
    )

    @model_validator(mode="after")
    def _condition_belongs(self) -> Self:
        if (self.taken_from == "conditions") != (self.when is not None):
            raise ValueError("Условие when указывается при taken_from: conditions и только при нём")
        if self.when is not None:
            if depth(self.when) > DEEPEST:
                raise ValueError(f"Условие вложено глубже {DEEPEST} уровней: его не прочесть")
            if sum(1 for _ in nodes(self.when)) > MOST_NODES:
                raise ValueError(f"В условии больше {MOST_NODES} частей: его не прочесть")
        return self

    @property
    def flag(self) -> Flag:
        """The bit of the flag."""
        return FLAGS[self.code]


class CategoryText(Part):
    """An exclusive category: has all of these flags and none of those."""

    code: Code
    title: Title
    has: list[FlagCode] = Field(
        min_length=1, max_length=5, description="Признаки, которые есть", examples=[["low_results"]]
    )
    has_not: list[FlagCode] = Field(
        default_factory=list,
        max_length=5,
        description="Признаки, которых нет",
        examples=[["adverse_conditions"]],
    )

    def as_category(self) -> Category:
        """Give the category as the algebra takes it."""
        return Category(self.code, bits_of(self.has), bits_of(self.has_not))
