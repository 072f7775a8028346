"""Routes of people's accounts."""

from typing import Annotated, cast

from fastapi import Depends, Query, Request, Response

from gateway.accounts import operations, queries
from gateway.accounts.access import AccountAdministrator, AccountReader
from gateway.accounts.schemas import AccountIn, AccountOut, PasswordIn, PersonRole
from gateway.accounts.tables import Account
from gateway.accounts.territory import node_of
from gateway.parts import PartsOf
from services.kit.clock import Now
from services.kit.database import Session
from services.kit.etags import IfMatch, PreconditionRequired, StaleVersion, tag
from services.kit.http import router
from services.kit.idempotency import Idempotent
from services.kit.pages import Page, PageAsk
from services.kit.peers import Peers
from services.kit.problems import ValidationFailed, problems

__all__ = ["accounts"]

accounts = router(prefix="/accounts", tags=["accounts"])


def _peers(request: Request) -> Peers:
    return cast("Peers", request.app.state.peers)


Neighbours = Annotated[Peers, Depends(_peers)]


@accounts.get("", summary="Учётные записи", response_model=Page[AccountOut])
async def list_accounts(
    _: AccountReader,
    session: Session,
    ask: PageAsk,
    role: Annotated[PersonRole | None, Query(description="Только этой роли")] = None,
) -> object:
    """Учётные записи в вашем охвате, по имени для входа."""
    return await queries.accounts(session, role=role, ask=ask)


@accounts.post(
    "",
    summary="Создать учётную запись",
    status_code=201,
    response_model=AccountOut,
    dependencies=[Idempotent],
    responses=problems(operations.AccountNotBelow, operations.LoginTaken, ValidationFailed),
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
    Учётные записи региона создаёт системный клиент root.
    """
    operations.require_below(caller, new.role)
    node = await node_of(new, by=caller, registry=peers.on_behalf("registry", caller.token))
    account = await operations.appoint(
        session,
        new,
        node=node,
        password_hash=await parts.passwords.hash(new.password.get_secret_value()),
        at=now,
    )
    response.headers["Location"] = f"/api/accounts/{account.id}"
    tag(response, account.version)
    return account


@accounts.get(
    "/{account_id}",
    summary="Учётная запись",
    response_model=AccountOut,
    responses=problems(operations.AccountNotFound),
)
async def read_account(
    _: AccountReader, account_id: int, session: Session, response: Response
) -> Account:
    """Одна учётная запись; ETag нужен для изменения."""
    account = await operations.visible_account(session, account_id)
    tag(response, account.version)
    return account


_CHANGE_PROBLEMS = problems(
    operations.AccountNotFound, operations.AccountNotBelow, PreconditionRequired, StaleVersion
)


@accounts.put(
    "/{account_id}/blocking",
    summary="Заблокировать",
    response_model=AccountOut,
    responses=_CHANGE_PROBLEMS,
)
async def block_account(
    caller: AccountAdministrator,
    account_id: int,
    expected: IfMatch,
    session: Session,
    now: Now,
    response: Response,
) -> Account:
    """Закрывает вход. Выданный токен доступа доживает свои пять минут, новый не выдаётся."""
    account = await operations.block(session, account_id, by=caller, expected=expected, at=now)
    tag(response, account.version)
    return account


@accounts.delete(
    "/{account_id}/blocking",
    summary="Разблокировать",
    response_model=AccountOut,
    responses=_CHANGE_PROBLEMS,
)
async def unblock_account(
    caller: AccountAdministrator,
    account_id: int,
    expected: IfMatch,
    session: Session,
    response: Response,
) -> Account:
    """Снова открывает вход с прежним паролем."""
    account = await operations.unblock(session, account_id, by=caller, expected=expected)
    tag(response, account.version)
    return account


@accounts.put(
    "/{account_id}/password",
    summary="Задать пароль",
    response_model=AccountOut,
    responses=_CHANGE_PROBLEMS,
)
async def set_account_password(
    caller: AccountAdministrator,
    account_id: int,
    new: PasswordIn,
    expected: IfMatch,
    session: Session,
    parts: PartsOf,
    now: Now,
    response: Response,
) -> Account:
    """Заменяет пароль; начатые раньше сеансы заканчиваются."""
    account = await operations.set_password(
        session,
        account_id,
        password_hash=await parts.passwords.hash(new.password.get_secret_value()),
        by=caller,
        expected=expected,
        at=now,
    )
    tag(response, account.version)
    return account
