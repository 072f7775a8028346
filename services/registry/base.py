"""The base of the registry's tables."""

from sqlalchemy.orm import DeclarativeBase

from services.kit.database import new_metadata

__all__ = ["Base"]


class Base(DeclarativeBase):
    """Base of the registry's tables; a class of its own, because types need a name."""

    metadata = new_metadata()
