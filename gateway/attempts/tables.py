"""The table of attempts."""

from datetime import datetime

from sqlalchemy import DateTime, Integer, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from gateway.base import Base, Private

__all__ = ["LoginAttempt"]


class LoginAttempt(Private, Base):
    """Failed attempts of one name or source, whether or not it exists; neither is kept readable."""

    __tablename__ = "login_attempt"

    login_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    failures: Mapped[int] = mapped_column(Integer)
    last_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    open_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
