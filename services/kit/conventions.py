"""What holds for every operation, said once for the readers of the contract: texts, headers, errors."""

from collections.abc import Iterable, Mapping
from typing import Any

from services.kit.etags import EntityTagMalformed, PreconditionRequired, StaleVersion
from services.kit.idempotency import IdempotencyKeyReused
from services.kit.principals import KeysUnavailable, MissingScope, Role, Unauthorized
from services.kit.problems import (
    MEDIA_TYPE,
    PLAIN,
    ConcurrentChange,
    DatabaseUnavailable,
    OutOfReach,
    ValidationFailed,
    ValueNotStorable,
    problems,
)

__all__ = [
    "AT_THE_DOOR",
    "CONVENTIONS",
    "HEADERS",
    "TOLD",
    "add_answers",
    "answers_of_the_kit",
    "headers_of",
    "scopes_of",
    "security_schemes",
    "who_may",
]

CONVENTIONS = """\
**Вход.** Заголовок `Authorization: Bearer <токен>`; токен даёт `POST /api/auth/token`, он живёт минуты.
Роль и место в территории записаны в токене: вы видите записи своего охвата, остальных для вас нет (404).

**Списки** отдаются страницами: `items` и `next`. Следующая страница — тот же запрос с `cursor` из `next`;
`next: null` — страница последняя. Курсор действует для того же вызывающего и тех же фильтров.

**Изменения.** У записи есть `ETag`; изменение присылает его в `If-Match`. Нет заголовка — 428, запись
изменил другой — 412: прочитайте её заново. Создание с `Idempotency-Key` можно повторять: второй раз оно
не выполнится, ответ придёт прежний с заголовком `Idempotency-Replayed: true`.

**Ошибки** — `application/problem+json` (RFC 9457): машинный `code` не меняется, тексты русские, `hint`
говорит, что делать, `errors` перечисляет поля, `request_id` назовите поддержке.

**Лента** `/changes` отдаёт изменения по порядку, каждое хотя бы один раз; удалённое и ушедшее из охвата
приходит как `delete`. Параметр `wait` ждёт нового.

**Частота.** Лишние запросы получают 429 с `Retry-After`; остаток говорят `RateLimit` и `RateLimit-Policy`.

**Значения.** Моменты — UTC (`2026-03-15T08:30:00Z`), дни — `2026-03-15` без часового пояса. `year` — год
окончания учебного года: 2025 — это 2024/2025. Доли — точные числитель и знаменатель рядом с округлённым
процентом; десятичные дроби приходят строками. `null` — значения нет, это не ноль.

**Версии.** Новые поля, пути и коды ошибок появляются без предупреждения: незнакомое пропускайте. Об
остальном предупреждают заголовки `Deprecation` и `Sunset` не меньше чем за два выпуска.
"""

TOLD: Mapping[str, str] = {
    "200": "Сделано, ответ в теле",
    "201": "Создано, запись в теле",
    "202": "Принято, работа идёт в фоне",
    "204": "Сделано, тела нет",
}
"""What a good answer means when its operation does not say more."""

