"""What is wrong with the rows of a file of profiles, all of it at once.

A finding rejects its row, ignores it, or only warns. Rules have stable codes; each says how to put the
matter right.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from services.indicators.profile_imports.reading import Line, Table
from services.indicators.profile_imports.words import meaning_of
from services.indicators.profiles.cells import CellRefused, stored

__all__ = ["RULES", "Effect", "Finding", "Judged", "Places", "judge"]


class Effect(StrEnum):
    """What a finding does to its row."""

    REJECT = "reject"
    IGNORE = "ignore"
    WARN = "warn"


@dataclass(frozen=True)
class Rule:
    """A rule of the check."""

    effect: Effect
    title: str
    remedy: str


def _reject(title: str, remedy: str) -> Rule:
    return Rule(Effect.REJECT, title, remedy)


RULES: Mapping[str, Rule] = {
    "row-empty": Rule(Effect.IGNORE, "Пустая строка", "Ничего не нужно: строка пропущена"),
    "row-repeated": Rule(
        Effect.IGNORE, "Строка повторена дословно", "Ничего не нужно: учтена первая из них"
    ),
    "row-without-cells": Rule(
        Effect.IGNORE, "В строке только школа, сведений нет", "Заполните ячейки, если они есть"
    ),
    "row-unchanged": Rule(
        Effect.IGNORE, "Такие сведения уже записаны", "Ничего не нужно: меняться нечему"
    ),
    "row-long": _reject(
        "В строке больше ячеек, чем в заголовке",
        "Возьмите в кавычки ячейки, внутри которых есть разделитель",
    ),
    "row-cut": _reject(
        "Последняя строка короче заголовка и обрывается",
        "Файл передан не полностью: выгрузите и загрузите его целиком",
    ),
    "code-missing": _reject("Код ОО не указан", "Впишите код школы"),
    "code-repeated": _reject(
        "Код ОО повторяется с другими сведениями", "Оставьте одну строку на школу"
    ),
    "school-unknown": _reject(
        "Школы с таким кодом в регионе нет",
        "Проверьте код; новая школа заводится в реестре школ",
    ),
    "number-invalid": _reject(
        "Это не число", "Запишите число цифрами; «н/п» — не применимо, пусто — сведений нет"
    ),
    "number-too-big": _reject("Число слишком велико", "Проверьте единицу измерения признака"),
    "share-out-of-range": _reject(
        "Доля не от 0 до 1", "Запишите 0,35, 35 % или 14/40: числитель не больше знаменателя"
    ),
    "denominator-zero": _reject(
        "Доля от нуля не определена", "Если признак к школе не относится, запишите «н/п»"
    ),
    "not-a-count": _reject("Нужно целое число от 0", "Запишите целое неотрицательное число"),
    "not-a-boolean": _reject("Нужно «да» или «нет»", "Запишите да или нет; пусто — не известно"),
    "value-rounded": Rule(
        Effect.WARN,
        "В числе больше девяти знаков после запятой",
        "Ничего не нужно: число округлено до девяти знаков",
    ),
}


@dataclass(frozen=True)
class Finding:
    """One thing said about one row."""

    rule: str
    column: str | None = None
    value: str | None = None
    detail: str | None = None


@dataclass
class Judged:
    """A row with what was found; `values` as profiles keep them."""

    line: Line
    school_id: int | None = None
    values: dict[str, Any] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    @property
    def outcome(self) -> str:
        """Return store, reject or ignore; what rejects wins."""
        effects = {RULES[finding.rule].effect for finding in self.findings}
        if Effect.REJECT in effects:
            return "reject"
        return "ignore" if Effect.IGNORE in effects else "store"


@dataclass(frozen=True)
class Places:
    """The region's schools by what a file may call them."""

    exact: Mapping[str, int]
    trimmed: Mapping[str, int]
    """By code without the zeros in front, which Excel loses; only where one school has it."""

    @classmethod
    def of(cls, schools: Sequence[tuple[int, str, str | None]]) -> "Places":
        """Take ids with codes and logins."""
        exact = {login.lower(): id_ for id_, _, login in schools if login}
        exact |= {code.lower(): id_ for id_, code, _ in schools}
        often = Counter(code.lstrip("0") for _, code, _ in schools)
        trimmed = {
            code.lstrip("0"): id_ for id_, code, _ in schools if often[code.lstrip("0")] == 1
        }
        return cls(exact, trimmed)

    def school(self, code: str) -> int | None:
        """Find the school that a file means; None when there is none."""
        found = self.exact.get(code.lower())
        return self.trimmed.get(code.lstrip("0")) if found is None else found


