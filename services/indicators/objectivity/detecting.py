"""From gathered results to questions, signs and what could be asked of each school. No database here."""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.indicators.objectivity.detectors import (
    ask_border_peak,
    ask_journal_marks,
    ask_over_easy,
)
from services.indicators.objectivity.evidence import RepeatedSignOut, RepeatEvidence
from services.indicators.objectivity.gathering import Gathered, SchoolFacts
from services.indicators.objectivity.mismatches import Measured, ask_mismatch
from services.indicators.objectivity.questions import (
    Detector,
    Found,
    Question,
    Reason,
    Sample,
    Subject,
    controlled,
)
from services.indicators.objectivity.thresholds import DetectionSettings, Pair

__all__ = [
    "CELLS",
    "Detected",
    "Earlier",
    "detect",
    "digest",
    "input_hash",
    "ordered",
    "repeated",
    "result_hash",
    "school_rows",
    "told_questions",
]

CELLS = (("4_rus", 4, "rus"), ("4_mat", 4, "mat"), ("5_rus", 5, "rus"), ("5_mat", 5, "mat"))
"""Cells of ФИОКО's list: code, grade, subject. Source: methodology B4 (4 РУ, 4 МА, 5 РУ, 5 МА)."""

_STAGE_OF_GRADE = {4: "noo", 5: "ooo"}


@dataclass(frozen=True)
class Detected:
    """What the detectors O1 to O4 said."""

    questions: tuple[Question, ...]
    signs: tuple[Found, ...]
    """By code of the school, detector, procedure in natural order, subject."""


@dataclass(frozen=True)
class Earlier:
    """A sign of an earlier year that nobody has withdrawn."""

    school_id: int
    year: int
    detector: str
    procedure_id: int | None
    subject: str | None


def detect(gathered: Gathered, settings: DetectionSettings) -> Detected:
    """Ask every question of every school and control the answers."""
    questions = _silent(gathered)
    for subject in gathered.subjects:
        if settings.border_peak.is_asked:
            questions.append(ask_border_peak(subject, settings))
        if settings.journal_marks.is_asked:
            questions.append(ask_journal_marks(subject, settings))
        if settings.over_easy.is_asked:
            questions.append(ask_over_easy(subject, settings))
    if settings.procedure_mismatch.is_asked:
        for pair in settings.procedure_mismatch.pairs:
            questions += _mismatches(gathered, pair, settings)
    return Detected(tuple(questions), ordered(gathered, controlled(questions, settings)))


def ordered(gathered: Gathered, signs: Iterable[Found]) -> tuple[Found, ...]:
    """Put signs in their natural order, which ids do not give."""
    return tuple(sorted(signs, key=_order(gathered)))


def _order(gathered: Gathered) -> Callable[[Found], tuple[int, int, int, str]]:
    school = {one.id: place for place, one in enumerate(gathered.schools)}
    procedure = {one.id: place for place, one in enumerate(gathered.procedures)}
    detector = {one: place for place, one in enumerate(Detector)}

    def key(sign: Found) -> tuple[int, int, int, str]:
        return (
            school.get(sign.school_id, len(school)),
            detector[sign.detector],
            procedure.get(sign.procedure_id or 0, -1),
            sign.subject or "",
        )

    return key


def _silent(gathered: Gathered) -> list[Question]:
    """Say of which procedures nothing is asked because their results may not be used so."""
    return [
        Question(Detector.BORDER_PEAK, procedure.id, "", Reason.USE_NOT_PERMITTED)
        for procedure in gathered.procedures
        if procedure.year == gathered.year and not procedure.is_permitted
    ]


def _mismatches(gathered: Gathered, pair: Pair, settings: DetectionSettings) -> list[Question]:
    def of(year: int, kind: str, grade: int) -> list[Measured]:
        return [
            measured
            for p in gathered.procedures
            if (p.year, p.kind, p.grade) == (year, kind, grade)
            for measured in gathered.sums.get(p.id, ())
        ]

    earlier: dict[str, Measured] = {}
    for one in of(gathered.year - pair.years, pair.earlier_kind.value, pair.earlier_grade):
        earlier.setdefault(one.code, one)
    later = of(gathered.year, pair.later_kind.value, pair.later_grade)
    return [ask_mismatch(earlier.get(one.code), one, settings) for one in later]


def repeated(
    year: int,
    now: Sequence[Found],
    earlier: Iterable[Earlier],
    settings: DetectionSettings,
) -> list[Found]:
    """Ask O5: signs of O1 to O4 in several years. Withdrawn signs are left out by the caller."""
    wanted = settings.repeated
    if not wanted.is_asked:
        return []
    held: dict[int, list[Earlier]] = defaultdict(list)
    for sign in now:
        held[sign.school_id].append(
            Earlier(sign.school_id, year, sign.detector.value, sign.procedure_id, sign.subject)
        )
    for old in earlier:
        if old.detector != Detector.REPEATED.value and year - wanted.years < old.year < year:
            held[old.school_id].append(old)
    out = []
    for school, signs in sorted(held.items()):
        years = sorted({sign.year for sign in signs})
        # A school without a sign this year is not told of again: the earlier ones stand.
        if len(years) < wanted.at_least or year not in years:
            continue
        evidence = RepeatEvidence(
            detector="repeated",
            years=years,
            within=wanted.years,
            signs=[
                RepeatedSignOut(
                    year=s.year, detector=s.detector, procedure_id=s.procedure_id or 0, subject=s.subject
                )
                for s in sorted(signs, key=lambda s: (s.year, s.detector, s.procedure_id or 0, s.subject or ""))
            ],
        )  # fmt: skip
        out.append(
            Found(school, Detector.REPEATED, None, None, None, Sample.FULL, None, None, evidence)
        )
    return out


