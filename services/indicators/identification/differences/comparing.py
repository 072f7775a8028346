"""Two runs compared: which schools entered, left or changed, and why each of them did.

The causes follow from the frozen inputs of the whole region, whoever asks: an answer may depend on
other schools. They are found with the region's reach, inside the caller's transaction, and nothing
leaves but what concerns the schools that the caller sees: numbers of pupils only to those who have the
rows, signs only to those who supervise. Runs never change, so what was found is kept.

Source: decision 0030.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.indicators.algebra.certainty import Certainty
from services.indicators.identification.differences.causes import (
    Attributions,
    Side,
    attribute,
    changed_rules,
)
from services.indicators.identification.differences.details import SchoolChanges, changes_of
from services.indicators.identification.differences.reasons import (
    Lineage,
    Reader,
    not_reproduced,
    only_one_run,
    reason_of,
)
from services.indicators.identification.differences.schemas import (
    DifferenceOut,
    DifferencesOut,
    SettingChangeOut,
)
from services.indicators.identification.freezing.frozen import frozen
from services.indicators.identification.freezing.inputs import TornInputsError
from services.indicators.identification.queries import computed_run
from services.indicators.identification.tables import (
    IdentificationRun,
    RunEvidence,
    RunReorganisation,
    RunSchool,
)
from services.indicators.methodologies.changes import setting_words
from services.indicators.methodologies.document import Methodology
from services.indicators.methodologies.tables import MethodologyVersion
from services.kit.principals import Principal
from services.kit.reach import Level, Reach, enter

__all__ = ["differences"]

_SIDE = ("state", "category", "certainty")
_NAMED = ("school_id", "code", "name", "municipality_name")
_KEPT = 32


@dataclass(frozen=True, slots=True)
class _Explained:
    """What two runs have been found to differ by."""

    attributions: Attributions
    changes: Mapping[int, SchoolChanges]
    settings: tuple[SettingChangeOut, ...]
    years: tuple[int, int]


_known: "OrderedDict[tuple[object, ...], _Explained]" = OrderedDict()


async def differences(
    session: AsyncSession, run_id: int, *, earlier_run_id: int, reader: Reader, by: Principal
) -> DifferencesOut:
    """List the schools of which two runs say different things, each with why.

    Args:
        session: The caller's transaction.
        run_id: The later run.
        earlier_run_id: The run it is compared with.
        reader: Whether the reader may see numbers of pupils and signs.
        by: The caller, whose reach the transaction keeps.

    Raises:
        RunNotFound: One of the runs is not visible.
        RunNotComputed: One of them has no answers.
    """
    earlier, later = (
        await computed_run(session, earlier_run_id),
        await computed_run(session, run_id),
    )
    before, after = await _sides(session, earlier.id), await _sides(session, later.id)
    differing = [
        school for school in before.keys() | after.keys() if _is_other(before, after, school)
    ]
    explained = await _explained(session, earlier, later, by.reach) if differing else None
    lineage = await _lineage(session, (earlier.id, later.id), differing)
    items = [
        _difference(before.get(school), after.get(school), explained, lineage, reader)
        for school in differing
    ]
    return DifferencesOut(
        earlier_run_id=earlier.id,
        run_id=later.id,
        has_same_inputs=earlier.input_hash == later.input_hash,
        settings=list(explained.settings)
        if explained
        else await _settings(session, earlier, later),
        items=sorted(items, key=lambda difference: (difference.code, difference.school_id)),
    )


async def _sides(session: AsyncSession, run_id: int) -> dict[int, Row[Any]]:
    columns = [getattr(RunSchool, name) for name in (*_NAMED, *_SIDE)]
    rows = await session.execute(select(*columns).where(RunSchool.run_id == run_id))
    return {row.school_id: row for row in rows}


def _is_other(
    before: Mapping[int, Row[Any]], after: Mapping[int, Row[Any]], school_id: int
) -> bool:
    old, new = before.get(school_id), after.get(school_id)
    return not (old and new) or any(getattr(old, name) != getattr(new, name) for name in _SIDE)


def _difference(
    old: Row[Any] | None,
    new: Row[Any] | None,
    explained: _Explained | None,
    lineage: Lineage,
    reader: Reader,
) -> DifferenceOut:
    known: Any = new or old
    kind = _kind(old and old.category, new and new.category)
    if old is None or new is None:
        reason = only_one_run(known.name, kind, is_new=old is None)
    else:
        found = explained and explained.attributions.by_school.get(known.school_id)
        if not explained or not found or (found.change != kind):
            reason = not_reproduced(known.name, kind)
        else:
            reason = reason_of(
                known.name,
                found,
                explained.changes[known.school_id],
                settings=explained.settings,
                years=explained.years,
                lineage=lineage.of(known.school_id),
                reader=reader,
            )
    return DifferenceOut.model_validate(
        {
            **{name: getattr(known, name) for name in _NAMED},
            "kind": kind,
            "before": old and _side(old),
            "after": new and _side(new),
            "reason": reason,
        }
    )


def _side(row: Row[Any]) -> dict[str, Any]:
    return {
        "state": row.state,
        "category": row.category,
        "certainty": Certainty(row.certainty).code,
    }


def _kind(old: str | None, new: str | None) -> str:
    if (old is None) == (new is None):
        return "changed"
    return "entered" if old is None else "left"


async def _explained(
    session: AsyncSession, earlier: IdentificationRun, later: IdentificationRun, reach: Reach
) -> _Explained | None:
    """Find why, over the whole region; what was found for two runs stays true."""
    key = (
        str(session.get_bind().engine.url),
        *((run.id, run.input_hash, run.list_hash) for run in (earlier, later)),
    )
    if key in _known:
        return _known[key]
    sides = await _frozen_sides(session, earlier, later, reach)
    if sides is None:
        return None
    _known[key] = await asyncio.to_thread(_explain, *sides)
    while len(_known) > _KEPT:
        _known.popitem(last=False)
    return _known[key]


def _explain(earlier: Side, later: Side) -> _Explained:
    attributions = attribute(earlier, later)
    before, after = earlier.methodology, later.methodology
    return _Explained(
        attributions=attributions,
        changes=changes_of(earlier, later, attributions.by_school),
        settings=tuple(
            SettingChangeOut(setting=setting, text=setting_words(before, after, setting))
            for setting in attributions.settings
        ),
        years=(earlier.inputs.year, later.inputs.year),
    )


_TIMEOUT = text(
    "SELECT (extract(epoch FROM current_setting('statement_timeout')::interval) * 1000)::integer"
)


async def _frozen_sides(
    session: AsyncSession, earlier: IdentificationRun, later: IdentificationRun, reach: Reach
) -> tuple[Side, Side] | None:
    """Read both runs with the reach of their region; then take the caller's own again.

    None: the frozen rows of one of them do not belong together.
    """
    is_narrow = reach.level not in (Level.REGION, Level.SYSTEM)
    timeout = int(await session.scalar(_TIMEOUT) or 0)
    if is_narrow:
        everybody = Reach.region(later.region_id, reach.subject)
        await enter(session, everybody, statement_timeout_ms=timeout)
    sides: tuple[Side, Side] | None
    try:
        sides = await _frozen_side(session, earlier), await _frozen_side(session, later)
    except TornInputsError:
        sides = None
    # If a statement fails, the transaction is over, and the wider reach with it.
    if is_narrow:
        await enter(session, reach, statement_timeout_ms=timeout)
    return sides


async def _frozen_side(session: AsyncSession, run: IdentificationRun) -> Side:
    version = await session.get_one(MethodologyVersion, run.methodology_version_id)
    return Side(await frozen(session, run.id), Methodology.model_validate(version.document))


async def _settings(
    session: AsyncSession, earlier: IdentificationRun, later: IdentificationRun
) -> list[SettingChangeOut]:
    before, after = [
        Methodology.model_validate(
            (await session.get_one(MethodologyVersion, run.methodology_version_id)).document
        )
        for run in (earlier, later)
    ]
    return [
        SettingChangeOut(setting=setting, text=setting_words(before, after, setting))
        for setting in changed_rules(before, after)
    ]


async def _lineage(
    session: AsyncSession, run_ids: Sequence[int], schools: Iterable[int]
) -> Lineage:
    """Read which imports the cells of these schools come from, and which schools joined them."""
    wanted = sorted(schools)
    imports = await session.execute(
        select(
            RunEvidence.run_id,
            RunEvidence.school_id,
            RunEvidence.source_procedure_id,
            RunEvidence.import_id,
        ).where(RunEvidence.run_id.in_(run_ids), RunEvidence.school_id.in_(wanted))
    )
    joined = await session.execute(
        select(
            RunReorganisation.run_id,
            RunReorganisation.school_id,
            RunReorganisation.predecessor_id,
            RunReorganisation.predecessor_name,
            RunReorganisation.procedure_id,
        ).where(
            RunReorganisation.run_id.in_(run_ids),
            RunReorganisation.school_id.in_(wanted),
            RunReorganisation.outcome == "passed",
        )
    )
    return Lineage.of_rows(run_ids, imports, joined)
