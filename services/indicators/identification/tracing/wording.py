"""A condition of a flag in plain Russian, with the numbers of the school."""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction

from services.indicators.algebra.shares import round_half_up
from services.indicators.identification.tracing.flag_schemas import ConditionTraceOut
from services.indicators.identification.tracing.narration import comma

__all__ = ["condition_text"]

_SIGNS = {">=": "не меньше", ">": "больше", "<=": "не больше", "<": "меньше"}
_ANSWERS = {"yes": "да", "no": "нет", "unknown": "неизвестно", "hidden": "скрыто"}
_MISSING = {"not_applicable": "неприменимо", "not_submitted": "не подано"}


def condition_text(told: ConditionTraceOut, titles: Mapping[str, str]) -> str:
    """Tell a condition and the answer in one line; ``titles`` name indices and rules by code."""
    return f"{_fact(told, titles)} — {_ANSWERS[told.answer]}"


_PLAIN = {
    "any": "Выполнено хотя бы одно из условий",
    "all": "Выполнены все условия",
    "school_mark": "В карточке школы есть обоснованная отметка о неблагоприятных условиях",
}


def _fact(told: ConditionTraceOut, titles: Mapping[str, str]) -> str:
    title = titles.get(told.code or "", told.code or "")
    match told.kind:
        case "any" | "all" | "school_mark":
            return _PLAIN[told.kind]
        case "at_least":
            return f"Выполнено не менее {told.at_least} из {len(told.conditions)} условий"
        case "rule":
            return f"Выполнено правило «{title}»"
        case "signs":
            return _signs(told)
        case "lowest_share":
            return _lowest(told, title)
        case _:
            what = f"Индекс «{title}»" if told.kind == "index" else f"Показатель «{title}»"
            sign = _SIGNS[told.operator or ">="]
            return f"{what} {sign} {_number(told.threshold)}{_value(told)}"


def _lowest(told: ConditionTraceOut, title: str) -> str:
    share = comma(round_half_up(Fraction(told.threshold or 0) * 100, 2))
    # Where some school has the index there is a border, whoever may see it.
    unseen = "граница скрыта" if told.schools else "границы нет"
    border = f"граница {_number(told.border)}" if told.border else unseen
    return (
        f"Индекс «{title}» среди низших {share} % школ ({told.place}-е значение снизу из "
        f"{told.schools}, {border}){_value(told)}"
    )


def _signs(told: ConditionTraceOut) -> str:
    found = "" if told.value is None else f": найдено {told.value}"
    return (
        f"Признаков необъективности, требующих проверки, за {told.years} г. перед годом списка не "
        f"менее {told.at_least}{found}"
    )


def _value(told: ConditionTraceOut) -> str:
    if told.value is not None:
        return f": у школы {_number(told.value)}"
    if told.state in _MISSING:
        return f": {_MISSING[told.state or '']}"
    return ""


def _number(text: str | None) -> str:
    if text is None:
        return "нет"
    return text if "/" in text else comma(Decimal(text))
