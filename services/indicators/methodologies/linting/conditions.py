"""What is contradictory or doubtful in conditions, indices, flags and categories."""

from collections.abc import Iterator
from fractions import Fraction

from services.indicators.context.documents import IndexText
from services.indicators.methodologies.conditions import (
    AllOf,
    AnyOf,
    AttributeCut,
    Condition,
    IndexCut,
    IndexShare,
)
from services.indicators.methodologies.findings import Finding, Severity
from services.indicators.methodologies.text import MethodologyText

__all__ = ["doubtful_conditions"]

_FEW_COMPONENTS = 3
Bound = tuple[Fraction, bool]
"""A border of an interval and whether the border itself is outside."""


def doubtful_conditions(text: MethodologyText) -> Iterator[Finding]:
    """Find conditions that never or always hold, weak indices, parts that nothing uses."""
    for pointer, node in text.conditions():
        match node:
            case AllOf():
                yield from _empty(pointer, node)
            case AnyOf():
                yield from _everything(pointer, node)
            case IndexShare():
                yield from _doubtful_share(pointer, node, text)
            case _:
                pass
    yield from _unused(text)


def _named(cut: IndexCut | AttributeCut) -> tuple[str, str]:
    return ("индекс", cut.index) if isinstance(cut, IndexCut) else ("показатель", cut.attribute)


def _cuts(parts: list[Condition]) -> dict[tuple[str, str], list[IndexCut | AttributeCut]]:
    found: dict[tuple[str, str], list[IndexCut | AttributeCut]] = {}
    for part in parts:
        if isinstance(part, IndexCut | AttributeCut):
            found.setdefault(_named(part), []).append(part)
    return found


def _flattened(node: AllOf) -> list[Condition]:
    flat: list[Condition] = []
    for part in node.all:
        flat += _flattened(part) if isinstance(part, AllOf) else [part]
    return flat


def _empty(pointer: str, node: AllOf) -> Iterator[Finding]:
    for (what, code), cuts in _cuts(_flattened(node)).items():
        lower = max(
            ((c.border, c.operator == ">") for c in cuts if c.operator in {">", ">="}), default=None
        )
        upper = min(
            ((c.border, c.operator == "<=") for c in cuts if c.operator in {"<", "<="}),
            default=None,
        )
        if lower is None or upper is None:
            continue
        is_touching = lower[0] == upper[0] and not lower[1] and upper[1]
        if lower[0] > upper[0] or (lower[0] == upper[0] and not is_touching):
            told = " и ".join(f"{c.operator} {c.value}" for c in cuts)
            yield Finding(
                "condition-never",
                pointer,
                Severity.ERROR,
                f"Условие не выполнится никогда: {what} «{code}» {told}",
                "Исправьте границы или замените all на any",
            )


def _everything(pointer: str, node: AnyOf) -> Iterator[Finding]:
    for (what, code), cuts in _cuts(node.any).items():
        lower = min(
            ((c.border, c.operator == ">") for c in cuts if c.operator in {">", ">="}), default=None
        )
        upper = max(
            ((c.border, c.operator == "<=") for c in cuts if c.operator in {"<", "<="}),
            default=None,
        )
        if lower is None or upper is None:
            continue
        is_covered = lower[0] < upper[0] or (lower[0] == upper[0] and (not lower[1] or upper[1]))
        if is_covered:
            told = " или ".join(f"{c.operator} {c.value}" for c in cuts)
            yield Finding(
                "condition-always",
                pointer,
                Severity.WARNING,
                f"Условие выполнено всегда, когда {what} «{code}» известен: {told}",
                "Исправьте границы или замените any на all",
            )


def _doubtful_share(pointer: str, node: IndexShare, text: MethodologyText) -> Iterator[Finding]:
    index = next((one for one in text.indices if one.code == node.index), None)
    if index is None:
        return
    if not index.is_low_adverse:
        yield Finding(
            "index-direction",
            f"{pointer}/lowest_share",
            Severity.WARNING,
            f"У индекса «{index.code}» неблагоприятны большие значения, а условие берёт нижнюю долю "
            "школ — самые благополучные",
            "Поменяйте знак шага шкалы (step) или направление компонентов (adverse)",
        )
    if len(index.components) < _FEW_COMPONENTS:
        yield _thin(pointer, index)


def _thin(pointer: str, index: IndexText) -> Finding:
    return Finding(
        "index-thin",
        f"{pointer}/index",
        Severity.WARNING,
        f"Нижняя доля школ берётся по индексу «{index.code}» из {len(index.components)} компонентов: "
        "один показатель решает за всю долю",
        f"Возьмите не менее {_FEW_COMPONENTS} компонентов или условие на сам показатель",
    )


def _unused(text: MethodologyText) -> Iterator[Finding]:
    used = {code for one in text.categories for code in one.has}
    for place, flag in enumerate(text.flags):
        if flag.code not in used:
            yield Finding(
                "flag-unused",
                f"/flags/{place}",
                Severity.WARNING,
                f"Признак {flag.code} не входит ни в одну категорию: школы с ним в список не попадут",
                "Добавьте категорию с этим признаком или уберите его",
            )
    named = {node.index for _, node in text.conditions() if isinstance(node, IndexCut | IndexShare)}
    named.update(text.expectation.indices if text.expectation else [])
    for place, index in enumerate(text.indices):
        if index.code not in named:
            yield Finding(
                "index-unused",
                f"/indices/{place}",
                Severity.WARNING,
                f"Индекс «{index.code}» ни в одном условии не используется",
                "Сошлитесь на него в условии признака или уберите",
            )
