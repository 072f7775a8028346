"""A batch of texts becomes a batch of typed, sanitised rows and a batch of faults."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from services.indicators.results.intake import cells, pseudonyms
from services.indicators.results.intake.pseudonyms import Pseudonyms, Purpose
from services.indicators.results.layouts import Column, Table

FAULTS = {"row_no": pl.UInt32, "rule": pl.UInt8, "column": pl.String, "sample": pl.String}
"""A fault: the row as a spreadsheet numbers it, the rule, the column's stable name, a safe text."""

_TYPES: dict[str, type[pl.DataType]] = {
    "school": pl.String,
    "subject": pl.String,
    "label": pl.String,
    "integer": pl.Int32,
    "journal": pl.Int32,
    "score": pl.Int32,
    "status": pl.Int32,
    "date": pl.Int32,
}
_MISSING = {"pseudonym": 3, "key": 19, "school": 4, "subject": 7}
"""Rules of required cells; a missing score depends on the status and is judged by the check."""


@dataclass(frozen=True)
class Batch:
    """Some rows of one sheet as texts; `rows` are the numbers a spreadsheet would show."""

    rows: npt.NDArray[np.uint32]
    texts: pl.DataFrame


@dataclass
class Typed:
    """Rows ready to leave, and what could not be read."""

    rows: pl.DataFrame
    faults: pl.DataFrame
    empty: npt.NDArray[np.uint32]


@dataclass(frozen=True)
class _Distinct:
    """The different texts of a column and which of them each row has."""

    texts: list[str]
    places: npt.NDArray[np.uint32]


@dataclass
class Typist:
    """Reads the batches of one table."""

    table: Table
    pseudonyms: Pseudonyms
    subjects: frozenset[str]
    constants: dict[str, int | str] = field(default_factory=dict)
    """Values that stand above the header and hold for each row (subject, grade of ВПР Ф1)."""

    def type(self, batch: Batch) -> Typed:
        """Read a batch."""
        batch, empty = self._without_empty(batch)
        out: dict[str, pl.Series] = {"row_no": pl.Series(batch.rows, dtype=pl.UInt32)}
        faults: list[pl.DataFrame] = []
        schools: _Distinct | None = None
        for column in self.table.columns:
            if column.name not in batch.texts.columns:
                continue
            distinct = _distinct(batch.texts[column.name])
            if column.kind == "school":
                schools = distinct
            if column.kind in {"pseudonym", "key"}:
                within = schools if column.scope == "school" else None
                out |= self._hashed(column, distinct, within)
                faults += _missing(column, distinct, batch.rows)
            else:
                out |= self._read(column, distinct, batch.rows, faults)
        out |= {
            name: pl.repeat(value, len(batch.rows), dtype=_constant(value), eager=True)
            for name, value in self.constants.items()
        }
        found = pl.concat(faults) if faults else pl.DataFrame(schema=FAULTS)
        return Typed(pl.DataFrame(out), found, empty)

    def _without_empty(self, batch: Batch) -> tuple[Batch, npt.NDArray[np.uint32]]:
        """Set blank lines aside; in a form with headings, also those that only name a school."""
        watched = [
            column.name
            for column in self.table.columns
            if column.name in batch.texts.columns
            and not (self.table.subject_from_title and column.kind == "school")
        ]
        blank = pl.repeat(value=True, n=len(batch.rows), eager=True)
        for name in watched:
            texts = batch.texts[name]
            blank &= texts.is_null() | (texts.str.strip_chars() == "")
            # As a rule the first column is nowhere blank, and the others need no look.
            if not blank.any():
                return batch, np.empty(0, np.uint32)
        mask = blank.to_numpy()
        return Batch(batch.rows[~mask], batch.texts.filter(~blank)), batch.rows[mask]

    def _hashed(
        self, column: Column, distinct: _Distinct, schools: _Distinct | None
    ) -> dict[str, pl.Series]:
        """Replace codes by pseudonyms; a code unique only in a school takes the school with it."""
        purpose = Purpose.RESULT if column.kind == "pseudonym" else Purpose.JOIN
        codes = pseudonyms.codes(distinct.texts)
        places: npt.NDArray[np.uint32] = distinct.places
        if schools is not None:
            logins = [cells.school_code(text) for text in schools.texts]
            pairs = schools.places.astype(np.uint64) * len(codes) + distinct.places
            unique, inverse = np.unique(pairs, return_inverse=True)
            codes = [f"{logins[pair // len(codes)]}\0{codes[pair % len(codes)]}" for pair in unique]
            places = inverse.astype(np.uint32)
        numbers = self.pseudonyms.of(codes, purpose)[places]
        return {
            f"{column.name}_hi": pl.Series(numbers[:, 0]),
            f"{column.name}_lo": pl.Series(numbers[:, 1]),
        }

    def _read(
        self,
        column: Column,
        distinct: _Distinct,
        rows: npt.NDArray[np.uint32],
        faults: list[pl.DataFrame],
    ) -> dict[str, pl.Series]:
        read = cells.reader(column, self.subjects)
        status_words = dict(column.status_values)
        words = [status_words.get(text.lower()) for text in distinct.texts]
        readings = [
            cells.BLANK if word is not None else read(text)
            for text, word in zip(distinct.texts, words, strict=True)
        ]
        faults += _broken(column, readings, distinct, rows)
        if column.required and column.kind in _MISSING:
            faults += _missing(column, distinct, rows)
        values = pl.Series([reading.value for reading in readings], dtype=_TYPES[column.kind])
        typed = {column.name: values.gather(distinct.places)}
        if status_words:
            typed["status"] = pl.Series(words, dtype=pl.Int32).gather(distinct.places)
        return typed


