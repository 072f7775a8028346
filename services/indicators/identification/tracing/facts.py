"""What all traces and lists of a run share: its version of the methodology and its procedures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.indicators.algebra.shrinkage import Prior
from services.indicators.identification.answering.judging import Priors
from services.indicators.identification.answering.series import series_of
from services.indicators.identification.tables import (
    IdentificationRun,
    RunEvidence,
    RunImport,
    RunProcedure,
)
from services.indicators.methodologies.document import Methodology
from services.indicators.methodologies.tables import MethodologyVersion

__all__ = ["RunFacts", "facts_of", "imports_of"]


@dataclass(frozen=True)
class RunFacts:
    """What all traces of a run share."""

    run: IdentificationRun
    methodology: Methodology
    methodology_number: int
    methodology_hash: str
    # In the order of year, kind, grade, title.
    procedures: Sequence[RunProcedure]

    @property
    def year(self) -> int:
        """The year of the list."""
        return self.run.year

    @cached_property
    def series(self) -> dict[int, int]:
        """Number the procedures that repeat from year to year with the same scales: id -> number."""
        return series_of(self.procedures)

    @cached_property
    def priors(self) -> Priors:
        """Give what the schools of each procedure have in common, as the run estimated it."""
        series = self.series
        return {
            (series[p.procedure_id], self.year - p.year): Prior.from_texts(p.prior)
            for p in self.procedures
            if p.prior is not None
        }


async def facts_of(session: AsyncSession, run: IdentificationRun) -> RunFacts:
    """Read what all traces of a computed run share."""
    version = await session.get_one(MethodologyVersion, run.methodology_version_id)
    procedures = await session.scalars(select(RunProcedure).where(RunProcedure.run_id == run.id))
    return RunFacts(
        run=run,
        methodology=Methodology.model_validate(version.document),
        methodology_number=version.number,
        methodology_hash=version.document_hash,
        procedures=sorted(procedures, key=lambda p: (p.year, p.kind, p.grade, p.title)),
    )


async def imports_of(
    session: AsyncSession, run_id: int, evidence: RunEvidence | None
) -> Mapping[int, RunImport]:
    """Read the imports that the evidence of one school names."""
    named = sorted(set(evidence.import_id or ())) if evidence else []
    if not named:
        return {}
    found = await session.scalars(
        select(RunImport).where(RunImport.run_id == run_id, RunImport.import_id.in_(named))
    )
    return {row.import_id: row for row in found}
