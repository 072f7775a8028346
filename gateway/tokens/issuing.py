"""From proof to tokens: which transactions a token request takes, and what comes out."""

from datetime import datetime, timedelta

from gateway.parts import Parts
from gateway.tokens.claims import Holder, signed
from gateway.tokens.operations import attempts, machines, sessions
from gateway.tokens.refusals import InvalidGrant, TooManyAttempts
from gateway.tokens.schemas import ClientGrant, PasswordGrant, RefreshGrant, TokenOut
from services.kit.database import Database
from services.kit.reach import Reach

__all__ = ["Issuing"]

_REACH = Reach.system("gateway")


class Issuing:
    """Answers token requests; nobody is known yet, so the transactions are the gateway's own."""

    def __init__(self, database: Database, parts: Parts, at: datetime) -> None:
        self._database = database
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
            TooManyAttempts: The login must wait.
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

    async def end(self, offered: str) -> None:
        """End the session that a refresh token belongs to."""
        async with self._database.transaction(_REACH) as session:
            await sessions.end(session, offered, at=self._at)

    async def _log_in(self, grant: PasswordGrant) -> sessions.Opened:
        async with self._database.transaction(_REACH) as session:
            wait = await attempts.seconds_to_wait(session, grant.login, at=self._at)
            account = await sessions.account_to_log_in(session, grant.login)
        if wait:
            raise TooManyAttempts(wait)
        # Outside of a transaction: checking takes a tenth of a second and its turn.
        stored = None if account is None else account.password_hash
        matches = await self._parts.passwords.matches(grant.password.get_secret_value(), stored)
        if account is None or not matches or account.blocked_at is not None:
            raise InvalidGrant(
                "Имя для входа или пароль неверны, либо учётная запись заблокирована.",
                hint="Проверьте раскладку и регистр пароля или обратитесь к администратору.",
            )
        async with self._database.transaction(_REACH) as session:
            await attempts.forget(session, grant.login)
            return await sessions.begin(session, account, at=self._at, lifetimes=self._lifetimes)

    async def _go_on(self, grant: RefreshGrant) -> sessions.Opened:
        async with self._database.transaction(_REACH) as session:
            opened = await sessions.go_on(
                session,
                grant.refresh_token.get_secret_value(),
                at=self._at,
                lifetimes=self._lifetimes,
                seal=self._parts.seal,
            )
        # Refused only after the commit: the end of an abused session must stay.
        if opened is None:
            raise InvalidGrant(
                "Сеанс закончился или токен обновления уже использован.", hint="Войдите заново."
            )
        return opened

    async def _machine(self, grant: ClientGrant) -> TokenOut:
        async with self._database.transaction(_REACH) as session:
            holder = await machines.identify(
                session, grant, system_clients=self._parts.settings.system_clients
            )
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
