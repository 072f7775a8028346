"""Two regions in which every record says whose it is: canary texts in names, and the callers who ask.

`own` is the school that the callers of the matrix are named after; `sibling` lies in its municipality,
`elsewhere` in another municipality of the region, `abroad` in another region.
"""

import uuid
from dataclasses import dataclass

from services.kit.database import Depth
from services.kit.principals import Role
from tests.support import objectivity, steps
from tests.support.context import add_context
from tests.support.smolensk import results_file
from tests.support.world import PASSWORD, Caller, World, until
from tests.sweeps.operations import SERVICES

YEAR = 2026
PLACES = ("own", "sibling", "elsewhere", "abroad")


@dataclass(frozen=True)
class Place:
    """A school and where it lies."""

    name: str
    region_id: int
    municipality_id: int
    school_id: int
    code: str


@dataclass(frozen=True)
class Asking:
    """Somebody who calls, and the territory below which rows exist for him."""

    name: str
    role: str
    caller: Caller | None
    region_id: int | None = None
    municipality_id: int | None = None
    school_ids: frozenset[int] = frozenset()
    municipalities_of_grants: frozenset[int] = frozenset()
    # Numbers of places that his own past records name: a curator reads which schools he had.
    remembers: frozenset[int] = frozenset()

    @property
    def stands_at(self) -> str:
        """The place that the caller's own sound requests are about."""
        at = {
            "other region": "abroad",
            "other municipality": "elsewhere",
            "sibling school": "sibling",
        }
        return at.get(self.name, "own")

    def sees(self, depth: Depth, place: Place) -> bool:
        """Tell whether a record of this depth at this place exists for the caller. Source: design 4."""
        if self.region_id != place.region_id:
            return False
        if self.role in ("region", "integration"):
            return True
        match depth:
            case Depth.REGION:
                return False
            case Depth.REGION_OPEN:
                return True
            case Depth.MUNICIPALITY if self.role == "curator":
                return place.municipality_id in self.municipalities_of_grants
            case Depth.MUNICIPALITY:
                return self.municipality_id == place.municipality_id
            case Depth.SCHOOL if self.role == "municipality":
                return self.municipality_id == place.municipality_id
            case Depth.SCHOOL:
                return place.school_id in self.school_ids


@dataclass
class Territory:
    """The two regions, what is in them, and who asks."""

    places: dict[str, Place]
    regions: dict[str, steps.Region]
    callers: dict[str, Asking]
    # Path parameter -> place -> id. Records of a whole region stand at `own` and at `abroad`.
    records: dict[str, dict[str, int | str]]
    canaries: dict[str, tuple[Depth, Place]]
    machine_secret: dict[str, str]


def canary(text: str) -> str:
    """Return a text that stands in an answer only where the record of this name does."""
    return f"⟦{text}⟧"


async def build(world: World) -> Territory:
    """Make both regions over HTTP."""
    home = await _region(world, "81", "home", {"M1": ("own", "sibling"), "M2": ("elsewhere",)})
    abroad = await _region(world, "82", "abroad", {"M3": ("abroad",)})
    places = {place.name: place for place in (*home[1], *abroad[1])}
    canaries: dict[str, tuple[Depth, Place]] = {}
    for place in places.values():
        canaries[canary(f"school {place.name}")] = (Depth.SCHOOL, place)
        canaries[canary(f"account {place.name}")] = (Depth.SCHOOL, place)
        canaries[canary(f"grant {place.name}")] = (Depth.SCHOOL, place)
        canaries[canary(f"client {place.name}")] = (Depth.SCHOOL, place)
    for name, place in (("M1", "own"), ("M2", "elsewhere"), ("M3", "abroad")):
        canaries[canary(f"municipality {name}")] = (Depth.MUNICIPALITY, places[place])
    for name, place in (("home", "own"), ("abroad", "abroad")):
        canaries[canary(f"open {name}")] = (Depth.REGION_OPEN, places[place])
        canaries[canary(f"closed {name}")] = (Depth.REGION, places[place])
    regions = {"own": home[0], "abroad": abroad[0]}
    records = {name: dict(by_place) for name, by_place in home[2].items()}
    for name, by_place in abroad[2].items():
        records[name] |= by_place
    callers, secret = await _callers(world, regions, places, records)
    return Territory(places, regions, callers, records, canaries, secret)


