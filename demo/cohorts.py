"""Who sits a procedure: how many of each school, how able, and how many of them fail.

Where the preset lays down a list of identified schools, the numbers of failing participants are chosen so
that Smolensk's methodology (30 % or more below the minimum in a mass subject, small groups added up over
two years) finds exactly these, with a margin on both sides; elsewhere they follow the social context.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from demo.region import Region, Role
from demo.scales import Procedure

__all__ = ["KINDS", "Cohort", "cohort"]

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Booleans = npt.NDArray[np.bool_]

KINDS = ("vpr", "oge", "ege")
_JUDGED = 11
"""Participants of an arranged school: enough to be judged without an earlier year (small_n: below 10)."""

_LOW_SHARE = (0.40, 0.78)
_HIGHEST_SHARE_OF_OTHERS = 0.20
"""Both are comfortably away from 30 %; sums of two years stay on the same side."""


@dataclass(frozen=True)
class Cohort:
    """Participants of one procedure, school by school."""

    school: Integers
    """Position of the school of each participant."""
    ability: Floats
    """0 is the mean of the region, 1 a standard deviation."""
    fails: Booleans
    """Below the minimum in at least one mass subject."""


def cohort(region: Region, procedure: Procedure) -> Cohort:
    """Draw the participants; the same for the same region and procedure."""
    made = region.random(1, KINDS.index(procedure.kind), procedure.grade, procedure.year)
    sizes = _sizes(region, procedure, made)
    school = np.repeat(np.arange(len(sizes)), sizes)
    level = 0.55 * region.schools.context + made.normal(scale=0.3, size=len(sizes))
    ability = level[school] + made.normal(size=len(school))
    failing = _failing(region, procedure, sizes, made)
    # The least able of each school fail.
    order = np.lexsort((ability, school))
    rank = np.empty(len(school), dtype=np.int64)
    rank[order] = np.arange(len(school)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return Cohort(school, ability, rank < failing[school])


def _sizes(region: Region, procedure: Procedure, made: np.random.Generator) -> Integers:
    schools = region.schools
    stage = "soo" if procedure.grade > 9 else "ooo" if procedure.grade > 4 else "noo"
    grades = np.where(schools.kind == "nosh", 4, np.where(schools.teaches("soo"), 10.1, 9))
    grades = np.where(schools.kind == "evening", 4, grades)
    each = schools.pupils / grades * (0.5 if procedure.grade > 9 else 1)
    sizes = made.poisson(each)
    if stage != "soo":
        arranged = np.isin(schools.role, (Role.NRO, Role.BOTH))
        sizes = np.where(arranged, np.maximum(sizes, _JUDGED), sizes)
    # Schools for pupils with disabilities take their own examinations (ГВЭ).
    sits = schools.teaches(stage) & (schools.kind != "correctional")
    return np.where(sits, sizes, 0)


def _failing(
    region: Region, procedure: Procedure, sizes: Integers, made: np.random.Generator
) -> Integers:
    schools = region.schools
    share = 1 / (1 + np.exp(2.3 + 0.9 * schools.context + made.normal(scale=0.4, size=len(sizes))))
    chance: Integers = made.binomial(sizes, share)
    if not region.preset.is_arranged:
        return chance
    low = np.ceil(sizes * made.uniform(*_LOW_SHARE, size=len(sizes))).astype(np.int64)
    at_most = np.floor(sizes * _HIGHEST_SHARE_OF_OTHERS).astype(np.int64)
    is_low = np.isin(schools.role, (Role.NRO, Role.BOTH))
    if procedure.kind == "ege":
        # A part of the schools is low in grade 11 too: then rule A speaks beside rule B.
        is_low &= np.arange(len(sizes)) % 3 == 0
    return np.where(is_low, np.minimum(low, sizes), np.minimum(chance, at_most))
