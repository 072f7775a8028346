"""Routes of external logins and of the links they need."""

from typing import Annotated

from fastapi import Path, Response

from gateway.accounts import operations as accounts
from gateway.accounts.access import AccountAdministrator, AccountId, AccountReader
from gateway.accounts.tables import Account
from gateway.attempts.refusals import TooManyAttempts
from gateway.federation.operations import linking, logins, returning
from gateway.federation.schemas import (
    AuthorizationIn,
    AuthorizationOut,
    ExternalIdentityIn,
    ExternalIdentityOut,
    ExternalLoginIn,
    IssuerOut,
    IssuersOut,
)
from gateway.federation.tables import ExternalIdentity
from gateway.issuers.issuer import Issuer, Issuers
from gateway.issuers.refusals import ExternalLoginRefused, IssuerUnavailable
from gateway.parts import DatabaseOf, Parts, PartsOf
from gateway.second_factor.refusals import SecondFactorEnrolmentRequired, SecondFactorRequired
from gateway.tokens.routes import Issues
from gateway.tokens.schemas import TokenOut
from services.kit import audit
from services.kit.clock import Now
from services.kit.database import Session
from services.kit.etags import IfMatch, PreconditionRequired, StaleVersion, tag
from services.kit.http import router
from services.kit.problems import Problem, ValidationFailed, problems
from services.kit.reach import Reach

__all__ = ["external_identities", "external_logins"]

external_logins = router(prefix="/auth/issuers", tags=["external-logins"])
external_identities = router(prefix="/accounts", tags=["accounts"])

_REACH = Reach.system("gateway")

IssuerName = Annotated[
    str,
    Path(
        max_length=40,
        pattern=r"^[a-z0-9-]+$",
        description="Имя внешней системы из списка",
        examples=["esia"],
    ),
]


class IssuerNotFound(Problem):
    """No such issuer stands in the settings."""

    status = 404
    title = "Внешняя система входа не найдена"


def _named(parts: Parts, name: str) -> Issuer:
    issuer = parts.issuers.named(name)
    if issuer is None:
        raise IssuerNotFound
    return issuer


@external_logins.get("", summary="Внешние системы входа", response_model=IssuersOut)
async def list_login_issuers(parts: PartsOf) -> IssuersOut:
    """Через какие внешние системы можно войти; для кнопок на странице входа. Токен не нужен."""
    return IssuersOut(
        items=[IssuerOut(name=one.settings.name, title=one.settings.title) for one in parts.issuers]
    )


@external_logins.post(
    "/{name}/authorization",
    summary="Начать вход через внешнюю систему",
    response_model=AuthorizationOut,
    responses=problems(IssuerNotFound, ValidationFailed, IssuerUnavailable),
)
async def begin_external_login(
    name: IssuerName, asked: AuthorizationIn, database: DatabaseOf, parts: PartsOf, now: Now
) -> AuthorizationOut:
    """Возвращает адрес, на который нужно перейти. На вход есть десять минут; начатый вход завершается один раз."""
    issuer = _named(parts, name)
    if asked.redirect_uri not in parts.settings.oidc_redirect_uris:
        raise ValidationFailed(
            "По этому адресу людей не возвращают",
            errors=[
                {
                    "pointer": "/redirect_uri",
                    "code": "redirect-uri",
                    "detail": "Адреса нет в настройке oidc_redirect_uris",
                }
            ],
        )
    away = logins.Away()
    url = await issuer.authorization_url(
        state=away.state,
        nonce=away.nonce,
        code_verifier=away.code_verifier,
        redirect_uri=asked.redirect_uri,
    )
    async with database.transaction(_REACH) as session:
        await logins.remember(
            session,
            away,
            issuer=issuer.settings.issuer,
            redirect_uri=asked.redirect_uri,
            seal=parts.seal,
            at=now,
        )
    return AuthorizationOut(
        authorization_url=url,
        login_verifier=away.login_verifier,
        expires_in=logins.LOGIN_SECONDS,
    )