Records = dict[str, dict[str, int | str]]


async def _region(
    world: World, code: str, name: str, municipalities: dict[str, tuple[str, ...]]
) -> tuple[steps.Region, list[Place], Records]:
    region = await steps.new_region(world, code, f"Регион {canary(f'open {name}')}")
    first = next(iter(municipalities.values()))[0]
    schools = await steps.add_schools(
        region,
        {key: canary(f"municipality {key}") for key in municipalities},
        [
            {
                "code": f"{code}{key}{position}".replace("M", "0"),
                "name": f"Школа {canary(f'school {place}')}",
                "municipality": key,
            }
            for key, places in municipalities.items()
            for position, place in enumerate(places)
        ],
    )
    by_name = {
        place: next(s for s in schools.values() if canary(f"school {place}") in s["name"])
        for places in municipalities.values()
        for place in places
    }
    places = [
        Place(place, region.id, school["municipality_id"], school["id"], school["code"])
        for place, school in by_name.items()
    ]
    records: Records = {}
    await _registry_records(world, region, places, first, records)
    await _indicator_records(region, places, first, records)
    await _signs(world, region, name, places, first, records)
    await _other_records(region, name, places, first, records)
    await _gateway_records(world, region, name, places, first, records)
    return region, places, records


async def _registry_records(
    world: World,
    region: steps.Region,
    places: list[Place],
    first: str,
    records: Records,
) -> None:
    analyst = region.analyst
    year = await analyst.post("/api/registry/v1/programme-years", {"year": YEAR})
    records["region_id"] = {first: region.id}
    records["programme_year_id"] = {first: year["id"]}
    records["municipality_id"] = {place.name: place.municipality_id for place in places}
    records["school_id"] = {place.name: place.school_id for place in places}
    records["grant_id"] = {}
    for place in places[1:] if first == "own" else places:
        somebody = await world.person(analyst, "curator")
        records["grant_id"][place.name] = await _grant(
            region, somebody, place, canary(f"grant {place.name}")
        )
    template = await analyst.ask(
        "GET", "/api/registry/v1/school-imports/template", params={"format": "csv"}
    )
    uploaded = await analyst.ask(
        "POST",
        "/api/registry/v1/school-imports",
        content=template.content,
        headers={"Content-Type": "text/csv", "Idempotency-Key": uuid.uuid4().hex},
    )
    assert uploaded.status_code == 201, uploaded.text
    records["school_import_id"] = {first: uploaded.json()["id"]}


async def _indicator_records(
    region: steps.Region, places: list[Place], first: str, records: Records
) -> None:
    permitted = [{"use": "identification", "from": None, "to": None, "basis": "Приказ № 1"}]
    procedures = [
        await steps.add_procedure(
            region, kind="oge", grade=9, year=year, published=True, permitted_uses=permitted
        )
        for year in (YEAR - 2, YEAR - 1)
    ]
    weak = [{"code": place.code, "is_low": True} for place in places]
    imports = [
        await steps.import_results(
            region.machine, procedure["id"], results_file(weak, procedure["year"])
        )
        for procedure in procedures
    ]
    version = await steps.methodology(region, shipped="smolensk-nro-fnsu")
    run = await steps.publish(
        region, await steps.identify(region, year=YEAR, methodology_version_id=version)
    )
    described = await region.analyst.get(f"/api/indicators/v1/procedures/{procedures[0]['id']}")
    records["procedure_id"] = {first: procedures[0]["id"]}
    records["scale_id"] = {first: described["scales"][0]["id"]}
    records["import_id"] = {first: imports[0]["id"]}
    records["version_id"] = {first: version}
    records["run_id"] = {first: run["id"]}
    draft = await steps.methodology_draft(region, version_id=version)
    records["draft_id"] = {first: draft["id"]}
    split = await steps.printed_split(
        region,
        year=2019,
        title="Прежний список",
        source={"document": "Программа"},
        total=1,
        flags=[{"code": "low_results", "title": "НР"}],
        cells=[{"flags": ["low_results"], "count": 1}],
    )
    records["split_id"] = {first: split["id"]}
    scenario = await steps.scenario(region, run["id"])
    records["scenario_id"] = {first: scenario["id"]}
    records["appeal_id"] = {}
    for place in places:
        mark = {"kind": "mark", "adverse_conditions": True}
        appeal = await steps.appeal(region.analyst, run["id"], place.school_id, mark)
        records["appeal_id"][place.name] = appeal["id"]
    context = await add_context(
        region,
        [place.code for place in places],
        canary(f"open {'home' if first == 'own' else 'abroad'}"),
    )
    by_profile = context.pop("profile_id")
    records |= {name: {first: number} for name, number in context.items()}
    records["profile_id"] = {place.name: by_profile[place.school_id] for place in places}
    # The publication has made the participations.
    listed = await region.analyst.all("/api/registry/v1/participations")
    by_school = {item["school_id"]: item["id"] for item in listed}
    records["participation_id"] = {place.name: by_school[place.school_id] for place in places}


