"""What travels about runs: the run, its schools, the list by municipality, the trace of a school."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field

from services.indicators.suppression.schemas import DERIVED, Counted, Pupils
from services.kit.http import In, Out
from services.kit.inputs import Id
from services.kit.words import Meanings

__all__ = [
    "AdverseOut",
    "ApprovalIn",
    "CategoryOut",
    "CertaintyCode",
    "CountOut",
    "DifferenceOut",
    "DifferenceSideOut",
    "DifferencesOut",
    "FlagCode",
    "IntervalOut",
    "ListOut",
    "ListedSchoolOut",
    "MunicipalityListOut",
    "ProcedureTraceOut",
    "RuleTraceOut",
    "RuleYearOut",
    "RunIn",
    "RunOut",
    "RunSchoolOut",
    "RunSchoolState",
    "RunState",
    "ShareOut",
    "SourceFileOut",
    "SourceOut",
    "SubjectTraceOut",
    "ThresholdOut",
    "TraceOut",
    "VoidingIn",
]

_TEXT = r"^[^\x00-\x1f]*\S[^\x00-\x1f]*$"  # something visible, no control characters

RunState = Annotated[
    Literal["computing", "refused", "draft", "prepared", "approved", "published", "voided"],
    Meanings(
        "RunState",
        {
            "computing": "считается",
            "refused": "отказ, причина в refusal",
            "draft": "черновик",
            "prepared": "подготовлен",
            "approved": "утверждён",
            "published": "опубликован",
            "voided": "отменён",
        },
    ),
]
RunSchoolState = Annotated[
    Literal["assessed", "incomplete", "no_data", "not_applicable", "excluded"],
    Meanings(
        "RunSchoolState",
        {
            "assessed": "оценена",
            "incomplete": "данных меньше, чем просит любое правило",
            "no_data": "результатов нет",
            "not_applicable": "неприменимо: нужных классов в школе нет",
            "excluded": "методика не касается школ этого вида",
        },
    ),
]
CertaintyCode = Annotated[
    Literal["none", "too_few", "not_excluded", "possible", "certain"],
    Meanings(
        "CertaintyCode",
        {
            "none": "нет",
            "too_few": "мало данных",
            "not_excluded": "не исключено",
            "possible": "возможно",
            "certain": "устойчиво",
        },
    ),
]
FlagCode = Annotated[
    Literal["low_results", "adverse_conditions"],
    Meanings(
        "FlagCode",
        {
            "low_results": "низкие результаты обучения (НРО)",
            "adverse_conditions": "неблагоприятные социальные условия (ФНСУ)",
        },
    ),
]
Sha256 = Annotated[
    str, Field(examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"])
]


class RunIn(In):
    """A new run."""

    year: int = Field(
        ge=2000,
        le=2100,
        description="Год списка: календарный год окончания учебного года (2025 = 2024/2025); "
        "правила методики смотрят назад от него",
        examples=[2025],
    )
    methodology_version_id: Id = Field(description="Версия методики", examples=[3])
    note: str | None = Field(
        default=None, max_length=500, pattern=_TEXT, description="Заметка", examples=["Пробный"]
    )


class ApprovalIn(In):
    """The order that approves the list."""

    order_number: str = Field(
        max_length=100, pattern=_TEXT, description="Номер приказа", examples=["210-ОД"]
    )
    order_date: date = Field(description="Дата приказа", examples=["2025-03-15"])
    list_hash: str = Field(
        pattern=r"^[0-9a-f]{64}$",
        description="Хеш списка, который утверждается: поле list_hash прогона",
        examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    )


class VoidingIn(In):
    """Why a run is voided."""

    reason: str = Field(
        max_length=1000, pattern=_TEXT, description="Причина", examples=["Загружены апелляции"]
    )


class JobOut(Out):
    """How far the background work of the run is."""

    id: int = Field(description="Номер задания", examples=[7])
    state: str = Field(description="Состояние: queued, running, done, failed", examples=["running"])
    error: dict[str, Any] | None = Field(
        description="Почему задание не выполнено: code и detail", examples=[None]
    )


class RunOut(Out):
    """A run of identification."""

    id: int = Field(description="Номер прогона", examples=[5])
    region_id: int = Field(description="Регион", examples=[1])
    year: int = Field(description="Год списка", examples=[2025])
    methodology_version_id: int = Field(description="Версия методики", examples=[3])
    state: RunState = Field(
        description="computing — считается; refused — отказ, причина в refusal; draft — черновик; "
        "prepared — подготовлен; approved — утверждён; published — опубликован; voided — отменён",
        examples=["draft"],
    )
    note: str | None = Field(description="Заметка", examples=[None])
    input_hash: Sha256 | None = Field(
        description="SHA-256 всего, из чего следует список: одинаков у одинаковых исходных данных"
    )
    list_hash: Sha256 | None = Field(description="SHA-256 списка; по нему список утверждается")
    counts: dict[str, Any] | None = Field(
        description="Сколько школ: всего, по состояниям, категориям и классам устойчивости",
        examples=[{"schools": 360, "listed": 75, "categories": {"nro": 38}}],
    )
    refusal: dict[str, Any] | None = Field(
        description="Почему прогон не посчитан: code, detail, hint", examples=[None]
    )
    job: JobOut | None = Field(default=None, description="Фоновое задание прогона; null в списках")
    created_by: str = Field(description="Кто начал", examples=["user:12"])
    created_at: datetime = Field(description="Когда (UTC)", examples=["2026-11-21T10:00:00Z"])
    computed_at: datetime | None = Field(description="Когда посчитан (UTC)", examples=[None])
    prepared_by: str | None = Field(description="Кто подготовил", examples=["user:12"])
    prepared_at: datetime | None = Field(description="Когда подготовлен (UTC)", examples=[None])
    approved_by: str | None = Field(description="Кто утвердил (другое лицо)", examples=["user:13"])
    approved_at: datetime | None = Field(description="Когда утверждён (UTC)", examples=[None])
    order_number: str | None = Field(description="Номер приказа", examples=["210-ОД"])
    order_date: date | None = Field(description="Дата приказа", examples=["2025-03-15"])
    published_by: str | None = Field(description="Кто начал публикацию", examples=["user:13"])
    published_at: datetime | None = Field(description="Когда опубликован (UTC)", examples=[None])
    voided_by: str | None = Field(description="Кто отменил", examples=[None])
    voided_at: datetime | None = Field(description="Когда отменён (UTC)", examples=[None])
    void_reason: str | None = Field(description="Почему отменён", examples=[None])
    version: int = Field(description="Версия записи (ETag)", examples=[2])


class RunSchoolOut(Out):
    """What a run says of a school."""

    school_id: int = Field(description="Школа", examples=[12])
    municipality_id: int = Field(description="Муниципалитет на момент прогона", examples=[3])
    code: str = Field(description="Код школы", examples=["670101"])
    name: str = Field(description="Название", examples=["МБОУ Велижская СШ № 1"])
    municipality_name: str = Field(description="Муниципалитет", examples=["Велижский район"])
    state: RunSchoolState = Field(
        description="assessed — оценена; incomplete — данных меньше, чем просит любое правило; "
        "no_data — результатов нет; not_applicable — неприменимо: нужных классов в школе нет; "
        "excluded — методика не касается школ этого вида",
        examples=["assessed"],
    )
    flags: list[FlagCode] = Field(description="Независимые признаки", examples=[["low_results"]])
    category: str | None = Field(
        description="Код категории методики; null — школа не в списке", examples=["nro"]
    )
    certainty: CertaintyCode = Field(
        description="Класс признака «низкие результаты»: certain — устойчиво; possible — возможно; "
        "not_excluded — не исключено; too_few — мало данных; none — нет",
        examples=["possible"],
    )
    adverse_conditions: bool | None = Field(
        description="Отметка о неблагоприятных условиях; null — неизвестно", examples=[True]
    )


class DifferenceSideOut(Out):
    """What one of two runs says of a school."""

    state: RunSchoolState = Field(description="Состояние", examples=["assessed"])
    category: str | None = Field(description="Категория; null — не в списке", examples=["nro"])
    certainty: CertaintyCode = Field(
        description="Класс признака «низкие результаты»", examples=["possible"]
    )


class DifferenceOut(Out):
    """A school of which two runs say different things."""

    school_id: int = Field(description="Школа", examples=[12])
    code: str = Field(description="Код школы", examples=["670101"])
    name: str = Field(description="Название", examples=["МБОУ Велижская СШ № 1"])
    municipality_name: str = Field(description="Муниципалитет", examples=["Велижский район"])
    kind: Literal["entered", "left", "changed"] = Field(
        description="entered — вошла в список; left — вышла из списка; changed — иное отличие",
        examples=["entered"],
    )
    before: DifferenceSideOut | None = Field(description="В прежнем прогоне; null — школы не было")
    after: DifferenceSideOut | None = Field(description="В этом прогоне; null — школы нет")


class DifferencesOut(Out):
    """What changed between two runs."""

    earlier_run_id: int = Field(description="Прежний прогон", examples=[4])
    run_id: int = Field(description="Этот прогон", examples=[5])
    has_same_inputs: bool = Field(description="Исходные данные одинаковы", examples=[False])
    items: list[DifferenceOut] = Field(description="Школы с отличиями по порядку кодов")


class CategoryOut(Out):
    """A column of the list."""

    code: str = Field(description="Код категории", examples=["nro"])
    title: str = Field(description="Название категории", examples=["НРО"])


class CountOut(Out):
    """How many schools are listed, in all and by category; the categories add up to the total."""

    total: int = Field(description="Всего школ в списке", examples=[75])
    by_category: dict[str, int] = Field(
        description="В том числе по кодам категорий", examples=[{"nro": 38, "fnsu": 30}]
    )


class ListedSchoolOut(Out):
    """A school of the list."""

    school_id: int = Field(description="Школа", examples=[12])
    code: str = Field(description="Код школы", examples=["670101"])
    name: str = Field(description="Название", examples=["МБОУ Велижская СШ № 1"])
    category: str = Field(description="Код категории", examples=["nro"])
    certainty: CertaintyCode = Field(
        description="Класс признака «низкие результаты»", examples=["certain"]
    )
    reason: str = Field(
        description="Основание по-русски",
        examples=["Низкие результаты не менее чем по двум процедурам: ОГЭ 9 класс 2024: 12 из 30"],
    )


class MunicipalityListOut(CountOut):
    """A row of the list: a municipality with its schools."""

    municipality_id: int = Field(description="Муниципалитет", examples=[3])
    name: str = Field(description="Название", examples=["Велижский район"])
    schools: list[ListedSchoolOut] = Field(description="Школы по порядку кодов")


class ListOut(Out):
    """The list by municipality."""

    year: int = Field(description="Год списка", examples=[2025])
    methodology_code: str = Field(description="Код методики", examples=["smolensk-nro-fnsu"])
    methodology_number: int = Field(description="Номер версии методики", examples=[1])
    methodology_title: str = Field(description="Название методики", examples=["НРО и ФНСУ"])
    order_number: str | None = Field(description="Приказ; null до утверждения", examples=[None])
    order_date: date | None = Field(description="Дата приказа", examples=[None])
    list_hash: Sha256 = Field(description="SHA-256 списка")
    categories: list[CategoryOut] = Field(description="Столбцы «в том числе»")
    municipalities: list[MunicipalityListOut] = Field(
        description="Строки: муниципалитеты по алфавиту"
    )
    totals: CountOut = Field(description="Итого; равно сумме строк")


class ShareOut(Counted):
    """An exact share beside its rounded value."""

    numerator: Pupils = Field(description="Сколько", examples=[12])
    denominator: Pupils = Field(description="Из скольких", examples=[30])
    percent: Annotated[Decimal | None, Field(json_schema_extra=DERIVED)] = Field(
        description="Процент, округлён до сотых от половины вверх; null — не из кого считать или скрыто",
        examples=["40.00"],
    )


class IntervalOut(Out):
    """Wilson's interval of a share."""

    lower: Decimal = Field(description="Нижняя граница доли", examples=["0.245957"])
    upper: Decimal = Field(description="Верхняя граница доли", examples=["0.577055"])
    z: Decimal = Field(description="Квантиль: 1.959964 для 95 %", examples=["1.959964"])


