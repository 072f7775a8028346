"""Tables of schools, their history, sizes and successions."""

from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Computed,
    Date,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    Numeric,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from services.kit.database import Depth, Identified, Located, Versioned
from services.registry.base import Base
from services.registry.schools.terms import SchoolKind, SuccessionKind

__all__ = ["ATTRIBUTES", "School", "SchoolSize", "SchoolState", "Succession"]


def _one_of(column: str, values: type[SchoolKind] | type[SuccessionKind]) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


class Attributes:
    """What is known about a school in one state; the same columns in `school` and its history."""

    code: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    short_name: Mapped[str | None] = mapped_column(Text)
    inn: Mapped[str | None] = mapped_column(Text)
    ogrn: Mapped[str | None] = mapped_column(Text)
    oktmo: Mapped[str | None] = mapped_column(Text)
    vpr_login: Mapped[str | None] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    stages: Mapped[list[str]] = mapped_column(ARRAY(Text))
    is_rural: Mapped[bool | None] = mapped_column(Boolean)
    is_small: Mapped[bool | None] = mapped_column(Boolean)
    latitude: Mapped[Decimal | None] = mapped_column(Numeric(9, 6))
    longitude: Mapped[Decimal | None] = mapped_column(Numeric(9, 6))
    opened_on: Mapped[date | None] = mapped_column(Date)
    closed_on: Mapped[date | None] = mapped_column(Date)
    adverse_conditions: Mapped[bool | None] = mapped_column(Boolean)
    adverse_reason: Mapped[str | None] = mapped_column(Text)
    adverse_source: Mapped[str | None] = mapped_column(Text)
    valid_from: Mapped[date | None] = mapped_column(Date)


ATTRIBUTES = tuple(name for name in Attributes.__annotations__ if name != "valid_from")
"""Columns a caller writes; `municipality_id` and `valid_from` stand beside them."""


class School(Identified, Versioned, Attributes, Located, Base):
    """A school as it is today. The trigger `keep_school_state` writes each state to the history."""

    __tablename__ = "school"
    __reach__ = Depth.SCHOOL
    __place__: ClassVar = {"school": "id"}
    __table_args__ = (
        ForeignKeyConstraint(
            ["region_id", "municipality_id"], ["municipality.region_id", "municipality.id"]
        ),
        # Located tables point here with ON UPDATE CASCADE: a school that moves takes its rows along.
        UniqueConstraint("region_id", "municipality_id", "id"),
        _one_of("kind", SchoolKind),
        CheckConstraint(
            "stages <@ ARRAY['noo', 'ooo', 'soo'] AND cardinality(stages) > 0", name="stages"
        ),
        CheckConstraint(
            "adverse_conditions IS NOT TRUE OR adverse_reason IS NOT NULL", name="adverse_reason"
        ),
        CheckConstraint("(latitude IS NULL) = (longitude IS NULL)", name="coordinates"),
        CheckConstraint("closed_on >= opened_on", name="closed_after_opening"),
        # A code may be given again after its school closed.
        Index(
            "uq_school_region_id_code", "region_id", "code", unique=True,
            postgresql_where=text("closed_on IS NULL"),
        ),
        Index(
            "uq_school_region_id_vpr_login", "region_id", "vpr_login", unique=True,
            postgresql_where=text("closed_on IS NULL"),
        ),
        Index("ix_school_municipality_id_code", "municipality_id", "code", "id"),
        Index("ix_school_region_id_code_id", "region_id", "code", "id"),
    )  # fmt: skip

    region_id: Mapped[int] = mapped_column(BigInteger)
    municipality_id: Mapped[int] = mapped_column(BigInteger)
    # Code-point order puts ё after я and a search for "елка" misses "ёлка": both read this key.
    search_key: Mapped[str] = mapped_column(
        Text,
        Computed(
            "lower(translate(name || ' ' || coalesce(short_name, '') || ' ' || code, 'ёЁ', 'ее'))",
            persisted=True,
        ),
    )


