"""Who may see runs, make and prepare them, and approve them."""

from typing import Annotated

from fastapi import Security

from services.kit.principals import Principal, authorise

__all__ = ["SIGNS", "RunApprover", "RunEditor", "RunReader"]

SIGNS = "signs:read"
"""The scope of callers who see signs of biased results in a trace: region and municipality (design 4)."""

RunReader = Annotated[Principal, Security(authorise, scopes=["runs:read"])]
RunEditor = Annotated[Principal, Security(authorise, scopes=["runs:write"])]
RunApprover = Annotated[Principal, Security(authorise, scopes=["runs:approve"])]
