"""Tables of attributes and profiles."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    DateTime,
    Index,
    Integer,
    SmallInteger,
    Text,
    UniqueConstraint,
    func,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.indicators.base import Base
from services.kit.database import Depth, Identified, Located, Versioned

__all__ = ["ProfileAttribute", "SchoolProfile"]


class ProfileAttribute(Identified, Versioned, Located, Base):
    """A question that profiles of a region answer. Its kind never changes: answers would."""

    __tablename__ = "profile_attribute"
    __reach__ = Depth.REGION_OPEN
    __table_args__ = (
        UniqueConstraint("region_id", "code"),
        CheckConstraint("kind IN ('share', 'count', 'number', 'boolean')", name="kind"),
        # The groups of methodology A14.
        CheckConstraint(
            "\"group\" IN ('contingent', 'staff', 'resources', 'results', 'other')", name="group"
        ),
    )

    region_id: Mapped[int] = mapped_column(BigInteger)
    code: Mapped[str] = mapped_column(Text)
    title: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    unit: Mapped[str] = mapped_column(Text)
    group: Mapped[str] = mapped_column(Text)
    # Where the question comes from: a paragraph, or that the region has added it.
    source: Mapped[str] = mapped_column(Text)
    # Counts pupils or their families: small numbers are hidden from those who lack the rows.
    is_about_pupils: Mapped[bool] = mapped_column(Boolean)
    is_retired: Mapped[bool] = mapped_column(Boolean, server_default="false")
    created_by: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class SchoolProfile(Identified, Versioned, Located, Base):
    """What is known of one school in one year.

    `values` by code of the attribute: {state, value, numerator, denominator, source, import_id,
    row_no}; numbers are exact texts. A code that is absent was not submitted.
    """

    __tablename__ = "school_profile"
    __reach__ = Depth.SCHOOL
    __table_args__ = (
        UniqueConstraint("school_id", "year"),
        CheckConstraint("year BETWEEN 2000 AND 2100", name="year"),
        Index("ix_school_profile_region_id_year", "region_id", "year", "school_id"),
        Index("ix_school_profile_municipality_id", "municipality_id", "year"),
    )

    region_id: Mapped[int] = mapped_column(BigInteger)
    municipality_id: Mapped[int] = mapped_column(BigInteger)
    school_id: Mapped[int] = mapped_column(BigInteger)
    # The calendar year in which the school year ends.
    year: Mapped[int] = mapped_column(SmallInteger)
    values: Mapped[dict[str, Any]] = mapped_column(JSONB)
    # How many cells hold a value, and how many say that the question does not apply.
    filled: Mapped[int] = mapped_column(Integer)
    not_applicable: Mapped[int] = mapped_column(Integer)
    updated_by: Mapped[str] = mapped_column(Text)
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
