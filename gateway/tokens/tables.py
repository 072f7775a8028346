"""The table of refresh tokens, which no caller sees."""

import uuid
from datetime import datetime

from sqlalchemy import DateTime, ForeignKey, LargeBinary, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from gateway.base import Base, Private
from gateway.sessions.tables import LoginSession

__all__ = ["LoginSession", "RefreshToken"]


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
