"""Which procedures a run considers, with their scales as they stand, or why it cannot.

Procedures and scales are read under a share lock. Whoever edits a scale or commits an import writes
the procedure's row (its revision of the rollups) in the same transaction and so waits for the run: an
import is in the run as a whole or not at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.indicators.algebra.bounds import bmid, bmin
from services.indicators.algebra.exact import exact
from services.indicators.methodologies.document import Methodology
from services.kit.problems import Problem

__all__ = [
    "FrozenProcedure",
    "MarginDiffers",
    "NoMassSubjects",
    "NoProcedures",
    "RollupsNotCurrent",
    "UseNotPermitted",
    "considered_procedures",
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
