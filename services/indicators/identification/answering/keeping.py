"""Writing the answers of a run: each school's card with its answer, its context, and the indices.

Columns are handed over as arrays, all schools in one statement; columns of arrays go as PostgreSQL
writes them, ``{1,2}``, because an array of arrays of unequal length is not one.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.indicators.algebra.composites import Composite
from services.indicators.context.documents import IndexText
from services.indicators.identification.answering.evaluation import Findings
from services.indicators.identification.freezing.hashing import school_hashes
from services.indicators.identification.freezing.inputs import Inputs
from services.indicators.identification.tables import IdentificationRun, RunIndex
from services.indicators.methodologies.conditions import IndexShare
from services.indicators.methodologies.document import Methodology

__all__ = ["answer_columns", "borders_of", "keep_answers", "statistics_of"]

_KEEP_SCHOOLS = text(
    """
    INSERT INTO run_school (
        run_id, region_id, school_id, municipality_id, code, name, municipality_name, kind, stages,
        adverse_conditions, adverse_reason, adverse_source, state, flags, unknown_flags, category,
        certainty, rule_certainties, rules_answerable, facts_hashes
    )
    SELECT :run_id, :region_id, school_id, municipality_id, code, name, municipality_name, kind,
           CAST(stages AS text[]), adverse_conditions, adverse_reason, adverse_source, state, flags,
           unknown_flags, category, certainty, CAST(rule_certainties AS smallint[]),
           CAST(rules_answerable AS boolean[]), CAST(facts_hashes AS text[])
    FROM unnest(
        CAST(:school_id AS bigint[]), CAST(:municipality_id AS bigint[]), CAST(:code AS text[]),
        CAST(:name AS text[]), CAST(:municipality_name AS text[]), CAST(:kind AS text[]),
        CAST(:stages AS text[]), CAST(:adverse_conditions AS boolean[]),
        CAST(:adverse_reason AS text[]), CAST(:adverse_source AS text[]), CAST(:state AS text[]),
        CAST(:flags AS smallint[]), CAST(:unknown_flags AS smallint[]), CAST(:category AS text[]),
        CAST(:certainty AS smallint[]), CAST(:rule_certainties AS text[]),
        CAST(:rules_answerable AS text[]), CAST(:facts_hashes AS text[])
    ) AS answer (
        school_id, municipality_id, code, name, municipality_name, kind, stages,
        adverse_conditions, adverse_reason, adverse_source, state, flags, unknown_flags, category,
        certainty, rule_certainties, rules_answerable, facts_hashes
    )
    """
)
# The parallel arrays of a school are cut out of columns: one array per attribute over all schools.
_KEEP_CONTEXT = text(
    """
    INSERT INTO run_context (
        run_id, region_id, school_id, municipality_id, attribute, state, value, source, asked_years,
        index_code, index_value, index_missing_weight
    )
    SELECT :run_id, :region_id, school_id, municipality_id, CAST(:attribute AS text[]),
           CAST(state AS text[]), CAST(value AS numeric[]),
           CAST(source AS text[]),
           CAST(asked_years AS smallint[]), CAST(:index_code AS text[]),
           CAST(index_value AS numeric[]), CAST(index_missing_weight AS numeric[])
    FROM unnest(
        CAST(:school_id AS bigint[]), CAST(:municipality_id AS bigint[]), CAST(:state AS text[]),
        CAST(:value AS text[]), CAST(:source AS text[]), CAST(:asked_years AS text[]),
        CAST(:index_value AS text[]), CAST(:index_missing_weight AS text[])
    ) AS known (
        school_id, municipality_id, state, value, source, asked_years, index_value,
        index_missing_weight
    )
    """
)


async def keep_answers(
    session: AsyncSession,
    run: IdentificationRun,
    inputs: Inputs,
    findings: Findings,
    methodology: Methodology,
) -> None:
    """Write the answers for all schools, their context, and the indices with their statistics."""
    ids = {"run_id": run.id, "region_id": run.region_id}
    schools = inputs.schools
    located = {
        "school_id": [school.school_id for school in schools],
        "municipality_id": [school.municipality_id for school in schools],
    }
    await session.execute(
        _KEEP_SCHOOLS,
        ids
        | located
        | {name: [getattr(school, name) for school in schools] for name in _CARD}
        | {"stages": [None if s.stages is None else _array(s.stages) for s in schools]}
        | answer_columns(findings)
        | {"facts_hashes": [_array(parts) for parts in school_hashes(inputs)]},
    )
    if inputs.attributes or any(inputs.asked_years) or methodology.sign_years(run.year):
        await session.execute(_KEEP_CONTEXT, ids | located | _context(inputs, findings))
    if methodology.indices:
        await _keep_indices(session, run, findings, methodology)


_CARD = (
    "code", "name", "municipality_name", "kind", "adverse_conditions", "adverse_reason",
    "adverse_source",
)  # fmt: skip


def answer_columns(findings: Findings) -> dict[str, list[Any]]:
    """Lay the answers out as columns of `run_school`; arrays as PostgreSQL writes them."""
    return {
        "state": findings.state,
        "flags": findings.flags.tolist(),
        "unknown_flags": findings.unknown.tolist(),
        "category": findings.category,
        "certainty": findings.certainty.tolist(),
        "rule_certainties": [_array(row) for row in findings.answers.certainty.T.tolist()],
        "rules_answerable": [_array(row) for row in findings.answers.answerable.T.tolist()],
    }


def _context(inputs: Inputs, findings: Findings) -> dict[str, list[Any]]:
    columns, indices = list(inputs.attributes.values()), list(findings.indices.values())
    places = range(len(inputs.schools))
    return {
        "attribute": list(inputs.attributes),
        "state": [_array(column.values[place].state for column in columns) for place in places],
        "value": [_numbers(column.values[place].value for column in columns) for place in places],
        "source": [_texts([column.sources[place] for column in columns]) for place in places],
        "asked_years": [_array(sorted(years)) for years in inputs.asked_years],
        "index_code": list(findings.indices),
        "index_value": [_numbers(index.values[place] for index in indices) for place in places],
        "index_missing_weight": [
            _numbers(index.missing_weights[place] for index in indices) for place in places
        ],
    }


async def _keep_indices(
    session: AsyncSession, run: IdentificationRun, findings: Findings, methodology: Methodology
) -> None:
    await session.execute(
        insert(RunIndex),
        [
            {
                "run_id": run.id,
                "code": index.code,
                "region_id": run.region_id,
                "title": index.title,
                "context_year": methodology.context_year(run.year),
                "n": findings.indices[index.code].n,
                "definition": index.model_dump(mode="json"),
                "statistics": statistics_of(index, findings.indices[index.code]),
                "borders": borders_of(index.code, findings.indices[index.code], methodology),
            }
            for index in methodology.indices
        ],
    )


def statistics_of(index: IndexText, found: Composite) -> list[dict[str, Any]]:
    """Tell each component of an index with its n, mean, deviation and bounds, numbers as texts."""
    return [
        {
            "attribute": component.attribute,
            "over": component.over,
            "title": component.title,
            "weight": _plain(measured.weight),
            "n": measured.n,
            "mean": _plain(measured.mean),
            "sd": _plain(measured.sd),
            "minimum": _plain(measured.minimum),
            "maximum": _plain(measured.maximum),
        }
        for component, measured in zip(index.components, found.ingredients, strict=True)
    ]


def borders_of(code: str, found: Composite, methodology: Methodology) -> dict[str, str | None]:
    """Give the border of each lowest share of the index that conditions ask for; None for no schools."""
    ranked = sorted(value for value in found.values if value is not None)
    return {
        node.lowest_share: _plain(ranked[node.rank(len(ranked)) - 1]) if ranked else None
        for _, node in methodology.conditions()
        if isinstance(node, IndexShare) and node.index == code
    }


def _plain(number: Decimal | None) -> str | None:
    return None if number is None else format(number, "f")


def _array(values: Iterable[Any]) -> str:
    # Codes, small numbers, booleans: nothing that PostgreSQL would want quoted.
    return "{" + ",".join(str(value) for value in values) + "}"


def _numbers(values: Iterable[Decimal | None]) -> str:
    return _array("NULL" if value is None else format(value, "f") for value in values)


def _texts(values: Sequence[str | None]) -> str:
    # Sources are free texts of people: each is quoted as PostgreSQL's arrays want it.
    return _array("NULL" if text is None else _quoted(text) for text in values)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
