"""The table of sessions."""

import uuid
from datetime import datetime

from sqlalchemy import BigInteger, DateTime, ForeignKey, Text, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from gateway.base import Base, Private

__all__ = ["LoginSession"]


class LoginSession(Private, Base):
    """One login of one person on one device: the family of its refresh tokens (`sid`)."""

    __tablename__ = "login_session"

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True)
    account_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("account.id"), index=True)
    started_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ends_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    # revoked: by its owner; reuse: an old refresh token came back; the others say what happened to
    # the account: ended, blocked, reset, password, second-factor, erased.
    end_reason: Mapped[str | None] = mapped_column(Text)
    # As the login and the last refresh saw it; what a person recognises a device by, no more.
    last_used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    device: Mapped[str | None] = mapped_column(Text)
    source: Mapped[str | None] = mapped_column(Text)
