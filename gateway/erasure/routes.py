"""The route of erasure."""

from gateway.accounts import operations as accounts
from gateway.accounts.access import AccountAdministrator, AccountId
from gateway.erasure import operations
from services.kit.clock import Now
from services.kit.database import Session
from services.kit.etags import IfMatch, PreconditionRequired, StaleVersion
from services.kit.http import router
from services.kit.problems import problems

__all__ = ["erasure"]

erasure = router(prefix="/accounts", tags=["accounts"])


@erasure.delete(
    "/{account_id:int}",
    summary="Стереть данные человека",
    status_code=204,
    responses=problems(
        accounts.AccountNotFound,
        accounts.AccountNotBelow,
        accounts.AccountErased,
        PreconditionRequired,
        StaleVersion,
    ),
)
async def erase_account(
    caller: AccountAdministrator,
    account_id: AccountId,
    expected: IfMatch,
    session: Session,
    now: Now,
) -> None:
    """Для уволенных: имя и логин стираются, вход закрывается навсегда, сеансы завершаются. Отменить нельзя.

    Номер учётной записи остаётся, чтобы журнал действий сохранил, что сделано одним человеком, но не кем.
    Пока человек может вернуться, не стирайте, а заблокируйте учётную запись.
    """
    await operations.erase(session, account_id, by=caller, expected=expected, at=now)
