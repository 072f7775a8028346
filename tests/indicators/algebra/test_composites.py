"""Composite indices: against numpy, and the documented answers at the edges."""

import random
from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np
import pytest

from services.indicators.algebra.columns import Column, correlation
from services.indicators.algebra.composites import (
    RESULT,
    CompositeDefinition,
    Ingredient,
    Method,
    composite,
    extreme,
)


def definition(method, *ingredients, missing="3/10", centre="0", step="1"):
    return CompositeDefinition(
        method, ingredients, Fraction(missing), Decimal(centre), Decimal(step)
    )


def high(attribute, weight="1", **more):
    return Ingredient(attribute, Decimal(weight), is_high_adverse=True, **more)


def low(attribute, weight="1", **more):
    return Ingredient(attribute, Decimal(weight), is_high_adverse=False, **more)


def numbers(*texts):
    return [None if text is None else Decimal(text) for text in texts]


def random_columns(seed, n=200):
    draw = random.Random(seed)
    return {
        "a": [Decimal(draw.randint(0, 1000)) / 1000 for _ in range(n)],
        "b": [Decimal(draw.randint(1, 10**6)) / 100 for _ in range(n)],
        "c": [None if draw.random() < 0.2 else Decimal(draw.randint(0, 40)) for _ in range(n)],
    }


MIXED = definition(
    Method.WEIGHTED_Z,
    high("a", "2"),
    low("b", is_logarithm=True),
    high("c", "0.5", over="b"),
    centre="50",
    step="-10",
)


def by_numpy(columns):
    a = np.array([float(x) for x in columns["a"]])
    b = np.array([float(x) for x in columns["b"]])
    c = np.array([np.nan if x is None else float(x) for x in columns["c"]]) / b
    oriented = []
    for column, sign in ((a, 1), (np.log(b), -1), (c, 1)):
        known = column[~np.isnan(column)]
        oriented.append(sign * (column - known.mean()) / known.std())
    z, w = np.array(oriented), np.array([[2.0], [1.0], [0.5]])
    weights = np.where(np.isnan(z), 0, w)
    return 50 - 10 * (np.nan_to_num(z) * weights).sum(axis=0) / weights.sum(axis=0)


@pytest.mark.parametrize("seed", range(5))
def test_a_weighted_z_is_what_numpy_says(seed):
    columns = random_columns(seed)

    found = composite(MIXED, columns)

    assert [float(value) for value in found.values] == pytest.approx(by_numpy(columns), rel=1e-9)


def test_another_orientation_would_be_noticed():
    columns = random_columns(1)
    turned = definition(
        Method.WEIGHTED_Z, low("a", "2"), *MIXED.ingredients[1:], centre="50", step="-10"
    )

    found = [float(value) for value in composite(turned, columns).values]
    assert found != pytest.approx(by_numpy(columns), rel=1e-3)


def test_neither_the_order_of_schools_nor_the_ambient_precision_changes_a_digit():
    columns = random_columns(7)
    order = list(range(200))
    random.Random(8).shuffle(order)
    shuffled = {code: [column[i] for i in order] for code, column in columns.items()}

    straight = composite(MIXED, columns)
    with localcontext() as context:
        context.prec = 5
        again = composite(MIXED, shuffled)

    assert again.values == [straight.values[i] for i in order]
    assert (again.mean, again.sd) == (straight.mean, straight.sd)


def test_schools_that_are_all_alike_stand_at_the_mean():
    found = composite(definition(Method.WEIGHTED_Z, high("a")), {"a": numbers("3", "3", "3")})

    assert found.values == [0, 0, 0]
    assert found.ingredients[0].sd == 0


def test_one_school_alone_is_compared_with_nobody():
    found = composite(definition(Method.WEIGHTED_Z, high("a")), {"a": numbers("3", None)})

    assert found.values == [None, None]
    assert found.problem == "too_few_schools"
    assert found.missing_weights == [1, 1]


def test_nobody_has_an_index_of_what_nobody_submitted():
    found = composite(definition(Method.WEIGHTED_Z, high("a")), {"a": numbers(None, None)})

    assert (found.values, found.n, found.mean, found.problem) == (
        [None, None],
        0,
        None,
        "too_few_schools",
    )


def test_the_allowed_share_of_missing_weights_is_still_allowed():
    ingredients = (high("a", "7"), high("b", "3"))
    columns = {"a": numbers("1", "2", "3"), "b": numbers("1", "2", None)}

    exactly = composite(definition(Method.WEIGHTED_Z, *ingredients, missing="3/10"), columns)
    less = composite(definition(Method.WEIGHTED_Z, *ingredients, missing="0.299999"), columns)

    assert exactly.missing_weights[2] == Decimal("0.3")
    assert exactly.values[2] is not None
    assert less.values[2] is None


