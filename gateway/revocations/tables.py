"""The table of revocations."""

import uuid
from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Text, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from gateway.base import Base, Private
from services.kit.database import Identified

__all__ = ["Revocation"]


class Revocation(Private, Identified, Base):
    """Access tokens that no longer hold: all of a session, or those a subject was given before."""

    __tablename__ = "revocation"
    __table_args__ = (
        CheckConstraint(
            "num_nonnulls(session_id, subject) = 1 AND (subject IS NULL) = (issued_before IS NULL)",
            name="of_session_or_subject",
        ),
    )

    session_id: Mapped[uuid.UUID | None] = mapped_column(Uuid)
    subject: Mapped[str | None] = mapped_column(Text)
    # A subject goes on to be given tokens; those from before are the dead ones.
    issued_before: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    recorded_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=text("clock_timestamp()")
    )
    # Ids become visible out of order; by its transaction a reader finds what committed since.
    transaction: Mapped[int] = mapped_column(
        BigInteger, server_default=text("(pg_current_xact_id()::text)::bigint"), index=True
    )