async def _signs(
    world: World,
    region: steps.Region,
    name: str,
    places: list[Place],
    first: str,
    records: Records,
) -> None:
    detection, by_school = await objectivity.write(
        world.urls["indicators"].admin,
        region.id,
        [(place.school_id, place.municipality_id) for place in places],
        f"Школа с признаком, {name}",
    )
    records["detection_id"] = {first: detection}
    records["sign_id"] = {place.name: by_school[place.school_id] for place in places}


async def _other_records(
    region: steps.Region, name: str, places: list[Place], first: str, records: Records
) -> None:
    wave = await region.analyst.post(
        "/api/monitoring/v1/waves",
        {
            "year": YEAR,
            "kind": "entry",
            "title": f"Входной мониторинг {canary(f'open {name}')}",
            "opens_on": "2026-03-01",
            "closes_on": "2026-03-31",
        },
    )
    await region.analyst.post(
        f"/api/monitoring/v1/waves/{wave['id']}/schools",
        {"school_ids": [place.school_id for place in places]},
    )
    course = await region.analyst.post(
        "/api/training/v1/courses",
        {
            "year": YEAR,
            "title": f"Подготовка тьюторов {canary(f'open {name}')}",
            "hours": 36,
            "places": 350,
            "starts_on": "2026-03-12",
            "ends_on": "2026-03-27",
        },
    )
    records["wave_id"] = {first: wave["id"]}
    records["course_id"] = {first: course["id"]}
    records["enrolment_id"] = {}
    for place in places:
        enrolment = await region.analyst.post(
            "/api/training/v1/enrolments",
            {"course_id": course["id"], "school_id": place.school_id, "people": 5},
        )
        records["enrolment_id"][place.name] = enrolment["id"]


async def _gateway_records(
    world: World,
    region: steps.Region,
    name: str,
    places: list[Place],
    first: str,
    records: Records,
) -> None:
    # The same keys sign for all regions; only root may touch them.
    records["kid"] = {first: (await region.analyst.get("/api/auth/jwks"))["keys"][0]["kid"]}
    await region.analyst.post(
        "/api/accounts/machine-clients",
        {
            "client_id": f"system-{name}",
            "title": f"Система {canary(f'closed {name}')}",
            "scopes": ["schools:read"],
        },
    )
    records["client_number"], records["secret_id"] = {}, {}
    records["account_id"], records["session_id"] = {}, {}
    for place in places:
        account = await region.analyst.post(
            "/api/accounts",
            {
                "login": f"victim.{place.name}",
                "display_name": canary(f"account {place.name}"),
                "role": "school",
                "school_id": place.school_id,
                "password": PASSWORD,
            },
        )
        await steps.link_to_issuer(region.analyst, account["id"], f"esia-{place.name}")
        records["account_id"][place.name] = account["id"]
        client = await region.analyst.post(
            "/api/accounts/machine-clients",
            {
                "client_id": f"client-{place.name}",
                "title": f"Система {canary(f'client {place.name}')}",
                "scopes": ["schools:read"],
                "school_id": place.school_id,
            },
        )
        address = f"/api/accounts/machine-clients/{client['id']}"
        await region.analyst.post(f"{address}/secret", etag=client["version"])
        (secret,) = await region.analyst.all(f"{address}/secrets")
        records["client_number"][place.name] = client["id"]
        records["secret_id"][place.name] = secret["id"]
        victim = await world.log_in(f"victim.{place.name}")
        (session,) = (await victim.get("/api/auth/sessions"))["items"]
        records["session_id"][place.name] = session["id"]


