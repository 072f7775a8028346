"""From proof to tokens: which transactions a token request takes, and what comes out."""

from datetime import datetime, timedelta

from gateway import trail
from gateway.accounts import queries as accounts
from gateway.accounts.tables import Account
from gateway.attempts import operations as attempts
from gateway.parts import Parts
from gateway.second_factor.login import is_second_factor_shown
from gateway.sessions.devices import Seen
from gateway.tokens.claims import Holder, signed
from gateway.tokens.operations import machines, sessions
from gateway.tokens.refusals import InvalidGrant, TooManyAttempts
from gateway.tokens.schemas import ClientGrant, PasswordGrant, RefreshGrant, TokenOut
from services.kit import clock
from services.kit.database import Database
from services.kit.problems import Problem
from services.kit.reach import Reach

__all__ = ["Issuing"]

_REACH = Reach.system("gateway")


class Issuing:
    """Answers token requests; nobody is known yet, so the transactions are the gateway's own."""

    def __init__(
        self, database: Database, parts: Parts, at: datetime, source: str, seen: Seen
    ) -> None:
        self._database = database
        self._source = source
        self._seen = seen
        self._parts = parts
        self._at = at
        settings = parts.settings
        self._lifetimes = sessions.Lifetimes(
            idle=timedelta(hours=settings.refresh_idle_hours),
            whole=timedelta(days=settings.session_days),
        )

    async def answer(self, grant: PasswordGrant | RefreshGrant | ClientGrant) -> TokenOut:
        """Return the tokens for a grant.

        Raises:
            InvalidGrant: The proof does not hold.
            TooManyAttempts: The login, or the source, must wait.
            SecondFactorRequired: The password is right, and a code is needed as well.
            SecondFactorEnrolmentRequired: It is right, and the role needs a factor set up first.
            PasswordChecksBusy: Too many passwords are checked just now.
            InvalidClient: The machine client is not known.
            InvalidScope: The machine client asks for too much.
        """
        match grant:
            case PasswordGrant():
                return await self._tokens_of(await self._log_in(grant))
            case RefreshGrant():
                return await self._tokens_of(await self._go_on(grant))
            case ClientGrant():
                return await self._machine(grant)

    async def to_vouched(
        self, account: Account, otp: str | None, *, has_shown_second_factor: bool
    ) -> TokenOut:
        """Return the tokens for a person whom somebody else vouched for, without a password.

        Raises:
            InvalidGrant: The code is wrong, or the account was closed in this moment.
            SecondFactorRequired: A code is needed as well.
            SecondFactorEnrolmentRequired: The role needs a factor set up first.
            TooManyAttempts: Codes were guessed at.
        """
        if not has_shown_second_factor and not await is_second_factor_shown(
            self._database, self._parts, account, otp, at=self._at
        ):
            raise await self._failed(account, account.login)
        return await self._tokens_of(await self._begin(account))

    async def end(self, offered: str) -> None:
        """End the session that a refresh token belongs to."""
        async with self._database.transaction(_REACH) as session:
            await sessions.end(session, offered, at=self._at)

    async def _log_in(self, grant: PasswordGrant) -> sessions.Opened:
        passwords = self._parts.passwords
        # Before the attempt is counted: whoever is told to come again has not guessed yet.
        passwords.require_room()
        account = await self._account_to_try(grant.login)
        # Outside of a transaction: checking takes a tenth of a second and its turn.
        stored = None if account is None else account.password_hash
        matches = await passwords.matches(grant.password.get_secret_value(), stored)
        if account is None or not matches or account.blocked_at is not None:
            raise await self._failed(account, grant.login)
        otp = None if grant.otp is None else grant.otp.get_secret_value()
        if not await is_second_factor_shown(self._database, self._parts, account, otp, at=self._at):
            # In the words of a wrong password: with a code beside it, neither is told apart.
            raise await self._failed(account, grant.login)
        return await self._begin(account, grant.login)

    async def _failed(self, account: Account | None, name: str) -> InvalidGrant:
        """Return the refusal of a login, after the audit knows of it."""
        async with self._database.transaction(_REACH) as session:
            await trail.login_failed(session, account, name, self._parts.settings.key_secret)
        return _refused()

    async def _account_to_try(self, login: str) -> Account | None:
        """Count the attempt against the source and the name; return whose it is."""
        patience = attempts.of_a_source(self._parts.settings.source_attempts)
        async with self._database.transaction(_REACH) as session:
            wait = await attempts.seconds_to_wait(
                session, self._source_name, at=self._at, patience=patience
            ) or await attempts.seconds_to_wait(session, login, at=self._at)
            account = await accounts.account_by_login(session, login)
        if wait:
            raise TooManyAttempts(wait)
        return account

    async def _begin(self, account: Account, login: str | None = None) -> sessions.Opened:
        async with self._database.transaction(Reach.system(account.subject)) as session:
            opened = await sessions.begin(
                session, account, at=self._at, lifetimes=self._lifetimes, seen=self._seen
            )
            if opened is not None and login is not None:
                await attempts.forget(session, login)
                await attempts.forgive(session, self._source_name)
        if opened is None:
            raise _refused()
        return opened

    @property
    def _source_name(self) -> str:
        return f"login from {self._source}"

    async def _go_on(self, grant: RefreshGrant) -> sessions.Opened:
        async with self._database.transaction(_REACH) as session:
            opened = await sessions.go_on(
                session,
                grant.refresh_token.get_secret_value(),
                at=self._at,
                lifetimes=self._lifetimes,
                seal=self._parts.seal,
                seen=self._seen,
            )
        # Refused only after the commit: the end of an abused session must stay.
        if opened is None:
            raise InvalidGrant(
                "Сеанс закончился или токен обновления уже использован.", hint="Войдите заново."
            )
        return opened

    async def _machine(self, grant: ClientGrant) -> TokenOut:
        async with self._database.transaction(_REACH) as session:
            holder = await machines.let_in(
                session,
                grant,
                settings=self._parts.settings,
                source=self._source,
                at=self._at,
            )
        # Refused only after the commit: what was counted and what was used up must stay.
        if isinstance(holder, Problem):
            raise holder
        # It may have waited for a change of its rights, after which it was let in: the token is of now.
        self._at = clock.now()
        return TokenOut(
            access_token=await self._sign(holder),
            expires_in=self._parts.settings.access_token_seconds,
            scope=" ".join(holder.scopes or ()),
        )

    async def _tokens_of(self, opened: sessions.Opened) -> TokenOut:
        return TokenOut(
            access_token=await self._sign(opened.holder),
            expires_in=self._parts.settings.access_token_seconds,
            refresh_token=opened.refresh_token,
        )

    async def _sign(self, holder: Holder) -> str:
        settings = self._parts.settings
        return signed(
            holder,
            signing=await self._parts.keyring.current(self._database),
            issuer=settings.token_issuer,
            audience=settings.token_audience,
            at=self._at,
            seconds=settings.access_token_seconds,
        )


def _refused() -> InvalidGrant:
    return InvalidGrant(
        "Имя для входа, пароль или одноразовый код неверны, либо учётная запись заблокирована.",
        hint="Проверьте раскладку и регистр пароля или обратитесь к администратору.",
    )
