"""O3: what a cohort showed in a later procedure against what the earlier one let expect.

For one subject the means of schools in the later procedure are laid on a line over their means in the
earlier; a school that strays from the line of the others further than its noise and the honest spread
of schools is a sign: below it the earlier results, above it the later ones look too high.
Source: methodology B4, O3 (residual of ОГЭ-9 on ВПР-8, of ВПР-5 on ВПР-4, same cohort, |z| > 2).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from services.indicators.algebra.strays import Point, Stray, around_the_line
from services.indicators.algebra.tails import normal_tail
from services.indicators.objectivity.detectors import points
from services.indicators.objectivity.evidence import MeasuredOut, MismatchEvidence
from services.indicators.objectivity.questions import (
    Answer,
    Detector,
    Question,
    Reason,
    sample_of,
)
from services.indicators.objectivity.thresholds import DetectionSettings

__all__ = ["Measured", "Sums", "ask_mismatch"]


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums of one school's scores: thousandths and their squares."""

    n: int
    total: int
    squares: int

    @property
    def mean(self) -> int:
        """The mean in millionths of a point, rounded down."""
        return self.total * 1000 // self.n


@dataclass(frozen=True)
class Measured:
    """One subject of one procedure as sums by school."""

    procedure_id: int
    title: str
    year: int
    code: str
    schools: Mapping[int, Sums]


def ask_mismatch(
    earlier: Measured | None, later: Measured, settings: DetectionSettings
) -> Question:
    """Ask O3 of a subject of the later procedure; None: the earlier procedure has no such subject."""
    detector = Detector.PROCEDURE_MISMATCH
    if earlier is None:
        return Question(detector, later.procedure_id, later.code, Reason.NO_EARLIER)
    have_both = sorted(set(earlier.schools) & set(later.schools))
    numbers = {s: min(earlier.schools[s].n, later.schools[s].n) for s in have_both}
    asked = [s for s in have_both if sample_of(numbers[s], settings)]
    if len(asked) < settings.schools_from:
        return Question(detector, later.procedure_id, later.code, Reason.TOO_FEW_SCHOOLS)
    within = [_within([one.schools[s] for s in asked]) for one in (earlier, later)]
    strays = around_the_line(
        [
            Point(
                earlier.schools[s].mean,
                later.schools[s].mean,
                within[1] / later.schools[s].n,
                within[0] / earlier.schools[s].n,
            )
            for s in asked
        ]
    )
    if strays is None:
        return Question(detector, later.procedure_id, later.code, Reason.NO_SPREAD)
    answers = []
    for school, stray in zip(asked, strays, strict=True):
        sample = sample_of(numbers[school], settings)
        if sample is None:
            continue
        p = min(Decimal(1), 2 * normal_tail(abs(stray.z)))
        is_far = abs(stray.z) > settings.procedure_mismatch.z
        evidence = _evidence(earlier, later, school, stray, len(asked)) if is_far else None
        answers.append(Answer(school, numbers[school], sample, p, evidence))
    too_few = tuple(s for s in have_both if numbers[s] and s not in set(asked))
    return Question(detector, later.procedure_id, later.code, None, tuple(answers), too_few)


def _within(schools: list[Sums]) -> Fraction:
    """Give the variance of pupils within schools, in squared millionths."""
    # Whole units, or the denominators of a thousand schools would multiply.
    ssd = sum((one.squares * one.n - one.total * one.total) * 1_000_000 // one.n for one in schools)
    return Fraction(ssd, sum(one.n - 1 for one in schools))


def _evidence(
    earlier: Measured, later: Measured, school: int, stray: Stray, schools: int
) -> MismatchEvidence:
    return MismatchEvidence(
        detector="procedure_mismatch",
        earlier=_measured(earlier, school),
        later=_measured(later, school),
        schools=schools,
        expected=points(stray.expected / 1000),
        residual=points(stray.residual / 1000),
        z=str(stray.z),
    )


def _measured(one: Measured, school: int) -> MeasuredOut:
    sums = one.schools[school]
    return MeasuredOut(
        procedure_id=one.procedure_id,
        title=one.title,
        year=one.year,
        n=sums.n,
        mean=points(Decimal(sums.mean) / 1000),
    )
