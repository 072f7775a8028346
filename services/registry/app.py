"""The registry's table of contents."""

from services.kit.service import Service
from services.registry.base import Base
from services.registry.curatorship.routes import grants
from services.registry.jobs import commit_school_import
from services.registry.participation.routes import participations
from services.registry.programme_years.routes import programme_years
from services.registry.roles import ROLES
from services.registry.school_imports.routes import imports
from services.registry.schools.routes import schools, sizes, successions
from services.registry.settings import RegistrySettings
from services.registry.territory.routes import municipalities, regions

__all__ = ["SERVICE"]

SERVICE = Service(
    name="registry",
    title="Опора: реестр",
    description=(
        "Регионы, муниципалитеты, школы и их история, программные годы, участие школ в программе "
        "и права кураторов. Номера регионов, муниципалитетов и школ выдаются здесь и одни во всех "
        "сервисах."
    ),
    settings=RegistrySettings,
    roles=ROLES,
    base=Base,
    routers=(
        regions,
        municipalities,
        schools,
        sizes,
        successions,
        imports,
        programme_years,
        participations,
        grants,
    ),
    jobs=(commit_school_import.JOB,),
    tags={
        "territory": "Регионы и муниципалитеты",
        "schools": "Школы, их история, размеры и события сети",
        "school-imports": "Импорт школ из файлов: проверка, затем запись",
        "programme-years": "Программные годы региона",
        "participations": "Участие школ в программе",
        "curators": "Права кураторов",
    },
    scopes={
        "territory:read": "Читать регион и муниципалитеты",
        "territory:write": "Вносить и менять муниципалитеты",
        "regions:write": "Создавать регионы (только системный клиент)",
        "schools:read": "Читать школы, их историю, размеры и события сети",
        "schools:write": "Вносить, менять и закрывать школы, загружать их файлом",
        "participations:read": "Читать участие школ в программе",
        "participations:write": "Вносить и прекращать участие, вести программные годы",
        "curators:read": "Читать права кураторов",
        "curators:write": "Давать и отзывать права кураторов",
    },
)
