"""Tables of detections: the detection, what it could ask of each school, and the signs.

Levels below the region see a row only when its detection is published, and the levels of a school and
of a curator see none: the migration closes these tables to both. Source: design 4.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    Numeric,
    SmallInteger,
    Text,
    func,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.indicators.base import Base
from services.kit.database import Depth, Identified, Level, Located, Versioned

__all__ = ["ObjectivityDetection", "ObjectivitySchool", "ObjectivitySign"]

STATES = ("computing", "refused", "computed", "published", "voided")
DETECTORS = ("border_peak", "journal_marks", "procedure_mismatch", "over_easy", "repeated")
CLOSED = frozenset({Level.SCHOOL, Level.CURATOR})
REVIEWS = ("open", "confirmed", "explained", "withdrawn")


def _one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


class ObjectivityDetection(Identified, Versioned, Located, Base):
    """One detection: a year, the settings of the detectors, and how far it got."""

    __tablename__ = "objectivity_detection"
    __reach__ = Depth.REGION_OPEN
    __closed_to__ = CLOSED
    __table_args__ = (
        _one_of("state", STATES),
        CheckConstraint("year BETWEEN 2000 AND 2100", name="year"),
        CheckConstraint("is_published = (state = 'published')", name="published"),
        CheckConstraint(
            "state NOT IN ('computed', 'published') OR result_hash IS NOT NULL", name="result_hash"
        ),
        CheckConstraint("(state = 'voided') = (void_reason IS NOT NULL)", name="void_reason"),
        Index("ix_objectivity_detection_region_id_year", "region_id", "year", "id"),
    )

    region_id: Mapped[int] = mapped_column(BigInteger)
    year: Mapped[int] = mapped_column(SmallInteger)
    state: Mapped[str] = mapped_column(Text, server_default="computing")
    is_published: Mapped[bool] = mapped_column(Boolean, server_default="false")
    note: Mapped[str | None] = mapped_column(Text)
    # The settings in full, defaults written out, and their SHA-256.
    settings: Mapped[dict[str, Any]] = mapped_column(JSONB)
    settings_hash: Mapped[str] = mapped_column(Text)
    # SHA-256 of everything the signs follow from, and of the signs.
    input_hash: Mapped[str | None] = mapped_column(Text)
    result_hash: Mapped[str | None] = mapped_column(Text)
    # One entry per procedure in natural order, with the state of its results and scales.
    procedures: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB)
    # One entry per detector, procedure and subject: asked or not and why, schools, signs, the region's numbers.
    tests: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB)
    # How many schools, asked schools, flagged schools, signs; signs by detector.
    counts: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    # Why the detection was refused: {code, detail, ...}.
    refusal: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    job_id: Mapped[int | None] = mapped_column(BigInteger)
    created_by: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    computed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    published_by: Mapped[str | None] = mapped_column(Text)
    published_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    void_reason: Mapped[str | None] = mapped_column(Text)
    voided_by: Mapped[str | None] = mapped_column(Text)
    voided_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class ObjectivitySchool(Located, Base):
    """What a detection could ask of one school: silence about a school is not "no signs"."""

    __tablename__ = "objectivity_school"
    __reach__ = Depth.SCHOOL
    __closed_to__ = CLOSED
    __table_args__ = (
        Index("ix_objectivity_school_detection_id_code", "detection_id", "code", "school_id"),
        Index("ix_objectivity_school_municipality_id", "municipality_id", "detection_id"),
    )

    detection_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("objectivity_detection.id"), primary_key=True
    )
    school_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    region_id: Mapped[int] = mapped_column(BigInteger)
    municipality_id: Mapped[int] = mapped_column(BigInteger)
    is_published: Mapped[bool] = mapped_column(Boolean, server_default="false")
    code: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    municipality_name: Mapped[str] = mapped_column(Text)
    # Questions answered with enough pupils, answered with few ("ограниченно"), not asked for too few.
    asked: Mapped[int] = mapped_column(Integer)
    limited: Mapped[int] = mapped_column(Integer)
    too_few: Mapped[int] = mapped_column(Integer)
    # Per cell of ФИОКО's list (4 РУ, 4 МА, 5 РУ, 5 МА): {n, state}; n is null when nobody wrote the work.
    cells: Mapped[dict[str, Any]] = mapped_column(JSONB)


class ObjectivitySign(Identified, Versioned, Located, Base):
    """One sign with its evidence, and what people found out about it."""

    __tablename__ = "objectivity_sign"
    __reach__ = Depth.SCHOOL
    __closed_to__ = CLOSED
    __table_args__ = (
        _one_of("detector", DETECTORS),
        _one_of("review", REVIEWS),
        CheckConstraint("sample IN ('full', 'limited')", name="sample"),
        CheckConstraint("p_value BETWEEN 0 AND 1 AND p_adjusted BETWEEN p_value AND 1", name="p"),
        CheckConstraint(
            "(review = 'open') = (reviewed_by IS NULL)"
            " AND (review = 'open' OR (reviewed_at IS NOT NULL AND review_reason IS NOT NULL))",
            name="reviewed",
        ),
        Index("ix_objectivity_sign_detection_id", "detection_id", "id"),
        Index("ix_objectivity_sign_school_id", "school_id", "year"),
    )

    region_id: Mapped[int] = mapped_column(BigInteger)
    municipality_id: Mapped[int] = mapped_column(BigInteger)
    school_id: Mapped[int] = mapped_column(BigInteger)
    is_published: Mapped[bool] = mapped_column(Boolean, server_default="false")
    detection_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("objectivity_detection.id"))
    # The year the sign is about: that of its detection.
    year: Mapped[int] = mapped_column(SmallInteger)
    detector: Mapped[str] = mapped_column(Text)
    # Both None for a sign that is about the school as a whole (repeated).
    procedure_id: Mapped[int | None] = mapped_column(BigInteger)
    subject: Mapped[str | None] = mapped_column(Text)
    # Pupils the sign rests on; of the smaller group where there are two. None for `repeated`.
    n: Mapped[int | None] = mapped_column(Integer)
    sample: Mapped[str] = mapped_column(Text)
    # Before and after the control over many schools; None for `repeated`, which counts controlled signs.
    p_value: Mapped[Decimal | None] = mapped_column(Numeric(20, 18))
    p_adjusted: Mapped[Decimal | None] = mapped_column(Numeric(20, 18))
    # Numbers of the school and of the other schools of the region, by detector.
    evidence: Mapped[dict[str, Any]] = mapped_column(JSONB)
    review: Mapped[str] = mapped_column(Text, server_default="open")
    review_reason: Mapped[str | None] = mapped_column(Text)
    review_document: Mapped[str | None] = mapped_column(Text)
    review_document_on: Mapped[date | None] = mapped_column(Date)
    reviewed_by: Mapped[str | None] = mapped_column(Text)
    reviewed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    # The sign of an earlier detection with the same numbers, whose review this one took over.
    reviewed_with_id: Mapped[int | None] = mapped_column(BigInteger)
