"""Freezing the inputs of a run: procedures with scales, counted cells, schools.

Procedures and scales are read under a share lock. Whoever edits a scale or commits an import writes
the procedure's row (its revision of the rollups) in the same transaction and so waits for the run: an
import is in the run as a whole or not at all.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from sqlalchemy import Row, insert, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.indicators.algebra.bounds import bmid, bmin
from services.indicators.algebra.exact import exact
from services.indicators.algebra.rules import Integers
from services.indicators.identification.tables import RunProcedure
from services.indicators.methodologies.document import Methodology
from services.kit.problems import Problem

__all__ = [
    "FrozenCells",
    "FrozenProcedure",
    "MarginDiffers",
    "NoMassSubjects",
    "NoProcedures",
    "RollupsNotCurrent",
    "UseNotPermitted",
    "considered_procedures",
    "freeze_evidence",
    "freeze_imports",
    "freeze_procedures",
    "keep_schools",
    "open_schools",
    "refuse_stale_rollups",
]


class NoProcedures(Problem):
    """The region has none of the procedures that the methodology considers."""

    status = 409
    title = "Нет процедур, которые учитывает методика"


class UseNotPermitted(Problem):
    """Results of a procedure may not be used for what the methodology does with them."""

    status = 409
    title = "Результаты процедуры нельзя использовать для этой цели"


class NoMassSubjects(Problem):
    """A considered procedure has none of the mass subjects, so nobody could be low in it."""

    status = 409
    title = "У процедуры нет массовых предметов"


class MarginDiffers(Problem):
    """The low results of a scale were counted with another margin than the methodology's."""

    status = 409
    title = "Доля от максимума в шкале не такая, как в методике"


class RollupsNotCurrent(Problem):
    """Scales were changed and the counts have not followed yet."""

    status = 409
    title = "Показатели пересчитываются после изменения шкал"


@dataclass(frozen=True, slots=True)
class FrozenProcedure:
    """A procedure that counts in the run, with the scales of its subjects in order of position."""

    procedure_id: int
    kind: str
    grade: int
    year: int
    title: str
    rollup_revision: int
    mass_mask: int
    scales: list[dict[str, Any]]

    @property
    def natural_key(self) -> tuple[int, str, int, str]:
        """What names the procedure whatever its id; also the order of procedures."""
        return self.year, self.kind, self.grade, self.title


@dataclass(frozen=True, slots=True)
class FrozenCells:
    """The counted cells, one per school and procedure with participants, as columns."""

    school_id: Integers
    procedure_id: Integers
    n: Integers
    low: Integers


_PROCEDURES = text(
    """
    SELECT id, kind, grade, year, title, permitted_uses, rollup_revision
    FROM procedure
    WHERE region_id = :region_id AND year = ANY (CAST(:years AS integer[]))
    FOR SHARE
    """
)
_SCALES = text(
    """
    SELECT procedure_id, position, subject, title, minimum, maximum, top, margin_share, is_mass
    FROM scale
    WHERE procedure_id = ANY (CAST(:procedures AS bigint[]))
    ORDER BY procedure_id, position
    FOR SHARE
    """
)


async def considered_procedures(
    session: AsyncSession, *, region_id: int, year: int, methodology: Methodology, on: date
) -> list[FrozenProcedure]:
    """Read the procedures that the methodology considers, with the mass subjects it names.

    Raises:
        NoProcedures: There are none in the years that the rules look at.
        UseNotPermitted: One of them may not be used for identification on this day.
        NoMassSubjects: One of them has no subject that counts.
        MarginDiffers: Low results of a mass subject were counted with another margin.
    """
    found = await session.execute(
        _PROCEDURES, {"region_id": region_id, "years": methodology.years(year)}
    )
    considered = [row for row in found if methodology.considered(row.kind, row.grade)]
    if not considered:
        raise NoProcedures(
            f"За годы {_joined(methodology.years(year))} нет ни одной процедуры, которую учитывает методика",
            hint="Создайте процедуры и загрузите результаты или выберите другую методику",
        )
    _refuse_unpermitted(considered, methodology, on)
    found = await session.execute(_SCALES, {"procedures": [row.id for row in considered]})
    scales: dict[int, list[Row[Any]]] = {}
    for scale in found:
        scales.setdefault(scale.procedure_id, []).append(scale)
    frozen = [_frozen(row, scales.get(row.id, []), methodology) for row in considered]
    return sorted(frozen, key=lambda procedure: procedure.natural_key)


