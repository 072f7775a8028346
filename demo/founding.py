"""The region comes into being: the region itself, its first people, its municipalities and schools."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from demo.client import Client, Refused
from demo.files import schools_file
from demo.region import Role
from demo.stage import YEAR, Stage

__all__ = [
    "ANALYST",
    "APPROVER",
    "CURATOR",
    "MACHINE",
    "MUNICIPALITY",
    "REGISTRY",
    "SCHOOL",
    "Ground",
    "found",
]

REGISTRY = "/api/registry/v1"
ANALYST, APPROVER = "analyst.smolensk", "chief.smolensk"
MUNICIPALITY, SCHOOL, CURATOR = "velizh.smolensk", "school.smolensk", "curator.smolensk"
MACHINE = "ris-gia-67"

SCOPES = ["imports:read", "imports:write", "procedures:read"]
"""What the system of the examinations may do: send results, nothing else."""

CURATED = 3
"""So many schools the demonstration gives to its curator."""


@dataclass(frozen=True)
class Ground:
    """What the later steps stand on."""

    region_id: int
    municipalities: dict[str, int]
    schools: dict[str, int]
    shown: str
    """Code of the school whose user looks at Opora at the end."""


def found(stage: Stage) -> Ground:
    """Make what is missing; what is there is found again through the API."""
    region_id = _region(stage)
    analyst = stage.person(ANALYST)
    municipalities = _municipalities(stage, analyst)
    _schools(stage, analyst)
    schools = {school["code"]: int(school["id"]) for school in analyst.every(f"{REGISTRY}/schools")}
    shown = _shown(stage)
    _people(stage, analyst, municipalities, schools[shown])
    _curated(analyst, schools, stage)
    _machine(stage, analyst)
    _programme_year(stage, analyst)
    return Ground(region_id, municipalities, schools, shown)


def _region(stage: Stage) -> int:
    """Return the region's id; the administrator makes it and its two first people once."""
    preset = stage.region.preset
    if _can_enter(stage, ANALYST):
        known = next(iter(stage.person(ANALYST).every(f"{REGISTRY}/regions")))
        _appoint_analysts(stage, known["id"])
        stage.say(f"Регион уже есть: {known['name']}, номер {known['id']}")
        return int(known["id"])
    region = {"code": preset.code, "name": preset.name, "oktmo_prefix": preset.oktmo}
    answer = stage.administrator().post(
        f"{REGISTRY}/regions", region, key=f"demo-region-{preset.code}"
    )
    _appoint_analysts(stage, answer.body["id"])
    stage.say(f"Создан регион: {preset.name}, номер {answer.body['id']}")
    return int(answer.body["id"])


def _can_enter(stage: Stage, login: str) -> bool:
    """Tell whether a person is there and has the kept password."""
    try:
        stage.person(login).token()
    except Refused as refused:
        if refused.status not in {400, 401}:
            raise
        return False
    return True


def _appoint_analysts(stage: Stage, region_id: int) -> None:
    for login, name in ((ANALYST, "Аналитик региона"), (APPROVER, "Руководитель, утверждает")):
        if not _can_enter(stage, login):
            person = {
                "login": login,
                "display_name": name,
                "role": "region",
                "region_id": region_id,
            }
            _appoint(stage, stage.administrator(), person)


def _appoint(stage: Stage, by: Client, person: dict[str, object]) -> None:
    login = str(person["login"])
    body = person | {"password": stage.keepsake.password(login)}
    try:
        by.post("/api/accounts", body, key=f"demo-account-{login}")
    except Refused as refused:
        # Somebody with this login is there, and the kept password is that one's.
        if refused.code != "login-taken":
            raise


def _municipalities(stage: Stage, analyst: Client) -> dict[str, int]:
    path = f"{REGISTRY}/municipalities"
    known = {place["code"]: int(place["id"]) for place in analyst.every(path)}
    made = 0
    region = stage.region
    for code, oktmo, place in zip(
        region.municipality_code, region.municipality_oktmo, region.preset.places, strict=True
    ):
        if code not in known:
            new = {"code": code, "name": place.name, "kind": place.kind, "oktmo": oktmo}
            answer = analyst.post(path, new, key=f"demo-municipality-{code}")
            known[code] = int(answer.body["id"])
            made += 1
    stage.say(f"Муниципалитетов: {len(known)} (создано сейчас: {made})")
    return known


