"""What travels about imports of profiles."""

from datetime import datetime

from pydantic import Field

from services.kit.http import In, Out
from services.kit.words import Word

__all__ = [
    "FileFormat",
    "ProfileImportCommitIn",
    "ProfileImportOut",
    "ProfileImportRowOut",
    "ProfileImportState",
    "ProfileImportSummary",
    "RowOutcome",
]


class FileFormat(Word):
    """Kinds of the template."""

    CSV = "csv", "текст с разделителями"
    XLSX = "xlsx", "книга Excel"


class ProfileImportState(Word):
    """Where an import stands."""

    CHECKED = "checked", "проверен, ничего не записано"
    COMMITTED = "committed", "записан"


class RowOutcome(Word):
    """What becomes of a row."""

    STORE = "store", "строка будет записана"
    REJECT = "reject", "строка отклонена, её нужно исправить"
    IGNORE = "ignore", "строка пропущена: нового в ней нет"


class ProfileIssueOut(Out):
    """Something found in the file, grouped by rule and column."""

    rule: str = Field(description="Машинный код правила", examples=["share-out-of-range"])
    effect: str = Field(
        description="reject: строки отклонены, ignore: пропущены, warn: приняты с замечанием",
        examples=["reject"],
    )
    title: str = Field(description="Что не так", examples=["Доля не от 0 до 1"])
    remedy: str = Field(description="Как исправить", examples=["Запишите 0,35, 35 % или 14/40"])
    column: str | None = Field(
        description="Столбец; null: вся строка", examples=["Доля неполных семей"]
    )
    rows: int = Field(description="Сколько строк", examples=[12])
    first_row: int = Field(description="Первая такая строка файла", examples=[3])
    last_row: int = Field(description="Последняя такая строка файла", examples=[40])
    value: str | None = Field(description="Пример значения (первая строка)", examples=["35"])
    detail: str | None = Field(description="Подробность о первой строке", examples=[None])


class ProfileImportSummary(Out):
    """An import; rows_in = rows_stored + rows_rejected + rows_ignored, always."""

    id: int = Field(description="Номер импорта профилей", examples=[3])
    state: ProfileImportState = Field(description="Состояние", examples=["checked"])
    year: int = Field(description="Учебный год по году его окончания", examples=[2025])
    source: str = Field(
        description="Документ-источник ячеек", examples=["Социальные паспорта школ, 2025"]
    )
    sha256: str = Field(description="SHA-256 файла", examples=["9f86d081884c7d65"])
    size_bytes: int = Field(description="Размер файла, байт", examples=[20480])
    layout: str = Field(description="Раскладка и версия", examples=["opora-profiles/1"])
    format: str = Field(description="csv или xlsx", examples=["csv"])
    encoding: str | None = Field(description="Кодировка CSV", examples=["cp1251"])
    delimiter: str | None = Field(description="Разделитель CSV", examples=[";"])
    sheet: str | None = Field(description="Лист XLSX", examples=[None])
    unknown_headings: list[str] = Field(
        description="Столбцы файла, которые не читаются и не хранятся", examples=[["Директор"]]
    )
    rows_in: int = Field(description="Строк в файле без заголовка", examples=[75])
    rows_stored: int = Field(
        description="Строк принято: до записи будут записаны, после неё записаны", examples=[74]
    )
    rows_rejected: int = Field(description="Строк отклонено", examples=[1])
    rows_ignored: int = Field(
        description="Строк пропущено (пустые, повторы, без изменений)", examples=[0]
    )
    created_by: str = Field(description="Кто загрузил", examples=["user:1"])
    created_at: datetime = Field(description="Загружен (UTC)", examples=["2026-11-21T10:00:00Z"])
    checked_at: datetime = Field(description="Проверен (UTC)", examples=["2026-11-21T10:00:00Z"])
    committed_at: datetime | None = Field(description="Записан (UTC)", examples=[None])


class ProfileImportOut(ProfileImportSummary):
    """An import with everything that was found."""

    issues: list[ProfileIssueOut] = Field(description="Всё найденное, сначала отклоняющее строки")


class ProfileFindingOut(Out):
    """Something found in one row."""

    rule: str = Field(description="Машинный код правила", examples=["number-invalid"])
    column: str | None = Field(description="Столбец", examples=["Вакансий"])
    value: str | None = Field(description="Значение", examples=["много"])
    detail: str | None = Field(description="Подробность", examples=["Это не число"])


class ProfileImportRowOut(Out):
    """A row of the file."""

    row_no: int = Field(description="Номер строки файла", examples=[3])
    outcome: RowOutcome = Field(description="Что с ней будет", examples=["reject"])
    school_id: int | None = Field(description="Номер школы; null — не найдена", examples=[15])
    school_code: str = Field(description="Код ОО, как он записан в файле", examples=["670101"])
    cells: dict[str, str] = Field(
        description="Ячейки по кодам признаков, как они записаны в файле",
        examples=[{"vacancies": "1,5"}],
    )
    findings: list[ProfileFindingOut] = Field(description="Что найдено в строке")


class ProfileImportCommitIn(In):
    """The decision to store what was accepted."""

    accept_partial: bool = Field(
        default=False,
        description="true: записать принятые строки, хотя другие отклонены",
        examples=[False],
    )
