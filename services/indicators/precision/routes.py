"""Precision over HTTP."""

from typing import Annotated, Any

from fastapi import Path, Query

from services.indicators.identification.queries import RunNotComputed, RunNotFound
from services.indicators.identification.schemas import CertaintyCode
from services.indicators.precision import queries
from services.indicators.precision.access import IndexReader, RunReader
from services.indicators.precision.run_schemas import SchoolPrecisionOut
from services.indicators.precision.schemas import (
    DetectableIn,
    DetectableOut,
    TargetIn,
    TargetOut,
)
from services.indicators.precision.targets import (
    NoBaseShare,
    TargetNotDistinguishable,
    detectable_changes,
    judge_target,
)
from services.indicators.procedures.queries import ProcedureNotFound
from services.indicators.suppression.access import EXACT, Numbers
from services.kit.database import Session
from services.kit.http import router
from services.kit.inputs import Id
from services.kit.pages import CursorInvalid, Page, PageAsk
from services.kit.principals import MissingScope
from services.kit.problems import problems

__all__ = ["changes", "runs", "targets"]

runs = router(prefix="/identification-runs", tags=["precision"])
changes = router(prefix="/detectable-changes", tags=["precision"])
targets = router(prefix="/target-judgements", tags=["precision"])


@runs.get(
    "/{run_id}/precision",
    response_model=Page[SchoolPrecisionOut],
    summary="Точность вывода по школам",
    responses=problems(RunNotFound, RunNotComputed, CursorInvalid),
)
async def list_run_precision(
    run_id: Annotated[Id, Path(description="Номер прогона выявления", examples=[7])],
    caller: RunReader,  # noqa: ARG001  the check is the use
    session: Session,
    numbers: Numbers,
    ask: PageAsk,
    municipality_id: Annotated[
        Id | None, Query(description="Номер муниципалитета", examples=[3])
    ] = None,
    certainty: Annotated[
        CertaintyCode | None,
        Query(description="Только этого класса устойчивости", examples=["possible"]),
    ] = None,
    is_borderline: Annotated[
        bool | None,
        Query(
            description="true: только школы, вывод о которых меняет один ученик; false: только "
            "остальные. Просит право indices:exact",
            examples=[True],
        ),
    ] = None,
) -> Any:
    """Насколько можно полагаться на вывод о каждой школе: интервалы, стянутая доля, вероятность, значок.

    Интервалы Уилсона и Клоппера — Пирсона, доля, стянутая к общей (бета-биномиальная модель), вероятность,
    что истинная доля не ниже порога, сколько учеников до порога и какое изменение вообще различимо.
    Решает то, что выбрано в методике; остальное показано рядом.
    """
    if is_borderline is not None and not numbers.is_exact:
        raise MissingScope(f"Для отбора по близости к порогу нужно право {EXACT}")
    return await queries.run_precision(
        session,
        run_id,
        municipality_id=municipality_id,
        certainty=certainty,
        is_borderline=is_borderline,
        numbers=numbers,
        ask=ask,
    )


@changes.post(
    "",
    response_model=DetectableOut,
    summary="Какое изменение различимо",
    responses=problems(ProcedureNotFound, NoBaseShare),
)
async def find_detectable_changes(
    ask: DetectableIn, caller: IndexReader, session: Session, numbers: Numbers
) -> Any:
    """Наименьшее изменение, которое можно отличить от случайного при стольких участниках.

    Числа участников задаются по уровням или берутся из процедуры (тогда нужно право indices:exact; низкий
    результат — ниже минимума; уровни — те, которые вам видны целиком). Двусторонняя проверка разности
    двух долей или средних; при alpha 5 %, мощности 80 % и доле 30 % изменение в 3 п. п. видно с 3 663
    участников, а в школе с 25 участниками — только от 36,3 п. п. Ничего не сохраняется.
    """
    if ask.procedure_id is None:
        return detectable_changes(ask, None)
    if not numbers.is_exact:
        raise MissingScope(f"Для чисел участников процедуры нужно право {EXACT}")
    found = await queries.takers(session, ask.procedure_id, reach=caller.reach)
    return detectable_changes(ask, found)


@targets.post(
    "",
    response_model=TargetOut,
    summary="Судить о цели",
    responses=problems(TargetNotDistinguishable),
)
async def judge_one_target(
    ask: TargetIn,
    caller: IndexReader,  # noqa: ARG001  the check is the use
) -> Any:
    """Достигнута ли цель, если судить только по тому, что числа позволяют сказать.

    «Достигнуто»: изменение не меньше задуманного и не случайно; «не достигнуто»: меньше, и задуманное вне
    интервала; иначе «не различимо» (или отказ, если просят weak_numbers: refuse). Ничего не сохраняется.
    """
    return judge_target(ask)
