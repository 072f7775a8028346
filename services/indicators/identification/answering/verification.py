"""Proving that a run still says what it said: everything is worked out again from its frozen rows.

The hashes kept beside the rows tell which procedure or which school's facts were changed; the answers
worked out again tell which answer no longer follows. A run of before a hash was kept is checked by what
it has.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.indicators.identification.answering.evaluation import Findings, evaluate
from services.indicators.identification.answering.keeping import borders_of, statistics_of
from services.indicators.identification.answering.priors import prior_texts
from services.indicators.identification.answering.totals import Hashes, counts_of, hashes_of
from services.indicators.identification.freezing.counting import DETAILS_HASH
from services.indicators.identification.freezing.frozen import frozen
from services.indicators.identification.freezing.hashing import PARTS, procedure_hash, school_hashes
from services.indicators.identification.freezing.inputs import Inputs, TornInputsError
from services.indicators.identification.listing import LISTED, list_hash
from services.indicators.identification.tables import (
    IdentificationRun,
    RunContext,
    RunIndex,
    RunProcedure,
    RunSchool,
)
from services.indicators.methodologies.document import Methodology
from services.indicators.methodologies.operations import document_hash
from services.indicators.methodologies.tables import MethodologyVersion

__all__ = ["Mismatch", "Verified", "stored_list_hash", "verify"]


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One thing that is not what it was: a table, a column, and the school where it is of one.

    ``stored`` and ``computed`` are texts; both None where only a hash tells that facts were changed.
    """

    table: str
    column: str
    school_id: int | None = None
    code: str | None = None
    stored: str | None = None
    computed: str | None = None


@dataclass(frozen=True, slots=True)
class Verified:
    """What the verification of a run found; the run is intact when nothing differs."""

    hashes: Hashes | None
    """Worked out again; None when the frozen rows do not even belong together."""
    schools: int
    cells: int
    mismatches: Sequence[Mismatch]

    @property
    def is_intact(self) -> bool:
        """Whether everything is what it was."""
        return not self.mismatches


async def verify(session: AsyncSession, run: IdentificationRun) -> Verified:
    """Work a computed run out again from its frozen rows and compare with what it says."""
    version = await session.get_one(MethodologyVersion, run.methodology_version_id)
    methodology = Methodology.model_validate(version.document)
    try:
        inputs = await frozen(session, run.id)
        findings = evaluate(inputs, methodology)
    except TornInputsError as torn:
        return Verified(None, 0, 0, [Mismatch("run_evidence", "school_id", computed=str(torn))])
    except LookupError as missing:
        return Verified(None, 0, 0, [Mismatch("run_context", "attribute", computed=str(missing))])
    hashes = hashes_of(inputs, findings, methodology, version.document_hash)
    counts = counts_of(findings, methodology)
    return Verified(
        hashes,
        len(inputs.schools),
        len(inputs.cells.n),
        [
            *_methodology(methodology, version),
            *_totals(run, hashes, counts),
            *await _procedures(session, run, inputs, findings),
            *await _schools(session, run, inputs, findings),
            *await _details(session, run, inputs),
            *await _indices(session, run, methodology, inputs, findings),
        ],
    )


def _methodology(methodology: Methodology, version: MethodologyVersion) -> Iterator[Mismatch]:
    if (computed := document_hash(methodology)) != version.document_hash:
        yield Mismatch(
            "methodology_version", "document", stored=version.document_hash, computed=computed
        )


def _totals(
    run: IdentificationRun, hashes: Hashes, counts: Mapping[str, Any]
) -> Iterator[Mismatch]:
    for column, stored, computed in (
        ("input_hash", run.input_hash, hashes.inputs),
        ("list_hash", run.list_hash, hashes.list),
    ):
        if stored != computed:
            yield Mismatch("identification_run", column, stored=stored, computed=computed)
    kept = run.counts or {}
    for name, computed_count in counts.items():
        # A count that the run did not keep yet is not a changed one.
        if name in kept and kept[name] != computed_count:
            yield Mismatch(
                "identification_run", f"counts.{name}", stored=str(kept[name]),
                computed=str(computed_count),
            )  # fmt: skip


async def _procedures(
    session: AsyncSession, run: IdentificationRun, inputs: Inputs, findings: Findings
) -> list[Mismatch]:
    rows = await session.execute(
        select(RunProcedure.procedure_id, RunProcedure.facts_hash, RunProcedure.prior).where(
            RunProcedure.run_id == run.id
        )
    )
    stored = {row.procedure_id: row for row in rows}
    priors = prior_texts(inputs, findings)
    found = []
    for procedure in inputs.procedures:
        row = stored[procedure.procedure_id]
        name = f"{procedure.title} ({procedure.kind}, {procedure.grade}, {procedure.year})"
        computed = procedure_hash(procedure)
        if row.facts_hash not in (None, computed):
            found.append(Mismatch("run_procedure", name, None, None, row.facts_hash, computed))
        prior = priors.get(procedure.procedure_id)
        if row.facts_hash is not None and row.prior != prior:
            found.append(
                Mismatch("run_procedure", f"prior: {name}", None, None, str(row.prior), str(prior))
            )
    return found


