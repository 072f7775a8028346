"""One cell of the matrix: an operation, who calls it, and whose record it names; what must come out.

What must come out follows from three tables alone: the scopes of the contract, the roles that hold
them (`roles.py` of each service), and how precisely a record is located (`RECORDS`).
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import httpx

from services.kit.database import Depth
from services.kit.principals import Role
from tests.matrix.territory import PLACES, Asking, Place, Territory
from tests.sweeps.operations import EVERY, SERVICES, Operation

# What a path parameter names, and how precisely that is located. A new parameter is added here and
# in the territory; until then the matrix fails.
RECORDS: dict[str, Depth] = {
    "region_id": Depth.REGION_OPEN,
    "municipality_id": Depth.MUNICIPALITY,
    "school_id": Depth.SCHOOL,
    "programme_year_id": Depth.REGION_OPEN,
    "participation_id": Depth.SCHOOL,
    "grant_id": Depth.SCHOOL,
    "school_import_id": Depth.REGION,
    "account_id": Depth.SCHOOL,
    "client_number": Depth.SCHOOL,
    "secret_id": Depth.SCHOOL,
    "procedure_id": Depth.REGION_OPEN,
    "scale_id": Depth.REGION_OPEN,
    "import_id": Depth.REGION,
    "version_id": Depth.REGION_OPEN,
    "draft_id": Depth.REGION,
    "split_id": Depth.REGION_OPEN,
    "run_id": Depth.REGION_OPEN,
    "scenario_id": Depth.REGION,
    "appeal_id": Depth.SCHOOL,
    "detection_id": Depth.REGION_OPEN,
    "sign_id": Depth.SCHOOL,
    "attribute_id": Depth.REGION_OPEN,
    "profile_id": Depth.SCHOOL,
    "profile_import_id": Depth.REGION,
    "index_id": Depth.REGION_OPEN,
    "calculation_id": Depth.REGION,
    "wave_id": Depth.REGION_OPEN,
    "course_id": Depth.REGION_OPEN,
    "enrolment_id": Depth.SCHOOL,
    "session_id": Depth.SCHOOL,
    "kid": Depth.REGION,
}

# The registry is asked on behalf of the caller, who needs these rights there as well.
ALSO_NEEDED = {
    "gateway_create_account": {"territory:read", "schools:read"},
    "gateway_create_machine_client": {"territory:read", "schools:read"},
}

# These name a record of the caller itself, so nobody else's exists for it.
OWN = {"gateway_end_own_session"}

# Whoever may do this uses the record up, so the next who may finds none.
USED_UP = {"gateway_end_account_session": "session-not-found"}

# These change the caller itself: the matrix would log its own callers out. Each has tests of its own
# in tests/gateway; here only nobody's call is asked.
OF_THE_CALLER = {
    "gateway_end_other_own_sessions",
    "gateway_change_own_password",
    "gateway_enrol_own_second_factor",
    "gateway_confirm_own_second_factor",
    "gateway_replace_own_recovery_codes",
    "gateway_remove_own_second_factor",
}

# Parameters that name no record of anybody's, with a value that exists.
NAMES = {"name": "opora-results.csv", "table": "results"}

_ALSO_CALLED = {
    "predecessor_id": "school_id",
    "methodology_version_id": "version_id",
    "with": "version_id",
    "earlier_run_id": "run_id",
    "other_scenario_id": "scenario_id",
}

STALE = '"999999"'
"""An entity tag that no record has: who may change a record is told 412, and nothing is changed."""


class Expected(StrEnum):
    """What must come out of a cell."""

    UNKNOWN = "401"  # nobody known calls
    FORBIDDEN = "403"  # the role or the token lacks the scope
    ABSENT = "404"  # the record does not exist for this caller
    ANSWERED = "ответ"  # neither of these: the caller may


@dataclass(frozen=True)
class Cell:
    """An operation, a caller, and the place whose record it names (None: it names none)."""

    operation: Operation
    asking: Asking
    place: Place | None

    @property
    def name(self) -> str:
        """How the report calls it."""
        whose = self.place.name if self.place else "-"
        return f"{self.operation.id} | {self.asking.name} | {whose}"

    @property
    def about(self) -> str:
        """The place whose ids the request carries."""
        return self.place.name if self.place else self.asking.stands_at

    def expected(self) -> Expected:
        """Say what must come out, by the tables alone."""
        if self.asking.role == "anonymous":
            return Expected.UNKNOWN
        if not self._holds_scopes():
            return Expected.FORBIDDEN
        if self.operation.id in OWN:
            # A machine has nothing of its own there: it is told so, with a code of its own.
            return Expected.ANSWERED if self.asking.role == "integration" else Expected.ABSENT
        if self.place is None or self.asking.sees(self._depth(), self.place):
            return Expected.ANSWERED
        return Expected.ABSENT

    def _holds_scopes(self) -> bool:
        needed = set(self.operation.scopes)
        if self.asking.name == "machine without the scope":
            return not needed
        service = next(one for one in SERVICES if one.name == self.operation.service)
        held = service.roles[Role(self.asking.role)]
        if self.asking.role == "integration":
            # No region holds it, so none can grant it.
            held &= service.roles[Role.REGION]
        return needed <= held

    def _depth(self) -> Depth:
        """Return the depth of the record that decides: the most precisely located one."""
        order = list(Depth)
        return max((RECORDS[name] for name in located(self.operation)), key=order.index)


def parameter(operation: Operation, name: str) -> str:
    """Return the record that a path parameter names; two features call theirs alike."""
    if name == "import_id" and operation.service == "registry":
        return "school_import_id"
    return name


def located(operation: Operation) -> list[str]:
    """Return the records that the path names."""
    named = [parameter(operation, name) for name in operation.path_parameters]
    return [name for name in named if name not in NAMES]


def cells(territory: Territory) -> Iterator[Cell]:
    """Yield every cell: for each operation and caller one per place of the record it names."""
    for operation in EVERY:
        if operation.is_public:
            continue
        for asking in territory.callers.values():
            if operation.id in OF_THE_CALLER and asking.role != "anonymous":
                continue
            for place in places_of(operation, territory):
                yield Cell(operation, asking, place)


def places_of(operation: Operation, territory: Territory) -> list[Place | None]:
    records = located(operation)
    if not records:
        return [None]
    # A record of a whole region stands at two places only, the region's first school and abroad.
    named = [
        place
        for place in PLACES
        if any(place in territory.records[record] for record in records)
        and all(_value(territory, record, place) is not None for record in records)
    ]
    return [territory.places[name] for name in named]


def _value(territory: Territory, record: str, place: str) -> int | str | None:
    by_place = territory.records[record]
    if place in by_place:
        return by_place[place]
    region = territory.places[place].region_id
    if RECORDS[record] in (Depth.REGION, Depth.REGION_OPEN):
        return next(
            (v for name, v in by_place.items() if territory.places[name].region_id == region), None
        )
    return None


def path_of(cell: Cell, territory: Territory) -> str:
    """Return the path with the ids of the cell's place."""
    values: dict[str, Any] = {}
    for name in cell.operation.path_parameters:
        record = parameter(cell.operation, name)
        values[name] = NAMES[name] if name in NAMES else _value(territory, record, cell.about)
    return cell.operation.path.format(**values)


