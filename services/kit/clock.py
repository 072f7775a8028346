"""What time it is, as something a handler asks for and a test can replace."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends

__all__ = ["Now", "now"]


def now() -> datetime:
    """Return the present instant in UTC."""
    return datetime.now(UTC)


Now = Annotated[datetime, Depends(now)]
