"""Who may read clusters: whoever reads runs."""

from typing import Annotated

from fastapi import Security

from services.kit.principals import Principal, authorise

__all__ = ["RunReader"]

RunReader = Annotated[Principal, Security(authorise, scopes=["runs:read"])]
