"""The table of signing keys."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, DateTime, Index, LargeBinary, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from gateway.base import Base, Private

__all__ = ["SigningKey"]


class SigningKey(Private, Base):
    """A key that signs, signed, or will sign access tokens."""

    __tablename__ = "signing_key"
    __table_args__ = (
        CheckConstraint("state IN ('next', 'current', 'retired', 'revoked')", name="state"),
        # One key signs at a time, whatever two processes think.
        Index("uq_signing_key_current", "state", unique=True, postgresql_where="state = 'current'"),
    )

    kid: Mapped[str] = mapped_column(Text, primary_key=True)
    # next: published, not yet signing; current: signs; retired: published until its tokens are over;
    # revoked: published no more.
    state: Mapped[str] = mapped_column(Text)
    # Empty once the key signs no more.
    private_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    public_jwk: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    # When a `next` is to take over; set when somebody asked for a rotation.
    due_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    activated_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    retired_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
