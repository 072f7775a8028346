"""The indicators service at a glance."""

from services.indicators.base import Base
from services.indicators.procedures import tables as _procedures  # noqa: F401
from services.indicators.projection.operations import REGISTRY
from services.indicators.results import tables as _results  # noqa: F401  its tables belong to Base
from services.indicators.roles import ROLES
from services.indicators.settings import IndicatorsSettings
from services.kit.service import Service

__all__ = ["SERVICE"]

SERVICE = Service(
    name="indicators",
    title="Опора: показатели",
    description="Оценочные процедуры и шкалы, загрузка результатов, индексы, выявление школ.",
    settings=IndicatorsSettings,
    roles=ROLES,
    base=Base,
    routers=(),
    jobs=(),
    follows=(REGISTRY,),
    tags={
        "procedures": "Оценочные процедуры и шкалы предметов",
        "imports": "Загрузка результатов участников",
        "indices": "Индексы низких и массовых результатов",
    },
)
