"""The decision: a run of identification, prepared by one person, approved by another, published."""

from typing import Any

from demo.client import Client, Refused
from demo.founding import ANALYST, APPROVER, REGISTRY
from demo.importing import INDICATORS
from demo.stage import YEAR, Stage

__all__ = ["METHODOLOGY", "RUNS", "identify"]

METHODOLOGY = "smolensk-nro-fnsu"
RUNS = f"{INDICATORS}/identification-runs"
ORDER = {"order_number": "1042-ОД (учебный)", "order_date": "2025-10-01"}


def identify(stage: Stage) -> dict[str, Any]:
    """Bring the year's run to publication from whatever state it is in; return it."""
    analyst, chief = stage.person(ANALYST), stage.person(APPROVER)
    run = _run(analyst)
    if run["state"] == "published":
        stage.say(f"Список уже опубликован: прогон № {run['id']}, приказ {run['order_number']}")
    with stage.progress() as bars:
        bar = bars.add_task("Выявление школ", total=4, note="расчёт")
        run = _followed(analyst, run, ("computing",))
        if run["state"] == "refused":
            raise Refused(409, run["refusal"])
        bars.update(bar, completed=1, note="подготовка")
        run = _step(analyst, run, "draft", "preparation")
        bars.update(bar, completed=2, note="утверждение другим лицом")
        run = _step(chief, run, "prepared", "approval", ORDER | {"list_hash": run["list_hash"]})
        bars.update(bar, completed=3, note="публикация")
        if run["state"] == "approved":
            _step(chief, run, "approved", "publication")
            run = _followed(analyst, run, ("approved",))
        listed = int(run["counts"]["listed"])
        bars.update(bar, note="участие в реестре")
        stage.wait_for(lambda: _taking_part(analyst, listed), "участия школ в реестре")
        bars.update(bar, completed=4, note="")
    stage.say(
        f"Прогон № {run['id']}: подготовил {run['prepared_by']}, утвердил {run['approved_by']}, "
        f"приказ {run['order_number']} от {run['order_date']}; участниками стали {listed} школ"
    )
    return run


def _run(analyst: Client) -> dict[str, Any]:
    runs = list(analyst.every(RUNS, year=YEAR))
    for known in runs:
        if known["state"] not in {"refused", "voided"}:
            return known
    methodology_id = _methodology(analyst)
    wish = {"year": YEAR, "methodology_version_id": methodology_id}
    answer = analyst.post(RUNS, wish, key=f"demo-run-{YEAR}-{methodology_id}-{len(runs)}")
    started: dict[str, Any] = answer.body
    return started


def _methodology(analyst: Client) -> int:
    path = f"{INDICATORS}/methodology-versions"
    for known in analyst.every(path):
        if known["code"] == METHODOLOGY:
            return int(known["id"])
    made = analyst.post(path, {"shipped": METHODOLOGY}, key=f"demo-methodology-{METHODOLOGY}")
    return int(made.body["id"])


def _step(
    by: Client, run: dict[str, Any], state: str, transition: str, body: object = None
) -> dict[str, Any]:
    """Make a transition unless it has been made."""
    if run["state"] != state:
        return run
    path = f"{RUNS}/{run['id']}"
    seen = by.read(path)
    answer = by.post(
        f"{path}/{transition}", body, key=f"demo-{transition}-{run['id']}", etag=seen.etag
    )
    after: dict[str, Any] = answer.body
    return after


def _followed(analyst: Client, run: dict[str, Any], while_in: tuple[str, ...]) -> dict[str, Any]:
    return analyst.follow(f"{RUNS}/{run['id']}", while_in=while_in)


def _taking_part(analyst: Client, listed: int) -> int | None:
    page = analyst.get(f"{REGISTRY}/participations", year=YEAR, limit=1, count=True)
    return listed if page["total"] == listed else None
