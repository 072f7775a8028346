"""The base of the tables of monitoring."""

from sqlalchemy.orm import DeclarativeBase

from services.kit.database import new_metadata

__all__ = ["Base"]


class Base(DeclarativeBase):
    """Base of the mapped classes of monitoring."""

    metadata = new_metadata()
