"""Tables of procedures and scales."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Integer,
    Numeric,
    SmallInteger,
    Text,
    UniqueConstraint,
    func,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.indicators.base import Base
from services.kit.database import Depth, Identified, Located, Versioned

__all__ = ["Procedure", "Scale"]


class Procedure(Identified, Versioned, Located, Base):
    """One procedure of one year in one region."""

    __tablename__ = "procedure"
    __reach__ = Depth.REGION_OPEN
    __table_args__ = (
        UniqueConstraint("region_id", "year", "kind", "grade", "title"),
        CheckConstraint("kind IN ('vpr', 'oge', 'ege', 'gve', 'rdr', 'other')", name="kind"),
        CheckConstraint("grade BETWEEN 1 AND 12", name="grade"),
        CheckConstraint("year BETWEEN 2000 AND 2100", name="year"),
        CheckConstraint("state IN ('open', 'closed')", name="state"),
    )

    region_id: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(Text)
    grade: Mapped[int] = mapped_column(SmallInteger)
    # The calendar year in which the school year ends.
    year: Mapped[int] = mapped_column(SmallInteger)
    title: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text, server_default="open")
    # [{"use", "from", "to", "basis"}], see PermittedUse.
    permitted_uses: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    # Counts the states of the scales: a check made under an earlier one is made again.
    scale_revision: Mapped[int] = mapped_column(Integer, server_default="1")
    # Counts the states of the stored results.
    result_revision: Mapped[int] = mapped_column(BigInteger, server_default="0")
    # Counts the states of the rollups; a run says which it has read.
    rollup_revision: Mapped[int] = mapped_column(BigInteger, server_default="0")
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class Scale(Identified, Versioned, Located, Base):
    """What a score of one subject of a procedure means.

    Bounds in thousandths are derived from the points beside them (services.indicators.algebra) and
    written with them, so that every comparison is one of integers.
    """

    __tablename__ = "scale"
    __reach__ = Depth.REGION_OPEN
    __table_args__ = (
        UniqueConstraint("procedure_id", "subject"),
        UniqueConstraint("procedure_id", "position"),
        CheckConstraint("position BETWEEN 0 AND 62", name="position"),
        CheckConstraint(
            "minimum >= 0 AND minimum <= maximum AND top BETWEEN minimum AND maximum",
            name="bounds",
        ),
        CheckConstraint("margin_share >= 0 AND margin_share < 1", name="margin_share"),
        CheckConstraint("score_kind IN ('primary', 'test100', 'mark')", name="score_kind"),
    )

    region_id: Mapped[int] = mapped_column(BigInteger)
    procedure_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("procedure.id"))
    subject: Mapped[str] = mapped_column(Text)
    title: Mapped[str] = mapped_column(Text)
    # Words by which files name the subject, lower case: РИС codes, full titles.
    aliases: Mapped[list[str]] = mapped_column(ARRAY(Text))
    # The subject's bit in the masks of rollup_pattern.
    position: Mapped[int] = mapped_column(SmallInteger)
    minimum: Mapped[Decimal] = mapped_column(Numeric(8, 3))
    maximum: Mapped[Decimal] = mapped_column(Numeric(8, 3))
    top: Mapped[Decimal] = mapped_column(Numeric(8, 3))
    # First scores of the marks 3, 4, 5; empty when the procedure gives no marks.
    mark_borders: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    # Whether the subject is taken on a mass scale: a candidate for the low-results index.
    is_mass: Mapped[bool] = mapped_column(Boolean)
    score_kind: Mapped[str] = mapped_column(Text)
    margin_share: Mapped[Decimal] = mapped_column(Numeric(6, 5))
    # A score below this is low (Bmin).
    low_below_milli: Mapped[int] = mapped_column(Integer)
    # A score from this on is a mass result (Bmid).
    mass_from_milli: Mapped[int] = mapped_column(Integer)
    # A score below this has not reached the minimum.
    minimum_milli: Mapped[int] = mapped_column(Integer)
    top_milli: Mapped[int] = mapped_column(Integer)
    maximum_milli: Mapped[int] = mapped_column(Integer)
