"""Routes of machine clients."""

from datetime import timedelta
from typing import Annotated, Any, cast

from fastapi import Body, Depends, Path, Request, Response
from sqlalchemy import Row

from gateway.clients import queries
from gateway.clients.access import ClientAdministrator, ClientReader
from gateway.clients.operations import keys, registering, secrets
from gateway.clients.schemas import (
    MachineClientIn,
    MachineClientOut,
    MachineClientPatch,
    PublicKeysIn,
    PublicKeysOut,
    SecretIn,
    SecretMetadataOut,
    SecretOut,
)
from gateway.clients.tables import MachineClient
from gateway.clients.territory import WithoutRegion, node_of
from services.kit.clock import Now
from services.kit.database import Session
from services.kit.etags import IfMatch, PreconditionRequired, StaleVersion, tag
from services.kit.http import router
from services.kit.idempotency import Idempotent
from services.kit.inputs import Id
from services.kit.pages import Page, PageAsk
from services.kit.peers import Peers
from services.kit.problems import ValidationFailed, problems

__all__ = ["clients"]

clients = router(prefix="/accounts/machine-clients", tags=["machine-clients"])

_CHANGE_PROBLEMS = (registering.ClientNotFound, PreconditionRequired, StaleVersion)

ClientNumber = Annotated[Id, Path(description="Номер клиента", examples=[5])]
SecretNumber = Annotated[Id, Path(description="Номер секрета", examples=[17])]


def _peers(request: Request) -> Peers:
    return cast("Peers", request.app.state.peers)


Neighbours = Annotated[Peers, Depends(_peers)]


@clients.get("", summary="Машинные клиенты", response_model=Page[MachineClientOut])
async def list_machine_clients(_: ClientReader, session: Session, now: Now, ask: PageAsk) -> object:
    """Машинные клиенты в вашем охвате, по имени."""
    return await queries.clients(session, at=now, ask=ask)


@clients.post(
    "",
    summary="Создать машинный клиент",
    status_code=201,
    response_model=MachineClientOut,
    dependencies=[Idempotent],
    responses=problems(
        registering.ClientIdTaken, registering.ScopeNotHeld, WithoutRegion, ValidationFailed
    ),
)
async def create_machine_client(
    caller: ClientAdministrator,
    new: MachineClientIn,
    session: Session,
    peers: Neighbours,
    now: Now,
    response: Response,
) -> Row[Any]:
    """Создаёт клиент вашего уровня или ниже: регион — свой, муниципалитетов и школ, муниципалитет — свой и школ.

    Права клиента — не больше, чем у вас и чем у людей того уровня, где он стоит.
    Секрет выдаётся отдельно: POST …/{client_number}/secret; вместо секрета можно
    зарегистрировать открытые ключи: PUT …/{client_number}/keys.
    """
    node = await node_of(new, by=caller, registry=peers.on_behalf("registry", caller.token))
    client = await registering.register(session, new, node=node, by=caller)
    response.headers["Location"] = f"/api/accounts/machine-clients/{client.id}"
    tag(response, client.version)
    return await queries.shown(session, client.id, at=now)


@clients.get(
    "/{client_number}",
    summary="Машинный клиент",
    response_model=MachineClientOut,
    responses=problems(registering.ClientNotFound),
)
async def read_machine_client(
    _: ClientReader, client_number: ClientNumber, session: Session, now: Now, response: Response
) -> Row[Any]:
    """Один клиент; ETag нужен для изменения. Использование клиента ETag не меняет."""
    client = await registering.visible_client(session, client_number)
    tag(response, client.version)
    return await queries.shown(session, client.id, at=now)


@clients.patch(
    "/{client_number}",
    summary="Изменить машинный клиент",
    response_model=MachineClientOut,
    responses=problems(*_CHANGE_PROBLEMS, registering.ScopeNotHeld, registering.KeysMissing),
)
async def change_machine_client(
    caller: ClientAdministrator,
    client_number: ClientNumber,
    wish: MachineClientPatch,
    expected: IfMatch,
    session: Session,
    now: Now,
    response: Response,
) -> Row[Any]:
    """Меняет название, права или способ подтверждения. Если прав стало меньше, выданные токены сразу недействительны."""
    client = await registering.change(
        session, client_number, wish, by=caller, expected=expected, at=now
    )
    tag(response, client.version)
    return await queries.shown(session, client.id, at=now)


