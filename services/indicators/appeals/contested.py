"""The contested cell as the run has it: only what the run was made of can be contested."""

from decimal import Decimal
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.indicators.appeals.schemas import AttributeCell, MarkCell, ResultCell, SignCell
from services.indicators.identification.tables import (
    IdentificationRun,
    RunContext,
    RunEvidence,
    RunProcedure,
    RunReorganisation,
    RunSchool,
    RunSign,
)
from services.indicators.methodologies.document import Methodology
from services.kit.problems import Problem

__all__ = [
    "CellAlreadyChanged",
    "CellNotInRun",
    "CellOfSeveralSchools",
    "as_kept",
    "cell_code",
    "contested_cell",
]


class CellNotInRun(Problem):
    """The run does not rest on this cell."""

    status = 409
    title = "Прогон не опирается на эту клетку"


class CellOfSeveralSchools(Problem):
    """The cell adds up results of the school and of those merged into it."""

    status = 409
    title = "Клетка сложена из результатов нескольких школ"


class CellAlreadyChanged(Problem):
    """The stored results are not those of the run any more."""

    status = 409
    title = "Данные клетки уже изменены после прогона"


def as_kept(claim: ResultCell | AttributeCell | MarkCell | SignCell) -> dict[str, Any]:
    """Write a claimed cell the way it is stored; to contest a sign is to say that it does not count."""
    kept = claim.model_dump(mode="json")
    if isinstance(claim, AttributeCell):
        return kept | {"value": _plain(claim.value)}
    return kept | {"counts": False} if isinstance(claim, SignCell) else kept


def cell_code(cell: dict[str, Any]) -> str:
    """Name a cell within its school and run."""
    named = {"result": "procedure_id", "attribute": "attribute", "sign": "sign_id"}
    member = named.get(cell["kind"])
    return cell["kind"] if member is None else f"{cell['kind']}:{cell[member]}"


async def contested_cell(
    session: AsyncSession,
    *,
    run: IdentificationRun,
    school: RunSchool,
    methodology: Methodology,
    claim: ResultCell | AttributeCell | MarkCell | SignCell,
) -> dict[str, Any]:
    """Read the cell that a claim is about, in the shape of the claim.

    Raises:
        CellNotInRun: The run was made without it.
        CellOfSeveralSchools: It adds up a merger: no number of it is the school's alone.
        CellAlreadyChanged: A later import has changed it; there is nothing left to correct.
    """
    match claim:
        case ResultCell():
            based_on = methodology.low_result.based_on
            return await _result(session, run.id, school.school_id, claim.procedure_id, based_on)
        case AttributeCell():
            return await _attribute(session, run.id, school.school_id, claim.attribute)
        case MarkCell():
            return {"kind": "mark", "adverse_conditions": school.adverse_conditions}
        case SignCell():
            return await _sign(session, run.id, school.school_id, claim.sign_id)


async def _result(
    session: AsyncSession, run_id: int, school_id: int, procedure_id: int, based_on: str
) -> dict[str, Any]:
    procedure = await session.get(RunProcedure, (run_id, procedure_id))
    if procedure is None:
        raise CellNotInRun(
            f"Процедура {procedure_id} в прогоне {run_id} не учитывается",
            hint="Учитываемые процедуры названы в обосновании по школе",
        )
    await _refuse_merged(session, run_id, school_id, procedure_id)
    evidence = await session.get(RunEvidence, (run_id, school_id))
    numbers = _numbers(evidence, procedure_id, based_on)
    counted = next(
        (
            entry["counted"]
            for entry in (evidence.corrections if evidence else None) or ()
            if entry["procedure_id"] == procedure_id
        ),
        numbers,
    )
    if await _live(session, school_id, procedure_id, procedure.mass_mask) != counted:
        raise CellAlreadyChanged(
            "Сохранённые результаты школы по этой процедуре не те, что в прогоне",
            hint="Новый прогон учтёт их без апелляции",
        )
    return {"kind": "result", "procedure_id": procedure_id, **numbers}


def _numbers(evidence: RunEvidence | None, procedure_id: int, based_on: str) -> dict[str, int]:
    if evidence is None or procedure_id not in evidence.procedure_id:
        return {"n": 0, "low": 0, "failed": 0}
    if evidence.low_otherwise is None:
        raise CellNotInRun(
            "Прогон сделан до того, как Опора стала хранить обе границы низкого результата",
            hint="Начните новый прогон за тот же год",
        )
    place = evidence.procedure_id.index(procedure_id)
    low, otherwise = evidence.low[place], evidence.low_otherwise[place]
    below_bmin, failed = (otherwise, low) if based_on == "minimum" else (low, otherwise)
    return {"n": evidence.n[place], "low": below_bmin, "failed": failed}


_LIVE = text(
    """
    SELECT COALESCE(sum(n), 0)::integer AS n,
           COALESCE(sum(n) FILTER (WHERE low_mask & :mass <> 0), 0)::integer AS low,
           COALESCE(sum(n) FILTER (WHERE failed_mask & :mass <> 0), 0)::integer AS failed
    FROM rollup_pattern WHERE school_id = :school_id AND procedure_id = :procedure_id
    """
)


async def _live(
    session: AsyncSession, school_id: int, procedure_id: int, mass_mask: int
) -> dict[str, int]:
    found = await session.execute(
        _LIVE, {"school_id": school_id, "procedure_id": procedure_id, "mass": mass_mask}
    )
    row = found.one()
    return {"n": row.n, "low": row.low, "failed": row.failed}


async def _refuse_merged(
    session: AsyncSession, run_id: int, school_id: int, procedure_id: int
) -> None:
    merged = await session.scalar(
        select(RunReorganisation.predecessor_name)
        .where(
            RunReorganisation.run_id == run_id,
            RunReorganisation.school_id == school_id,
            RunReorganisation.procedure_id.any_() == procedure_id,
        )
        .limit(1)
    )
    if merged is not None:
        raise CellOfSeveralSchools(
            f"К результатам школы прибавлены результаты присоединённой школы «{merged}»",
            hint="Передайте региону исправленные строки импортом: он заменит результаты той школы, "
            "которой они принадлежат",
        )


async def _attribute(
    session: AsyncSession, run_id: int, school_id: int, attribute: str
) -> dict[str, Any]:
    context = await session.get(RunContext, (run_id, school_id))
    if context is None or attribute not in context.attribute:
        raise CellNotInRun(
            f"Методика прогона {run_id} показатель {attribute} не использует",
            hint="Использованные показатели названы в обосновании по школе",
        )
    place = context.attribute.index(attribute)
    value = context.value[place]
    return {
        "kind": "attribute",
        "attribute": attribute,
        "state": context.state[place],
        "value": _plain(value),
    }


def _plain(value: Decimal | None) -> str | None:
    """Write a number in the one way in which equal numbers are equal texts."""
    return None if value is None else format(value.normalize(), "f")


async def _sign(session: AsyncSession, run_id: int, school_id: int, sign_id: int) -> dict[str, Any]:
    sign = await session.get(RunSign, (run_id, sign_id))
    # For whoever may not see signs there is none: the same answer as for a number that never was.
    if sign is None or sign.school_id != school_id:
        raise CellNotInRun(f"Признака {sign_id} у школы в прогоне {run_id} нет")
    return {"kind": "sign", "sign_id": sign_id, "counts": True}
