"""The indicators service at a glance."""

from services.indicators.appeals import routes as appeals
from services.indicators.base import Base
from services.indicators.clusters import routes as clusters
from services.indicators.context import routes as context
from services.indicators.exits import routes as exits
from services.indicators.identification import routes as identification
from services.indicators.identification.sheets import routes as decision_sheets
from services.indicators.jobs.detect_signs import detect_signs
from services.indicators.jobs.identify import identify
from services.indicators.jobs.import_results import JOBS as IMPORT_JOBS
from services.indicators.jobs.publish_run import publish_run
from services.indicators.methodologies import routes as methodologies
from services.indicators.methodology_drafts import routes as methodology_drafts
from services.indicators.objectivity import routes as objectivity
from services.indicators.precision import routes as precision
from services.indicators.procedures import routes as procedures
from services.indicators.profile_imports import routes as profile_imports
from services.indicators.profiles import routes as profiles
from services.indicators.projection.operations import NETWORK, REGISTRY
from services.indicators.reconciliation import routes as reconciliation
from services.indicators.results import routes as results
from services.indicators.roles import ROLES
from services.indicators.scenarios import routes as scenarios
from services.indicators.settings import IndicatorsSettings
from services.kit.jobs import JobKind
from services.kit.service import Service

__all__ = ["SERVICE"]

SERVICE = Service(
    name="indicators",
    title="Опора: показатели",
    description="Оценочные процедуры и шкалы, загрузка результатов, индексы, выявление школ.",
    settings=IndicatorsSettings,
    roles=ROLES,
    base=Base,
    routers=(
        procedures.procedures,
        procedures.scales,
        procedures.published,
        results.imports,
        results.templates,
        results.indices,
        results.results,
        profiles.attributes,
        profiles.profiles,
        profiles.figures,
        profile_imports.imports,
        context.indices,
        context.calculations,
        methodologies.shipped_routes,
        methodologies.routes,
        methodologies.package_routes,
        methodology_drafts.routes,
        reconciliation.routes,
        objectivity.detections,
        objectivity.signs,
        identification.routes,
        clusters.routes,
        precision.runs,
        precision.changes,
        precision.targets,
        scenarios.routes,
        exits.routes,
        appeals.routes,
        decision_sheets.routes,
    ),
    jobs=(
        *IMPORT_JOBS,
        JobKind("identify", identify),
        JobKind("publish-run", publish_run),
        JobKind("detect-signs", detect_signs),
    ),
    follows=(REGISTRY, NETWORK),
    tags={
        "procedures": "Оценочные процедуры и шкалы предметов",
        "imports": "Загрузка результатов участников",
        "indices": "Индексы низких и массовых результатов",
        "profiles": "Профили школ: контингент, кадры, оснащение по годам",
        "profile-imports": "Загрузка профилей школ файлом",
        "context": "Индексы условий (ИСБШ, кадры, МТО) и ожидаемые результаты",
        "methodologies": "Методики выявления: правила и пороги как данные",
        "objectivity": "Признаки необъективности: что стоит проверить, но не вывод о школе",
        "reconciliation": "Сверка списков, напечатанных в документах прежних лет",
        "identification": "Прогоны выявления школ, списки и обоснования",
        "clusters": "Кластеры школ: территория, рисковый профиль, комплектность",
        "precision": "Точность выводов, различимые изменения, суждения о целях",
        "scenarios": "Сценарии «что если» по замороженным данным прогона",
        "appeals": "Апелляции на данные опубликованных списков и решения по ним",
    },
    scopes={
        "procedures:read": "Читать оценочные процедуры и шкалы",
        "procedures:write": "Заводить процедуры, менять шкалы",
        "imports:read": "Читать импорты результатов и замечания к ним",
        "imports:write": "Загружать результаты и решать судьбу импорта",
        "indices:read": "Читать показатели школ и их происхождение",
        "indices:exact": "Видеть числа участников без сокрытия малых групп",
        "profiles:read": "Читать признаки и профили школ, индексы условий",
        "profiles:write": "Вести признаки и профили школ, индексы условий",
        "methodologies:read": "Читать методики",
        "methodologies:write": "Добавлять версии методик",
        "signs:read": "Читать признаки необъективности с основаниями",
        "signs:write": "Начинать выявление признаков",
        "signs:review": "Открывать и отменять выявления признаков, рассматривать признаки (только люди)",
        "splits:read": "Читать списки, переписанные из документов прежних лет",
        "splits:write": "Загружать списки, переписанные из документов прежних лет",
        "runs:read": "Читать прогоны выявления, списки и обоснования",
        "runs:write": "Начинать, готовить и отменять прогоны",
        "appeals:read": "Читать апелляции и решения по ним",
        "appeals:write": "Подавать и отзывать апелляции (только люди)",
        "appeals:decide": "Рассматривать и решать апелляции (только люди)",
        "runs:approve": "Утверждать и публиковать прогоны (только люди)",
        "scenarios:read": "Читать сценарии «что если» и лестницы настроек",
        "scenarios:write": "Считать и отменять сценарии",
    },
)