# No Idempotency-Key here: its stored answer would keep the secret, and If-Match already lets a
# repeated request issue only one.
@clients.post(
    "/{client_number}/secret",
    summary="Выдать секрет",
    response_model=SecretOut,
    responses=problems(
        *_CHANGE_PROBLEMS, registering.ScopeNotHeld, secrets.KeysOnly, secrets.TooManySecrets
    ),
)
async def issue_machine_client_secret(
    caller: ClientAdministrator,
    client_number: ClientNumber,
    expected: IfMatch,
    session: Session,
    now: Now,
    response: Response,
    wish: Annotated[SecretIn | None, Body(description="Без тела: прежние действуют сутки")] = None,
) -> SecretOut:
    """Выдаёт новый секрет и показывает его один раз. Прежние действуют ещё `overlap_hours`, чтобы успеть заменить."""
    client, issued, secret = await secrets.issue(
        session,
        client_number,
        overlap=timedelta(hours=(wish or SecretIn()).overlap_hours),
        by=caller,
        expected=expected,
        at=now,
    )
    tag(response, client.version)
    return SecretOut(client_id=client.client_id, client_secret=secret, secret_id=issued.id)


@clients.get(
    "/{client_number}/secrets",
    summary="Секреты клиента",
    response_model=Page[SecretMetadataOut],
    responses=problems(registering.ClientNotFound),
)
async def list_machine_client_secrets(
    _: ClientReader, client_number: ClientNumber, session: Session, now: Now, ask: PageAsk
) -> object:
    """Все секреты клиента, в том числе прежние и ни разу не использованные; сами секреты не показываются."""
    client = await registering.visible_client(session, client_number)
    return await queries.secrets_of(session, client.id, at=now, ask=ask)


@clients.delete(
    "/{client_number}/secrets/{secret_id}",
    summary="Отозвать секрет",
    response_model=MachineClientOut,
    responses=problems(*_CHANGE_PROBLEMS, secrets.SecretNotFound),
)
async def revoke_machine_client_secret(
    _: ClientAdministrator,
    client_number: ClientNumber,
    secret_id: SecretNumber,
    expected: IfMatch,
    session: Session,
    now: Now,
    response: Response,
) -> Row[Any]:
    """Секрет сразу перестаёт действовать, а с ним и все выданные клиенту токены. If-Match — ETag клиента."""
    client = await secrets.revoke(session, client_number, secret_id, expected=expected, at=now)
    tag(response, client.version)
    return await queries.shown(session, client.id, at=now)


@clients.get(
    "/{client_number}/keys",
    summary="Открытые ключи клиента",
    response_model=PublicKeysOut,
    responses=problems(registering.ClientNotFound),
)
async def read_machine_client_keys(
    _: ClientReader, client_number: ClientNumber, session: Session, response: Response
) -> PublicKeysOut:
    """Ключи, по которым проверяются подписи клиента (private_key_jwt, RFC 7523)."""
    client = await registering.visible_client(session, client_number)
    tag(response, client.version)
    return PublicKeysOut(keys=client.public_keys)


@clients.put(
    "/{client_number}/keys",
    summary="Задать открытые ключи",
    response_model=PublicKeysOut,
    responses=problems(
        *_CHANGE_PROBLEMS, registering.ScopeNotHeld, registering.KeysMissing, ValidationFailed
    ),
)
async def set_machine_client_keys(
    caller: ClientAdministrator,
    client_number: ClientNumber,
    new: PublicKeysIn,
    expected: IfMatch,
    session: Session,
    now: Now,
    response: Response,
) -> PublicKeysOut:
    """Заменяет все открытые ключи клиента. Если какой-то ключ убран, выданные клиенту токены сразу недействительны."""
    client: MachineClient = await keys.replace(
        session, client_number, new.keys, by=caller, expected=expected, at=now
    )
    tag(response, client.version)
    return PublicKeysOut(keys=client.public_keys)


@clients.put(
    "/{client_number}/blocking",
    summary="Заблокировать",
    response_model=MachineClientOut,
    responses=problems(*_CHANGE_PROBLEMS),
)
async def block_machine_client(
    _: ClientAdministrator,
    client_number: ClientNumber,
    expected: IfMatch,
    session: Session,
    now: Now,
    response: Response,
) -> Row[Any]:
    """Новых токенов клиент не получит, а выданные перестают действовать в течение секунды."""
    client = await registering.block(session, client_number, expected=expected, at=now)
    tag(response, client.version)
    return await queries.shown(session, client.id, at=now)


@clients.delete(
    "/{client_number}/blocking",
    summary="Разблокировать",
    response_model=MachineClientOut,
    responses=problems(*_CHANGE_PROBLEMS, registering.ScopeNotHeld),
)
async def unblock_machine_client(
    caller: ClientAdministrator,
    client_number: ClientNumber,
    expected: IfMatch,
    session: Session,
    now: Now,
    response: Response,
) -> Row[Any]:
    """Клиент снова может получать токены с прежними секретами и ключами; отозванные токены не оживают."""
    client = await registering.unblock(session, client_number, by=caller, expected=expected)
    tag(response, client.version)
    return await queries.shown(session, client.id, at=now)
