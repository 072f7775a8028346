"""Tables of the territory tree."""

from typing import ClassVar

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from services.kit.database import Depth, Identified, Located, Versioned
from services.registry.base import Base
from services.registry.territory.terms import MunicipalityKind

__all__ = ["Municipality", "Region"]


class Region(Identified, Versioned, Located, Base):
    """A subject of the federation that Opora serves."""

    __tablename__ = "region"
    __reach__ = Depth.REGION_OPEN
    __place__: ClassVar = {"region": "id"}
    __table_args__ = (UniqueConstraint("code"),)

    code: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    oktmo_prefix: Mapped[str | None] = mapped_column(Text)


class Municipality(Identified, Versioned, Located, Base):
    """A district, okrug or city of a region."""

    __tablename__ = "municipality"
    __reach__ = Depth.MUNICIPALITY
    __place__: ClassVar = {"municipality": "id"}
    __table_args__ = (
        UniqueConstraint("region_id", "code"),
        # The target of foreign keys that prove region and municipality of a school to agree.
        UniqueConstraint("region_id", "id"),
        CheckConstraint(
            "kind IN ({})".format(", ".join(f"'{kind}'" for kind in MunicipalityKind)), name="kind"
        ),
    )

    region_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("region.id"))
    code: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    oktmo: Mapped[str | None] = mapped_column(Text)
