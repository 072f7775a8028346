"""What a person does with the own factor; every code that comes is counted before it is judged."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from gateway.accounts import queries as accounts
from gateway.accounts.tables import Account
from gateway.attempts import operations as attempts
from gateway.attempts.refusals import TooManyAttempts
from gateway.parts import Parts
from gateway.second_factor import operations, queries
from gateway.second_factor.login import attempts_name
from gateway.second_factor.refusals import (
    CodeWrong,
    SecondFactorDemanded,
    SecondFactorOff,
)
from gateway.second_factor.schemas import SecondFactorOut
from gateway.sessions import operations as sessions
from gateway.sessions.own import Person
from services.kit.database import Database
from services.kit.principals import Unauthorized
from services.kit.reach import Reach

__all__ = ["OwnFactor"]


class OwnFactor:
    """The factor of one person, who has a token or a ticket for it."""

    def __init__(self, database: Database, parts: Parts, at: datetime) -> None:
        self._database = database
        self._parts = parts
        self._at = at
        self._ticket_lifetime = timedelta(minutes=parts.settings.second_factor_ticket_minutes)

    async def state(self, person: Person) -> SecondFactorOut:
        """Return where the person's factor stands."""
        async with self._database.transaction(Reach.system(person.subject)) as session:
            account = await _own(session, person)
            return SecondFactorOut(
                is_on=account.second_factor_since is not None,
                since=account.second_factor_since,
                is_demanded=self._is_demanded_of(account),
                recovery_codes_left=await queries.recovery_codes_left(session, account.id),
            )

    async def enrol(self, person: Person) -> operations.Enrolment:
        """Begin to set a factor up. Raises as `operations.enrol`."""
        async with self._database.transaction(Reach.system(person.subject)) as session:
            account = await _own(session, person)
            return await operations.enrol(session, account, seal=self._parts.seal)

    async def confirm(self, person: Person, code: str) -> list[str]:
        """Put the factor in force; sessions that began without it end, but this one.

        Raises:
            CodeWrong: The code does not prove the app.
            TooManyAttempts: It was guessed at.
            EnrolmentNotBegun: As `operations.confirm`, like the rest.
        """

        async def act(session: AsyncSession, account: Account) -> list[str] | None:
            fresh = await operations.confirm(
                session, account, code, seal=self._parts.seal, at=self._at
            )
            if fresh is not None:
                await sessions.end_all(
                    session,
                    account.id,
                    at=self._at,
                    reason="second-factor",
                    but=person.session_id,
                )
            return fresh

        return await self._counted(person, act)

    async def replace_recovery_codes(self, person: Person, code: str) -> list[str]:
        """Give the person other recovery codes. Raises as `confirm`, and `SecondFactorOff`."""

        async def act(session: AsyncSession, account: Account) -> list[str] | None:
            _require_on(account)
            if not await self._is_proved(session, account, code):
                return None
            return await operations.replace_recovery_codes(session, account.id)

        return await self._counted(person, act)

    async def remove(self, person: Person, code: str) -> None:
        """Take the factor away.

        Raises:
            SecondFactorDemanded: The role cannot do without.
            SecondFactorOff: There is none.
            CodeWrong: As `confirm`, like the rest.
        """

        async def act(session: AsyncSession, account: Account) -> list[str] | None:
            _require_on(account)
            if self._is_demanded_of(account):
                raise SecondFactorDemanded(
                    "Ваша роль обязана входить с одноразовым кодом.",
                    hint="Чтобы сменить телефон, попросите администратора сбросить второй фактор",
                )
            if not await self._is_proved(session, account, code):
                return None
            await operations.remove(session, account.id)
            account.second_factor_since = None
            return []

        await self._counted(person, act)

    async def holder(self, ticket: str) -> Person:
        """Return whom a ticket was given to. Raises as `operations.person_of_ticket`."""
        async with self._database.transaction(Reach.system("gateway")) as session:
            account = await operations.person_of_ticket(
                session, ticket, at=self._at, lifetime=self._ticket_lifetime
            )
        return Person(account.id, None)

    async def _counted(
        self,
        person: Person,
        act: Callable[[AsyncSession, Account], Awaitable[list[str] | None]],
    ) -> list[str]:
        reach = Reach.system(person.subject)
        name = attempts_name(person.account_id)
        async with self._database.transaction(reach) as session:
            wait = await attempts.seconds_to_wait(
                session, name, at=self._at, patience=attempts.OF_A_CODE
            )
        if wait:
            raise TooManyAttempts(wait)
        async with self._database.transaction(reach) as session:
            answer = await act(session, await _own(session, person))
            if answer is not None:
                await attempts.forget(session, name)
        if answer is None:
            raise CodeWrong
        return answer

    async def _is_proved(self, session: AsyncSession, account: Account, code: str) -> bool:
        return await operations.is_proved(
            session, account.id, code, seal=self._parts.seal, at=self._at
        )

    def _is_demanded_of(self, account: Account) -> bool:
        return account.role in self._parts.settings.second_factor_roles


async def _own(session: AsyncSession, person: Person) -> Account:
    account = await accounts.account_to_change(session, person.account_id)
    if account is None or account.blocked_at is not None:
        # The token outlived the account by the second that a revocation takes.
        raise Unauthorized
    return account


def _require_on(account: Account) -> None:
    if account.second_factor_since is None:
        raise SecondFactorOff("Одноразовый код при входе не требуется.")
