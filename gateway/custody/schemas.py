"""What travels about signing keys: never a secret."""

from datetime import datetime

from pydantic import Field

from services.kit.http import Out
from services.kit.words import Word

__all__ = ["KeyState", "SigningKeyOut"]


class KeyState(Word):
    """Where a key is in its life."""

    NEXT = "next", "опубликован, ещё не подписывает"
    CURRENT = "current", "подписывает"
    RETIRED = "retired", "больше не подписывает, его последние токены действуют"
    REVOKED = "revoked", "отозван, ничего не подтверждает"


class SigningKeyOut(Out):
    """A signing key by its id and its life."""

    kid: str = Field(
        max_length=64,
        description="Номер ключа, как в заголовке токена",
        examples=["3fd19c02a7b45e61"],
    )
    state: KeyState = Field(
        description=(
            "next: опубликован и ждёт своей очереди; current: подписывает; "
            "retired: больше не подписывает, его токены доживают; revoked: отозван"
        ),
        examples=["current"],
    )
    created_at: datetime = Field(
        description="Когда ключ создан и опубликован (UTC)", examples=["2026-09-01T06:00:00Z"]
    )
    due_at: datetime | None = Field(
        description="Когда ключ next начнёт подписывать по просьбе о смене (UTC); null: в свой срок",
        examples=[None],
    )
    activated_at: datetime | None = Field(
        description="С какого времени подписывает (UTC); null: ещё не подписывал",
        examples=["2026-09-02T06:00:00Z"],
    )
    retired_at: datetime | None = Field(
        description="Когда перестал подписывать (UTC); null: не переставал", examples=[None]
    )
    revoked_at: datetime | None = Field(
        description="Когда отозван (UTC); null: не отзывался", examples=[None]
    )
