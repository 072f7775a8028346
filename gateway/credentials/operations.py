"""Setting one's own password: checked outside of transactions, which a check would hold for long."""

from datetime import datetime

from gateway.accounts import operations as accounts
from gateway.accounts import queries
from gateway.attempts import operations as attempts
from gateway.attempts.refusals import TooManyAttempts
from gateway.parts import Parts
from gateway.sessions.own import Person
from services.kit.database import Database
from services.kit.problems import Problem, ValidationFailed
from services.kit.reach import Reach

__all__ = [
    "CurrentPasswordWrong",
    "InvitationInvalid",
    "PasswordChangedMeanwhile",
    "change",
    "redeem",
]

_REACH = Reach.system("gateway")


class InvitationInvalid(Problem):
    """There is no such invitation, or it was used, replaced or has expired; which is not told."""

    status = 400
    title = "Приглашение не действует"


class CurrentPasswordWrong(ValidationFailed):
    """Whoever holds the session does not know the password."""

    title = "Нынешний пароль указан неверно"


class PasswordChangedMeanwhile(Problem):
    """The password was changed or the login closed while this request was judged."""

    status = 409
    title = "Пароль уже изменён"


async def redeem(
    database: Database, parts: Parts, *, code: str, password: str, source: str, at: datetime
) -> None:
    """Let a person who holds an invitation set the password.

    Raises:
        InvitationInvalid: The code lets nobody in.
        TooManyAttempts: The source has tried too many codes.
        PasswordRefused: The policy does not accept the password; the code goes on to hold.
        PasswordChecksBusy: Too many passwords are checked just now.
    """
    parts.passwords.require_room()
    name = f"redemption from {source}"
    patience = attempts.of_a_source(parts.settings.source_attempts)
    async with database.transaction(_REACH) as session:
        wait = await attempts.seconds_to_wait(session, name, at=at, patience=patience)
        invited = await queries.invited_account(session, code, at=at)
    if wait:
        raise TooManyAttempts(wait)
    if invited is None:
        raise _invalid()
    hashed = await parts.passwords.accepted(
        password,
        about=(invited.login, invited.display_name),
        former=(invited.password_hash, invited.former_password_hash),
    )
    async with database.transaction(Reach.system(invited.subject)) as session:
        account = await queries.invited_account(session, code, at=at, is_locked=True)
        # Somebody else has redeemed it while the password was hashed.
        if account is None:
            raise _invalid()
        await accounts.set_password(session, account, password_hash=hashed, at=at)
        await attempts.forgive(session, name)


async def change(
    database: Database, parts: Parts, person: Person, *, current: str, new: str, at: datetime
) -> None:
    """Replace the person's own password; every other session of the person ends.

    Raises:
        CurrentPasswordWrong: Whoever asks does not know the password.
        TooManyAttempts: It was guessed at.
        PasswordRefused: The policy does not accept the new one.
        PasswordChangedMeanwhile: By somebody else, at the same time.
        PasswordChecksBusy: Too many passwords are checked just now.
    """
    parts.passwords.require_room()
    name = f"password of {person.subject}"
    async with database.transaction(_REACH) as session:
        wait = await attempts.seconds_to_wait(session, name, at=at)
        known = await queries.account(session, person.account_id)
    if wait:
        raise TooManyAttempts(wait)
    stored = None if known is None else known.password_hash
    if known is None or not await parts.passwords.matches(current, stored):
        raise CurrentPasswordWrong(
            "Введите пароль, с которым вы вошли.",
            errors=[
                {
                    "pointer": "/current_password",
                    "code": "wrong",
                    "detail": "Это не ваш нынешний пароль",
                }
            ],
        )
    hashed = await parts.passwords.accepted(
        new,
        about=(known.login, known.display_name),
        former=(known.password_hash, known.former_password_hash),
        pointer="/new_password",
    )
    async with database.transaction(Reach.system(person.subject)) as session:
        account = await queries.account_to_change(session, person.account_id)
        if account is None or account.blocked_at or account.password_hash != stored:
            raise PasswordChangedMeanwhile("Войдите заново и повторите.")
        await accounts.set_password(
            session, account, password_hash=hashed, at=at, keep=person.session_id
        )
        await attempts.forget(session, name)


def _invalid() -> InvitationInvalid:
    return InvitationInvalid(
        "Код неверен, уже использован, заменён новым или просрочен.",
        hint="Попросите администратора выдать новый код",
    )
