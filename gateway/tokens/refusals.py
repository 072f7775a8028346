"""How a token is refused: problems that carry the error codes of OAuth. Source: RFC 6749, 5.2."""

from typing import Any, ClassVar

from gateway.attempts.refusals import TooManyAttempts
from services.kit.problems import Problem

__all__ = [
    "InvalidClient",
    "InvalidGrant",
    "InvalidRequest",
    "InvalidScope",
    "OAuthProblem",
    "TooManyAttempts",
    "UnsupportedGrantType",
]


class OAuthProblem(Problem):
    """A refusal that an OAuth client understands by its `error`."""

    error: ClassVar[str] = "invalid_request"

    def __init__(
        self, detail: str | None = None, *, hint: str | None = None, **members: Any
    ) -> None:
        super().__init__(detail, hint=hint, error=self.error, **members)


class InvalidRequest(OAuthProblem):
    """The request is incomplete or not readable."""

    status = 400
    title = "Запрос токена составлен неверно"


class InvalidGrant(OAuthProblem):
    """The login and password, or the refresh token, do not hold."""

    status = 400
    title = "Вход не выполнен"
    error = "invalid_grant"


class InvalidClient(OAuthProblem):
    """The machine client is unknown, blocked, or its secret is wrong."""

    status = 401
    title = "Машинный клиент не опознан"
    error = "invalid_client"
    headers = {"WWW-Authenticate": 'Basic realm="opora"'}  # noqa: RUF012  read only; an instance copies it


class InvalidScope(OAuthProblem):
    """The client asks for more than it has."""

    status = 400
    title = "Запрошено право, которого у клиента нет"
    error = "invalid_scope"


class UnsupportedGrantType(OAuthProblem):
    """The grant type is none of ours."""

    status = 400
    title = "Такой способ получения токена не поддерживается"
    error = "unsupported_grant_type"
