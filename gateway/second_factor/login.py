"""What a login has to show beside the first proof, whichever that was: a password or an issuer's word."""

from datetime import datetime, timedelta

from gateway.accounts.tables import Account
from gateway.attempts import operations as attempts
from gateway.attempts.refusals import TooManyAttempts
from gateway.parts import Parts
from gateway.second_factor import operations, queries
from gateway.second_factor.refusals import SecondFactorEnrolmentRequired, SecondFactorRequired
from services.kit.database import Database
from services.kit.reach import Reach

__all__ = ["attempts_name", "is_second_factor_shown"]


async def is_second_factor_shown(
    database: Database, parts: Parts, account: Account, otp: str | None, *, at: datetime
) -> bool:
    """Tell whether the person of a proved account may begin a session; False: the code is wrong.

    Whoever gets another answer than for a wrong password has shown the right one: that a person who
    types the code second must be told to type it cannot be had without. Hence the counting of codes.

    Raises:
        SecondFactorRequired: A factor is in force and no code came.
        SecondFactorEnrolmentRequired: The role demands a factor and there is none; brings a ticket.
        TooManyAttempts: Codes were guessed at.
    """
    reach = Reach.system(account.subject)
    async with database.transaction(reach) as session:
        factor = await queries.factor(session, account.id)
    if factor is None or factor.confirmed_at is None:
        if account.role in parts.settings.second_factor_roles:
            lifetime = timedelta(minutes=parts.settings.second_factor_ticket_minutes)
            async with database.transaction(reach) as session:
                ticket = await operations.issue_ticket(
                    session, account.id, at=at, lifetime=lifetime
                )
            raise SecondFactorEnrolmentRequired(ticket, int(lifetime.total_seconds()))
        return True
    if otp is None:
        raise SecondFactorRequired
    name = attempts_name(account.id)
    async with database.transaction(reach) as session:
        wait = await attempts.seconds_to_wait(session, name, at=at, patience=attempts.OF_A_CODE)
    if wait:
        raise TooManyAttempts(wait)
    async with database.transaction(reach) as session:
        is_proved = await operations.is_proved(session, account.id, otp, seal=parts.seal, at=at)
        if is_proved:
            await attempts.forget(session, name)
    return is_proved


def attempts_name(account_id: int) -> str:
    """Return the name under which guesses of a person's codes are counted."""
    return f"code of user:{account_id}"
