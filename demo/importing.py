"""Results come in: procedures with the published scales, files from the examinations' system, checks, commits."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.progress import Progress, TaskID

from demo.client import Client, Refused, digest_header
from demo.files import Mistakes, results_file
from demo.founding import ANALYST, MACHINE
from demo.scales import Procedure
from demo.stage import YEAR, Stage

__all__ = ["INDICATORS", "PROCEDURES", "bring_results"]

INDICATORS = "/api/indicators/v1"

PROCEDURES = tuple(
    Procedure(kind, grade, year)
    for year in (YEAR - 2, YEAR - 1)
    for kind, grade in (("oge", 9), ("ege", 11), ("vpr", 5))
)
"""Two previous years. ВПР is there for analysis; by its default use it does not identify schools."""

MISTAKEN = Procedure("oge", 9, YEAR - 1)
MISTAKES = Mistakes(duplicates=4, unknown_schools=2, above_maximum=1, missing_points=1, empty=2)
"""One of the files is as files are, so that the report of the check has something to say."""

_UNDER_WAY = ("uploaded", "checking", "committing")


@dataclass
class _Coming:
    """One file on its way in."""

    procedure: Procedure
    procedure_id: int
    file: Path
    sha256: bytes
    import_id: int
    bar: TaskID


def bring_results(stage: Stage) -> None:
    """Send every file that has not been sent; all are checked and then stored, one after another."""
    procedures = _procedures(stage, stage.person(ANALYST))
    machine = stage.machine(MACHINE, str(stage.keepsake.secret(MACHINE)))
    known = _committed(machine)
    with stage.progress() as bars:
        coming = []
        for procedure in PROCEDURES:
            file = stage.directory / f"{procedure.name}.csv"
            if not file.exists():
                bar = bars.add_task(f"{procedure.title}: файл", total=None, note="")
                _write(stage, procedure, file)
                bars.remove_task(bar)
            sha256 = hashlib.sha256(file.read_bytes())
            if (done := known.get(sha256.hexdigest())) is not None:
                bars.console.print(f"[green]✓[/] {_told(procedure, done)}; загружено раньше")
                continue
            bar = bars.add_task(procedure.title, total=1.0, note="отправка файла")
            one = _Coming(procedure, procedures[procedure], file, sha256.digest(), 0, bar)
            _send(machine, one, bars)
            coming.append(one)
        for one in coming:
            _check(machine, one, bars)
        for one in coming:
            done = _commit(machine, one, bars)
            bars.remove_task(one.bar)
            bars.console.print(f"[green]✓[/] {_told(one.procedure, done)}")
            _tell_findings(machine, done, bars)


def _procedures(stage: Stage, analyst: Client) -> dict[Procedure, int]:
    path = f"{INDICATORS}/procedures"
    known = {
        Procedure(one["kind"], one["grade"], one["year"]): int(one["id"])
        for one in analyst.every(path)
    }
    for procedure in PROCEDURES:
        if procedure not in known:
            new = {
                "kind": procedure.kind,
                "grade": procedure.grade,
                "year": procedure.year,
                "title": procedure.title,
                "published": True,
            }
            made = analyst.post(path, new, key=f"demo-procedure-{procedure.name}")
            known[procedure] = int(made.body["id"])
    stage.say(f"Процедур с опубликованными шкалами: {len(PROCEDURES)}")
    return known


def _write(stage: Stage, procedure: Procedure, file: Path) -> None:
    mistakes = MISTAKES if procedure == MISTAKEN else None
    # Whole or not at all: a file cut by Ctrl-C would be another file at the next start.
    written = file.with_suffix(".new")
    written.write_bytes(results_file(stage.region, procedure, mistakes=mistakes))
    written.rename(file)


def _committed(machine: Client) -> dict[str, dict[str, Any]]:
    """Return the stored imports by the hash of their file."""
    return {
        file["sha256"]: one
        for one in machine.every(f"{INDICATORS}/imports", state="committed")
        for file in one["files"]
    }


def _send(machine: Client, one: _Coming, bars: Progress) -> None:
    """Begin an import, or go on with the one that a killed start began, and send the file."""
    path, name = f"{INDICATORS}/imports", one.sha256.hex()[:16]
    begun = next(
        (
            known
            for known in machine.every(path, procedure_id=one.procedure_id)
            if known["note"] == name and known["state"] in {"draft", "checked", *_UNDER_WAY}
        ),
        None,
    )
    if begun is None:
        spent = sum(1 for _ in machine.every(path, procedure_id=one.procedure_id))
        new = {"procedure_id": one.procedure_id, "layout": "opora-results", "note": name}
        begun = machine.post(path, new, key=f"demo-import-{name}-{spent}").body
    one.import_id = int(begun["id"])
    if begun["state"] != "draft":
        return
    size = one.file.stat().st_size
    machine.upload(
        "PUT",
        f"{path}/{one.import_id}/files/results",
        one.file,
        headers=digest_header(one.sha256),
        sent=lambda done: bars.update(one.bar, completed=0.2 * done / size),
    )
    bars.update(one.bar, note="ждёт проверки")


def _check(machine: Client, one: _Coming, bars: Progress) -> None:
    """Wait for the verdict; the schools may still be on their way from the registry."""
    expected = MISTAKES.unknown_schools if one.procedure == MISTAKEN else 0
    for attempt in range(60):
        found = _followed(machine, one, bars, "проверка", ("uploaded", "checking"), 0.2)
        unknown = found["counts"].get("rejected", {}).get("school-unknown", 0)
        if found["state"] != "checked" or unknown <= expected:
            break
        path = f"{INDICATORS}/imports/{one.import_id}/check"
        machine.post(path, key=f"demo-check-{one.import_id}-{found['version']}-{attempt}")
    if found["state"] not in {"checked", "committing", "committed"}:
        raise Refused(409, found["problem"] or {"title": f"Импорт {found['state']}"})


def _commit(machine: Client, one: _Coming, bars: Progress) -> dict[str, Any]:
    path = f"{INDICATORS}/imports/{one.import_id}"
    found = machine.get(path)
    if found["state"] == "checked":
        accept = {"accept_rejected": one.procedure == MISTAKEN}
        machine.post(
            f"{path}/commit", accept, key=f"demo-commit-{one.import_id}-{found['version']}"
        )
    found = _followed(machine, one, bars, "запись", ("committing",), 0.6)
    if found["state"] != "committed":
        raise Refused(409, found["problem"] or {"title": f"Импорт {found['state']}"})
    return found


def _followed(
    machine: Client,
    one: _Coming,
    bars: Progress,
    doing: str,
    while_in: tuple[str, ...],
    start: float,
) -> dict[str, Any]:
    def seen(found: dict[str, Any]) -> None:
        job = found["job"] or {"done": 0, "total": 0}
        share = job["done"] / job["total"] if job["total"] else 0.0
        bars.update(one.bar, completed=start + 0.4 * min(share, 1.0), note=doing)

    return machine.follow(f"{INDICATORS}/imports/{one.import_id}", while_in=while_in, seen=seen)


def _told(procedure: Procedure, done: dict[str, Any]) -> str:
    return (
        f"{procedure.title}: строк {done['rows_in']} = записано {done['stored']} + отклонено "
        f"{done['rejected']} + пропущено {done['ignored']} (импорт № {done['id']})"
    )


def _tell_findings(machine: Client, done: dict[str, Any], bars: Progress) -> None:
    for finding in machine.get(f"{INDICATORS}/imports/{done['id']}/findings")["items"]:
        if finding["outcome"] == "rejected":
            bars.console.print(
                f"    отклонено {finding['count']}: {finding['message']}, строка {finding['first_row']}"
                f". {finding['remedy']}",
                highlight=False,
            )