async def _callers(
    world: World,
    regions: dict[str, steps.Region],
    places: dict[str, Place],
    records: Records,
) -> tuple[dict[str, Asking], dict[str, str]]:
    home, abroad = regions["own"], regions["abroad"]
    own, elsewhere = places["own"], places["elsewhere"]

    async def person(name: str, role: str, place: Place, *, school: bool = False) -> Asking:
        node = {"school_id": place.school_id} if school else {}
        if role == "municipality":
            node = {"municipality_id": place.municipality_id}
        return Asking(
            name,
            role,
            await world.person(home.analyst, role, **node),
            place.region_id,
            place.municipality_id,
            frozenset({place.school_id}) if school else frozenset(),
        )

    granted = await world.person(home.analyst, "curator")
    ended = await world.person(home.analyst, "curator")
    # A curator reads grants of his own only, so the grant of `own` is that of the curator who asks.
    records["grant_id"]["own"] = await _grant(home, granted, own, canary("grant own"))
    await _grant(home, ended, own, "Приказ № 7", valid_to="2025-12-31")

    async def granted_everywhere() -> bool:
        schools = [
            await granted.get("/api/indicators/v1/indices", count="true"),
            await granted.get("/api/training/v1/enrolments", count="true"),
        ]
        return all(page["total"] for page in schools)

    await until(granted_everywhere, what="the grant to reach the services")
    of_home = own.region_id
    callers = [
        Asking("region", "region", home.analyst, of_home),
        Asking("other region", "region", abroad.analyst, places["abroad"].region_id),
        await person("municipality", "municipality", own),
        await person("other municipality", "municipality", elsewhere),
        await person("school", "school", own, school=True),
        await person("sibling school", "school", places["sibling"], school=True),
        Asking(
            "curator with a grant",
            "curator",
            granted,
            of_home,
            school_ids=frozenset({own.school_id}),
            municipalities_of_grants=frozenset({own.municipality_id}),
        ),
        Asking(
            "curator whose grant ended",
            "curator",
            ended,
            of_home,
            remembers=frozenset({own.school_id, own.municipality_id}),
        ),
        Asking("machine with the scope", "integration", None, of_home),
        Asking("machine without the scope", "integration", None, of_home),
        Asking("nobody", "anonymous", None),
    ]
    return {asking.name: asking for asking in callers}, await _machine(home)


async def _grant(
    region: steps.Region, curator: Caller, place: Place, reason: str, **term: str
) -> int:
    grant = await region.analyst.post(
        "/api/registry/v1/curator-grants",
        {
            "curator": curator.subject,
            "school_id": place.school_id,
            "valid_from": "2025-09-01",
            "reason": reason,
        }
        | term,
    )
    return int(grant["id"])


async def _machine(region: steps.Region) -> dict[str, str]:
    """Register a machine client with every scope that a region may grant."""
    client = await region.analyst.post(
        "/api/accounts/machine-clients",
        {"client_id": "everything", "title": "Все права", "scopes": sorted(grantable())},
    )
    secret = await region.analyst.post(
        f"/api/accounts/machine-clients/{client['id']}/secret", etag=client["version"]
    )
    return {"client_id": "everything", "client_secret": secret["client_secret"]}


def grantable() -> set[str]:
    """Return the scopes that a machine client of a region may hold."""
    held: set[str] = set()
    for service in SERVICES:
        held |= service.roles[Role.REGION] & service.roles[Role.INTEGRATION]
    return held
