"""Routes of people's accounts."""

from datetime import timedelta
from typing import Annotated, cast

from fastapi import Depends, Query, Request, Response

from gateway.accounts import operations, queries
from gateway.accounts.access import AccountAdministrator, AccountId, AccountReader
from gateway.accounts.schemas import (
    AccountIn,
    AccountOut,
    AccountPatch,
    AccountState,
    InvitationOut,
    PasswordIn,
    PersonRole,
)
from gateway.accounts.tables import Account
from gateway.accounts.territory import node_of
from gateway.elevation import elevated
from gateway.parts import PartsOf
from gateway.passwords import PasswordChecksBusy, PasswordRefused
from gateway.sessions import operations as ending
from gateway.sessions import queries as sessions
from gateway.sessions.own import SessionId
from gateway.sessions.schemas import SessionOut
from services.kit import audit
from services.kit.clock import Now
from services.kit.database import Session
from services.kit.etags import IfMatch, PreconditionRequired, StaleVersion, tag
from services.kit.http import router
from services.kit.idempotency import Idempotent
from services.kit.pages import Page, PageAsk
from services.kit.peers import Peers
from services.kit.problems import problems

__all__ = ["accounts"]

accounts = router(prefix="/accounts", tags=["accounts"])


def _peers(request: Request) -> Peers:
    return cast("Peers", request.app.state.peers)


Neighbours = Annotated[Peers, Depends(_peers)]


@accounts.get(
    "",
    summary="Учётные записи",
    response_model=Page[AccountOut],
    openapi_extra=audit.reads("account"),
)
async def list_accounts(
    _: AccountReader,
    session: Session,
    ask: PageAsk,
    role: Annotated[PersonRole | None, Query(description="Только этой роли")] = None,
    state: Annotated[AccountState | None, Query(description="Только в этом состоянии")] = None,
) -> object:
    """Учётные записи в вашем охвате, по имени для входа."""
    page = await queries.accounts(session, role=role, state=state, ask=ask)
    await audit.read(session, "account", page.items)
    return page


@accounts.post(
    "",
    summary="Создать учётную запись",
    status_code=201,
    response_model=AccountOut,
    dependencies=[Idempotent],
    openapi_extra=audit.reads("account"),
    responses=problems(
        operations.AccountNotBelow, operations.LoginTaken, PasswordRefused, PasswordChecksBusy
    ),
)
async def create_account(
    caller: AccountAdministrator,
    new: AccountIn,
    session: Session,
    peers: Neighbours,
    parts: PartsOf,
    now: Now,
    response: Response,
) -> Account:
    """Создаёт учётную запись ниже вашей: регион назначает муниципалитеты, школы и кураторов, муниципалитет — школы.

    Муниципалитет и школа проверяются по реестру с вашими же правами: чужих для вас не существует.
    Учётные записи региона создаёт системный клиент root. Без поля password человек задаёт пароль сам:
    выдайте ему приглашение. Роль и место учётной записи не меняются: перешедшему на другую работу
    создайте новую, а прежнюю заблокируйте.
    """
    operations.require_below(caller, new.role)
    node = await node_of(new, by=caller, registry=peers.on_behalf("registry", caller.token))
    hashed = (
        None
        if new.password is None
        else await parts.passwords.accepted(
            new.password.get_secret_value(), about=(new.login, new.display_name)
        )
    )
    account = await operations.appoint(session, new, node=node, password_hash=hashed, at=now)
    response.headers["Location"] = f"/api/accounts/{account.id}"
    return await _shown(session, account, response)


@accounts.get(
    "/{account_id:int}",
    summary="Учётная запись",
    response_model=AccountOut,
    openapi_extra=audit.reads("account"),
    responses=problems(operations.AccountNotFound),
)
async def read_account(
    _: AccountReader, account_id: AccountId, session: Session, response: Response
) -> Account:
    """Одна учётная запись; ETag нужен для изменения."""
    account = await operations.visible_account(session, account_id)
    return await _shown(session, account, response)


