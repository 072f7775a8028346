"""Who may call the operations on courses."""

from typing import Annotated

from fastapi import Security

from services.kit.principals import Principal, authorise

__all__ = ["CourseEditor", "CourseReader"]

CourseReader = Annotated[Principal, Security(authorise, scopes=["courses:read"])]
CourseEditor = Annotated[Principal, Security(authorise, scopes=["courses:write"])]