def _joined(years: Sequence[int]) -> str:
    return ", ".join(str(year) for year in sorted(years))


def _name(row: Row[Any]) -> str:
    return f"«{row.title}» ({row.kind}, {row.grade} класс, {row.year} год)"


def _refuse_unpermitted(rows: Sequence[Row[Any]], methodology: Methodology, on: date) -> None:
    use = methodology.required_use.value
    refused = [row for row in rows if not _is_permitted(row.permitted_uses or [], use, on)]
    if refused:
        raise UseNotPermitted(
            "Использование результатов для этой цели не разрешено: "
            + "; ".join(_name(row) for row in refused),
            hint="Выберите методику без этих процедур, методику для анализа (required_use: analysis) "
            "или укажите в процедуре основание разрешения",
            use=use,
            procedure_ids=[row.id for row in refused],
        )


def _is_permitted(uses: Sequence[dict[str, Any]], use: str, on: date) -> bool:
    """Say whether one of the dated permissions covers the use on this day, its ends included.

    Source: design 6, each procedure carries what its results may be used for, with dates.
    """
    day = on.isoformat()
    return any(
        entry.get("use") == use
        and (entry.get("from") is None or entry["from"] <= day)
        and (entry.get("to") is None or day <= entry["to"])
        for entry in uses
    )


def _frozen(row: Row[Any], scales: Sequence[Row[Any]], methodology: Methodology) -> FrozenProcedure:
    line = methodology.considered(row.kind, row.grade)
    named = line.mass_subjects if line else None
    _refuse_uncounted(row, scales, named)
    texts = [_scale(scale, named) for scale in scales]
    mass = [scale for scale in texts if scale["is_mass"]]
    if not mass:
        raise NoMassSubjects(
            f"У процедуры {_name(row)} нет ни одного массового предмета",
            hint="Отметьте массовые предметы в шкалах процедуры или исправьте методику",
            procedure_id=row.id,
            mass_subjects=named,
        )
    if methodology.low_result.based_on == "bmin":
        _refuse_other_margin(row, mass, methodology)
    return FrozenProcedure(
        procedure_id=row.id,
        kind=row.kind,
        grade=row.grade,
        year=row.year,
        title=row.title,
        rollup_revision=row.rollup_revision,
        mass_mask=sum(1 << scale["position"] for scale in mass),
        scales=texts,
    )


def _refuse_uncounted(
    row: Row[Any], scales: Sequence[Row[Any]], named: Sequence[str] | None
) -> None:
    """Refuse a mass subject that the rollups did not count: it would read as "nobody is low"."""
    if uncounted := [s.title for s in scales if s.subject in (named or ()) and not s.is_mass]:
        raise NoMassSubjects(
            f"В шкалах процедуры {_name(row)} не отмечены массовыми: {', '.join(uncounted)}",
            hint="Отметьте предметы массовыми в шкалах процедуры: индексы пересчитаются",
            procedure_id=row.id,
            mass_subjects=named,
        )


def _scale(scale: Row[Any], named: Sequence[str] | None) -> dict[str, Any]:
    lower = bmin(scale.minimum, scale.maximum, scale.margin_share)
    return {
        "position": scale.position,
        "subject": scale.subject,
        "title": scale.title,
        "minimum": str(exact(scale.minimum)),
        "maximum": str(exact(scale.maximum)),
        "top": str(exact(scale.top)),
        "margin_share": str(exact(scale.margin_share)),
        "bmin": str(lower),
        "bmid": str(bmid(lower, scale.top)),
        "is_mass": bool(scale.is_mass if named is None else scale.subject in named),
    }