class SchoolState(Identified, Attributes, Located, Base):
    """A state of a school: valid from day to day, recorded from instant to instant."""

    __tablename__ = "school_state"
    __reach__ = Depth.SCHOOL
    __table_args__ = (
        ForeignKeyConstraint(
            ["region_id", "municipality_id", "school_id"],
            ["school.region_id", "school.municipality_id", "school.id"],
            onupdate="CASCADE",
        ),
        CheckConstraint("valid_to > valid_from", name="valid_order"),
        Index(
            "uq_school_state_school_id_open", "school_id", unique=True,
            postgresql_where=text("valid_to IS NULL AND superseded_at IS NULL"),
        ),
        Index("ix_school_state_school_id_valid_from", "school_id", "valid_from"),
        Index("ix_school_state_municipality_id", "municipality_id"),
        Index("ix_school_state_region_id_code", "region_id", "code", "school_id"),
    )  # fmt: skip

    region_id: Mapped[int] = mapped_column(BigInteger)
    # Where the school belongs now: it decides who sees its history.
    municipality_id: Mapped[int] = mapped_column(BigInteger)
    school_id: Mapped[int] = mapped_column(BigInteger)
    # Where it belonged in this state.
    was_in_municipality_id: Mapped[int] = mapped_column(BigInteger)
    valid_to: Mapped[date | None] = mapped_column(Date)
    recorded_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=func.now()
    )
    superseded_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    school_version: Mapped[int] = mapped_column(Integer)


class SchoolSize(Identified, Versioned, Located, Base):
    """How many pupils and classes a school had in a school year."""

    __tablename__ = "school_size"
    __reach__ = Depth.SCHOOL
    __table_args__ = (
        ForeignKeyConstraint(
            ["region_id", "municipality_id", "school_id"],
            ["school.region_id", "school.municipality_id", "school.id"],
            onupdate="CASCADE",
        ),
        UniqueConstraint("school_id", "year"),
        CheckConstraint("pupils >= 0", name="pupils"),
        CheckConstraint("classes >= 0", name="classes"),
        Index("ix_school_size_region_id_year", "region_id", "year"),
        Index("ix_school_size_municipality_id", "municipality_id"),
    )

    region_id: Mapped[int] = mapped_column(BigInteger)
    municipality_id: Mapped[int] = mapped_column(BigInteger)
    school_id: Mapped[int] = mapped_column(BigInteger)
    year: Mapped[int] = mapped_column(Integer)
    pupils: Mapped[int] = mapped_column(Integer)
    classes: Mapped[int | None] = mapped_column(Integer)
    source: Mapped[str] = mapped_column(Text)


class Succession(Identified, Located, Base):
    """An event of the network, standing with the school that goes on (or ends) by it."""

    __tablename__ = "succession"
    __reach__ = Depth.SCHOOL
    __table_args__ = (
        ForeignKeyConstraint(
            ["region_id", "municipality_id", "school_id"],
            ["school.region_id", "school.municipality_id", "school.id"],
            onupdate="CASCADE",
        ),
        ForeignKeyConstraint(["predecessor_id"], ["school.id"]),
        UniqueConstraint(
            "school_id", "predecessor_id", "kind", "happened_on",
            name="uq_succession_event", postgresql_nulls_not_distinct=True,
        ),
        _one_of("kind", SuccessionKind),
        CheckConstraint(
            "(kind IN ('merge', 'split')) = (predecessor_id IS NOT NULL)", name="predecessor"
        ),
        CheckConstraint("predecessor_id <> school_id", name="not_itself"),
        Index("ix_succession_predecessor_id", "predecessor_id"),
        Index("ix_succession_region_id", "region_id", "id"),
        Index("ix_succession_municipality_id", "municipality_id"),
    )  # fmt: skip

    region_id: Mapped[int] = mapped_column(BigInteger)
    municipality_id: Mapped[int] = mapped_column(BigInteger)
    school_id: Mapped[int] = mapped_column(BigInteger)
    predecessor_id: Mapped[int | None] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(Text)
    happened_on: Mapped[date] = mapped_column(Date)
    order_number: Mapped[str | None] = mapped_column(Text)
    order_date: Mapped[date | None] = mapped_column(Date)
    note: Mapped[str | None] = mapped_column(Text)
