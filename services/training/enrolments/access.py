"""Who may call the operations on enrolments."""

from typing import Annotated

from fastapi import Security

from services.kit.principals import Principal, authorise

__all__ = ["EnrolmentEditor", "EnrolmentReader"]

EnrolmentReader = Annotated[Principal, Security(authorise, scopes=["enrolments:read"])]
EnrolmentEditor = Annotated[Principal, Security(authorise, scopes=["enrolments:write"])]
