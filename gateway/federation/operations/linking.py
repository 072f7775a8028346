"""Linking accounts to the people an external issuer vouches for."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.attributes import flag_modified

from gateway.accounts import operations as accounts
from gateway.accounts.tables import Account
from gateway.federation import queries
from gateway.federation.schemas import ExternalIdentityIn
from gateway.federation.tables import ExternalIdentity
from gateway.issuers.issuer import Issuers
from gateway.sessions import operations as sessions
from services.kit.principals import Principal
from services.kit.problems import Problem, ValidationFailed, constraint_problems

__all__ = ["ExternalIdentityNotFound", "ExternalIdentityTaken", "link", "linked", "unlink"]


class ExternalIdentityNotFound(Problem):
    """The account is linked to nobody outside."""

    status = 404
    title = "Учётная запись не связана с внешней системой"


class ExternalIdentityTaken(Problem):
    """The issuer's person is linked to another account, possibly in another region."""

    status = 409
    title = "Этот человек внешней системы уже связан с другой учётной записью"


async def linked(session: AsyncSession, account_id: int) -> tuple[Account, ExternalIdentity]:
    """Return an account within reach and its link.

    Raises:
        AccountNotFound: Outside reach.
        ExternalIdentityNotFound: It has none.
    """
    account = await accounts.visible_account(session, account_id)
    return account, await _identity(session, account_id)


async def link(
    session: AsyncSession,
    account_id: int,
    wish: ExternalIdentityIn,
    *,
    issuers: Issuers,
    by: Principal,
    expected: int,
    at: datetime,
) -> tuple[Account, ExternalIdentity]:
    """Link an account to a subject of an issuer, in the place of a former link.

    Sessions that the former link may have begun end.

    Raises:
        AccountNotFound: Outside reach.
        AccountNotBelow: Not the caller's to change.
        AccountErased: Nothing of it is left to link.
        StaleVersion: Changed since it was read.
        ValidationFailed: There is no such issuer.
        ExternalIdentityTaken: Another account has this person.
    """
    account = await accounts.account_to_change(session, account_id, by=by, expected=expected)
    issuer = issuers.named(wish.issuer)
    if issuer is None:
        raise ValidationFailed(
            "Исправьте имя внешней системы",
            errors=[{"pointer": "/issuer", "code": "issuer", "detail": "Такой системы нет"}],
        )
    said = (issuer.settings.issuer, wish.subject)
    identity = await queries.identity_of(session, account_id)
    is_relinked = identity is not None and (identity.issuer, identity.subject) != said
    if identity is None:
        identity = ExternalIdentity(
            account_id=account.id,
            region_id=account.region_id,
            municipality_id=account.municipality_id,
            school_id=account.school_id,
        )
        session.add(identity)
    identity.issuer, identity.subject = said
    identity.linked_at = at
    _count_version(account)
    taken = ExternalIdentityTaken(hint="Проверьте номер человека во внешней системе")
    async with constraint_problems({"uq_external_identity_issuer_subject": taken}):
        await session.flush()
    if is_relinked:
        await sessions.end_all(session, account.id, at=at, reason="external-identity")
    return account, identity


async def unlink(
    session: AsyncSession, account_id: int, *, by: Principal, expected: int, at: datetime
) -> None:
    """Let nobody outside log in to the account any more; its sessions end.

    Raises:
        AccountNotFound: Outside reach.
        AccountNotBelow: Not the caller's to change.
        AccountErased: Nothing of it is left to change.
        StaleVersion: Changed since it was read.
        ExternalIdentityNotFound: It is linked to nobody.
    """
    account = await accounts.account_to_change(session, account_id, by=by, expected=expected)
    await session.delete(await _identity(session, account_id))
    _count_version(account)
    await session.flush()
    await sessions.end_all(session, account.id, at=at, reason="external-identity")


async def _identity(session: AsyncSession, account_id: int) -> ExternalIdentity:
    identity = await queries.identity_of(session, account_id)
    if identity is None:
        raise ExternalIdentityNotFound
    return identity


def _count_version(account: Account) -> None:
    # The link is part of the state that the account's version counts.
    flag_modified(account, "display_name")