def _refuse_other_margin(
    row: Row[Any], mass: Sequence[dict[str, Any]], methodology: Methodology
) -> None:
    asked = exact(methodology.margin_share)
    if other := [s["title"] for s in mass if exact(s["margin_share"]) != asked]:
        raise MarginDiffers(
            f"У процедуры {_name(row)} другая доля от максимума в шкалах: {', '.join(other)}",
            hint=f"Методика считает Bmin с долей {asked}: исправьте шкалы или методику",
            procedure_id=row.id,
        )


async def freeze_procedures(
    session: AsyncSession, *, run_id: int, region_id: int, procedures: Sequence[FrozenProcedure]
) -> None:
    """Write the procedures of the run with their scales."""
    await session.execute(
        insert(RunProcedure),
        [
            {
                "run_id": run_id,
                "procedure_id": procedure.procedure_id,
                "region_id": region_id,
                "kind": procedure.kind,
                "grade": procedure.grade,
                "year": procedure.year,
                "title": procedure.title,
                "rollup_revision": procedure.rollup_revision,
                "mass_mask": procedure.mass_mask,
                "scales": procedure.scales,
            }
            for procedure in procedures
        ],
    )


_OPEN_SCHOOLS = """
    SELECT s.id AS school_id, s.municipality_id, s.code, s.name, m.name AS municipality_name,
           s.kind, s.stages,
           s.adverse_conditions, s.adverse_reason, s.adverse_source
    FROM school s
    JOIN municipality m ON m.id = s.municipality_id
    WHERE s.region_id = :region_id AND (s.closed_on IS NULL OR s.closed_on > :on)
"""

# People are low when they are low in at least one mass subject (methodology A1, F4); the mask
# chosen says by which bound. Rows of people are not touched: the patterns already count them.
# A table made by CREATE TABLE AS may be counted by several processes, an INSERT ... SELECT may not;
# ids and masks stand in the statement as constants, so that the planner knows how many there are.
_COUNT = """
    CREATE TEMPORARY TABLE counted ON COMMIT DROP AS
    SELECT school_id, array_agg(procedure_id) AS procedure_id, array_agg(n) AS n,
           array_agg(low) AS low
    FROM (
        SELECT p.school_id, p.procedure_id, sum(p.n)::integer AS n,
               COALESCE(sum(p.n) FILTER (WHERE p.{bits} & {mass} <> 0), 0)::integer AS low
        FROM rollup_pattern p
        WHERE p.procedure_id = ANY ('{procedures}')
        GROUP BY p.school_id, p.procedure_id
        HAVING sum(p.n) > 0
    ) cell
    GROUP BY school_id
"""
_COUNT_SUBJECTS = """
    CREATE TEMPORARY TABLE counted_subject ON COMMIT DROP AS
    SELECT p.school_id, array_agg(p.procedure_id) AS subject_procedure_id,
           array_agg(p.subject) AS subject, array_agg(p.n) AS subject_n,
           array_agg(p.absent) AS subject_absent, array_agg(p.low_n) AS subject_low,
           array_agg(p.failed_n) AS subject_failed, array_agg(p.mass_n) AS subject_mass
    FROM rollup_subject p
    WHERE p.procedure_id = ANY ('{procedures}') AND ({mass} >> p.subject) & 1 = 1
    GROUP BY p.school_id
"""
_COUNT_SOURCES = """
    CREATE TEMPORARY TABLE counted_source ON COMMIT DROP AS
    SELECT p.school_id, array_agg(p.procedure_id) AS source_procedure_id,
           array_agg(p.import_id) AS import_id, array_agg(p.sheet_no) AS sheet_no,
           array_agg(p.first_row) AS first_row, array_agg(p.last_row) AS last_row,
           array_agg(p.rows) AS source_rows
    FROM rollup_source p
    WHERE p.procedure_id = ANY ('{procedures}')
    GROUP BY p.school_id
"""
_KEEP = text(
    """
    INSERT INTO run_evidence (
        run_id, school_id, region_id, municipality_id, procedure_id, n, low,
        subject_procedure_id, subject, subject_n, subject_absent, subject_low, subject_failed,
        subject_mass, source_procedure_id, import_id, sheet_no, first_row, last_row, source_rows
    )
    SELECT :run_id, s.id, s.region_id, s.municipality_id, p.procedure_id, p.n, p.low,
           subject_procedure_id, subject, subject_n, subject_absent, subject_low, subject_failed,
           subject_mass, source_procedure_id, import_id, sheet_no, first_row, last_row, source_rows
    FROM counted p
    JOIN school s ON s.id = p.school_id AND s.region_id = :region_id
                 AND (s.closed_on IS NULL OR s.closed_on > :on)
    LEFT JOIN counted_subject USING (school_id)
    LEFT JOIN counted_source USING (school_id)
    RETURNING school_id, cardinality(procedure_id) AS cells, array_send(procedure_id) AS procedure_id,
              array_send(n) AS n, array_send(low) AS low
    """
)
# Sums over hundreds of thousands of patterns stay in memory, and whole procedures are read in the
# order in which they lie: along the index by school every row would be looked up by itself.
_COUNTING = text(
    "SELECT set_config('work_mem', '64MB', true), set_config('enable_indexscan', 'off', true)"
)
_COUNTED = text("SELECT set_config('enable_indexscan', 'on', true)")
_BITS = {"minimum": "failed_mask", "bmin": "low_mask"}


