"""Parts of a document in words: shares as percent, conditions as sentences."""

from decimal import Decimal
from fractions import Fraction
from typing import assert_never

from services.indicators.methodologies.conditions import (
    AllOf,
    AnyOf,
    AtLeastOf,
    AttributeCut,
    Condition,
    IndexCut,
    IndexShare,
    RuleHolds,
    SchoolMark,
    SignsCount,
)

__all__ = ["condition_words", "share_words"]

_THAN = {">=": "не меньше", ">": "больше", "<=": "не больше", "<": "меньше"}


def share_words(text: str) -> str:
    """Write an exact share as percent where that is exact and short, else as it is: "30 %", "1/3"."""
    percent = Fraction(text) * 100
    scaled = percent * 1000
    if scaled.denominator != 1:
        return text
    written = format((Decimal(scaled.numerator) / 1000).normalize(), "f")
    return f"{written.replace('.', ',')} %"


def condition_words(condition: Condition) -> str:  # noqa: PLR0911  a sentence for each kind
    """Tell a condition as a Russian sentence without a subject; codes stand in quotation marks."""
    match condition:
        case AnyOf():
            return _joined(condition.any, " или ")
        case AllOf():
            return _joined(condition.all, " и ")
        case AtLeastOf():
            parts = "; ".join(condition_words(part) for part in condition.of)
            return f"не менее {condition.at_least} из: ({parts})"
        case SchoolMark():
            return "обоснованная отметка в карточке школы"
        case IndexCut():
            return f"индекс «{condition.index}» {_THAN[condition.operator]} {condition.value}"
        case IndexShare():
            return (
                f"нижние {share_words(condition.lowest_share)} школ по индексу «{condition.index}»"
            )
        case AttributeCut():
            return (
                f"показатель «{condition.attribute}» {_THAN[condition.operator]} {condition.value}"
            )
        case SignsCount():
            asked = condition.signs
            kinds = f" ({', '.join(asked.detectors)})" if asked.detectors else ""
            return (
                f"признаков необъективности{kinds} не менее {asked.at_least} за {asked.years} г. "
                "перед годом списка"
            )
        case RuleHolds():
            return f"выполнено правило «{condition.rule}»"
        case _:
            assert_never(condition)


def _joined(parts: list[Condition], word: str) -> str:
    told = [
        f"({condition_words(part)})" if isinstance(part, AnyOf | AllOf) else condition_words(part)
        for part in parts
    ]
    return word.join(told)