def body_of(cell: Cell, territory: Territory) -> Any:
    """Return a sound body: the contract's examples, with the ids of the cell's own place."""
    return with_ids(cell.operation.body(), territory, cell.about)


def with_ids(node: Any, territory: Territory, place: str) -> Any:
    """Put a place's ids into a body made of examples."""
    if isinstance(node, list):
        return [with_ids(part, territory, place) for part in node]
    if not isinstance(node, dict):
        return node
    filled = {}
    for key, part in node.items():
        record = _ALSO_CALLED.get(key, key)
        if key in ("login", "client_id"):
            # One name in all regions: the example's is wanted by other stories.
            filled[key] = f"matrix-{uuid.uuid4().hex[:12]}"
        elif key == "school_ids":
            filled[key] = [territory.places[place].school_id]
        elif record in RECORDS and isinstance(part, int):
            filled[key] = _value(territory, record, place)
        else:
            filled[key] = with_ids(part, territory, place)
    return filled


async def call(
    http: httpx.AsyncClient, cell: Cell, territory: Territory, token: str | None
) -> httpx.Response:
    """Make the call through the gateway."""
    headers = {"Idempotency-Key": uuid.uuid4().hex, "If-Match": STALE}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    return await http.request(
        cell.operation.method,
        path_of(cell, territory),
        json=body_of(cell, territory),
        params=with_ids(cell.operation.query(), territory, cell.about),
        headers=headers,
    )
