"""Idempotency-Key: the same request sent twice has one effect and one answer.

The key, the effect and the stored answer are one transaction. A second request with the same key
waits in the database until the first ends, and then reads its answer.
"""

import hmac
import json
from collections.abc import Callable, Coroutine
from typing import Annotated, Any, cast

from fastapi import Depends, Header, Request, Response
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.kit.audit import read_again, readings_of_the_request
from services.kit.database import Session
from services.kit.principals import Principal, authenticate
from services.kit.problems import Problem

__all__ = ["IdempotencyRequired", "Idempotent", "around"]

REPLAYED_HEADERS = ("etag", "location", "content-type")


class IdempotencyKeyMissing(Problem):
    """This act happens once, so the caller has to name it."""

    status = 400
    title = "Нужен заголовок Idempotency-Key"


class IdempotencyKeyReused(Problem):
    """The key already names another request of the same caller."""

    status = 422
    title = "Ключ идемпотентности уже использован для другого запроса"


class _Replay(Exception):  # noqa: N818  a way out of dependency solving, not an error
    def __init__(self, answer: Response) -> None:
        super().__init__()
        self.answer = answer


_CLAIM = text(
    """
    INSERT INTO idempotency_key (subject, key, operation, fingerprint)
    VALUES (:subject, :key, :operation, :fingerprint)
    ON CONFLICT DO NOTHING
    RETURNING true
    """,
)
_STORED = text(
    """
    SELECT operation, fingerprint, status, headers, body, readings
    FROM idempotency_key WHERE subject = :subject AND key = :key
    """,
)
_STORE = text(
    """
    UPDATE idempotency_key SET status = :status, headers = CAST(:headers AS jsonb), body = :body,
        readings = CAST(:readings AS jsonb)
    WHERE subject = :subject AND key = :key
    """,
)

_Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=8,
        max_length=200,
        description="Уникальное имя действия, выбранное клиентом: повтор с тем же ключом не выполнит его дважды",
        examples=["5a1f1c1e-3f0c-4f7e-9a62-0f5d5a0f7a11"],
    ),
]


async def _begin(
    request: Request,
    session: Session,
    caller: Annotated[Principal, Depends(authenticate)],
    key: _Key = None,
) -> None:
    if key is not None:
        await _claim(request, session, caller, key)


async def _begin_required(
    request: Request,
    session: Session,
    caller: Annotated[Principal, Depends(authenticate)],
    key: _Key = None,
) -> None:
    if key is None:
        raise IdempotencyKeyMissing(
            "Это действие выполняется один раз, поэтому запросу нужно имя",
            hint="Добавьте заголовок Idempotency-Key с новым UUID; при повторе отправьте тот же",
        )
    await _claim(request, session, caller, key)


async def _claim(request: Request, session: AsyncSession, caller: Principal, key: str) -> None:
    # Keyed: a plain hash of a short body (a password) could be guessed from the table.
    fingerprint = hmac.new(
        cast("bytes", request.app.state.cursor_secret),
        b"\0".join(
            (request.url.path.encode(), request.url.query.encode(), await request.body()),
        ),
        "sha256",
    ).hexdigest()
    mark = {"subject": caller.subject, "key": key}
    operation = f"{request.method} {request.url.path}"
    claimed = await session.execute(
        _CLAIM,
        mark | {"operation": operation, "fingerprint": fingerprint},
    )
    if claimed.first() is not None:
        request.state.idempotency = (session, mark)
        return
    stored = (await session.execute(_STORED, mark)).one()
    if (stored.operation, stored.fingerprint) != (operation, fingerprint):
        raise IdempotencyKeyReused(
            "С этим ключом уже выполнен другой запрос",
            hint="Для нового действия возьмите новый ключ; для повтора отправьте прежнее тело без изменений",
        )
    # The same persons are shown once more. The transaction commits: the wrapper below ends in peace.
    await read_again(session, stored.readings)
    raise _Replay(
        Response(stored.body, stored.status, stored.headers | {"idempotency-replayed": "true"}),
    )


def around(
    handler: Callable[[Request], Coroutine[Any, Any, Response]],
) -> Callable[[Request], Coroutine[Any, Any, Response]]:
    """Return the handler with its answer stored in, or replayed from, the request's transaction."""

    async def handle(request: Request) -> Response:
        try:
            answer = await handler(request)
        except _Replay as replay:
            return replay.answer
        claimed = getattr(request.state, "idempotency", None)
        if claimed is not None:
            session, mark = claimed
            kept = {
                name: answer.headers[name] for name in REPLAYED_HEADERS if name in answer.headers
            }
            await session.execute(
                _STORE,
                mark
                | {
                    "status": answer.status_code,
                    "headers": json.dumps(kept),
                    "body": bytes(answer.body),
                    "readings": readings_of_the_request(),
                },
            )
        return answer

    return handle


Idempotent = Depends(_begin)
IdempotencyRequired = Depends(_begin_required)
