import asyncio
from typing import Annotated

from fastapi import Response, Security
from pydantic import Field
from pydantic_settings import SettingsConfigDict
from sqlalchemy import BigInteger, Text, select, text
from sqlalchemy.orm import Mapped, mapped_column

from services.kit import audit, etags
from services.kit.database import Depth, Identified, Located, Session, Shared, Versioned
from services.kit.etags import IfMatch
from services.kit.http import In, Out, router
from services.kit.idempotency import IdempotencyRequired, Idempotent
from services.kit.jobs import JobKind, Work, enqueue
from services.kit.pages import Page, PageAsk, keyset
from services.kit.peers import PeerUnavailable
from services.kit.principals import Principal, Role, authorise
from services.kit.problems import Problem, constraint_problems, problems
from services.kit.service import Service
from services.kit.settings import ServiceSettings
from tests.kit.notes.base import Base


class Note(Identified, Versioned, Located, Base):
    __tablename__ = "note"
    __reach__ = Depth.SCHOOL
    region_id: Mapped[int] = mapped_column(BigInteger)
    municipality_id: Mapped[int] = mapped_column(BigInteger)
    school_id: Mapped[int] = mapped_column(BigInteger)
    title: Mapped[str] = mapped_column(Text)
    secret: Mapped[str | None] = mapped_column(Text)
    author: Mapped[str | None] = mapped_column(Text)


class Word(Shared, Base):
    __tablename__ = "word"
    text: Mapped[str] = mapped_column(Text, primary_key=True)


class NoteTaken(Problem):
    status = 409
    title = "Такая заметка уже есть"


class NoteNotFound(Problem):
    status = 404
    title = "Заметка не найдена"


class NoteIn(In):
    region_id: int
    municipality_id: int
    school_id: int
    title: str = Field(min_length=1, max_length=100)
    author: str | None = Field(default=None, json_schema_extra=audit.PERSONAL)


class NoteOut(Out):
    id: int
    school_id: int
    title: str
    version: int


class SignedNoteOut(NoteOut):
    author: str | None = Field(json_schema_extra=audit.PERSONAL)


class NoteEdit(In):
    title: str
    author: str | None = None


Reader = Annotated[Principal, Security(authorise, scopes=["notes:read"])]
Writer = Annotated[Principal, Security(authorise, scopes=["notes:write"])]

routes = router(prefix="/notes", tags=["notes"])


@routes.get("", summary="Заметки", response_model=Page[NoteOut])
async def list_notes(caller: Reader, session: Session, ask: PageAsk):
    statement = select(Note.id, Note.school_id, Note.title, Note.version)
    return await keyset(session, statement, order=(Note.title, Note.id), ask=ask)


@routes.post(
    "",
    status_code=201,
    summary="Новая",
    response_model=NoteOut,
    responses=problems(NoteTaken),
    dependencies=[Idempotent],
)
async def add_note(caller: Writer, session: Session, note: NoteIn, response: Response):
    row = Note(**note.model_dump(), secret="hidden")
    session.add(row)
    async with constraint_problems({"uq_note_school_id_title": NoteTaken("Уже есть")}):
        await session.flush()
    etags.tag(response, row.version)
    return row


@routes.patch(
    "/{note_id}", summary="Правка", response_model=NoteOut, responses=problems(NoteNotFound)
)
async def edit_note(
    caller: Writer,
    session: Session,
    note_id: int,
    edit: NoteEdit,
    version: IfMatch,
    response: Response,
):
    row = await session.get(Note, note_id, with_for_update=True)
    if row is None:
        raise NoteNotFound
    etags.check(version, row.version)
    row.title = edit.title
    row.author = edit.author
    await session.flush()
    etags.tag(response, row.version)
    return row


SIGNED = select(Note.id, Note.school_id, Note.region_id, Note.title, Note.version, Note.author)


