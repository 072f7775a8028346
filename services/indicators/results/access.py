"""Who may load results, and who may read what follows from them."""

from typing import Annotated

from fastapi import Security

from services.kit.principals import Principal, authorise

__all__ = ["ImportEditor", "ImportReader", "IndexReader"]

ImportReader = Annotated[Principal, Security(authorise, scopes=["imports:read"])]
ImportEditor = Annotated[Principal, Security(authorise, scopes=["imports:write"])]
IndexReader = Annotated[Principal, Security(authorise, scopes=["indices:read"])]
