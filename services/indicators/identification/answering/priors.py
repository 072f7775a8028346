"""What the schools of a procedure have in common, kept beside the run.

The numbers of one school do not tell it: it is estimated from all schools once, when the run is computed,
so that the trace of a school and its precision are read from the rows of that school alone.

Source: methodology B5, beta-binomial shrinkage.
"""

import json
from collections.abc import Iterable

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.indicators.algebra.shrinkage import Prior
from services.indicators.identification.answering.evaluation import Findings
from services.indicators.identification.answering.judging import Priors, priors_of
from services.indicators.identification.answering.series import series_of
from services.indicators.identification.freezing.inputs import Inputs
from services.indicators.identification.tables import RunProcedure

__all__ = ["keep_priors", "kept_priors", "prior_texts"]

_KEEP = text(
    """
    UPDATE run_procedure SET prior = CAST(kept.prior AS jsonb)
    FROM unnest(CAST(:procedures AS bigint[]), CAST(:priors AS text[])) AS kept (procedure_id, prior)
    WHERE run_procedure.run_id = :run_id AND run_procedure.procedure_id = kept.procedure_id
    """
)


async def keep_priors(
    session: AsyncSession, *, run_id: int, inputs: Inputs, findings: Findings
) -> None:
    """Write the prior of each procedure beside the run, also where the methodology does not shrink.

    A procedure of which none can be estimated keeps none.
    """
    found = prior_texts(inputs, findings)
    columns = {
        "procedures": list(found),
        "priors": [json.dumps(texts) for texts in found.values()],
    }
    await session.execute(_KEEP, {"run_id": run_id, **columns})


def prior_texts(inputs: Inputs, findings: Findings) -> dict[int, dict[str, str | int | None]]:
    """Give by procedure what its schools have in common, as texts."""
    priors = findings.judged.priors or priors_of(findings.cells)
    series = series_of(inputs.procedures)
    return {
        procedure.procedure_id: prior.texts()
        for procedure in inputs.procedures
        if (prior := priors.get((series[procedure.procedure_id], inputs.year - procedure.year)))
    }


def kept_priors(procedures: Iterable[RunProcedure], *, year: int) -> Priors:
    """Give the priors of a run's procedures; those that were not kept are not there."""
    known = list(procedures)
    series = series_of(known)
    return {
        (series[p.procedure_id], year - p.year): Prior.from_texts(p.prior)
        for p in known
        if p.prior is not None
    }
