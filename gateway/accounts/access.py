"""Who may see and appoint accounts."""

from typing import Annotated

from fastapi import Security

from services.kit.principals import Principal, authorise

__all__ = ["AccountAdministrator", "AccountReader"]

AccountReader = Annotated[Principal, Security(authorise, scopes=["accounts:read"])]
AccountAdministrator = Annotated[Principal, Security(authorise, scopes=["accounts:write"])]
