"""Changes of accounts, each by somebody above."""

import secrets
import uuid
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from gateway.accounts import queries
from gateway.accounts.schemas import AccountIn
from gateway.accounts.tables import Account
from gateway.accounts.territory import Node
from gateway.roles import MAY_APPOINT
from gateway.sessions import operations as sessions
from services.kit import etags
from services.kit.principals import Principal, Role
from services.kit.problems import Problem, constraint_problems

__all__ = [
    "AccountBlocked",
    "AccountErased",
    "AccountNotBelow",
    "AccountNotFound",
    "AlreadyActive",
    "LoginTaken",
    "account_below",
    "account_to_change",
    "appoint",
    "block",
    "invite",
    "rename",
    "require_below",
    "reset_password",
    "set_password",
    "unblock",
    "visible_account",
]


class AccountNotFound(Problem):
    """The account does not exist for the caller."""

    status = 404
    title = "Учётная запись не найдена"


class AccountNotBelow(Problem):
    """The role is not below the caller's, so it is not the caller's to appoint or change."""

    status = 403
    title = "Этой ролью вы не распоряжаетесь"


class LoginTaken(Problem):
    """Somebody has the login, possibly in another region."""

    status = 409
    title = "Имя для входа уже занято"


class AlreadyActive(Problem):
    """The person has a password, so there is nothing to invite to."""

    status = 409
    title = "Учётная запись уже действует"


class AccountBlocked(Problem):
    """The login is closed, so no code to open it is given."""

    status = 409
    title = "Учётная запись заблокирована"


class AccountErased(Problem):
    """The person's data was erased for ever."""

    status = 409
    title = "Учётная запись стёрта"


async def visible_account(session: AsyncSession, account_id: int) -> Account:
    """Return the account or raise `AccountNotFound`."""
    found = await queries.account(session, account_id)
    if found is None:
        raise AccountNotFound
    return found


def require_below(by: Principal, role: str) -> None:
    """Refuse a role that the caller does not administer.

    Raises:
        AccountNotBelow: The role is not below the caller's.
    """
    allowed = MAY_APPOINT[by.reach.level]
    if role not in allowed:
        raise AccountNotBelow(
            "Учётные записи создаёт и меняет тот, кто стоит выше.",
            hint="Обратитесь к администратору своего региона",
            allowed_roles=sorted(Role(one).value for one in allowed),
        )


async def appoint(
    session: AsyncSession, new: AccountIn, *, node: Node, password_hash: str | None, at: datetime
) -> Account:
    """Add an account at its node; without a password it waits for an invitation.

    Raises:
        LoginTaken: The login is somebody's.
    """
    account = Account(
        login=new.login,
        display_name=new.display_name,
        role=new.role,
        region_id=node.region_id,
        municipality_id=node.municipality_id,
        school_id=node.school_id,
        password_hash=password_hash,
        password_set_at=at,
    )
    session.add(account)
    taken = LoginTaken("Выберите другое имя для входа.")
    async with constraint_problems({"uq_account_login": taken}):
        await session.flush()
    # The database filled in when it was created.
    await session.refresh(account)
    return account


async def rename(
    session: AsyncSession, account_id: int, display_name: str, *, by: Principal, expected: int
) -> Account:
    """Change how the person is shown. Raises as `account_to_change`."""
    account = await account_to_change(session, account_id, by=by, expected=expected)
    account.display_name = display_name
    await session.flush()
    return account


async def block(
    session: AsyncSession, account_id: int, *, by: Principal, expected: int, at: datetime
) -> Account:
    """Close the login and end the sessions, for ever; unblocking begins anew.

    Raises as `account_to_change`.
    """
    account = await account_to_change(session, account_id, by=by, expected=expected)
    account.blocked_at = account.blocked_at or at
    _withdraw_invitation(account)
    await session.flush()
    await sessions.end_all(session, account_id, at=at, reason="blocked")
    return account


async def unblock(
    session: AsyncSession, account_id: int, *, by: Principal, expected: int
) -> Account:
    """Open the login again. Raises as `account_to_change`."""
    account = await account_to_change(session, account_id, by=by, expected=expected)
    account.blocked_at = None
    await session.flush()
    return account


