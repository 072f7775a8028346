"""Routes of machine clients."""

from fastapi import Response

from gateway.clients import operations, queries
from gateway.clients.access import ClientAdministrator, ClientReader
from gateway.clients.schemas import MachineClientIn, MachineClientOut, SecretOut
from gateway.clients.tables import MachineClient
from services.kit.clock import Now
from services.kit.database import Session
from services.kit.etags import IfMatch, PreconditionRequired, StaleVersion, tag
from services.kit.http import router
from services.kit.idempotency import Idempotent
from services.kit.pages import Page, PageAsk
from services.kit.problems import problems

__all__ = ["clients"]

clients = router(prefix="/accounts/machine-clients", tags=["machine-clients"])

_CHANGE_PROBLEMS = problems(operations.ClientNotFound, PreconditionRequired, StaleVersion)


@clients.get("", summary="Машинные клиенты", response_model=Page[MachineClientOut])
async def list_machine_clients(_: ClientReader, session: Session, ask: PageAsk) -> object:
    """Машинные клиенты вашего региона, по имени."""
    return await queries.clients(session, ask=ask)


@clients.post(
    "",
    summary="Создать машинный клиент",
    status_code=201,
    response_model=MachineClientOut,
    dependencies=[Idempotent],
    responses=problems(operations.ClientIdTaken, operations.ScopeNotHeld, operations.WithoutRegion),
)
async def create_machine_client(
    caller: ClientAdministrator, new: MachineClientIn, session: Session, response: Response
) -> MachineClient:
    """Создаёт клиент вашего региона. Секрет выдаётся отдельно: POST …/{client_number}/secret."""
    client = await operations.register(session, new, by=caller)
    response.headers["Location"] = f"/api/accounts/machine-clients/{client.id}"
    tag(response, client.version)
    return client


@clients.get(
    "/{client_number}",
    summary="Машинный клиент",
    response_model=MachineClientOut,
    responses=problems(operations.ClientNotFound),
)
async def read_machine_client(
    _: ClientReader, client_number: int, session: Session, response: Response
) -> MachineClient:
    """Один клиент; ETag нужен для изменения."""
    client = await operations.visible_client(session, client_number)
    tag(response, client.version)
    return client


# No Idempotency-Key here: its stored answer would keep the secret, and If-Match already lets a
# repeated request issue only one.
@clients.post(
    "/{client_number}/secret",
    summary="Выдать секрет",
    response_model=SecretOut,
    responses=_CHANGE_PROBLEMS,
)
async def issue_machine_client_secret(
    _: ClientAdministrator,
    client_number: int,
    expected: IfMatch,
    session: Session,
    response: Response,
) -> SecretOut:
    """Выдаёт новый секрет и показывает его один раз; прежний сразу перестаёт действовать."""
    client, secret = await operations.issue_secret(session, client_number, expected=expected)
    tag(response, client.version)
    return SecretOut(client_id=client.client_id, client_secret=secret)


@clients.put(
    "/{client_number}/blocking",
    summary="Заблокировать",
    response_model=MachineClientOut,
    responses=_CHANGE_PROBLEMS,
)
async def block_machine_client(
    _: ClientAdministrator,
    client_number: int,
    expected: IfMatch,
    session: Session,
    now: Now,
    response: Response,
) -> MachineClient:
    """Новых токенов клиент не получит; выданный доживает свои пять минут."""
    client = await operations.block(session, client_number, expected=expected, at=now)
    tag(response, client.version)
    return client


@clients.delete(
    "/{client_number}/blocking",
    summary="Разблокировать",
    response_model=MachineClientOut,
    responses=_CHANGE_PROBLEMS,
)
async def unblock_machine_client(
    _: ClientAdministrator,
    client_number: int,
    expected: IfMatch,
    session: Session,
    response: Response,
) -> MachineClient:
    """Клиент снова может получать токены с прежним секретом."""
    client = await operations.unblock(session, client_number, expected=expected)
    tag(response, client.version)
    return client
