"""Recognising a header: which position holds which column, and whether the template is old."""

import re
from dataclasses import dataclass

from services.indicators.results.intake.refusals import Refusal
from services.indicators.results.layouts import Layout, Table

_STAMP = re.compile(r"#\s*([a-z0-9-]+)/(\d+)\s*")


@dataclass(frozen=True)
class Header:
    """Where the columns of a table stand in a row of `width` cells."""

    positions: dict[str, int]
    width: int


def words(cells: list[str]) -> list[str]:
    """Bring header cells to one form: case, quotes and spaces do not matter."""
    return [" ".join(cell.strip().strip("\"'«»").lower().split()) for cell in cells]


def positions(table: Table, cells: list[str]) -> dict[str, int]:
    """Find the columns of a table among header cells; the first of equal names counts."""
    found = words(cells)
    return {
        column.name: min(found.index(alias) for alias in column.aliases if alias in found)
        for column in table.columns
        if any(alias in found for alias in column.aliases)
    }


def is_header(table: Table, cells: list[str]) -> bool:
    """Tell whether all required columns are there."""
    found = positions(table, cells)
    return all(column.name in found for column in table.columns if column.required)


def recognise(layout: Layout, table: Table, cells: list[str], *, delimiter: str | None) -> Header:
    """Recognise a header or refuse the file, naming only column names the layout knows.

    A file without a header has data in its first line, so an unknown cell is never repeated.
    """
    if is_header(table, cells):
        return Header(positions(table, cells), len(cells))
    found = words(cells)
    for older in layout.older_headers:
        if set(older.columns) <= set(found):
            raise template_outdated(layout, older.version)
    known = positions(table, cells)
    missing = [
        column.title for column in table.columns if column.required and column.name not in known
    ]
    titles = [column.title for column in table.columns if column.name in known]
    separated = f" (разделитель {_named(delimiter)})" if delimiter else ""
    raise Refusal(
        "header-unrecognised",
        f"В первой строке таблицы «{table.title}» найдено столбцов: {len(cells)}{separated}, "
        f"из них известны: {', '.join(titles) or 'ни один'}. Не хватает: {', '.join(missing)}.",
        "Первая строка должна содержать названия столбцов. Возьмите шаблон: "
        f"GET /api/indicators/v1/import-templates/{layout.code}.csv",
        {"found": titles, "missing": missing, "cells": len(cells)},
    )


def stamp(text: str) -> tuple[str, int] | None:
    """Read the version stamp that templates of Opora carry in a line of their own."""
    match = _STAMP.match(text.strip().strip("\"'"))
    return (match[1], int(match[2])) if match else None


def check_stamp(layout: Layout, code: str, version: int) -> None:
    """Refuse a template of another layout or of an older version."""
    if code != layout.code:
        raise Refusal(
            "template-other",
            f"Это шаблон «{code}», а импорт создан для «{layout.code}».",
            "Создайте импорт с подходящей раскладкой (layout).",
            {"found": code, "expected": layout.code},
        )
    if layout.template_version is not None and version < layout.template_version:
        raise template_outdated(layout, version)


def template_outdated(layout: Layout, version: int) -> Refusal:
    """Tell that the template is of an older version."""
    return Refusal(
        "template-outdated",
        f"Файл сделан по шаблону версии {version}, действует версия {layout.template_version}.",
        "Возьмите действующий шаблон: "
        f"GET /api/indicators/v1/import-templates/{layout.code}.csv — и перенесите в него данные.",
        {"found": version, "expected": layout.template_version},
    )


def _named(delimiter: str) -> str:
    return {"\t": "табуляция", ";": "точка с запятой", ",": "запятая"}.get(delimiter, delimiter)
