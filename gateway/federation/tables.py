"""The tables of external logins."""

from datetime import datetime

from sqlalchemy import BigInteger, DateTime, ForeignKey, LargeBinary, Text, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from gateway.base import Base, Private
from services.kit.database import Depth, Identified, Located

__all__ = ["ExternalIdentity", "ExternalLogin"]


class ExternalIdentity(Identified, Located, Base):
    """Whom an external issuer has to vouch for so that an account is logged in to.

    The account's version is its version too: a link is part of what an administrator edits there.
    """

    __tablename__ = "external_identity"
    __reach__ = Depth.SCHOOL
    __table_args__ = (UniqueConstraint("account_id"), UniqueConstraint("issuer", "subject"))

    account_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("account.id"))
    region_id: Mapped[int] = mapped_column(BigInteger, index=True)
    municipality_id: Mapped[int | None] = mapped_column(BigInteger, index=True)
    school_id: Mapped[int | None] = mapped_column(BigInteger, index=True)
    # The issuer's identifier (`iss`), not its name in the settings: a name may come to mean another.
    issuer: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(Text)
    linked_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class ExternalLogin(Private, Base):
    """A browser that was sent to an issuer and has not come back yet."""

    __tablename__ = "external_login"

    state_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    issuer: Mapped[str] = mapped_column(Text)
    redirect_uri: Mapped[str] = mapped_column(Text)
    verifier_hash: Mapped[bytes] = mapped_column(LargeBinary)
    nonce_hash: Mapped[bytes] = mapped_column(LargeBinary)
    # PKCE's code verifier has to be sent, so it is sealed and not hashed.
    code_verifier_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)
