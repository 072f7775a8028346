"""Who may call the operations on waves."""

from typing import Annotated

from fastapi import Security

from services.kit.principals import Principal, authorise

__all__ = ["WaveEditor", "WaveReader"]

WaveReader = Annotated[Principal, Security(authorise, scopes=["waves:read"])]
WaveEditor = Annotated[Principal, Security(authorise, scopes=["waves:write"])]
