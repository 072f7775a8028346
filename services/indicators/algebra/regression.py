"""Ordinary least squares over the rationals: what a school's conditions let one expect.

The normal equations are solved exactly, so neither the order of the schools nor the machine matters.
Source: methodology B3 (regression is how the context is discounted) and B5 (resilient schools).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction
from math import lcm

from services.indicators.algebra.columns import PRECISE, Column, as_decimal, rounded

__all__ = ["Fit", "Undetermined", "fit"]


class Undetermined(ValueError):  # noqa: N818  a fact about the data
    """The line is not determined: too few schools, or a predictor follows from the others."""


@dataclass(frozen=True)
class Fit:
    """A fitted line, and one entry per school in the order of the columns.

    All numbers have 9 places. `expected` is there for each school with all predictors; `residuals`,
    and `standardised` residuals, for those that also have a result.
    """

    n: int
    """Schools with a result and all predictors: those the line is fitted on."""
    intercept: Decimal
    slopes: tuple[Decimal, ...]
    r_squared: Decimal | None
    """None where all results are equal: there is nothing to explain."""
    residual_sd: Decimal
    """Deviation of the residuals, divided by n."""
    standard_error: Decimal | None
    """Deviation of the residuals, divided by n less the number of coefficients; None when that is 0."""
    expected: list[Decimal | None]
    residuals: list[Decimal | None]
    standardised: list[Decimal | None]
    """Residual divided by `residual_sd`; None where that is 0."""
    half_widths: list[Decimal | None]
    """Half of the interval in which the result of a school with such conditions lies."""


def fit(
    results: Sequence[Decimal | None],
    predictors: Sequence[Sequence[Decimal | None]],
    *,
    z: Decimal,
) -> Fit:
    """Fit results on predictors.

    Args:
        results: One per school; None where unknown.
        predictors: Columns in the same order of schools.
        z: Quantile of the interval: half width = z · s · sqrt(1 + leverage), s with n less the
            coefficients.

    Raises:
        Undetermined: The coefficients are not determined by these schools.
    """
    y = Column.of(results)
    xs = [Column.of(column) for column in predictors]
    rows = [_row(place, xs) for place in range(len(y.units))]
    used = [
        (row, unit)
        for row, unit in zip(rows, y.units, strict=True)
        if row is not None and unit is not None
    ]
    size = len(xs) + 1
    if len(used) < size:
        raise Undetermined("too_few_schools")
    gram = [[sum(row[i] * row[j] for row, _ in used) for j in range(size)] for i in range(size)]
    moments = [sum(row[i] * unit for row, unit in used) for i in range(size)]
    inverse = _inverse(gram)
    slopes = [
        sum((inverse[i][j] * moments[j] for j in range(size)), Fraction(0)) for i in range(size)
    ]
    n = len(used)
    squares = sum(unit * unit for _, unit in used)
    # Errors are orthogonal to what is fitted, so their squares need no second pass.
    errors = squares - sum((b * m for b, m in zip(slopes, moments, strict=True)), Fraction(0))
    total = Fraction(n * squares - moments[0] ** 2, n)
    freedom = n - size
    scale = 10**y.places
    return Fit(
        n=n,
        intercept=rounded(as_decimal(slopes[0] / scale)),
        slopes=tuple(
            rounded(as_decimal(slope * 10**x.places / scale))
            for slope, x in zip(slopes[1:], xs, strict=True)
        ),
        r_squared=rounded(as_decimal(1 - errors / total)) if total else None,
        residual_sd=rounded(_root(errors / n / scale**2)),
        standard_error=rounded(_root(errors / freedom / scale**2)) if freedom else None,
        **_schools(rows, y, slopes, errors / n),
        half_widths=_half_widths(rows, inverse, z, errors / freedom / scale**2)
        if freedom
        else [None] * len(rows),
    )


def _row(place: int, xs: Sequence[Column]) -> list[int] | None:
    units = [x.units[place] for x in xs]
    known = [unit for unit in units if unit is not None]
    return [1, *known] if len(known) == len(units) else None


def _schools(
    rows: Sequence[list[int] | None], y: Column, slopes: Sequence[Fraction], variance: Fraction
) -> dict[str, list[Decimal | None]]:
    """Give expected, residuals and standardised residuals; one division for each number."""
    common = _common(slopes)
    weights = [int(slope * common) for slope in slopes]
    scale = Decimal(common * 10**y.places)
    deviation = _root(variance / 10 ** (2 * y.places))
    expected: list[Decimal | None] = []
    residuals: list[Decimal | None] = []
    standardised: list[Decimal | None] = []
    with localcontext(PRECISE):
        for row, unit in zip(rows, y.units, strict=True):
            top = None if row is None else sum(w * x for w, x in zip(weights, row, strict=True))
            expected.append(None if top is None else rounded(Decimal(top) / scale))
            if top is None or unit is None:
                residuals.append(None)
                standardised.append(None)
                continue
            residual = Decimal(unit * common - top) / scale
            residuals.append(rounded(residual))
            standardised.append(rounded(residual / deviation) if deviation else None)
    return {"expected": expected, "residuals": residuals, "standardised": standardised}


def _half_widths(
    rows: Sequence[list[int] | None], inverse: list[list[Fraction]], z: Decimal, variance: Fraction
) -> list[Decimal | None]:
    common = _common([cell for line in inverse for cell in line])
    whole = [[int(cell * common) for cell in line] for line in inverse]
    with localcontext(PRECISE):
        factor = z * _root(variance)
        return [
            None
            if row is None
            else rounded(factor * (1 + Decimal(_leverage(row, whole)) / common).sqrt())
            for row in rows
        ]


def _leverage(row: Sequence[int], matrix: Sequence[Sequence[int]]) -> int:
    return sum(
        a * sum(cell * b for cell, b in zip(line, row, strict=True))
        for a, line in zip(row, matrix, strict=True)
    )


def _inverse(matrix: Sequence[Sequence[int]]) -> list[list[Fraction]]:
    """Invert by Gauss and Jordan.

    Raises:
        Undetermined: The matrix has no inverse: a predictor is constant or follows from others.
    """
    size = len(matrix)
    rows = [
        [Fraction(cell) for cell in line] + [Fraction(i == j) for j in range(size)]
        for i, line in enumerate(matrix)
    ]
    for place in range(size):
        pivot = next((i for i in range(place, size) if rows[i][place]), None)
        if pivot is None:
            raise Undetermined("predictors_dependent")
        rows[place], rows[pivot] = rows[pivot], rows[place]
        head = rows[place][place]
        rows[place] = [cell / head for cell in rows[place]]
        for i in range(size):
            factor = rows[i][place]
            if i != place and factor:
                rows[i] = [a - factor * b for a, b in zip(rows[i], rows[place], strict=True)]
    return [row[size:] for row in rows]


def _common(numbers: Sequence[Fraction]) -> int:
    """Give the least common denominator."""
    return lcm(*(number.denominator for number in numbers))


def _root(value: Fraction) -> Decimal:
    with localcontext(PRECISE):
        return as_decimal(value).sqrt()
