"""What travels of the trace of a school: from the verdict down to the rows of files."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from services.indicators.identification.schemas import CertaintyCode, RunSchoolOut
from services.indicators.suppression.schemas import DERIVED, Counted, Pupils
from services.kit.http import Out

__all__ = [
    "AdverseOut",
    "IntervalOut",
    "ProcedureTraceOut",
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
