"""Who may see and change programme years."""

from typing import Annotated

from fastapi import Security

from services.kit.principals import Principal, authorise

__all__ = ["ProgrammeYearEditor", "ProgrammeYearReader"]

ProgrammeYearReader = Annotated[Principal, Security(authorise, scopes=["participations:read"])]
ProgrammeYearEditor = Annotated[Principal, Security(authorise, scopes=["participations:write"])]
