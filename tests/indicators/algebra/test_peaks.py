"""Windows at borders, the tilt to the school's level, strays and percentiles."""

import random
from collections import Counter
from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, stats

from services.indicators.algebra.peaks import Window, adjacent_z, peak, windows
from services.indicators.algebra.strays import (
    Point,
    around_the_line,
    around_the_middle,
    percentile,
)


@given(st.lists(st.integers(1, 44), min_size=1, max_size=3, unique=True), st.integers(3, 5))
def test_windows_share_no_score_and_are_as_wide_below_as_above(borders, width):
    laid = windows(borders, width=width, maximum=45)
    scores = [s for w in laid for s in range(w.first, w.last + 1)]

    assert len(scores) == len(set(scores))
    assert all(0 <= s <= 45 for s in scores)
    assert all(w.border - w.first == w.last - w.border + 1 <= width for w in laid)


def test_windows_of_close_borders_are_narrowed_to_half_of_the_distance():
    # ВПР, математика, 5 класс: 7, 11, 15 (methodology B8).
    assert windows([7, 11, 15], width=3, maximum=20) == [
        Window(7, 5, 8),
        Window(11, 9, 12),
        Window(15, 13, 16),
    ]


def histogram(scores):
    return dict(Counter(int(s) for s in scores))


def expected_share(others, mean, window):
    """The oracle: tilt by scipy's root finder in floats."""
    x = np.array(sorted(others))
    f = np.array([others[s] for s in x], float)

    def away(slope):
        w = f * np.exp(slope * (x - x.mean()))
        return (w * x).sum() / w.sum() - mean

    slope = optimize.brentq(away, -3, 3, xtol=1e-14)
    w = f * np.exp(slope * (x - x.mean()))
    inside = (x >= window.first) & (x <= window.last)
    return w[inside & (x >= window.border)].sum() / w[inside].sum()


def test_the_expected_share_is_that_of_the_others_at_the_schools_own_mean():
    rng = np.random.default_rng(2)
    others = histogram(np.clip(np.rint(rng.normal(25, 7, 4000)), 0, 38))
    own = histogram(np.clip(np.rint(rng.normal(29, 6, 80)), 0, 38))
    laid = windows([14, 24, 33], width=3, maximum=38)

    found = peak(own, others, laid)

    mean = sum(s * m for s, m in own.items()) / sum(own.values())
    for border in found.borders:
        theirs = expected_share(others, mean, border.window)
        assert float(border.expected_share) == pytest.approx(theirs, abs=1e-9)
    mass = np.array([1.0])
    for border in found.borders:
        share = float(border.expected_share)
        mass = np.convolve(mass, stats.binom.pmf(range(border.below + border.above + 1),
                                                 border.below + border.above, share))  # fmt: skip
    if found.above > float(found.expected):
        assert float(found.p) == pytest.approx(mass[found.above :].sum(), rel=1e-7)


def test_a_strong_school_is_not_found_only_for_being_strong_and_without_the_tilt_it_would_be():
    rng = np.random.default_rng(4)
    others = histogram(np.clip(np.rint(rng.normal(24, 7, 20_000)), 0, 38))
    own = histogram(np.clip(np.rint(rng.normal(32, 4, 600)), 0, 38))
    laid = windows([14, 24, 33], width=3, maximum=38)

    found = peak(own, others, laid)
    # The negative control: the region's shares as they are.
    bare = np.array([1.0])
    above = 0
    for w in laid:
        n, share = (
            w.below(own) + w.above(own),
            w.above(others) / (w.above(others) + w.below(others)),
        )
        bare = np.convolve(bare, stats.binom.pmf(range(n + 1), n, share))
        above += w.above(own)

    assert bare[above:].sum() < 1e-3
    assert float(found.p) > 0.01


