"""How full the buckets are, for all processes of the gateway."""

from datetime import datetime

from sqlalchemy import DateTime, Double, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from gateway.base import Base, Private

__all__ = ["RateLevel"]


class RateLevel(Private, Base):
    """The level of one bucket at one instant; it has drained since by `per_second`.

    Unlogged: after a crash of the server the buckets are empty, which nobody regrets. The key is a
    keyed digest: neither a subject nor an address can be read from it.
    """

    __tablename__ = "rate_level"
    __table_args__ = ({"prefixes": ["UNLOGGED"]},)

    key: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    level: Mapped[float] = mapped_column(Double)
    per_second: Mapped[float] = mapped_column(Double)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)
