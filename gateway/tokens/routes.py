"""Routes of tokens and keys."""

from typing import Annotated, cast

from fastapi import Depends, Request, Response

from gateway.accounts.tables import Account
from gateway.parts import PartsOf
from gateway.passwords import PasswordChecksBusy
from gateway.second_factor.refusals import SecondFactorEnrolmentRequired, SecondFactorRequired
from gateway.sessions.devices import seen_in
from gateway.sources import source_of
from gateway.tokens import refusals
from gateway.tokens.asking import (
    GRANT_BODY,
    REVOCATION_BODY,
    asked_grant,
    asked_revocation,
)
from gateway.tokens.issuing import Issuing
from gateway.tokens.schemas import Grant, KeySetOut, RevocationIn, TokenOut, WhoAmI
from services.kit import audit
from services.kit.clock import Now
from services.kit.database import Database, Session
from services.kit.http import router
from services.kit.principals import Principal, authenticate
from services.kit.problems import problems

__all__ = ["tokens"]

tokens = router(prefix="/auth", tags=["tokens"])

_KEYS_FRESH_SECONDS = 20


def _database(request: Request) -> Database:
    return cast("Database", request.app.state.database)


def _issuing(
    request: Request, database: Annotated[Database, Depends(_database)], parts: PartsOf, now: Now
) -> Issuing:
    return Issuing(database, parts, now, source_of(request.scope), seen_in(request))


Issues = Annotated[Issuing, Depends(_issuing)]


@tokens.post(
    "/token",
    summary="Получить токен",
    response_model=TokenOut,
    response_model_exclude_none=True,
    openapi_extra=GRANT_BODY,
    responses=problems(
        refusals.InvalidRequest,
        refusals.InvalidGrant,
        refusals.InvalidClient,
        refusals.InvalidScope,
        refusals.UnsupportedGrantType,
        refusals.TooManyAttempts,
        SecondFactorRequired,
        SecondFactorEnrolmentRequired,
        PasswordChecksBusy,
    ),
)
async def issue_token(grant: Annotated[Grant, Depends(asked_grant)], issuing: Issues) -> TokenOut:
    """Выдаёт токен доступа на пять минут: человеку по паролю или токену обновления, машине по её секрету.

    Если вход требует одноразовый код, приходит `second-factor-required`: повторите запрос с полем otp. Если
    роль обязана иметь второй фактор, а его ещё нет — `second-factor-enrolment-required` с билетом для настройки.
    Токен обновления действует один раз; если ответ потерялся, повторите запрос в течение десяти секунд.
    Принимается и форма `application/x-www-form-urlencoded`, и заголовок `Authorization: Basic` (RFC 6749).
    """
    return await issuing.answer(grant)


@tokens.post(
    "/revocation",
    summary="Завершить сеанс",
    status_code=204,
    openapi_extra=REVOCATION_BODY,
    responses=problems(refusals.InvalidRequest),
)
async def revoke_token(
    asked: Annotated[RevocationIn, Depends(asked_revocation)], issuing: Issues
) -> None:
    """Завершает сеанс, которому принадлежит токен обновления. Неизвестный токен — не ошибка (RFC 7009)."""
    await issuing.end(asked.token.get_secret_value())


@tokens.get("/jwks", summary="Открытые ключи", response_model=KeySetOut)
async def publish_keys(
    database: Annotated[Database, Depends(_database)], parts: PartsOf, response: Response
) -> KeySetOut:
    """Ключи, которыми проверяются токены доступа. Их может быть несколько: выбирайте по kid."""
    response.headers["Cache-Control"] = f"public, max-age={_KEYS_FRESH_SECONDS}"
    return KeySetOut(keys=await parts.keyring.published(database))


# People see their own name here, which is nobody reading somebody.
@tokens.get("/me", summary="Кто я", response_model=WhoAmI, openapi_extra=audit.reads(audit.OWN))
async def who_am_i(caller: Annotated[Principal, Depends(authenticate)], session: Session) -> WhoAmI:
    """Вызывающий, каким его видит шлюз: роль и место в территории."""
    kind, _, number = caller.subject.partition(":")
    account = await session.get(Account, int(number)) if kind == "user" else None
    return WhoAmI(
        subject=caller.subject,
        role=caller.role.value,
        login=None if account is None else account.login,
        display_name=None if account is None else account.display_name,
        region_id=caller.reach.region_id,
        municipality_id=caller.reach.municipality_id,
        school_id=caller.reach.school_id,
    )
