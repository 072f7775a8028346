"""Tables of second factors; no caller sees them."""

from datetime import datetime

from sqlalchemy import BigInteger, DateTime, ForeignKey, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from gateway.base import Base, Private

__all__ = ["RecoveryCode", "SecondFactor"]


class SecondFactor(Private, Base):
    """The one-time codes of a person: being set up (no `confirmed_at`) or in force."""

    __tablename__ = "second_factor"
    __table_args__ = (UniqueConstraint("ticket_hash"),)

    account_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("account.id"), primary_key=True, autoincrement=False
    )
    # Sealed, not hashed: codes are computed from it.
    secret_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    confirmed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    # The newest 30 seconds whose code was accepted: none of it or before is accepted again.
    last_step: Mapped[int | None] = mapped_column(BigInteger)
    # Lets a person whose role demands a factor set it up before the first login.
    ticket_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    ticket_expires_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class RecoveryCode(Private, Base):
    """A code for the day the telephone is lost; used once. SHA-256 is enough: it is 80 random bits."""

    __tablename__ = "recovery_code"

    account_id: Mapped[int] = mapped_column(
        BigInteger,
        ForeignKey("second_factor.account_id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    )
    code_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
