"""What travels about imports, findings, indices and lineage."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from services.indicators.results.layouts import LayoutCode
from services.indicators.results.rules import Outcome
from services.indicators.suppression.schemas import DERIVED, Counted, Pupils
from services.kit.http import In, Out
from services.kit.inputs import Id
from services.kit.words import Word

__all__ = [
    "CommitIn",
    "FindingOut",
    "Findings",
    "ImportFileOut",
    "ImportIn",
    "ImportOut",
    "ImportState",
    "IndexOut",
    "LineageOut",
    "LowIndexOut",
    "ShareOut",
]


class ImportState(Word):
    """How far an import has come."""

    DRAFT = "draft", "ждёт файлов"
    UPLOADED = "uploaded", "все файлы приняты, проверка в очереди"
    CHECKING = "checking", "проверяется"
    CHECKED = "checked", "проверен и ждёт решения: записать или отменить"
    COMMITTING = "committing", "записывается"
    COMMITTED = "committed", "записан и действует"
    CANCELLED = "cancelled", "отменён, ничего не записано"
    FAILED = "failed", "не удалось проверить или записать"
    DUPLICATE = "duplicate", "то же содержание уже загружено импортом first_import_id"


class ImportIn(In):
    """A new import."""

    procedure_id: Id = Field(description="Процедура", examples=[5])
    layout: LayoutCode = Field(description="Раскладка файлов", examples=["opora-results"])
    note: str | None = Field(
        default=None,
        max_length=500,
        description="Пометка для людей",
        examples=["Выгрузка от 20 июня"],
    )
    subject: str | None = Field(
        default=None,
        max_length=100,
        description="Предмет файла, если он в файле не назван (ВПР Ф1 в CSV)",
        examples=["rus"],
    )


class CommitIn(In):
    """The decision to put a checked import in force."""

    accept_rejected: bool = Field(
        default=False,
        description="Записать принятые строки, хотя часть строк отклонена",
        examples=[True],
    )


class ImportFileOut(Out):
    """One file of an import."""

    table: str = Field(description="Таблица раскладки", examples=["results"])
    state: str = Field(
        description="Состояние: awaited — ждёт файла, receiving — принимается, received — принят, refused — отклонён",
        examples=["received"],
    )
    sha256: str | None = Field(description="Хеш загруженных байтов (hex)", examples=["9f86d081…"])
    size_bytes: int | None = Field(description="Размер, байты", examples=[62000000])
    rows_in: int | None = Field(description="Строк данных в файле", examples=[1000000])
    recognised: dict[str, Any] = Field(
        description="Что распознано: кодировка, разделитель, листы, предмет",
        examples=[{"encoding": "cp1251", "delimiter": ";", "sheets": [1]}],
    )


class JobOut(Out):
    """The work under way."""

    id: int = Field(description="Номер задания", examples=[17])
    kind: str = Field(description="Вид задания", examples=["check-import"])
    state: str = Field(
        description="Состояние: queued — в очереди, running — выполняется, done — выполнено, failed — не удалось",
        examples=["running"],
    )
    done: int = Field(description="Сделано строк", examples=[390000])
    total: int = Field(description="Всего строк", examples=[1000000])
    note: str = Field(description="Что делается", examples=["Проверка строк"])
    error: dict[str, Any] | None = Field(
        description="Почему не удалось: code и detail; null, если ошибки нет",
        examples=[{"code": "job-failed", "detail": "Файл прочитан не до конца"}],
    )


class ImportOut(Out):
    """An import. Always: rows_in = stored + rejected + ignored, once it is checked."""

    id: int = Field(description="Номер импорта", examples=[31])
    procedure_id: int = Field(description="Процедура", examples=[5])
    layout: LayoutCode = Field(description="Раскладка файлов", examples=["opora-results"])
    note: str | None = Field(description="Пометка для людей", examples=["Выгрузка от 20 июня"])
    state: ImportState = Field(description="Состояние", examples=["checked"])
    first_import_id: int | None = Field(
        description="У повтора: импорт, в котором это содержимое загружено впервые", examples=[3]
    )
    files: list[ImportFileOut] = Field(description="Файлы раскладки")
    rows_in: int = Field(description="Строк с результатами в файле", examples=[1000000])
    stored: int = Field(description="Строк к записи (после записи: записано)", examples=[999000])
    rejected: int = Field(description="Строк отклонено", examples=[900])
    ignored: int = Field(description="Строк пропущено без ошибки", examples=[100])
    counts: dict[str, Any] = Field(
        description="Строки по причинам: rejected, ignored, noted; superseded — заменено версий",
        examples=[{"rejected": {"school-unknown": 900}, "ignored": {"empty-row": 100}}],
    )
    problem: dict[str, Any] | None = Field(
        description="Почему импорт не идёт дальше: code и detail; null, если ошибки нет",
        examples=[{"code": "header-unknown", "detail": "В файле нет столбца «Код участника»"}],
    )
    job: JobOut | None = Field(description="Последнее задание импорта")
    created_by: str = Field(description="Кто создал", examples=["client:ris-gia"])
    created_at: datetime = Field(
        description="Когда создан (UTC)", examples=["2026-06-20T08:30:00Z"]
    )
    checked_at: datetime | None = Field(
        description="Когда проверен (UTC)", examples=["2026-06-20T08:31:10Z"]
    )
    committed_by: str | None = Field(description="Кто подтвердил", examples=["user:12"])
    committed_at: datetime | None = Field(
        description="Когда записан (UTC)", examples=["2026-06-20T08:40:00Z"]
    )
    version: int = Field(description="Версия записи", examples=[4])


class FindingOut(Out):
    """One rule broken in one column."""

    table: str = Field(description="Таблица раскладки", examples=["results"])
    code: str = Field(description="Код правила", examples=["score-above-maximum"])
    outcome: Outcome = Field(description="Что стало со строками", examples=["rejected"])
    message: str = Field(description="Что не так", examples=["Балл выше максимального по шкале"])
    remedy: str = Field(
        description="Что сделать", examples=["Исправьте балл или максимум шкалы процедуры"]
    )
    column: str | None = Field(description="Столбец", examples=["score"])
    count: int = Field(description="Сколько раз", examples=[12])
    first_sheet: int = Field(description="Первый случай: лист", examples=[1])
    first_row: int = Field(description="Первый случай: строка, как в таблице", examples=[17])
    last_sheet: int = Field(description="Последний случай: лист", examples=[1])
    last_row: int = Field(description="Последний случай: строка", examples=[90211])
    sample: str | None = Field(
        description="Пример значения; никогда не личные данные", examples=["34"]
    )


class Findings(Out):
    """All findings of an import, rejecting rules first."""

    items: list[FindingOut] = Field(description="Замечания")


class ShareOut(Counted):
    """A share, exactly and rounded."""

    numerator: Pupils = Field(description="Числитель, человек", examples=[12])
    denominator: Pupils = Field(description="Знаменатель, человек", examples=[188])
    percent: Annotated[str | None, Field(json_schema_extra=DERIVED)] = Field(
        description="Процент, округлён до 0,01; null при нулевом знаменателе и у скрытой доли",
        examples=["6.38"],
    )


class IndexOut(Counted):
    """Counts and shares of one school, procedure and subject."""

    procedure_id: int = Field(description="Процедура", examples=[5])
    school_id: int = Field(description="Школа", examples=[698])
    municipality_id: int = Field(description="Муниципалитет", examples=[12])
    subject: str = Field(description="Код предмета", examples=["rus"])
    year: int = Field(description="Год", examples=[2024])
    grade: int = Field(description="Параллель", examples=[9])
    n: Pupils = Field(description="Участников", examples=[188])
    absent: Pupils = Field(description="Отсутствовало", examples=[3])
    cancelled: Pupils = Field(description="Аннулировано", examples=[0])
    low: ShareOut = Field(description="Ниже Bmin (строго)")
    failed: ShareOut = Field(description="Ниже минимального балла")
    mass: ShareOut = Field(description="Не ниже Bmid: индекс массовых результатов")
    top: ShareOut = Field(description="Не ниже балла высоких результатов")
    mean: Annotated[str | None, Field(json_schema_extra=DERIVED)] = Field(
        description="Средний балл, округлён до 0,001; null без участников и у скрытого",
        examples=["21.504"],
    )
    marks: Annotated[dict[str, int] | None, Field(json_schema_extra=DERIVED)] = Field(
        description="Сколько каких отметок; null — скрыто",
        examples=[{"2": 3, "3": 80, "4": 70, "5": 35}],
    )


class LowIndexOut(Counted):
    """The low-results index of one school and procedure: people, at least one mass subject."""

    procedure_id: int = Field(description="Процедура", examples=[5])
    school_id: int = Field(description="Школа", examples=[698])
    municipality_id: int = Field(description="Муниципалитет", examples=[12])
    participants: Pupils = Field(description="Участников процедуры", examples=[188])
    low: ShareOut = Field(
        description="Ниже Bmin хотя бы по одному массовому предмету, доля от участников"
    )
    failed: ShareOut = Field(description="Ниже минимума хотя бы по одному массовому предмету")


class LineageOut(Counted):
    """From which rows of which files the results of a school come."""

    procedure_id: int = Field(description="Процедура", examples=[5])
    school_id: int = Field(description="Школа", examples=[698])
    import_id: int = Field(description="Импорт", examples=[31])
    sheet_no: int = Field(description="Лист", examples=[1])
    first_row: Pupils = Field(description="Первая строка, как в таблице", examples=[2])
    last_row: Pupils = Field(description="Последняя строка", examples=[31023])
    rows: Pupils = Field(description="Строк в силе", examples=[188])
    sha256: str | None = Field(
        description="Хеш файла (hex); виден тому, кто видит импорт",
        examples=["41db285030166f3de4bb2f0cf7f4b0a7aaf5cf6a3c6f8c1d3a9f2d1b7e6c5a40"],
    )
    size_bytes: int | None = Field(description="Размер файла, байты", examples=[20480])
