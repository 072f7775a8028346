"""What of a profile a caller is told.

Who has the rows anyway (region, municipality, school) sees exact numbers. Others, curators and machine
clients without `indices:exact`, get of what counts pupils:

- a share as whole percents when the group has at least `size` pupils and the part is zero or neither
  the part nor the rest is smaller than that; a share without counts is hidden, its group may be small;
- a count of at least `size`; no numerators and denominators;
- nothing else that follows from pupils.

No totals of profiles are told to them (statistics ask for `indices:exact`), so a hidden number has no
neighbours from which it would follow. Source: design 4; suppression/threshold.py has the same border.
"""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from services.indicators.profiles.cells import Kind
from services.indicators.profiles.tables import ProfileAttribute, SchoolProfile

__all__ = ["told_cells"]

_NUMBERS = ("value", "numerator", "denominator")
_MISSING: Mapping[str, Any] = {
    "state": "not_submitted",
    "value": None,
    "numerator": None,
    "denominator": None,
    "source": None,
    "import_id": None,
    "row_no": None,
}


def told_cells(
    profile: SchoolProfile,
    attributes: Mapping[str, ProfileAttribute],
    *,
    size: int,
    is_exact: bool,
) -> list[dict[str, Any]]:
    """Give the cells of a profile as they are told: of what is asked, and what was ever written."""
    return [
        {"attribute": code, "suppressed": []}
        | (
            dict(cell)
            if is_exact or not attribute.is_about_pupils
            else _guarded(Kind(attribute.kind), cell, size)
        )
        for code, attribute in attributes.items()
        if code in profile.values or not attribute.is_retired
        for cell in [profile.values.get(code, _MISSING)]
    ]


def _guarded(kind: Kind, cell: Mapping[str, Any], size: int) -> dict[str, Any]:
    told = _value(kind, cell, size)
    numbers = {"value": told, "numerator": None, "denominator": None}
    hidden = [name for name in _NUMBERS if cell[name] is not None and numbers[name] is None]
    return dict(cell) | numbers | {"suppressed": hidden}


def _value(kind: Kind, cell: Mapping[str, Any], size: int) -> str | None:
    if cell["value"] is None:
        return None
    if kind is Kind.COUNT:
        return str(cell["value"]) if Decimal(cell["value"]) >= size else None
    part, whole = cell["numerator"], cell["denominator"]
    if kind is not Kind.SHARE or part is None or whole < size:
        return None
    if part != 0 and (part < size or whole - part < size):
        return None
    return str(Decimal(cell["value"]).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP))