def _schools(stage: Stage, analyst: Client) -> None:
    """Import the schools from a file: upload, check, commit."""
    path = f"{REGISTRY}/school-imports"
    file = stage.directory / "schools.csv"
    file.write_bytes(schools_file(stage.region, year=YEAR))
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    known = (one for one in analyst.every(path) if one["sha256"] == sha256)
    found = next(known, None)
    if found is not None and found["state"] == "committed":
        stage.say(f"Школы уже загружены: импорт № {found['id']}, строк {found['rows_stored']}")
        return
    if found is None or found["state"] == "failed":
        found = _uploaded(analyst, path, file, sha256, attempt=0 if found is None else found["id"])
    here = f"{path}/{found['id']}"
    if found["state"] == "checked":
        analyst.post(f"{here}/commit", {}, key=f"demo-schools-commit-{found['id']}")
    with stage.progress() as bars:
        bar = bars.add_task("Запись школ в реестр", total=None, note="")
        done = analyst.follow(here, while_in=("checked", "committing"))
        bars.update(bar, total=1, completed=1)
    if done["state"] != "committed":
        raise Refused(409, {"title": "Школы не записаны", "detail": done["failure"]})
    stage.say(
        f"Школы загружены файлом {file.name}: строк {done['rows_in']} = записано "
        f"{done['rows_stored']} + отклонено {done['rows_rejected']} + пропущено {done['rows_ignored']}"
    )


def _uploaded(
    analyst: Client, path: str, file: Path, sha256: str, *, attempt: int
) -> dict[str, object]:
    sent = analyst.upload(
        "POST", path, file, headers={"Idempotency-Key": f"demo-schools-{attempt}-{sha256[:16]}"}
    )
    found: dict[str, object] = analyst.get(f"{path}/{sent.body['id']}")
    return found


def _shown(stage: Stage) -> str:
    """Choose a school with both signs: the one that shows most."""
    schools = stage.region.schools
    return next(
        code
        for code, role in zip(schools.code, schools.role.tolist(), strict=True)
        if role == Role.BOTH
    )


def _people(stage: Stage, analyst: Client, municipalities: dict[str, int], school_id: int) -> None:
    velizh = municipalities[stage.region.municipality_code[0]]
    known = {account["login"] for account in analyst.every("/api/accounts")}
    people: tuple[dict[str, object], ...] = (
        {
            "login": MUNICIPALITY,
            "display_name": "Отдел образования",
            "role": "municipality",
            "municipality_id": velizh,
        },
        {
            "login": SCHOOL,
            "display_name": "Директор школы",
            "role": "school",
            "school_id": school_id,
        },
        {"login": CURATOR, "display_name": "Куратор", "role": "curator"},
    )
    for person in people:
        if person["login"] not in known:
            _appoint(stage, analyst, person)
    stage.say("Учётные записи: аналитик, утверждающий, муниципалитет, школа, куратор")


def _curated(analyst: Client, schools: dict[str, int], stage: Stage) -> None:
    """Give the curator a few of the schools that will be found."""
    accounts = analyst.every("/api/accounts", role="curator")
    curator = next(f"user:{one['id']}" for one in accounts if one["login"] == CURATOR)
    given = {grant["school_id"] for grant in analyst.every(f"{REGISTRY}/curator-grants")}
    of_region = stage.region.schools
    found = [
        code
        for code, role in zip(of_region.code, of_region.role.tolist(), strict=True)
        if role != Role.NONE
    ]
    for code in found[:CURATED]:
        if schools[code] not in given:
            grant = {
                "curator": curator,
                "school_id": schools[code],
                "valid_from": f"{YEAR - 1}-09-01",
                "reason": "Приказ от 01.09.2025 № 55 (учебный)",
            }
            analyst.post(f"{REGISTRY}/curator-grants", grant, key=f"demo-grant-{code}")


def _machine(stage: Stage, analyst: Client) -> None:
    """Register the examinations' system; its secret is told once and kept."""
    path = "/api/accounts/machine-clients"
    known = next((one for one in analyst.every(path) if one["client_id"] == MACHINE), None)
    if known is None:
        new = {"client_id": MACHINE, "title": "РИС ГИА (учебная)", "scopes": SCOPES}
        known = analyst.post(path, new, key=f"demo-client-{MACHINE}").body
    if stage.keepsake.secret(MACHINE) is None:
        seen = analyst.read(f"{path}/{known['id']}")
        issued = analyst.issue(f"{path}/{known['id']}/secret", etag=str(seen.etag))
        stage.keepsake.keep(MACHINE, issued.body["client_secret"])
    stage.say(f"Машинный клиент {MACHINE}: права {', '.join(SCOPES)}")


def _programme_year(stage: Stage, analyst: Client) -> None:
    path = f"{REGISTRY}/programme-years"
    if YEAR not in {one["year"] for one in analyst.every(path)}:
        analyst.post(path, {"year": YEAR}, key=f"demo-programme-year-{YEAR}")
    stage.say(f"Программный год {YEAR - 1}/{YEAR}")
