"""What travels about detections and signs."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field

from services.indicators.objectivity.evidence import Evidence
from services.indicators.objectivity.thresholds import DetectionSettings
from services.indicators.suppression.schemas import DERIVED, PUPILS, Counted
from services.kit.http import In, Out
from services.kit.inputs import VISIBLE_TEXT
from services.kit.words import Meanings

__all__ = [
    "DetectedSchoolOut",
    "DetectionIn",
    "DetectionOut",
    "DetectionRow",
    "DetectionState",
    "DetectionVoidingIn",
    "DetectorCode",
    "MarkerCellOut",
    "MarkerSchoolOut",
    "MarkersOut",
    "ReviewCode",
    "ReviewIn",
    "SignOut",
]

_HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_AT = "2025-10-01T09:00:00Z"

DetectionState = Annotated[
    Literal["computing", "refused", "computed", "published", "voided"],
    Meanings(
        "DetectionState",
        {
            "computing": "считается",
            "refused": "отказ, причина в refusal",
            "computed": "посчитано, видно региону",
            "published": "открыто муниципалитетам по их школам",
            "voided": "отменено",
        },
    ),
]
DetectorCode = Annotated[
    Literal["border_peak", "journal_marks", "procedure_mismatch", "over_easy", "repeated"],
    Meanings(
        "DetectorCode",
        {
            "border_peak": "пик у границ отметок",
            "journal_marks": "расхождение с отметками журнала",
            "procedure_mismatch": "расхождение двух процедур одного набора учеников",
            "over_easy": "слишком высокий и ровный результат",
            "repeated": "признаки в нескольких годах",
        },
    ),
]
ReviewCode = Annotated[
    Literal["open", "confirmed", "explained", "withdrawn"],
    Meanings(
        "ReviewCode",
        {
            "open": "не рассмотрен",
            "confirmed": "подтверждён проверкой",
            "explained": "объяснён: у отклонения есть иная причина",
            "withdrawn": "снят: в правилах выявления не считается",
        },
    ),
]
ReasonCode = Annotated[
    Literal[
        "use_not_permitted",
        "not_primary",
        "no_borders",
        "no_journal_marks",
        "no_earlier",
        "too_few_schools",
        "no_spread",
    ],
    Meanings(
        "SilenceReason",
        {
            "use_not_permitted": "использование результатов для анализа не разрешено",
            "not_primary": "шкала не первичная: границы отметок сравнивать нельзя",
            "no_borders": "у шкалы нет официальных границ отметок",
            "no_journal_marks": "в результатах нет отметок журнала",
            "no_earlier": "нет ранней процедуры того же набора учеников с этим предметом",
            "too_few_schools": "школ с достаточным числом участников мало для сравнения",
            "no_spread": "результаты школ одинаковы или лежат на одной прямой",
        },
    ),
]
CellState = Annotated[
    Literal["asked", "too_few", "not_asked", "not_submitted", "not_applicable"],
    Meanings(
        "MarkerCellState",
        {
            "asked": "оценено: маркер 1 или 0",
            "too_few": "участников мало, детекторы не применялись",
            "not_asked": "детекторы не применялись по другой причине, она в questions",
            "not_submitted": "результатов нет",
            "not_applicable": "неприменимо: таких классов в школе нет",
        },
    ),
]


class DetectionIn(In):
    """A new detection."""

    year: int = Field(
        ge=2000,
        le=2100,
        description="Год: календарный год окончания учебного года; признаки ищутся в процедурах этого года",
        examples=[2025],
    )
    settings: DetectionSettings = Field(
        default_factory=DetectionSettings,
        description="Настройки детекторов; не указанные — по умолчанию",
        json_schema_extra={"default": DetectionSettings().canonical()},
        examples=[{"level": "0.05"}],
    )
    note: str | None = Field(
        default=None,
        max_length=500,
        pattern=VISIBLE_TEXT,
        description="Заметка",
        examples=["ВПР весны"],
    )


class DetectionVoidingIn(In):
    """Why a detection is voided."""

    reason: str = Field(
        max_length=1000,
        pattern=VISIBLE_TEXT,
        description="Причина",
        examples=["Шкала русского языка была введена с ошибкой"],
    )


class ReviewIn(In):
    """What a check of a sign found."""

    outcome: Annotated[
        Literal["confirmed", "explained", "withdrawn"],
        Meanings(
            "ReviewOutcome",
            {
                "confirmed": "подтверждён проверкой",
                "explained": "объяснён: у отклонения есть иная причина",
                "withdrawn": "снят: в правилах выявления не считается",
            },
        ),
    ] = Field(description="Итог рассмотрения", examples=["explained"])
    reason: str = Field(
        min_length=3,
        max_length=2000,
        pattern=VISIBLE_TEXT,
        description="Что показала проверка",
        examples=["Работы перепроверены комиссией муниципалитета, отметки верны"],
    )
    document: str | None = Field(
        default=None,
        max_length=300,
        pattern=VISIBLE_TEXT,
        description="Документ проверки",
        examples=["Акт перепроверки № 4"],
    )
    document_on: date | None = Field(
        default=None, description="Дата документа", examples=["2025-10-15"]
    )


class QuestionOut(Out):
    """A detector asked of one subject of one procedure: of how many schools, or why of none."""

    detector: DetectorCode = Field(description="Детектор", examples=["border_peak"])
    procedure_id: int = Field(description="Процедура", examples=[3])
    subject: str | None = Field(
        description="Предмет; null — вся процедура не рассматривалась", examples=["rus"]
    )
    reason: ReasonCode | None = Field(
        description="Почему детектор не применялся; null — применялся", examples=[None]
    )
    schools: int = Field(description="Школ оценено", examples=[143])
    limited: int = Field(
        description="Из них ограниченно: участников меньше full_from", examples=[60]
    )
    too_few: int = Field(description="Школ, где участников слишком мало", examples=[120])
    signs: int = Field(description="Признаков найдено", examples=[2])


class DetectedProcedureOut(Out):
    """A procedure as the detection saw it."""

    procedure_id: int = Field(description="Процедура", examples=[3])
    kind: str = Field(description="Вид", examples=["vpr"])
    grade: int = Field(description="Параллель", examples=[4])
    year: int = Field(description="Год", examples=[2025])
    title: str = Field(description="Название", examples=["ВПР, 4 класс"])
    is_permitted: bool = Field(
        description="Разрешено ли использовать результаты для анализа", examples=[True]
    )
    result_revision: int = Field(description="Состояние результатов", examples=[4])
    scale_revision: int = Field(description="Состояние шкал", examples=[1])


class DetectionCountsOut(Out):
    """How many schools and signs."""

    schools: int = Field(description="Школ в регионе", examples=[360])
    asked: int = Field(description="Школ, о которых был хотя бы один вопрос", examples=[180])
    flagged: int = Field(description="Школ хотя бы с одним признаком", examples=[9])
    signs: int = Field(description="Признаков", examples=[12])
    by_detector: dict[str, int] = Field(
        description="Признаков по детекторам", examples=[{"border_peak": 7, "journal_marks": 5}]
    )


class DetectionRow(Out):
    """A detection as lists show it."""

    id: int = Field(description="Номер выявления признаков", examples=[7])
    year: int = Field(description="Год", examples=[2025])
    state: DetectionState = Field(description="Состояние", examples=["computed"])
    is_current: bool = Field(
        description="Действующее ли: последнее посчитанное и не отменённое за этот год",
        examples=[True],
    )
    note: str | None = Field(description="Заметка", examples=["ВПР весны"])
    settings_hash: str = Field(description="SHA-256 настроек", examples=[_HASH])
    counts: DetectionCountsOut | None = Field(
        description="Числа школ и признаков по всему региону; null, пока не посчитано"
    )
    created_by: str = Field(description="Кто начал", examples=["user:7"])
    created_at: datetime = Field(description="Когда начато (UTC)", examples=[_AT])
    computed_at: datetime | None = Field(description="Когда посчитано (UTC)", examples=[_AT])
    published_at: datetime | None = Field(
        description="Когда открыто муниципалитетам (UTC)", examples=[None]
    )
    version: int = Field(description="Версия записи (ETag)", examples=[2])


class DetectionOut(DetectionRow):
    """A detection in full."""

    settings: DetectionSettings = Field(description="Настройки целиком")
    input_hash: str | None = Field(
        description="SHA-256 всего, из чего следуют признаки", examples=[_HASH]
    )
    result_hash: str | None = Field(description="SHA-256 признаков", examples=[_HASH])
    procedures: list[DetectedProcedureOut] | None = Field(
        description="Процедуры года и ранние процедуры тех же учеников"
    )
    questions: list[QuestionOut] | None = Field(description="Что спрошено и о скольких школах")
    refusal: dict[str, Any] | None = Field(
        description="Почему отказано: code и detail", examples=[None]
    )
    job_id: int | None = Field(description="Номер фонового задания", examples=[11])
    published_by: str | None = Field(description="Кто открыл", examples=[None])
    void_reason: str | None = Field(description="Причина отмены", examples=[None])
    voided_by: str | None = Field(description="Кто отменил", examples=[None])
    voided_at: datetime | None = Field(description="Когда отменено (UTC)", examples=[None])


class DetectedSchoolOut(Out):
    """What could be asked of one school."""

    school_id: int = Field(description="Номер школы в Опоре", examples=[12])
    code: str = Field(description="Код ОО", examples=["100001"])
    name: str = Field(description="Название", examples=["МБОУ «СОШ № 1»"])
    municipality_id: int = Field(description="Номер муниципалитета", examples=[3])
    municipality_name: str = Field(description="Муниципалитет", examples=["Вяземский район"])
    asked: int = Field(description="Вопросов с полным выводом", examples=[6])
    limited: int = Field(description="Вопросов с ограниченным выводом", examples=[2])
    too_few: int = Field(
        description="Вопросов, на которые участников слишком мало; если других нет, "
        "об объективности школы ничего не известно",
        examples=[0],
    )
    signs: int = Field(description="Признаков, кроме снятых", examples=[1])


class SignOut(Counted):
    """A sign: what was noticed, how sure it is, what to check. Not a verdict."""

    id: int = Field(description="Номер признака", examples=[31])
    detection_id: int = Field(description="Выявление признаков", examples=[7])
    year: int = Field(description="Год", examples=[2025])
    school_id: int = Field(description="Номер школы в Опоре", examples=[12])
    school_code: str = Field(description="Код ОО", examples=["100001"])
    school_name: str = Field(description="Название школы", examples=["МБОУ «СОШ № 1»"])
    municipality_id: int = Field(description="Номер муниципалитета", examples=[3])
    municipality_name: str = Field(description="Муниципалитет", examples=["Вяземский район"])
    detector: DetectorCode = Field(description="Детектор", examples=["border_peak"])
    procedure_id: int | None = Field(
        description="Процедура; null у повторения признаков", examples=[3]
    )
    procedure_title: str | None = Field(description="Название процедуры", examples=["ВПР, 4 класс"])
    subject: str | None = Field(description="Предмет; null у повторения", examples=["rus"])
    sample: Annotated[
        Literal["full", "limited"],
        Meanings(
            "SignSample",
            {"full": "участников достаточно", "limited": "участников мало: вывод ограниченный"},
        ),
    ] = Field(description="Что позволяет число участников", examples=["full"])
    n: int | None = Field(
        description="Участников, на которых держится признак, человек; null у повторения и когда скрыто",
        examples=[74],
        json_schema_extra={PUPILS: "derived"},
    )
    p_value: Decimal | None = Field(
        description="Вероятность такого отклонения случайно; null у повторения и когда скрыта",
        examples=["0.000012000000000000"],
        json_schema_extra=DERIVED,
    )
    p_adjusted: Decimal | None = Field(
        description="Она же с учётом всех школ, о которых задан вопрос; признак — не больше level; null "
        "у повторения и когда скрыта",
        examples=["0.001700000000000000"],
        json_schema_extra=DERIVED,
    )
    statement: str = Field(
        description="Признак словами",
        examples=["Признак, требующий проверки: у границ отметок учеников больше, чем ожидается."],
    )
    to_check: list[str] = Field(
        description="Что проверить", examples=[["Перепроверить работы с баллом на границе отметки"]]
    )
    hint: str = Field(
        description="Зачем это школе",
        examples=["Завышенные результаты скрывают школу, которой нужна помощь."],
    )
    evidence: Evidence | None = Field(
        description="На чём держится признак; null, когда точные числа вам не показывают",
        json_schema_extra=DERIVED,
    )
    review: ReviewCode = Field(description="Рассмотрение", examples=["open"])
    review_reason: str | None = Field(description="Что показала проверка", examples=[None])
    review_document: str | None = Field(description="Документ проверки", examples=[None])
    review_document_on: date | None = Field(description="Дата документа", examples=[None])
    reviewed_by: str | None = Field(description="Кто рассмотрел", examples=[None])
    reviewed_at: datetime | None = Field(description="Когда рассмотрен (UTC)", examples=[None])
    reviewed_with_id: int | None = Field(
        description="Признак прежнего выявления с теми же числами, рассмотрение которого перенесено",
        examples=[None],
    )
    version: int = Field(description="Версия записи (ETag)", examples=[1])


class MarkerCellOut(Out):
    """One cell of ФИОКО's list: the marker of a school in one work."""

    state: CellState = Field(description="Состояние ячейки", examples=["asked"])
    marker: int | None = Field(
        description="1 — есть признак, 0 — нет; null — не оценено, это не ноль", examples=[1]
    )


