"""Who may see runs, make and prepare them, and approve them."""

from typing import Annotated

from fastapi import Security

from services.kit.principals import Principal, authorise

__all__ = ["RunApprover", "RunEditor", "RunReader"]

RunReader = Annotated[Principal, Security(authorise, scopes=["runs:read"])]
RunEditor = Annotated[Principal, Security(authorise, scopes=["runs:write"])]
RunApprover = Annotated[Principal, Security(authorise, scopes=["runs:approve"])]
