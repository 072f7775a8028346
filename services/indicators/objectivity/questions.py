"""What detectors ask and what they answer, before and after the control over many schools.

A question is a detector asked of one subject of one procedure over all schools; a family is all
questions of one detector and procedure: over it false alarms are controlled. Source: methodology B4.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from services.indicators.algebra.discoveries import Control, adjusted
from services.indicators.objectivity.evidence import Evidence
from services.indicators.objectivity.thresholds import DetectionSettings

__all__ = [
    "Answer",
    "Cell",
    "Detector",
    "Found",
    "Question",
    "Reason",
    "Sample",
    "Subject",
    "controlled",
    "sample_of",
]


class Detector(StrEnum):
    """The five detectors of methodology B4."""

    BORDER_PEAK = "border_peak"
    """O1."""
    JOURNAL_MARKS = "journal_marks"
    """O2."""
    PROCEDURE_MISMATCH = "procedure_mismatch"
    """O3."""
    OVER_EASY = "over_easy"
    """O4."""
    REPEATED = "repeated"
    """O5."""


class Reason(StrEnum):
    """Why a question is asked of nobody."""

    USE_NOT_PERMITTED = "use_not_permitted"
    NOT_PRIMARY = "not_primary"
    NO_BORDERS = "no_borders"
    NO_JOURNAL_MARKS = "no_journal_marks"
    NO_EARLIER = "no_earlier"
    TOO_FEW_SCHOOLS = "too_few_schools"
    NO_SPREAD = "no_spread"


class Sample(StrEnum):
    """What the number of pupils allows. Source: methodology B4 (50 and 20)."""

    FULL = "full"
    LIMITED = "limited"


def sample_of(n: int, settings: DetectionSettings) -> Sample | None:
    """Say what n pupils allow; None: nothing is asked."""
    if n >= settings.full_from:
        return Sample.FULL
    return Sample.LIMITED if n >= settings.limited_from else None


@dataclass(frozen=True)
class Cell:
    """Results of one school in one subject. `scores` are in thousandths."""

    scores: Mapping[int, int]
    marks: Mapping[tuple[int, int], int] = field(default_factory=dict)
    """(mark of the work, mark of the journal) -> pupils who have both."""

    @property
    def n(self) -> int:
        """How many took part."""
        return sum(self.scores.values())

    def points(self) -> dict[int, int]:
        """Count pupils by whole points, the fraction of a point left out."""
        out: dict[int, int] = defaultdict(int)
        for score, many in self.scores.items():
            out[score // 1000] += many
        return dict(out)


@dataclass(frozen=True)
class Subject:
    """One subject of one procedure, with the results of every school that has any.

    Schools are named by their ids; nothing depends on the order of the ids.
    """

    procedure_id: int
    kind: str
    grade: int
    year: int
    title: str
    code: str
    score_kind: str
    maximum: int
    """In thousandths."""
    borders: tuple[int, ...]
    cells: Mapping[int, Cell]


@dataclass(frozen=True)
class Answer:
    """What a detector says of one school."""

    school_id: int
    n: int
    sample: Sample
    p: Decimal
    evidence: Evidence | None
    """None where the detector's other conditions are not met: it counts in the family and is no sign."""


@dataclass(frozen=True)
class Question:
    """A detector asked of a subject."""

    detector: Detector
    procedure_id: int
    subject: str
    reason: Reason | None
    """Why nobody was asked; None: asked."""
    answers: tuple[Answer, ...] = ()
    too_few: tuple[int, ...] = ()
    """Schools with results but too few pupils."""


@dataclass(frozen=True)
class Found:
    """A sign."""

    school_id: int
    detector: Detector
    procedure_id: int | None
    subject: str | None
    n: int | None
    sample: Sample
    p: Decimal | None
    p_adjusted: Decimal | None
    evidence: Evidence


def controlled(questions: Sequence[Question], settings: DetectionSettings) -> list[Found]:
    """Keep the answers that survive the control over their family.

    Returns:
        Signs in the order of the questions and their answers.
    """
    families: dict[tuple[Detector, int], list[tuple[Question, Answer]]] = defaultdict(list)
    for question in questions:
        for answer in question.answers:
            families[question.detector, question.procedure_id].append((question, answer))
    control = Control(settings.control.value)
    found = []
    for family in families.values():
        told = adjusted([answer.p for _, answer in family], control)
        found += _survivors(family, told, settings.level)
    return found


def _survivors(
    family: Iterable[tuple[Question, Answer]], told: Iterable[Decimal], level: Decimal
) -> list[Found]:
    return [
        Found(
            answer.school_id,
            question.detector,
            question.procedure_id,
            question.subject,
            answer.n,
            answer.sample,
            answer.p,
            p_adjusted,
            answer.evidence,
        )
        for (question, answer), p_adjusted in zip(family, told, strict=True)
        if p_adjusted <= level and answer.evidence is not None
    ]
