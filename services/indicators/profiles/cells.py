"""One cell of a profile: what may stand in it, by the kind of its attribute.

Shared by the API and the import of files, so that they cannot come to differ in their rules.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from services.indicators.algebra.columns import PRECISE
from services.indicators.algebra.values import State
from services.kit.words import Word

__all__ = ["Cell", "CellRefused", "Kind", "checked", "stored"]

_PLACES = 9
_GREATEST = Decimal(10) ** 12
_GREATEST_COUNT = 10**9
_SHARE_STEP = Decimal("1E-12")


class Kind(Word):
    """What an attribute is answered with."""

    SHARE = "share", "доля от 0 до 1: числитель и знаменатель или число"
    COUNT = "count", "целое число от 0"
    NUMBER = "number", "число"
    BOOLEAN = "boolean", "да (1) или нет (0)"


class CellRefused(ValueError):  # noqa: N818  a fact about what was sent, in Russian
    """A cell cannot hold this; `code` is stable, `field` names what is wrong."""

    def __init__(self, code: str, field: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.field = field


@dataclass(frozen=True)
class Cell:
    """A cell that was checked."""

    state: State
    value: Decimal | None = None
    numerator: int | None = None
    denominator: int | None = None


def checked(
    kind: Kind,
    state: State,
    *,
    value: Decimal | None = None,
    numerator: int | None = None,
    denominator: int | None = None,
) -> Cell:
    """Check a cell. A share given by counts gets its value: 12 places, half to even.

    Raises:
        CellRefused: The cell contradicts its state or the kind of its attribute.
    """
    has_counts = numerator is not None or denominator is not None
    if state is not State.VALUE:
        if value is not None or has_counts:
            raise CellRefused("value_without_state", "state", "Число указано, а состояние не value")
        return Cell(state)
    if has_counts:
        return _counted(kind, value, numerator, denominator)
    if value is None:
        raise CellRefused("value_missing", "value", "Состояние value требует числа")
    return Cell(state, _fitting(kind, value))


def stored(
    cell: Cell, source: str, *, import_id: int | None = None, row_no: int | None = None
) -> dict[str, Any]:
    """Give a cell as `school_profile.values` keeps it: numbers as exact texts."""
    return {
        "state": str(cell.state),
        "value": None if cell.value is None else _plain(cell.value),
        "numerator": cell.numerator,
        "denominator": cell.denominator,
        "source": source,
        "import_id": import_id,
        "row_no": row_no,
    }


def _counted(
    kind: Kind, value: Decimal | None, numerator: int | None, denominator: int | None
) -> Cell:
    if kind is not Kind.SHARE:
        raise CellRefused(
            "not_a_share", "numerator", "Числитель и знаменатель бывают только у доли"
        )
    if value is not None:
        raise CellRefused(
            "share_twice", "value", "Укажите либо число, либо числитель и знаменатель"
        )
    if numerator is None or denominator is None:
        raise CellRefused("share_half", "numerator", "Нужны и числитель, и знаменатель")
    if denominator == 0:
        raise CellRefused(
            "denominator_zero",
            "denominator",
            "Доля от нуля не определена: если признак к школе не относится, запишите «н/п»",
        )
    if not 0 <= numerator <= denominator <= _GREATEST_COUNT:
        raise CellRefused(
            "share_out_of_range", "numerator", "Числитель должен быть от 0 до знаменателя"
        )
    share = PRECISE.divide(Decimal(numerator), Decimal(denominator))
    return Cell(
        State.VALUE, share.quantize(_SHARE_STEP, rounding=ROUND_HALF_EVEN), numerator, denominator
    )


def _fitting(kind: Kind, value: Decimal) -> Decimal:
    places = value.as_tuple().exponent
    if not isinstance(places, int) or abs(value) > _GREATEST:
        raise CellRefused("number_too_big", "value", "Число больше 10 в 12-й степени")
    if -places > _PLACES and value != round(value, _PLACES):
        raise CellRefused("too_many_places", "value", f"Знаков после запятой больше {_PLACES}")
    if kind is Kind.SHARE and not 0 <= value <= 1:
        raise CellRefused(
            "share_out_of_range", "value", "Доля должна быть от 0 до 1: 35 % — это 0,35"
        )
    if kind is Kind.COUNT and (value != int(value) or not 0 <= value <= _GREATEST_COUNT):
        raise CellRefused("not_a_count", "value", "Нужно целое число от 0 до 10^9")
    if kind is Kind.BOOLEAN and value not in (0, 1):
        raise CellRefused("not_a_boolean", "value", "Нужно 1 (да) или 0 (нет)")
    return value


def _plain(value: Decimal) -> str:
    """Write a number without an exponent and without zeros at the end of its fraction."""
    text = f"{PRECISE.plus(value):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
