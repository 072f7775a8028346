"""Changes of accounts, each by somebody above."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from gateway.accounts import queries
from gateway.accounts.schemas import AccountIn
from gateway.accounts.tables import Account
from gateway.accounts.territory import Node
from gateway.roles import MAY_APPOINT
from services.kit import etags
from services.kit.principals import Principal, Role
from services.kit.problems import Problem, constraint_problems

__all__ = [
    "AccountNotBelow",
    "AccountNotFound",
    "LoginTaken",
    "appoint",
    "block",
    "require_below",
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
    session: AsyncSession, new: AccountIn, *, node: Node, password_hash: str, at: datetime
) -> Account:
    """Add an account at its node.

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


async def block(
    session: AsyncSession, account_id: int, *, by: Principal, expected: int, at: datetime
) -> Account:
    """Close the login; sessions end with their access token.

    Raises:
        AccountNotFound: Outside reach.
        AccountNotBelow: Not the caller's to block.
        StaleVersion: Changed since it was read.
    """
    account = await _to_change(session, account_id, by=by, expected=expected)
    account.blocked_at = account.blocked_at or at
    await session.flush()
    return account


async def unblock(
    session: AsyncSession, account_id: int, *, by: Principal, expected: int
) -> Account:
    """Open the login again. Raises as `block`."""
    account = await _to_change(session, account_id, by=by, expected=expected)
    account.blocked_at = None
    await session.flush()
    return account


async def set_password(
    session: AsyncSession,
    account_id: int,
    *,
    password_hash: str,
    by: Principal,
    expected: int,
    at: datetime,
) -> Account:
    """Replace the password; sessions begun before end. Raises as `block`."""
    account = await _to_change(session, account_id, by=by, expected=expected)
    account.password_hash = password_hash
    account.password_set_at = at
    await session.flush()
    return account


async def _to_change(
    session: AsyncSession, account_id: int, *, by: Principal, expected: int
) -> Account:
    account = await visible_account(session, account_id)
    require_below(by, account.role)
    etags.check(expected, account.version)
    return account
