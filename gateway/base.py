"""The base of the gateway's tables."""

from sqlalchemy.orm import DeclarativeBase

from services.kit.database import new_metadata

__all__ = ["Base", "Private"]


class Base(DeclarativeBase):
    """Base of the gateway's tables; a class of its own, because types need a name."""

    metadata = new_metadata()


class Private:
    """A row that no caller ever sees: keys, sessions, attempts.

    Only the system's reach is granted anything on such a table; no reach of a person or a machine
    client could read it, whatever a query forgot.
    """
