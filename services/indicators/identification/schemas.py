"""What travels about runs: the run, its schools, the list by municipality."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from services.indicators.methodologies.parts import FlagCode
from services.kit.http import In, Out
from services.kit.inputs import VISIBLE_TEXT, Id
from services.kit.words import Meanings

__all__ = [
    "ApprovalIn",
    "CategoryOut",
    "CertaintyCode",
    "CountOut",
    "FlagCode",
    "HashPairOut",
    "ListOut",
    "ListedSchoolOut",
    "MismatchOut",
    "MunicipalityListOut",
    "RunIn",
    "RunOut",
    "RunSchoolOut",
    "RunSchoolState",
    "RunState",
    "Sha256",
    "VerificationOut",
    "VoidingIn",
]


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
        default=None,
        max_length=500,
        pattern=VISIBLE_TEXT,
        description="Заметка",
        examples=["Пробный"],
    )


class ApprovalIn(In):
    """The order that approves the list."""

    order_number: str = Field(
        max_length=100, pattern=VISIBLE_TEXT, description="Номер приказа", examples=["210-ОД"]
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
        max_length=1000,
        pattern=VISIBLE_TEXT,
        description="Причина",
        examples=["Загружены апелляции"],
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
        description="Сколько школ: всего, по состояниям, категориям, признакам (и сколько раз признак "
        "неизвестен) и классам устойчивости",
        examples=[
            {
                "schools": 360,
                "listed": 75,
                "categories": {"nro": 38},
                "flags": {"low_results": 45},
                "unknown_flags": {"low_results": 3},
            }
        ],
    )
    notices: list[dict[str, Any]] | None = Field(
        description="Что нужно знать об исходных данных прогона: code и detail; у прогонов, посчитанных "
        "до появления поля, null",
        examples=[
            [
                {
                    "code": "year-missing",
                    "detail": "Правило «Два года подряд» смотрит на годы 2023, процедур за них нет",
                }
            ]
        ],
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


class HashPairOut(Out):
    """A hash as the run keeps it, and as it comes out of the frozen rows now."""

    stored: Sha256 | None = Field(description="SHA-256, записанный при расчёте")
    computed: Sha256 | None = Field(
        description="SHA-256, посчитанный заново; null — замороженные строки не складываются"
    )


class MismatchOut(Out):
    """One thing that is not what it was."""

    table: str = Field(description="Таблица", examples=["run_evidence"])
    column: str = Field(
        description="Столбец или часть строки; у процедуры — её название", examples=["n, low"]
    )
    school_id: int | None = Field(description="Школа; null — не о школе", examples=[12])
    code: str | None = Field(description="Код школы; null — не о школе", examples=["670101"])
    stored: str | None = Field(
        description="Что записано; null — известен только хеш или скрыто", examples=["2"]
    )
    computed: str | None = Field(
        description="Что следует из замороженных данных; null — известен только хеш или скрыто",
        examples=["3"],
    )


class VerificationOut(Out):
    """Whether a run still says what it said."""

    is_intact: bool = Field(
        description="true — исходные данные, ответы и список те же, что при расчёте",
        examples=[True],
    )
    input_hash: HashPairOut = Field(description="Хеш исходных данных")
    list_hash: HashPairOut = Field(description="Хеш списка")
    schools: int = Field(description="Сколько школ проверено", examples=[360])
    cells: int = Field(description="Сколько ячеек (школа и процедура) проверено", examples=[2140])
    total: int = Field(description="Сколько расхождений всего", examples=[0])
    mismatches: list[MismatchOut] = Field(
        description="Расхождения, не больше 200: сначала о прогоне и процедурах, затем по кодам школ",
        examples=[[]],
    )


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
    unknown_flags: list[FlagCode] = Field(
        description="Признаки методики, о которых по данным нельзя сказать ни да, ни нет (неполно): в "
        "категории они считаются отсутствующими",
        examples=[[]],
    )
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
