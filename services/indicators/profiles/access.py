"""Who may read profiles and who may write them."""

from typing import Annotated

from fastapi import Security

from services.indicators.suppression.access import EXACT
from services.kit.principals import Principal, authorise

__all__ = ["ProfileAnalyst", "ProfileEditor", "ProfileReader"]

ProfileReader = Annotated[Principal, Security(authorise, scopes=["profiles:read"])]
ProfileEditor = Annotated[Principal, Security(authorise, scopes=["profiles:write"])]
ProfileAnalyst = Annotated[Principal, Security(authorise, scopes=["profiles:read", EXACT])]
"""Numbers over many schools give small groups away, so only those who see them exact compute."""
