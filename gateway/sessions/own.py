"""The caller as a person with an account and a session; a machine client is neither."""

import uuid
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Path
from jose import jwt

from services.kit.principals import Principal, Role, authenticate
from services.kit.problems import Problem

__all__ = ["OwnAccount", "Person", "PersonOnly", "SessionId"]


class PersonOnly(Problem):
    """The operation is about the caller's own account, and a machine client has none."""

    status = 403
    title = "Это действие — для людей: у машинного клиента нет учётной записи"


SessionId = Annotated[
    uuid.UUID,
    Path(description="Номер сеанса", examples=["7f8c1d2e-5b7a-4c1e-9d0a-3f6b2a1c4d5e"]),
]


@dataclass(frozen=True, slots=True)
class Person:
    """Whose token it is."""

    account_id: int
    session_id: uuid.UUID | None
    """None in a token that no session issued."""

    @property
    def subject(self) -> str:
        """The subject of the person's tokens."""
        return f"user:{self.account_id}"


def _person(caller: Annotated[Principal, Depends(authenticate)]) -> Person:
    kind, _, number = caller.subject.partition(":")
    if caller.role is Role.INTEGRATION or kind != "user" or not number.isdecimal():
        raise PersonOnly
    # Verified a moment ago, so its claims may be read as they are.
    session_id = jwt.get_unverified_claims(caller.token).get("sid")
    return Person(int(number), None if session_id is None else uuid.UUID(str(session_id)))


OwnAccount = Annotated[Person, Depends(_person)]
"""Whoever has a token of a person may see and change what is its own; no scope is asked for."""
