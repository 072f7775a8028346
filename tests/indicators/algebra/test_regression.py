"""Least squares over the rationals, against numpy and scipy."""

import random
from decimal import Decimal

import numpy as np
import pytest
from scipy import stats

from services.indicators.algebra.regression import Undetermined, fit

Z = Decimal("1.959964")


def made(seed, n=60, k=3):
    draw = random.Random(seed)
    xs = [[Decimal(draw.randint(-500, 500)) / 10 for _ in range(n)] for _ in range(k)]
    y = [sum(x[i] for x in xs) * 2 + Decimal(draw.randint(-900, 900)) / 100 for i in range(n)]
    return y, xs


@pytest.mark.parametrize("seed", range(4))
def test_the_line_is_what_numpy_says(seed):
    y, xs = made(seed)

    found = fit(y, xs, z=Z)

    design = np.column_stack([np.ones(len(y)), *[[float(v) for v in x] for x in xs]])
    target = np.array([float(v) for v in y])
    b, *_ = np.linalg.lstsq(design, target, rcond=None)
    residuals = target - design @ b
    assert [float(v) for v in (found.intercept, *found.slopes)] == pytest.approx(b, abs=1e-8)
    assert [float(v) for v in found.residuals] == pytest.approx(residuals, abs=1e-8)
    assert float(found.residual_sd) == pytest.approx(residuals.std(), abs=1e-8)
    s = np.sqrt((residuals**2).sum() / (len(y) - 4))
    assert float(found.standard_error) == pytest.approx(s, abs=1e-8)
    assert float(found.r_squared) == pytest.approx(1 - residuals.var() / target.var(), abs=1e-8)
    leverage = np.diag(design @ np.linalg.inv(design.T @ design) @ design.T)
    half = 1.959964 * s * np.sqrt(1 + leverage)
    assert [float(v) for v in found.half_widths] == pytest.approx(half, abs=1e-7)
    assert [float(v) for v in found.standardised] == pytest.approx(
        residuals / residuals.std(), abs=1e-7
    )


def test_a_simple_line_is_what_scipy_says():
    y, xs = made(9, k=1)

    found = fit(y, xs, z=Z)

    line = stats.linregress([float(v) for v in xs[0]], [float(v) for v in y])
    assert float(found.slopes[0]) == pytest.approx(line.slope, abs=1e-8)
    assert float(found.r_squared) == pytest.approx(line.rvalue**2, abs=1e-8)


def test_the_order_of_schools_changes_no_digit():
    y, xs = made(2)
    order = list(range(len(y)))
    random.Random(1).shuffle(order)

    straight = fit(y, xs, z=Z)
    shuffled = fit([y[i] for i in order], [[x[i] for i in order] for x in xs], z=Z)

    assert (shuffled.intercept, shuffled.slopes) == (straight.intercept, straight.slopes)
    assert shuffled.residuals == [straight.residuals[i] for i in order]


def test_who_lacks_a_predictor_has_nothing_expected_and_who_lacks_a_result_no_residual():
    found = fit(
        [Decimal(1), Decimal(2), Decimal(4), None, Decimal(7)],
        [[Decimal(1), Decimal(2), Decimal(3), Decimal(4), None]],
        z=Z,
    )

    assert found.n == 3
    assert found.expected[3] is not None
    assert found.residuals[3] is None
    assert (found.expected[4], found.residuals[4]) == (None, None)


def test_results_that_are_all_alike_leave_nothing_to_explain():
    found = fit([Decimal(5)] * 3, [[Decimal(1), Decimal(2), Decimal(3)]], z=Z)

    assert (found.r_squared, found.residual_sd, found.standardised) == (None, 0, [None] * 3)


@pytest.mark.parametrize(
    ("y", "xs", "why"),
    [
        ([1], [[1]], "too_few_schools"),
        ([1, 2, 3], [[4, 4, 4]], "predictors_dependent"),
        ([1, 2, 3, 5], [[1, 2, 3, 4], [2, 4, 6, 8]], "predictors_dependent"),
    ],
)
def test_what_is_not_determined_is_refused(y, xs, why):
    with pytest.raises(Undetermined, match=why):
        fit([Decimal(v) for v in y], [[Decimal(v) for v in x] for x in xs], z=Z)
