"""What the gateway's worker repeats: keys follow each other, what is over is forgotten."""

from sqlalchemy import text

from gateway.keys.rotating import keep_keys
from gateway.revocations import operations as revocations
from services.kit.chores import Chore
from services.kit.database import Database
from services.kit.reach import Reach
from services.kit.settings import ServiceSettings

__all__ = ["CHORES"]

_SESSIONS_KEPT_DAYS = 7
"""An ended session stays so long, for whoever asks why it ended."""

_ENDED_SESSIONS = text(
    """
    DELETE FROM login_session
    WHERE LEAST(ended_at, ends_at) < now() - make_interval(days => :days)
       -- Nobody can go on with it: its last refresh token is over.
       OR (started_at < now() - make_interval(days => :days)
           AND NOT EXISTS (
               SELECT FROM refresh_token
               WHERE refresh_token.session_id = login_session.id
                 AND refresh_token.expires_at > now() - make_interval(days => :days)))
    """,
)
# A used token is kept as long as its session lives: only so can its return be told from a stranger's.
_OLD_ATTEMPTS = text(
    "DELETE FROM login_attempt WHERE GREATEST(last_at, open_at) < now() - interval '1 day'"
)


async def forget_revocations(database: Database, settings: ServiceSettings) -> None:
    """Forget the revocations whose tokens have ended by themselves."""
    del settings
    async with database.transaction(Reach.system("gateway")) as session:
        await revocations.purge(session)


async def forget_sessions(database: Database, settings: ServiceSettings) -> None:
    """Forget the sessions that ended a while ago, with their refresh tokens."""
    del settings
    async with database.transaction(Reach.system("gateway")) as session:
        await session.execute(_ENDED_SESSIONS, {"days": _SESSIONS_KEPT_DAYS})


async def forget_attempts(database: Database, settings: ServiceSettings) -> None:
    """Forget failed attempts that slow nobody down any more."""
    del settings
    async with database.transaction(Reach.system("gateway")) as session:
        await session.execute(_OLD_ATTEMPTS)


CHORES = (
    Chore("keep-signing-keys", 10.0, keep_keys),
    Chore("forget-revocations", 600.0, forget_revocations),
    Chore("forget-sessions", 3600.0, forget_sessions),
    Chore("forget-attempts", 3600.0, forget_attempts),
)
