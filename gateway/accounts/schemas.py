"""What travels about accounts."""

from datetime import date, datetime
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, SecretStr

from gateway.passwords import LONGEST, SHORTEST
from services.kit.audit import PERSONAL
from services.kit.http import In, Out
from services.kit.inputs import Id
from services.kit.words import Word

__all__ = [
    "AccountIn",
    "AccountOut",
    "AccountPatch",
    "AccountState",
    "InvitationOut",
    "NewPassword",
    "PasswordIn",
    "PersonRole",
]


class PersonRole(Word):
    """The four roles of people. Source: design 4."""

    REGION = "region", "сотрудник региона: все школы региона"
    MUNICIPALITY = "municipality", "сотрудник муниципалитета: его школы"
    SCHOOL = "school", "сотрудник школы: своя школа"
    CURATOR = "curator", "куратор: школы по действующим правам куратора"


class AccountState(Word):
    """How far an account is in its life."""

    INVITED = "invited", "человек ещё не задал пароль"
    ACTIVE = "active", "вход открыт"
    BLOCKED = "blocked", "вход закрыт"
    ERASED = "erased", "данные человека стёрты, вход закрыт навсегда"


Login = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9][a-z0-9._@-]{2,63}$",
        description="Имя для входа: латинские буквы, цифры и знаки . _ @ -; регистр не важен",
        examples=["ivanova.velizh"],
    ),
    # One person, one login, however it is typed. Last, so that the contract still tells the pattern.
    BeforeValidator(lambda value: value.strip().lower() if isinstance(value, str) else value),
]

DisplayName = Annotated[
    str,
    Field(
        min_length=1,
        max_length=200,
        pattern=r"^[^\x00-\x1f]*[^\x00-\x20][^\x00-\x1f]*$",
        description="Как показывать человека",
        examples=["Иванова М. П."],
    ),
]


def _of_sound_length(password: SecretStr) -> SecretStr:
    if not SHORTEST <= len(password.get_secret_value()) <= LONGEST:
        raise ValueError(f"Пароль: от {SHORTEST} до {LONGEST} знаков")
    return password


NewPassword = Annotated[
    SecretStr,
    AfterValidator(_of_sound_length),
    Field(
        description=(
            f"Новый пароль, от {SHORTEST} до {LONGEST} знаков. Длинный и не угадываемый: имя, логин, регион,"
            " частые пароли и прежний пароль не принимаются; обязательных видов знаков нет"
        ),
        examples=["три-слова-и-число-42"],
        json_schema_extra={"minLength": SHORTEST, "maxLength": LONGEST},
    ),
]


class AccountIn(In):
    """A new account."""

    # A node belongs to its role only, so the fields' examples make no whole.
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "login": "ivanova.velizh",
                    "display_name": "Иванова М. П.",
                    "role": "municipality",
                    "municipality_id": 3,
                }
            ]
        }
    )

    login: Login
    display_name: DisplayName
    role: PersonRole = Field(description="Роль", examples=["municipality"])
    region_id: Id | None = Field(
        default=None,
        description="Регион; указывает только системный клиент, у остальных он свой",
        examples=[1],
    )
    municipality_id: Id | None = Field(
        default=None, description="Муниципалитет, для роли municipality", examples=[3]
    )
    school_id: Id | None = Field(default=None, description="Школа, для роли school", examples=[1])
    password: NewPassword | None = Field(
        default=None,
        description="Начальный пароль. Лучше не указывайте: выдайте приглашение, и человек задаст свой",
        examples=["три-слова-и-число-42"],
    )


class AccountPatch(In):
    """What of an account changes. Role and place never do: make another account."""

    display_name: DisplayName


class PasswordIn(In):
    """A new password for somebody's account."""

    password: NewPassword


class AccountOut(Out):
    """An account."""

    id: int = Field(
        description="Номер учётной записи; субъект токена — user:<номер>", examples=[12]
    )
    login: str = Field(
        description="Имя для входа", examples=["ivanova.velizh"], json_schema_extra=PERSONAL
    )
    display_name: str = Field(
        description="Как показывать человека",
        examples=["Иванова М. П."],
        json_schema_extra=PERSONAL,
    )
    state: AccountState = Field(description="Состояние учётной записи", examples=["active"])
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
    invitation_expires_at: datetime | None = Field(
        description="До какого времени действует выданное приглашение, UTC; null, если его нет",
        examples=[None],
    )
    second_factor_since: datetime | None = Field(
        description="С какого времени вход требует одноразовый код, UTC; null, если не требует",
        examples=["2026-11-20T09:30:00Z"],
    )
    last_used_on: date | None = Field(
        description="День последней работы под этой учётной записью, UTC; null, если не было",
        examples=["2026-11-20"],
    )
    version: int = Field(description="Версия для If-Match", examples=[1])


class InvitationOut(Out):
    """The code with which a person sets the password."""

    code: str = Field(
        description=(
            "Одноразовый код: передайте его человеку. Показан один раз; новый код отменяет прежний"
        ),
        examples=["mT0l8mK5Q1sTq8Yw3v1Zr7cBn2xHkLpDf6sJg9aUe0o"],
    )
    expires_at: datetime = Field(
        description="До какого времени код действует, UTC", examples=["2026-11-23T09:00:00Z"]
    )
    account: AccountOut = Field(description="Учётная запись после этого действия")
