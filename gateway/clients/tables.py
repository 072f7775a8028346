"""The table of machine clients."""

from datetime import datetime

from sqlalchemy import BigInteger, DateTime, Text, UniqueConstraint, func
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from gateway.base import Base
from services.kit.database import Depth, Identified, Located, Versioned

__all__ = ["MachineClient"]


class MachineClient(Identified, Versioned, Located, Base):
    """A program that calls with its own identity, within one region."""

    __tablename__ = "machine_client"
    __reach__ = Depth.REGION
    __table_args__ = (UniqueConstraint("client_id"),)

    client_id: Mapped[str] = mapped_column(Text)
    title: Mapped[str] = mapped_column(Text)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    region_id: Mapped[int] = mapped_column(BigInteger, index=True)
    # SHA-256 in hex is enough: the secret is 256 random bits, there is nothing to guess.
    secret_hash: Mapped[str | None] = mapped_column(Text)
    blocked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())

    @property
    def has_secret(self) -> bool:
        """Whether it can authenticate."""
        return self.secret_hash is not None
