"""Who may load profiles."""

from typing import Annotated

from fastapi import Security

from services.kit.principals import Principal, authorise

__all__ = ["ProfileLoader"]

ProfileLoader = Annotated[Principal, Security(authorise, scopes=["profiles:write"])]