def test_a_true_zero_is_a_number():
    columns = {"a": numbers("0", "1"), "b": numbers(None, "1")}

    found = composite(definition(Method.WEIGHTED_Z, high("a"), high("b"), missing="1/2"), columns)

    assert found.ingredients[0].n == 2
    assert found.values[0] == -1


def test_a_ratio_to_zero_and_a_logarithm_of_zero_are_missing():
    ratio = composite(
        definition(Method.WEIGHTED_Z, high("a", over="b"), missing="1"),
        {"a": numbers("1", "2", "3"), "b": numbers("0", "1", "1")},
    )
    logarithm = composite(
        definition(Method.WEIGHTED_Z, high("a", is_logarithm=True), missing="1"),
        {"a": numbers("0", "1", "2")},
    )

    assert ratio.values == [None, -1, 1]
    assert logarithm.values == [None, -1, 1]


def test_bounded_shares_stay_between_their_bounds_and_turn_what_is_adverse():
    found = composite(
        definition(
            Method.BOUNDED_SHARES,
            low("a", minimum=Decimal(0), maximum=Decimal(1)),
            high("b", minimum=Decimal(0), maximum=Decimal("0.5")),
        ),
        {"a": numbers("0.85", "0.5", "1.2"), "b": numbers("0.1", "0.9", "-1")},
    )

    assert found.ingredients[1].points == [Decimal("0.8"), 0, 1]
    assert found.values == [Decimal("0.825"), Decimal("0.25"), 1]


def test_bounds_of_the_region_that_fall_together_place_nobody():
    found = composite(
        definition(Method.BOUNDED_SHARES, low("a"), low("b"), missing="1/2"),
        {"a": numbers("1", "3", "2"), "b": numbers("4", "4", "4")},
    )

    assert found.values == [0, 1, Decimal("0.5")]
    assert found.missing_weights == [Decimal("0.5")] * 3


def test_a_norm_is_met_at_most_once_from_either_side():
    found = composite(
        definition(
            Method.BOUNDED_SHARES,
            low("computers", over="pupils", norm=Decimal("0.1")),
            high("pupils_a_room", norm=Decimal(25)),
        ),
        {
            "computers": numbers("5", "40", "0"),
            "pupils": numbers("100", "100", "100"),
            "pupils_a_room": numbers("25", "50", "0"),
        },
    )

    assert found.values == [Decimal("0.75"), Decimal("0.75"), Decimal("0.5")]


def test_a_regression_index_is_the_prediction_also_for_who_has_no_result():
    x = ["1", "2", "3", "4", "5"]
    y = ["2", "3", "5", "4", None]

    found = composite(
        definition(Method.REGRESSION, high("x")), {"x": numbers(*x), RESULT: numbers(*y)}
    )

    slope, intercept = np.polyfit([1, 2, 3, 4], [2, 3, 5, 4], 1)
    expected = [intercept + slope * i for i in range(1, 6)]
    assert [float(value) for value in found.values] == pytest.approx(expected, rel=1e-9)
    assert found.line.n == 4


@pytest.mark.parametrize(
    ("columns", "problem"),
    [
        ({"x": numbers("1", None), RESULT: numbers("1", "2")}, "too_few_schools"),
        ({"x": numbers("1", "1"), RESULT: numbers("1", "2")}, "predictors_dependent"),
    ],
)
def test_a_regression_that_is_not_determined_says_why(columns, problem):
    found = composite(definition(Method.REGRESSION, high("x")), columns)

    assert (found.values, found.problem) == ([None, None], problem)


def test_ties_on_the_border_of_a_quartile_are_all_in():
    values = numbers("1", "2", "2", "3", "4", "5", "6", "7", None)

    quarter = extreme(values, Fraction(1, 4), lowest=True)
    top = extreme(values, Fraction(1, 4), lowest=False)

    assert quarter == [True, True, True, False, False, False, False, False, None]
    assert top == [False] * 6 + [True, True, None]


def test_a_quarter_of_many_different_schools_is_a_quarter():
    values = numbers(*map(str, range(420)))

    assert sum(extreme(values, Fraction(1, 4), lowest=True)) == 105


def test_a_correlation_is_what_numpy_says():
    columns = random_columns(3)
    known = [i for i, c in enumerate(columns["c"]) if c is not None]
    a = [float(columns["a"][i]) for i in known]
    c = [float(columns["c"][i]) for i in known]

    n, found = correlation(Column.of(columns["a"]), Column.of(columns["c"]))

    assert n == len(known)
    assert float(found) == pytest.approx(np.corrcoef(a, c)[0, 1], rel=1e-9)
