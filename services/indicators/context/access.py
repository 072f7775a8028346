"""Who may read definitions, and who may calculate over the schools of a region."""

from typing import Annotated

from fastapi import Security

from services.indicators.suppression.access import EXACT
from services.kit.principals import Principal, authorise

__all__ = ["ContextAnalyst", "ContextCalculator", "ContextEditor", "ContextReader"]

ContextReader = Annotated[Principal, Security(authorise, scopes=["profiles:read"])]
ContextEditor = Annotated[Principal, Security(authorise, scopes=["profiles:write"])]
ContextAnalyst = Annotated[Principal, Security(authorise, scopes=["profiles:read", EXACT])]
"""Components of an index tell small groups of pupils, so only those who see them exact read them."""
ContextCalculator = Annotated[Principal, Security(authorise, scopes=["profiles:write", EXACT])]
