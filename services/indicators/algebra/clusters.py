"""Groups of schools that share their values in chosen dimensions, and the school most like its group.

Nothing is estimated and nothing is filled in: a school lies in the group of its values, and one whose value
is not known lies in none. Groups that are too small to speak of are put together as one.

Source: methodology A4 (5), the cluster approach: where the school lies, its profile of risks, its size;
peers 11: a medoid as explanation, no imputation, a list of excluded schools with the reason.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

__all__ = ["Cluster", "Clustered", "Member", "Spread", "clustered"]


@dataclass(frozen=True, slots=True)
class Member:
    """A school: what names it, its value in each dimension, its measures.

    ``values`` holds None where the value is not known; ``features`` likewise.
    """

    key: str
    values: tuple[str | None, ...]
    features: tuple[Decimal | None, ...]


@dataclass(frozen=True, slots=True)
class Spread:
    """The least, the middle and the greatest value of those that are known."""

    known: int
    least: Decimal
    middle: Decimal
    greatest: Decimal


@dataclass(frozen=True, slots=True)
class Cluster:
    """A group; ``values`` is None for the one of small groups put together.

    ``medoid`` is the key of the member that is most like the others, or None where no two members have
    all measures. ``spreads`` has one entry for each measure; None where nobody has it.
    """

    values: tuple[str, ...] | None
    members: tuple[Member, ...]
    medoid: str | None
    spreads: tuple[Spread | None, ...]


@dataclass(frozen=True, slots=True)
class Clustered:
    """All groups, the largest first, "others" last; and schools with the dimensions that are not known."""

    clusters: tuple[Cluster, ...]
    excluded: Mapping[str, tuple[int, ...]]


def clustered(members: Sequence[Member], *, at_least: int) -> Clustered:
    """Group the members; groups of fewer than ``at_least`` are put together. The order changes nothing."""
    groups: dict[tuple[str, ...], list[Member]] = {}
    excluded: dict[str, tuple[int, ...]] = {}
    for member in sorted(members, key=lambda member: member.key):
        unknown = tuple(place for place, value in enumerate(member.values) if value is None)
        if unknown:
            excluded[member.key] = unknown
        else:
            known = tuple(value for value in member.values if value is not None)
            groups.setdefault(known, []).append(member)
    named = [_cluster(values, of) for values, of in groups.items() if len(of) >= at_least]
    named.sort(key=lambda cluster: (-len(cluster.members), cluster.values or ()))
    rest = [member for of in groups.values() if len(of) < at_least for member in of]
    others = [_cluster(None, sorted(rest, key=lambda m: m.key))] if rest else []
    return Clustered(tuple(named + others), excluded)


def _cluster(values: tuple[str, ...] | None, members: Sequence[Member]) -> Cluster:
    columns = list(zip(*(member.features for member in members), strict=True))
    return Cluster(values, tuple(members), _medoid(members), tuple(_spread(c) for c in columns))


def _spread(column: Sequence[Decimal | None]) -> Spread | None:
    known = sorted(value for value in column if value is not None)
    if not known:
        return None
    # The lower of the two in the middle: a value that some school has.
    return Spread(len(known), known[0], known[(len(known) - 1) // 2], known[-1])


def _medoid(members: Sequence[Member]) -> str | None:
    """Find the member with the smallest sum of distances to the others; the first key of equals.

    Measures of different units are compared by their ranks within the group: the distance of two
    schools is the sum over the measures of how many places lie between them. Only members that have
    all measures take part.
    """
    complete = [m for m in members if m.features and None not in m.features]
    if len(complete) < 2:
        return None
    totals = dict.fromkeys((member.key for member in complete), 0)
    for column in range(len(complete[0].features)):
        own = {m.key: Decimal(m.features[column] or 0) for m in complete}
        order = {value: rank for rank, value in enumerate(sorted(set(own.values())))}
        ranks = sorted((order[value], key) for key, value in own.items())
        for key, distance in _distances(ranks):
            totals[key] += distance
    return min(totals, key=lambda key: (totals[key], key))


def _distances(ranks: Sequence[tuple[int, str]]) -> list[tuple[str, int]]:
    """Give for each the sum of distances to all others on one line; linear once it is sorted."""
    total, below, found = sum(rank for rank, _ in ranks), 0, []
    for place, (rank, key) in enumerate(ranks):
        above = total - below - rank
        found.append((key, rank * place - below + above - rank * (len(ranks) - place - 1)))
        below += rank
    return found
