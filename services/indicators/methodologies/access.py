"""Who may read methodologies and who may add versions."""

from typing import Annotated

from fastapi import Security

from services.kit.principals import Principal, authorise

__all__ = ["MethodologyEditor", "MethodologyReader"]

MethodologyReader = Annotated[Principal, Security(authorise, scopes=["methodologies:read"])]
MethodologyEditor = Annotated[Principal, Security(authorise, scopes=["methodologies:write"])]
