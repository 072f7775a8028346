"""What travels about machine clients."""

from datetime import date, datetime
from typing import Annotated, Any, Final, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from gateway.signatures import public_key
from services.kit.http import In, Out
from services.kit.inputs import Id
from services.kit.words import Word

__all__ = [
    "MachineClientIn",
    "MachineClientOut",
    "MachineClientPatch",
    "PublicKeyIn",
    "PublicKeysIn",
    "PublicKeysOut",
    "SecretIn",
    "SecretMetadataOut",
    "SecretOut",
    "SecretState",
]

_DEFAULT_OVERLAP_HOURS: Final = 24
_LONGEST_OVERLAP_HOURS: Final = 30 * 24
_MOST_KEYS: Final = 5
_PRIVATE_MEMBERS: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})

# The public key of RFC 7515, A.3.
_KEY_EXAMPLE: Final = {
    "kid": "2026-11",
    "kty": "EC",
    "alg": "ES256",
    "use": "sig",
    "crv": "P-256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
}

ScopeName = Annotated[
    str, Field(pattern=r"^[a-z][a-z-]{1,38}:(read|exact|write|approve|administer)$")
]
Scopes = Annotated[
    list[ScopeName],
    Field(
        min_length=1,
        max_length=50,
        description="Права, которые клиент может получить в токене",
        examples=[["imports:write", "imports:read"]],
    ),
]
Title = Annotated[
    str,
    Field(
        min_length=1,
        max_length=200,
        pattern=r"^[^\x00-\x1f]*[^\x00-\x20][^\x00-\x1f]*$",
        description="Что это за система",
        examples=["РИС ГИА-9 и ГИА-11"],
    ),
]


class SecretState(Word):
    """How far a secret is in its life."""

    LIVE = "live", "действует, пока его не заменят или не отзовут"
    ENDING = "ending", "заменён, действует до expires_at"
    EXPIRED = "expired", "срок после замены вышел"
    REVOKED = "revoked", "отозван"


class MachineClientIn(In):
    """A new machine client of the caller's node or of one below."""

    client_id: str = Field(
        pattern=r"^[a-z0-9][a-z0-9.-]{2,39}$",
        description="Имя клиента; субъект токена — client:<имя>",
        examples=["ris-gia-67"],
    )
    title: Title
    scopes: Scopes
    municipality_id: Id | None = Field(
        default=None,
        description="Муниципалитет клиента; не указан: клиент вашего собственного уровня",
        examples=[3],
    )
    school_id: Id | None = Field(
        default=None,
        description="Школа клиента; её муниципалитет указывать не обязательно",
        examples=[None],
    )


