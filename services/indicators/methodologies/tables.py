"""The table of methodology versions."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Integer,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.indicators.base import Base
from services.kit.database import Depth, Identified, Located, Versioned

__all__ = ["MethodologyVersion"]


class MethodologyVersion(Identified, Versioned, Located, Base):
    """One version of a methodology of a region. Its document is never edited: a change is a version.

    A run points here, and a list must stay explainable; so there is no operation that writes the
    document twice.
    """

    __tablename__ = "methodology_version"
    __reach__ = Depth.REGION_OPEN
    __table_args__ = (
        UniqueConstraint("region_id", "code", "number"),
        UniqueConstraint("region_id", "code", "document_hash"),
        UniqueConstraint("replaces_id"),
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
    # What lint said on the day of adding: [{"code", "pointer", "severity", "text", "fix"}].
    findings: Mapped[list[dict[str, Any]]] = mapped_column(
        JSONB, server_default=text("'[]'::jsonb")
    )
    # Where the document is from: {"kind", ...}; empty for versions added before this was kept.
    origin: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    # The version whose force ends on the day before this one's begins.
    replaces_id: Mapped[int | None] = mapped_column(
        BigInteger, ForeignKey("methodology_version.id")
    )
    created_by: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
