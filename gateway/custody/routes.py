"""Routes of the signing keys, for whoever runs the installation."""

from typing import Annotated

from fastapi import Path

from gateway.custody.access import KeyAdministrator, KeyReader
from gateway.custody.schemas import SigningKeyOut
from gateway.keys import operations, queries
from gateway.keys.rotating import rhythm_of
from gateway.keys.tables import SigningKey
from gateway.parts import PartsOf
from services.kit.clock import Now
from services.kit.database import Session
from services.kit.http import router
from services.kit.idempotency import Idempotent
from services.kit.pages import Page, PageAsk
from services.kit.problems import problems

__all__ = ["keys"]

keys = router(prefix="/auth/keys", tags=["keys"])

_Kid = Annotated[
    str,
    Path(
        pattern="^[0-9a-f]{1,64}$",
        description="Номер ключа, как в заголовке kid токена",
        examples=["3fd19c02a7b45e61"],
    ),
]


@keys.get("", summary="Ключи подписи", response_model=Page[SigningKeyOut])
async def list_keys(_: KeyReader, session: Session, ask: PageAsk) -> object:
    """Все ключи подписи с их состоянием, от старых к новым. Секретов здесь нет.

    Видит только клиент, заданный настройками (root). Открытые половины для проверки токенов: GET /api/auth/jwks.
    """
    return await queries.keys(session, ask=ask)


@keys.post(
    "/rotation",
    summary="Сменить ключ подписи",
    response_model=SigningKeyOut,
    dependencies=[Idempotent],
)
async def rotate_key(_: KeyAdministrator, session: Session, parts: PartsOf, now: Now) -> SigningKey:
    """Передаёт подпись следующему ключу и возвращает его.

    Следующий ключ опубликован заранее. Если он опубликован достаточно давно, он подписывает сразу (current);
    иначе начнёт в `due_at`, когда о нём узнают все службы. Прежний ключ проверяет свои токены, пока они живы:
    ни один действительный запрос не получит отказа. Сама собой смена происходит раз в месяц.
    """
    following = await operations.rotate(
        session, seal=parts.seal, rhythm=rhythm_of(parts.settings), at=now
    )
    parts.keyring.forget()
    return following


@keys.post(
    "/{kid}/revocation",
    summary="Отозвать ключ подписи",
    response_model=SigningKeyOut,
    dependencies=[Idempotent],
    responses=problems(operations.KeyNotFound),
)
async def revoke_key(
    caller: KeyAdministrator, kid: _Kid, session: Session, parts: PartsOf, now: Now
) -> SigningKey:
    """Отзывает ключ, чей секрет мог стать известен. Его токены не примет никто не позже чем через минуту.

    Если ключ подписывал, его сразу заменяет следующий. Люди продолжат по токену обновления, машины получат новый
    токен своим секретом.
    """
    revoked = await operations.revoke(session, kid, seal=parts.seal, at=now, by=caller.subject)
    parts.keyring.forget()
    return revoked