_CHANGE_PROBLEMS = (
    operations.AccountNotFound,
    operations.AccountNotBelow,
    operations.AccountErased,
    PreconditionRequired,
    StaleVersion,
)


@accounts.patch(
    "/{account_id:int}",
    summary="Изменить имя человека",
    response_model=AccountOut,
    openapi_extra=audit.reads("account"),
    responses=problems(*_CHANGE_PROBLEMS),
)
async def change_account(
    caller: AccountAdministrator,
    account_id: AccountId,
    change: AccountPatch,
    expected: IfMatch,
    session: Session,
    response: Response,
) -> Account:
    """Меняет, как показывать человека. Логин, роль и место не меняются никогда: создайте новую учётную запись."""
    account = await operations.rename(
        session, account_id, change.display_name, by=caller, expected=expected
    )
    return await _shown(session, account, response)


@accounts.put(
    "/{account_id}/blocking",
    summary="Заблокировать",
    response_model=AccountOut,
    openapi_extra=audit.reads("account"),
    responses=problems(*_CHANGE_PROBLEMS),
)
async def block_account(
    caller: AccountAdministrator,
    account_id: AccountId,
    expected: IfMatch,
    session: Session,
    now: Now,
    response: Response,
) -> Account:
    """Закрывает вход и завершает сеансы: выданные токены перестают действовать в течение секунды."""
    account = await operations.block(session, account_id, by=caller, expected=expected, at=now)
    return await _shown(session, account, response)


@accounts.delete(
    "/{account_id}/blocking",
    summary="Разблокировать",
    response_model=AccountOut,
    openapi_extra=audit.reads("account"),
    responses=problems(*_CHANGE_PROBLEMS),
)
async def unblock_account(
    caller: AccountAdministrator,
    account_id: AccountId,
    expected: IfMatch,
    session: Session,
    response: Response,
) -> Account:
    """Снова открывает вход с прежним паролем; завершённые сеансы не возобновляются, человек входит заново."""
    account = await operations.unblock(session, account_id, by=caller, expected=expected)
    return await _shown(session, account, response)


@accounts.put(
    "/{account_id}/password",
    summary="Задать пароль",
    response_model=AccountOut,
    openapi_extra=audit.reads("account"),
    responses=problems(*_CHANGE_PROBLEMS, PasswordRefused, PasswordChecksBusy),
)
async def set_account_password(
    caller: AccountAdministrator,
    account_id: AccountId,
    new: PasswordIn,
    expected: IfMatch,
    session: Session,
    parts: PartsOf,
    now: Now,
    response: Response,
) -> Account:
    """Заменяет пароль и завершает сеансы человека.

    Пароль при этом знаете и вы, поэтому лучше сбросьте его: `POST …/password-reset` даёт код, с
    которым человек задаёт пароль сам.
    """
    account = await operations.account_to_change(session, account_id, by=caller, expected=expected)
    hashed = await parts.passwords.accepted(
        new.password.get_secret_value(),
        about=(account.login, account.display_name),
        former=(account.password_hash, account.former_password_hash),
    )
    await operations.set_password(session, account, password_hash=hashed, at=now)
    return await _shown(session, account, response)


# No Idempotency-Key on the two below: the stored answer would keep the code, and If-Match already
# lets a repeated request issue only one.
@accounts.post(
    "/{account_id}/invitation",
    summary="Выдать приглашение",
    response_model=InvitationOut,
    openapi_extra=audit.reads("account"),
    responses=problems(*_CHANGE_PROBLEMS, operations.AlreadyActive, operations.AccountBlocked),
)
async def invite_account(
    caller: AccountAdministrator,
    account_id: AccountId,
    expected: IfMatch,
    session: Session,
    parts: PartsOf,
    now: Now,
    response: Response,
) -> InvitationOut:
    """Выдаёт одноразовый код, с которым человек сам задаёт пароль: `POST /api/auth/invitations/redemption`.

    Код показан один раз и действует до expires_at; новый код отменяет прежний. Передайте его человеку
    вместе с именем для входа по каналу, которому доверяете.
    """
    account, code = await operations.invite(
        session,
        account_id,
        by=caller,
        expected=expected,
        at=now,
        lifetime=timedelta(hours=parts.settings.invitation_hours),
    )
    return await _with_code(session, account, code, response)


