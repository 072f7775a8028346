"""Who may ask about precision: whoever reads runs, and whoever reads indices."""

from typing import Annotated

from fastapi import Security

from services.kit.principals import Principal, authorise

__all__ = ["IndexReader", "RunReader"]

RunReader = Annotated[Principal, Security(authorise, scopes=["runs:read"])]
IndexReader = Annotated[Principal, Security(authorise, scopes=["indices:read"])]
