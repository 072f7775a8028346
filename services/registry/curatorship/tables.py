"""Table of curators' grants; row level security of every service reads its columns by name."""

from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Text,
    func,
)
from sqlalchemy.orm import Mapped, mapped_column

from services.kit.database import Depth, Identified, Located
from services.registry.base import Base

__all__ = ["CuratorGrant"]


class CuratorGrant(Identified, Located, Base):
    """A curator's right to see a school, from day to day, until revoked."""

    __tablename__ = "curator_grant"
    __reach__ = Depth.SCHOOL
    __table_args__ = (
        ForeignKeyConstraint(
            ["region_id", "municipality_id", "school_id"],
            ["school.region_id", "school.municipality_id", "school.id"],
            onupdate="CASCADE",
        ),
        CheckConstraint("valid_to > valid_from", name="valid_order"),
        CheckConstraint(
            "(revoked_at IS NULL) = (revocation_reason IS NULL)", name="revocation_reason"
        ),
        Index("ix_curator_grant_curator", "curator"),
        Index("ix_curator_grant_school_id", "school_id"),
        Index("ix_curator_grant_municipality_id", "municipality_id"),
        Index("ix_curator_grant_region_id", "region_id", "id"),
    )

    curator: Mapped[str] = mapped_column(Text)
    region_id: Mapped[int] = mapped_column(BigInteger)
    municipality_id: Mapped[int] = mapped_column(BigInteger)
    school_id: Mapped[int] = mapped_column(BigInteger)
    valid_from: Mapped[date] = mapped_column(Date)
    valid_to: Mapped[date | None] = mapped_column(Date)
    reason: Mapped[str] = mapped_column(Text)
    granted_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    granted_by: Mapped[str] = mapped_column(Text)
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    revoked_by: Mapped[str | None] = mapped_column(Text)
    revocation_reason: Mapped[str | None] = mapped_column(Text)

    @property
    def version(self) -> int:
        """Count the states of the grant, which has two: given, and revoked."""
        return 1 if self.revoked_at is None else 2
