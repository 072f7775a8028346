"""Who may see and change the territory."""

from typing import Annotated

from fastapi import Security

from services.kit.principals import Principal, authorise

__all__ = ["RegionFounder", "TerritoryEditor", "TerritoryReader"]

TerritoryReader = Annotated[Principal, Security(authorise, scopes=["territory:read"])]
TerritoryEditor = Annotated[Principal, Security(authorise, scopes=["territory:write"])]
RegionFounder = Annotated[Principal, Security(authorise, scopes=["regions:write"])]
