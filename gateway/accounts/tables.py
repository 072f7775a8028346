"""The table of accounts."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Text, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from gateway.base import Base
from services.kit.database import Depth, Identified, Located, Versioned

__all__ = ["Account"]


class Account(Identified, Versioned, Located, Base):
    """A person who logs in. Its node is filled exactly as deep as its role reaches."""

    __tablename__ = "account"
    __reach__ = Depth.SCHOOL
    __table_args__ = (
        UniqueConstraint("login"),
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
    )

    login: Mapped[str] = mapped_column(Text)
    display_name: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(Text)
    region_id: Mapped[int] = mapped_column(BigInteger, index=True)
    municipality_id: Mapped[int | None] = mapped_column(BigInteger, index=True)
    school_id: Mapped[int | None] = mapped_column(BigInteger, index=True)
    password_hash: Mapped[str] = mapped_column(Text)
    # Sessions begun before are over: a reset password ends them.
    password_set_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    blocked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