@external_logins.post(
    "/{name}/login",
    summary="Завершить вход через внешнюю систему",
    response_model=TokenOut,
    response_model_exclude_none=True,
    responses=problems(
        IssuerNotFound,
        ExternalLoginRefused,
        returning.ExternalPersonUnknown,
        SecondFactorRequired,
        SecondFactorEnrolmentRequired,
        TooManyAttempts,
        IssuerUnavailable,
    ),
)
async def finish_external_login(
    name: IssuerName,
    came_back: ExternalLoginIn,
    database: DatabaseOf,
    parts: PartsOf,
    issues: Issues,
    now: Now,
) -> TokenOut:
    """Принимает возврат из внешней системы и выдаёт те же токены, что вход по паролю.

    Учётную запись с человеком внешней системы заранее связывает администратор; вход никого не создаёт.
    Если требуется одноразовый код (`second-factor-required`), начните вход заново и передайте otp.
    """
    issuer = _named(parts, name)
    account = await returning.proved_account(
        issuer, came_back, database=database, seal=parts.seal, at=now
    )
    otp = None if came_back.otp is None else came_back.otp.get_secret_value()
    return await issues.to_vouched(
        account, otp, has_shown_second_factor=issuer.settings.second_factor
    )


_LINK_PROBLEMS = (
    accounts.AccountNotFound,
    accounts.AccountNotBelow,
    accounts.AccountErased,
    PreconditionRequired,
    StaleVersion,
)


@external_identities.get(
    "/{account_id}/external-identity",
    summary="Связь с внешней системой",
    response_model=ExternalIdentityOut,
    openapi_extra=audit.reads("account"),
    responses=problems(accounts.AccountNotFound, linking.ExternalIdentityNotFound),
)
async def read_external_identity(
    _: AccountReader, account_id: AccountId, session: Session, parts: PartsOf, response: Response
) -> ExternalIdentityOut:
    """С кем во внешней системе связана учётная запись. ETag — самой учётной записи."""
    account, identity = await linking.linked(session, account_id)
    return await _shown(session, account, identity, parts.issuers, response)


@external_identities.put(
    "/{account_id}/external-identity",
    summary="Связать с внешней системой",
    response_model=ExternalIdentityOut,
    openapi_extra=audit.reads("account"),
    responses=problems(*_LINK_PROBLEMS, linking.ExternalIdentityTaken, ValidationFailed),
)
async def set_external_identity(
    caller: AccountAdministrator,
    account_id: AccountId,
    wish: ExternalIdentityIn,
    expected: IfMatch,
    session: Session,
    parts: PartsOf,
    now: Now,
    response: Response,
) -> ExternalIdentityOut:
    """Связывает учётную запись с человеком внешней системы. Прежняя связь заменяется, начатые сеансы заканчиваются."""
    account, identity = await linking.link(
        session, account_id, wish, issuers=parts.issuers, by=caller, expected=expected, at=now
    )
    return await _shown(session, account, identity, parts.issuers, response)


@external_identities.delete(
    "/{account_id}/external-identity",
    summary="Убрать связь с внешней системой",
    status_code=204,
    responses=problems(*_LINK_PROBLEMS, linking.ExternalIdentityNotFound),
)
async def remove_external_identity(
    caller: AccountAdministrator,
    account_id: AccountId,
    expected: IfMatch,
    session: Session,
    now: Now,
) -> None:
    """Через внешнюю систему в эту учётную запись больше не войти; её сеансы заканчиваются."""
    await linking.unlink(session, account_id, by=caller, expected=expected, at=now)


async def _shown(
    session: Session,
    account: Account,
    identity: ExternalIdentity,
    issuers: Issuers,
    response: Response,
) -> ExternalIdentityOut:
    await audit.read(session, "account", [account])
    tag(response, account.version)
    return ExternalIdentityOut(issuer=issuers.name_of(identity.issuer), subject=identity.subject)
