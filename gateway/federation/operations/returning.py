"""A browser that comes back: is it this login, who is it, and is that somebody of ours."""

from datetime import datetime

from gateway.accounts.tables import Account
from gateway.federation import queries
from gateway.federation.identity import subject_of
from gateway.federation.operations import logins
from gateway.federation.schemas import ExternalLoginIn
from gateway.issuers.issuer import Issuer
from gateway.issuers.refusals import ExternalLoginRefused
from gateway.seals import Seal
from gateway.signatures import NotVerifiedError
from services.kit.database import Database
from services.kit.logs import log
from services.kit.problems import Problem
from services.kit.reach import Reach

__all__ = ["ExternalPersonUnknown", "proved_account"]

_REACH = Reach.system("gateway")


class ExternalPersonUnknown(Problem):
    """The issuer vouches for somebody whom no administrator has linked to an open account."""

    status = 403
    title = "Для этого человека нет учётной записи"

    def __init__(self) -> None:
        super().__init__(
            "Внешняя система подтвердила вход, но учётная запись с ним не связана либо закрыта.",
            hint="Обратитесь к администратору: он свяжет вашу учётную запись с внешней системой.",
        )


async def proved_account(
    issuer: Issuer, came_back: ExternalLoginIn, *, database: Database, seal: Seal, at: datetime
) -> Account:
    """Return the account of the person that the issuer vouches for. Nothing is created.

    Raises:
        ExternalLoginRefused: The return is not the continuation of this browser's login, or what the
            issuer gave does not hold; which of them is told to the log only.
        ExternalPersonUnknown: It holds, and nobody has linked an account to this person.
        IssuerUnavailable: The issuer cannot be asked.
    """
    # Committed before the issuer is asked: whatever becomes of it, this state is used up.
    async with database.transaction(_REACH) as session:
        back = await logins.take_back(
            session,
            state=came_back.state.get_secret_value(),
            login_verifier=came_back.login_verifier.get_secret_value(),
            issuer=issuer.settings.issuer,
            seal=seal,
            at=at,
        )
    try:
        subject = await _subject(issuer, came_back, back, int(at.timestamp()))
    except NotVerifiedError as error:
        log.warning("external_login_refused", issuer=issuer.settings.name, reason=str(error))
        raise ExternalLoginRefused from error
    async with database.transaction(_REACH) as session:
        account = await queries.account_of(session, issuer.settings.issuer, subject)
    if account is None or account.blocked_at is not None:
        raise ExternalPersonUnknown
    return account


async def _subject(
    issuer: Issuer, came_back: ExternalLoginIn, back: logins.Back | None, now: int
) -> str:
    if back is None:
        raise NotVerifiedError("no such login of this browser")
    # Who answered must be who was asked, or the code of another issuer would be sent to this one.
    if not await issuer.has_answered(came_back.iss):
        raise NotVerifiedError("another issuer's answer")
    issued = await issuer.exchange(
        came_back.code.get_secret_value(),
        code_verifier=back.code_verifier,
        redirect_uri=back.redirect_uri,
    )
    return await subject_of(issued, issuer, nonce_hash=back.nonce_hash, now=now)
