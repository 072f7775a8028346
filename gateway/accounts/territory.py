"""The node of a new account: what the registry says about it to the one who appoints."""

from dataclasses import dataclass

from gateway.accounts.schemas import AccountIn, PersonRole
from services.kit.peers import Peer, PeerProblem
from services.kit.principals import Principal
from services.kit.problems import ValidationFailed
from services.kit.reach import Level

__all__ = ["Node", "node_of"]


@dataclass(frozen=True, slots=True)
class Node:
    """Where an account stands."""

    region_id: int
    municipality_id: int | None = None
    school_id: int | None = None


async def node_of(new: AccountIn, *, by: Principal, registry: Peer) -> Node:
    """Return the node of the new account, inside the appointing caller's own.

    The registry is asked with the caller's own token, so a node that the caller cannot see does not
    exist here either.

    Raises:
        ValidationFailed: A part of the node is missing, superfluous, or does not exist.
    """
    region_id = _region(new, by)
    match new.role:
        case PersonRole.REGION | PersonRole.CURATOR:
            _refuse(new, "municipality_id", "school_id")
            return Node(region_id)
        case PersonRole.MUNICIPALITY:
            _refuse(new, "school_id")
            wanted = _needed(new, "municipality_id")
            found = await _asked(
                registry, f"/api/registry/v1/municipalities/{wanted}", "municipality_id"
            )
            return Node(_int(found, "region_id"), _int(found, "id"))
        case PersonRole.SCHOOL:
            wanted = _needed(new, "school_id")
            found = await _asked(registry, f"/api/registry/v1/schools/{wanted}", "school_id")
            node = Node(_int(found, "region_id"), _int(found, "municipality_id"), _int(found, "id"))
            if new.municipality_id not in (None, node.municipality_id):
                raise _wrong("municipality_id", "Школа относится к другому муниципалитету")
            return node


def _region(new: AccountIn, by: Principal) -> int:
    if by.reach.level is Level.SYSTEM:
        return _needed(new, "region_id")
    own = by.reach.region_id
    if own is None or new.region_id not in (None, own):
        raise _wrong("region_id", "Регион учётной записи — ваш; не указывайте другой")
    return own


def _needed(new: AccountIn, field: str) -> int:
    value: int | None = getattr(new, field)
    if value is None:
        raise _wrong(field, "Обязательное поле для этой роли не указано", code="missing")
    return value


def _refuse(new: AccountIn, *fields: str) -> None:
    for field in fields:
        if getattr(new, field) is not None:
            raise _wrong(field, "У этой роли такого поля нет: уберите его")


async def _asked(registry: Peer, path: str, field: str) -> dict[str, object]:
    try:
        found: dict[str, object] = await registry.get(path)
    except PeerProblem as refused:
        if refused.peer_status in (404, 422):
            raise _wrong(field, "Не найдено в реестре в пределах вашего доступа") from refused
        raise
    return found


def _int(found: dict[str, object], field: str) -> int:
    return int(str(found[field]))


def _wrong(field: str, detail: str, *, code: str = "node") -> ValidationFailed:
    return ValidationFailed(
        "Место учётной записи в территории указано неверно",
        errors=[{"pointer": f"/{field}", "code": code, "detail": detail}],
    )
