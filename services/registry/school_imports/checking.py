"""What is wrong with the rows of a table of schools, all of it at once.

A finding rejects its row, ignores it, or only warns. Rules have stable codes; each says how to put
the matter right.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from pydantic import ValidationError

from services.registry.school_imports.layouts import Column, Layout, normal
from services.registry.school_imports.reading import Line, Table
from services.registry.schools.schemas import SchoolFields

__all__ = ["RULES", "Effect", "Finding", "Judged", "Reference", "judge"]


class Effect(StrEnum):
    """What a finding does to its row."""

    REJECT = "reject"
    IGNORE = "ignore"
    WARN = "warn"


@dataclass(frozen=True)
class Rule:
    """A rule of the check: what it does to a row and how to put it right."""

    effect: Effect
    title: str
    remedy: str


RULES: Mapping[str, Rule] = {
    "row-empty": Rule(Effect.IGNORE, "Пустая строка", "Ничего не нужно: строка пропущена"),
    "row-repeated": Rule(
        Effect.IGNORE, "Строка повторена дословно", "Ничего не нужно: учтена первая из них"
    ),
    "row-unchanged": Rule(
        Effect.IGNORE, "Сведения уже есть в реестре", "Ничего не нужно: меняться нечему"
    ),
    "row-cut": Rule(
        Effect.REJECT,
        "Строка короче остальных и обрывается",
        "Файл передан не полностью: выгрузите и загрузите его целиком",
    ),
    "row-long": Rule(
        Effect.REJECT,
        "В строке больше ячеек, чем в заголовке",
        "Возьмите в кавычки ячейки, внутри которых есть разделитель",
    ),
    "code-repeated": Rule(
        Effect.REJECT,
        "Код ОО повторяется с другими сведениями",
        "Оставьте одну строку на школу",
    ),
    "login-repeated": Rule(
        Effect.REJECT,
        "Логин ВПР повторяется у другой школы",
        "Проверьте логин: он свой у каждой школы",
    ),
    "login-taken": Rule(
        Effect.REJECT,
        "Логин ВПР указан в реестре у другой действующей школы",
        "Проверьте логин; если он перешёл к этой школе, сначала уберите его у прежней",
    ),
    "value-missing": Rule(Effect.REJECT, "Обязательная ячейка пуста", "Заполните ячейку"),
    "value-unknown": Rule(
        Effect.REJECT,
        "Значение не из списка допустимых",
        "Допустимые значения названы в пояснениях шаблона",
    ),
    "date-invalid": Rule(Effect.REJECT, "Это не дата", "Запишите дату как дд.мм.гггг"),
    "number-invalid": Rule(Effect.REJECT, "Это не число", "Запишите число цифрами"),
    "value-invalid": Rule(
        Effect.REJECT, "Значение не проходит проверку", "Исправьте ячейку: причина указана рядом"
    ),
    "attributes-disagree": Rule(
        Effect.REJECT, "Сведения противоречат друг другу", "Исправьте названные ячейки"
    ),
    "oktmo-region": Rule(
        Effect.REJECT, "ОКТМО другого региона", "Проверьте первые две цифры ОКТМО"
    ),
    "municipality-unknown": Rule(
        Effect.REJECT,
        "Муниципалитета нет в реестре",
        "Внесите его в реестр или загрузите файл с create_municipalities=true "
        "(нужны и код МСУ, и наименование)",
    ),
    "size-incomplete": Rule(
        Effect.REJECT,
        "Численность указана без учебного года или год без численности",
        "Заполните оба столбца: «Учебный год» и «Обучающихся»",
    ),
    "earlier-than-state": Rule(
        Effect.REJECT,
        "Изменение раньше начала действующего состояния школы",
        "Загрузите файл с более поздней датой effective_on",
    ),
    "code-short": Rule(
        Effect.WARN,
        "Код ОО короче 6 знаков",
        "Проверьте, не отбросил ли Excel ведущие нули; строка принята как есть",
    ),
}


@dataclass(frozen=True)
class Finding:
    """One thing said about one row."""

    rule: str
    column: str | None = None
    value: str | None = None
    detail: str | None = None

    @property
    def effect(self) -> Effect:
        """Return what it does to the row."""
        return RULES[self.rule].effect


@dataclass
class Judged:
    """A row with what was found; `values` are the attributes of the school that it names."""

    line: Line
    values: dict[str, Any] = field(default_factory=dict)
    municipality_code: str | None = None
    municipality_name: str | None = None
    size: dict[str, Any] | None = None
    findings: list[Finding] = field(default_factory=list)

    @property
    def outcome(self) -> str:
        """Return store, reject or ignore; what rejects wins."""
        effects = {finding.effect for finding in self.findings}
        if Effect.REJECT in effects:
            return "reject"
        return "ignore" if Effect.IGNORE in effects else "store"


@dataclass(frozen=True)
class Reference:
    """What the check needs to know of the registry."""

    municipality_ids: Mapping[str, int]
    municipality_codes_by_name: Mapping[str, str]
    oktmo_prefix: str | None
    create_municipalities: bool


def judge(table: Table, layout: Layout, reference: Reference) -> list[Judged]:
    """Judge every row by itself and against the other rows of the file."""
    judged = [_row(line, table, layout, reference) for line in table.lines]
    _against_each_other(judged)
    return judged


def _row(line: Line, table: Table, layout: Layout, reference: Reference) -> Judged:
    row = Judged(line)
    if line.width == 0:
        row.findings.append(Finding("row-empty"))
        return row
    if line.width > table.header_width:
        row.findings.append(Finding("row-long", detail=f"Ячеек {line.width}"))
    # Empty cells at the end are no cut; a row that stops before a required column is.
    is_last = line is table.lines[-1]
    read = _cells(row, table.columns, layout)
    missing = [
        column.title for column in table.columns if column.required and column.name not in read
    ]
    if is_last and missing and len(line.cells) < len(table.columns):
        row.findings = [Finding("row-cut", value=_shown(next(reversed(line.cells.values()), "")))]
        return row
    row.findings += [
        Finding("value-missing", title)
        for title in missing
        if not any(finding.column == title for finding in row.findings)
    ]
    _place(row, read, reference)
    _size(row, read)
    row.values = read
    if row.outcome != "reject":
        _validate(row, layout, reference)
    return row


def _cells(row: Judged, columns: Sequence[Column], layout: Layout) -> dict[str, Any]:
    """Return the values of the cells that are filled; say what cannot be read."""
    read: dict[str, Any] = {}
    for column in columns:
        text = row.line.cells.get(column.name, "")
        if not text:
            continue
        try:
            read[column.name] = _value(column.kind, text, layout)
        except _Unreadable as unreadable:
            row.findings.append(Finding(unreadable.rule, column.title, _shown(text)))
    return read


class _Unreadable(Exception):  # noqa: N818  caught beside its raise
    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


def _value(kind: str, text: str, layout: Layout) -> Any:
    match kind:
        case "kind" | "flag":
            return _word(kind, text, layout)
        case "stages":
            words = text.replace(";", ",").replace("/", ",").replace("+", ",").split(",")
            return [_word(kind, word, layout) for word in words if word.strip()]
        case "date":
            return _date(text)
        case "number":
            return _number(text)
        case "integer":
            number = _number(text)
            if number != number.to_integral_value():
                raise _Unreadable("number-invalid")
            return int(number)
        case _:
            return text


def _word(kind: str, text: str, layout: Layout) -> str | bool:
    known = layout.values[kind]
    word = normal(text)
    if word in known:
        return known[word]
    if word in known.values():
        return word
    raise _Unreadable("value-unknown")


def _date(text: str) -> date:
    for pattern in ("%d.%m.%Y", "%Y-%m-%d"):
        try:
            return datetime.strptime(text, pattern).date()  # noqa: DTZ007  a date has no zone
        except ValueError:
            continue
    raise _Unreadable("date-invalid")


def _number(text: str) -> Decimal:
    try:
        number = Decimal(text.replace("\u00a0", "").replace(" ", "").replace(",", "."))
    except InvalidOperation:
        raise _Unreadable("number-invalid") from None
    if not number.is_finite() or abs(number) > 10**9:
        raise _Unreadable("number-invalid")
    return number


def _place(row: Judged, read: dict[str, Any], reference: Reference) -> None:
    code = read.pop("municipality_code", None)
    name = read.pop("municipality_name", None)
    if code is None and name is not None:
        code = reference.municipality_codes_by_name.get(normal(name))
    row.municipality_code, row.municipality_name = code, name
    if code is None and name is None:
        row.findings.append(Finding("value-missing", "Код МСУ"))
    elif code not in reference.municipality_ids and not (
        reference.create_municipalities and code is not None and name is not None
    ):
        row.findings.append(Finding("municipality-unknown", "Код МСУ", _shown(code or name or "")))


def _size(row: Judged, read: dict[str, Any]) -> None:
    year, pupils, classes = (read.pop(name, None) for name in ("size_year", "pupils", "classes"))
    if year is None and pupils is None and classes is None:
        return
    if year is None or pupils is None:
        row.findings.append(Finding("size-incomplete", "Обучающихся"))
    elif not (1990 <= year <= 2100 and 0 <= pupils <= 20_000 and 0 <= (classes or 0) <= 1_000):
        row.findings.append(
            Finding(
                "value-invalid", "Обучающихся", _shown(f"{pupils}"), "Число вне разумных границ"
            )
        )
    else:
        row.size = {"year": year, "pupils": pupils, "classes": classes, "source": "Импорт школ"}


def _validate(row: Judged, layout: Layout, reference: Reference) -> None:
    try:
        checked = SchoolFields.model_validate(row.values)
    except ValidationError as error:
        titles = {column.name: column.title for column in layout.columns}
        for found in error.errors(include_url=False):
            name = str(found["loc"][0]) if found["loc"] else None
            reason = str(found.get("ctx", {}).get("error", "")) or None
            row.findings.append(
                Finding(
                    "value-invalid" if name else "attributes-disagree",
                    titles.get(name) if name else None,
                    _shown(row.line.cells.get(name, "")) if name else None,
                    reason,
                )
            )
        return
    row.values = checked.model_dump(exclude_unset=True)
    prefix = reference.oktmo_prefix
    if checked.oktmo is not None and prefix is not None and not checked.oktmo.startswith(prefix):
        row.findings.append(Finding("oktmo-region", "ОКТМО", checked.oktmo))
    if checked.code.isdigit() and len(checked.code) < 6:
        row.findings.append(Finding("code-short", "Код ОО", checked.code))


def _against_each_other(judged: list[Judged]) -> None:
    by_code: dict[str, Judged] = {}
    by_login: dict[str, Judged] = {}
    for row in judged:
        code = row.line.cells.get("code", "")
        if row.line.width == 0 or not code:
            continue
        first = by_code.setdefault(code, row)
        if first is not row:
            same = first.line.cells == row.line.cells
            detail = f"Впервые в строке {first.line.number}"
            if same and first.outcome != "reject":
                row.findings.append(Finding("row-repeated", "Код ОО", _shown(code), detail))
            else:
                row.findings.append(Finding("code-repeated", "Код ОО", _shown(code), detail))
            continue
        login = row.line.cells.get("vpr_login", "")
        if login and by_login.setdefault(login, row) is not row:
            detail = f"Впервые в строке {by_login[login].line.number}"
            row.findings.append(Finding("login-repeated", "Логин ВПР", _shown(login), detail))


def _shown(value: str) -> str:
    """Return a value short enough for a report."""
    return value if len(value) <= 100 else f"{value[:99]}…"