def test_pupils_moved_up_to_the_border_are_found():
    rng = np.random.default_rng(6)
    others = histogram(np.clip(np.rint(rng.normal(24, 7, 20_000)), 0, 38))
    scores = np.clip(np.rint(rng.normal(24, 7, 200)), 0, 38)
    honest = peak(histogram(scores), others, windows([14, 24, 33], width=3, maximum=38))
    for border in (14, 24, 33):
        near = (scores >= border - 3) & (scores < border) & (rng.random(200) < 0.4)
        scores[near] = border

    moved = peak(histogram(scores), others, windows([14, 24, 33], width=3, maximum=38))

    assert honest.p > Decimal("0.01") > Decimal("0.0001") > moved.p
    assert moved.borders[1].z > honest.borders[1].z


def test_a_peak_does_not_depend_on_the_order_of_scores_or_on_the_decimal_context():
    rng = np.random.default_rng(7)
    others = histogram(np.clip(np.rint(rng.normal(24, 7, 3000)), 0, 38))
    own = histogram(np.clip(np.rint(rng.normal(24, 7, 60)), 0, 38))
    laid = windows([14, 24, 33], width=4, maximum=38)
    first = peak(own, others, laid)
    items = list(others.items())
    random.Random(3).shuffle(items)

    with localcontext(prec=6):
        again = peak(dict(reversed(own.items())), dict(items), list(laid))

    assert first == again


def test_where_there_is_nothing_to_compare_there_is_no_answer():
    laid = windows([14], width=3, maximum=38)

    assert peak({}, {14: 3}, laid) is None
    assert peak({30: 5}, {14: 3, 13: 3}, laid) is None
    assert peak({14: 5}, {14: 3}, laid) is None
    assert adjacent_z(0, 0) is None
    assert adjacent_z(9, 0) == 3


def test_everybody_at_the_top_of_the_scale_has_an_answer():
    found = peak({20: 30, 15: 1}, dict.fromkeys(range(21), 50), windows([15], width=3, maximum=20))

    assert found.p <= 1


# Strays -----------------------------------------------------------------------------------------


def test_a_school_is_compared_with_the_line_of_the_others():
    rng = np.random.default_rng(8)
    x = rng.integers(10_000_000, 30_000_000, 60)
    y = (x * 0.8 + 3_000_000 + rng.normal(0, 900_000, 60)).astype(int)
    y[5] -= 9_000_000
    points = [Point(int(a), int(b), Fraction(10**11)) for a, b in zip(x, y, strict=True)]

    found = around_the_line(points)

    for place in (0, 5, 30):
        rest = np.arange(60) != place
        slope, intercept = np.polyfit(x[rest], y[rest], 1)
        assert float(found[place].expected) == pytest.approx(slope * x[place] + intercept, rel=1e-6)
    residuals = np.array([float(one.residual) for one in found])
    typical = 1.4826 * np.median(np.abs(residuals))
    assert [float(one.z) for one in found] == pytest.approx(list(residuals / typical), rel=1e-6)
    assert found[5].z < -8


def test_a_small_school_strays_less_for_the_same_distance():
    points = [Point(0, y, Fraction(1)) for y in (1, 2, 3, 4, 5, 6, 7, 8, 9)]
    points += [Point(0, 30, Fraction(1)), Point(0, 30, Fraction(400))]

    found = around_the_middle(points)

    assert found[-2].z > 2 * found[-1].z > 0


def test_no_line_is_laid_through_schools_that_are_all_alike():
    same = [Point(5, y, Fraction(1)) for y in range(10)]

    assert around_the_line(same) is None
    assert around_the_line(same[:3]) is None
    assert around_the_middle([Point(0, 7, Fraction(0))] * 5) is None


def test_the_percentile_is_the_nearest_rank():
    values = list(range(1, 101))

    assert percentile(values, 5) == 5
    assert percentile([3, 1, 2], 5) == 1
    assert percentile(values, 50) == np.percentile(values, 50, method="inverted_cdf")
