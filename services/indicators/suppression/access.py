"""Who reads exact numbers."""

from typing import Annotated

from fastapi import Depends, Request

from services.indicators.suppression.queries import Told
from services.kit.database import Session
from services.kit.principals import Principal, authenticate

__all__ = ["EXACT", "Numbers"]

EXACT = "indices:exact"
"""The scope of callers whose numbers are not suppressed."""


async def _numbers(
    request: Request, session: Session, caller: Annotated[Principal, Depends(authenticate)]
) -> Told:
    settings = request.app.state.settings
    return Told(
        session,
        caller.reach,
        size=settings.suppression_size,
        is_exact=EXACT in caller.scopes,
        statement_timeout_ms=settings.statement_timeout_ms,
    )


Numbers = Annotated[Told, Depends(_numbers)]
