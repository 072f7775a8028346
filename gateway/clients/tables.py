"""The tables of machine clients."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    DateTime,
    ForeignKey,
    LargeBinary,
    Text,
    UniqueConstraint,
    func,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from gateway.base import Base, Private
from services.kit.database import Depth, Identified, Located, Versioned
from services.kit.reach import Level

__all__ = ["ClientAssertion", "ClientSecret", "MachineClient"]


class MachineClient(Identified, Versioned, Located, Base):
    """A program that calls with its own identity, from one node of the territory."""

    __tablename__ = "machine_client"
    __reach__ = Depth.SCHOOL
    __table_args__ = (
        UniqueConstraint("client_id"),
        CheckConstraint("school_id IS NULL OR municipality_id IS NOT NULL", name="node"),
    )

    client_id: Mapped[str] = mapped_column(Text)
    title: Mapped[str] = mapped_column(Text)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    region_id: Mapped[int] = mapped_column(BigInteger, index=True)
    municipality_id: Mapped[int | None] = mapped_column(BigInteger, index=True)
    school_id: Mapped[int | None] = mapped_column(BigInteger, index=True)
    # The newest secret once more, for processes of the release before; the next release drops it.
    secret_hash: Mapped[str | None] = mapped_column(Text)
    # Public JSON Web Keys, as checked by `schemas.PublicKeyIn`.
    public_keys: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default="[]")
    keys_only: Mapped[bool] = mapped_column(server_default="false")
    # A day, not an instant: enough to find clients nobody uses, and one write a day. The version
    # does not count it, so a use never makes an administrator's edit stale.
    last_used_on: Mapped[date | None] = mapped_column(Date)
    blocked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())

    @property
    def level(self) -> Level:
        """How far its tokens reach."""
        if self.school_id is not None:
            return Level.SCHOOL
        return Level.REGION if self.municipality_id is None else Level.MUNICIPALITY

    @property
    def subject(self) -> str:
        """What its tokens call it."""
        return f"client:{self.client_id}"


class ClientSecret(Identified, Located, Base):
    """A secret of a machine client, known only by its hash; it stays listed when it is over."""

    __tablename__ = "machine_client_secret"
    __reach__ = Depth.SCHOOL

    machine_client_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("machine_client.id"), index=True
    )
    region_id: Mapped[int] = mapped_column(BigInteger, index=True)
    municipality_id: Mapped[int | None] = mapped_column(BigInteger, index=True)
    school_id: Mapped[int | None] = mapped_column(BigInteger, index=True)
    # SHA-256 in hex is enough: the secret is 256 random bits, there is nothing to guess.
    secret_hash: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    # None: works until it is replaced or revoked.
    expires_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    last_used_on: Mapped[date | None] = mapped_column(Date)


class ClientAssertion(Private, Base):
    """A signed assertion that a client has used, remembered for as long as it could be replayed."""

    __tablename__ = "client_assertion"

    machine_client_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("machine_client.id"), primary_key=True
    )
    jti_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)
