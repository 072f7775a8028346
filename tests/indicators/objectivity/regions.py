"""Synthetic regions for the detectors: honest ones, in which schools differ as schools do, and planted ones.

Independent of the service: numpy draws pupils, nothing of the detectors is used. Schools differ in
level, in the spread of their pupils and in how strictly the journal is marked: an honest region is
not a set of identical schools.
"""

from collections import Counter
from dataclasses import dataclass, field, replace

import numpy as np

from services.indicators.objectivity.mismatches import Measured, Sums
from services.indicators.objectivity.questions import Cell, Subject


@dataclass
class Work:
    """One work: its scale."""

    code: str
    maximum: int
    borders: tuple[int, ...]
    kind: str = "vpr"
    grade: int = 5
    procedure_id: int = 1


# Source: methodology B8, marks of ВПР by primary score.
RUS4 = Work("rus", 38, (14, 24, 33), grade=4)
MAT4 = Work("mat", 20, (6, 10, 15), grade=4)
RUS5 = Work("rus", 45, (18, 29, 39))
MAT5 = Work("mat", 20, (7, 11, 15))


@dataclass
class Region:
    """Scores and journal marks of every school's pupils."""

    work: Work
    scores: list[np.ndarray]
    journals: list[np.ndarray]
    abilities: list[np.ndarray] = field(default_factory=list)

    def subject(self, year: int = 2025) -> Subject:
        """Give the region as detectors see it; schools have ids from 1 on."""
        cells = {
            place + 1: Cell(
                {int(s) * 1000: many for s, many in Counter(scores.tolist()).items()},
                Counter(zip(self.marks(scores).tolist(), journal.tolist(), strict=True)),
            )
            for place, (scores, journal) in enumerate(zip(self.scores, self.journals, strict=True))
        }
        work = self.work
        return Subject(
            work.procedure_id, work.kind, work.grade, year, f"ВПР, {work.grade} класс", work.code,
            "primary", work.maximum * 1000, work.borders, cells,
        )  # fmt: skip

    def measured(self, procedure_id: int, year: int) -> Measured:
        """Give the region as sums by school."""
        return Measured(
            procedure_id, f"ВПР {year}", year, self.work.code,
            {
                place + 1: Sums(len(s), int(s.sum()) * 1000, int((s**2).sum()) * 1_000_000)
                for place, s in enumerate(self.scores)
            },
        )  # fmt: skip

    def marks(self, scores: np.ndarray) -> np.ndarray:
        return 2 + np.searchsorted(self.work.borders, scores, side="right")


def honest(
    seed: int, work: Work, *, schools: int = 60, sizes=(12, 160), n: int | None = None
) -> Region:
    """Draw an honest region; `n` sets the size of all schools."""
    rng = np.random.default_rng(seed)
    region = Region(work, [], [])
    for _ in range(schools):
        pupils = n or int(np.exp(rng.uniform(*np.log(sizes))))
        level, spread = rng.normal(0.6, 0.07), 0.18 * np.exp(rng.normal(0, 0.12))
        ability = rng.normal(level, spread, pupils)
        region.abilities.append(ability)
        region.scores.append(_written(rng, work, ability))
        # The journal: the mark of the pupil as the teacher knows him, more or less strictly.
        seen = ability + rng.normal(rng.normal(0, 0.04), 0.06, pupils)
        region.journals.append(np.clip(region.marks(_points(work, seen)), 3, 5))
    return region


def _points(work: Work, ability: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(ability * work.maximum), 0, work.maximum).astype(int)


def _written(rng, work: Work, ability: np.ndarray) -> np.ndarray:
    return _points(work, ability + rng.normal(0, 0.05, len(ability)))


def lifted(region: Region, places, *, share: float = 0.4, seed: int = 0) -> Region:
    """Let teachers of these schools move pupils from just below a border up to it (B4: about 40 %)."""
    rng = np.random.default_rng(seed)
    scores = [s.copy() for s in region.scores]
    for place in places:
        for border in region.work.borders:
            near = (scores[place] >= border - 3) & (scores[place] < border)
            scores[place][near & (rng.random(len(near)) < share)] = border
    return replace(region, scores=scores)


def told(region: Region, places, *, seed: int = 0) -> Region:
    """Let pupils of these schools be told the answers: nearly everything right, hardly any spread."""
    rng = np.random.default_rng(seed)
    scores = [s.copy() for s in region.scores]
    for place in places:
        right = rng.binomial(region.work.maximum, 0.93, len(scores[place]))
        scores[place] = np.maximum(right, scores[place] * 0).astype(int)
    return replace(region, scores=scores)


def next_year(region: Region, work: Work, seed: int) -> Region:
    """Let the same pupils write the next work, honestly."""
    rng = np.random.default_rng(seed)
    scores = [_written(rng, work, ability + rng.normal(0, 0.02)) for ability in region.abilities]
    return Region(work, scores, region.journals, region.abilities)
