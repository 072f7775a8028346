"""A peak at the borders of marks: more pupils just above a border, and fewer just below, than expected.

The school's own level matters: where strong pupils learn, the scores at a border are on the rising side
of the distribution, and honestly more lie above than below. So the expected share is not the region's
as it is but the region's distribution tilted to the mean of the school: every score of the other
schools gets the weight w**score, with the one w for which their mean is the school's. The tilt moves a
smooth slope and cannot make a peak. What a border's window then holds above is binomial given what the
window holds at all, and windows of different borders share no score, so their sum has an exact tail.

Source: methodology B4, O1 (pooled ratio R of k = 3 to 5 scores against the region's, z of the two scores
at the border, primary scale and official borders only); the tilt is Opora's own and is said so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction

from services.indicators.algebra.tails import PRECISE, probability, sum_of_binomials_tail

__all__ = ["Border", "Histogram", "Peak", "Window", "adjacent_z", "peak", "windows"]

Histogram = Mapping[int, int]
"""Score -> how many pupils have it; scores in whole points."""

_TOLERANCE = Decimal("1e-15")
_STEPS = 100
_STEEPEST = Decimal(5)
_SHOWN = Decimal("1e-9")


@dataclass(frozen=True, slots=True)
class Window:
    """The scores that are compared at one border: from `first` to below it, from it to `last`."""

    border: int
    first: int
    last: int

    def below(self, scores: Histogram) -> int:
        """Count the pupils just below the border."""
        return sum(scores.get(score, 0) for score in range(self.first, self.border))

    def above(self, scores: Histogram) -> int:
        """Count the pupils at the border and just above."""
        return sum(scores.get(score, 0) for score in range(self.border, self.last + 1))


@dataclass(frozen=True, slots=True)
class Border:
    """One border: counts of the school and of the other schools, and what was expected."""

    window: Window
    below: int
    above: int
    others_below: int
    others_above: int
    expected_share: Decimal
    """Expected share of `above` in the window, from the others tilted to the school's mean."""
    z: Decimal | None
    """(n_b - n_{b-1}) / sqrt(n_b + n_{b-1}) of the school; None when nobody has either score."""


@dataclass(frozen=True, slots=True)
class Peak:
    """The question about one school and subject, answered."""

    n: int
    borders: tuple[Border, ...]
    above: int
    """Pupils just above, all borders together."""
    expected: Decimal
    """How many were expected there, given how many the windows hold."""
    p: Decimal
    """Chance of so many or more above the borders. 1 when there are no more than expected."""


def windows(borders: Sequence[int], *, width: int, maximum: int) -> list[Window]:
    """Lay windows of up to `width` scores on each side of the borders, sharing no score.

    Between two borders that stand close the windows are narrowed to half of the distance; at the ends
    of the scale to what there is. A border without a score on both sides has no window.
    """
    ordered = sorted(set(borders))
    found = []
    for place, border in enumerate(ordered):
        before = border - ordered[place - 1] if place else 2 * width
        after = ordered[place + 1] - border if place + 1 < len(ordered) else 2 * width
        reach = min(width, before // 2, after // 2, border, maximum - border + 1)
        if reach > 0:
            found.append(Window(border, border - reach, border + reach - 1))
    return found


def peak(own: Histogram, others: Histogram, wanted: Sequence[Window]) -> Peak | None:
    """Compare a school with the others at the borders; None where nothing can be compared.

    Nothing can be compared when the school or the others have nobody in any window.
    """
    n = sum(own.values())
    if not n or not any(others.values()):
        return None
    with localcontext(PRECISE):
        mean = Decimal(sum(score * many for score, many in own.items())) / n
        weights = _tilted(others, mean)
        borders = [_border(window, own, others, weights) for window in wanted]
        held = [border for border in borders if border is not None]
        if not held:
            return None
        above = sum(border.above for border in held)
        sizes = [(border.below + border.above, border.expected_share) for border in held]
        expected = sum((size * share for size, share in sizes), Decimal(0))
        # Half of the schools are below what is expected: their tails cost time and decide nothing.
        p = probability(Decimal(1)) if above <= expected else sum_of_binomials_tail(above, sizes)
        told = expected.quantize(_SHOWN, ROUND_HALF_UP)
    return Peak(n, tuple(held), above, told, p)


def _border(
    window: Window, own: Histogram, others: Histogram, weights: Mapping[int, Decimal]
) -> Border | None:
    below, above = window.below(own), window.above(own)
    others_below, others_above = window.below(others), window.above(others)
    # One side that is empty among all others leaves no ratio to compare with.
    if not below + above or not others_below or not others_above:
        return None
    under = sum(
        (weights.get(s, Decimal(0)) for s in range(window.first, window.border)), Decimal(0)
    )
    over = sum(
        (weights.get(s, Decimal(0)) for s in range(window.border, window.last + 1)), Decimal(0)
    )
    share = (over / (over + under)).quantize(Decimal("1e-18"), ROUND_HALF_UP)
    return Border(
        window,
        below,
        above,
        others_below,
        others_above,
        share,
        adjacent_z(own.get(window.border, 0), own.get(window.border - 1, 0)),
    )


def adjacent_z(at: int, before: int) -> Decimal | None:
    """Compare the border's score with the one before: 0 when as many have both. None of nobody."""
    if not at + before:
        return None
    with localcontext(PRECISE):
        return (Decimal(at - before) / Decimal(at + before).sqrt()).quantize(_SHOWN, ROUND_HALF_UP)


def ratio(above: int, below: int) -> Fraction | None:
    """Give the pooled ratio R; None when nobody is below."""
    return Fraction(above, below) if below else None


def _tilted(scores: Histogram, mean: Decimal) -> dict[int, Decimal]:
    """Weigh a distribution by w**score so that its mean is `mean` (Newton's method on ln w).

    A mean at the very end of the scale has no finite w: the tilt stops at e**5 a point, as steep as
    anything that is ever asked.
    """
    # In the order of scores: sums are rounded at the end of their digits.
    held = {score: many for score, many in sorted(scores.items()) if many}
    slope = Decimal(0)
    for _ in range(_STEPS):
        weights = _weights(held, slope)
        total = sum(weights.values(), Decimal(0))
        found = sum((score * weight for score, weight in weights.items()), Decimal(0)) / total
        away = mean - found
        spread = sum(((s - found) ** 2 * w for s, w in weights.items()), Decimal(0)) / total
        if abs(away) < _TOLERANCE or not spread:
            break
        step = min(Decimal(1), max(Decimal(-1), away / spread))
        nearer = min(_STEEPEST, max(-_STEEPEST, slope + step))
        if nearer == slope:
            break
        slope = nearer
    return weights


def _weights(held: Mapping[int, int], slope: Decimal) -> dict[int, Decimal]:
    unit = slope.exp()
    low = min(held)
    powers = {low: Decimal(1)}
    for score in range(low + 1, max(held) + 1):
        powers[score] = powers[score - 1] * unit
    return {score: many * powers[score] for score, many in held.items()}
