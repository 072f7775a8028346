"""The detectors that look at one subject of one procedure: O1 border peak, O2 journal, O4 over-easy.

Each takes all schools' results and answers for every school with enough pupils. Source: methodology B4.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from typing import Any

from services.indicators.algebra.likeness import Common, without_each
from services.indicators.algebra.peaks import Histogram, Peak, Window, peak, windows
from services.indicators.algebra.strays import (
    Point,
    Stray,
    around_the_line,
    around_the_middle,
    percentile,
)
from services.indicators.algebra.tails import (
    PRECISE,
    beta_binomial_tail,
    both,
    decimal_of,
    normal_tail,
)
from services.indicators.objectivity.evidence import (
    BorderOut,
    BorderPeakEvidence,
    JournalEvidence,
    OverEasyEvidence,
    ScoreOut,
)
from services.indicators.objectivity.questions import (
    Answer,
    Detector,
    Question,
    Reason,
    Sample,
    Subject,
    sample_of,
)
from services.indicators.objectivity.thresholds import DetectionSettings

__all__ = ["ask_border_peak", "ask_journal_marks", "ask_over_easy", "points"]

_AROUND = 2
"""Scores shown beyond the windows on each side."""


def _split(
    numbers: Mapping[int, int], settings: DetectionSettings
) -> tuple[dict[int, Sample], tuple[int, ...]]:
    """Tell the schools that are asked, with what their n allows, from those with too few pupils."""
    samples = {school: sample_of(n, settings) for school, n in numbers.items() if n}
    asked = {school: sample for school, sample in sorted(samples.items()) if sample is not None}
    return asked, tuple(sorted(set(samples) - set(asked)))


def _silent(detector: Detector, subject: Subject, reason: Reason) -> Question:
    return Question(detector, subject.procedure_id, subject.code, reason)


def points(milli: Decimal, places: int = 6) -> str:
    """Write thousandths of a point as points, rounded half up."""
    with localcontext(PRECISE):
        return str((milli / 1000).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP))


# O1 ---------------------------------------------------------------------------------------------


def ask_border_peak(subject: Subject, settings: DetectionSettings) -> Question:
    """Ask O1: only official borders on the primary scale."""
    detector = Detector.BORDER_PEAK
    if subject.score_kind != "primary":
        return _silent(detector, subject, Reason.NOT_PRIMARY)
    if not subject.borders:
        return _silent(detector, subject, Reason.NO_BORDERS)
    own = {school: cell.points() for school, cell in subject.cells.items()}
    asked, too_few = _split({school: cell.n for school, cell in subject.cells.items()}, settings)
    if len(asked) < settings.schools_from:
        return _silent(detector, subject, Reason.TOO_FEW_SCHOOLS)
    every: dict[int, int] = defaultdict(int)
    for scores in own.values():
        for score, many in scores.items():
            every[score] += many
    laid = windows(
        subject.borders, width=settings.border_peak.window, maximum=subject.maximum // 1000
    )
    answers = []
    for school, sample in asked.items():
        others = {score: many - own[school].get(score, 0) for score, many in every.items()}
        found = peak(own[school], others, laid)
        if found is not None:
            evidence = _peak_evidence(found, own[school], others)
            answers.append(Answer(school, found.n, sample, found.p, evidence))
    return Question(detector, subject.procedure_id, subject.code, None, tuple(answers), too_few)


def _peak_evidence(found: Peak, own: Histogram, others: Histogram) -> BorderPeakEvidence:
    below = sum(border.below for border in found.borders)
    shown = sorted({s for border in found.borders for s in _shown(border.window)})
    return BorderPeakEvidence(
        detector="border_peak",
        above=found.above,
        expected=str(found.expected),
        ratio=f"{found.above}/{below}" if below else None,
        others_ratio=f"{sum(b.others_above for b in found.borders)}"
        f"/{sum(b.others_below for b in found.borders)}",
        borders=[
            BorderOut(
                border=border.window.border,
                first=border.window.first,
                last=border.window.last,
                below=border.below,
                above=border.above,
                others_below=border.others_below,
                others_above=border.others_above,
                expected_share=str(border.expected_share),
                z=None if border.z is None else str(border.z),
            )
            for border in found.borders
        ],
        histogram=[
            ScoreOut(score=score, pupils=own.get(score, 0), others=others.get(score, 0))
            for score in shown
        ],
    )


def _shown(window: Window) -> range:
    return range(max(0, window.first - _AROUND), window.last + _AROUND + 1)


# O2 ---------------------------------------------------------------------------------------------


def ask_journal_marks(subject: Subject, settings: DetectionSettings) -> Question:
    """Ask O2: the share that differs much from the journal, and the share that is above it.

    Schools differ honestly in how strictly they mark, so a share is compared with the beta-binomial
    distribution of the other schools' shares (algebra/likeness.py says with what care). Of the two questions the smaller probability counts,
    doubled (Bonferroni).
    """
    detector, apart_from = Detector.JOURNAL_MARKS, settings.journal_marks.difference
    counted = {
        school: (
            sum(cell.marks.values()),
            sum(
                many for (work, book), many in cell.marks.items() if abs(work - book) >= apart_from
            ),
            sum(many for (work, book), many in cell.marks.items() if work > book),
            sum(many for (work, book), many in cell.marks.items() if work < book),
        )
        for school, cell in subject.cells.items()
    }
    if not any(n for n, *_ in counted.values()):
        return _silent(detector, subject, Reason.NO_JOURNAL_MARKS)
    asked, too_few = _split({school: row[0] for school, row in counted.items()}, settings)
    if len(asked) < settings.schools_from:
        return _silent(detector, subject, Reason.TOO_FEW_SCHOOLS)
    schools = list(asked)
    care: dict[str, Any] = {
        "left_out_percent": settings.journal_marks.left_out_percent,
        "least": Fraction(settings.journal_marks.least_likeness),
    }
    apart = without_each([(counted[s][1], counted[s][0]) for s in schools], **care)
    raised = without_each([(counted[s][2], counted[s][0]) for s in schools], **care)
    totals = [sum(column) for column in zip(*(counted[s] for s in schools), strict=True)]
    answers = []
    for school, of_apart, of_raised in zip(schools, apart, raised, strict=True):
        if of_apart is None or of_raised is None:
            continue
        p, evidence = _journal_evidence(counted[school], totals, of_apart, of_raised)
        answers.append(Answer(school, counted[school][0], asked[school], p, evidence))
    return Question(detector, subject.procedure_id, subject.code, None, tuple(answers), too_few)


def _journal_evidence(
    own: tuple[int, int, int, int], totals: Sequence[int], apart: Common, raised: Common
) -> tuple[Decimal, JournalEvidence]:
    n, far, up, down = own
    far_p = beta_binomial_tail(far, n, share=apart.share, likeness=apart.likeness)
    up_p = beta_binomial_tail(up, n, share=raised.share, likeness=raised.likeness)
    return min(Decimal(1), 2 * min(far_p, up_p)), JournalEvidence(
        detector="journal_marks",
        compared=n,
        apart=far,
        raised=up,
        lowered=down,
        others_compared=totals[0] - n,
        others_apart=totals[1] - far,
        others_raised=totals[2] - up,
        apart_likeness=_nine(apart.likeness),
        raised_likeness=_nine(raised.likeness),
        apart_p=str(far_p),
        raised_p=str(up_p),
    )


def _nine(value: Fraction) -> str:
    with localcontext(PRECISE):
        return str(decimal_of(value).quantize(Decimal("1e-9"), ROUND_HALF_UP))


# O4 ---------------------------------------------------------------------------------------------


def ask_over_easy(subject: Subject, settings: DetectionSettings) -> Question:
    """Ask O4: the mean far above the region and the spread among the smallest.

    Two independent facts make the probability: how far the mean stands from the middle of schools, and
    how far the spread stands below what schools of such a mean have (near the top of a scale all
    spreads are small). A sign needs the plain conditions of methodology B4 besides.
    """
    detector = Detector.OVER_EASY
    cells = subject.cells
    asked, too_few = _split({school: cell.n for school, cell in cells.items()}, settings)
    if len(asked) < settings.schools_from:
        return _silent(detector, subject, Reason.TOO_FEW_SCHOOLS)
    own = {school: _moments(cells[school].scores) for school in asked}
    within = _within(list(own.values()))
    means = around_the_middle([Point(0, m.mean, within / m.n) for m in own.values()])
    # A standard deviation of n pupils has itself a variance of about s^2 / 2(n - 1).
    spreads = around_the_line(
        [Point(m.mean, m.spread, within / (2 * (m.n - 1))) for m in own.values()]
    )
    if means is None or spreads is None:
        return _silent(detector, subject, Reason.NO_SPREAD)
    totals = [_sums(cell.scores) for cell in cells.values()]
    people, total = sum(n for n, *_ in totals), sum(s for _, s, _ in totals)
    limit = percentile([m.spread for m in own.values()], settings.over_easy.spread_percentile)
    answers = []
    for (school, sample), mean, spread in zip(asked.items(), means, spreads, strict=True):
        p = both(normal_tail(mean.z), normal_tail(-spread.z))
        m = own[school]
        others = Fraction(1000 * (total - m.total), people - m.n) if people > m.n else None
        evidence = _easy_evidence(subject, school, m, others, limit, (mean, spread), settings)
        answers.append(Answer(school, m.n, sample, p, evidence))
    return Question(detector, subject.procedure_id, subject.code, None, tuple(answers), too_few)


class _Moments:
    """Sums of one school's scores; mean and spread in millionths of a point, rounded down."""

    def __init__(self, n: int, total: int, squares: int) -> None:
        self.n, self.total = n, total
        self.mean = total * 1000 // n
        self.ssd = Fraction(squares * n - total * total, n)
        """Sum of squared distances from the mean, in squared thousandths."""
        with localcontext(PRECISE):
            variance = decimal_of(self.ssd * 1_000_000 / (n - 1))
            self.spread = int(variance.sqrt())


