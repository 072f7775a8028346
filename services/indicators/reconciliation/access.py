"""Who may read printed splits and who may load them."""

from typing import Annotated

from fastapi import Security

from services.kit.principals import Principal, authorise

__all__ = ["SplitEditor", "SplitReader"]

SplitReader = Annotated[Principal, Security(authorise, scopes=["splits:read"])]
SplitEditor = Annotated[Principal, Security(authorise, scopes=["splits:write"])]