@routes.get(
    "/signed",
    summary="С автором",
    response_model=Page[SignedNoteOut],
    openapi_extra=audit.reads("note"),
)
async def list_signed_notes(
    caller: Reader, session: Session, ask: PageAsk, title: str | None = None
):
    statement = SIGNED if title is None else SIGNED.where(Note.title == title)
    rows = await keyset(session, statement, order=(Note.title, Note.id), ask=ask)
    await audit.read(session, "note", rows.items)
    return rows


@routes.post(
    "/signed",
    status_code=201,
    summary="Новая с автором",
    response_model=SignedNoteOut,
    openapi_extra=audit.reads("note"),
    dependencies=[Idempotent],
)
async def add_signed_note(caller: Writer, session: Session, note: NoteIn):
    row = Note(**note.model_dump())
    session.add(row)
    await session.flush()
    await audit.read(session, "note", [row])
    return row


@routes.get(
    "/leaking",
    summary="Забывает записать",
    response_model=Page[SignedNoteOut],
    openapi_extra=audit.reads("note"),
)
async def leak_signed_notes(caller: Reader, session: Session, ask: PageAsk):
    return await keyset(session, SIGNED, order=(Note.title, Note.id), ask=ask)


@routes.post("/broken-commits", status_code=201, summary="Фиксация не удаётся")
async def break_commit(caller: Writer, session: Session):
    # A deferred check fails at commit, after the handler has returned.
    await session.execute(
        text("CREATE TEMP TABLE t (a int UNIQUE DEFERRABLE INITIALLY DEFERRED) ON COMMIT DROP")
    )
    await session.execute(text("INSERT INTO t VALUES (1), (1)"))
    return {"ok": True}


@routes.post("/counts", status_code=202, summary="Задание", dependencies=[IdempotencyRequired])
async def count_notes(caller: Writer, session: Session, kind: str = "count"):
    job_id = await enqueue(
        session, kind=kind, region_id=caller.reach.region_id, params={"word": "счёт"}
    )
    return {"job_id": job_id}


@routes.get("/failures", summary="Ошибка")
async def fail(caller: Reader):
    raise RuntimeError("secret text of a failure")


async def count(work: Work) -> None:
    await work.progress(1, 2, "считаю")
    async with work.finish(result={"word": work.params["word"]}) as session:
        await session.execute(
            text(
                "INSERT INTO note (region_id, municipality_id, school_id, title)"
                " VALUES (:r, 1, 1, 'from the job')"
            ),
            {"r": work.region_id},
        )


async def sleep_past_the_lease(work: Work) -> None:
    async with work.database.sessions() as session:
        await session.execute(text("SELECT set_config('role', 'opora_system', true)"))
        await session.execute(
            text("UPDATE job SET attempt = attempt + 1 WHERE id = :id"),
            {"id": work.job_id},
        )
        await session.commit()
    async with work.finish() as session:
        await session.execute(
            text(
                "INSERT INTO note (region_id, municipality_id, school_id, title)"
                " VALUES (:r, 1, 1, 'by a dead worker')"
            ),
            {"r": work.region_id},
        )


async def refuse(work: Work) -> None:
    await asyncio.sleep(0)
    raise NoteTaken("Причина для человека", school_id=5)


async def wait_for_a_neighbour(work: Work) -> None:
    if work.attempt < 3:
        raise PeerUnavailable("Сервис registry не отвечает")
    async with work.finish(result={"attempt": work.attempt}):
        pass


async def linger(work: Work) -> None:
    await asyncio.sleep(0 if work.attempt > 1 else 60)
    async with work.finish():
        pass


class Settings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="OPORA_NOTES_")


EVERYTHING = frozenset({"notes:read", "notes:write", "changes:read", "audit:read"})

SERVICE = Service(
    name="notes",
    title="Заметки",
    description="Служба тестов",
    settings=Settings,
    roles=dict.fromkeys(Role, EVERYTHING)
    | {Role.CURATOR: frozenset({"notes:read", "changes:read"})},
    base=Base,
    routers=(routes,),
    jobs=(
        JobKind("count", count),
        JobKind("stale", sleep_past_the_lease),
        JobKind("refuse", refuse),
        JobKind("wait", wait_for_a_neighbour),
        JobKind("linger", linger),
    ),
)
