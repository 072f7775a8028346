"""Tables of participation and its history."""

from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    Text,
    UniqueConstraint,
    func,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from services.kit.database import Depth, Identified, Located, Versioned
from services.registry.base import Base
from services.registry.participation.terms import Source

__all__ = ["AppliedRun", "Participation", "ParticipationEvent"]

_SOURCES = ", ".join(f"'{source}'" for source in Source)
_SCHOOL = (
    ["region_id", "municipality_id", "school_id"],
    ["school.region_id", "school.municipality_id", "school.id"],
)


class Participation(Identified, Versioned, Located, Base):
    """A school in a programme year, as it stands now."""

    __tablename__ = "participation"
    __reach__ = Depth.SCHOOL
    __table_args__ = (
        ForeignKeyConstraint(*_SCHOOL, onupdate="CASCADE"),
        ForeignKeyConstraint(
            ["region_id", "year"], ["programme_year.region_id", "programme_year.year"]
        ),
        UniqueConstraint("school_id", "year"),
        CheckConstraint(f"source IN ({_SOURCES})", name="source"),
        CheckConstraint("withdrawn_on >= joined_on", name="withdrawn_after_joining"),
        CheckConstraint(
            "(withdrawn_on IS NULL) = (withdrawal_reason IS NULL)", name="withdrawal_reason"
        ),
        CheckConstraint("cardinality(categories) > 0", name="categories"),
        Index("ix_participation_region_id_year", "region_id", "year", "id"),
        Index("ix_participation_municipality_id_year", "municipality_id", "year"),
    )

    region_id: Mapped[int] = mapped_column(BigInteger)
    municipality_id: Mapped[int] = mapped_column(BigInteger)
    school_id: Mapped[int] = mapped_column(BigInteger)
    year: Mapped[int] = mapped_column(Integer)
    categories: Mapped[list[str]] = mapped_column(ARRAY(Text))
    source: Mapped[str] = mapped_column(Text)
    run_id: Mapped[int | None] = mapped_column(BigInteger)
    order_number: Mapped[str | None] = mapped_column(Text)
    order_date: Mapped[date | None] = mapped_column(Date)
    joined_on: Mapped[date] = mapped_column(Date)
    withdrawn_on: Mapped[date | None] = mapped_column(Date)
    withdrawal_reason: Mapped[str | None] = mapped_column(Text)


class ParticipationEvent(Identified, Located, Base):
    """A step of a participation: joined, rejoined, changed, withdrawn. Never edited."""

    __tablename__ = "participation_event"
    __reach__ = Depth.SCHOOL
    __table_args__ = (
        ForeignKeyConstraint(*_SCHOOL, onupdate="CASCADE"),
        ForeignKeyConstraint(["participation_id"], ["participation.id"]),
        CheckConstraint("kind IN ('joined', 'rejoined', 'changed', 'withdrawn')", name="kind"),
        Index("ix_participation_event_participation_id", "participation_id", "id"),
        Index("ix_participation_event_school_id", "school_id"),
        Index("ix_participation_event_municipality_id", "municipality_id"),
        Index("ix_participation_event_region_id", "region_id"),
    )

    participation_id: Mapped[int] = mapped_column(BigInteger)
    region_id: Mapped[int] = mapped_column(BigInteger)
    municipality_id: Mapped[int] = mapped_column(BigInteger)
    school_id: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(Text)
    happened_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=func.now()
    )
    categories: Mapped[list[str]] = mapped_column(ARRAY(Text))
    source: Mapped[str] = mapped_column(Text)
    run_id: Mapped[int | None] = mapped_column(BigInteger)
    order_number: Mapped[str | None] = mapped_column(Text)
    order_date: Mapped[date | None] = mapped_column(Date)
    reason: Mapped[str | None] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(Text)


class AppliedRun(Identified, Located, Base):
    """An identification run whose list became participation; it is applied once."""

    __tablename__ = "applied_run"
    __reach__ = Depth.REGION
    __table_args__ = (UniqueConstraint("region_id", "run_id"),)

    region_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("region.id"))
    run_id: Mapped[int] = mapped_column(BigInteger)
    year: Mapped[int] = mapped_column(Integer)
    entries: Mapped[int] = mapped_column(Integer)
    applied_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    subject: Mapped[str] = mapped_column(Text)
