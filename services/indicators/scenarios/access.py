"""Who thinks aloud about a list, and who reads it. The answers hold exact numbers of pupils."""

from typing import Annotated

from fastapi import Security

from services.indicators.suppression.access import EXACT
from services.kit.principals import Principal, authorise

__all__ = ["ScenarioEditor", "ScenarioReader"]

ScenarioReader = Annotated[Principal, Security(authorise, scopes=["scenarios:read", EXACT])]
ScenarioEditor = Annotated[Principal, Security(authorise, scopes=["scenarios:write", EXACT])]
