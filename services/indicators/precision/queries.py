"""Reading the precision of a run out of its frozen rows, and the participants of a procedure."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from sqlalchemy import Row, Select, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.indicators.algebra.certainty import Certainty
from services.indicators.algebra.detectable import detectable
from services.indicators.algebra.intervals import Interval, clopper_pearson, wilson
from services.indicators.algebra.posterior import probability_at_least
from services.indicators.algebra.shares import Share, round_half_up
from services.indicators.algebra.shrinkage import Prior, shrunken
from services.indicators.identification import queries as identification
from services.indicators.identification.answering.borderline import borderline_schools, to_threshold
from services.indicators.identification.answering.judging import Cells, Judged, Priors, cuts_of
from services.indicators.identification.answering.priors import kept_priors
from services.indicators.identification.tables import RunEvidence, RunProcedure, RunSchool
from services.indicators.identification.tracing.facts import RunFacts, facts_of
from services.indicators.identification.tracing.procedures import judged_cells, may_be_told
from services.indicators.precision.run_schemas import (
    Badge,
    EndsOut,
    PriorOut,
    ProcedurePrecisionOut,
    SchoolPrecisionOut,
)
from services.indicators.precision.schemas import LevelKind
from services.indicators.precision.targets import Takers
from services.indicators.procedures import queries as procedures
from services.indicators.suppression.queries import Told
from services.kit.pages import Page, PageAsk, keyset
from services.kit.reach import Level, Reach

__all__ = ["run_precision", "takers"]

_ALPHA, _POWER = Fraction(1, 20), Fraction(4, 5)
_LEVELS: Mapping[Level, Sequence[LevelKind]] = {
    Level.REGION: (LevelKind.SCHOOL, LevelKind.MUNICIPALITY, LevelKind.REGION),
    Level.MUNICIPALITY: (LevelKind.SCHOOL, LevelKind.MUNICIPALITY),
}

_TAKERS = text(
    """
    SELECT municipality_id, COALESCE(sum(n) FILTER (WHERE failed_mask <> 0), 0)::integer AS low,
           sum(n)::integer AS n
    FROM rollup_pattern WHERE procedure_id = :procedure
    GROUP BY municipality_id, school_id
    HAVING sum(n) > 0
    ORDER BY municipality_id, school_id
    """
)


async def takers(session: AsyncSession, procedure_id: int, *, reach: Reach) -> Takers:
    """Read the participants of a procedure by school, low being below the minimum.

    Levels of which the caller does not see the whole are not answered for.

    Raises:
        ProcedureNotFound: None is visible under this id.
    """
    await procedures.visible_procedure(session, procedure_id)
    rows = (await session.execute(_TAKERS, {"procedure": procedure_id})).all()
    return Takers(
        schools=[(row.municipality_id, row.low, row.n) for row in rows],
        levels=_LEVELS.get(reach.level, (LevelKind.SCHOOL,)),
    )


_COUNTED = (RunEvidence.school_id, RunEvidence.procedure_id, RunEvidence.n, RunEvidence.low)
_NAMED = (
    "school_id", "municipality_id", "code", "name", "municipality_name", "state",
)  # fmt: skip


async def run_precision(
    session: AsyncSession,
    run_id: int,
    *,
    municipality_id: int | None,
    certainty: str | None,
    is_borderline: bool | None,
    numbers: Told,
    ask: PageAsk,
) -> Page[SchoolPrecisionOut]:
    """List the schools of a run by code with the precision of each judged number.

    ``is_borderline`` is asked for by callers of exact numbers only: it tells how far numbers are from
    the threshold.

    Raises:
        RunNotFound: No such run is visible.
        RunNotComputed: There are no answers yet.
    """
    run = await identification.computed_run(session, run_id)
    facts = await facts_of(session, run)
    schools = select(*RunSchool.__table__.columns).where(RunSchool.run_id == run_id)
    if municipality_id is not None:
        schools = schools.where(RunSchool.municipality_id == municipality_id)
    if certainty is not None:
        schools = schools.where(RunSchool.certainty == Certainty[certainty.upper()])
    if is_borderline is not None:
        schools = await _borderline_only(session, facts, schools, is_borderline=is_borderline)
    page = await keyset(session, schools, order=(RunSchool.code, RunSchool.school_id), ask=ask)
    await numbers.look(procedure.procedure_id for procedure in facts.procedures)
    evidence = await _evidence(session, run_id, [row.school_id for row in page.items])
    items = _precise(facts, page.items, evidence, numbers)
    return Page(items=items, next=page.next, total=page.total)


async def _evidence(
    session: AsyncSession, run_id: int, school_ids: Sequence[int]
) -> dict[int, Row[*tuple[Any, ...]]]:
    counted = await session.execute(
        select(*_COUNTED).where(RunEvidence.run_id == run_id, RunEvidence.school_id.in_(school_ids))
    )
    return {row.school_id: row for row in counted}


async def _borderline_only(
    session: AsyncSession,
    facts: RunFacts,
    schools: Select[*tuple[Any, ...]],
    *,
    is_borderline: bool,
) -> Select[*tuple[Any, ...]]:
    counted = await session.execute(
        select(*_COUNTED).where(RunEvidence.run_id == facts.run.id).order_by(RunEvidence.school_id)
    )
    rows = counted.all()
    cells, judged, _ = judged_cells(facts, rows)
    found = borderline_schools(cells, judged, facts.methodology, schools=len(rows)).either
    named = [rows[place].school_id for place in np.flatnonzero(found).tolist()]
    is_named = RunSchool.school_id.in_(named) & (RunSchool.state != "excluded")
    return schools.where(is_named if is_borderline else ~is_named)


def _precise(
    facts: RunFacts,
    rows: Sequence[Row[Any]],
    evidence: Mapping[int, Row[*tuple[Any, ...]]],
    numbers: Told,
) -> list[SchoolPrecisionOut]:
    cells, judged, ids = judged_cells(facts, [evidence.get(row.school_id) for row in rows])
    near = borderline_schools(cells, judged, facts.methodology, schools=len(rows)).either
    by_id = {procedure.procedure_id: procedure for procedure in facts.procedures}
    natural = {procedure_id: place for place, procedure_id in enumerate(by_id)}
    priors = kept_priors(facts.procedures, year=facts.year)
    found: dict[int, list[ProcedurePrecisionOut]] = {}
    told: dict[int, bool] = {}
    for place in sorted(range(len(ids)), key=lambda place: natural[ids[place]]):
        school = int(cells.school[place])
        is_told = may_be_told(facts, cells, judged, ids, place, rows[school].school_id, numbers)
        told[school] = told.get(school, True) and is_told
        procedure = by_id[ids[place]]
        found.setdefault(school, []).append(
            _procedure(
                facts,
                procedure,
                cells,
                judged,
                place,
                priors,
                is_told=is_told,
                is_exact=numbers.is_exact,
            )
        )
    return [
        _school(row, found.get(place, []), near=bool(near[place]), is_told=told.get(place, True))
        for place, row in enumerate(rows)
    ]


def _school(
    row: Row[Any], procedures: list[ProcedurePrecisionOut], *, near: bool, is_told: bool
) -> SchoolPrecisionOut:
    certainty = Certainty(row.certainty)
    is_concerned = row.state != "excluded"
    return SchoolPrecisionOut.model_validate(
        {
            **{name: getattr(row, name) for name in _NAMED},
            "certainty": certainty.code,
            "badge": _badge(row.state, certainty, is_borderline=near and is_told and is_concerned),
            "is_borderline": near and is_concerned if is_told else None,
            "procedures": procedures,
        }
    )


def _badge(state: str, certainty: Certainty, *, is_borderline: bool) -> Badge:
    """Say how far the judgement can be relied on.

    Source: peers 3, the badges "надёжно / пограничный / мало данных".
    """
    if state in ("incomplete", "no_data") or certainty is Certainty.TOO_FEW:
        return Badge.FEW_DATA
    if is_borderline or certainty in (Certainty.POSSIBLE, Certainty.NOT_EXCLUDED):
        return Badge.BORDERLINE
    return Badge.RELIABLE


_DERIVED = (
    "share", "wilson", "exact", "shrunken_share", "probability", "pupils_to_threshold", "detectable",
)  # fmt: skip
# The sum of all schools' numbers and, by rho, of their squares: the told ones taken away, the hidden ones
# of a small region are left. A share drawn towards them gives them back.
_OF_ALL_SCHOOLS = ("prior", "shrunken_share", "probability")


def _procedure(
    facts: RunFacts,
    procedure: RunProcedure,
    cells: Cells,
    judged: Judged,
    place: int,
    priors: Priors,
    *,
    is_told: bool,
    is_exact: bool,
) -> ProcedurePrecisionOut:
    n, low = int(judged.n[place]), int(judged.low[place])
    key = (int(cells.series[place]), int(cells.years_back[place]))
    prior = priors.get(key)
    header = {
        "procedure_id": procedure.procedure_id,
        "kind": procedure.kind,
        "grade": procedure.grade,
        "year": procedure.year,
        "title": procedure.title,
        "is_pooled": bool(judged.is_pooled[place]),
        "certainty": Certainty(judged.certainty[place]).code,
        "prior": prior and PriorOut.model_validate(prior.texts()),
    }
    if not is_told:
        hidden = ("low", "n", "prior", *_DERIVED)
        return ProcedurePrecisionOut.model_validate(
            {**header, **dict.fromkeys(hidden), "suppressed": list(hidden)}
        )
    limits = cuts_of(n, facts.methodology, judged.priors.get(key))
    common = () if is_exact else _OF_ALL_SCHOOLS
    return ProcedurePrecisionOut.model_validate(
        {
            **header,
            "low": low,
            "n": n,
            "pupils_to_threshold": to_threshold(n, low, limits.possible),
            **_numbers(facts, low, n, prior),
            **dict.fromkeys(common),
            "suppressed": list(common),
        }
    )


def _numbers(facts: RunFacts, low: int, n: int, prior: Prior | None) -> dict[str, Any]:
    z, threshold = facts.methodology.certainty.z, facts.methodology.low_result.share
    share = Fraction(low, n)
    # A share of 0 or 1 would promise that every change is seen: one pupil fewer or more is meant.
    softened = min(max(share, Fraction(1, n + 1)), Fraction(n, n + 1))
    seen = detectable(
        variance=softened * (1 - softened) * 10_000,
        before=n,
        after=n,
        alpha=_ALPHA,
        power=_POWER,
        places=4,
    )
    return {
        "share": Share(low, n).rounded(6),
        "wilson": _ends(wilson(low, n, z=z)),
        "exact": _ends(clopper_pearson(low, n, z=z)),
        "shrunken_share": prior and round_half_up(shrunken(low, n, prior), 6),
        "probability": prior and probability_at_least(low, n, prior, threshold),
        "detectable": seen,
    }


def _ends(found: Interval | None) -> EndsOut | None:
    return EndsOut(lower=found.lower, upper=found.upper) if found else None
