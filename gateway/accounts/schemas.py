"""What travels about accounts."""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from services.kit.http import In, Out
from services.kit.words import Word

__all__ = ["AccountIn", "AccountOut", "PasswordIn", "PersonRole"]

_SHORTEST_PASSWORD = 12
_LONGEST_PASSWORD = 200


class PersonRole(Word):
    """The four roles of people. Source: design 4."""

    REGION = "region", "сотрудник региона: все школы региона"
    MUNICIPALITY = "municipality", "сотрудник муниципалитета: его школы"
    SCHOOL = "school", "сотрудник школы: своя школа"
    CURATOR = "curator", "куратор: школы по действующим правам куратора"


Login = Annotated[
    str,
    # One person, one login, however it is typed.
    BeforeValidator(lambda value: value.strip().lower() if isinstance(value, str) else value),
    Field(
        pattern=r"^[a-z0-9][a-z0-9._@-]{2,63}$",
        description="Имя для входа: латинские буквы, цифры и знаки . _ @ -; регистр не важен",
        examples=["ivanova.velizh"],
    ),
]


def _long_enough(password: SecretStr) -> SecretStr:
    if not _SHORTEST_PASSWORD <= len(password.get_secret_value()) <= _LONGEST_PASSWORD:
        raise ValueError(f"Пароль: от {_SHORTEST_PASSWORD} до {_LONGEST_PASSWORD} знаков")
    return password


Password = Annotated[
    SecretStr,
    AfterValidator(_long_enough),
    Field(
        description=f"Пароль, не короче {_SHORTEST_PASSWORD} знаков",
        examples=["три-слова-и-число-42"],
        json_schema_extra={"minLength": _SHORTEST_PASSWORD, "maxLength": _LONGEST_PASSWORD},
    ),
]


class AccountIn(In):
    """A new account."""

    login: Login
    display_name: str = Field(
        min_length=1,
        max_length=200,
        pattern=r"^[^\x00-\x1f]*[^\x00-\x20][^\x00-\x1f]*$",
        description="Как показывать человека",
        examples=["Иванова М. П."],
    )
    role: PersonRole = Field(description="Роль", examples=["municipality"])
    region_id: int | None = Field(
        default=None,
        description="Регион; указывает только системный клиент, у остальных он свой",
        examples=[1],
    )
    municipality_id: int | None = Field(
        default=None, description="Муниципалитет, для роли municipality", examples=[3]
    )
    school_id: int | None = Field(default=None, description="Школа, для роли school", examples=[1])
    password: Password


class PasswordIn(In):
    """A new password for somebody's account."""

    password: Password


class AccountOut(Out):
    """An account."""

    id: int = Field(
        description="Номер учётной записи; субъект токена — user:<номер>", examples=[12]
    )
    login: str = Field(description="Имя для входа", examples=["ivanova.velizh"])
    display_name: str = Field(description="Как показывать человека", examples=["Иванова М. П."])
    role: PersonRole = Field(description="Роль", examples=["municipality"])
    region_id: int = Field(description="Регион", examples=[1])
    municipality_id: int | None = Field(
        description="Муниципалитет; null у роли региона и куратора", examples=[3]
    )
    school_id: int | None = Field(description="Школа; только у роли school", examples=[None])
    blocked_at: datetime | None = Field(
        description="Когда заблокирована, UTC; null, если вход открыт", examples=[None]
    )
    created_at: datetime = Field(
        description="Когда создана, UTC", examples=["2026-11-20T09:00:00Z"]
    )
    version: int = Field(description="Версия для If-Match", examples=[1])