class MachineClientPatch(In):
    """What may be changed of a machine client; what is not given stays."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"title": "РИС ГИА-9", "scopes": ["imports:write"]}]}
    )

    title: Title | None = None
    scopes: Scopes | None = None
    keys_only: bool | None = Field(
        default=None,
        description="true: клиент подтверждает себя только подписью, секреты не принимаются",
        examples=[True],
    )

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("Укажите хотя бы одно поле: title, scopes или keys_only")
        if any(getattr(self, name) is None for name in self.model_fields_set):
            raise ValueError("Поле нельзя очистить: укажите значение или уберите поле")
        return self


class MachineClientOut(Out):
    """A machine client, never with its secrets."""

    id: int = Field(description="Номер клиента", examples=[5])
    client_id: str = Field(description="Имя клиента", examples=["ris-gia-67"])
    title: Title
    scopes: Scopes
    region_id: int = Field(description="Регион", examples=[1])
    municipality_id: int | None = Field(
        description="Муниципалитет; null у клиента региона", examples=[None]
    )
    school_id: int | None = Field(description="Школа; только у клиента школы", examples=[None])
    has_secret: bool = Field(description="Есть ли действующий секрет", examples=[True])
    key_ids: list[str] = Field(
        description="Имена (kid) зарегистрированных открытых ключей", examples=[["2026-11"]]
    )
    keys_only: bool = Field(
        description="Подтверждает себя только подписью: секреты не принимаются", examples=[False]
    )
    last_used_on: date | None = Field(
        description="День последнего полученного токена, UTC; null, если не было",
        examples=["2026-11-21"],
    )
    blocked_at: datetime | None = Field(
        description="Когда заблокирован, UTC; null, если работает", examples=[None]
    )
    created_at: datetime = Field(description="Когда создан, UTC", examples=["2026-11-20T09:00:00Z"])
    version: int = Field(description="Версия для If-Match", examples=[1])


class SecretIn(In):
    """How a fresh secret replaces the former ones."""

    overlap_hours: int = Field(
        default=_DEFAULT_OVERLAP_HOURS,
        ge=0,
        le=_LONGEST_OVERLAP_HOURS,
        description="Сколько часов ещё действуют прежние секреты; 0: заканчиваются сразу, вместе"
        " с выданными токенами",
        examples=[_DEFAULT_OVERLAP_HOURS],
    )


class SecretOut(Out):
    """A fresh secret; it is shown only here."""

    client_id: str = Field(description="Имя клиента", examples=["ris-gia-67"])
    client_secret: str = Field(
        description="Секрет; сохраните его сейчас, второй раз он не показывается",
        examples=["0P0nU4v6…"],
    )
    secret_id: int = Field(
        description="Номер секрета: под ним он в списке и так его отзывают", examples=[17]
    )


class SecretMetadataOut(Out):
    """What is known of a secret; never the secret itself."""

    id: int = Field(description="Номер секрета", examples=[17])
    state: SecretState = Field(description="Состояние", examples=["live"])
    created_at: datetime = Field(description="Когда выдан, UTC", examples=["2026-11-20T09:00:00Z"])
    expires_at: datetime | None = Field(
        description="Когда перестанет или перестал действовать, UTC; null: срока нет",
        examples=[None],
    )
    revoked_at: datetime | None = Field(
        description="Когда отозван, UTC; null, если не отзывали", examples=[None]
    )
    last_used_on: date | None = Field(
        description="День последнего полученного с ним токена, UTC; null, если не было",
        examples=["2026-11-21"],
    )


class PublicKeyIn(In):
    """A public key as a JSON Web Key (RFC 7517)."""

    kid: str = Field(
        pattern=r"^[A-Za-z0-9._~-]{1,64}$",
        description="Имя ключа; то же стоит в заголовке kid подписи",
        examples=["2026-11"],
    )
    kty: Literal["RSA", "EC"] = Field(
        description="Вид ключа: RSA или EC (эллиптическая кривая)", examples=["EC"]
    )
    alg: Literal["RS256", "PS256", "ES256"] = Field(
        description="Единственный алгоритм, которым этот ключ подписывает: RS256 и PS256 — ключом RSA, ES256 — ключом EC",
        examples=["ES256"],
    )
    use: Literal["sig"] = Field(
        default="sig", description="Назначение: только подпись", examples=["sig"]
    )
    n: str | None = Field(
        default=None,
        max_length=2000,
        description="Модуль RSA, base64url; от 2048 до 8192 бит",
        examples=[None],
    )
    e: str | None = Field(
        default=None,
        max_length=20,
        description="Открытая экспонента RSA, base64url; не меньше 65537",
        examples=[None],
    )
    crv: Literal["P-256"] | None = Field(default=None, description="Кривая", examples=["P-256"])
    x: str | None = Field(
        default=None,
        max_length=100,
        description="Координата x точки, base64url",
        examples=["f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"],
    )
    y: str | None = Field(
        default=None,
        max_length=100,
        description="Координата y точки, base64url",
        examples=["x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"],
    )

    @model_validator(mode="before")
    @classmethod
    def _without_private_parts(cls, given: Any) -> Any:
        if isinstance(given, dict) and _PRIVATE_MEMBERS & given.keys():
            raise ValueError(
                "Это закрытый ключ: он не должен покидать вашу систему. Замените его новым"
                " и передайте только открытую часть"
            )
        return given

    @model_validator(mode="after")
    def _is_strong(self) -> Self:
        try:
            public_key(self.document(), self.alg)
        except ValueError:
            raise ValueError(
                "Ключ не подходит: нужен RSA от 2048 бит (RS256, PS256) или P-256 (ES256)"
            ) from None
        return self

    def document(self) -> dict[str, str]:
        """Return the key as it is stored: only the members of its kind."""
        members = ("n", "e") if self.kty == "RSA" else ("crv", "x", "y")
        named = ("kid", "kty", "alg", "use", *members)
        return {name: value for name in named if (value := getattr(self, name)) is not None}


class PublicKeysIn(In):
    """All public keys of a client: what is not among them no longer counts."""

    keys: list[PublicKeyIn] = Field(
        max_length=_MOST_KEYS,
        description="Открытые ключи клиента, не больше пяти",
        examples=[[_KEY_EXAMPLE]],
    )

    @model_validator(mode="after")
    def _named_apart(self) -> Self:
        if len({key.kid for key in self.keys}) < len(self.keys):
            raise ValueError("Имена ключей (kid) не должны повторяться")
        return self


class PublicKeysOut(Out):
    """The public keys of a client."""

    keys: list[dict[str, str]] = Field(
        description="Открытые ключи (JSON Web Key)",
        examples=[[_KEY_EXAMPLE]],
    )