HEADERS: Mapping[str, dict[str, Any]] = {
    "X-Request-Id": {
        "description": "Номер запроса: назовите его поддержке",
        "schema": {"type": "string", "examples": ["0f8fad5bd9cb469fa16570867728950e"]},
    },
    "ETag": {
        "description": "Метка состояния записи для If-Match",
        "schema": {"type": "string", "examples": ['"3"']},
    },
    "Location": {
        "description": "Адрес созданной записи",
        "schema": {"type": "string", "examples": ["/api/registry/v1/schools/12"]},
    },
    "Idempotency-Replayed": {
        "description": "true: запрос с этим ключом уже выполнен, это его прежний ответ",
        "schema": {"type": "string", "enum": ["true"], "examples": ["true"]},
    },
    "Content-Disposition": {
        "description": "Имя файла",
        "schema": {"type": "string", "examples": ['attachment; filename="opora-results.csv"']},
    },
    "Retry-After": {
        "description": "Через сколько секунд повторить",
        "schema": {"type": "integer", "minimum": 0, "examples": [2]},
    },
    "RateLimit": {
        "description": "Сколько запросов осталось (r) и через сколько секунд станет больше (t)",
        "schema": {"type": "string", "examples": ['"caller";r=399;t=1']},
    },
    "RateLimit-Policy": {
        "description": "Сколько запросов (q) разрешено за окно (w секунд)",
        "schema": {"type": "string", "examples": ['"caller";q=400;w=4']},
    },
    "WWW-Authenticate": {
        "description": "Каким должен быть токен",
        "schema": {"type": "string", "examples": ['Bearer realm="opora", error="invalid_token"']},
    },
    "Deprecation": {
        "description": "С какого момента операция устарела (RFC 9745)",
        "schema": {"type": "string", "examples": ["@1798761600"]},
    },
    "Sunset": {
        "description": "Когда операция перестанет отвечать (RFC 8594)",
        "schema": {"type": "string", "examples": ["Fri, 01 Jan 2027 00:00:00 GMT"]},
    },
}
"""Headers of answers that a client may rely on, by name."""

_ROLES: Mapping[Role, str] = {
    Role.REGION: "регион",
    Role.MUNICIPALITY: "муниципалитет",
    Role.SCHOOL: "школа",
    Role.CURATOR: "куратор",
    Role.INTEGRATION: "машинный клиент",
}


SCOPES: Mapping[str, str] = {
    "changes:read": "Читать ленту изменений",
    "audit:read": "Читать журнал: кто что менял и кто чьи данные читал",
}
"""What the scopes of the operations that the kit gives every service let their holder do."""


def scopes_of(told: Mapping[str, str], roles: Mapping[Role, frozenset[str]]) -> dict[str, str]:
    """Return every scope that some role holds, with what it lets its holder do."""
    texts = {**SCOPES, **told}
    return {scope: texts.get(scope, "") for scope in sorted(frozenset().union(*roles.values()))}


def security_schemes(scopes: Mapping[str, str]) -> dict[str, Any]:
    """Return the ways to come in; both are one and the same token."""
    flow = {"tokenUrl": "/api/auth/token", "scopes": dict(scopes)}
    return {
        "Opora": {
            "type": "oauth2",
            "description": "Токен доступа выдаёт шлюз. Людям права даёт роль, машинному клиенту — его "
            "список прав",
            "flows": {
                "password": flow | {"refreshUrl": "/api/auth/token"},
                "clientCredentials": flow,
            },
        },
        "Bearer": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "Тот же токен доступа, если он у вас уже есть (RS256, `typ: at+jwt`)",
        },
    }


def who_may(scopes: Iterable[str], roles: Mapping[Role, frozenset[str]]) -> str:
    """Say in a sentence who holds the scopes of an operation, from the service's own table."""
    wanted = list(scopes)
    if not wanted:
        return "Нужен токен; отдельного права нет."
    holders = [_ROLES[role] for role, held in roles.items() if set(wanted) <= held]
    names = ", ".join(f"`{scope}`" for scope in wanted)
    return f"Право {names}: {', '.join(holders) or 'только системные клиенты'}."


def _told(owner: str, status: int, code: str, title: str) -> dict[int | str, dict[str, Any]]:
    body = {
        "type": f"/problems/{owner}/{code}",
        "title": title,
        "status": status,
        "code": code,
        "request_id": "0f8fad5bd9cb469fa16570867728950e",
    }
    content = {
        "schema": {"$ref": "#/components/schemas/ProblemDetail"},
        "examples": {code: {"summary": title, "value": body}},
    }
    return {status: {"description": title, "content": {MEDIA_TYPE: content}}}


def _plain(status: int) -> dict[int | str, dict[str, Any]]:
    return _told("kit", status, *PLAIN[status])


_BEHIND_A_TOKEN = _plain(400) | problems(
    Unauthorized, MissingScope, OutOfReach, KeysUnavailable, DatabaseUnavailable, ConcurrentChange
)
_WITH_IF_MATCH = problems(EntityTagMalformed, StaleVersion, PreconditionRequired)
_WITH_A_KEY = problems(IdempotencyKeyReused)
_MALFORMED = problems(ValidationFailed, ValueNotStorable)
_AT_THE_DATABASE = problems(DatabaseUnavailable, ConcurrentChange)


