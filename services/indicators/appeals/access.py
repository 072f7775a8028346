"""Who reads appeals, who files them, and who decides about them."""

from typing import Annotated

from fastapi import Security

from services.kit.principals import Principal, authorise

__all__ = ["DECIDE", "AppealJudge", "AppealReader", "Appellant"]

DECIDE = "appeals:decide"
"""The scope of those who decide; they alone may take an appeal after its term."""

AppealReader = Annotated[Principal, Security(authorise, scopes=["appeals:read"])]
Appellant = Annotated[Principal, Security(authorise, scopes=["appeals:write"])]
AppealJudge = Annotated[Principal, Security(authorise, scopes=[DECIDE])]
