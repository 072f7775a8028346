"""Making the clusters of a run out of its frozen answers, cards and profiles."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.indicators.algebra.clusters import Cluster, Clustered, Member, clustered
from services.indicators.clusters.dimensions import (
    REASONS,
    KnownSchool,
    Sizes,
    title_of,
    value_of,
)
from services.indicators.clusters.schemas import (
    ClusterExcludedOut,
    ClusterMemberOut,
    ClusterMunicipalityOut,
    ClusterOut,
    ClusterRangeOut,
    ClusterReasonOut,
    ClustersOut,
    ClusterValueOut,
    Dimension,
)
from services.indicators.context import queries as context
from services.indicators.identification import queries as identification
from services.indicators.identification.tracing.facts import RunFacts, facts_of

__all__ = ["run_clusters"]

_SCHOOLS = text(
    """
    SELECT r.school_id, r.municipality_id, r.code, r.name, r.municipality_name, r.category, r.state,
           r.flags, r.unknown_flags, s.is_rural, s.is_small, m.kind AS municipality_kind,
           c.index_code, c.index_value
    FROM run_school r
    LEFT JOIN school s ON s.id = r.school_id
    LEFT JOIN municipality m ON m.id = r.municipality_id
    LEFT JOIN run_context c ON c.run_id = r.run_id AND c.school_id = r.school_id
    WHERE r.run_id = :run_id AND (NOT :listed OR r.category IS NOT NULL)
    """
)
_PUPILS = "pupils"
_NOTES = (
    "Признаки, категории и индексы заморожены в прогоне.",
    "Село, вид муниципалитета и малокомплектность — по карточкам школ на сегодня.",
    "Число учеников — из профиля школы за год условий.",
    "Группы составлены по школам, которые вам видны.",
)


async def run_clusters(
    session: AsyncSession,
    run_id: int,
    *,
    dimensions: Sequence[Dimension],
    sizes: Sizes,
    at_least: int,
    is_listed: bool,
    is_exact: bool,
) -> ClustersOut:
    """Group the schools of a run that the caller sees.

    ``is_exact`` says that the caller sees numbers of pupils as they are. Who does not is told no measures
    and no school that is typical by them: a group may be one school, and its index follows from its pupils.

    Raises:
        RunNotFound: No such run is visible.
        RunNotComputed: There are no answers yet.
    """
    run = await identification.computed_run(session, run_id)
    facts = await facts_of(session, run)
    year = facts.methodology.context_year(run.year)
    rows = (await session.execute(_SCHOOLS, {"run_id": run_id, "listed": is_listed})).all()
    pupils = await _pupils(session, run.region_id, year)
    by_key = {f"{row.code} {row.school_id}": row for row in rows}
    indices = [index.code for index in facts.methodology.indices]
    known = {key: _known(row, pupils) for key, row in by_key.items()}
    found = clustered(
        [
            Member(
                key,
                tuple(value_of(dimension, known[key], sizes) for dimension in dimensions),
                (known[key].pupils, *_indices(row, indices)) if is_exact else (),
            )
            for key, row in by_key.items()
        ],
        at_least=at_least,
    )
    teller = _Teller(facts, dimensions, sizes, by_key, is_exact=is_exact)
    return ClustersOut(
        run_id=run.id,
        year=run.year,
        context_year=year,
        dimensions=list(dimensions),
        at_least=at_least,
        clusters=[teller.cluster(cluster) for cluster in found.clusters],
        excluded=teller.excluded(found),
        notes=list(_NOTES),
    )


async def _pupils(session: AsyncSession, region_id: int, year: int) -> dict[int, Decimal | None]:
    rows = await context.profile_values(
        session, region_id=region_id, year=year, attributes=[_PUPILS]
    )
    return {row.school_id: row.values[_PUPILS].value for row in rows}


def _known(row: Row[Any], pupils: Mapping[int, Decimal | None]) -> KnownSchool:
    return KnownSchool(
        is_rural=row.is_rural,
        is_small=row.is_small,
        municipality_kind=row.municipality_kind,
        pupils=pupils.get(row.school_id),
        is_concerned=row.state != "excluded",
        flags=row.flags,
        unknown_flags=row.unknown_flags,
    )


def _indices(row: Row[Any], codes: Sequence[str]) -> tuple[Decimal | None, ...]:
    own = dict(zip(row.index_code or (), row.index_value or (), strict=True))
    return tuple(own.get(code) for code in codes)


class _Teller:
    """Puts groups into words."""

    def __init__(
        self,
        facts: RunFacts,
        dimensions: Sequence[Dimension],
        sizes: Sizes,
        rows: Mapping[str, Row[Any]],
        *,
        is_exact: bool,
    ) -> None:
        self._methodology = facts.methodology
        self._dimensions = dimensions
        self._sizes = sizes
        self._rows = rows
        indices = [(index.code, index.title) for index in facts.methodology.indices]
        self._measures = [(_PUPILS, "Обучающихся"), *indices] if is_exact else []

    def cluster(self, cluster: Cluster) -> ClusterOut:
        shared = [
            ClusterValueOut(
                dimension=dimension,
                value=value,
                title=title_of(dimension, value, self._sizes, self._methodology),
            )
            for dimension, value in zip(self._dimensions, cluster.values or (), strict=False)
        ]
        ranges = [
            ClusterRangeOut(
                code=code,
                title=title,
                known=spread.known,
                least=spread.least,
                middle=spread.middle,
                greatest=spread.greatest,
            )
            for (code, title), spread in zip(self._measures, cluster.spreads, strict=True)
            if spread is not None
        ]
        municipalities = self._municipalities(cluster)
        title = "; ".join(value.title for value in shared) or "прочие: группы слишком малы"
        out = ClusterOut(
            code=".".join(cluster.values or ("others",)),
            title=title,
            schools=len(cluster.members),
            shared=shared,
            medoid=self._member(cluster.medoid) if cluster.medoid else None,
            ranges=ranges,
            municipalities=municipalities,
            sentences=[],
        )
        return out.model_copy(update={"sentences": _sentences(out)})

    def excluded(self, found: Clustered) -> list[ClusterExcludedOut]:
        return [
            ClusterExcludedOut(
                school_id=self._rows[key].school_id,
                code=self._rows[key].code,
                name=self._rows[key].name,
                municipality_name=self._rows[key].municipality_name,
                reasons=[
                    ClusterReasonOut(
                        code=f"{self._dimensions[place].value}_unknown",
                        title=REASONS[self._dimensions[place]],
                    )
                    for place in unknown
                ],
            )
            for key, unknown in found.excluded.items()
        ]

    def _member(self, key: str) -> ClusterMemberOut:
        row = self._rows[key]
        return ClusterMemberOut(
            school_id=row.school_id, code=row.code, name=row.name, category=row.category
        )

    def _municipalities(self, cluster: Cluster) -> list[ClusterMunicipalityOut]:
        names: dict[int, str] = {}
        schools: dict[int, list[ClusterMemberOut]] = {}
        for member in cluster.members:
            row = self._rows[member.key]
            names[row.municipality_id] = row.municipality_name
            schools.setdefault(row.municipality_id, []).append(self._member(member.key))
        return [
            ClusterMunicipalityOut(municipality_id=number, name=name, schools=schools[number])
            for number, name in sorted(names.items(), key=lambda named: (named[1], named[0]))
        ]


def _sentences(out: ClusterOut) -> list[str]:
    told = [f"Школ: {out.schools}, муниципалитетов: {len(out.municipalities)}. Общее: {out.title}."]
    told += [
        f"{measure.title}: от {measure.least:f} до {measure.greatest:f}, медиана {measure.middle:f} "
        f"(известно у {measure.known})."
        for measure in out.ranges
    ]
    if out.medoid is not None:
        told.append(f"Самая типичная школа: {out.medoid.name} ({out.medoid.code}).")
    return told
