"""What travels about second factors."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, SecretStr

from services.kit.http import In, Out

__all__ = [
    "CodeIn",
    "FactorEnrolmentOut",
    "OneTimeCodeIn",
    "RecoveryCodesOut",
    "SecondFactorOut",
    "TicketIn",
    "TicketWithCodeIn",
]

OneTimeCode = Annotated[
    str,
    Field(
        pattern=r"^[0-9]{3} ?[0-9]{3}$",
        description="Код из приложения, шесть цифр",
        examples=["492039"],
    ),
]

AnyCode = Annotated[
    SecretStr,
    Field(
        min_length=6,
        max_length=40,
        description="Код из приложения или один из резервных кодов",
        examples=["492039"],
    ),
]

Ticket = Annotated[
    SecretStr,
    Field(
        min_length=1,
        max_length=200,
        description="Билет enrolment_ticket из отказа second-factor-enrolment-required",
        examples=["Zk3vQ8rT1mB6yU0pLx9cN4wHs7dGf2aJe5iKo0RqXbM"],
    ),
]


class OneTimeCodeIn(In):
    """A code that proves the app is set up."""

    code: OneTimeCode


class CodeIn(In):
    """A code that proves the person."""

    code: AnyCode


class TicketIn(In):
    """A ticket, in place of a token."""

    ticket: Ticket


class TicketWithCodeIn(In):
    """A ticket and the code that proves the app is set up."""

    ticket: Ticket
    code: OneTimeCode


class FactorEnrolmentOut(Out):
    """The secret for the app, shown once."""

    secret: str = Field(
        description="Секрет для ввода вручную, base32",
        examples=["JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"],
    )
    otpauth_uri: str = Field(
        description="Тот же секрет для QR-кода (otpauth://totp/…): шесть цифр, 30 секунд, SHA-1",
        examples=[
            "otpauth://totp/Opora:ivanova.velizh?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Opora"
        ],
    )


class RecoveryCodesOut(Out):
    """Codes for the day the telephone is lost, shown once."""

    recovery_codes: list[str] = Field(
        description="Резервные коды: каждый действует один раз вместо кода из приложения. Больше не показываются",
        examples=[["ABCD-EFGH-2345-6723"]],
    )


class SecondFactorOut(Out):
    """Where the caller's own second factor stands."""

    is_on: bool = Field(description="Вход требует одноразовый код", examples=[True])
    since: datetime | None = Field(
        description="С какого времени, UTC; null, если не требует",
        examples=["2026-11-20T09:30:00Z"],
    )
    is_demanded: bool = Field(
        description="Ваша роль обязана иметь второй фактор, выключить его нельзя", examples=[True]
    )
    recovery_codes_left: int = Field(
        description="Сколько резервных кодов ещё не использовано, штук", examples=[10]
    )
