"""The table of contents of training."""

from services.kit.feed import Follower
from services.kit.projection import keeping
from services.kit.service import Service
from services.training.base import Base
from services.training.courses.routes import routes as course_routes
from services.training.enrolments.routes import routes as enrolment_routes
from services.training.projection.tables import CuratorGrant, Municipality, Region, School
from services.training.roles import ROLES
from services.training.settings import TrainingSettings

__all__ = ["SERVICE"]

SERVICE = Service(
    name="training",
    title="Опора: обучение",
    description="Курсы повышения квалификации и запись школ на них.",
    settings=TrainingSettings,
    roles=ROLES,
    base=Base,
    routers=(course_routes, enrolment_routes),
    follows=(
        Follower(
            peer="registry",
            apply=keeping(
                {
                    "region": Region,
                    "municipality": Municipality,
                    "school": School,
                    "curator_grant": CuratorGrant,
                },
            ),
        ),
    ),
    tags={
        "courses": "Курсы",
        "enrolments": "Запись школ на курсы",
        "changes": "Лента изменений",
    },
    scopes={
        "courses:read": "Читать курсы",
        "courses:write": "Заводить и менять курсы",
        "enrolments:read": "Читать записи школ на курсы",
        "enrolments:write": "Записывать школы на курсы и отзывать записи",
    },
)
