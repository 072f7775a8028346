"""Who may see and appoint accounts."""

from typing import Annotated

from fastapi import Path, Security

from services.kit.inputs import Id
from services.kit.principals import Principal, authorise

__all__ = ["AccountAdministrator", "AccountId", "AccountReader"]

AccountReader = Annotated[Principal, Security(authorise, scopes=["accounts:read"])]
AccountAdministrator = Annotated[Principal, Security(authorise, scopes=["accounts:write"])]

AccountId = Annotated[Id, Path(description="Номер учётной записи", examples=[12])]
