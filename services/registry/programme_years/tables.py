"""Table of programme years."""

from datetime import date

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, Integer, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from services.kit.database import Depth, Identified, Located, Versioned
from services.registry.base import Base

__all__ = ["ProgrammeYear"]


class ProgrammeYear(Identified, Versioned, Located, Base):
    """A school year of a region's programme, with the window for joining by hand."""

    __tablename__ = "programme_year"
    __reach__ = Depth.REGION_OPEN
    __table_args__ = (
        UniqueConstraint("region_id", "year"),
        CheckConstraint("closes_on >= opens_on", name="window"),
    )

    region_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("region.id"))
    year: Mapped[int] = mapped_column(Integer)
    opens_on: Mapped[date | None] = mapped_column(Date)
    closes_on: Mapped[date | None] = mapped_column(Date)
