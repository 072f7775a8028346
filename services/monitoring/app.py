"""The table of contents of monitoring."""

from services.kit.feed import Follower
from services.kit.projection import keeping
from services.kit.service import Service
from services.monitoring.base import Base
from services.monitoring.projection.tables import CuratorGrant, Municipality, Region, School
from services.monitoring.roles import ROLES
from services.monitoring.settings import MonitoringSettings
from services.monitoring.waves.routes import routes as wave_routes

__all__ = ["SERVICE"]

SERVICE = Service(
    name="monitoring",
    title="Опора: мониторинг",
    description="Волны мониторинга школ и ожидаемые в них школы.",
    settings=MonitoringSettings,
    roles=ROLES,
    base=Base,
    routers=(wave_routes,),
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
    tags={"waves": "Волны мониторинга и их школы", "changes": "Лента изменений"},
    scopes={
        "waves:read": "Читать волны мониторинга и ожидаемые школы",
        "waves:write": "Заводить, открывать и завершать волны",
    },
)
