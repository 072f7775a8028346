"""The base of the tables of training."""

from sqlalchemy.orm import DeclarativeBase

from services.kit.database import new_metadata

__all__ = ["Base"]


class Base(DeclarativeBase):
    """Base of the mapped classes of training."""

    metadata = new_metadata()
