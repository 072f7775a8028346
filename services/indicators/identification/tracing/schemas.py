"""What travels of the trace of a school: from the verdict down to the rows of files."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from services.indicators.identification.schemas import (
    CertaintyCode,
    RunSchoolOut,
    RunState,
    Sha256,
)
from services.indicators.identification.tracing.flag_schemas import (
    CategoryTraceOut,
    FlagTraceOut,
    IndexTraceOut,
    SignTraceOut,
)
from services.indicators.suppression.schemas import DERIVED, Counted, Pupils
from services.kit.http import Out

__all__ = [
    "AdverseOut",
    "CorrectionTraceOut",
    "IntervalOut",
    "ListTraceOut",
    "MethodologyTraceOut",
    "PassedCellOut",
    "PriorOut",
    "ProcedureTraceOut",
    "ReorganisationTraceOut",
    "RuleTraceOut",
    "RuleYearOut",
    "ShareOut",
    "SourceFileOut",
    "SourceOut",
    "SubjectTraceOut",
    "ThresholdOut",
    "TraceOut",
]


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
    margin_share: str = Field(
        description="Доля максимума, которая прибавлена к минимуму в Bmin, точно", examples=["1/20"]
    )


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


class PriorOut(Out):
    """What the schools of a procedure have in common: towards it the share of a small one is drawn."""

    share: str = Field(description="P: доля по всем участникам, точно", examples=["1/5"])
    weight: str | None = Field(
        description="M в участниках, точно; null — без конца: школы различаются не больше, чем случайно",
        examples=["18.123456789"],
    )
    rho: str = Field(description="Сходство участников одной школы, точно", examples=["0.052"])
    schools: int = Field(description="По скольким школам", examples=[75])


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
    series: int = Field(
        description="Номер ряда: годы складываются только у процедур одного ряда — того же вида и "
        "класса с теми же шкалами массовых предметов",
        examples=[0],
    )
    prior: Annotated[PriorOut | None, Field(json_schema_extra=DERIVED)] = Field(
        default=None,
        description="Общее у школ процедуры; null — доли не сглаживаются или скрыто: нужно право "
        "indices:exact",
    )
    shrunken: Annotated[str | None, Field(json_schema_extra=DERIVED)] = Field(
        default=None,
        description="Сглаженная доля (k + M·P) / (n + M), точно; null — не сглаживается или скрыта",
        examples=["23/80"],
    )
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


class CorrectionTraceOut(Counted):
    """A cell that an accepted appeal has corrected: what was counted and what counts now."""

    appeal_id: int = Field(description="Апелляция", examples=[3])
    procedure_id: int = Field(description="Процедура", examples=[4])
    school_id: int = Field(
        description="Школа, чьи результаты оспорены: эта или присоединённая к ней", examples=[12]
    )
    order_number: str | None = Field(
        description="Документ, которым решение принято", examples=["15-К"]
    )
    counted_n: Pupils = Field(description="Участников до исправления", examples=[30])
    counted_low: Pupils = Field(description="Низких до исправления", examples=[10])
    n: Pupils = Field(description="Участников после исправления", examples=[30])
    low: Pupils = Field(description="Низких после исправления", examples=[8])


class PassedCellOut(Counted):
    """Numbers of a merged school that the school's numbers have taken in."""

    procedure_id: int = Field(description="Процедура", examples=[4])
    n: Pupils = Field(description="Участников", examples=[12])
    low: Pupils = Field(description="Из них с низким результатом", examples=[5])


class ReorganisationTraceOut(Out):
    """A reorganisation of before the run, and what became of the other school's results."""

    kind: Literal["merge", "split"] = Field(
        description="merge — присоединение; split — выделение", examples=["merge"]
    )
    outcome: Literal["passed", "split", "still_open", "several_successors"] = Field(
        description="passed — результаты прибавлены; split — прежние результаты остались у той школы; "
        "still_open — та школа открыта и отвечает сама; several_successors — разделена между "
        "несколькими, результаты не прибавлены",
        examples=["passed"],
    )
    happened_on: date = Field(description="Дата", examples=["2023-08-31"])
    order_number: str | None = Field(description="Приказ: номер", examples=["77"])
    order_date: date | None = Field(description="Приказ: дата", examples=["2023-06-01"])
    school_id: int = Field(description="Другая школа", examples=[13])
    code: str | None = Field(description="Её код", examples=["670102"])
    name: str | None = Field(description="Её название", examples=["Школа № 2"])
    cells: list[PassedCellOut] = Field(description="Её числа, вошедшие в числа этой школы")