_PENDING = text(
    """
    SELECT DISTINCT (params ->> 'procedure_id')::bigint AS procedure_id
    FROM job
    WHERE kind = 'recompute-rollups' AND state IN ('queued', 'running')
      AND (params ->> 'procedure_id')::bigint = ANY (CAST(:procedures AS bigint[]))
    ORDER BY 1
    """
)


async def refuse_stale_rollups(
    session: AsyncSession, procedures: Sequence[FrozenProcedure]
) -> None:
    """Refuse to count by new scales what was counted by old ones.

    Raises:
        RollupsNotCurrent: A recount of one of the procedures is waiting or running.
    """
    ids = [procedure.procedure_id for procedure in procedures]
    if pending := (await session.scalars(_PENDING, {"procedures": ids})).all():
        raise RollupsNotCurrent(
            "Шкалы процедур изменены, пересчёт ещё не закончен",
            hint="Начните прогон снова через минуту",
            procedure_ids=list(pending),
        )


_IMPORTS = text(
    """
    INSERT INTO run_import (run_id, import_id, region_id, layout, committed_at, files)
    SELECT :run_id, i.id, i.region_id, i.layout, i.committed_at,
           (SELECT COALESCE(jsonb_agg(jsonb_build_object('table', f.table_name, 'sha256', f.sha256,
                                                'size_bytes', f.size_bytes) ORDER BY f.table_name), '[]')
            FROM import_file f WHERE f.import_id = i.id)
    FROM result_import i
    WHERE i.id IN (SELECT unnest(import_id) FROM run_evidence WHERE run_id = :run_id)
    """
)


async def freeze_imports(session: AsyncSession, *, run_id: int) -> None:
    """Write down the imports that the evidence of the run names."""
    await session.execute(_IMPORTS, {"run_id": run_id})


_KEEP_SCHOOLS = text(
    """
    INSERT INTO run_school (
        run_id, region_id, school_id, municipality_id, code, name, municipality_name, kind, stages,
        adverse_conditions, adverse_reason, adverse_source, state, flags, category, certainty,
        rule_certainties, rules_answerable
    )
    SELECT :run_id, :region_id, school_id, municipality_id, code, name, municipality_name, kind,
           CAST(stages AS text[]), adverse_conditions, adverse_reason, adverse_source, state, flags,
           category, certainty, CAST(rule_certainties AS smallint[]),
           CAST(rules_answerable AS boolean[])
    FROM unnest(
        CAST(:school_id AS bigint[]), CAST(:municipality_id AS bigint[]), CAST(:code AS text[]),
        CAST(:name AS text[]), CAST(:municipality_name AS text[]), CAST(:kind AS text[]),
        CAST(:stages AS text[]), CAST(:adverse_conditions AS boolean[]),
        CAST(:adverse_reason AS text[]), CAST(:adverse_source AS text[]), CAST(:state AS text[]),
        CAST(:flags AS smallint[]), CAST(:category AS text[]), CAST(:certainty AS smallint[]),
        CAST(:rule_certainties AS text[]), CAST(:rules_answerable AS text[])
    ) AS answer (
        school_id, municipality_id, code, name, municipality_name, kind, stages,
        adverse_conditions, adverse_reason, adverse_source, state, flags, category, certainty,
        rule_certainties, rules_answerable
    )
    """
)


