"""The projection of the registry. Ids are the registry's own."""

from datetime import date, datetime
from typing import ClassVar

from sqlalchemy import BigInteger, Date, DateTime, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from services.kit.database import Depth, Located
from services.training.base import Base

__all__ = ["CuratorGrant", "Municipality", "Region", "School"]


class Region(Located, Base):
    """A region, as the registry last told."""

    __tablename__ = "region"
    __reach__ = Depth.REGION_OPEN
    __place__: ClassVar = {"region": "id"}

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    code: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)


class Municipality(Located, Base):
    """A municipality, as the registry last told."""

    __tablename__ = "municipality"
    __reach__ = Depth.MUNICIPALITY
    __place__: ClassVar = {"municipality": "id"}

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    region_id: Mapped[int] = mapped_column(BigInteger)
    name: Mapped[str] = mapped_column(Text)


class School(Located, Base):
    """A school as it is today, as the registry last told."""

    __tablename__ = "school"
    __reach__ = Depth.SCHOOL
    __place__: ClassVar = {"school": "id"}
    __table_args__ = (
        Index("ix_school_region_id_code", "region_id", "code"),
        Index("ix_school_municipality_id", "municipality_id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    region_id: Mapped[int] = mapped_column(BigInteger)
    municipality_id: Mapped[int] = mapped_column(BigInteger)
    code: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    closed_on: Mapped[date | None] = mapped_column(Date)


class CuratorGrant(Located, Base):
    """Which schools a curator sees, and when; the policies of all located tables read it."""

    __tablename__ = "curator_grant"
    __reach__ = Depth.SCHOOL
    __table_args__ = (Index("ix_curator_grant_curator", "curator"),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    region_id: Mapped[int] = mapped_column(BigInteger)
    municipality_id: Mapped[int] = mapped_column(BigInteger)
    school_id: Mapped[int] = mapped_column(BigInteger)
    curator: Mapped[str] = mapped_column(Text)
    valid_from: Mapped[date] = mapped_column(Date)
    valid_to: Mapped[date | None] = mapped_column(Date)
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
