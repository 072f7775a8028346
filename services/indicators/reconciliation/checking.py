"""What in a printed split cannot be true, and what the other figures imply.

Source: seed-arithmetic 1.1 to 1.3.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from itertools import combinations
from typing import Any

from services.indicators.algebra.printed import (
    PrintedPercent,
    Printing,
    counts_printed_as,
    printing_of,
    read_percent,
)
from services.indicators.algebra.shares import Share
from services.indicators.reconciliation.names import is_known, nearest, stem
from services.indicators.reconciliation.schemas import Printed, SplitSeverity

__all__ = ["SplitFinding", "check_split", "sums_of"]


_FEW = 10


@dataclass(frozen=True, slots=True)
class SplitFinding:
    """One finding: code, place, weight, words, and the counts that follow from the rest."""

    code: str
    pointer: str
    severity: SplitSeverity
    text: str
    implies: tuple[int, ...] = ()


def check_split(printed: Printed, municipalities: Sequence[str]) -> list[SplitFinding]:
    """Check a split like an accountant's table, errors first, then in the order of the document.

    ``municipalities`` are the names the region has; with none of them names are not checked.
    """
    found = [
        *_cells(printed),
        *_percents(printed),
        *_totals(printed),
        *_municipalities(printed, municipalities),
    ]
    return sorted(found, key=lambda one: one.severity is not SplitSeverity.ERROR)


def sums_of(printed: Printed) -> dict[str, Any]:
    """Give what follows from the figures: sums of cells, municipalities, percents, schools by flag."""
    total = sum(cell.count for cell in printed.cells)
    percents = [read_percent(cell.percent).value for cell in printed.cells if cell.percent]
    is_whole = len(percents) == len(printed.cells)
    return {
        "cells": total,
        "municipalities": sum(one.count for one in printed.municipalities)
        if printed.municipalities
        else None,
        "percents": format(sum(percents, Decimal(0)), "f") if is_whole else None,
        "by_flag": [
            {
                "flag": flag.code,
                "count": (many := _with_flag(printed, flag.code)),
                "percent": format(share, "f")
                if (share := Share(many, total).percent(1)) is not None
                else None,
            }
            for flag in printed.flags
        ],
    }


def _with_flag(printed: Printed, flag: str) -> int:
    return sum(cell.count for cell in printed.cells if flag in cell.flags)


def _error(code: str, pointer: str, text: str, implies: Sequence[int] = ()) -> SplitFinding:
    return SplitFinding(code, pointer, SplitSeverity.ERROR, text, tuple(implies))


def _note(code: str, pointer: str, text: str, implies: Sequence[int] = ()) -> SplitFinding:
    return replace(_error(code, pointer, text, implies), severity=SplitSeverity.NOTE)


def _cells(printed: Printed) -> Iterator[SplitFinding]:
    declared = [flag.code for flag in printed.flags]
    if len(set(declared)) != len(declared):
        yield _error("flag-repeated", "/flags", "Признаки не должны повторяться")
    seen: dict[frozenset[str], int] = {}
    for place, cell in enumerate(printed.cells):
        if unknown := sorted(set(cell.flags) - set(declared)):
            yield _error(
                "flag-undeclared",
                f"/cells/{place}/flags",
                f"Признаков нет в списке flags: {', '.join(unknown)}",
            )
        mine = frozenset[str](cell.flags)
        if mine in seen:
            yield _error(
                "cell-repeated",
                f"/cells/{place}/flags",
                f"Ячейка с теми же признаками уже есть: /cells/{seen[mine]}",
            )
        seen.setdefault(mine, place)
    for size in range(1, len(declared) + 1):
        for some in combinations(declared, size):
            if frozenset(some) not in seen:
                yield _note(
                    "cell-unsaid",
                    "/cells",
                    f"Сочетание «{' + '.join(some)}» не напечатано: считается, что школ 0",
                    (0,),
                )


def _percents(printed: Printed) -> Iterator[SplitFinding]:
    read: list[PrintedPercent] = []
    for place, cell in enumerate(printed.cells):
        if cell.percent is None:
            continue
        percent, pointer = read_percent(cell.percent), f"/cells/{place}/percent"
        read.append(percent)
        how = printing_of(cell.count, printed.total, percent)
        if how is None:
            yield _wrong_percent(printed, place, percent)
        elif how is Printing.TRUNCATED:
            rounded = Share(cell.count, printed.total).percent(percent.places)
            yield _note(
                "percent-truncated",
                pointer,
                f"{cell.count} из {printed.total}: «{cell.percent}» отброшено, а не округлено "
                f"(с округлением {_comma(rounded)} %)",
            )
        if not percent.has_sign:
            yield _note("percent-without-sign", pointer, f"«{cell.percent}» напечатано без знака %")
    if len({percent.places for percent in read}) > 1:
        yield _note(
            "percents-differ-in-digits", "/cells", "Проценты напечатаны с разным числом знаков"
        )
    if len(read) == len(printed.cells) and (added := sum(p.value for p in read)) != 100:
        yield _note(
            "percents-sum", "/cells", f"Сумма напечатанных процентов {_comma(added)}, не 100"
        )


def _wrong_percent(printed: Printed, place: int, percent: PrintedPercent) -> SplitFinding:
    cell = printed.cells[place]
    implied = counts_printed_as(percent, printed.total)
    is_share = printed.total > 0 and cell.count <= printed.total
    real = Share(cell.count, printed.total).percent(2) if is_share else None
    told = f"{cell.count} из {printed.total}" + (f" — это {_comma(real)} %" if real else "")
    text = f"{told}, а напечатано «{cell.percent}»"
    if implied:
        text += f": процент подразумевает {_either(implied)}"
        others = sum(one.count for one in printed.cells) - cell.count
        if (fitting := printed.total - others) in implied:
            text += f"; с числом {fitting} сумма ячеек равна {printed.total}"
    else:
        text += f": такого процента от {printed.total} не даёт ни одно число школ"
    few = implied if len(implied) <= _FEW else []
    return _error("percent-implies-other-count", f"/cells/{place}/percent", text, few)


def _either(counts: Sequence[int]) -> str:
    if len(counts) > _FEW:
        return f"от {counts[0]} до {counts[-1]}"
    return " или ".join(map(str, counts))


def _comma(value: Decimal | Fraction | int | None) -> str:
    return str(value).replace(".", ",")


def _totals(printed: Printed) -> Iterator[SplitFinding]:
    cells = sum(cell.count for cell in printed.cells)
    if cells != printed.total:
        yield _error(
            "cells-do-not-add-up",
            "/cells",
            f"Сумма ячеек {cells} ≠ {printed.total}: расходится на {abs(cells - printed.total)}",
            (cells,),
        )
    for place, one in enumerate(printed.flag_totals):
        many = _with_flag(printed, one.flag)
        if many != one.count:
            yield _error(
                "flag-total-differs",
                f"/flag_totals/{place}/count",
                f"С признаком {one.flag} напечатано {one.count}, по ячейкам {many}",
                (many,),
            )


def _municipalities(printed: Printed, known: Sequence[str]) -> Iterator[SplitFinding]:
    if not printed.municipalities:
        return
    added = sum(one.count for one in printed.municipalities)
    if added != printed.total:
        yield _error(
            "municipalities-do-not-add-up",
            "/municipalities",
            f"Сумма по муниципалитетам {added} ≠ {printed.total}",
            (added,),
        )
    seen: dict[str, int] = {}
    for place, one in enumerate(printed.municipalities):
        pointer = f"/municipalities/{place}/name"
        if stem(one.name) in seen:
            yield _error(
                "municipality-repeated",
                pointer,
                f"«{one.name}» уже есть: /municipalities/{seen[stem(one.name)]}",
            )
        seen.setdefault(stem(one.name), place)
        if known and not is_known(one.name, known):
            close = nearest(one.name, known)
            yield _error(
                "municipality-unknown",
                pointer,
                f"Муниципалитета «{one.name}» в регионе нет"
                + (f"; похоже на «{close}»" if close else ""),
            )
