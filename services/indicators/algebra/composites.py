"""Composite indices of schools: weighted z, bounded shares, or what a regression predicts.

No weight is anybody's but the definition's; every answer carries its components, weights, n and what
was missing. Documented answers:

- a component without spread (all schools alike) gives z = 0: each stands exactly at the mean;
- a component that fewer than two schools have says nothing of any of them and counts as missing;
- bounds taken from the region that fall together place nobody: the component counts as missing;
- a ratio to zero and a logarithm of what is not positive are missing;
- a school lacking more than the allowed share of the weights has no index; by regression, a school
  lacking any component has none, because the line says nothing of it.

Source: methodology B3 (index of social well-being, a proposal), B9 (staff index, equipment).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from enum import StrEnum
from fractions import Fraction

from services.indicators.algebra.columns import PRECISE, Column, as_decimal, quotients, rounded
from services.indicators.algebra.regression import Fit, Undetermined, fit

__all__ = [
    "RESULT",
    "Composite",
    "CompositeDefinition",
    "Ingredient",
    "MeasuredIngredient",
    "Method",
    "composite",
    "extreme",
]

RESULT = "$result"
"""The column of results on which a regression index is fitted."""

_FEWEST = 2
_Z = Decimal("1.959964")


class Method(StrEnum):
    """How an index is made of its components."""

    WEIGHTED_Z = "weighted_z"
    BOUNDED_SHARES = "bounded_shares"
    REGRESSION = "regression"


@dataclass(frozen=True)
class Ingredient:
    """A component: an attribute or the ratio of two, its weight and its direction."""

    attribute: str
    weight: Decimal
    is_high_adverse: bool
    over: str | None = None
    """Divide by this attribute."""
    is_logarithm: bool = False
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    norm: Decimal | None = None
    """A share of the norm instead of a place between bounds; capped at 1."""


@dataclass(frozen=True)
class CompositeDefinition:
    """What `composite` computes; all numbers exact."""

    method: Method
    ingredients: tuple[Ingredient, ...]
    max_missing_weight: Fraction
    """A school that lacks a greater share of the weights has no index."""
    centre: Decimal
    step: Decimal
    """The index is centre + step · (mean z, mean share, or prediction)."""


@dataclass(frozen=True)
class MeasuredIngredient:
    """A component as it came out; lists have one entry per school."""

    weight: Decimal
    n: int
    mean: Decimal | None
    sd: Decimal | None
    """Population deviation (divided by n)."""
    minimum: Decimal | None
    maximum: Decimal | None
    """The bounds in use; for other methods the least and the greatest number."""
    numbers: list[Decimal | None]
    """What was measured: the attribute, the ratio, or its logarithm."""
    points: list[Decimal | None]
    """Oriented z (+ is adverse), bounded share (+ is good), or the number itself for a regression."""


@dataclass(frozen=True)
class Composite:
    """An index of schools, in the order of the columns."""

    values: list[Decimal | None]
    ingredients: list[MeasuredIngredient]
    missing_weights: list[Decimal]
    """The share of the weights that the school lacks, 0 to 1."""
    n: int
    mean: Decimal | None
    sd: Decimal | None
    line: Fit | None = None
    problem: str | None = None
    """Why nobody has an index: too_few_schools, predictors_dependent."""


def composite(
    definition: CompositeDefinition, columns: Mapping[str, Sequence[Decimal | None]]
) -> Composite:
    """Compute an index.

    Args:
        definition: Components, weights, method.
        columns: By attribute, one number per school in one order; for a regression also `RESULT`.
            What is not applicable or not submitted is None.
    """
    measured = [_measured(definition.method, each, columns) for each in definition.ingredients]
    missing = _missing(measured)
    if definition.method is Method.REGRESSION:
        return _predicted(definition, measured, missing, columns[RESULT])
    values = _means(definition, measured, missing)
    problem = None if any(value is not None for value in values) else "too_few_schools"
    return _composite(values, measured, missing, problem=problem)


def extreme(
    values: Sequence[Decimal | None], share: Fraction, *, lowest: bool
) -> list[bool | None]:
    """Say who is in the lowest (or highest) share of the schools that have a value.

    A school is in if fewer schools than the share stand strictly beyond it: of equal schools on the
    border all are in. None: the school has no value.

    Source: methodology B3, (iii): the lowest quartile.
    """
    known = sorted((value for value in values if value is not None), reverse=not lowest)
    beyond: dict[Decimal, int] = {}
    for place, value in enumerate(known):
        beyond.setdefault(value, place)
    limit = share * len(known)
    return [None if value is None else beyond[value] < limit for value in values]


def _measured(
    method: Method, ingredient: Ingredient, columns: Mapping[str, Sequence[Decimal | None]]
) -> MeasuredIngredient:
    column = Column.of(columns[ingredient.attribute])
    if ingredient.over is not None:
        column = Column.of(quotients(column, Column.of(columns[ingredient.over])))
    if ingredient.is_logarithm:
        column = Column.of(column.logarithms())
    mean, sd = column.mean, column.deviation()
    minimum, maximum = column.least, column.greatest
    numbers = column.numbers()
    points: list[Decimal | None]
    if method is Method.REGRESSION:
        points = numbers
    elif method is Method.WEIGHTED_Z:
        points = _oriented(column, ingredient)
    elif ingredient.norm is not None:
        minimum = maximum = ingredient.norm
        points = [None if x is None else _met(x, ingredient) for x in numbers]
    else:
        minimum = minimum if ingredient.minimum is None else ingredient.minimum
        maximum = maximum if ingredient.maximum is None else ingredient.maximum
        points = _bounded(numbers, minimum, maximum, ingredient)
    return MeasuredIngredient(
        ingredient.weight,
        column.n,
        None if mean is None else rounded(mean),
        None if sd is None else rounded(sd),
        None if minimum is None else rounded(minimum),
        None if maximum is None else rounded(maximum),
        numbers,
        points,
    )


def _oriented(column: Column, ingredient: Ingredient) -> list[Decimal | None]:
    if column.n < _FEWEST:
        return [None] * len(column.units)
    scores = column.standard_scores()
    if ingredient.is_high_adverse:
        return scores
    return [None if score is None else score.copy_negate() for score in scores]


def _met(number: Decimal, ingredient: Ingredient) -> Decimal:
    """Give the share of a norm that is met, at most 1; 0 where there is less than nothing."""
    norm = ingredient.norm or Decimal(1)
    if ingredient.is_high_adverse:
        # At most so many pupils for a computer: half as many are no better than met.
        return Decimal(1) if number <= norm else PRECISE.divide(norm, number)
    return min(Decimal(1), max(Decimal(0), PRECISE.divide(number, norm)))


def _bounded(
    numbers: Sequence[Decimal | None],
    minimum: Decimal | None,
    maximum: Decimal | None,
    ingredient: Ingredient,
) -> list[Decimal | None]:
    if minimum is None or maximum is None or minimum >= maximum:
        return [None] * len(numbers)
    places: list[Decimal | None] = []
    with localcontext(PRECISE):
        for number in numbers:
            if number is None:
                places.append(None)
                continue
            place = (min(max(number, minimum), maximum) - minimum) / (maximum - minimum)
            places.append(1 - place if ingredient.is_high_adverse else place)
    return places


def _missing(measured: Sequence[MeasuredIngredient]) -> list[Fraction]:
    weights = [Fraction(each.weight) for each in measured]
    whole = sum(weights, Fraction(0))
    # Few patterns of what is missing recur in many schools.
    known: dict[tuple[bool, ...], Fraction] = {}
    shares = []
    for points in zip(*(each.points for each in measured), strict=True):
        pattern = tuple(point is None for point in points)
        if pattern not in known:
            lacking = sum((w for w, gone in zip(weights, pattern, strict=True) if gone), Fraction())
            known[pattern] = lacking / whole
        shares.append(known[pattern])
    return shares


def _means(
    definition: CompositeDefinition,
    measured: Sequence[MeasuredIngredient],
    missing: Sequence[Fraction],
) -> list[Decimal | None]:
    values: list[Decimal | None] = []
    with localcontext(PRECISE):
        rows = zip(*(each.points for each in measured), strict=True)
        for lacking, points in zip(missing, rows, strict=True):
            if lacking > definition.max_missing_weight or lacking == 1:
                values.append(None)
                continue
            present = [
                (each.weight, point)
                for each, point in zip(measured, points, strict=True)
                if point is not None
            ]
            mean = sum(w * point for w, point in present) / sum(w for w, _ in present)
            values.append(rounded(definition.centre + definition.step * mean))
    return values


def _predicted(
    definition: CompositeDefinition,
    measured: Sequence[MeasuredIngredient],
    missing: Sequence[Fraction],
    results: Sequence[Decimal | None],
) -> Composite:
    try:
        line = fit(results, [each.numbers for each in measured], z=_Z)
    except Undetermined as undetermined:
        nobody: list[Decimal | None] = [None] * len(results)
        return _composite(nobody, measured, missing, problem=str(undetermined))
    with localcontext(PRECISE):
        values = [
            None if value is None else rounded(definition.centre + definition.step * value)
            for value in line.expected
        ]
    return _composite(values, measured, missing, line=line)


def _composite(
    values: list[Decimal | None],
    measured: Sequence[MeasuredIngredient],
    missing: Sequence[Fraction],
    *,
    line: Fit | None = None,
    problem: str | None = None,
) -> Composite:
    column = Column.of(values)
    mean, sd = column.mean, column.deviation()
    return Composite(
        values,
        [_shown(each) for each in measured],
        [rounded(as_decimal(share)) for share in missing],
        column.n,
        None if mean is None else rounded(mean),
        None if sd is None else rounded(sd),
        line,
        problem,
    )


def _shown(measured: MeasuredIngredient) -> MeasuredIngredient:
    """Round what leaves the algebra."""
    return MeasuredIngredient(
        measured.weight,
        measured.n,
        measured.mean,
        measured.sd,
        measured.minimum,
        measured.maximum,
        [None if each is None else rounded(each) for each in measured.numbers],
        [None if each is None else rounded(each) for each in measured.points],
    )
