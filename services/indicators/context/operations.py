"""Keeping definitions and calculating. Nothing here is edited or deleted."""

import asyncio
import hashlib
import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.indicators.algebra.values import MISSING, Value
from services.indicators.context import queries
from services.indicators.context.answers import Answer, answer_of
from services.indicators.context.cohorts import Cohort, result_name
from services.indicators.context.documents import (
    AttributeResult,
    ExpectationText,
    IndexText,
    ResultText,
    definition_hash,
)
from services.indicators.context.schemas import CalculationIn, ContextIndexIn
from services.indicators.context.shipped import shipped_indices
from services.indicators.context.tables import ContextCalculation, ContextIndex, ContextSchool
from services.indicators.profiles import queries as profiles
from services.indicators.profiles.operations import region_of
from services.kit.principals import Principal
from services.kit.problems import Problem, ValidationFailed

__all__ = [
    "AttributesUnknown",
    "ContextIndexAlreadyAdded",
    "ShippedIndexNotFound",
    "add_index",
    "calculate",
    "cohort_of",
]


class ShippedIndexNotFound(Problem):
    """No shipped definition has this code."""

    status = 404
    title = "Поставляемый индекс не найден"


class ContextIndexAlreadyAdded(Problem):
    """The region already has a version with this very definition."""

    status = 409
    title = "Такая версия индекса уже есть"


class AttributesUnknown(Problem):
    """A definition names attributes that the region does not have."""

    status = 409
    title = "В определении названы неизвестные признаки"


async def add_index(session: AsyncSession, wish: ContextIndexIn, *, by: Principal) -> ContextIndex:
    """Add the next version of an index to the caller's region.

    Raises:
        ShippedIndexNotFound: The code names no shipped definition.
        ContextIndexAlreadyAdded: The same definition is there already.
        AttributesUnknown: It names an attribute that the region has not.
    """
    region_id = region_of(by)
    index = wish.document or _shipped(str(wish.shipped))
    await _refuse_unknown(session, index.attributes)
    mark = definition_hash(index)
    # Two people adding versions of one code get consecutive numbers.
    await session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"),
        {"name": f"context-index:{region_id}:{index.code}"},
    )
    of_code = (ContextIndex.region_id == region_id, ContextIndex.code == index.code)
    same = await session.scalar(
        select(ContextIndex).where(*of_code, ContextIndex.document_hash == mark)
    )
    if same is not None:
        raise ContextIndexAlreadyAdded(
            f"Определение уже добавлено как версия {same.number}",
            hint="Используйте существующую версию или измените определение",
            context_index_id=same.id,
        )
    last = await session.scalar(select(func.max(ContextIndex.number)).where(*of_code))
    added = ContextIndex(
        region_id=region_id,
        code=index.code,
        number=(last or 0) + 1,
        title=index.title,
        document=index.model_dump(mode="json"),
        document_hash=mark,
        created_by=by.subject,
    )
    session.add(added)
    await session.flush()
    await session.refresh(added)
    return added


def _shipped(code: str) -> IndexText:
    found = shipped_indices().get(code)
    if found is None:
        raise ShippedIndexNotFound(
            f"Индекса «{code}» в поставке нет", hint="Список кодов: " + ", ".join(shipped_indices())
        )
    return found


async def _refuse_unknown(session: AsyncSession, attributes: Sequence[str]) -> None:
    known = await profiles.attributes_by_code(session)
    if unknown := [code for code in dict.fromkeys(attributes) if code not in known]:
        raise AttributesUnknown(
            f"В регионе нет признаков: {', '.join(unknown)}",
            hint="Возьмите их из каталога: POST /profile-attributes/adoption, или заведите свои",
            attributes=unknown,
        )


