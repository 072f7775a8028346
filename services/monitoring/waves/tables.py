"""Tables of waves and their rosters."""

from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
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
from sqlalchemy.orm import Mapped, mapped_column

from services.kit.database import Depth, Identified, Located, Versioned
from services.monitoring.base import Base
from services.monitoring.waves.words import WaveKind, WaveState

__all__ = ["ExpectedSchool", "Wave"]


class Wave(Identified, Versioned, Located, Base):
    """One round of monitoring in a region; all of the region read it."""

    __tablename__ = "wave"
    __reach__ = Depth.REGION_OPEN
    __table_args__ = (
        UniqueConstraint("region_id", "year", "title"),
        CheckConstraint(
            "kind IN ({})".format(", ".join(f"'{kind}'" for kind in WaveKind)), name="kind"
        ),
        CheckConstraint(
            "state IN ({})".format(", ".join(f"'{state}'" for state in WaveState)), name="state"
        ),
        CheckConstraint("closes_on >= opens_on", name="closes_after_opening"),
        CheckConstraint("(state = 'planned') = (opened_at IS NULL)", name="opened_at"),
        CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name="closed_at"),
    )

    region_id: Mapped[int] = mapped_column(BigInteger)
    year: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str] = mapped_column(Text)
    title: Mapped[str] = mapped_column(Text)
    opens_on: Mapped[date] = mapped_column(Date)
    closes_on: Mapped[date] = mapped_column(Date)
    state: Mapped[str] = mapped_column(Text, server_default=WaveState.PLANNED)
    opened_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    closed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class ExpectedSchool(Identified, Located, Base):
    """A school on the roster of a wave, where the school stood when it was added."""

    __tablename__ = "expected_school"
    __reach__ = Depth.SCHOOL
    __table_args__ = (
        UniqueConstraint("wave_id", "school_id"),
        Index("ix_expected_school_school_id", "school_id"),
        Index("ix_expected_school_municipality_id", "municipality_id"),
        Index("ix_expected_school_region_id", "region_id"),
    )

    wave_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("wave.id"))
    region_id: Mapped[int] = mapped_column(BigInteger)
    municipality_id: Mapped[int] = mapped_column(BigInteger)
    school_id: Mapped[int] = mapped_column(BigInteger)
    added_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
