"""Setting a second factor up, proving it, taking it away."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, update
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.accounts import queries as accounts
from gateway.accounts.tables import Account
from gateway.seals import Seal
from gateway.second_factor import codes, queries
from gateway.second_factor.refusals import (
    EnrolmentNotBegun,
    SecondFactorAlreadyOn,
    TicketInvalid,
)
from gateway.second_factor.tables import RecoveryCode, SecondFactor

__all__ = [
    "Enrolment",
    "confirm",
    "enrol",
    "is_proved",
    "issue_ticket",
    "person_of_ticket",
    "remove",
    "replace_recovery_codes",
]


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What the app has to learn."""

    secret: str
    otpauth_uri: str


async def enrol(session: AsyncSession, account: Account, *, seal: Seal) -> Enrolment:
    """Give the person a fresh secret, which counts for nothing before it is confirmed.

    Raises:
        SecondFactorAlreadyOn: A factor is in force.
    """
    factor = await _present(session, account.id)
    if factor.confirmed_at is not None:
        raise _already_on()
    secret = codes.fresh_secret()
    factor.secret_sealed = seal.close(secret.encode())
    await session.flush()
    return Enrolment(secret, codes.uri(secret, account.login))


async def confirm(
    session: AsyncSession, account: Account, code: str, *, seal: Seal, at: datetime
) -> list[str] | None:
    """Put the factor in force when the code proves the app; return the recovery codes.

    Returns None when the code is wrong.

    Raises:
        EnrolmentNotBegun: No secret was given out.
        SecondFactorAlreadyOn: Somebody has confirmed it already.
    """
    factor = await queries.factor_to_change(session, account.id)
    if factor is None or factor.secret_sealed is None:
        raise EnrolmentNotBegun("Сначала получите секрет для приложения.")
    if factor.confirmed_at is not None:
        raise _already_on()
    if not _accepts(factor, codes.written(code), seal=seal, at=at):
        return None
    factor.confirmed_at = at
    factor.ticket_hash = factor.ticket_expires_at = None
    account.second_factor_since = at
    await session.flush()
    return await replace_recovery_codes(session, account.id)


async def is_proved(
    session: AsyncSession, account_id: int, otp: str, *, seal: Seal, at: datetime
) -> bool:
    """Tell whether a code of the app or a recovery code holds, and use it up."""
    code = codes.written(otp)
    factor = await queries.factor_to_change(session, account_id)
    if factor is None or factor.confirmed_at is None:
        return False
    if codes.is_one_time(code):
        return _accepts(factor, code, seal=seal, at=at)
    used = await session.scalar(
        update(RecoveryCode)
        .where(
            RecoveryCode.account_id == account_id,
            RecoveryCode.code_hash == codes.digest(code),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=at)
        .returning(RecoveryCode.account_id)
        .execution_options(synchronize_session=False)
    )
    return used is not None


async def replace_recovery_codes(session: AsyncSession, account_id: int) -> list[str]:
    """Give the person ten recovery codes; those from before stop working."""
    await session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account_id))
    fresh = codes.fresh_recovery_codes()
    session.add_all(
        RecoveryCode(account_id=account_id, code_hash=codes.digest(code)) for code in fresh
    )
    await session.flush()
    return fresh


async def remove(session: AsyncSession, account_id: int) -> None:
    """Take the factor away, with its secret, its recovery codes and its ticket."""
    await session.execute(
        delete(SecondFactor)
        .where(SecondFactor.account_id == account_id)
        .execution_options(synchronize_session=False)
    )


async def issue_ticket(
    session: AsyncSession, account_id: int, *, at: datetime, lifetime: timedelta
) -> str:
    """Return a ticket with which the person sets a factor up; a former ticket stops working."""
    factor = await _present(session, account_id)
    ticket = secrets.token_urlsafe(32)
    factor.ticket_hash = queries.ticket_hash(ticket)
    factor.ticket_expires_at = at + lifetime
    await session.flush()
    return ticket


async def person_of_ticket(
    session: AsyncSession, ticket: str, *, at: datetime, lifetime: timedelta
) -> Account:
    """Return whom a ticket was given to.

    Raises:
        TicketInvalid: It lets nobody set anything up, or the account has changed since.
    """
    factor = await queries.factor_of_ticket(session, ticket, at=at)
    account = (
        None if factor is None else await accounts.account_to_change(session, factor.account_id)
    )
    if (
        factor is None
        or factor.ticket_expires_at is None
        or account is None
        or account.state != "active"
        # The password that earned the ticket holds no more.
        or account.password_set_at > factor.ticket_expires_at - lifetime
    ):
        raise TicketInvalid(
            "Билет неверен, уже использован или просрочен.", hint="Войдите заново и возьмите новый"
        )
    return account


async def _present(session: AsyncSession, account_id: int) -> SecondFactor:
    """Return the person's row, locked by the lock on the account; makes it at first need."""
    await accounts.account_to_change(session, account_id)
    factor = await queries.factor_to_change(session, account_id)
    if factor is None:
        factor = SecondFactor(account_id=account_id)
        session.add(factor)
        await session.flush()
    return factor


def _accepts(factor: SecondFactor, code: str, *, seal: Seal, at: datetime) -> bool:
    if factor.secret_sealed is None:
        return False
    secret = seal.open(factor.secret_sealed).decode()
    step = codes.accepted_step(secret, code, at=at, after=factor.last_step)
    if step is None:
        return False
    factor.last_step = step
    return True


def _already_on() -> SecondFactorAlreadyOn:
    return SecondFactorAlreadyOn(
        "Код из приложения уже требуется при входе.",
        hint="Чтобы перейти на другой телефон, сначала выключите прежний фактор или попросите"
        " администратора сбросить его",
    )