def answers_of_the_kit(operation: Mapping[str, Any]) -> Iterable[dict[int | str, dict[str, Any]]]:
    """Return the answers that the kit gives for every operation of this shape."""
    parameters = operation.get("parameters", [])
    headers = {entry["name"].lower() for entry in parameters if entry["in"] == "header"}
    yield from _TOO_OFTEN
    # Every server of ours says this before it reads a request (kit/serving.py).
    yield _plain(414) | _plain(431)
    # What needs no token reaches the database all the same, and reads its body.
    yield _BEHIND_A_TOKEN if operation.get("security") else _AT_THE_DATABASE
    if "if-match" in headers:
        yield _WITH_IF_MATCH
    if "idempotency-key" in headers:
        yield _WITH_A_KEY
    if "requestBody" in operation:
        yield _plain(400) | _plain(413)
    if parameters or "requestBody" in operation:
        yield _MALFORMED


def add_answers(operation: dict[str, Any], answers: Mapping[int | str, dict[str, Any]]) -> None:
    """Add answers to those that the operation declares itself; of one status both are told."""
    declared = operation["responses"]
    for status, answer in answers.items():
        present = declared.get(str(status))
        if present is None or MEDIA_TYPE not in present.get("content", {}):
            declared[str(status)] = {**answer, "content": {MEDIA_TYPE: dict(_content(answer))}}
            continue
        told = present["content"][MEDIA_TYPE].setdefault("examples", {})
        for code, example in _content(answer)["examples"].items():
            if code not in told:
                told[code] = example
                present["description"] += f" · {example['summary']}"


def _content(answer: Mapping[str, Any]) -> dict[str, Any]:
    content: dict[str, Any] = answer["content"][MEDIA_TYPE]
    return content | {"examples": dict(content["examples"])}


def headers_of(operation: Mapping[str, Any], status: str, shape: Mapping[str, Any]) -> list[str]:
    """Return the headers that an answer of this status and shape carries.

    Args:
        operation: The operation.
        status: The status of the answer.
        shape: The resolved JSON schema of its body; empty when there is none.
    """
    names = ["X-Request-Id"]
    good = status.startswith("2")
    keys = {entry["name"].lower() for entry in operation.get("parameters", [])}
    is_of_a_collection = all(entry["in"] != "path" for entry in operation.get("parameters", []))
    rules = {
        # A record tells its version, and then its ETag says the same.
        "ETag": good
        and bool(shape)
        and ("if-match" in keys or "version" in shape.get("properties", {})),
        # Also where the thing that was begun is to be asked for.
        "Location": status == "201" or (status == "202" and is_of_a_collection),
        "Idempotency-Replayed": good and "idempotency-key" in keys,
        "Content-Disposition": good and _is_file(operation["responses"][status]),
        "RateLimit": good or status == "429",
        "RateLimit-Policy": good or status == "429",
        "Retry-After": status in {"429", "503"},
        "WWW-Authenticate": status == "401" and bool(operation.get("security")),
        "Deprecation": bool(operation.get("deprecated")),
        "Sunset": "x-sunset" in operation,
    }
    return names + [name for name, applies in rules.items() if applies]


def _is_file(answer: Mapping[str, Any]) -> bool:
    return bool(set(answer.get("content", {})) - {"application/json"})


AT_THE_DOOR = (
    _told("gateway", 502, "service-broke-off", "Служба оборвала соединение, не ответив"),
    _told("gateway", 503, "service-unavailable", "Служба временно недоступна"),
    _told("gateway", 504, "service-timed-out", "Служба не ответила вовремя"),
)
"""What the gateway says in the place of a service that does not answer; a test holds it to its classes."""

_TOO_OFTEN = (
    _told("gateway", 429, "too-many-requests", "Слишком много запросов"),
    _told("gateway", 429, "too-many-at-once", "Слишком много одновременных запросов"),
)
