"""The table of accounts."""

from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    DateTime,
    LargeBinary,
    Text,
    UniqueConstraint,
    func,
)
from sqlalchemy.orm import Mapped, mapped_column

from gateway.base import Base
from services.kit.database import Depth, Identified, Located, Versioned

__all__ = ["Account"]


class Account(Identified, Versioned, Located, Base):
    """A person who logs in. Its node is filled exactly as deep as its role reaches.

    Role and node never change: what the account did stays the doing of that role at that place.
    """

    __tablename__ = "account"
    __reach__ = Depth.SCHOOL
    __table_args__ = (
        UniqueConstraint("login"),
        UniqueConstraint("invitation_hash"),
        CheckConstraint(
            """
            CASE role
                WHEN 'region' THEN municipality_id IS NULL AND school_id IS NULL
                WHEN 'curator' THEN municipality_id IS NULL AND school_id IS NULL
                WHEN 'municipality' THEN municipality_id IS NOT NULL AND school_id IS NULL
                WHEN 'school' THEN municipality_id IS NOT NULL AND school_id IS NOT NULL
                ELSE false
            END
            """,
            name="node_of_role",
        ),
        CheckConstraint("erased_at IS NULL OR blocked_at IS NOT NULL", name="erased_is_blocked"),
    )

    login: Mapped[str] = mapped_column(Text)
    display_name: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(Text)
    region_id: Mapped[int] = mapped_column(BigInteger, index=True)
    municipality_id: Mapped[int | None] = mapped_column(BigInteger, index=True)
    school_id: Mapped[int | None] = mapped_column(BigInteger, index=True)
    # None: the person has yet to set one, with an invitation.
    password_hash: Mapped[str | None] = mapped_column(Text)
    # The one before, which must not come back.
    former_password_hash: Mapped[str | None] = mapped_column(Text)
    password_set_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    # SHA-256 is enough: the code is 256 random bits.
    invitation_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    invitation_expires_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    second_factor_since: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    # A day, not an instant: enough to find accounts nobody uses, too little to watch a person.
    last_used_on: Mapped[date | None] = mapped_column(Date)
    blocked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    erased_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())

    @property
    def state(self) -> str:
        """How far the account is in its life: invited, active, blocked or erased."""
        if self.erased_at is not None:
            return "erased"
        if self.blocked_at is not None:
            return "blocked"
        return "invited" if self.password_hash is None else "active"

    @property
    def subject(self) -> str:
        """What its tokens call it."""
        return f"user:{self.id}"
