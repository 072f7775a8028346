"""Rows of results of a procedure: points on the published scales, as a region's files have them.

One row per participant and subject. Names and birth dates are there because real files have them; they are
invented, and Opora must drop them while it reads.
"""

import numpy as np
import numpy.typing as npt
import polars as pl

from demo.cohorts import KINDS, Cohort, cohort
from demo.naming import words
from demo.region import Region
from demo.scales import Procedure, Subject, published

__all__ = ["results"]

Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]

_POPULAR = {
    "soc": 0.60, "geo": 0.45, "inf": 0.42, "bio": 0.25, "phy": 0.14, "his": 0.08, "che": 0.12,
    "eng": 0.10, "lit": 0.05, "ger": 0.01, "fre": 0.003, "spa": 0.001, "chi": 0.001,
}  # fmt: skip
"""How often pupils choose a subject; only the order of magnitude is true to life."""

_CHOSEN = {"oge": 2, "ege": 1}
_PROFILE = 0.55
"""Share of grade 11 that takes mathematics of the profile level; the rest takes the basic level."""

_ABSENCE, _CANCELLATION = 1, 2
_ABSENT = 0.012
_CANCELLED = 0.0004
_INFLATED = 0.7
"""Share of works up to two points below a border that an inflating school lifts over it."""


def results(region: Region, procedure: Procedure) -> pl.DataFrame:
    """Return all rows of a procedure, by school and participant; the same for the same region."""
    made = region.random(2, KINDS.index(procedure.kind), procedure.grade, procedure.year)
    sitting = cohort(region, procedure)
    subjects = published(procedure)
    taken = _taken(procedure, subjects, sitting, made)
    failed = _failed(subjects, taken, sitting, made)
    participant, subject = np.nonzero(taken)
    points = np.empty(len(participant), dtype=np.int64)
    mark = np.zeros(len(participant), dtype=np.int64)
    for index, scale in enumerate(subjects):
        rows = subject == index
        who = participant[rows]
        inflates = region.schools.inflates[sitting.school[who]] & (procedure.kind == "vpr")
        points[rows] = _points(scale, sitting, who, failed[who, index], inflates, made)
        mark[rows] = _mark(scale, points[rows])
    status = _statuses(subjects, sitting, participant, subject, made)
    people = _people(region, procedure, sitting, made)
    was_present, was_marked = status != _ABSENCE, (status == 0) & (mark > 0)
    return people[participant].with_columns(
        subject=pl.Series(np.array([scale.written for scale in subjects])[subject]),
        variant=pl.Series(300 + made.integers(1, 9, len(participant))),
        score=pl.Series(points).set(pl.Series(~was_present), None),
        mark=pl.Series(mark).set(pl.Series(~was_marked), None),
        status=pl.Series(np.array(["", "absent", "cancelled"])[status]),
    )


def _taken(
    procedure: Procedure,
    subjects: tuple[Subject, ...],
    sitting: Cohort,
    made: np.random.Generator,
) -> Booleans:
    """Choose subjects: the obligatory ones, and the most wished for of the others."""
    people = len(sitting.school)
    taken = np.zeros((people, len(subjects)), dtype=np.bool_)
    places = {scale.code: index for index, scale in enumerate(subjects)}
    for index, scale in enumerate(subjects):
        taken[:, index] = scale.is_mass
    if "mat-base" in places:
        # Who is to fail in mathematics has to take the level that counts.
        profile = (made.random(people) < _PROFILE) | sitting.fails
        taken[:, places["mat"]] = profile
        taken[:, places["mat-base"]] = ~profile
    chosen = [index for index, scale in enumerate(subjects) if scale.code in _POPULAR]
    if chosen and (many := _CHOSEN.get(procedure.kind)):
        wish = np.log([_POPULAR[subjects[index].code] for index in chosen])
        # Adding Gumbel noise to the logarithms draws without replacement by weight.
        liked = np.argsort(-(wish + made.gumbel(size=(people, len(chosen)))), axis=1)[:, :many]
        np.put_along_axis(taken, np.array(chosen)[liked], values=True, axis=1)
    return taken


