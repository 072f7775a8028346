"""When a flag holds, as a tree of conditions over frozen facts of a school.

Answers are three-valued (Kleene): a fact that is not known makes a condition unknown, never false.
"Any" is true when one part is, unknown when none is true and one is unknown; "all" is false when one
part is, unknown when none is false and one is unknown; "at least k of" is true when k parts are, false
when fewer than k could still be. Evaluated in `identification`; here is only what may be written.

Source: methodology A4 (3, 4, 6) names the facts; B3 (iii) the lowest quartile; decision 0025.
"""

from collections.abc import Iterator
from fractions import Fraction
from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from services.indicators.context.documents import AttributeCode
from services.indicators.methodologies.parts import Code, ExactNumber, ExactShare, Part
from services.kit.words import Meanings

__all__ = [
    "AllOf",
    "AnyOf",
    "AtLeastOf",
    "AttributeCut",
    "Condition",
    "IndexCut",
    "IndexShare",
    "Operator",
    "RuleHolds",
    "SchoolMark",
    "SignsCount",
    "SignsText",
    "children",
    "nodes",
]

MOST_NODES = 60
"""A condition that a person can still read on one page."""
DEEPEST = 6

Operator = Annotated[
    Literal[">=", ">", "<=", "<"],
    Meanings("Operator", {">=": "не меньше", ">": "больше", "<=": "не больше", "<": "меньше"}),
    Field(description="Как значение сравнивается с границей, точно", examples=["<="]),
]
Parts = Annotated[
    list["Condition"],
    Field(min_length=1, max_length=20, description="Части условия", examples=[[{"rule": "a"}]]),
]


class AnyOf(Part):
    """At least one of the parts."""

    any: Parts


class AllOf(Part):
    """Every one of the parts."""

    all: Parts


class AtLeastOf(Part):
    """So many of the parts."""

    at_least: int = Field(ge=1, le=20, description="Не менее скольких частей", examples=[2])
    of: Parts

    @model_validator(mode="after")
    def _can_hold(self) -> Self:
        if self.at_least > len(self.of):
            raise ValueError(
                f"Нужно не менее {self.at_least} из {len(self.of)} частей: так не бывает"
            )
        return self


class SchoolMark(Part):
    """The reasoned mark of adverse conditions in the school's card."""

    school_mark: Literal[True] = Field(
        description="Обоснованная отметка о неблагоприятных условиях в карточке школы",
        examples=[True],
    )


class IndexCut(Part):
    """An index of the methodology stands at or beyond a border."""

    index: Code = Field(description="Код индекса из indices", examples=["isbsh"])
    operator: Operator
    value: ExactNumber

    @property
    def border(self) -> Fraction:
        """The border as a rational, in the units of the index."""
        return Fraction(self.value)


class IndexShare(Part):
    """The school is in the lowest share of the schools that have the index.

    Of N schools with a value the border is the value of rank ceil(share x N), counted from the lowest;
    every school with a value not above the border is in, so that ties on the border are all in.

    Source: methodology B3 (iii), "lowest quartile".
    """

    index: Code = Field(description="Код индекса из indices", examples=["isbsh"])
    lowest_share: ExactShare = Field(
        description="Нижняя доля школ, у которых есть индекс: ранг ceil(доля · N) снизу; школы с "
        "равным ему значением входят все",
        examples=["1/4"],
    )

    @property
    def share(self) -> Fraction:
        """The share of schools as a rational."""
        return Fraction(self.lowest_share)

    def rank(self, schools: int) -> int:
        """Give the rank, counted from the lowest, whose value is the border; 0 for no schools."""
        scaled = self.share * schools
        return -(-scaled.numerator // scaled.denominator)


class AttributeCut(Part):
    """An attribute of the school-year profile stands at or beyond a border."""

    attribute: AttributeCode
    operator: Operator
    value: ExactNumber

    @property
    def border(self) -> Fraction:
        """The border as a rational, in the units of the attribute."""
        return Fraction(self.value)


class SignsText(Part):
    """How many signs of biased results, over how many of the last years."""

    at_least: int = Field(ge=1, le=100, description="Не менее скольких признаков", examples=[1])
    years: int = Field(
        ge=1, le=10, description="За сколько последних лет перед годом списка", examples=[3]
    )
    detectors: list[Code] | None = Field(
        default=None,
        min_length=1,
        max_length=10,
        description="Только эти виды признаков; null — все",
        examples=[["border_peak"]],
    )


class SignsCount(Part):
    """Signs of biased results were found: signs that ask for a check, not a verdict.

    Source: methodology A4 (6), B4.
    """

    signs: SignsText = Field(description="Признаки необъективности")


class RuleHolds(Part):
    """A rule of low results of this methodology holds."""

    rule: Code = Field(description="Код правила из rules", examples=["a"])


_KINDS: dict[str, str] = {
    "any": "?any",
    "all": "?all",
    "of": "?of",
    "school_mark": "?school_mark",
    "lowest_share": "?lowest_share",
    "index": "?index",
    "attribute": "?attribute",
    "signs": "?signs",
    "rule": "?rule",
}
"""The field that tells the kind of a condition, in the order of asking. The question mark tells the
tags apart from fields in the places of errors (`lint`)."""


def _kind(told: Any) -> str | None:
    named = told if isinstance(told, dict) else getattr(type(told), "model_fields", {})
    return next((tag for field, tag in _KINDS.items() if field in named), None)


Condition = Annotated[
    Annotated[AnyOf, Tag("?any")]
    | Annotated[AllOf, Tag("?all")]
    | Annotated[AtLeastOf, Tag("?of")]
    | Annotated[SchoolMark, Tag("?school_mark")]
    | Annotated[IndexShare, Tag("?lowest_share")]
    | Annotated[IndexCut, Tag("?index")]
    | Annotated[AttributeCut, Tag("?attribute")]
    | Annotated[SignsCount, Tag("?signs")]
    | Annotated[RuleHolds, Tag("?rule")],
    Discriminator(_kind),
    Field(
        description="Условие: any, all, at_least и of, school_mark, index, attribute, signs, rule"
    ),
]

for _tree in (AnyOf, AllOf, AtLeastOf):
    _tree.model_rebuild()


def children(condition: Condition) -> list[tuple[str, Condition]]:
    """List the parts of a condition with the pointers that lead to them from it."""
    match condition:
        case AnyOf():
            field, parts = "any", condition.any
        case AllOf():
            field, parts = "all", condition.all
        case AtLeastOf():
            field, parts = "of", condition.of
        case _:
            return []
    return [(f"/{field}/{place}", part) for place, part in enumerate(parts)]


def nodes(condition: Condition, pointer: str = "") -> Iterator[tuple[str, Condition]]:
    """Walk a condition and all its parts, each with its JSON pointer, from the top."""
    yield pointer, condition
    for step, part in children(condition):
        yield from nodes(part, pointer + step)


def depth(condition: Condition) -> int:
    """Count the levels of a condition; a condition without parts has one."""
    return 1 + max((depth(part) for _, part in children(condition)), default=0)
