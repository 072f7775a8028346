"""The table of courses."""

from datetime import date

from sqlalchemy import BigInteger, CheckConstraint, Date, Integer, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from services.kit.database import Depth, Identified, Located, Versioned
from services.training.base import Base

__all__ = ["Course"]


class Course(Identified, Versioned, Located, Base):
    """A course of a region; all of the region read it."""

    __tablename__ = "course"
    __reach__ = Depth.REGION_OPEN
    __table_args__ = (
        UniqueConstraint("region_id", "year", "title", "starts_on"),
        CheckConstraint("ends_on >= starts_on", name="ends_after_start"),
        CheckConstraint("taken_places BETWEEN 0 AND places", name="taken_places"),
    )

    region_id: Mapped[int] = mapped_column(BigInteger)
    year: Mapped[int] = mapped_column(Integer)
    title: Mapped[str] = mapped_column(Text)
    hours: Mapped[int] = mapped_column(Integer)
    places: Mapped[int] = mapped_column(Integer)
    # Kept by the trigger of the enrolments (migration create_courses): a school sees only its own
    # enrolments, yet the places that all schools took have to be counted.
    taken_places: Mapped[int] = mapped_column(Integer, server_default="0")
    starts_on: Mapped[date] = mapped_column(Date)
    ends_on: Mapped[date] = mapped_column(Date)