def _failed(
    subjects: tuple[Subject, ...], taken: Booleans, sitting: Cohort, made: np.random.Generator
) -> Booleans:
    """Say in which mass subjects the failing fail: mostly mathematics, some both."""
    chance = made.random(len(sitting.school))
    in_subject = {"mat": chance < 0.85, "rus": chance > 0.65}
    failed = np.zeros_like(taken)
    for index, scale in enumerate(subjects):
        if scale.is_mass:
            failed[:, index] = sitting.fails & in_subject[scale.code]
    return failed & taken


def _points(
    scale: Subject,
    sitting: Cohort,
    who: Integers,
    fails: Booleans,
    inflates: Booleans,
    made: np.random.Generator,
) -> Integers:
    """Turn ability into points of the scale.

    A participant that does not fail is not below the minimum of a mass subject; subjects of choice
    are free to go wrong.
    """
    ability = sitting.ability[who] + made.normal(scale=0.5, size=len(who))
    middle = (scale.minimum + scale.top) / 2
    width = (scale.top - scale.minimum) / 2.2
    points = np.rint(middle + width * ability).astype(np.int64)
    for border in scale.borders:
        near = inflates & (points >= border - 2) & (points < border)
        points = np.where(near & (made.random(len(who)) < _INFLATED), border, points)
    if scale.is_mass:
        below = scale.minimum - 1 - made.geometric(0.3, len(who)) + 1
        points = np.where(fails, below, np.maximum(points, scale.minimum))
    return np.clip(points, 2 if scale.code == "mat-base" else 0, scale.maximum)


def _mark(scale: Subject, points: Integers) -> Integers:
    if not scale.borders:
        return np.zeros(len(points), dtype=np.int64)
    return 2 + np.searchsorted(scale.borders, points, side="right")


def _statuses(
    subjects: tuple[Subject, ...],
    sitting: Cohort,
    participant: Integers,
    subject: Integers,
    made: np.random.Generator,
) -> Integers:
    """Let a few be absent (1) or have their work cancelled (2): never those who are to fail."""
    # Russian is left alone, so that everybody remains a participant of the procedure.
    may_miss = (
        ~sitting.fails[participant]
        & (np.array([scale.code != "rus" for scale in subjects])[subject])
    )
    chance = made.random(len(participant))
    absent = may_miss & (chance < _ABSENT)
    cancelled = may_miss & (chance > 1 - _CANCELLED)
    statuses: Integers = absent * _ABSENCE + cancelled * _CANCELLATION
    return statuses


def _people(
    region: Region, procedure: Procedure, sitting: Cohort, made: np.random.Generator
) -> pl.DataFrame:
    """Give every participant a school code, a code, a class and an invented person."""
    many = len(sitting.school)
    names = words()
    girl = made.random(many) < 0.5
    # Codes look shuffled and never repeat: the multiplier has no common divisor with the modulus.
    serial = np.arange(many, dtype=np.int64) * 611_953 % 1_000_000_007
    prefix = (procedure.year % 100) * 100 + procedure.grade
    patronymic = made.integers(0, len(names["patronymics"]), many)
    surname = np.array(names["surnames"])[made.integers(0, len(names["surnames"]), many)]
    born = np.datetime64(f"{procedure.year - procedure.grade - 7}-09-01") + made.integers(
        0, 365, many
    )
    return pl.DataFrame(
        {
            "school_code": np.array(region.schools.code)[sitting.school],
            "code": prefix * 10**10 + serial,
            "surname": np.where(girl, np.char.add(surname, "а"), surname),
            "name": np.where(
                girl,
                np.array(names["girls"])[made.integers(0, len(names["girls"]), many)],
                np.array(names["boys"])[made.integers(0, len(names["boys"]), many)],
            ),
            "patronymic": np.array(names["patronymics"])[patronymic, girl.astype(int)],
            "born": born,
            "grade": np.full(many, procedure.grade),
            "class": np.char.add(str(procedure.grade), np.array(["А", "Б", "В"]))[
                made.integers(0, 3, many)
            ],
        }
    )
