"""Strong ETags: an edit says which state it has seen, a reader is not sent what it has.

The tag of an edited record is its version counter. A record that is never edited through a version gets
the hash of its answer, so that every single record has a tag.
"""

import hashlib
import re
from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import Depends, Header, Request, Response
from pydantic import Field

from services.kit.problems import Problem

__all__ = ["IF_NONE_MATCH", "NOT_MODIFIED", "IfMatch", "check", "conditional", "tag"]

Handler = Callable[[Request], Coroutine[Any, Any, Response]]

_TAG = re.compile(r'"(\d{1,9})"')


class PreconditionRequired(Problem):
    """An edit has to say which state of the resource it is based on."""

    status = 428
    title = "Нужен заголовок If-Match"


class EntityTagMalformed(Problem):
    """If-Match does not hold one strong tag of ours."""

    status = 400
    title = "Заголовок If-Match составлен неверно"


class StaleVersion(Problem):
    """Somebody changed the resource since the caller read it."""

    status = 412
    title = "Запись изменена после того, как вы её прочитали"


def _expected(
    if_match: Annotated[
        Annotated[str, Field(json_schema_extra={"pattern": r'^\s*"\d{1,9}"\s*$'})] | None,
        Header(description="ETag состояния, которое меняется; без него 428", examples=['"3"']),
    ] = None,
) -> int:
    if if_match is None:
        raise PreconditionRequired(
            "Изменение должно назвать состояние, на котором оно основано",
            hint="Прочитайте запись и отправьте её ETag в заголовке If-Match",
        )
    matched = _TAG.fullmatch(if_match.strip())
    if matched is None:
        raise EntityTagMalformed('Ожидается одна метка вида "3" в кавычках')
    return int(matched[1])


IfMatch = Annotated[int, Depends(_expected)]


def check(expected: int, actual: int) -> None:
    """Refuse an edit based on an earlier state.

    Raises:
        StaleVersion: `actual` is not the version the caller has seen.
    """
    if expected != actual:
        raise StaleVersion(
            "Запись успел изменить кто-то другой",
            hint="Прочитайте её заново, перенесите правку и отправьте новый ETag",
            current_version=actual,
        )


def tag(response: Response, version: int) -> None:
    """Put the strong ETag of this version on the answer."""
    response.headers["ETag"] = f'"{version}"'


IF_NONE_MATCH: dict[str, Any] = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "ETag состояния, которое у вас есть: если оно не изменилось, ответ — 304 без тела",
    "schema": {"type": "string", "maxLength": 1000, "examples": ['"3"']},
    "example": '"3"',
}
"""The parameter of every operation that reads one record."""

NOT_MODIFIED: dict[str, Any] = {"description": "Запись не изменилась с состояния If-None-Match"}


def conditional(handler: Handler) -> Handler:
    """Return the handler of one record's reading, which answers 304 to those who have the state."""

    async def handle(request: Request) -> Response:
        answer = await handler(request)
        if answer.status_code != 200:
            return answer
        known = answer.headers.get("etag")
        if known is None:
            known = f'"{hashlib.blake2b(bytes(answer.body), digest_size=12).hexdigest()}"'
            answer.headers["ETag"] = known
        if not _is_held(request.headers.getlist("if-none-match"), known):
            return answer
        return Response(status_code=304, headers={"ETag": known})

    return handle


def _is_held(asked: list[str], known: str) -> bool:
    """Compare weakly, as RFC 9110 (13.1.2) has it for If-None-Match."""
    tags = [tag.strip().removeprefix("W/") for line in asked for tag in line.split(",")]
    return known in tags or "*" in tags
