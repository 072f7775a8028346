"""What travels about imports of schools."""

from datetime import date, datetime

from pydantic import Field

from services.kit.http import In, Out
from services.kit.words import Word

__all__ = ["CommitIn", "ImportOut", "ImportSummary", "IssueOut", "Outcome", "RowOut", "State"]


class State(Word):
    """Where an import stands."""

    CHECKED = "checked", "проверен, ничего не записано"
    COMMITTING = "committing", "записывается"
    COMMITTED = "committed", "записан"
    FAILED = "failed", "записать не удалось, можно попросить ещё раз"


class Outcome(Word):
    """What becomes of a row."""

    STORE = "store", "строка будет записана"
    REJECT = "reject", "строка отклонена, её нужно исправить"
    IGNORE = "ignore", "строка пропущена: нового в ней нет"


class IssueOut(Out):
    """Something found in the file, grouped by rule and column."""

    rule: str = Field(description="Машинный код правила", examples=["municipality-unknown"])
    effect: str = Field(
        description="reject: строки отклонены, ignore: пропущены, warn: приняты с замечанием",
        examples=["reject"],
    )
    title: str = Field(description="Что не так", examples=["Муниципалитета нет в реестре"])
    remedy: str = Field(description="Как исправить", examples=["Внесите его в реестр"])
    column: str | None = Field(description="Столбец; null: вся строка", examples=["Код МСУ"])
    rows: int = Field(description="Сколько строк", examples=[12])
    first_row: int = Field(description="Первая такая строка файла", examples=[2])
    last_row: int = Field(description="Последняя такая строка файла", examples=[40])
    value: str | None = Field(description="Пример значения (первая строка)", examples=["999"])
    detail: str | None = Field(description="Подробность о первой строке", examples=[None])


class ImportSummary(Out):
    """An import; rows_in = rows_stored + rows_rejected + rows_ignored, always."""

    id: int = Field(description="Номер импорта", examples=[3])
    state: State = Field(description="Состояние", examples=["checked"])
    sha256: str = Field(description="SHA-256 файла", examples=["9f86d081884c7d65"])
    size_bytes: int = Field(description="Размер файла, байт", examples=[20480])
    layout: str = Field(description="Раскладка и версия", examples=["opora-schools/1"])
    format: str = Field(description="csv или xlsx", examples=["csv"])
    encoding: str | None = Field(description="Кодировка CSV", examples=["cp1251"])
    delimiter: str | None = Field(description="Разделитель CSV", examples=[";"])
    sheet: str | None = Field(description="Лист XLSX", examples=[None])
    unknown_headings: list[str] = Field(
        description="Столбцы файла, которые не читаются и не хранятся", examples=[["Директор"]]
    )
    create_municipalities: bool = Field(
        description="Создавать неизвестные муниципалитеты", examples=[False]
    )
    effective_on: date | None = Field(
        description="С какого дня верны изменения; null: со дня записи", examples=[None]
    )
    rows_in: int = Field(description="Строк в файле без заголовка", examples=[75])
    rows_stored: int = Field(
        description="Строк принято: до записи будут записаны, после неё записаны", examples=[74]
    )
    rows_rejected: int = Field(description="Строк отклонено", examples=[1])
    rows_ignored: int = Field(
        description="Строк пропущено (пустые, повторы, без изменений)", examples=[0]
    )
    created_at: datetime = Field(description="Загружен (UTC)", examples=["2026-11-21T10:00:00Z"])
    checked_at: datetime = Field(description="Проверен (UTC)", examples=["2026-11-21T10:00:00Z"])
    committed_at: datetime | None = Field(description="Записан (UTC)", examples=[None])
    job_id: int | None = Field(description="Задание записи", examples=[None])
    failure: str | None = Field(
        default=None, description="Почему запись не удалась", examples=[None]
    )


class ImportOut(ImportSummary):
    """An import with everything that was found."""

    issues: list[IssueOut] = Field(description="Всё найденное, сначала отклоняющее строки")


class RowOut(Out):
    """A row of the file."""

    row_no: int = Field(description="Номер строки файла", examples=[2])
    outcome: Outcome = Field(description="Что с ней будет", examples=["reject"])
    cells: dict[str, str] = Field(
        description="Ячейки известных столбцов", examples=[{"code": "670101"}]
    )
    findings: list["FindingOut"] = Field(description="Что найдено в строке")


class FindingOut(Out):
    """Something found in one row."""

    rule: str = Field(description="Машинный код правила", examples=["date-invalid"])
    column: str | None = Field(description="Столбец", examples=["Открыта"])
    value: str | None = Field(description="Значение", examples=["32.01.2020"])
    detail: str | None = Field(description="Подробность", examples=[None])


class CommitIn(In):
    """The decision to store what was accepted."""

    accept_partial: bool = Field(
        default=False,
        description="true: записать принятые строки, хотя другие отклонены",
        examples=[False],
    )
