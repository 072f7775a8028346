"""Routes of a person's own sessions; an administrator's stand with the accounts."""

from datetime import timedelta

from gateway.elevation import elevated
from gateway.parts import PartsOf
from gateway.sessions import operations, queries
from gateway.sessions.own import OwnAccount, PersonOnly, SessionId
from gateway.sessions.schemas import OwnSessionOut
from services.kit import audit
from services.kit.clock import Now
from services.kit.database import Session
from services.kit.http import router
from services.kit.pages import Page, PageAsk
from services.kit.problems import problems

__all__ = ["sessions"]

sessions = router(prefix="/auth/sessions", tags=["sessions"])


@sessions.get(
    "",
    summary="Мои сеансы",
    response_model=Page[OwnSessionOut],
    openapi_extra=audit.reads(audit.OWN),
    responses=problems(PersonOnly),
)
async def list_own_sessions(
    person: OwnAccount, session: Session, parts: PartsOf, now: Now, ask: PageAsk
) -> object:
    """Ваши сеансы, которые продолжаются, от старых к новым: где и когда вы вошли и какой из них этот.

    Незнакомый сеанс завершите и смените пароль.
    """
    async with elevated(session):
        return await queries.running_sessions(
            session,
            person.account_id,
            at=now,
            idle=timedelta(hours=parts.settings.refresh_idle_hours),
            ask=ask,
            current=person.session_id,
        )


@sessions.delete(
    "",
    summary="Завершить остальные сеансы",
    status_code=204,
    responses=problems(PersonOnly),
)
async def end_other_own_sessions(person: OwnAccount, session: Session, now: Now) -> None:
    """Завершает все ваши сеансы, кроме этого: их токены перестают действовать в течение секунды."""
    await operations.end_all(
        session, person.account_id, at=now, reason="ended", but=person.session_id
    )


@sessions.delete(
    "/{session_id}",
    summary="Завершить сеанс",
    status_code=204,
    responses=problems(PersonOnly, operations.SessionNotFound),
)
async def end_own_session(
    person: OwnAccount, session_id: SessionId, session: Session, now: Now
) -> None:
    """Завершает один ваш сеанс, можно и этот: его токены перестают действовать в течение секунды."""
    await operations.end_one(session, session_id, of=person.account_id, at=now, reason="ended")