def told_questions(detected: Detected) -> list[dict[str, Any]]:
    """Write the questions down: asked or not and why, of how many schools, how many signs."""
    signs = Counter((s.detector, s.procedure_id, s.subject) for s in detected.signs)
    return [
        {
            "detector": question.detector.value,
            "procedure_id": question.procedure_id,
            "subject": question.subject or None,
            "reason": None if question.reason is None else question.reason.value,
            "schools": len(question.answers),
            "limited": sum(answer.sample is Sample.LIMITED for answer in question.answers),
            "too_few": len(question.too_few),
            "signs": signs[question.detector, question.procedure_id, question.subject],
        }
        for question in detected.questions
    ]


def school_rows(
    gathered: Gathered, detected: Detected, settings: DetectionSettings
) -> list[dict[str, Any]]:
    """Give one row per school: what was asked of it, and the cells of ФИОКО's list."""
    asked: Counter[int] = Counter()
    limited: Counter[int] = Counter()
    too_few: Counter[int] = Counter()
    answered: set[tuple[int, int, str]] = set()
    for question in detected.questions:
        for answer in question.answers:
            (limited if answer.sample is Sample.LIMITED else asked)[answer.school_id] += 1
            answered.add((answer.school_id, question.procedure_id, question.subject))
        too_few.update(question.too_few)
    works = _works(gathered)
    return [
        {
            "school_id": school.id,
            "municipality_id": school.municipality_id,
            "code": school.code,
            "name": school.name,
            "municipality_name": school.municipality_name,
            "asked": asked[school.id],
            "limited": limited[school.id],
            "too_few": too_few[school.id],
            "cells": {
                code: _cell(school, grade, works.get(code, ()), answered, few=settings.limited_from)
                for code, grade, _ in CELLS
            },
        }
        for school in gathered.schools
    ]


def _works(gathered: Gathered) -> dict[str, tuple[Subject, ...]]:
    return {
        code: tuple(
            subject
            for subject in gathered.subjects
            if (subject.kind, subject.grade, subject.code) == ("vpr", grade, name)
        )
        for code, grade, name in CELLS
    }


def _cell(
    school: SchoolFacts,
    grade: int,
    works: Sequence[Subject],
    answered: set[tuple[int, int, str]],
    *,
    few: int,
) -> dict[str, Any]:
    """Tell apart: asked, too few pupils, not asked, not submitted, not applicable."""
    written = [(w, w.cells[school.id].n) for w in works if school.id in w.cells]
    if written:
        if any((school.id, w.procedure_id, w.code) in answered for w, _ in written):
            state = "asked"
        else:
            state = "too_few" if max(n for _, n in written) < few else "not_asked"
        return {"n": sum(n for _, n in written), "state": state}
    if school.stages is not None and _STAGE_OF_GRADE[grade] not in school.stages:
        return {"n": None, "state": "not_applicable"}
    return {"n": None, "state": "not_submitted"}


# Hashes -----------------------------------------------------------------------------------------


def digest(document: Any) -> str:
    """Hash a document of texts and whole numbers: SHA-256, 64 hexadecimal digits."""
    canonical = json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def input_hash(gathered: Gathered, earlier: Sequence[Earlier], settings: DetectionSettings) -> str:
    """Hash everything the signs follow from, by natural keys: ids and row order are not in it."""
    code = {school.id: school.code for school in gathered.schools}
    key = {procedure.id: list(procedure.natural_key) for procedure in gathered.procedures}
    return digest(
        {
            "year": gathered.year,
            "settings": settings.canonical(),
            "procedures": [[*p.natural_key, p.is_permitted] for p in gathered.procedures],
            "schools": [[s.code, s.name, s.municipality_name, s.stages] for s in gathered.schools],
            "subjects": [
                [
                    key[s.procedure_id], s.code, s.score_kind, s.maximum, list(s.borders),
                    sorted(
                        [
                            code[school],
                            sorted(cell.scores.items()),
                            sorted([*pair, many] for pair, many in cell.marks.items()),
                        ]
                        for school, cell in s.cells.items()
                    ),
                ]
                for s in gathered.subjects
            ],
            "sums": [
                [
                    key[number], m.code,
                    sorted([code.get(s, ""), v.n, v.total, v.squares] for s, v in m.schools.items()),
                ]
                for number in sorted(gathered.sums, key=lambda number: key[number])
                for m in gathered.sums[number]
            ],
            "earlier": sorted(
                [code.get(e.school_id, ""), e.year, e.detector, e.subject or ""] for e in earlier
            ),
        }
    )  # fmt: skip


def result_hash(gathered: Gathered, signs: Sequence[Found], inputs: str) -> str:
    """Hash the signs by natural keys, in their order."""
    code = {school.id: school.code for school in gathered.schools}
    key = {procedure.id: list(procedure.natural_key) for procedure in gathered.procedures}
    return digest(
        {
            "inputs": inputs,
            "signs": [
                [
                    code[s.school_id], s.detector.value, key.get(s.procedure_id or 0), s.subject, s.n,
                    s.sample.value, str(s.p), str(s.p_adjusted), _without_ids(s.evidence.model_dump()),
                ]
                for s in signs
            ],
        }
    )  # fmt: skip


def _without_ids(node: Any) -> Any:
    if isinstance(node, Mapping):
        return {k: _without_ids(v) for k, v in node.items() if k != "procedure_id"}
    return [_without_ids(v) for v in node] if isinstance(node, list) else node
