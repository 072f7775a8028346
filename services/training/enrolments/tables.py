"""The table of enrolments."""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    Text,
    UniqueConstraint,
    func,
)
from sqlalchemy.orm import Mapped, mapped_column

from services.kit.database import Depth, Identified, Located, Versioned
from services.training.base import Base

__all__ = ["Enrolment"]


class Enrolment(Identified, Versioned, Located, Base):
    """Places of a course taken by a school."""

    __tablename__ = "enrolment"
    __reach__ = Depth.SCHOOL
    __table_args__ = (
        UniqueConstraint("course_id", "school_id"),
        CheckConstraint("people > 0", name="people"),
        CheckConstraint("(withdrawn_at IS NULL) = (withdrawal_reason IS NULL)", name="withdrawal"),
        Index("ix_enrolment_school_id", "school_id"),
        Index("ix_enrolment_municipality_id", "municipality_id"),
        Index("ix_enrolment_region_id", "region_id"),
    )

    course_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("course.id"))
    region_id: Mapped[int] = mapped_column(BigInteger)
    municipality_id: Mapped[int] = mapped_column(BigInteger)
    school_id: Mapped[int] = mapped_column(BigInteger)
    people: Mapped[int] = mapped_column(Integer)
    enrolled_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=func.now()
    )
    withdrawn_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    withdrawal_reason: Mapped[str | None] = mapped_column(Text)
