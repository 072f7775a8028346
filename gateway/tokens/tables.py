"""Tables that no caller sees: sessions, refresh tokens, attempts."""

import uuid
from datetime import datetime

from sqlalchemy import BigInteger, DateTime, ForeignKey, Integer, LargeBinary, Text, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from gateway.base import Base, Private

__all__ = ["LoginAttempt", "LoginSession", "RefreshToken"]


class LoginSession(Private, Base):
    """One login of one person on one device: the family of its refresh tokens (`sid`)."""

    __tablename__ = "login_session"

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True)
    account_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("account.id"), index=True)
    started_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ends_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    # revoked: by its owner; reuse: an old refresh token came back.
    end_reason: Mapped[str | None] = mapped_column(Text)


class RefreshToken(Private, Base):
    """A refresh token, known only by its hash."""

    __tablename__ = "refresh_token"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    session_id: Mapped[uuid.UUID] = mapped_column(
        Uuid, ForeignKey("login_session.id", ondelete="CASCADE"), index=True
    )
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    # Kept for a client whose answer was lost on the way.
    successor_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    successor_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)


class LoginAttempt(Private, Base):
    """Failed logins to one name, whether or not it exists; the name itself is not kept."""

    __tablename__ = "login_attempt"

    login_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    failures: Mapped[int] = mapped_column(Integer)
    last_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    open_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