class MethodologyTraceOut(Out):
    """The version of the methodology, as far as the answer depends on it."""

    code: str = Field(description="Код методики", examples=["smolensk-nro-fnsu"])
    number: int = Field(description="Номер версии", examples=[1])
    title: str = Field(description="Название", examples=["НРО и ФНСУ"])
    document_hash: str = Field(
        description="SHA-256 документа методики",
        examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    )
    order_number: str | None = Field(description="Приказ о методике: номер", examples=["01-05/112"])
    order_date: date | None = Field(description="Приказ о методике: дата", examples=["2025-03-14"])
    in_force_from: date = Field(description="Действует с", examples=["2020-09-01"])
    in_force_to: date | None = Field(
        description="Действует по; null — бессрочно", examples=["2026-08-31"]
    )
    source: str | None = Field(
        description="Документ-источник с пунктом", examples=["Письмо Рособрнадзора, п. 1"]
    )
    based_on: Literal["minimum", "bmin"] = Field(
        description="minimum — балл ниже минимального; bmin — балл ниже Bmin", examples=["minimum"]
    )
    threshold: str = Field(description="Порог низкого результата, точная доля", examples=["3/10"])
    operator: Literal[">=", ">"] = Field(
        description="Сравнение с порогом: >= — не меньше порога; > — больше порога", examples=[">="]
    )
    small_below: int = Field(description="Группа мала, если участников меньше", examples=[10])
    small_policy: Literal["flag", "no_flag", "pool"] = Field(
        description="flag — судить как всех; no_flag — признака не даёт; pool — сложить годы",
        examples=["pool"],
    )
    small_years: int | None = Field(description="За сколько лет сложить", examples=[2])
    z: Decimal = Field(description="Квантиль интервала", examples=["1.959964"])
    interval: Literal["wilson", "exact"] = Field(
        description="wilson — интервал Уилсона; exact — точный (Клоппера–Пирсона)",
        examples=["wilson"],
    )
    tail: str = Field(
        description="Вероятность за каждой границей точного интервала", examples=["1/40"]
    )
    shrinkage: Literal["none", "beta_binomial"] = Field(
        description="none — доли не сглаживаются; beta_binomial — для «возможно» порога должна "
        "достигать и сглаженная доля",
        examples=["none"],
    )
    excluded_school_kinds: list[str] = Field(
        description="Виды школ, которых методика не касается", examples=[["evening"]]
    )


class ListTraceOut(Out):
    """The list that the answer belongs to, and what its inputs and rows are checked by."""

    state: RunState = Field(
        description="draft — черновик; prepared — подготовлен; approved — утверждён; "
        "published — опубликован; voided — отменён",
        examples=["published"],
    )
    order_number: str | None = Field(
        description="Приказ о списке: номер; null — не утверждён", examples=["210-ОД"]
    )
    order_date: date | None = Field(description="Приказ о списке: дата", examples=["2025-03-15"])
    computed_at: datetime | None = Field(
        description="Когда посчитан (UTC)", examples=["2025-03-10T10:00:00Z"]
    )
    input_hash: Sha256 = Field(description="SHA-256 исходных данных прогона")
    list_hash: Sha256 | None = Field(description="SHA-256 списка")


class TraceOut(Out):
    """Why a school is, or is not, in the list: from the verdict down to the rows of files."""

    run_id: int = Field(description="Прогон", examples=[5])
    year: int = Field(description="Год списка", examples=[2025])
    school: RunSchoolOut = Field(description="Школа и вывод")
    school_kind: str | None = Field(description="Вид школы на момент прогона", examples=["sosh"])
    stages: list[str] | None = Field(
        description="Уровни образования на момент прогона; null — неизвестны",
        examples=[["noo", "ooo"]],
    )
    category_title: str | None = Field(description="Категория", examples=["НРО"])
    sentences: list[str] = Field(
        description="Вывод по-русски: признаки, а не приговор",
        examples=[["Школа отнесена к категории «НРО»."]],
    )
    recalculation: list[str] = Field(
        description="Как пересчитать вывод по числам этого обоснования, шаг за шагом",
        examples=[["Разделите число участников с низким результатом на число участников."]],
    )
    flags: list[FlagTraceOut] = Field(description="Признаки методики с ответами")
    categories: list[CategoryTraceOut] = Field(description="Категории методики")
    indices: list[IndexTraceOut] = Field(description="Индексы методики у школы")
    signs: list[SignTraceOut] | None = Field(
        description="Учтённые признаки необъективности; null — скрыты: их видят регион и муниципалитет",
        examples=[None],
    )
    corrections: list[CorrectionTraceOut] = Field(
        description="Числа, исправленные по апелляциям", examples=[[]]
    )
    reorganisations: list[ReorganisationTraceOut] = Field(
        description="Присоединения и выделения до дня прогона", examples=[[]]
    )
    rules: list[RuleTraceOut] = Field(description="Правила методики")
    procedures: list[ProcedureTraceOut] = Field(description="Процедуры")
    adverse: AdverseOut = Field(description="Неблагоприятные условия")
    methodology: MethodologyTraceOut = Field(description="Версия методики")
    listing: ListTraceOut = Field(description="Список и хеши, по которым он проверяется")
    methodology_code: str = Field(description="Код методики", examples=["smolensk-nro-fnsu"])
    methodology_number: int = Field(description="Номер версии методики", examples=[1])
    input_hash: str = Field(description="SHA-256 исходных данных прогона", examples=["9f86d0"])
