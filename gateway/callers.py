"""Who calls: the verified token, and whether it is dead before its time."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from fastapi import FastAPI

from gateway.revocations.watching import Revocations
from services.kit.principals import Principal, Unauthorized, Verifier

__all__ = ["Callers", "TokenRevoked", "knowing_callers"]


class TokenRevoked(Unauthorized):
    """The token is genuine, but its session ended or its holder's rights changed."""

    title = "Токен доступа отозван"


class Callers:
    """Names the caller of a request; once a token is verified, in microseconds."""

    def __init__(self, verifier: Verifier, revocations: Revocations) -> None:
        self._verifier = verifier
        self._revocations = revocations

    async def principal(self, token: str) -> Principal:
        """Return the caller this token names.

        Raises:
            Unauthorized: The token is malformed, foreign, forged or out of its time.
            TokenRevoked: It was good and is dead before its time.
            KeysUnavailable: No key set could be fetched yet.
        """
        caller = await self._verifier.principal(token)
        if self._revocations.concern(caller):
            raise TokenRevoked(
                "Сеанс завершён, либо права этой учётной записи изменены.",
                hint="Войдите заново или получите новый токен.",
            )
        return caller

    async def caller_of(self, headers: Sequence[tuple[bytes, bytes]]) -> Principal | None:
        """Return the caller of a request with these raw headers; None when there is no bearer token.

        Raises as `principal`, and `Unauthorized` for a second `Authorization` header.
        """
        given = [value for name, value in headers if name == b"authorization"]
        if not given:
            return None
        scheme, _, token = given[0].partition(b" ")
        if len(given) > 1:
            raise Unauthorized
        if scheme.lower() != b"bearer":
            return None
        try:
            return await self.principal(token.decode("ascii"))
        except UnicodeDecodeError as error:
            raise Unauthorized from error


@asynccontextmanager
async def knowing_callers(app: FastAPI) -> AsyncIterator[None]:
    """Keep `app.state.callers` for the life of the gateway's application; its own routes ask it too."""
    revocations = Revocations(app.state.settings)
    verifier = app.state.verifier
    app.state.callers = app.state.verifier = Callers(verifier, revocations)
    app.state.warnings.append(revocations.warning)
    async with revocations.kept():
        yield