class ThresholdOut(Counted):
    """The threshold of a low result and the numbers at which the classes begin for this n."""

    share: str = Field(description="Порог, точная доля", examples=["3/10"])
    operator: Literal[">=", ">"] = Field(
        description="Сравнение с порогом: >= — не меньше порога; > — больше порога", examples=[">="]
    )
    not_excluded_from: Pupils = Field(description="«Не исключено» начиная с", examples=[5])
    possible_from: Pupils = Field(description="«Возможно» начиная с", examples=[9])
    certain_from: Pupils = Field(description="«Устойчиво» начиная с", examples=[15])


class SubjectTraceOut(Counted):
    """A subject of a procedure at the school, with the scale the results were counted by."""

    subject: str = Field(description="Код предмета", examples=["rus"])
    title: str = Field(description="Предмет", examples=["Русский язык"])
    is_mass: bool = Field(description="Учтён как массовый", examples=[True])
    n: Pupils = Field(description="Участников по предмету", examples=[30])
    absent: Pupils = Field(description="Отсутствовали", examples=[1])
    low: Pupils = Field(description="Баллов ниже Bmin", examples=[9])
    failed: Pupils = Field(description="Баллов ниже минимума", examples=[8])
    mass: Pupils = Field(description="Баллов не ниже Bmid", examples=[11])
    minimum: str = Field(description="Минимальный балл, точно", examples=["15"])
    maximum: str = Field(description="Максимальный балл, точно", examples=["33"])
    top: str = Field(description="Верхняя граница Btop, точно", examples=["29"])
    bmin: str = Field(description="Нижняя граница Bmin, точно", examples=["333/20"])
    bmid: str = Field(description="Середина Bmid, точно", examples=["913/40"])


