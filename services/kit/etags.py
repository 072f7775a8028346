"""Strong ETags from a version counter: an edit says which state it has seen."""

import re
from typing import Annotated

from fastapi import Depends, Header, Response
from pydantic import Field

from services.kit.problems import Problem

__all__ = ["IfMatch", "check", "tag"]

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
