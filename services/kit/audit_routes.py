"""The routes by which every service answers for its audit: who changed what, who read whom, is it whole."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, cast

from fastapi import APIRouter, Depends, Query, Request, Security
from pydantic import AfterValidator, AwareDatetime, Field
from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    DateTime,
    LargeBinary,
    MetaData,
    Select,
    Table,
    Text,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from services.kit import audit, audit_chain
from services.kit.audit_chain import ChainBreak, Verdict
from services.kit.database import Database, Session
from services.kit.http import In, Out, router
from services.kit.pages import Page, PageAsk, keyset
from services.kit.principals import Principal, authorise
from services.kit.reach import Reach
from services.kit.words import Meanings

__all__ = ["audit_router"]

SCOPE = "audit:read"
MAX_LINKS = 20_000
"""Links that one request verifies at most: two seconds or three."""

# Tables of the kit are made by migrations and belong to no service's base.
_metadata = MetaData()
_placed = ("region_id", "municipality_id", "school_id")
_entry = Table(
    "audit_entry",
    _metadata,
    Column("id", BigInteger, primary_key=True),
    Column("at", DateTime(timezone=True)),
    *(Column(name, Text) for name in ("subject", "role", "request_id", "kind", "op")),
    Column("entity_id", BigInteger),
    Column("before", JSONB),
    Column("after", JSONB),
    Column("changed", ARRAY(Text)),
    *(Column(name, BigInteger) for name in _placed),
)
_reading = Table(
    "read_entry",
    _metadata,
    Column("id", BigInteger, primary_key=True),
    Column("at", DateTime(timezone=True)),
    *(Column(name, Text) for name in ("subject", "role", "request_id", "operation", "kind")),
    Column("ids", ARRAY(BigInteger)),
    Column("filters", JSONB),
    *(Column(name, BigInteger) for name in _placed),
)
_link = Table(
    "audit_link",
    _metadata,
    Column("position", BigInteger, primary_key=True),
    Column("entry_id", BigInteger),
    Column("digest", LargeBinary),
    Column("hash", LargeBinary),
)

Level = Annotated[
    Literal["system", "region", "municipality", "school", "curator", "none", ""],
    Meanings(
        "ReachLevel",
        {
            "system": "вся система: внутренняя работа, служба или главный администратор",
            "region": "регион",
            "municipality": "муниципалитет",
            "school": "школа",
            "curator": "куратор",
            "none": "владелец базы: миграция или оператор",
            "": "неизвестен: запись старше этого поля",
        },
    ),
]
Hash = Annotated[
    str,
    Field(
        pattern="^[0-9a-f]{64}$",
        description="SHA-256, 64 шестнадцатеричных знака",
        examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    ),
]


class _Recorded(Out):
    id: int = Field(description="Номер записи аудита в этом сервисе", examples=[40213])
    at: datetime = Field(description="Когда, UTC", examples=["2026-11-20T09:00:00.123456Z"])
    subject: str = Field(
        description="Кто: субъект токена или имя внутренней работы", examples=["user:12"]
    )
    role: Level = Field(
        description="Уровень охвата того, кто действовал; у людей совпадает с ролью",
        examples=["municipality"],
    )
    request_id: str = Field(
        description="Номер запроса; пусто у внутренней работы",
        examples=["0f8fad5bd9cb469fa16570867728950e"],
    )
    kind: str = Field(description="Вид записи, о которой речь", examples=["account"])
    region_id: int | None = Field(description="Регион", examples=[1])
    municipality_id: int | None = Field(description="Муниципалитет", examples=[3])
    school_id: int | None = Field(description="Школа", examples=[None])
    position: int | None = Field(
        description="Место в цепочке хешей; null, пока запись не связана (около секунды)",
        examples=[40198],
    )
    digest: Hash | None = Field(
        description="SHA-256 канонического текста записи; null, пока она не связана"
    )


class AuditEntryOut(_Recorded):
    """One change of one row, or one event."""

    entity_id: int | None = Field(
        description="Номер изменённой записи; null, если её нет", examples=[12]
    )
    op: str = Field(
        description="insert, update, delete — изменение строки; другие слова — событие",
        examples=["update"],
    )
    changed: list[str] | None = Field(
        description="Какие поля изменились; null у созданных, удалённых и событий",
        examples=[["blocked_at", "version"]],
    )
    before: dict[str, Any] | None = Field(
        description="Состояние до; личных данных и секретов в нём нет", examples=[{"version": 1}]
    )
    after: dict[str, Any] | None = Field(
        description="Состояние после или подробности события", examples=[{"version": 2}]
    )


class ReadingOut(_Recorded):
    """Somebody was shown personal data of somebody."""

    operation: str = Field(
        description="Какой операцией (operationId)", examples=["gateway_list_accounts"]
    )
    ids: list[int] = Field(description="Номера людей, чьи данные показаны", examples=[[12, 15]])
    filters: dict[str, str | None] = Field(
        description="По каким условиям искали; null вместо слов, которые могли назвать человека",
        examples=[{"role": None}],
    )


class HeadOut(Out):
    """The end of the chain."""

    position: int = Field(description="Сколько записей связано", examples=[40213])
    hash: Hash
    sealed_at: datetime | None = Field(
        description="Когда связана последняя, UTC; null у пустой цепочки",
        examples=["2026-11-20T09:00:01Z"],
    )


class KeptHead(In):
    """A head noted earlier and elsewhere."""

    position: int = Field(ge=0, le=2**53, description="Место в цепочке", examples=[40000])
    hash: Hash


class VerificationIn(In):
    """What to verify."""

    after: int = Field(
        default=0,
        ge=0,
        le=2**53,
        description="После какого места проверять: checked_to прошлого ответа; 0: с начала",
        examples=[0],
    )
    kept: KeptHead | None = Field(
        default=None,
        description="Конец цепочки, записанный у вас раньше: без него не видно, что переписано всё",
    )


class BreakOut(Out):
    """The first place where the chain does not hold."""

    code: ChainBreak = Field(
        description="Что нарушено",
        examples=["changed"],
    )
    position: int | None = Field(description="Место в цепочке", examples=[311])
    entry_id: int | None = Field(description="Номер записи аудита", examples=[312])


class VerdictOut(Out):
    """What the verification found."""

    is_intact: bool = Field(description="Проверенная часть цела", examples=[True])
    is_complete: bool = Field(
        description="Проверено до конца; иначе продолжите с after = checked_to", examples=[True]
    )
    checked_from: int = Field(description="После какого места проверено", examples=[0])
    checked_to: int = Field(description="Последнее целое место", examples=[40213])
    head: HeadOut = Field(description="Конец цепочки: запишите его у себя")
    broken: BreakOut | None = Field(description="Первое нарушение; null, если их нет")


AuditReader = Annotated[Principal, Security(authorise, scopes=[SCOPE])]

_FIRST_YEAR, _LAST_YEAR = 2000, 2200


def _in_this_age(instant: datetime) -> datetime:
    if not _FIRST_YEAR <= instant.year < _LAST_YEAR:
        raise ValueError(f"Год от {_FIRST_YEAR} до {_LAST_YEAR}")
    return instant.astimezone(UTC)


Instant = Annotated[AwareDatetime, AfterValidator(_in_this_age)]
Number = Annotated[int, Query(ge=1, le=2**63 - 1)]


@dataclass(frozen=True)
class _Asked:
    """The filters both lists share."""

    kind: Annotated[
        str | None,
        Query(pattern=r"^[a-z][a-z_-]{0,49}$", description="Вид записи", examples=["account"]),
    ] = None
    subject: Annotated[
        str | None,
        Query(
            max_length=100,
            pattern=r"^[^\x00-\x1f]+$",
            description="Кто действовал (субъект токена)",
            examples=["user:12"],
        ),
    ] = None
    since: Annotated[
        Instant | None,
        Query(description="Не раньше этого времени", examples=["2026-11-01T00:00:00Z"]),
    ] = None
    until: Annotated[
        Instant | None,
        Query(description="Раньше этого времени", examples=["2026-12-01T00:00:00Z"]),
    ] = None

    def where(self, table: Table) -> Sequence[ColumnElement[bool]]:
        """Return the conditions on either table."""
        conditions: list[ColumnElement[bool]] = []
        if self.kind is not None:
            conditions.append(table.c.kind == self.kind)
        if self.subject is not None:
            conditions.append(table.c.subject == self.subject)
        if self.since is not None:
            conditions.append(table.c.at >= self.since)
        if self.until is not None:
            conditions.append(table.c.at < self.until)
        return conditions


Asked = Annotated[_Asked, Depends()]


def _listed(table: Table, asked: _Asked) -> Select[Any]:
    return (
        select(*table.c, _link.c.position, func.encode(_link.c.digest, "hex").label("digest"))
        .join_from(table, _link, _link.c.entry_id == table.c.id, isouter=True)
        .where(*asked.where(table))
    )


def audit_router() -> APIRouter:
    """Return the routes of a service's own audit."""
    routes = router(prefix="/audit", tags=["audit"])

    @routes.get(
        "/entries",
        summary="Кто что изменил",
        response_model=Page[AuditEntryOut],
        openapi_extra=audit.reads("audit_entry"),
    )
    async def list_audit_entries(
        caller: AuditReader,  # noqa: ARG001  the check is the use
        session: Session,
        ask: PageAsk,
        asked: Asked,
        entity_id: Annotated[
            Number | None, Query(description="Номер изменённой записи", examples=[12])
        ] = None,
    ) -> object:
        """Изменения и события по порядку, с состоянием до и после.

        Регион видит записи своего региона; ниже региона аудит не показывается, потому что в нём
        видны черновики решений. Само чтение аудита записывается.
        """
        wanted = _listed(_entry, asked)
        if entity_id is not None:
            wanted = wanted.where(_entry.c.entity_id == entity_id)
        rows = await keyset(session, wanted, order=(_entry.c.id,), ask=ask)
        await audit.read(session, "audit_entry", cast("Sequence[Any]", rows.items))
        return rows

    @routes.get(
        "/readings",
        summary="Кто чьи личные данные читал",
        response_model=Page[ReadingOut],
        openapi_extra=audit.reads("audit_reading"),
    )
    async def list_audit_readings(
        caller: AuditReader,  # noqa: ARG001
        session: Session,
        ask: PageAsk,
        asked: Asked,
        person_id: Annotated[
            Number | None,
            Query(description="Номер человека; вид записи назовите в kind", examples=[12]),
        ] = None,
    ) -> object:
        """Ответы, в которых были личные данные: кому, когда, какой операцией и о ком.

        Регион видит чтения своего региона. Собственные данные (кто я) чтением не считаются.
        """
        wanted = _listed(_reading, asked)
        if person_id is not None:
            wanted = wanted.where(_reading.c.ids.contains([person_id]))
        rows = await keyset(session, wanted, order=(_reading.c.id,), ask=ask)
        await audit.read(session, "audit_reading", cast("Sequence[Any]", rows.items))
        return rows

    @routes.get("/head", summary="Конец цепочки аудита", response_model=HeadOut)
    async def read_audit_head(caller: AuditReader, session: Session) -> HeadOut:  # noqa: ARG001
        """Место и хеш последней связанной записи: сохраните их вне системы, чтобы сверить потом."""
        return _head_out(await audit_chain.head(session))

    @routes.post("/verification", summary="Проверить цепочку аудита", response_model=VerdictOut)
    async def verify_audit(
        caller: AuditReader,
        request: Request,
        asked: VerificationIn,
    ) -> VerdictOut:
        """Проверяет, что записи аудита сервиса не изменены, не удалены, не вставлены и не переставлены.

        Проверяется цепочка всего сервиса; в ответе только место первого нарушения. За один запрос —
        не больше 20 000 записей: продолжайте с after = checked_to, пока is_complete не станет true.
        """
        database = cast("Database", request.app.state.database)
        kept = (asked.kept.position, bytes.fromhex(asked.kept.hash)) if asked.kept else None
        async with database.transaction(Reach.system(caller.subject)) as session:
            verdict = await audit_chain.verify(
                session, after=asked.after, limit=MAX_LINKS, kept=kept
            )
        return _verdict_out(verdict)

    return routes


def _head_out(end: audit_chain.Head) -> HeadOut:
    return HeadOut(position=end.position, hash=end.hash.hex(), sealed_at=end.sealed_at)


def _verdict_out(verdict: Verdict) -> VerdictOut:
    broken = verdict.broken
    return VerdictOut(
        is_intact=broken is None,
        is_complete=verdict.is_complete,
        checked_from=verdict.checked_from,
        checked_to=verdict.checked_to,
        head=_head_out(verdict.head),
        broken=broken
        and BreakOut(code=broken.what, position=broken.position, entry_id=broken.entry_id),
    )
