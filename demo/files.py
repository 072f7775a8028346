"""The files a region would upload: its schools; its results, with names and birth dates, and with mistakes."""

import io
from dataclasses import astuple, dataclass

import numpy as np
import polars as pl

from demo.region import STAGES, Region, Role
from demo.results import results
from demo.scales import Procedure, published

__all__ = ["Mistakes", "results_file", "schools_file"]

_HEADER = {
    "school_code": "Код ОО",
    "code": "Код участника",
    "surname": "Фамилия",
    "name": "Имя",
    "patronymic": "Отчество",
    "born": "Дата рождения",
    "grade": "Параллель",
    "class": "Класс",
    "subject": "Предмет",
    "variant": "Вариант",
    "score": "Балл",
    "mark": "Отметка",
    "status": "Статус",
}
"""Columns of Opora's template by their Russian names; people's columns are not in the template."""

_KINDS = {
    "nosh": "НОШ",
    "oosh": "ООШ",
    "sosh": "СОШ",
    "gymnasium": "Гимназия",
    "lyceum": "Лицей",
    "advanced": "УИП",
    "evening": "Вечерняя",
    "correctional": "Коррекционная",
}
_STAGES = {"noo": "НОО", "ooo": "ООО", "soo": "СОО"}

_REASONS = (
    "Доля семей с низким доходом выше средней по региону",
    "Удалённость: автобус до районного центра два раза в неделю",
    "Доля обучающихся из неполных семей выше средней по региону",
    "Депрессивная территория: закрылось основное предприятие",
    "Доля обучающихся с неродным русским языком выше средней",
    "Доля состоящих на профилактическом учёте выше средней",
)
"""Source: methodology A4 (3), what the seeds name as adverse social conditions."""

_STATUSES = {"": "", "absent": "отсутствовал", "cancelled": "аннулирован"}


@dataclass(frozen=True, slots=True)
class Mistakes:
    """How many rows of each sort are put into a file on purpose; all but duplicates are rows too many."""

    duplicates: int = 0
    """Rows repeated as they are."""
    conflicts: int = 0
    """Pairs of one participant and subject with different points."""
    unknown_schools: int = 0
    above_maximum: int = 0
    missing_points: int = 0
    not_numbers: int = 0
    empty: int = 0

    @property
    def rows(self) -> int:
        """Return how many rows they add to a file."""
        added: int = sum(astuple(self)) + self.conflicts
        return added


def results_file(
    region: Region,
    procedure: Procedure,
    *,
    mistakes: Mistakes | None = None,
    encoding: str = "utf-8-sig",
) -> bytes:
    """Write the results of a procedure in Opora's layout; `encoding` utf-8-sig or cp1251, as Excel does."""
    rows = (
        results(region, procedure)
        .with_columns(
            pl.col("born").dt.strftime("%d.%m.%Y"), pl.col("status").replace_strict(_STATUSES)
        )
        .cast(pl.String)
    )
    if mistakes is not None and mistakes.rows:
        rows = _with_mistakes(rows, region, procedure, mistakes)
    return _written(rows.select(*_HEADER).rename(_HEADER), encoding)


def schools_file(region: Region, *, year: int, encoding: str = "utf-8-sig") -> bytes:
    """Write the schools in the registry's layout, with the number of pupils of one year."""
    schools = region.schools
    places = [region.preset.places[where].name for where in schools.place]
    adverse = np.isin(schools.role, (Role.FNSU, Role.BOTH))
    made = region.random(4, year)
    # Of some schools nobody has said anything: not known is not "нет".
    unknown = (made.random(len(schools)) < 0.03) & ~adverse
    reasons = np.array(_REASONS)[made.integers(0, len(_REASONS), len(schools))]
    rows = pl.DataFrame(
        {
            "Код ОО": schools.code,
            "Наименование": schools.name,
            "Код МСУ": [region.municipality_code[where] for where in schools.place],
            "Муниципалитет": places,
            "Вид": [_KINDS[kind] for kind in schools.kind.tolist()],
            "Уровни образования": [
                ", ".join(_STAGES[stage] for stage in STAGES[kind])
                for kind in schools.kind.tolist()
            ],
            "ИНН": schools.inn,
            "ОГРН": schools.ogrn,
            "ОКТМО": schools.oktmo,
            "Логин ВПР": [f"edu{region.preset.code}{code}" for code in schools.code],
            "Сельская": np.where(schools.is_rural, "да", "нет"),
            "Малокомплектная": np.where(schools.is_small, "да", "нет"),
            "Широта": [_with_comma(degrees) for degrees in schools.latitude.tolist()],
            "Долгота": [_with_comma(degrees) for degrees in schools.longitude.tolist()],
            "ФНСУ": np.select([adverse, unknown], ["да", ""], default="нет"),
            "Причина ФНСУ": np.where(adverse, reasons, ""),
            "Источник ФНСУ": np.where(unknown, "", f"Социальные паспорта школ, {year - 1} год"),
            "Учебный год": np.full(len(schools), year),
            "Обучающихся": schools.pupils,
        }
    )
    return _written(rows.cast(pl.String), encoding)


def _with_comma(degrees: float) -> str:
    return f"{degrees:.5f}".replace(".", ",")


def _written(rows: pl.DataFrame, encoding: str) -> bytes:
    file = io.BytesIO()
    # An empty text would be quoted; a missing one is nothing between two separators.
    rows.with_columns(pl.when(pl.col(pl.String) != "").then(pl.col(pl.String))).write_csv(
        file, separator=";", line_terminator="\r\n"
    )
    return file.getvalue().decode("utf-8").encode(encoding)


def _with_mistakes(
    rows: pl.DataFrame, region: Region, procedure: Procedure, mistakes: Mistakes
) -> pl.DataFrame:
    """Put the mistakes among the rows, at places that depend on the region's seed only."""
    made = region.random(3, procedure.grade, procedure.year)
    wrong: list[pl.DataFrame] = [
        rows[int(index)] for index in made.integers(0, rows.height, mistakes.duplicates)
    ]
    maximum = published(procedure)[0].maximum
    spoiled: list[dict[str, str]] = []
    spoiled += [{"school_code": "999999"}] * mistakes.unknown_schools
    spoiled += [{"score": str(maximum + 7)}] * mistakes.above_maximum
    spoiled += [{"score": "", "mark": ""}] * mistakes.missing_points
    spoiled += [{"score": "н/д", "mark": ""}] * mistakes.not_numbers
    stranger = rows.filter((pl.col("status") == "") & (pl.col("subject") == "1"))[0]
    for index, change in enumerate(spoiled + [{}] * mistakes.conflicts):
        known = stranger.with_columns(
            pl.lit(_stranger_code(procedure, index)).alias("code"),
            pl.lit(str(maximum)).alias("score"),
        )
        wrong.append(
            known.with_columns(pl.lit(text).alias(column) for column, text in change.items())
        )
        if not change:
            wrong.append(known.with_columns(pl.lit(str(maximum - 1)).alias("score")))
    wrong += [rows.clear(1)] * mistakes.empty
    # One place each: the slices between them are kept as they are.
    places = sorted(made.choice(rows.height, size=len(wrong), replace=False).tolist())
    pieces = []
    for start, end, row in zip([0, *places], [*places, rows.height], [*wrong, None], strict=True):
        pieces.append(rows[start:end])
        if row is not None:
            pieces.append(row)
    return pl.concat(pieces)


def _stranger_code(procedure: Procedure, index: int) -> str:
    prefix = (procedure.year % 100) * 100 + procedure.grade
    return str(prefix * 10**10 + 5_000_000_000 + index)