_ANSWERS = (
    "state", "flags", "unknown_flags", "category", "certainty", "rule_certainties",
    "rules_answerable",
)  # fmt: skip
_PART_PLACES = {
    "card": ("run_school", "card"),
    "cells": ("run_evidence", "n, low"),
    "context": ("run_context", "attribute, signs"),
}


async def _schools(
    session: AsyncSession, run: IdentificationRun, inputs: Inputs, findings: Findings
) -> list[Mismatch]:
    columns = [getattr(RunSchool, name) for name in ("school_id", "facts_hashes", *_ANSWERS)]
    rows = await session.execute(select(*columns).where(RunSchool.run_id == run.id))
    stored = {row.school_id: row for row in rows}
    computed = zip(
        findings.state,
        findings.flags.tolist(),
        findings.unknown.tolist(),
        findings.category,
        findings.certainty.tolist(),
        findings.answers.certainty.T.tolist(),
        findings.answers.answerable.T.tolist(),
        strict=True,
    )
    found = []
    for school, parts, answers in zip(inputs.schools, school_hashes(inputs), computed, strict=True):
        row = stored[school.school_id]
        for part, kept, now in zip(PARTS, row.facts_hashes or parts, parts, strict=True):
            if kept != now:
                table, column = _PART_PLACES[part]
                found.append(Mismatch(table, column, school.school_id, school.code))
        for name, answer in zip(_ANSWERS, answers, strict=True):
            if (kept := getattr(row, name)) != answer:
                found.append(
                    Mismatch(
                        "run_school", name, school.school_id, school.code, str(kept), str(answer)
                    )
                )
    return found


_CHANGED_DETAILS = text(
    f"""
    SELECT school_id, details_hash AS stored, {DETAILS_HASH} AS computed FROM run_evidence
    WHERE run_id = :run_id AND details_hash IS NOT NULL
      AND details_hash IS DISTINCT FROM {DETAILS_HASH}
    """
)


async def _details(session: AsyncSession, run: IdentificationRun, inputs: Inputs) -> list[Mismatch]:
    """Find schools whose numbers of subjects or rows are not those that were frozen."""
    rows = await session.execute(_CHANGED_DETAILS, {"run_id": run.id})
    codes = {school.school_id: school.code for school in inputs.schools}
    return sorted(
        (
            Mismatch(
                "run_evidence", "subjects, rows", row.school_id, codes.get(row.school_id),
                str(row.stored), str(row.computed),
            )
            for row in rows
        ),
        key=lambda mismatch: mismatch.code or "",
    )  # fmt: skip


async def _indices(
    session: AsyncSession,
    run: IdentificationRun,
    methodology: Methodology,
    inputs: Inputs,
    findings: Findings,
) -> list[Mismatch]:
    if not methodology.indices:
        return []
    rows = await session.scalars(select(RunIndex).where(RunIndex.run_id == run.id))
    stored = {row.code: row for row in rows}
    found = []
    for index in methodology.indices:
        row, composite = stored.get(index.code), findings.indices[index.code]
        computed = (
            composite.n,
            statistics_of(index, composite),
            borders_of(index.code, composite, methodology),
        )
        if row is None or (row.n, row.statistics, row.borders) != computed:
            found.append(Mismatch("run_index", index.code))
    return [*found, *await _index_values(session, run, inputs, findings)]


async def _index_values(
    session: AsyncSession, run: IdentificationRun, inputs: Inputs, findings: Findings
) -> list[Mismatch]:
    rows = await session.execute(
        select(RunContext.school_id, RunContext.index_code, RunContext.index_value).where(
            RunContext.run_id == run.id
        )
    )
    places = inputs.places
    found = []
    for row in sorted(rows, key=lambda row: places.get(row.school_id, -1)):
        if (place := places.get(row.school_id)) is None:
            found.append(Mismatch("run_context", "school_id", row.school_id))
            continue
        for code, kept in zip(row.index_code, row.index_value, strict=True):
            if kept != (computed := findings.indices[code].values[place]):
                found.append(
                    Mismatch(
                        "run_context",
                        f"index_value: {code}",
                        row.school_id,
                        inputs.schools[place].code,
                        str(kept),
                        str(computed),
                    )
                )
    return found


async def stored_list_hash(session: AsyncSession, run: IdentificationRun) -> str:
    """Hash the list from its stored rows: what a reader of the list sees."""
    version = await session.get_one(MethodologyVersion, run.methodology_version_id)
    rows = await session.execute(
        select(*(getattr(RunSchool, name) for name in LISTED)).where(
            RunSchool.run_id == run.id, RunSchool.category.is_not(None)
        )
    )
    header = {"year": run.year, "methodology": version.document_hash, "inputs": run.input_hash}
    return list_hash(rows.all(), header=header)
