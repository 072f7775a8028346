"""Tables of imports of profiles: the upload with what was found, and its rows."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
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
from services.kit.database import Depth, Identified, Located

__all__ = ["ProfileImport", "ProfileImportRow"]


class ProfileImport(Identified, Located, Base):
    """An uploaded file of profiles; the same bytes for the same year are one import of a region."""

    __tablename__ = "profile_import"
    __reach__ = Depth.REGION
    __table_args__ = (
        UniqueConstraint("region_id", "year", "sha256"),
        CheckConstraint("state IN ('checked', 'committed')", name="state"),
        CheckConstraint("rows_in = rows_stored + rows_rejected + rows_ignored", name="rows"),
        Index("ix_profile_import_region_id", "region_id", "id"),
    )

    region_id: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(Text)
    year: Mapped[int] = mapped_column(SmallInteger)
    # The document that the cells are taken from, as who sends the file names it.
    source: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(Text)
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    layout: Mapped[str] = mapped_column(Text)
    format: Mapped[str] = mapped_column(Text)
    encoding: Mapped[str | None] = mapped_column(Text)
    delimiter: Mapped[str | None] = mapped_column(Text)
    sheet: Mapped[str | None] = mapped_column(Text)
    unknown_headings: Mapped[list[str]] = mapped_column(JSONB)
    rows_in: Mapped[int] = mapped_column(Integer)
    rows_stored: Mapped[int] = mapped_column(Integer)  # before the commit: that will be stored
    rows_rejected: Mapped[int] = mapped_column(Integer)
    rows_ignored: Mapped[int] = mapped_column(Integer)
    # [{rule, effect, column, rows, first_row, last_row, value, detail}], what rejects first.
    issues: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    created_by: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    checked_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    committed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class ProfileImportRow(Identified, Located, Base):
    """A row of the file: its known cells, what they mean, what becomes of it and why."""

    __tablename__ = "profile_import_row"
    __reach__ = Depth.REGION
    __table_args__ = (
        CheckConstraint("outcome IN ('store', 'reject', 'ignore')", name="outcome"),
        Index("ix_profile_import_row_import_id", "import_id", "outcome", "row_no"),
    )

    import_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("profile_import.id", ondelete="CASCADE")
    )
    region_id: Mapped[int] = mapped_column(BigInteger)
    row_no: Mapped[int] = mapped_column(Integer)
    outcome: Mapped[str] = mapped_column(Text)
    school_id: Mapped[int | None] = mapped_column(BigInteger)
    cells: Mapped[dict[str, Any]] = mapped_column(JSONB)
    # Cells of a profile by code of the attribute, as `school_profile.values` has them.
    values: Mapped[dict[str, Any]] = mapped_column(JSONB)
    findings: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
