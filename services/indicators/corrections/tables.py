"""The table of corrections; its rows are written once, with the decision, and never changed."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Index, Integer, Text, func
from sqlalchemy.orm import Mapped, mapped_column

from services.indicators.base import Base
from services.kit.database import Depth, Identified, Located

__all__ = ["CellCorrection"]


class CellCorrection(Identified, Located, Base):
    """The numbers that replace one cell (school x procedure), by the decision about an appeal."""

    __tablename__ = "cell_correction"
    __reach__ = Depth.SCHOOL
    __table_args__ = (
        CheckConstraint(
            "n >= 0 AND low BETWEEN 0 AND n AND failed BETWEEN 0 AND n", name="numbers"
        ),
        Index("ix_cell_correction_appeal_id", "appeal_id", unique=True),
        Index("ix_cell_correction_procedure_id", "procedure_id", "school_id"),
        Index("ix_cell_correction_school_id", "school_id"),
    )

    region_id: Mapped[int] = mapped_column(BigInteger)
    municipality_id: Mapped[int] = mapped_column(BigInteger)
    school_id: Mapped[int] = mapped_column(BigInteger)
    procedure_id: Mapped[int] = mapped_column(BigInteger)
    # The appeal; without a foreign key, because appeals stand on top of runs and runs on corrections.
    appeal_id: Mapped[int] = mapped_column(BigInteger)
    # People who took part; low by Bmin in a mass subject; below the minimum in one.
    n: Mapped[int] = mapped_column(Integer)
    low: Mapped[int] = mapped_column(Integer)
    failed: Mapped[int] = mapped_column(Integer)
    # SHA-256 of the counts of the cell when the appeal was filed, see `queries.fingerprint`.
    counts_hash: Mapped[str] = mapped_column(Text)
    order_number: Mapped[str | None] = mapped_column(Text)
    created_by: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
