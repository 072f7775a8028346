"""The gateway's own tables, reached from the transaction of somebody's request.

Sessions, revocations and second factors are nobody's rows: only the system's reach is granted
anything on them. An operation that has decided on the caller's own reach (the account is there, and
below the caller) takes the system's for the statements that follow from the decision, in the same
transaction, so that cause and effect are committed together.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

__all__ = ["elevated"]

_PRESENT = text("SELECT current_setting('role')")
_TAKE = text("SELECT set_config('role', :role, true)")


@asynccontextmanager
async def elevated(session: AsyncSession) -> AsyncIterator[None]:
    """Run the statements inside under the system's reach; who does it stays in the audit.

    What was changed before is written first, still under the caller's own reach. After an exception
    the role stays: such a transaction is rolled back, which ends the role too.
    """
    await session.flush()
    before = await session.scalar(_PRESENT)
    await session.execute(_TAKE, {"role": "opora_system"})
    yield
    await session.flush()
    await session.execute(_TAKE, {"role": before})
