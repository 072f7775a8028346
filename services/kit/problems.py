"""Errors as RFC 9457 problem details: one shape for everything that leaves a service.

A problem is raised where its rule stands; its `type` and machine `code` derive from the service and
the class name, so they are never typed twice.
"""

import re
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any, ClassVar

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match

from services.kit.logs import log, request_id

__all__ = [
    "MEDIA_TYPE",
    "PLAIN",
    "DatabaseUnavailable",
    "Problem",
    "ValidationFailed",
    "constraint_problems",
    "described",
    "install",
    "problems",
    "render",
]

MEDIA_TYPE = "application/problem+json"
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


_REMEDIES: Mapping[int, str] = {
    401: "Получите новый токен: POST /api/auth/token",
    404: "Проверьте номер: записи нет либо она вне вашего охвата",
    422: "Исправьте названные поля и повторите запрос",
    503: "Повторите запрос через несколько секунд",
    504: "Проверьте, выполнено ли действие, прежде чем повторять его",
}
"""What to do, where the place of the refusal has nothing better to say. One text for a foreign and a
missing record: which of them it is must not be told."""


class Problem(Exception):  # noqa: N818  a problem is a fact told to the caller, not a failure of code
    """A refusal told to the caller; `detail`, `hint` and extension members are in Russian."""

    status: ClassVar[int] = 500
    title: ClassVar[str] = "Ошибка"
    headers: ClassVar[Mapping[str, str]] = {}

    def __init__(
        self, detail: str | None = None, *, hint: str | None = None, **members: Any
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail
        self.hint = hint
        self.members = members
        self.response_headers = dict(self.headers)

    @classmethod
    def code(cls) -> str:
        """Return the stable machine code: the class name in kebab-case."""
        return _CAMEL.sub("-", cls.__name__).lower()

    @classmethod
    def owner(cls) -> str:
        """Return the service whose vocabulary this is: the folder the class stands in."""
        parts = cls.__module__.split(".")
        return parts[1] if parts[0] == "services" else parts[0]

    @classmethod
    def type_uri(cls) -> str:
        """Return the `type` URI reference of this problem."""
        return f"/problems/{cls.owner()}/{cls.code()}"

    def body(self) -> dict[str, Any]:
        """Return the problem document without what only the edge knows (the request id)."""
        document: dict[str, Any] = {
            "type": self.type_uri(),
            "title": self.title,
            "status": self.status,
            "code": self.code(),
        }
        if self.detail:
            document["detail"] = self.detail
        if hint := self.hint or _REMEDIES.get(self.status):
            document["hint"] = hint
        return document | self.members


class ValidationFailed(Problem):
    """Input is malformed; `errors` is a list of {pointer, detail, code}."""

    status = 422
    title = "Данные запроса не прошли проверку"

    def __init__(
        self, detail: str | None = None, *, errors: list[dict[str, Any]], **members: Any
    ) -> None:
        super().__init__(detail, errors=errors, **members)


class ValueNotStorable(Problem):
    """A value is well-formed JSON but no database can hold it (NUL, a number out of range)."""

    status = 422
    title = "Значение нельзя сохранить"


class DatabaseUnavailable(Problem):
    """The database does not answer or all connections are busy."""

    status = 503
    title = "База данных временно недоступна"
    headers = {"Retry-After": "2"}  # noqa: RUF012  read only; an instance copies it


class OutOfReach(Problem):
    """The database refused to write a row outside the caller's reach."""

    status = 403
    title = "Запись вне вашего охвата"


class ConcurrentChange(Problem):
    """Two transactions met on the same rows and one was told to try again."""

    status = 503
    title = "Одновременное изменение, повторите запрос"
    headers = {"Retry-After": "1"}  # noqa: RUF012  as above


PLAIN: dict[int, tuple[str, str]] = {
    400: ("bad-request", "Запрос составлен неверно"),
    401: ("unauthorized", "Нужен действительный токен доступа"),
    403: ("forbidden", "Недостаточно прав"),
    404: ("not-found", "Не найдено"),
    405: ("method-not-allowed", "Метод не поддерживается для этого адреса"),
    413: ("body-too-large", "Тело запроса слишком большое"),
    414: ("address-too-long", "Адрес запроса слишком длинный"),
    415: ("unsupported-media-type", "Тип содержимого не поддерживается"),
    431: ("headers-too-large", "Заголовки запроса слишком велики"),
    500: ("internal-error", "Внутренняя ошибка"),
}
"""Code and title of what the framework refuses by status alone, and of our own mistakes."""

# What pydantic reports, told in the user's language; the English text stays out of answers.
_VALIDATION_TEXT: dict[str, str] = {
    "missing": "Обязательное поле не указано",
    "extra_forbidden": "Неизвестное поле: проверьте написание или уберите его",
    "json_invalid": "Тело запроса не является правильным JSON",
    "string_type": "Ожидается строка",
    "string_too_short": "Строка короче допустимого ({min_length})",
    "string_too_long": "Строка длиннее допустимого ({max_length})",
    "string_pattern_mismatch": "Строка не соответствует образцу {pattern}",
    "int_type": "Ожидается целое число",
    "int_parsing": "Ожидается целое число",
    "int_from_float": "Ожидается целое число без дробной части",
    "float_parsing": "Ожидается число",
    "decimal_parsing": "Ожидается число",
    "decimal_type": "Ожидается число",
    "bool_type": "Ожидается true или false",
    "bool_parsing": "Ожидается true или false",
    "date_from_datetime_parsing": "Ожидается дата вида ГГГГ-ММ-ДД",
    "date_parsing": "Ожидается дата вида ГГГГ-ММ-ДД",
    "date_type": "Ожидается дата вида ГГГГ-ММ-ДД",
    "datetime_type": "Ожидается момент вида ГГГГ-ММ-ДДTЧЧ:ММ:ССZ",
    "datetime_parsing": "Ожидается момент вида ГГГГ-ММ-ДДTЧЧ:ММ:ССZ",
    "datetime_from_date_parsing": "Ожидается момент вида ГГГГ-ММ-ДДTЧЧ:ММ:ССZ",
    "enum": "Допустимые значения: {expected}",
    "literal_error": "Допустимые значения: {expected}",
    "greater_than_equal": "Значение должно быть не меньше {ge}",
    "greater_than": "Значение должно быть больше {gt}",
    "less_than_equal": "Значение должно быть не больше {le}",
    "less_than": "Значение должно быть меньше {lt}",
    "too_short": "Слишком мало: нужно не меньше {min_length}",
    "too_long": "Слишком много: допустимо не больше {max_length}",
    "list_type": "Ожидается список",
    "dict_type": "Ожидается объект",
    "model_type": "Ожидается объект",
    "model_attributes_type": "Ожидается объект",
    "missing_argument": "Обязательное значение не указано",
    "union_tag_not_found": "Не понять, какой это вид значения: нет поля, по которому он узнаётся",
}


def _sentence(error: Mapping[str, Any]) -> str:
    kind = str(error["type"])
    context = error.get("ctx") or {}
    if kind == "value_error":
        return str(context.get("error", "Недопустимое значение"))
    template = _VALIDATION_TEXT.get(kind, "Недопустимое значение")
    try:
        return template.format(**context)
    except (KeyError, IndexError):
        return template


def _pointer(location: tuple[int | str, ...]) -> str:
    place, *rest = location
    steps = "/".join(str(step).replace("~", "~0").replace("/", "~1") for step in rest)
    return f"/{steps}" if place == "body" else f"#{place}/{steps}"


def render(problem: Problem) -> JSONResponse:
    """Turn a problem into its answer, with the request id as the correlation id."""
    return JSONResponse(
        problem.body() | {"request_id": request_id()},
        status_code=problem.status,
        media_type=MEDIA_TYPE,
        headers=problem.response_headers,
    )


def _plain(
    status: int, detail: str | None = None, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    code, title = PLAIN.get(status, ("error", HTTPStatus(status).phrase))
    body = {"type": f"/problems/kit/{code}", "title": title, "status": status, "code": code}
    if detail:
        body["detail"] = detail
    return JSONResponse(
        body | {"request_id": request_id()},
        status_code=status,
        media_type=MEDIA_TYPE,
        headers=headers,
    )


async def _on_problem(_: Request, exc: Exception) -> Response:
    assert isinstance(exc, Problem)  # noqa: S101  the handler is registered for this class
    return render(exc)


async def _on_http_exception(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, HTTPException)  # noqa: S101  as above
    headers = dict(exc.headers or {})
    if exc.status_code == 405:
        headers["Allow"] = ", ".join(_verbs(request))
    return _plain(exc.status_code, headers=headers)


def _verbs(request: Request) -> list[str]:
    """Return every verb of an address: each is a route of its own, and a route knows only its own."""
    routes = request.app.router.routes
    return [
        verb
        for verb in ("GET", "POST", "PUT", "PATCH", "DELETE")
        if any(
            route.matches(dict(request.scope) | {"method": verb})[0] is Match.FULL
            for route in routes
        )
    ]


async def _on_validation(_: Request, exc: Exception) -> Response:
    assert isinstance(exc, RequestValidationError)  # noqa: S101  as above
    return render(
        ValidationFailed(
            "Исправьте перечисленные поля и повторите запрос",
            errors=described(exc.errors(), sent=exc.body),
        )
    )


def described(errors: Iterable[Mapping[str, Any]], *, sent: Any = None) -> list[dict[str, Any]]:
    """Tell what pydantic found: {pointer, code, detail} of each error, in Russian.

    The place of an error begins with the part of the request ("body", "query") it lies in. With the
    JSON body that was sent, a place names its fields alone.
    """
    return [
        {
            "pointer": _pointer(_place_in(sent, error)),
            "code": error["type"],
            "detail": _sentence(error),
        }
        for error in errors
    ]


def _place_in(sent: Any, error: Mapping[str, Any]) -> tuple[int | str, ...]:
    """Give the place of an error without the names of unions' members, which pydantic puts between.

    They are the steps that the body does not have, except for the last one of a field that is missing.
    """
    part, *steps = error["loc"]
    if part != "body" or not isinstance(sent, dict | list):
        return tuple(error["loc"])
    kept: list[int | str] = [part]
    node = sent
    for position, step in enumerate(steps, start=1):
        if _has(node, step):
            node = node[step]
        elif position < len(steps) or error["type"] != "missing":
            continue
        kept.append(step)
    return tuple(kept)


def _has(node: Any, step: int | str) -> bool:
    if isinstance(node, dict):
        return step in node
    return isinstance(node, list) and isinstance(step, int) and step < len(node)


async def _on_database(_: Request, exc: Exception) -> Response:
    problem = _database_problem(exc)
    if problem is None:
        return await _on_unexpected(_, exc)
    return render(problem)


def _database_problem(exc: Exception) -> Problem | None:
    """Return what a database error means to the caller; None when it is our own mistake."""
    if isinstance(exc, PoolTimeout | ConnectionError | OSError):
        return DatabaseUnavailable()
    if not isinstance(exc, DBAPIError):
        return None
    state = getattr(exc.orig, "sqlstate", None) or ""
    if exc.connection_invalidated or state[:2] in {"08", "53", "57"} or state == "25006":
        return DatabaseUnavailable()
    if state == "42501":
        return OutOfReach(hint="Проверьте, что регион, муниципалитет и школа ваши")
    if state in {"40001", "40P01", "55P03"}:
        return ConcurrentChange()
    # asyncpg refuses a value before it is sent (no sqlstate) or the server does (class 22).
    refused = state[:2] == "22" or (type(exc.orig).__name__ in {"DataError", "Error"} and not state)
    return ValueNotStorable("Уберите недопустимые символы или уменьшите число") if refused else None


async def _on_unexpected(_: Request, exc: Exception) -> Response:
    log.error("unexpected", exc_info=exc)
    body = {
        "type": "/problems/kit/internal-error",
        "title": "Внутренняя ошибка",
        "status": 500,
        "code": "internal-error",
        "hint": "Сообщите request_id в поддержку",
        "request_id": request_id(),
    }
    return JSONResponse(body, status_code=500, media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Register the handlers, so that nothing leaves the application in another shape."""
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(RequestValidationError, _on_validation)
    for kind in (DBAPIError, PoolTimeout, ConnectionError):
        app.add_exception_handler(kind, _on_database)
    app.add_exception_handler(Exception, _on_unexpected)


@asynccontextmanager
async def constraint_problems(named: Mapping[str, Problem]) -> AsyncIterator[None]:
    """Map the constraint that the database names to the problem it means; others pass through."""
    try:
        yield
    except IntegrityError as error:
        cause: Any = error.orig
        name = getattr(cause, "constraint_name", None) or getattr(
            getattr(cause, "__cause__", None),
            "constraint_name",
            None,
        )
        if isinstance(name, str) and name in named:
            raise named[name] from error
        raise


def problems(*kinds: type[Problem]) -> dict[int | str, dict[str, Any]]:
    """Return `responses=` for a route: the problems it may answer, by status."""
    answers: dict[int | str, dict[str, Any]] = {}
    for kind in kinds:
        answer = answers.setdefault(
            kind.status,
            {
                "description": "",
                "content": {
                    MEDIA_TYPE: {
                        "schema": {"$ref": "#/components/schemas/ProblemDetail"},
                        "examples": {},
                    },
                },
            },
        )
        titles = [title for title in (answer["description"], kind.title) if title]
        answer["description"] = " · ".join(titles)
        answer["content"][MEDIA_TYPE]["examples"][kind.code()] = {
            "summary": kind.title,
            "value": {
                "type": kind.type_uri(),
                "title": kind.title,
                "status": kind.status,
                "code": kind.code(),
                "request_id": "0f8fad5bd9cb469fa16570867728950e",
            },
        }
    return answers
