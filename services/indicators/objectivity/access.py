"""Who may see signs, make detections, and open and review them."""

from typing import Annotated

from fastapi import Security

from services.indicators.suppression.access import EXACT
from services.kit.principals import Principal, authorise

__all__ = ["SignEditor", "SignReader", "SignReviewer"]

SignReader = Annotated[Principal, Security(authorise, scopes=["signs:read"])]
SignEditor = Annotated[Principal, Security(authorise, scopes=["signs:write", EXACT])]
"""Detections with ever other numbers of participants would tell how many a school has."""
SignReviewer = Annotated[Principal, Security(authorise, scopes=["signs:review"])]
