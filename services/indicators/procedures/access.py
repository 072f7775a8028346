"""Who may read procedures and who may change them."""

from typing import Annotated

from fastapi import Security

from services.kit.principals import Principal, authorise

__all__ = ["ProcedureEditor", "ProcedureReader"]

ProcedureReader = Annotated[Principal, Security(authorise, scopes=["procedures:read"])]
ProcedureEditor = Annotated[Principal, Security(authorise, scopes=["procedures:write"])]
