"""One setting moved over a ladder of values: how long the list is at each, all else as in the run."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from pydantic import ValidationError

from services.indicators.algebra.agreement import agreement
from services.indicators.algebra.shares import round_half_up
from services.indicators.identification.answering.evaluation import evaluate
from services.indicators.identification.answering.judging import Booleans
from services.indicators.identification.answering.outcomes import ENTERED, LEFT, Outcomes
from services.indicators.identification.differences.mixing import narrowed
from services.indicators.methodologies.document import Methodology
from services.indicators.scenarios.answerable import unanswerable
from services.indicators.scenarios.computing import written
from services.indicators.scenarios.documents import at_pointer, with_value
from services.indicators.scenarios.effect import PLACES
from services.indicators.scenarios.inputs import Base, not_reproduced
from services.indicators.scenarios.schemas import LadderOut, LadderStepOut
from services.kit.problems import described

__all__ = ["ladder"]


def ladder(base: Base, setting: str, values: Sequence[str]) -> LadderOut:
    """Count the list at every value of a setting.

    Raises:
        SettingNotFound: The document of the run's methodology has no single value there.
        RunNotReproduced: Its own value does not give the run's list.
    """
    now = at_pointer(written(base.methodology), setting)
    own = Outcomes.of(evaluate(narrowed(base.inputs, base.methodology), base.methodology))
    if not base.stored.same(own).all():
        raise not_reproduced(base.run.id)
    return LadderOut(
        run_id=base.run.id,
        setting=setting,
        value=str(now),
        listed=int(base.stored.is_listed.sum()),
        steps=[_step(base, setting, value, is_number=isinstance(now, int)) for value in values],
    )


def _step(base: Base, setting: str, value: str, *, is_number: bool) -> LadderStepOut:
    changed = int(value) if is_number and value.isdecimal() else value
    document = with_value(written(base.methodology), setting, changed)
    try:
        methodology = Methodology.model_validate(document)
    except ValidationError as failed:
        return _impossible(value, "; ".join(one["detail"] for one in described(failed.errors())))
    if refused := list(unanswerable(base.inputs, base.methodology, methodology)):
        return _impossible(value, "; ".join(one["detail"] for one in refused))
    found = Outcomes.of(evaluate(narrowed(base.inputs, methodology), methodology))
    changes = base.stored.changes(found)
    kappa = agreement(
        set(range(len(changes))), _listed(found.is_listed), _listed(base.stored.is_listed)
    ).kappa
    return LadderStepOut(
        value=value,
        listed=int(found.is_listed.sum()),
        entered=int((changes == ENTERED).sum()),
        left=int((changes == LEFT).sum()),
        by_category=dict(sorted(Counter(c for c in found.category if c is not None).items())),
        kappa_rounded=None if kappa is None else round_half_up(kappa, PLACES),
        problem=None,
    )


def _impossible(value: str, problem: str) -> LadderStepOut:
    return LadderStepOut(
        value=value,
        listed=None,
        entered=None,
        left=None,
        by_category={},
        kappa_rounded=None,
        problem=problem,
    )


def _listed(listed: Booleans) -> set[int]:
    return set(np.flatnonzero(listed).tolist())
