"""What a check is made against: the schools of the region, the procedure and its scales."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

__all__ = ["Reference", "ScaleFacts", "read_reference", "subject_words"]


@dataclass(frozen=True)
class ScaleFacts:
    """What the check needs of a scale; bounds in thousandths of a point."""

    position: int
    subject: str
    words: tuple[str, ...]
    maximum_milli: int
    score_kind: str


@dataclass(frozen=True)
class Reference:
    """Schools and scales, indexed for the check; `fingerprint` names their state."""

    procedure_id: int
    region_id: int
    grade: int
    scales: tuple[ScaleFacts, ...]
    codes: dict[str, int] = field(repr=False)
    """Code or ВПР login of a school, as files write it -> index into the two arrays."""
    school_ids: npt.NDArray[np.int64] = field(repr=False)
    municipality_ids: npt.NDArray[np.int64] = field(repr=False)
    result_revision: int
    fingerprint: str

    @property
    def subjects(self) -> dict[str, int]:
        """Words by which a file may name a subject -> position of its scale."""
        return {word: scale.position for scale in self.scales for word in scale.words}


_PROCEDURE = text(
    "SELECT region_id, grade, scale_revision, result_revision FROM procedure WHERE id = :procedure"
)
_SCALES = text(
    """
    SELECT position, subject, aliases, title, maximum_milli, score_kind
    FROM scale WHERE procedure_id = :procedure ORDER BY position
    """
)
# A closed school's code is found last, so that a code given again means the open school.
_SCHOOLS = text(
    """
    SELECT id, municipality_id, code, vpr_login FROM school
    WHERE region_id = :region ORDER BY closed_on IS NULL, id
    """
)


async def read_reference(session: AsyncSession, procedure_id: int) -> Reference:
    """Read the reference of a procedure as it is in this transaction."""
    procedure = (await session.execute(_PROCEDURE, {"procedure": procedure_id})).one()
    scales = (await session.execute(_SCALES, {"procedure": procedure_id})).all()
    schools = (await session.execute(_SCHOOLS, {"region": procedure.region_id})).all()
    codes: dict[str, int] = {}
    for index, school in enumerate(schools):
        codes[_code(school.code)] = index
        if school.vpr_login:
            codes[_code(school.vpr_login)] = index
    return Reference(
        procedure_id=procedure_id,
        region_id=procedure.region_id,
        grade=procedure.grade,
        scales=tuple(
            ScaleFacts(
                scale.position,
                scale.subject,
                subject_words(scale.subject, scale.title, scale.aliases),
                scale.maximum_milli,
                scale.score_kind,
            )
            for scale in scales
        ),
        codes=codes,
        school_ids=np.array([school.id for school in schools], np.int64),
        municipality_ids=np.array([school.municipality_id for school in schools], np.int64),
        result_revision=procedure.result_revision,
        fingerprint=_fingerprint(procedure, schools),
    )


def subject_words(subject: str, title: str, aliases: Sequence[str]) -> tuple[str, ...]:
    """Collect the words for a subject in the form files are read in: lower case, single spaces."""
    words = {" ".join(word.lower().split()) for word in (subject, title, *aliases)}
    return tuple(sorted(words))


def _code(text_: str) -> str:
    """Write a school's code as the intake writes it (intake.cells.school_code)."""
    code = text_.strip().lower()
    return code.lstrip("0") or code if code.isdigit() else code


def _fingerprint(procedure: Any, schools: Sequence[Any]) -> str:
    state = [
        procedure.scale_revision,
        procedure.result_revision,
        sorted([school.id, school.municipality_id, school.code, school.vpr_login or ""]
               for school in schools),
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(state).encode()).hexdigest()