async def set_password(
    session: AsyncSession,
    account: Account,
    *,
    password_hash: str,
    at: datetime,
    keep: uuid.UUID | None = None,
) -> Account:
    """Replace the password and end the sessions that the former one has begun.

    Args:
        session: The transaction.
        account: Whose password.
        password_hash: Of a password that the policy has accepted.
        at: Now.
        keep: The session in which the person itself changes the password.
    """
    account.former_password_hash = account.password_hash or account.former_password_hash
    account.password_hash = password_hash
    account.password_set_at = at
    _withdraw_invitation(account)
    await session.flush()
    await sessions.end_all(session, account.id, at=at, reason="password", but=keep)
    return account


async def invite(
    session: AsyncSession,
    account_id: int,
    *,
    by: Principal,
    expected: int,
    at: datetime,
    lifetime: timedelta,
) -> tuple[Account, str]:
    """Give a person without a password the code to set one; a former code stops working.

    Raises:
        AlreadyActive: The person has a password.
        AccountBlocked: The login is closed.
        AccountNotFound: As `account_to_change`, like the rest.
    """
    account = await account_to_change(session, account_id, by=by, expected=expected)
    if account.password_hash is not None:
        raise AlreadyActive(
            "Человек уже задал пароль.",
            hint="Если пароль забыт или мог стать известен, сбросьте его: POST …/password-reset",
        )
    return account, await _issue_code(session, account, at=at, lifetime=lifetime)


async def reset_password(
    session: AsyncSession,
    account_id: int,
    *,
    by: Principal,
    expected: int,
    at: datetime,
    lifetime: timedelta,
) -> tuple[Account, str]:
    """Make the password void, end the sessions and give the person the code to set another.

    Raises:
        AccountBlocked: The login is closed.
        AccountNotFound: As `account_to_change`, like the rest.
    """
    account = await account_to_change(session, account_id, by=by, expected=expected)
    account.former_password_hash = account.password_hash or account.former_password_hash
    account.password_hash = None
    code = await _issue_code(session, account, at=at, lifetime=lifetime)
    await sessions.end_all(session, account_id, at=at, reason="reset")
    return account, code


async def account_below(session: AsyncSession, account_id: int, *, by: Principal) -> Account:
    """Return an account that the caller administers.

    Raises:
        AccountNotFound: Outside reach.
        AccountNotBelow: Not the caller's to administer.
        AccountErased: Nothing of it is left to administer.
    """
    return _administered(await visible_account(session, account_id), by)


async def account_to_change(
    session: AsyncSession, account_id: int, *, by: Principal, expected: int
) -> Account:
    """Return an account that the caller may change, in the state that the caller has seen.

    Raises:
        AccountNotFound: Outside reach.
        AccountNotBelow: Not the caller's to change.
        AccountErased: Erased accounts stay as they are.
        StaleVersion: Changed since it was read.
    """
    # Locked: of two changes based on one state the second is told so, not lost.
    found = await queries.account_to_change(session, account_id)
    if found is None:
        raise AccountNotFound
    account = _administered(found, by)
    etags.check(expected, account.version)
    return account


def _administered(account: Account, by: Principal) -> Account:
    require_below(by, account.role)
    if account.erased_at is not None:
        raise AccountErased("Данные этого человека стёрты.", hint="Создайте новую учётную запись")
    return account


async def _issue_code(
    session: AsyncSession, account: Account, *, at: datetime, lifetime: timedelta
) -> str:
    if account.blocked_at is not None:
        raise AccountBlocked(
            "Вход под этой учётной записью закрыт.", hint="Сначала разблокируйте её"
        )
    code = secrets.token_urlsafe(32)
    account.invitation_hash = queries.code_hash(code)
    account.invitation_expires_at = at + lifetime
    await session.flush()
    return code


def _withdraw_invitation(account: Account) -> None:
    account.invitation_hash = None
    account.invitation_expires_at = None
