"""Descriptive statistics of attributes over the schools that the caller sees."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services.indicators.algebra.columns import Column, correlation, rounded
from services.indicators.algebra.regression import fit
from services.indicators.profiles import queries

__all__ = ["correlate", "describe"]

_Z = Decimal("1.959964")


async def describe(session: AsyncSession, *, year: int, codes: Sequence[str]) -> dict[str, Any]:
    """Count the states of attributes and describe their numbers; deviations with n - 1 and with n."""
    schools = await queries.schools_of_year(session, year)
    states = await queries.attribute_states(session, year=year, codes=codes)
    items = []
    for code in codes:
        column = Column.of(states[code].numbers)
        elsewhere = states[code].not_applicable
        items.append(
            {
                "attribute": code,
                "n": column.n,
                "not_applicable": elsewhere,
                "not_submitted": len(schools) - column.n - elsewhere,
                "mean": _told(column.mean),
                "sd": _told(column.deviation(degrees_lost=1)),
                "sd_population": _told(column.deviation()),
                "minimum": _told(column.least),
                "maximum": _told(column.greatest),
            }
        )
    return {"year": year, "schools": len(schools), "items": items}


async def correlate(session: AsyncSession, *, year: int, x: str, y: str) -> dict[str, Any]:
    """Correlate two attributes and regress the second on the first."""
    ones, others = await queries.pairs(session, year=year, x=x, y=y)
    n, together = correlation(Column.of(ones), Column.of(others))
    # Where a correlation is defined, x differs somewhere, and that determines a line.
    line = None if together is None else fit(others, [ones], z=_Z)
    return {
        "year": year,
        "x": x,
        "y": y,
        "n": n,
        "correlation": _told(together),
        "intercept": _told(line.intercept if line else None),
        "slope": _told(line.slopes[0] if line else None),
        "r_squared": _told(line.r_squared if line else None),
    }


def _told(number: Decimal | None) -> str | None:
    return None if number is None else f"{rounded(number):f}"