async def calculate(
    session: AsyncSession, wish: CalculationIn, *, by: Principal
) -> ContextCalculation:
    """Calculate over the profiles of a year and keep the answer with the hashes of all it came from.

    Raises:
        ContextIndexNotFound: An id names no version of the region.
        AttributesUnknown: A definition names an attribute that the region has not.
        ValidationFailed: Two indices share a code, or the expectation names one that is not there.
    """
    region_id = region_of(by)
    kept = [await queries.context_index(session, each) for each in wish.index_ids]
    indices = [IndexText.model_validate(each.document) for each in kept] + list(wish.indices)
    _refuse_confusion(indices, wish.expectation)
    attributes = [code for index in indices for code in index.attributes]
    attributes += wish.expectation.attributes if wish.expectation else []
    await _refuse_unknown(session, attributes)
    schools = await profiles.schools_of_year(session, wish.year)
    years = range(wish.year, wish.year - (wish.expectation.years if wish.expectation else 1), -1)
    results = [index.result for index in indices if index.result is not None]
    results += [wish.expectation.result] if wish.expectation else []
    cohorts = [
        await cohort_of(
            session,
            region_id=region_id,
            year=year,
            school_ids=[school.id for school in schools],
            attributes=attributes,
            results=results,
        )
        for year in years
    ]
    answer = await asyncio.to_thread(answer_of, indices, wish.expectation, cohorts)
    return await _keep(session, wish, indices, cohorts, answer, schools, by=by)


def _refuse_confusion(indices: Sequence[IndexText], expectation: ExpectationText | None) -> None:
    codes = [index.code for index in indices]
    errors = []
    if len(set(codes)) != len(codes):
        errors.append(
            {"pointer": "/indices", "code": "repeated", "detail": "Коды индексов повторяются"}
        )
    missing = [code for code in (expectation.indices if expectation else []) if code not in codes]
    if missing:
        detail = f"Ожидание называет индексы, которых нет в запросе: {', '.join(missing)}"
        errors.append({"pointer": "/expectation", "code": "index_unknown", "detail": detail})
    if errors:
        raise ValidationFailed(errors=errors)


async def cohort_of(
    session: AsyncSession,
    *,
    region_id: int,
    year: int,
    school_ids: Sequence[int],
    attributes: Sequence[str],
    results: Sequence[ResultText],
) -> Cohort:
    """Read the cells and results of these schools in a year as columns."""
    names = list(dict.fromkeys(attributes))
    rows = {
        row.school_id: row
        for row in await queries.profile_values(
            session, region_id=region_id, year=year, attributes=names
        )
    }
    cells: dict[str, list[Value]] = {
        code: [
            rows[school].values.get(code, MISSING) if school in rows else MISSING
            for school in school_ids
        ]
        for code in names
    }
    measured: dict[str, list[Decimal | None]] = {}
    for result in results:
        if not isinstance(result, AttributeResult):
            found = await queries.school_results(
                session, region_id=region_id, year=year, result=result
            )
            measured[result_name(result)] = [found.get(school) for school in school_ids]
    return Cohort(year, list(school_ids), cells, measured)


async def _keep(
    session: AsyncSession,
    wish: CalculationIn,
    indices: Sequence[IndexText],
    cohorts: Sequence[Cohort],
    answer: Answer,
    schools: Sequence[Any],
    *,
    by: Principal,
) -> ContextCalculation:
    region_id = region_of(by)
    calculation = ContextCalculation(
        region_id=region_id,
        year=wish.year,
        definition={
            "indices": [index.model_dump(mode="json") for index in indices],
            "expectation": wish.expectation and wish.expectation.model_dump(mode="json"),
        },
        definition_hash=definition_hash(*indices, wish.expectation),
        input_hash=_hash([_frozen(cohort) for cohort in cohorts]),
        answer_hash=_hash([answer.summary, answer.schools]),
        summary=answer.summary,
        created_by=by.subject,
    )
    session.add(calculation)
    await session.flush()
    await session.refresh(calculation)
    places = [
        {
            "calculation_id": calculation.id,
            "school_id": school.id,
            "region_id": region_id,
            "municipality_id": school.municipality_id,
            "code": school.code,
            "name": school.name,
        }
        for school in schools
    ]
    rows = [place | found for place, found in zip(places, answer.schools, strict=True)]
    if rows:
        await session.execute(insert(ContextSchool), rows)
    return calculation


def _frozen(cohort: Cohort) -> list[Any]:
    """Give what was read as plain values, in the order of schools' ids."""
    cells = {
        code: [[str(cell.state), None if cell.value is None else str(cell.value)] for cell in of]
        for code, of in cohort.cells.items()
    }
    return [cohort.year, list(cohort.school_ids), cells, dict(cohort.results)]


def _hash(content: Any) -> str:
    canonical = json.dumps(content, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()
