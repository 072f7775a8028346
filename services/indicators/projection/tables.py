"""The projection of the registry. Ids are the registry's own."""

from datetime import date, datetime
from typing import ClassVar

from sqlalchemy import BigInteger, Boolean, Date, DateTime, Index, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from services.indicators.base import Base
from services.kit.database import Depth, Located

__all__ = ["CuratorGrant", "Municipality", "Region", "School", "Succession"]


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
    code: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    kind: Mapped[str | None] = mapped_column(Text)


class School(Located, Base):
    """A school as it is today, as the registry last told."""

    __tablename__ = "school"
    __reach__ = Depth.SCHOOL
    __place__: ClassVar = {"school": "id"}
    __table_args__ = (Index("ix_school_region_id_code", "region_id", "code"),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    region_id: Mapped[int] = mapped_column(BigInteger)
    municipality_id: Mapped[int] = mapped_column(BigInteger, index=True)
    code: Mapped[str] = mapped_column(Text)
    vpr_login: Mapped[str | None] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    short_name: Mapped[str | None] = mapped_column(Text)
    kind: Mapped[str | None] = mapped_column(Text)
    stages: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    is_rural: Mapped[bool | None] = mapped_column(Boolean)
    is_small: Mapped[bool | None] = mapped_column(Boolean)
    adverse_conditions: Mapped[bool | None] = mapped_column(Boolean)
    adverse_reason: Mapped[str | None] = mapped_column(Text)
    adverse_source: Mapped[str | None] = mapped_column(Text)
    opened_on: Mapped[date | None] = mapped_column(Date)
    closed_on: Mapped[date | None] = mapped_column(Date)


class CuratorGrant(Located, Base):
    """Which schools a curator sees, and when; the policies of all located tables read it."""

    __tablename__ = "curator_grant"
    __reach__ = Depth.SCHOOL

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    region_id: Mapped[int] = mapped_column(BigInteger)
    municipality_id: Mapped[int] = mapped_column(BigInteger)
    school_id: Mapped[int] = mapped_column(BigInteger)
    curator: Mapped[str] = mapped_column(Text, index=True)
    valid_from: Mapped[date] = mapped_column(Date)
    valid_to: Mapped[date | None] = mapped_column(Date)
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class Succession(Located, Base):
    """An event of the network of schools, standing with the school that goes on by it."""

    __tablename__ = "succession"
    __reach__ = Depth.SCHOOL
    __table_args__ = (Index("ix_succession_region_id", "region_id", "predecessor_id"),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    region_id: Mapped[int] = mapped_column(BigInteger)
    municipality_id: Mapped[int] = mapped_column(BigInteger)
    school_id: Mapped[int] = mapped_column(BigInteger)
    predecessor_id: Mapped[int | None] = mapped_column(BigInteger)
    # merge, split, rename, transfer, closure; only the first two have a predecessor.
    kind: Mapped[str] = mapped_column(Text)
    happened_on: Mapped[date] = mapped_column(Date)
    order_number: Mapped[str | None] = mapped_column(Text)
    order_date: Mapped[date | None] = mapped_column(Date)
