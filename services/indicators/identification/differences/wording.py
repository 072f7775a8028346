"""Why a school entered or left, in one Russian sentence: the facts that were found to suffice."""

from collections.abc import Sequence

from services.indicators.identification.differences.schemas import (
    CauseOut,
    CellChangeOut,
    CellNumbersOut,
    FactChangeOut,
)
from services.indicators.identification.tracing.narration import procedure_name

__all__ = [
    "cells_text",
    "facts_text",
    "sentence",
]

SHOWN = 4
"""So many cells are told in a sentence; all of them are in the answer."""

_DID = {
    "entered": "вошла в список",
    "left": "вышла из списка",
    "changed": "осталась на том же месте списка, но с иным ответом",
}


def sentence(name: str, kind: str, causes: Sequence[CauseOut], *, is_combination: bool) -> str:
    """Join the causes: one, any of several, or all together."""
    texts = [cause.text for cause in causes]
    if is_combination:
        why = "сочетание причин: " + "; ".join(texts)
    elif len(texts) > 1:
        why = "достаточно любой из причин: " + "; ".join(texts)
    else:
        why = texts[0]
    return f"«{name}» {_DID[kind]}: {why}."


def cells_text(cells: Sequence[CellChangeOut], code: str) -> str:
    """Tell changed cells: what brought the new numbers, then the numbers of each."""
    if not cells:
        return "изменились числа других школ, от которых зависит ответ"
    told = "; ".join(_cell(cell) for cell in cells[:SHOWN])
    rest = f"; и ещё ячеек: {len(cells) - SHOWN}" if len(cells) > SHOWN else ""
    return f"{_brought(cells, code)}: {told}{rest}"


def _brought(cells: Sequence[CellChangeOut], code: str) -> str:
    if code == "scale":
        return "изменились шкалы, низкие результаты посчитаны по новым"
    if appeals := sorted({cell.appeal_id for cell in cells if cell.appeal_id is not None}):
        numbers = _numbered(appeals)
        orders = sorted({cell.order_number for cell in cells if cell.order_number})
        word = "апелляции" if len(appeals) == 1 else "апелляциям"
        order = f" (приказ {', '.join(orders)})" if orders else ""
        return f"по {word} {numbers}{order} исправлено число низких результатов"
    if merged := sorted({name for cell in cells for name in cell.predecessors}):
        return "учтены результаты присоединённых школ (" + ", ".join(merged) + ")"
    old = sorted({number for cell in cells for number in cell.import_ids_before})
    new = sorted({number for cell in cells for number in cell.import_ids_after})
    if old != new and new:
        instead = f" вместо {_numbered(old)}" if old else ""
        return f"новые результаты (импорт {_numbered(new)}{instead})"
    return "изменились результаты"


def _numbered(numbers: Sequence[int]) -> str:
    return ", ".join(f"№ {number}" for number in numbers)


def _cell(cell: CellChangeOut) -> str:
    return f"{procedure_name(cell)}: {_numbers(cell.before, cell.after)}"


def _numbers(before: CellNumbersOut | None, after: CellNumbersOut | None) -> str:
    if any(side is not None and side.suppressed for side in (before, after)):
        return "числа изменились и скрыты: группа мала или число было бы раскрыто"
    old = "данных не было" if before is None else f"было {before.low} из {before.n}"
    return f"{old}, " + ("данных нет" if after is None else f"стало {after.low} из {after.n}")


_NAMES = {
    "kind": "вид школы",
    "stages": "ступени",
    "adverse_conditions": "отметка о неблагоприятных условиях",
    "municipality_name": "муниципалитет",
}


def facts_text(facts: Sequence[FactChangeOut], code: str) -> str:
    """Tell changed facts of the card or the profile; none of its own: those of other schools did it."""
    if not facts:
        return "изменились показатели других школ, от которых зависит индекс"
    told = "; ".join(_NAMES.get(fact.name, fact.name) + _values(fact) for fact in facts)
    return ("изменилась карточка школы" if code == "school" else "изменился профиль школы") + (
        f" ({told})"
    )


def _values(fact: FactChangeOut) -> str:
    if fact.suppressed:
        return ""
    return f": {fact.before or 'неизвестно'} → {fact.after or 'неизвестно'}"