def _sums(scores: Mapping[int, int]) -> tuple[int, int, int]:
    return (
        sum(scores.values()),
        sum(score * many for score, many in scores.items()),
        sum(score * score * many for score, many in scores.items()),
    )


def _moments(scores: Mapping[int, int]) -> _Moments:
    return _Moments(*_sums(scores))


def _within(schools: list[_Moments]) -> Fraction:
    """Give the variance of pupils within schools, in squared millionths."""
    # Whole units, or the denominators of a thousand schools would multiply.
    ssd = sum(int(m.ssd * 1_000_000) for m in schools)
    return Fraction(ssd, sum(m.n - 1 for m in schools))


def _easy_evidence(
    subject: Subject,
    school: int,
    own: _Moments,
    others_mean: Fraction | None,
    limit: int,
    strays: tuple[Stray, Stray],
    settings: DetectionSettings,
) -> OverEasyEvidence | None:
    if others_mean is None:
        return None
    with localcontext(PRECISE):
        error = Decimal(own.spread) / Decimal(own.n).sqrt()
        far = (
            Decimal(own.mean) > decimal_of(others_mean) + settings.over_easy.standard_errors * error
        )
        if not far or own.spread >= limit:
            return None
        at_top = subject.cells[school].scores.get(subject.maximum, 0)
        return OverEasyEvidence(
            detector="over_easy",
            mean=points(Decimal(own.mean) / 1000),
            others_mean=points(decimal_of(others_mean) / 1000),
            standard_error=points(error / 1000),
            spread=points(Decimal(own.spread) / 1000),
            spread_limit=points(Decimal(limit) / 1000),
            maximum_share=f"{at_top}/{own.n}",
            mean_z=str(strays[0].z),
            spread_z=str(strays[1].z),
        )
