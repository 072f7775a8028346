"""The semantic check of a batch: pure arithmetic on columns, no database.

In: rows as the intake wrote them, with their unreadable cells. Out: the rows to store as arrays
ready to be copied, and every fault of the batch, so that all that is wrong is told at once.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from services.indicators.results.intake.batches import FAULTS
from services.indicators.results.reference import Reference
from services.indicators.results.rules import BY_CODE, BY_NUMBER, Outcome

__all__ = ["Accepted", "Judge", "Judged"]

Integers = npt.NDArray[np.int64]
_PRESENT, _CANCELLED = 0, 2
_SCORE_RULES = [
    BY_CODE[code].number
    for code in ("score-not-number", "score-negative", "score-too-precise", "link-missing")
]
_NO_CLASS = -1


@dataclass(frozen=True)
class Nullable:
    """A column with gaps."""

    values: Integers
    present: npt.NDArray[np.bool_]

    def where(self, kept: npt.NDArray[np.bool_]) -> "Nullable":
        """Keep some rows."""
        return Nullable(self.values[kept], self.present[kept])


@dataclass(frozen=True)
class Accepted:
    """Rows to store, column by column, in the units of the table `result`."""

    school_id: Integers
    municipality_id: Integers
    participant: npt.NDArray[np.uint64]
    """Two numbers per row: high and low half of the pseudonym."""
    row_no: Integers
    sheet_no: Integers
    source_version: Integers
    subject: Integers
    status: Integers
    score_milli: Nullable
    exam_date: Nullable
    """Days since 1970-01-01."""
    variant: Nullable
    mark: Nullable
    class_no: Nullable
    journal_mark: Nullable


@dataclass(frozen=True)
class Judged:
    """The outcome of a batch; `faults` include those the intake found."""

    accepted: Accepted
    faults: pl.DataFrame
    rejected_rows: int
    cancelled_rows: int
    first_reasons: dict[int, int]
    """Number of a rejecting rule -> rows for which it is the first reason."""


@dataclass
class Judge:
    """Judges the batches of one import; learns class labels on the way."""

    reference: Reference
    labels: dict[str, int]
    """Labels of classes -> their numbers in the procedure; grows."""
    constants: dict[str, int | str] = field(default_factory=dict)

    def judge(self, rows: pl.DataFrame, faults: pl.DataFrame) -> Judged:
        """Judge a batch of one sheet."""
        count = len(rows)
        row_no = rows["row_no"].to_numpy().astype(np.int64)
        subject = _looked_up(rows["subject"], self.reference.subjects)
        school = _looked_up(rows["school_code"], self.reference.codes)
        status = _integers(rows, "status", count)
        status_code = np.where(status.present, status.values, _PRESENT)
        score = self._score(rows, subject, count)
        mark = _integers(rows, "mark", count)
        grade = _integers(rows, "grade", count)
        spoilt = _of_rules(faults, row_no, _SCORE_RULES)
        has_subject, has_school = subject.present, school.present
        maximum = np.full(64, np.iinfo(np.int64).max)
        for scale in self.reference.scales:
            maximum[scale.position] = scale.maximum_milli

        found = [
            faults.select(*FAULTS),
            _fault("school-unknown", ~has_school & rows["school_code"].is_not_null().to_numpy(),
                   row_no, "school_code", rows["school_code"]),
            _fault("subject-unknown", ~has_subject & rows["subject"].is_not_null().to_numpy(),
                   row_no, "subject", rows["subject"]),
            _fault("grade-wrong", grade.present & (grade.values != self.reference.grade),
                   row_no, "grade", rows["grade"] if "grade" in rows.columns else None),
            _fault("score-above-maximum",
                   has_subject & score.present & (score.values > maximum[subject.values]),
                   row_no, "score", _points(score)),
            _fault("score-missing", ~score.present & ~spoilt & (status_code == _PRESENT),
                   row_no, "score", None),
            _fault("mark-wrong", mark.present & ((mark.values < 2) | (mark.values > 5)),
                   row_no, "mark", rows["mark"] if "mark" in rows.columns else None),
        ]  # fmt: skip
        every = pl.concat(found)
        broken = _rejecting(every)
        bad = np.isin(row_no, broken["row_no"].to_numpy()) if len(broken) else np.zeros(count, bool)
        kept = ~bad
        version = _integers(rows, "source_version", count)
        accepted = Accepted(
            school_id=self.reference.school_ids[school.values[kept]] if kept.any() else _NONE,
            municipality_id=(
                self.reference.municipality_ids[school.values[kept]] if kept.any() else _NONE
            ),
            participant=rows.select("participant_hi", "participant_lo").to_numpy()[kept],
            row_no=row_no[kept],
            sheet_no=rows["sheet_no"].to_numpy().astype(np.int64)[kept],
            source_version=np.where(version.present, version.values, 1)[kept],
            subject=subject.values[kept],
            status=status_code[kept],
            score_milli=score.where(kept),
            exam_date=_integers(rows, "exam_date", count).where(kept),
            variant=_integers(rows, "variant", count).where(kept),
            mark=mark.where(kept),
            class_no=self._classes(rows, count).where(kept),
            journal_mark=_integers(rows, "journal_mark", count).where(kept),
        )
        first = broken.group_by("row_no").agg(pl.col("rule").min())["rule"].value_counts()
        return Judged(
            accepted=accepted,
            faults=every,
            rejected_rows=broken["row_no"].n_unique(),
            cancelled_rows=int((status_code[kept] == _CANCELLED).sum()),
            first_reasons=dict(first.iter_rows()),
        )

    def _score(self, rows: pl.DataFrame, subject: Nullable, count: int) -> Nullable:
        """Take the score of the scale's kind; РИС tables carry three kinds side by side."""
        if "score" in rows.columns:
            return _integers(rows, "score", count)
        values, present = np.zeros(count, np.int64), np.zeros(count, bool)
        columns = {"primary": "primary", "test100": "test100", "mark": "mark"}
        for scale in self.reference.scales:
            of_scale = subject.present & (subject.values == scale.position)
            source = _integers(rows, columns[scale.score_kind], count)
            factor = 1000 if scale.score_kind == "mark" else 1
            values = np.where(of_scale, source.values * factor, values)
            present = np.where(of_scale, source.present, present)
        return Nullable(values, present)

    def _classes(self, rows: pl.DataFrame, count: int) -> Nullable:
        if "class_label" not in rows.columns:
            return Nullable(np.zeros(count, np.int64), np.zeros(count, bool))
        for label in rows["class_label"].drop_nulls().unique().sort():
            if label not in self.labels and len(self.labels) < 32_000:
                self.labels[label] = len(self.labels)
        return _looked_up(rows["class_label"], self.labels)


