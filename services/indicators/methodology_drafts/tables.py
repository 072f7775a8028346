"""The table of drafts of methodologies."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, DateTime, ForeignKey, Index, Text, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.indicators.base import Base
from services.kit.database import Depth, Identified, Located, Versioned

__all__ = ["MethodologyDraft"]


class MethodologyDraft(Identified, Versioned, Located, Base):
    """A document in work: any JSON object, perhaps not a methodology yet. Only the region sees it."""

    __tablename__ = "methodology_draft"
    __reach__ = Depth.REGION
    __table_args__ = (
        CheckConstraint("jsonb_typeof(document) = 'object'", name="document"),
        Index("ix_methodology_draft_region_id", "region_id", "id"),
    )

    region_id: Mapped[int] = mapped_column(BigInteger)
    note: Mapped[str | None] = mapped_column(Text)
    document: Mapped[dict[str, Any]] = mapped_column(JSONB)
    # What the draft was begun from: {"kind", ...}.
    origin: Mapped[dict[str, Any]] = mapped_column(JSONB)
    # The version that the draft became; after that it does not change.
    adopted_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("methodology_version.id"))
    created_by: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    changed_by: Mapped[str] = mapped_column(Text)
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