def judge(
    table: Table,
    places: Places,
    known: Mapping[int, Mapping[str, Any]],
    *,
    source: str,
    import_id: int,
) -> list[Judged]:
    """Judge every row by itself, against the others, and against what is written already.

    Args:
        table: The file.
        places: The schools it may name.
        known: Cells that stand in profiles of the year, by school.
        source: The document that the cells will name.
        import_id: The import that the cells will name.
    """
    judged = [_row(line, table, places, source, import_id) for line in table.lines]
    _against_each_other(judged)
    for row in judged:
        if row.outcome == "store" and row.school_id is not None:
            _against_known(row, known.get(row.school_id, {}))
    return judged


def _row(line: Line, table: Table, places: Places, source: str, import_id: int) -> Judged:
    row = Judged(line)
    if line.width == 0:
        row.findings.append(Finding("row-empty"))
        return row
    if line.width > table.header_width:
        row.findings.append(Finding("row-long", detail=f"Ячеек {line.width}"))
    if not line.code:
        row.findings.append(Finding("code-missing", "Код ОО"))
    else:
        row.school_id = places.school(line.code)
        if row.school_id is None:
            row.findings.append(Finding("school-unknown", "Код ОО", _shown(line.code)))
    if line is table.lines[-1] and len(line.cells) < len(table.attributes):
        row.findings.append(Finding("row-cut"))
    _cells(row, table, source, import_id)
    if not row.values and row.outcome == "store":
        row.findings.append(Finding("row-without-cells"))
    return row


def _cells(row: Judged, table: Table, source: str, import_id: int) -> None:
    for asked in table.attributes:
        text = row.line.cells.get(asked.code, "")
        try:
            reading = meaning_of(text, asked.kind)
        except CellRefused as refused:
            rule = refused.code.replace("_", "-")
            row.findings.append(Finding(rule, asked.title, _shown(text), str(refused)))
            continue
        if reading is None:
            continue
        if reading.is_rounded:
            row.findings.append(Finding("value-rounded", asked.title, _shown(text)))
        row.values[asked.code] = stored(
            reading.cell, source, import_id=import_id, row_no=row.line.number
        )


def _against_each_other(judged: Sequence[Judged]) -> None:
    first: dict[int, Judged] = {}
    for row in judged:
        if row.school_id is None:
            continue
        earlier = first.setdefault(row.school_id, row)
        if earlier is row:
            continue
        detail = f"Впервые в строке {earlier.line.number}"
        same = earlier.line.cells == row.line.cells and earlier.outcome != "reject"
        rule = "row-repeated" if same else "code-repeated"
        row.findings.append(Finding(rule, "Код ОО", _shown(row.line.code), detail))


def _against_known(row: Judged, known: Mapping[str, Any]) -> None:
    told = ("state", "value", "numerator", "denominator", "source")
    withdrawn = {"state": "not_submitted"}
    for code, cell in row.values.items():
        stands = known.get(code, withdrawn)
        if cell["state"] == "not_submitted" and stands is withdrawn:
            continue
        if any(cell[name] != stands.get(name) for name in told):
            return
    row.findings.append(Finding("row-unchanged"))


def _shown(value: str) -> str:
    """Return a value short enough for a report."""
    return value if len(value) <= 100 else f"{value[:99]}…"