class SourceFileOut(Out):
    """A file of an import; the file itself is not kept."""

    table: str = Field(description="Какая это таблица раскладки", examples=["results"])
    sha256: str | None = Field(description="SHA-256 файла", examples=["9f86d081884c7d65"])
    size_bytes: int | None = Field(description="Размер файла, байт", examples=[120331])


class SourceOut(Counted):
    """Where the numbers came from: an import and rows of its file."""

    import_id: int = Field(description="Импорт", examples=[14])
    layout: str | None = Field(description="Раскладка файла", examples=["opora-results"])
    committed_at: datetime | None = Field(
        description="Когда загружен (UTC)", examples=["2026-11-21T10:00:00Z"]
    )
    files: list[SourceFileOut] = Field(description="Файлы импорта")
    sheet_no: int = Field(description="Лист (0 у CSV)", examples=[0])
    first_row: Pupils = Field(description="Первая строка школы в файле", examples=[1201])
    last_row: Pupils = Field(description="Последняя строка школы в файле", examples=[1260])
    rows: Pupils = Field(description="Строк школы между ними", examples=[60])


class ProcedureTraceOut(Counted):
    """A procedure of the run at the school."""

    procedure_id: int = Field(description="Процедура", examples=[4])
    kind: str = Field(description="Вид", examples=["oge"])
    grade: int = Field(description="Класс", examples=[9])
    year: int = Field(description="Год", examples=[2024])
    title: str = Field(description="Название", examples=["ОГЭ 2024"])
    state: Literal["counted", "no_data", "not_applicable"] = Field(
        description="counted — есть результаты; no_data — нет данных; not_applicable — неприменимо: "
        "такого класса в школе нет",
        examples=["counted"],
    )
    low: ShareOut | None = Field(
        description="Участники (люди) с низким результатом хотя бы по одному массовому предмету"
    )
    judged: ShareOut | None = Field(
        description="Что сравнивалось с порогом: то же или сумма за несколько лет у малых групп"
    )
    pooled_years: list[int] = Field(description="Годы, сложенные у малой группы", examples=[[]])
    threshold: ThresholdOut | None = Field(description="Порог; null — нет данных")
    interval: Annotated[IntervalOut | None, Field(json_schema_extra=DERIVED)] = Field(
        description="Интервал Уилсона для judged; null — нет данных или скрыт"
    )
    certainty: CertaintyCode | None = Field(description="Класс", examples=["possible"])
    subjects: list[SubjectTraceOut] = Field(description="Предметы и шкалы")
    sources: list[SourceOut] = Field(description="Импорты и строки")


