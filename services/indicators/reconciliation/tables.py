"""The table of printed splits."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    DateTime,
    SmallInteger,
    Text,
    UniqueConstraint,
    func,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.indicators.base import Base
from services.kit.database import Depth, Identified, Located, Versioned

__all__ = ["PrintedSplit"]


class PrintedSplit(Identified, Versioned, Located, Base):
    """A split as some document printed it. It never changes: a corrected one is another record."""

    __tablename__ = "printed_split"
    __reach__ = Depth.REGION_OPEN
    __table_args__ = (
        UniqueConstraint("region_id", "content_hash"),
        CheckConstraint("is_consistent OR accepted_reason IS NOT NULL", name="accepted"),
        CheckConstraint("year BETWEEN 2000 AND 2100", name="year"),
    )

    region_id: Mapped[int] = mapped_column(BigInteger)
    year: Mapped[int] = mapped_column(SmallInteger)
    title: Mapped[str] = mapped_column(Text)
    # The split as it was sent: total, flags, cells, municipalities, source.
    printed: Mapped[dict[str, Any]] = mapped_column(JSONB)
    # SHA-256 of `printed`.
    content_hash: Mapped[str] = mapped_column(Text)
    is_consistent: Mapped[bool] = mapped_column(Boolean)
    # [{"code", "pointer", "severity", "text", "implies"}].
    findings: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    # What follows from the printed cells: {"cells", "municipalities", "by_flag"}.
    sums: Mapped[dict[str, Any]] = mapped_column(JSONB)
    # Why an inconsistent split is kept as printed.
    accepted_reason: Mapped[str | None] = mapped_column(Text)
    created_by: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
