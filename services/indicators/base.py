"""The base of the tables of indicators."""

from sqlalchemy.orm import DeclarativeBase

from services.kit.database import new_metadata

__all__ = ["Base"]


class Base(DeclarativeBase):
    """Base of the service's tables; a class of its own, because types need a name."""

    metadata = new_metadata()
