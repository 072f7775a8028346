"""Who may see and make machine clients."""

from typing import Annotated

from fastapi import Security

from services.kit.principals import Principal, authorise

__all__ = ["ClientAdministrator", "ClientReader"]

ClientReader = Annotated[Principal, Security(authorise, scopes=["clients:read"])]
ClientAdministrator = Annotated[Principal, Security(authorise, scopes=["clients:write"])]