class RuleYearOut(Out):
    """A year of a rule."""

    year: int = Field(description="Год", examples=[2024])
    at_least: int = Field(description="Нужно процедур с низким результатом", examples=[1])
    with_data: int = Field(description="Процедур с данными", examples=[2])
    certain: int = Field(description="Из них низких устойчиво", examples=[0])
    possible: int = Field(description="Низких устойчиво или возможно", examples=[1])
    not_excluded: int = Field(
        description="Низкий результат по меньшей мере не исключён", examples=[2]
    )
    procedure_ids: list[int] = Field(description="Процедуры с данными", examples=[[4, 5]])


class RuleTraceOut(Out):
    """A rule at the school."""

    code: str = Field(description="Код правила", examples=["b"])
    title: str = Field(description="Правило", examples=["Низкие результаты в двух годах подряд"])
    certainty: CertaintyCode = Field(description="Класс", examples=["possible"])
    holds: bool = Field(description="Правило выполнено по самим долям", examples=[True])
    is_answerable: bool = Field(
        description="Во всех годах правила достаточно процедур с данными", examples=[True]
    )
    years: list[RuleYearOut] = Field(description="Годы правила")


class AdverseOut(Out):
    """Adverse conditions, as the school's record said at the time of the run."""

    value: bool | None = Field(description="Отметка; null — неизвестно", examples=[True])
    reason: str | None = Field(description="Обоснование", examples=["Социальный паспорт"])
    source: str | None = Field(description="Источник", examples=["Реестр 2025"])


class TraceOut(Out):
    """Why a school is, or is not, in the list: from the verdict down to the rows of files."""

    run_id: int = Field(description="Прогон", examples=[5])
    year: int = Field(description="Год списка", examples=[2025])
    school: RunSchoolOut = Field(description="Школа и вывод")
    category_title: str | None = Field(description="Категория", examples=["НРО"])
    sentences: list[str] = Field(
        description="Вывод по-русски: признаки, а не приговор",
        examples=[["Школа отнесена к категории «НРО»."]],
    )
    rules: list[RuleTraceOut] = Field(description="Правила методики")
    procedures: list[ProcedureTraceOut] = Field(description="Процедуры")
    adverse: AdverseOut = Field(description="Неблагоприятные условия")
    methodology_code: str = Field(description="Код методики", examples=["smolensk-nro-fnsu"])
    methodology_number: int = Field(description="Номер версии методики", examples=[1])
    input_hash: str = Field(description="SHA-256 исходных данных прогона", examples=["9f86d0"])