class MarkerSchoolOut(Out):
    """One school of the list."""

    school_id: int = Field(description="Номер школы в Опоре", examples=[12])
    code: str = Field(description="Код ОО", examples=["100001"])
    name: str = Field(description="Название", examples=["МБОУ «СОШ № 1»"])
    municipality_name: str = Field(description="Муниципалитет", examples=["Вяземский район"])
    rus4: MarkerCellOut = Field(description="4 РУ: русский язык, 4 класс")
    mat4: MarkerCellOut = Field(description="4 МА: математика, 4 класс")
    rus5: MarkerCellOut = Field(description="5 РУ: русский язык, 5 класс")
    mat5: MarkerCellOut = Field(description="5 МА: математика, 5 класс")
    markers: int = Field(description="Количество маркеров, от 0 до 4", examples=[1])


class MarkersOut(Out):
    """The list in the format of ФИОКО. Source: methodology B4."""

    detection_id: int = Field(description="Выявление признаков", examples=[7])
    year: int = Field(description="Год", examples=[2025])
    flagged: int = Field(description="Школ хотя бы с одним маркером", examples=[4])
    wrote_rus4: int = Field(description="Школ, писавших русский язык в 4 классе", examples=[160])
    share: str | None = Field(
        description="Доля: первое ко второму, точная дробь; null, если не писал никто",
        examples=["4/160"],
    )
    percent: Decimal | None = Field(description="Та же доля, %", examples=["2.50"])
    schools: list[MarkerSchoolOut] = Field(description="Школы по кодам")
