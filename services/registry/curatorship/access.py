"""Who may see and change curators' grants."""

from typing import Annotated

from fastapi import Security

from services.kit.principals import Principal, authorise

__all__ = ["CuratorEditor", "CuratorReader"]

CuratorReader = Annotated[Principal, Security(authorise, scopes=["curators:read"])]
CuratorEditor = Annotated[Principal, Security(authorise, scopes=["curators:write"])]