async def keep_schools(
    session: AsyncSession, *, run_id: int, region_id: int, answers: Mapping[str, Sequence[Any]]
) -> None:
    """Write the answers for all schools at once, given as columns of `run_school`.

    Columns of arrays come as PostgreSQL writes them, ``{1,2}``.
    """
    await session.execute(_KEEP_SCHOOLS, {"run_id": run_id, "region_id": region_id, **answers})


async def open_schools(session: AsyncSession, *, region_id: int, on: date) -> list[Row[Any]]:
    """List the schools that are open on the day, by code.

    A school that merged or closed is not named; its results do not pass to its successor yet: that
    needs the graph of predecessors (issue 4).
    """
    found = await session.execute(text(_OPEN_SCHOOLS), {"region_id": region_id, "on": on})
    # Sorted here: the order of the database depends on its locale, the list must not.
    return sorted(found, key=lambda school: (school.code, school.school_id))


async def freeze_evidence(
    session: AsyncSession,
    *,
    run_id: int,
    region_id: int,
    procedures: Sequence[FrozenProcedure],
    methodology: Methodology,
    on: date,
) -> FrozenCells:
    """Count and write the evidence of all open schools; return its cells."""
    await session.execute(_COUNTING)
    constants = {
        "bits": _BITS[methodology.low_result.based_on],
        "mass": _mass_of_procedure(procedures),
        "procedures": _constant_ids(p.procedure_id for p in procedures),
    }
    for counting in (_COUNT, _COUNT_SUBJECTS, _COUNT_SOURCES):
        # Not text(): the constants hold no parameters, and a cast must not look like one.
        connection = await session.connection()
        await connection.exec_driver_sql(counting.format(**constants))
    await session.execute(_COUNTED)
    kept = await session.execute(_KEEP, {"run_id": run_id, "region_id": region_id, "on": on})
    rows = kept.all()
    return FrozenCells(
        school_id=np.repeat(
            _column(row.school_id for row in rows), _column(row.cells for row in rows)
        ),
        procedure_id=_sent((row.procedure_id for row in rows), ">i8"),
        n=_sent((row.n for row in rows), ">i4"),
        low=_sent((row.low for row in rows), ">i4"),
    )


def _sent(arrays: Iterable[bytes], value: str) -> Integers:
    """Read arrays as PostgreSQL sends them, without a Python object for each of their numbers.

    Source: PostgreSQL, array_send: a header of 20 bytes (dimensions, flags, type, length, lower
    bound), then for each element its length and its value, all big-endian.
    """
    elements = np.dtype([("length", ">i4"), ("value", value)])
    joined = b"".join(array[20:] for array in arrays)
    return np.frombuffer(joined, dtype=elements)["value"].astype(np.int64)


def _constant_ids(ids: Iterable[int]) -> str:
    return "{" + ",".join(str(int(number)) for number in sorted(ids)) + "}"


def _mass_of_procedure(procedures: Sequence[FrozenProcedure]) -> str:
    """Write the mask of mass subjects of a row's procedure as SQL; mostly one constant."""
    by_mask: dict[int, list[int]] = {}
    for procedure in procedures:
        by_mask.setdefault(procedure.mass_mask, []).append(procedure.procedure_id)
    *some, last = by_mask
    cases = "".join(
        f" WHEN p.procedure_id = ANY ('{_constant_ids(by_mask[mask])}') THEN {mask}"
        for mask in some
    )
    return f"(CASE{cases} ELSE {last} END)::bigint" if cases else f"{last}::bigint"


def _column(values: Iterable[int]) -> Integers:
    return np.fromiter(values, dtype=np.int64)
