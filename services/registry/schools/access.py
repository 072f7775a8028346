"""Who may see and change schools."""

from typing import Annotated

from fastapi import Security

from services.kit.principals import Principal, authorise

__all__ = ["SchoolEditor", "SchoolReader"]

SchoolReader = Annotated[Principal, Security(authorise, scopes=["schools:read"])]
SchoolEditor = Annotated[Principal, Security(authorise, scopes=["schools:write"])]
