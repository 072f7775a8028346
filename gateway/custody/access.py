"""Who may see and change signing keys: clients of the settings only, no region holds these scopes."""

from typing import Annotated

from fastapi import Security

from services.kit.principals import Principal, authorise

__all__ = ["KeyAdministrator", "KeyReader"]

KeyReader = Annotated[Principal, Security(authorise, scopes=["keys:read"])]
KeyAdministrator = Annotated[Principal, Security(authorise, scopes=["keys:write"])]
