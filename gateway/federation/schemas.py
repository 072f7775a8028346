"""What travels about external logins."""

from pydantic import Field, SecretStr

from services.kit.audit import PERSONAL
from services.kit.http import In, Out

__all__ = [
    "AuthorizationIn",
    "AuthorizationOut",
    "ExternalIdentityIn",
    "ExternalIdentityOut",
    "ExternalLoginIn",
    "IssuerOut",
    "IssuersOut",
]

_PRINTABLE = r"^[^\x00-\x1f]+$"  # the database stores no NUL
_IDENTIFIER = r"^[\x21-\x7e]+$"


class IssuerOut(Out):
    """An external issuer, as the web app offers it."""

    name: str = Field(description="Имя для путей этого API", examples=["esia"])
    title: str = Field(description="Что написать на кнопке", examples=["Госуслуги"])


class IssuersOut(Out):
    """All of them; there are few, so there are no pages."""

    items: list[IssuerOut] = Field(description="Внешние системы входа; пусто, если их нет")


class AuthorizationIn(In):
    """A browser is about to be sent to an issuer."""

    redirect_uri: str = Field(
        min_length=1,
        max_length=500,
        pattern=_IDENTIFIER,
        description="Куда внешняя система вернёт человека; один из адресов, заданных в настройках",
        examples=["https://opora.example/login/esia"],
    )


class AuthorizationOut(Out):
    """Where to send the browser, and what it must keep meanwhile."""

    authorization_url: str = Field(
        description="Адрес, на который нужно перейти; действует один раз",
        examples=["https://esia.example/authorize?response_type=code&…"],
    )
    login_verifier: str = Field(
        description="Сохраните в этом браузере (sessionStorage) и передайте при завершении входа:"
        " без него возврат не принимается",
        examples=["pX0b…"],
    )
    expires_in: int = Field(description="Сколько секунд есть на вход", examples=[600])


class ExternalLoginIn(In):
    """A browser came back from an issuer."""

    code: SecretStr = Field(
        min_length=1,
        max_length=4096,
        description="Параметр code из адреса возврата",
        examples=["SplxlOBeZQQYbYS6WxSbIA"],
    )
    state: SecretStr = Field(
        min_length=1,
        max_length=200,
        description="Параметр state из адреса возврата",
        examples=["af0ifjsldkj"],
    )
    login_verifier: SecretStr = Field(
        min_length=1,
        max_length=200,
        description="Сохранённый в начале входа login_verifier",
        examples=["pX0b…"],
    )
    iss: str | None = Field(
        default=None,
        max_length=500,
        pattern=_PRINTABLE,
        description="Параметр iss из адреса возврата, если он там есть (RFC 9207)",
        examples=["https://esia.example"],
    )
    otp: SecretStr | None = Field(
        default=None,
        min_length=1,
        max_length=40,
        description="Одноразовый код, если вход через эту систему его требует",
        examples=[None],
    )


class ExternalIdentityIn(In):
    """Whom an issuer has to vouch for."""

    issuer: str = Field(
        min_length=1,
        max_length=40,
        pattern=_IDENTIFIER,
        description="Имя внешней системы из GET /api/auth/issuers",
        examples=["esia"],
    )
    subject: str = Field(
        min_length=1,
        max_length=255,
        pattern=_IDENTIFIER,
        description="Постоянный номер человека в этой системе (sub)",
        examples=["1000299654"],
        json_schema_extra=PERSONAL,
    )


class ExternalIdentityOut(Out):
    """The link of an account to an issuer."""

    issuer: str = Field(
        description="Имя внешней системы; её адрес, если в настройках её больше нет",
        examples=["esia"],
    )
    subject: str = Field(
        description="Постоянный номер человека в этой системе (sub)",
        examples=["1000299654"],
        json_schema_extra=PERSONAL,
    )