def _constant(value: int | str) -> type[pl.DataType]:
    return pl.Int32 if isinstance(value, int) else pl.String


def _distinct(texts: pl.Series) -> _Distinct:
    """Number the different texts of a column; they are stripped, a null is blank.

    Texts that differ only in the spaces around them stay apart: stripping a few distinct texts is
    cheaper than stripping every row.
    """
    filled = texts.fill_null("")
    if len(filled) and (filled == filled[0]).all():
        return _Distinct(
            filled.head(1).str.strip_chars().to_list(), np.zeros(len(filled), np.uint32)
        )
    # Categories of this column of this batch alone: shared ones would keep every text seen so far.
    own = pl.Categorical(pl.Categories.random())
    places: npt.NDArray[np.uint32] = filled.cast(own).to_physical().to_numpy()
    # Backwards, so that of equal places the first row is written last.
    rows = np.arange(len(places), dtype=np.uint32)[::-1]
    first = np.zeros(int(places.max(initial=0)) + 1 if len(places) else 0, np.uint32)
    first[places[::-1]] = rows
    return _Distinct(filled.gather(first).str.strip_chars().to_list(), places)


def _broken(
    column: Column,
    readings: list[cells.Reading],
    distinct: _Distinct,
    rows: npt.NDArray[np.uint32],
) -> list[pl.DataFrame]:
    """Report the cells that cannot be read."""
    rules = np.array([reading.rule or 0 for reading in readings], np.uint8)
    if not rules.any():
        return []
    at = np.flatnonzero(rules[distinct.places])
    places = distinct.places[at]
    samples = pl.Series([reading.sample for reading in readings], dtype=pl.String)
    return [
        pl.DataFrame(
            {
                "row_no": rows[at],
                "rule": rules[places],
                "column": pl.repeat(column.name, len(at), eager=True),
                "sample": samples.gather(places),
            },
            schema=FAULTS,
        )
    ]


def _missing(
    column: Column, distinct: _Distinct, rows: npt.NDArray[np.uint32]
) -> list[pl.DataFrame]:
    """Report blank cells of a column that must not be blank."""
    if "" not in distinct.texts:
        return []
    is_blank = np.array([not text for text in distinct.texts])
    at = rows[is_blank[distinct.places]]
    return [_faults(at, _MISSING[column.kind], column.name, None)]


def _faults(
    rows: npt.NDArray[np.uint32], rule: int, column: str | None, sample: str | None
) -> pl.DataFrame:
    return pl.DataFrame(
        {"row_no": rows, "rule": rule, "column": column, "sample": sample}, schema=FAULTS
    )


def row_faults(rows: npt.NDArray[np.uint32], rule: int) -> pl.DataFrame:
    """Report whole rows."""
    return _faults(rows, rule, None, None)
