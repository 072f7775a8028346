"""Routes of second factors: one's own with a token, the first one with a ticket, a reset from above."""

from typing import Annotated

from fastapi import Depends, Response

from gateway.accounts import operations as accounts
from gateway.accounts.access import AccountAdministrator, AccountId
from gateway.accounts.schemas import AccountOut
from gateway.accounts.tables import Account
from gateway.attempts.refusals import TooManyAttempts
from gateway.elevation import elevated
from gateway.parts import DatabaseOf, PartsOf
from gateway.second_factor import operations, refusals
from gateway.second_factor.own import OwnFactor
from gateway.second_factor.schemas import (
    CodeIn,
    FactorEnrolmentOut,
    OneTimeCodeIn,
    RecoveryCodesOut,
    SecondFactorOut,
    TicketIn,
    TicketWithCodeIn,
)
from gateway.sessions import operations as sessions
from gateway.sessions.own import OwnAccount, PersonOnly
from services.kit import audit
from services.kit.clock import Now
from services.kit.database import Session
from services.kit.etags import IfMatch, PreconditionRequired, StaleVersion, tag
from services.kit.http import router
from services.kit.problems import problems

__all__ = ["second_factor"]

second_factor = router(prefix="", tags=["second-factor"])


def _own_factor(database: DatabaseOf, parts: PartsOf, now: Now) -> OwnFactor:
    return OwnFactor(database, parts, now)


Own = Annotated[OwnFactor, Depends(_own_factor)]

_CONFIRMATION_PROBLEMS = (
    refusals.EnrolmentNotBegun,
    refusals.SecondFactorAlreadyOn,
    refusals.CodeWrong,
    TooManyAttempts,
)


@second_factor.get(
    "/auth/me/second-factor",
    summary="Мой второй фактор",
    response_model=SecondFactorOut,
    responses=problems(PersonOnly),
)
async def read_own_second_factor(person: OwnAccount, own: Own) -> SecondFactorOut:
    """Включён ли у вас второй фактор, обязателен ли он и сколько резервных кодов осталось."""
    return await own.state(person)


# No Idempotency-Key where an answer shows a secret: the stored answer would keep it. A repeated
# request gives a fresh secret, and the one before counts for nothing.
@second_factor.post(
    "/auth/me/second-factor",
    summary="Начать настройку второго фактора",
    response_model=FactorEnrolmentOut,
    responses=problems(PersonOnly, refusals.SecondFactorAlreadyOn),
)
async def enrol_own_second_factor(person: OwnAccount, own: Own) -> operations.Enrolment:
    """Выдаёт секрет для приложения одноразовых кодов. Он вступает в силу только после подтверждения кодом."""
    return await own.enrol(person)


@second_factor.put(
    "/auth/me/second-factor/confirmation",
    summary="Подтвердить второй фактор",
    response_model=RecoveryCodesOut,
    responses=problems(PersonOnly, *_CONFIRMATION_PROBLEMS),
)
async def confirm_own_second_factor(
    person: OwnAccount, asked: OneTimeCodeIn, own: Own
) -> RecoveryCodesOut:
    """Включает второй фактор и один раз показывает десять резервных кодов; остальные ваши сеансы завершаются."""
    return RecoveryCodesOut(recovery_codes=await own.confirm(person, asked.code))


@second_factor.post(
    "/auth/me/second-factor/recovery-codes",
    summary="Заменить резервные коды",
    response_model=RecoveryCodesOut,
    responses=problems(PersonOnly, refusals.SecondFactorOff, refusals.CodeWrong, TooManyAttempts),
)
async def replace_own_recovery_codes(
    person: OwnAccount, asked: CodeIn, own: Own
) -> RecoveryCodesOut:
    """Выдаёт десять новых резервных кодов; прежние перестают действовать."""
    fresh = await own.replace_recovery_codes(person, asked.code.get_secret_value())
    return RecoveryCodesOut(recovery_codes=fresh)


@second_factor.post(
    "/auth/me/second-factor/removal",
    summary="Выключить свой второй фактор",
    status_code=204,
    responses=problems(
        PersonOnly,
        refusals.SecondFactorOff,
        refusals.SecondFactorDemanded,
        refusals.CodeWrong,
        TooManyAttempts,
    ),
)
async def remove_own_second_factor(person: OwnAccount, asked: CodeIn, own: Own) -> None:
    """Выключает второй фактор по действующему коду. Если ваша роль обязана его иметь, выключить нельзя."""
    await own.remove(person, asked.code.get_secret_value())


@second_factor.post(
    "/auth/second-factor/enrolment",
    summary="Начать настройку второго фактора до первого входа",
    response_model=FactorEnrolmentOut,
    responses=problems(refusals.TicketInvalid, refusals.SecondFactorAlreadyOn),
)
async def enrol_by_ticket(asked: TicketIn, own: Own) -> operations.Enrolment:
    """Выдаёт секрет для приложения тому, чья роль обязана иметь второй фактор, а его ещё нет.

    Билет enrolment_ticket приходит в отказе `second-factor-enrolment-required` на `POST /api/auth/token`,
    действует недолго и ни для чего другого не годится.
    """
    return await own.enrol(await own.holder(asked.ticket.get_secret_value()))


@second_factor.put(
    "/auth/second-factor/enrolment",
    summary="Подтвердить второй фактор до первого входа",
    response_model=RecoveryCodesOut,
    responses=problems(refusals.TicketInvalid, *_CONFIRMATION_PROBLEMS),
)
async def confirm_by_ticket(asked: TicketWithCodeIn, own: Own) -> RecoveryCodesOut:
    """Включает второй фактор и один раз показывает десять резервных кодов; билет больше не действует.

    Затем войдите с паролем и следующим кодом из приложения: использованный код второй раз не принимается.
    """
    person = await own.holder(asked.ticket.get_secret_value())
    return RecoveryCodesOut(recovery_codes=await own.confirm(person, asked.code))


@second_factor.delete(
    "/accounts/{account_id}/second-factor",
    summary="Сбросить второй фактор человека",
    response_model=AccountOut,
    openapi_extra=audit.reads("account"),
    responses=problems(
        accounts.AccountNotFound,
        accounts.AccountNotBelow,
        accounts.AccountErased,
        PreconditionRequired,
        StaleVersion,
    ),
)
async def reset_account_second_factor(
    caller: AccountAdministrator,
    account_id: AccountId,
    expected: IfMatch,
    session: Session,
    now: Now,
    response: Response,
) -> Account:
    """Для человека, потерявшего телефон и резервные коды: фактор снимается, сеансы завершаются.

    Убедитесь, что просит сам человек. Если его роль обязана иметь второй фактор, при следующем входе он
    настроит новый.
    """
    account = await accounts.account_to_change(session, account_id, by=caller, expected=expected)
    account.second_factor_since = None
    async with elevated(session):
        await operations.remove(session, account.id)
    await sessions.end_all(session, account.id, at=now, reason="second-factor")
    await audit.read(session, "account", [account])
    tag(response, account.version)
    return account
