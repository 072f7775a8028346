"""Tables of imports of schools: the upload, what was found, its rows."""

from datetime import date, datetime
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
    Text,
    UniqueConstraint,
    func,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.kit.database import Depth, Identified, Located
from services.registry.base import Base

__all__ = ["SchoolImport", "SchoolImportIssue", "SchoolImportRow"]


class SchoolImport(Identified, Located, Base):
    """An uploaded file of schools; the same bytes are one import of a region."""

    __tablename__ = "school_import"
    __reach__ = Depth.REGION
    __table_args__ = (
        UniqueConstraint("region_id", "sha256"),
        CheckConstraint("state IN ('checked', 'committing', 'committed')", name="state"),
        CheckConstraint("rows_in = rows_stored + rows_rejected + rows_ignored", name="rows"),
        Index("ix_school_import_region_id", "region_id", "id"),
    )

    region_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("region.id"))
    state: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(Text)
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    layout: Mapped[str] = mapped_column(Text)
    format: Mapped[str] = mapped_column(Text)
    encoding: Mapped[str | None] = mapped_column(Text)
    delimiter: Mapped[str | None] = mapped_column(Text)
    sheet: Mapped[str | None] = mapped_column(Text)
    unknown_headings: Mapped[list[str]] = mapped_column(JSONB)
    create_municipalities: Mapped[bool] = mapped_column(Boolean)
    effective_on: Mapped[date | None] = mapped_column(Date)
    rows_in: Mapped[int] = mapped_column(Integer)
    rows_stored: Mapped[int] = mapped_column(Integer)  # before the commit: that will be stored
    rows_rejected: Mapped[int] = mapped_column(Integer)
    rows_ignored: Mapped[int] = mapped_column(Integer)
    created_by: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    checked_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    job_id: Mapped[int | None] = mapped_column(BigInteger)
    committed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class SchoolImportIssue(Identified, Located, Base):
    """What the check found, grouped: one row for a rule and a column."""

    __tablename__ = "school_import_issue"
    __reach__ = Depth.REGION
    __table_args__ = (Index("ix_school_import_issue_import_id", "import_id"),)

    import_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("school_import.id", ondelete="CASCADE")
    )
    region_id: Mapped[int] = mapped_column(BigInteger)
    rule: Mapped[str] = mapped_column(Text)
    effect: Mapped[str] = mapped_column(Text)
    column_title: Mapped[str | None] = mapped_column(Text)
    rows: Mapped[int] = mapped_column(Integer)
    first_row: Mapped[int] = mapped_column(Integer)
    last_row: Mapped[int] = mapped_column(Integer)
    value: Mapped[str | None] = mapped_column(Text)
    detail: Mapped[str | None] = mapped_column(Text)


class SchoolImportRow(Identified, Located, Base):
    """A row of the file: its known cells, what becomes of it and why."""

    __tablename__ = "school_import_row"
    __reach__ = Depth.REGION
    __table_args__ = (
        CheckConstraint("outcome IN ('store', 'reject', 'ignore')", name="outcome"),
        Index("ix_school_import_row_import_id", "import_id", "outcome", "row_no"),
    )

    import_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("school_import.id", ondelete="CASCADE")
    )
    region_id: Mapped[int] = mapped_column(BigInteger)
    row_no: Mapped[int] = mapped_column(Integer)
    outcome: Mapped[str] = mapped_column(Text)
    cells: Mapped[dict[str, Any]] = mapped_column(JSONB)
    values: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    municipality_code: Mapped[str | None] = mapped_column(Text)
    municipality_name: Mapped[str | None] = mapped_column(Text)
    size: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    findings: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
