"""What travels about tokens."""

from typing import Annotated, Any, Literal

from pydantic import AliasChoices, Field, SecretStr

from services.kit.audit import PERSONAL
from services.kit.http import In, Out

__all__ = [
    "ClientGrant",
    "Grant",
    "KeySetOut",
    "PasswordGrant",
    "RefreshGrant",
    "RevocationIn",
    "TokenOut",
    "WhoAmI",
]

_PRINTABLE = r"^[^\x00-\x1f]+$"  # the database stores no NUL


class PasswordGrant(In):
    """A person logs in."""

    grant_type: Literal["password"] = Field(description="Вход человека", examples=["password"])
    login: str = Field(
        min_length=1,
        max_length=64,
        pattern=_PRINTABLE,
        # `username` is what generic OAuth clients send.
        validation_alias=AliasChoices("login", "username"),
        description="Имя для входа",
        examples=["ivanova.velizh"],
    )
    password: SecretStr = Field(
        min_length=1, max_length=200, description="Пароль", examples=["три-слова-и-число-42"]
    )
    otp: SecretStr | None = Field(
        default=None,
        min_length=1,
        max_length=40,
        description="Код из приложения или резервный код; когда вход его требует",
        examples=["492039"],
    )


class RefreshGrant(In):
    """A person goes on with a session."""

    grant_type: Literal["refresh_token"] = Field(
        description="Продолжение сеанса", examples=["refresh_token"]
    )
    refresh_token: SecretStr = Field(
        min_length=1,
        max_length=200,
        description="Токен обновления из прошлого ответа; действует один раз",
        examples=["Zk3…"],
    )


class ClientGrant(In):
    """A machine client proves its identity."""

    grant_type: Literal["client_credentials"] = Field(
        description="Вход машинного клиента", examples=["client_credentials"]
    )
    client_id: str | None = Field(
        default=None,
        min_length=1,
        max_length=100,
        pattern=_PRINTABLE,
        description="Имя клиента; обязательно с секретом, с подписью можно не указывать",
        examples=["ris-gia-67"],
    )
    client_secret: SecretStr | None = Field(
        default=None,
        min_length=1,
        max_length=200,
        description="Секрет клиента",
        examples=["0P0nU4v6…"],
    )
    client_assertion_type: (
        Literal["urn:ietf:params:oauth:client-assertion-type:jwt-bearer"] | None
    ) = Field(
        default=None,
        description="Вместо секрета: вид подтверждения подписью (RFC 7523)",
        examples=[None],
    )
    client_assertion: SecretStr | None = Field(
        default=None,
        min_length=1,
        max_length=8192,
        description="Вместо секрета: JWT с iss и sub — имя клиента, aud — адрес этого запроса"
        " или издатель токенов, exp не дальше пяти минут и новым jti; подписан ключом клиента",
        examples=[None],
    )
    scope: str | None = Field(
        default=None,
        max_length=2000,
        description="Нужные права через пробел; не указано: все права клиента",
        examples=["imports:write"],
    )


Grant = Annotated[PasswordGrant | RefreshGrant | ClientGrant, Field(discriminator="grant_type")]


class TokenOut(Out):
    """An access token and, for a person, the way to the next."""

    access_token: str = Field(description="Токен доступа (JWT, RS256)", examples=["eyJhbGciOi…"])
    token_type: Literal["Bearer"] = Field(default="Bearer", description="Всегда Bearer")
    expires_in: int = Field(description="Сколько действует токен доступа, секунд", examples=[300])
    refresh_token: str | None = Field(
        default=None,
        description="Токен обновления; только у людей, действует один раз",
        examples=["Zk3…"],
    )
    scope: str | None = Field(
        default=None, description="Права машинного клиента через пробел", examples=["imports:write"]
    )


class RevocationIn(In):
    """A refresh token that shall no longer hold. Source: RFC 7009."""

    token: SecretStr = Field(
        min_length=1, max_length=8192, description="Токен обновления", examples=["Zk3…"]
    )
    token_type_hint: str | None = Field(
        default=None, max_length=50, description="Не используется", examples=["refresh_token"]
    )


class KeySetOut(Out):
    """The public keys. Source: RFC 7517."""

    keys: list[dict[str, Any]] = Field(
        description="Открытые ключи: текущий, следующий и недавние",
        examples=[
            [{"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "3fd1", "n": "…", "e": "AQAB"}]
        ],
    )


class WhoAmI(Out):
    """The caller as the gateway knows it."""

    subject: str = Field(description="Субъект токена", examples=["user:12"])
    role: str = Field(description="Роль", examples=["municipality"])
    login: str | None = Field(
        description="Имя для входа; null у машин",
        examples=["ivanova.velizh"],
        json_schema_extra=PERSONAL,
    )
    display_name: str | None = Field(
        description="Как показывать человека; null у машин",
        examples=["Иванова М. П."],
        json_schema_extra=PERSONAL,
    )
    region_id: int | None = Field(description="Регион", examples=[1])
    municipality_id: int | None = Field(description="Муниципалитет", examples=[3])
    school_id: int | None = Field(description="Школа", examples=[None])
