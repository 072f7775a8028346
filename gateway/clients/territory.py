"""The node of a new machine client: the caller's own or one below, as the registry shows it."""

from gateway.accounts.territory import Node
from gateway.clients.schemas import MachineClientIn
from services.kit.peers import Peer, PeerProblem
from services.kit.principals import Principal
from services.kit.problems import Problem, ValidationFailed

__all__ = ["WithoutRegion", "node_of"]


class WithoutRegion(Problem):
    """A machine client belongs to a region, and the caller has none."""

    status = 403
    title = "Машинных клиентов создаёт регион"


async def node_of(new: MachineClientIn, *, by: Principal, registry: Peer) -> Node:
    """Return the node of the new client.

    The registry is asked with the caller's own token, so a node that the caller cannot see does not
    exist here either.

    Raises:
        WithoutRegion: The caller stands above the regions.
        ValidationFailed: The node is not the caller's own, not below it, or does not exist.
    """
    own = by.reach
    if own.region_id is None:
        raise WithoutRegion("Войдите как пользователь региона.")
    if new.school_id is not None and new.school_id != own.school_id:
        found = await _asked(registry, f"/api/registry/v1/schools/{new.school_id}", "school_id")
        node = Node(_int(found, "region_id"), _int(found, "municipality_id"), _int(found, "id"))
    elif new.municipality_id not in (None, own.municipality_id):
        path = f"/api/registry/v1/municipalities/{new.municipality_id}"
        found = await _asked(registry, path, "municipality_id")
        node = Node(_int(found, "region_id"), _int(found, "id"))
    else:
        node = Node(own.region_id, own.municipality_id, own.school_id)
    if new.municipality_id not in (None, node.municipality_id):
        raise _wrong("municipality_id", "Школа относится к другому муниципалитету")
    # The registry shows some of what lies beside the caller: only what is below is the caller's.
    if own.region_id != node.region_id or own.municipality_id not in (None, node.municipality_id):
        raise _not_found("municipality_id" if new.school_id is None else "school_id")
    if own.school_id not in (None, node.school_id):
        raise _not_found("school_id")
    return node


async def _asked(registry: Peer, path: str, field: str) -> dict[str, object]:
    try:
        found: dict[str, object] = await registry.get(path)
    except PeerProblem as refused:
        if refused.peer_status in (404, 422):
            raise _not_found(field) from refused
        raise
    return found


def _int(found: dict[str, object], field: str) -> int:
    return int(str(found[field]))


def _not_found(field: str) -> ValidationFailed:
    return _wrong(field, "Не найдено в реестре в пределах вашего доступа")


def _wrong(field: str, detail: str) -> ValidationFailed:
    return ValidationFailed(
        "Место машинного клиента в территории указано неверно",
        errors=[{"pointer": f"/{field}", "code": "node", "detail": detail}],
    )
