"""What happens to the schools next: a wave of monitoring that expects them, a course for their teachers."""

from typing import Any

from demo.client import Client, Refused
from demo.founding import ANALYST, Ground
from demo.stage import YEAR, Stage

__all__ = ["TRAINING", "WAVES", "follow_up"]

WAVES = "/api/monitoring/v1/waves"
TRAINING = "/api/training/v1"
PLACES = 30
_SENT = 2
"""Teachers of the shown school on the course."""


def follow_up(stage: Stage, ground: Ground) -> None:
    """Plan what is not planned yet."""
    analyst = stage.person(ANALYST)
    wave = _wave(stage, analyst)
    stage.say(
        f"Волна мониторинга «{wave['title']}»: ждёт ответа от {wave['expected_schools']} школ"
    )
    course = _course(stage, analyst, ground.schools[ground.shown])
    stage.say(
        f"Курс «{course['title']}», {course['hours']} ч.: занято {course['taken_places']} "
        f"из {course['places']} мест"
    )


def _wave(stage: Stage, analyst: Client) -> dict[str, Any]:
    title = f"Входной мониторинг, {YEAR}"
    wave = next((one for one in analyst.every(WAVES, year=YEAR) if one["title"] == title), None)
    if wave is None:
        new = {
            "year": YEAR,
            "kind": "entry",
            "title": title,
            "opens_on": f"{YEAR}-03-01",
            "closes_on": f"{YEAR}-03-31",
        }
        wave = analyst.post(WAVES, new, key=f"demo-wave-{YEAR}").body
    path = f"{WAVES}/{wave['id']}"
    if wave["state"] == "planned":
        everybody = {"participants": True}
        stage.wait_for(
            lambda: _copied(analyst, f"{path}/schools", everybody, f"demo-roster-{wave['id']}"),
            "школы в службе мониторинга",
        )
        seen = analyst.read(path)
        analyst.post(f"{path}/opening", key=f"demo-opening-{wave['id']}", etag=seen.etag)
    opened: dict[str, Any] = analyst.get(path)
    return opened


def _course(stage: Stage, analyst: Client, school_id: int) -> dict[str, Any]:
    path, title = f"{TRAINING}/courses", "Подготовка тьюторов: математика"
    course = next((one for one in analyst.every(path, year=YEAR) if one["title"] == title), None)
    if course is None:
        new = {
            "year": YEAR,
            "title": title,
            "hours": 36,
            "places": PLACES,
            "starts_on": f"{YEAR}-03-12",
            "ends_on": f"{YEAR}-03-27",
        }
        course = analyst.post(path, new, key=f"demo-course-{YEAR}").body
    if course["taken_places"] == 0:
        places = {"course_id": course["id"], "school_id": school_id, "people": _SENT}
        stage.wait_for(
            lambda: _copied(
                analyst, f"{TRAINING}/enrolments", places, f"demo-enrolment-{course['id']}"
            ),
            "школы в службе обучения",
        )
    planned: dict[str, Any] = analyst.get(f"{path}/{course['id']}")
    return planned


def _copied(analyst: Client, path: str, body: object, key: str) -> bool | None:
    """Do something that needs the service's copy of the registry; None while it has not come yet."""
    try:
        analyst.post(path, body, key=key)
    except Refused as refused:
        if refused.status in {404, 409, 422}:
            return None
        raise
    return True
