"""What one process of the gateway knows of the revocations that still matter.

Kept in memory, so that asking costs nothing; a dedicated connection hears of a new one as it commits,
and looks by itself twice a second for what it did not hear. The connection is not the pool's: a flood
that takes every pooled connection must not keep a revoked token alive.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from sqlalchemy.engine import make_url

from gateway.revocations.operations import CHANNEL, KEPT_MINUTES
from services.kit.logs import log
from services.kit.principals import Principal
from services.kit.settings import ServiceSettings

__all__ = ["Revocations"]

_POLL_SECONDS = 0.5
_ANSWER_SECONDS = 2.0
_STALE_SECONDS = 5.0
"""So old may the knowledge be before readiness speaks of it."""
_WHOLE_SECONDS = 300.0
"""How often everything is read anew, which also forgets what is over."""
_FIRST_READ_SECONDS = 3.0

# The horizon is asked for together with the rows: what is not visible yet commits at or above it.
_READ = """
    SELECT horizon.xid, revocation.session_id::text AS sid, revocation.subject,
           extract(epoch FROM revocation.issued_before)::double precision AS before
    FROM (SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS xid) AS horizon
    LEFT JOIN revocation ON revocation.transaction >= $1
         AND revocation.recorded_at > now() - make_interval(mins => $2)
"""


class Revocations:
    """The revocations, as known a moment ago."""

    def __init__(self, settings: ServiceSettings) -> None:
        url = make_url(settings.database_url.get_secret_value()).set(drivername="postgresql")
        self._url = url.render_as_string(hide_password=False)
        self._sessions: set[str] = set()
        self._subjects: dict[str, float] = {}
        self._horizon = 0
        self._read_at = -float("inf")
        self._read_whole_at = -float("inf")
        self._wake = asyncio.Event()
        self._read_once = asyncio.Event()

    def concern(self, caller: Principal) -> bool:
        """Tell whether the caller's token is dead before its time."""
        if caller.session_id is not None and caller.session_id in self._sessions:
            return True
        before = self._subjects.get(caller.subject)
        return before is not None and caller.issued_at < before

    def warning(self) -> str | None:
        """Say since when nothing could be read; None while all is well.

        Traffic goes on all the same: who cannot read here can write nowhere either, so there is nothing
        to be missed but what another process wrote before the database went away.
        """
        age = time.monotonic() - self._read_at
        if age < _STALE_SECONDS:
            return None
        return "revocations: never read" if age == float("inf") else f"revocations: {age:.0f} s old"

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Keep the knowledge fresh while the block is open; begins with what there is, if it answers."""
        keeping = asyncio.create_task(self._keep())
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_FIRST_READ_SECONDS):
                    await self._read_once.wait()
            yield
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)

    async def _keep(self) -> None:
        while True:
            try:
                connection = await asyncpg.connect(
                    self._url,
                    timeout=_ANSWER_SECONDS,
                    command_timeout=_ANSWER_SECONDS,
                    # This connection is nobody else's and never a caller's.
                    server_settings={"role": "opora_system", "application_name": "revocations"},
                )
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
                await asyncio.sleep(_POLL_SECONDS)
                continue
            try:
                await self._listen(connection)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
                log.warning("revocations_not_read", reason=type(error).__name__)
                await asyncio.sleep(_POLL_SECONDS / 5)
            except Exception as error:  # noqa: BLE001  readiness tells; the process serves on
                log.error("revocations_stuck", exc_info=error)
                await asyncio.sleep(_POLL_SECONDS)
            finally:
                connection.terminate()

    async def _listen(self, connection: Any) -> None:
        await connection.add_listener(CHANNEL, lambda *_: self._wake.set())
        while True:
            self._wake.clear()
            await self._read(connection)
            # Not wait_for: of Python 3.11 it may lose a stop that comes together with the wake.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_POLL_SECONDS):
                    await self._wake.wait()

    async def _read(self, connection: Any) -> None:
        began = time.monotonic()
        is_whole = began - self._read_whole_at > _WHOLE_SECONDS
        rows = await connection.fetch(_READ, 0 if is_whole else self._horizon, KEPT_MINUTES)
        sessions = set() if is_whole else self._sessions
        subjects = {} if is_whole else self._subjects
        for row in rows:
            if row["sid"] is not None:
                sessions.add(row["sid"])
            elif row["subject"] is not None:
                subjects[row["subject"]] = max(row["before"], subjects.get(row["subject"], 0.0))
        self._sessions, self._subjects = sessions, subjects
        self._horizon = rows[0]["xid"]
        self._read_at = began
        if is_whole:
            self._read_whole_at = began
        self._read_once.set()
