"""Tables of kept definitions and of calculations. None of them is ever edited."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    Numeric,
    SmallInteger,
    Text,
    UniqueConstraint,
    func,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.indicators.base import Base
from services.kit.database import Depth, Identified, Located

__all__ = ["ContextCalculation", "ContextIndex", "ContextSchool"]


class ContextIndex(Identified, Located, Base):
    """One version of an index of a region. A change is the next version."""

    __tablename__ = "context_index"
    __reach__ = Depth.REGION_OPEN
    __table_args__ = (
        UniqueConstraint("region_id", "code", "number"),
        UniqueConstraint("region_id", "code", "document_hash"),
        CheckConstraint("number >= 1", name="number"),
    )

    region_id: Mapped[int] = mapped_column(BigInteger)
    code: Mapped[str] = mapped_column(Text)
    # 1, 2, 3... within the code.
    number: Mapped[int] = mapped_column(Integer)
    title: Mapped[str] = mapped_column(Text)
    document: Mapped[dict[str, Any]] = mapped_column(JSONB)
    # SHA-256 of the canonical document.
    document_hash: Mapped[str] = mapped_column(Text)
    created_by: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class ContextCalculation(Identified, Located, Base):
    """Indices and expected results over the profiles of a year: a working paper of the region."""

    __tablename__ = "context_calculation"
    __reach__ = Depth.REGION
    __table_args__ = (Index("ix_context_calculation_region_id", "region_id", "id"),)

    region_id: Mapped[int] = mapped_column(BigInteger)
    year: Mapped[int] = mapped_column(SmallInteger)
    # {"indices": [...], "expectation": {...} | null}, and the SHA-256 of its canonical form.
    definition: Mapped[dict[str, Any]] = mapped_column(JSONB)
    definition_hash: Mapped[str] = mapped_column(Text)
    # SHA-256 of the numbers that were read, and of the answer.
    input_hash: Mapped[str] = mapped_column(Text)
    answer_hash: Mapped[str] = mapped_column(Text)
    # What holds for all schools: components with n, mean, deviation; the line; counts by status.
    summary: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_by: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class ContextSchool(Located, Base):
    """The answer of a calculation for one school."""

    __tablename__ = "context_school"
    __reach__ = Depth.REGION
    __table_args__ = (
        CheckConstraint(
            "status IN ('resilient', 'struggling', 'other', 'excluded')", name="status"
        ),
        Index("ix_context_school_code", "calculation_id", "code", "school_id"),
    )

    calculation_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("context_calculation.id", ondelete="CASCADE"), primary_key=True
    )
    school_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    region_id: Mapped[int] = mapped_column(BigInteger)
    municipality_id: Mapped[int] = mapped_column(BigInteger)
    code: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    # By code of the index: {value, missing_weight, components: [{number, point, state}]}.
    indices: Mapped[dict[str, Any]] = mapped_column(JSONB)
    # Null where no expectation was asked for.
    status: Mapped[str | None] = mapped_column(Text)
    reasons: Mapped[list[str]] = mapped_column(JSONB)
    is_adverse: Mapped[bool | None] = mapped_column()
    result: Mapped[Decimal | None] = mapped_column(Numeric)
    expected: Mapped[Decimal | None] = mapped_column(Numeric)
    half_width: Mapped[Decimal | None] = mapped_column(Numeric)
    residual: Mapped[Decimal | None] = mapped_column(Numeric)
    standardised: Mapped[Decimal | None] = mapped_column(Numeric)