@accounts.post(
    "/{account_id}/password-reset",
    summary="Сбросить пароль",
    response_model=InvitationOut,
    openapi_extra=audit.reads("account"),
    responses=problems(*_CHANGE_PROBLEMS, operations.AccountBlocked),
)
async def reset_account_password(
    caller: AccountAdministrator,
    account_id: AccountId,
    expected: IfMatch,
    session: Session,
    parts: PartsOf,
    now: Now,
    response: Response,
) -> InvitationOut:
    """Прежний пароль сразу перестаёт действовать, сеансы завершаются; человек задаёт новый по коду из ответа."""
    account, code = await operations.reset_password(
        session,
        account_id,
        by=caller,
        expected=expected,
        at=now,
        lifetime=timedelta(hours=parts.settings.invitation_hours),
    )
    return await _with_code(session, account, code, response)


_SESSION_PROBLEMS = (
    operations.AccountNotFound,
    operations.AccountNotBelow,
    operations.AccountErased,
)


@accounts.get(
    "/{account_id}/sessions",
    summary="Сеансы человека",
    response_model=Page[SessionOut],
    openapi_extra=audit.reads("account"),
    responses=problems(*_SESSION_PROBLEMS),
)
async def list_account_sessions(
    caller: AccountAdministrator,
    account_id: AccountId,
    session: Session,
    parts: PartsOf,
    now: Now,
    ask: PageAsk,
) -> object:
    """Сеансы человека, которые продолжаются, от старых к новым; только тех, кто ниже вас."""
    account = await operations.account_below(session, account_id, by=caller)
    await audit.read(session, "account", [account])
    async with elevated(session):
        return await sessions.running_sessions(
            session,
            account.id,
            at=now,
            idle=timedelta(hours=parts.settings.refresh_idle_hours),
            ask=ask,
        )


@accounts.delete(
    "/{account_id}/sessions",
    summary="Завершить все сеансы человека",
    status_code=204,
    responses=problems(*_SESSION_PROBLEMS),
)
async def end_account_sessions(
    caller: AccountAdministrator, account_id: AccountId, session: Session, now: Now
) -> None:
    """Завершает все сеансы человека: их токены перестают действовать в течение секунды. Вход остаётся открыт."""
    account = await operations.account_below(session, account_id, by=caller)
    await ending.end_all(session, account.id, at=now, reason="ended")


@accounts.delete(
    "/{account_id}/sessions/{session_id}",
    summary="Завершить сеанс человека",
    status_code=204,
    responses=problems(*_SESSION_PROBLEMS, ending.SessionNotFound),
)
async def end_account_session(
    caller: AccountAdministrator,
    account_id: AccountId,
    session_id: SessionId,
    session: Session,
    now: Now,
) -> None:
    """Завершает один сеанс человека: его токены перестают действовать в течение секунды."""
    account = await operations.account_below(session, account_id, by=caller)
    await ending.end_one(session, session_id, of=account.id, at=now, reason="ended")


async def _shown(session: Session, account: Account, response: Response) -> Account:
    await audit.read(session, "account", [account])
    tag(response, account.version)
    return account


async def _with_code(
    session: Session, account: Account, code: str, response: Response
) -> InvitationOut:
    shown = await _shown(session, account, response)
    return InvitationOut(
        code=code,
        expires_at=shown.invitation_expires_at,
        account=AccountOut.model_validate(shown),
    )
