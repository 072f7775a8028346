"""Answering which change can be seen and whether a target is reached, from numbers alone."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from services.indicators.algebra.detectable import (
    Verdict,
    change_of_shares,
    design_effect,
    detectable,
    needed,
    verdict,
)
from services.indicators.algebra.shares import round_half_up
from services.indicators.algebra.shrinkage import prior_of
from services.indicators.precision.schemas import (
    DetectableIn,
    DetectableLevelOut,
    DetectableOut,
    LevelKind,
    LevelSize,
    Measure,
    PointsOut,
    TargetIn,
    TargetOut,
    TargetVerdict,
    WeakNumbers,
)
from services.kit.problems import Problem

__all__ = [
    "Group",
    "NoBaseShare",
    "Takers",
    "TargetNotDistinguishable",
    "detectable_changes",
    "judge_target",
]

_PLACES = 4
_TITLES = {
    LevelKind.SCHOOL: "Школа",
    LevelKind.MUNICIPALITY: "Муниципалитет",
    LevelKind.REGION: "Регион",
    LevelKind.OTHER: "Группа",
}
_SIZES = {
    LevelSize.SMALLEST: ", наименьшее число участников",
    LevelSize.MEDIAN: ", медиана участников",
    LevelSize.LARGEST: ", наибольшее число участников",
    LevelSize.ALL: ", все участники",
    LevelSize.GIVEN: "",
}


class TargetNotDistinguishable(Problem):
    """The numbers carry neither "reached" nor "not reached", and the caller asked to refuse then."""

    status = 409
    title = "Числа не позволяют судить о цели"


class NoBaseShare(Problem):
    """The procedure has no participants, or a share of 0 or 1, from which nothing can be foreseen."""

    status = 409
    title = "По процедуре нельзя судить, от какой доли считать"


@dataclass(frozen=True, slots=True)
class _Test:
    """The test that is asked for."""

    alpha: Fraction
    power: Fraction

    def needed(self, change: Fraction, variance: Fraction, effect: Fraction) -> int:
        return needed(change, variance=variance, alpha=self.alpha, power=self.power, effect=effect)

    def sees(self, change: Fraction, variance: Fraction, group: "Group", effect: Fraction) -> bool:
        """Compare integers, so that no root is rounded: harmonic means of participants."""
        enough = self.needed(change, variance, effect)
        return 2 * group.before * group.after >= enough * (group.before + group.after)

    def detectable(self, variance: Fraction, group: "Group", effect: Fraction) -> Decimal:
        found = detectable(
            variance=variance,
            before=group.before,
            after=group.after,
            alpha=self.alpha,
            power=self.power,
            effect=effect,
            places=_PLACES,
        )
        if found is None:
            raise AssertionError("A group has participants")
        return found


@dataclass(frozen=True, slots=True)
class Group:
    """A group of participants, before and after, and how many come to a school."""

    level: LevelKind
    size: LevelSize
    before: int
    after: int
    per_school: Fraction


@dataclass(frozen=True, slots=True)
class Takers:
    """The participants of a procedure by school, as far as the caller's reach goes.

    One entry per school with people: its municipality, how many are low, how many took part. ``levels``
    are those of which the caller sees the whole.
    """

    schools: Sequence[tuple[int, int, int]]
    levels: Sequence[LevelKind]

    def groups(self) -> list[Group]:
        """Give the smallest, the median and the largest group of each level, and all together.

        The next measurement is taken to have as many participants as this one.
        """
        by_place: Counter[int] = Counter()
        for place, _, n in self.schools:
            by_place[place] += n
        everybody = sum(by_place.values())
        alike = Fraction(sum(n * n for *_, n in self.schools), everybody)
        sizes = {
            LevelKind.SCHOOL: sorted(n for *_, n in self.schools),
            LevelKind.MUNICIPALITY: sorted(by_place.values()),
        }
        found = []
        for level in self.levels:
            if level is LevelKind.REGION:
                found.append(Group(level, LevelSize.ALL, everybody, everybody, alike))
                continue
            ordered = sizes[level]
            for size, n in (
                (LevelSize.SMALLEST, ordered[0]),
                (LevelSize.MEDIAN, ordered[(len(ordered) - 1) // 2]),
                (LevelSize.LARGEST, ordered[-1]),
            ):
                own = Fraction(1) if level is LevelKind.SCHOOL else min(alike, Fraction(n))
                found.append(Group(level, size, n, n, own))
        return found

    def share(self) -> Fraction:
        """Give the share of low results of all participants together."""
        return Fraction(sum(low for _, low, _ in self.schools), sum(n for *_, n in self.schools))

    def rho(self) -> Fraction:
        """Estimate how alike the participants of a school are; 0 where it cannot be estimated."""
        prior = prior_of(Counter((low, n) for _, low, n in self.schools))
        return max(Fraction(0), prior.rho) if prior else Fraction(0)


def given_groups(ask: DetectableIn) -> list[Group]:
    """Take the groups of the request; those of one school have no design effect."""
    return [
        Group(
            level=given.level,
            size=LevelSize.GIVEN,
            before=given.before,
            after=given.after,
            per_school=_per_school(given.before, given.after, given.schools, given.level),
        )
        for given in ask.levels or []
    ]


def _per_school(before: int, after: int, schools: int | None, level: LevelKind) -> Fraction:
    if schools is None or level is LevelKind.SCHOOL:
        return Fraction(1)
    return max(Fraction(1), Fraction(before + after, 2 * schools))


def detectable_changes(ask: DetectableIn, takers: Takers | None) -> DetectableOut:
    """Say which change can be seen in each group, and whether the wanted one can.

    ``takers`` are the participants of the procedure, for a request that names one.

    Raises:
        NoBaseShare: The procedure gives no share to start from.
    """
    share = _base_share(ask, takers)
    rho = Fraction(ask.rho) if ask.rho is not None else takers.rho() if takers else Fraction(0)
    is_share = ask.measure is Measure.SHARE
    variance = share * (1 - share) if is_share else Fraction(ask.standard_deviation or 0) ** 2
    groups = takers.groups() if takers else given_groups(ask)
    # Shares are asked for and told in points.
    unit = 100 if is_share else 1
    test = _Test(Fraction(ask.alpha), Fraction(ask.power))
    wanted = None if ask.wanted is None else abs(Fraction(ask.wanted)) / unit
    levels = [_level(group, variance, rho, wanted, unit, test) for group in groups]
    return DetectableOut(
        measure=ask.measure,
        alpha=ask.alpha,
        power=ask.power,
        base_share=str(share) if is_share else None,
        rho=str(rho),
        wanted=ask.wanted,
        needed=None if wanted is None else test.needed(wanted, variance, Fraction(1)),
        levels=levels,
        sentences=[_told(level, ask) for level in levels],
    )


def _base_share(ask: DetectableIn, takers: Takers | None) -> Fraction:
    if takers is not None and not takers.schools:
        raise NoBaseShare("У процедуры нет участников", hint="Задайте числа участников в levels")
    if ask.base_share:
        return Fraction(ask.base_share)
    share = takers.share() if takers else Fraction(0)
    if takers and share in (0, 1):
        raise NoBaseShare(
            "Доля ниже минимума в процедуре равна 0 или 100 %",
            hint="Укажите base_share: долю, от которой ждёте изменения",
        )
    return share


def _level(
    group: Group,
    variance: Fraction,
    rho: Fraction,
    wanted: Fraction | None,
    unit: int,
    test: _Test,
) -> DetectableLevelOut:
    effect = design_effect(per_school=group.per_school, rho=rho)
    return DetectableLevelOut(
        level=group.level,
        size=group.size,
        before=group.before,
        after=group.after,
        design_effect=round_half_up(effect, 6),
        detectable=test.detectable(variance * unit * unit, group, effect),
        is_measurable=None if wanted is None else test.sees(wanted, variance, group, effect),
    )


def _told(level: DetectableLevelOut, ask: DetectableIn) -> str:
    unit = " п. п." if ask.measure is Measure.SHARE else ""
    many = str(level.before) if level.before == level.after else f"{level.before} и {level.after}"
    told = (
        f"{_TITLES[level.level]}{_SIZES[level.size]}: участников {many}; различимо изменение не меньше "
        f"{_number(level.detectable)}{unit}"
    )
    if level.is_measurable is None or ask.wanted is None:
        return f"{told}."
    said = "различимо" if level.is_measurable else "не различимо"
    return f"{told}; задуманное {_number(ask.wanted)}{unit} {said}."


def judge_target(ask: TargetIn) -> TargetOut:
    """Say whether a target is reached, missed, or cannot be told.

    Raises:
        TargetNotDistinguishable: It cannot be told, and the request asks to refuse then.
    """
    before = (ask.before.numerator, ask.before.denominator)
    after = (ask.after.numerator, ask.after.denominator)
    alpha, power, wanted = Fraction(ask.alpha), Fraction(ask.power), Fraction(ask.wanted) / 100
    per_school = _per_school(before[1], after[1], ask.schools, ask.level)
    effect = design_effect(per_school=per_school, rho=Fraction(ask.rho))
    found = change_of_shares(before, after, alpha=alpha, effect=effect)
    if found is None:
        raise AssertionError("The schema asks for at least one participant")
    # The larger variance of the two: a share of 0 or 1 must not make every change visible.
    shares = [Fraction(*before), Fraction(*after), (Fraction(*before) + Fraction(*after)) / 2]
    variance = max(share * (1 - share) for share in shares)
    group = Group(ask.level, LevelSize.GIVEN, before[1], after[1], per_school)
    test = _Test(alpha, power)
    answer = verdict(found, wanted)
    out = TargetOut(
        indicator=ask.indicator,
        level=ask.level,
        verdict=TargetVerdict(answer.value),
        title=TargetVerdict(answer.value).meaning,
        change=round_half_up(found.change * 100, _PLACES),
        interval=PointsOut(
            lower=round_half_up(Fraction(found.lower) * 100, _PLACES),
            upper=round_half_up(Fraction(found.upper) * 100, _PLACES),
        ),
        wanted=ask.wanted,
        detectable=test.detectable(variance * 10_000, group, effect),
        is_measurable=test.sees(abs(wanted), variance, group, effect),
        needed=test.needed(abs(wanted), variance, effect),
        sentences=[],
    )
    told = out.model_copy(update={"sentences": _verdict_sentences(out, ask)})
    if answer is Verdict.INDISTINGUISHABLE and ask.weak_numbers is WeakNumbers.REFUSE:
        raise TargetNotDistinguishable(
            " ".join(told.sentences),
            hint="Судите о цели на уровне, где участников больше, или за несколько лет вместе",
            needed=out.needed,
            detectable=str(out.detectable),
        )
    return told


def _verdict_sentences(out: TargetOut, ask: TargetIn) -> list[str]:
    seen = (
        f"{_TITLES[ask.level]}: было {ask.before.numerator} из {ask.before.denominator}, стало "
        f"{ask.after.numerator} из {ask.after.denominator}; изменение {_number(out.change)} п. п., "
        f"интервал от {_number(out.interval.lower)} до {_number(out.interval.upper)} п. п."
    )
    told = [seen, f"Цель {_number(ask.wanted)} п. п.: {out.title}."]
    if out.verdict is TargetVerdict.INDISTINGUISHABLE:
        told.append(
            f"При стольких участниках различимо изменение не меньше {_number(out.detectable)} п. п.; "
            f"чтобы увидеть задуманное, нужно участников: {out.needed} до и столько же после."
        )
    return told


def _number(value: Decimal) -> str:
    text = format(value, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return text.replace(".", ",").replace("-", "−")