_NONE = np.empty(0, np.int64)


def _integers(rows: pl.DataFrame, name: str, count: int) -> Nullable:
    """Take an integer column; an absent column is all gaps."""
    if name not in rows.columns:
        return Nullable(np.zeros(count, np.int64), np.zeros(count, bool))
    column = rows[name]
    return Nullable(
        column.fill_null(0).to_numpy().astype(np.int64), column.is_not_null().to_numpy()
    )


def _looked_up(texts: pl.Series, places: dict[str, int]) -> Nullable:
    """Replace texts by numbers; unknown texts become gaps (value 0)."""
    old = pl.Series(list(places), dtype=pl.String)
    new = pl.Series(list(places.values()), dtype=pl.Int32)
    found = texts.replace_strict(old, new, default=None, return_dtype=pl.Int32)
    return Nullable(found.fill_null(0).to_numpy().astype(np.int64), found.is_not_null().to_numpy())


def _of_rules(faults: pl.DataFrame, row_no: Integers, rules: list[int]) -> npt.NDArray[np.bool_]:
    if not len(faults):
        return np.zeros(len(row_no), bool)
    marked = faults.filter(pl.col("rule").is_in(rules))["row_no"].to_numpy()
    return np.isin(row_no, marked)


def _fault(
    code: str,
    mask: npt.NDArray[np.bool_],
    row_no: Integers,
    column: str,
    samples: pl.Series | None,
) -> pl.DataFrame:
    """Report the rows of a mask under a rule."""
    if not mask.any():
        return pl.DataFrame(schema=FAULTS)
    at = np.flatnonzero(mask)
    shown = samples.gather(at).cast(pl.String) if samples is not None else None
    return pl.DataFrame(
        {
            "row_no": row_no[at],
            "rule": np.full(len(at), BY_CODE[code].number),
            "column": pl.repeat(column, len(at), eager=True),
            "sample": shown,
        },
        schema=FAULTS,
    )


def _points(score: Nullable) -> pl.Series:
    """Write thousandths as points, for samples."""
    whole, rest = pl.Series(score.values // 1000), pl.Series(score.values % 1000)
    text = pl.select(
        pl.when(rest == 0)
        .then(whole.cast(pl.String))
        .otherwise(
            whole.cast(pl.String) + "," + rest.cast(pl.String).str.zfill(3).str.strip_chars_end("0")
        )
    )
    return text.to_series()


def _rejecting(faults: pl.DataFrame) -> pl.DataFrame:
    numbers = [number for number, rule in BY_NUMBER.items() if rule.outcome is Outcome.REJECTED]
    return faults.filter(pl.col("rule").is_in(numbers))
