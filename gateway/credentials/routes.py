"""Routes of one's own password."""

from fastapi import Request

from gateway.attempts.refusals import TooManyAttempts
from gateway.credentials import operations
from gateway.credentials.schemas import OwnPasswordIn, RedemptionIn
from gateway.parts import DatabaseOf, PartsOf
from gateway.passwords import PasswordChecksBusy, PasswordRefused
from gateway.sessions.own import OwnAccount, PersonOnly
from gateway.sources import source_of
from services.kit.clock import Now
from services.kit.http import router
from services.kit.problems import problems

__all__ = ["credentials"]

credentials = router(prefix="/auth", tags=["credentials"])


@credentials.post(
    "/invitations/redemption",
    summary="Задать пароль по приглашению",
    status_code=204,
    responses=problems(
        operations.InvitationInvalid, PasswordRefused, TooManyAttempts, PasswordChecksBusy
    ),
)
async def redeem_invitation(
    asked: RedemptionIn, request: Request, database: DatabaseOf, parts: PartsOf, now: Now
) -> None:
    """Человек задаёт пароль по одноразовому коду от администратора; токен не нужен.

    Код действует один раз. Если пароль не подошёл, код остаётся в силе: повторите с другим паролем.
    После этого войдите обычным образом: `POST /api/auth/token`.
    """
    await operations.redeem(
        database,
        parts,
        code=asked.code.get_secret_value(),
        password=asked.password.get_secret_value(),
        source=source_of(request.scope),
        at=now,
    )


@credentials.put(
    "/me/password",
    summary="Сменить свой пароль",
    status_code=204,
    responses=problems(
        PersonOnly,
        operations.CurrentPasswordWrong,
        operations.PasswordChangedMeanwhile,
        PasswordRefused,
        TooManyAttempts,
        PasswordChecksBusy,
    ),
)
async def change_own_password(
    person: OwnAccount, asked: OwnPasswordIn, database: DatabaseOf, parts: PartsOf, now: Now
) -> None:
    """Меняет ваш пароль и завершает остальные ваши сеансы; этот продолжается.

    Менять пароль по календарю не нужно; смените его, если он мог стать известен другим.
    """
    await operations.change(
        database,
        parts,
        person,
        current=asked.current_password.get_secret_value(),
        new=asked.new_password.get_secret_value(),
        at=now,
    )
