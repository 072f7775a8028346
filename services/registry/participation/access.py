"""Who may see and change participation."""

from typing import Annotated

from fastapi import Security

from services.kit.principals import Principal, authorise

__all__ = ["ParticipationEditor", "ParticipationReader"]

ParticipationReader = Annotated[Principal, Security(authorise, scopes=["participations:read"])]
ParticipationEditor = Annotated[Principal, Security(authorise, scopes=["participations:write"])]
