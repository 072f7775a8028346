"""What a person with a calculator does: reads one printed trace and reaches the answer again.

Nothing of the service is imported here, and its formulas are not repeated where there is another way:
ends of Wilson's interval are compared as squares of rationals (c - h against t), the classes of a rule
are counted, not sorted, flags and categories are sets of words. Only what is printed is read.
"""

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from math import comb

CLASSES = ("none", "too_few", "not_excluded", "possible", "certain")
STAGES = {"noo": range(1, 5), "ooo": range(5, 10), "soo": range(10, 13)}


@dataclass(frozen=True)
class Cell:
    """A counted procedure: participants and those of them who are low; what draws a small share."""

    series: int
    year: int
    n: int
    low: int
    prior: tuple[Fraction, Fraction | None] | None


@dataclass(frozen=True)
class Settings:
    """What the methodology says of one share."""

    threshold: Fraction
    strict: bool
    z: Fraction
    below: int
    policy: str
    years: int | None
    interval: str = "wilson"
    tail: Fraction | None = None


def reaches(value: Fraction, settings: Settings) -> bool:
    return value > settings.threshold if settings.strict else value >= settings.threshold


def wilson_reaches(low: int, n: int, settings: Settings) -> tuple[bool, bool]:
    """Say whether the lower and the upper end of Wilson's interval reach the threshold, exactly."""
    p, z2 = Fraction(low, n), settings.z**2
    widened = 1 + z2 / n
    c = (p + z2 / (2 * n)) / widened
    h2 = z2 * (p * (1 - p) / n + z2 / (4 * n * n)) / widened**2
    t = settings.threshold
    over, under = c - t, t - c
    if settings.strict:
        return over > 0 and over**2 > h2, under < 0 or under**2 < h2
    return over >= 0 and over**2 >= h2, under <= 0 or under**2 <= h2


def exact_reaches(low: int, n: int, settings: Settings) -> tuple[bool, bool]:
    """Say the same of the exact interval, by adding up binomial tails as rationals."""
    t, tail = settings.threshold, settings.tail
    assert tail is not None, "the trace prints no tail for the exact interval"
    at_least = sum(comb(n, k) * t**k * (1 - t) ** (n - k) for k in range(low, n + 1))
    at_most = sum(comb(n, k) * t**k * (1 - t) ** (n - k) for k in range(low + 1))
    # The ends of an interval of nobody low, and of everybody low, are 0 and 1.
    lower = low > 0 and (at_least < tail if settings.strict else at_least <= tail)
    upper = low == n or (at_most > tail if settings.strict else at_most >= tail)
    return lower, upper


def shrunken(low: int, n: int, prior) -> Fraction:
    """Draw a share towards that of all schools: as if so many more had taken part like them."""
    share, weight = prior
    return share if weight is None else (low + weight * share) / (n + weight)


def class_of(low: int, n: int, settings: Settings, *, too_few: bool, prior=None) -> str:
    ends = wilson_reaches if settings.interval == "wilson" else exact_reaches
    lower, upper = ends(low, n, settings)
    point = reaches(Fraction(low, n), settings)
    if prior is not None:
        drawn = reaches(shrunken(low, n, prior), settings)
        if point and not drawn and not too_few:
            return "not_excluded"
        lower = lower and drawn
    if not upper and not point:
        return "none"
    if too_few:
        return "too_few"
    if not point:
        return "not_excluded"
    return "certain" if lower else "possible"


def pooled(cell: Cell, cells: list[Cell], settings: Settings) -> tuple[int, int, bool]:
    """Add the earlier years of the same procedure where the group is small; say whether it still is."""
    n, low = cell.n, cell.low
    if settings.policy == "pool" and n < settings.below:
        for other in cells:
            if other.series == cell.series and 0 < cell.year - other.year < (settings.years or 1):
                n, low = n + other.n, low + other.low
    return n, low, settings.policy != "flag" and n < settings.below


def class_of_rule(years: list[tuple[int, int]], found: dict[int, list[str]]) -> tuple[str, bool]:
    """Answer a rule: (year, so many) all over; the best class with which every year has so many."""
    best = "none"
    for reached in CLASSES[1:]:
        rank = CLASSES.index(reached)
        if all(
            sum(CLASSES.index(name) >= rank for name in found.get(year, [])) >= many
            for year, many in years
        ):
            best = reached
    return best, all(len(found.get(year, [])) >= many for year, many in years)


def state_of(trace: dict, *, answerable: bool, counted: set[int]) -> str:
    if trace["school_kind"] in trace["methodology"]["excluded_school_kinds"]:
        return "excluded"
    if answerable:
        return "assessed"
    if counted & {year["year"] for rule in trace["rules"] for year in rule["years"]}:
        return "incomplete"
    stages = trace["stages"]
    taught = any(
        not stages or any(p["grade"] in STAGES[stage] for stage in stages if stage in STAGES)
        for p in trace["procedures"]
    )
    return "no_data" if taught else "not_applicable"


@dataclass(frozen=True)
class Answer:
    state: str
    flags: list[str]
    unknown: list[str]
    category: str | None
    certainty: str


def settings_of(trace: dict) -> Settings:
    told = trace["methodology"]
    tail = told.get("tail")
    return Settings(
        Fraction(told["threshold"]),
        told["operator"] == ">",
        Fraction(told["z"]),
        told["small_below"],
        told["small_policy"],
        told["small_years"],
        told.get("interval", "wilson"),
        Fraction(tail) if tail else None,
    )


def cells_of(trace: dict) -> list[Cell]:
    return [
        Cell(
            p["series"],
            p["year"],
            p["low"]["denominator"],
            p["low"]["numerator"],
            prior_of(p["prior"]),
        )
        for p in trace["procedures"]
        if p["state"] == "counted"
    ]


def prior_of(printed: dict | None) -> tuple[Fraction, Fraction | None] | None:
    if printed is None:
        return None
    weight = printed["weight"]
    return Fraction(printed["share"]), None if weight is None else Fraction(weight)


def found_classes(cells: list[Cell], settings: Settings) -> list[str]:
    classes = []
    for cell in cells:
        n, low, too_few = pooled(cell, cells, settings)
        classes.append(class_of(low, n, settings, too_few=too_few, prior=cell.prior))
    return classes


def category_of(flags: list[str], categories: list[dict]) -> str | None:
    fitting = [
        c["code"]
        for c in categories
        if set(c["has"]) <= set(flags) and not set(c["has_not"]) & set(flags)
    ]
    if not flags:
        return None
    assert len(fitting) == 1, f"{flags}: categories {fitting}"
    return fitting[0]


def classes_by_year(trace: dict) -> dict[int, list[str]]:
    cells = cells_of(trace)
    found: dict[int, list[str]] = {}
    for cell, name in zip(cells, found_classes(cells, settings_of(trace)), strict=True):
        found.setdefault(cell.year, []).append(name)
    return found


def answers_of_rules(trace: dict) -> dict[str, tuple[str, bool]]:
    found = classes_by_year(trace)
    return {
        rule["code"]: class_of_rule([(y["year"], y["at_least"]) for y in rule["years"]], found)
        for rule in trace["rules"]
    }


def recompute(trace: dict) -> Answer:
    """Read a trace with exact numbers and decide anew."""
    cells, rules = cells_of(trace), answers_of_rules(trace)
    answerable = any(answered for _, answered in rules.values())
    state = state_of(trace, answerable=answerable, counted={cell.year for cell in cells})
    certainty = max((name for name, _ in rules.values()), key=CLASSES.index)
    if state == "excluded":
        return Answer(state, [], [], None, "none")
    answers = {}
    for flag in trace["flags"]:
        if flag["taken_from"] == "rules":
            is_low = CLASSES.index(certainty) >= CLASSES.index("possible")
            lacks = state in {"incomplete", "no_data"}
            answer = "yes" if is_low else "unknown" if lacks else "no"
        elif flag["taken_from"] == "school":
            answer = {True: "yes", False: "no", None: "unknown"}[trace["adverse"]["value"]]
        else:
            answer = answer_of(flag["condition"], trace, rules)
        answers[flag["code"]] = answer
    flags = [code for code, answer in answers.items() if answer == "yes"]
    unknown = [code for code, answer in answers.items() if answer == "unknown"]
    return Answer(state, flags, unknown, category_of(flags, trace["categories"]), certainty)


def answer_of(condition: dict, trace: dict, rules: dict[str, tuple[str, bool]]) -> str:
    """Answer a printed condition from its printed values, three-valued."""
    parts = [answer_of(part, trace, rules) for part in condition["conditions"]]
    kind = condition["kind"]
    if kind in {"any", "all", "at_least"}:
        wanted = {"any": 1, "all": len(parts)}.get(kind, condition["at_least"])
        return kleene(parts, wanted)
    if kind == "school_mark":
        return {True: "yes", False: "no", None: "unknown"}[trace["adverse"]["value"]]
    if kind == "rule":
        name, answered = rules[condition["code"]]
        if name in {"possible", "certain"}:
            return "yes"
        return "no" if answered or not is_concerned(trace) else "unknown"
    if kind == "signs":
        return answer_of_signs(condition, trace)
    if kind == "attribute" and condition["state"] == "not_applicable":
        return "no"
    if condition["value"] is None:
        return "unknown"
    limit = condition["border"] if kind == "lowest_share" else condition["threshold"]
    return compared(Fraction(condition["value"]), condition["operator"], Fraction(limit))


def compared(value: Fraction, operator: str, limit: Fraction) -> str:
    sign = (value > limit) - (value < limit)
    return "yes" if sign in {">=": (0, 1), ">": (1,), "<=": (0, -1), "<": (-1,)}[operator] else "no"


def kleene(parts: list[str], wanted: int) -> str:
    """So many of the parts: yes when they are, no when they cannot be, else unknown."""
    if parts.count("yes") >= wanted:
        return "yes"
    return "no" if parts.count("yes") + parts.count("unknown") < wanted else "unknown"


def is_concerned(trace: dict) -> bool:
    stages = trace["stages"]
    return trace["school_kind"] not in trace["methodology"]["excluded_school_kinds"] and any(
        not stages or any(p["grade"] in STAGES[stage] for stage in stages if stage in STAGES)
        for p in trace["procedures"]
    )


def answer_of_signs(condition: dict, trace: dict) -> str:
    years = set(range(trace["year"] - condition["years"], trace["year"]))
    found = [
        sign
        for sign in trace["signs"]
        if sign["year"] in years
        and (condition["detectors"] is None or sign["detector"] in condition["detectors"])
    ]
    if len(found) >= condition["at_least"]:
        return "yes"
    return "no" if years <= set(condition["asked_years"]) else "unknown"


def leaves(condition: dict):
    yield condition
    for part in condition["conditions"]:
        yield from leaves(part)


def wrong_conditions(trace: dict, rules: dict[str, tuple[str, bool]]) -> list[str]:
    """Check every node of every condition: its answer, its value, its rank."""
    wrong = []
    indices = {index["code"]: index for index in trace["indices"]}
    for flag in trace["flags"]:
        for node in leaves(flag["condition"]) if flag["condition"] else ():
            place = f"{flag['code']}: {node['kind']} {node['code']}"
            computed = answer_of(node, trace, rules)
            if node is not flag["condition"] and node["answer"] != computed:
                wrong.append(f"{place}: {node['answer']} is not {computed}")
            if node["kind"] in {"index", "lowest_share"}:
                index = indices[node["code"]]
                if node["value"] != index["value"]:
                    wrong.append(f"{place}: {node['value']} is not {index['value']}")
            if node["kind"] == "lowest_share":
                rank = Fraction(node["threshold"]) * node["schools"]
                if node["schools"] != index["schools"] or node["place"] != -(-rank // 1):
                    wrong.append(f"{place}: place {node['place']} of {node['schools']}")
            if node["kind"] == "signs" and node["value"] is not None:
                since = trace["year"] - node["years"]
                many = sum(
                    since <= sign["year"] < trace["year"]
                    and (node["detectors"] is None or sign["detector"] in node["detectors"])
                    for sign in trace["signs"]
                )
                if node["value"] != str(many):
                    wrong.append(f"{place}: {node['value']} signs are not {many}")
    return wrong


NEAR = Decimal("0.000001")


def wrong_indices(trace: dict) -> list[str]:
    """Compute every index from the printed values, means and deviations; six digits must agree."""
    wrong = []
    for index in trace["indices"]:
        points = [points_of(index["method"], component) for component in index["components"]]
        for component, found in zip(index["components"], points, strict=True):
            printed = component["points"]
            if (printed is None) != (found is None) or (
                found is not None and abs(Decimal(printed) - found) > NEAR * max(1, abs(found))
            ):
                wrong.append(f"{index['code']}: {component['attribute']}: {printed} is not {found}")
        if index["method"] == "regression":
            continue
        weights = [Decimal(component["weight"]) for component in index["components"]]
        present = [(w, p) for w, p in zip(weights, points, strict=True) if p is not None]
        lacking = Fraction(sum(weights) - sum(w for w, _ in present)) / Fraction(sum(weights))
        shares = [Fraction(index["missing_weight"]), lacking]
        if (
            abs(shares[0] - shares[1]) > Fraction(1, 10**6)
            and trace["school"]["state"] != "excluded"
        ):
            wrong.append(f"index {index['code']}: missing {shares[0]} is not {shares[1]}")
        for component, weight, point in zip(index["components"], weights, points, strict=True):
            printed = component["contribution"]
            if printed is not None and abs(Decimal(printed) - weight * point) > NEAR * weight * 9:
                wrong.append(f"{component['attribute']}: {printed} is not {weight * point}")
        found = None
        excluded = trace["school"]["state"] == "excluded"
        if present and not excluded and lacking <= Fraction(index["max_missing_weight"]):
            mean = sum(w * p for w, p in present) / sum(w for w, _ in present)
            found = Decimal(index["centre"]) + Decimal(index["step"]) * mean
        printed = index["value"]
        if (printed is None) != (found is None) or (
            found is not None and abs(Decimal(printed) - found) > NEAR * max(1, abs(found))
        ):
            wrong.append(f"index {index['code']}: {printed} is not {found}")
    return wrong


def points_of(method: str, component: dict) -> Decimal | None:
    with localcontext(prec=40):
        if component["value"] is None:
            return None
        number = Decimal(component["value"])
        if component["over"] is not None:
            if component["over_value"] is None or Decimal(component["over_value"]) == 0:
                return None
            number /= Decimal(component["over_value"])
        if component["transform"] == "ln":
            if number <= 0:
                return None
            number = number.ln()
        is_high = component["adverse"] == "high"
        if method == "regression":
            return number
        if method == "weighted_z":
            if component["schools"] < 2:
                return None
            sd = Decimal(component["sd"])
            score = (number - Decimal(component["mean"])) / sd if sd else Decimal(0)
            return score if is_high else -score
        if component["norm"] is not None:
            norm = Decimal(component["norm"])
            if is_high:
                return Decimal(1) if number <= norm else norm / number
            return min(Decimal(1), max(Decimal(0), number / norm))
        if component["minimum"] is None or component["maximum"] is None:
            return None
        low, high = Decimal(component["minimum"]), Decimal(component["maximum"])
        if low >= high:
            return None
        place = (min(max(number, low), high) - low) / (high - low)
        return 1 - place if is_high else place


def disagreements(trace: dict) -> list[str]:
    """List everything printed in a trace that does not follow from its own printed numbers."""
    wrong = []

    def claim(what: str, printed, computed) -> None:
        if printed != computed:
            wrong.append(f"{what}: printed {printed}, computed {computed}")

    answer = recompute(trace)
    claim("state", trace["school"]["state"], answer.state)
    claim("flags", sorted(trace["school"]["flags"]), sorted(answer.flags))
    claim("category", trace["school"]["category"], answer.category)
    claim("certainty", trace["school"]["certainty"], answer.certainty)
    for flag in trace["flags"]:
        code = flag["code"]
        computed = "yes" if code in answer.flags else "unknown" if code in answer.unknown else "no"
        claim(f"flag {code}", flag["answer"], computed)
        if flag["condition"] is not None:
            claim(f"condition of {code}", flag["condition"]["answer"], computed)
    claim("mark", trace["school"]["adverse_conditions"], trace["adverse"]["value"])
    chosen = [c["code"] for c in trace["categories"] if c["is_chosen"]]
    claim("chosen category", chosen, [answer.category] if answer.category else [])
    wrong += wrong_procedures(trace)
    wrong += wrong_rules(trace)
    wrong += wrong_conditions(trace, answers_of_rules(trace))
    wrong += wrong_indices(trace)
    return wrong


def percent(low: int, n: int) -> str | None:
    if not n:
        return None
    with localcontext(prec=60):
        exact = Decimal(100 * low) / Decimal(n)
    return str(exact.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP))


def wrong_procedures(trace: dict) -> list[str]:
    wrong = []
    settings, cells = settings_of(trace), cells_of(trace)
    counted = [p for p in trace["procedures"] if p["state"] == "counted"]
    for printed, cell in zip(counted, cells, strict=True):
        n, low, too_few = pooled(cell, cells, settings)
        judged, limits = printed["judged"], printed["threshold"]
        place = f"{printed['kind']} {printed['grade']} {cell.year}"
        facts = {
            "judged": ((judged["numerator"], judged["denominator"]), (low, n)),
            "percent": (printed["low"]["percent"], percent(cell.low, cell.n)),
            "years": (printed["pooled_years"], pooled_years(cell, cells, n, settings)),
            "z": (Fraction(printed["interval"]["z"]), settings.z),
            "threshold": (Fraction(limits["share"]), settings.threshold),
            "judged percent": (judged["percent"], percent(low, n)),
            "class": (
                printed["certainty"],
                class_of(low, n, settings, too_few=too_few, prior=cell.prior),
            ),
            "interval": (ends(printed["interval"]), interval(low, n, settings)),
            "shrunken": (
                printed["shrunken"],
                str(shrunken(low, n, cell.prior)) if cell.prior else None,
            ),
            "limits": (
                (limits["not_excluded_from"], limits["possible_from"], limits["certain_from"]),
                first_numbers(n, settings, cell.prior),
            ),
        }
        wrong += [f"{place}: {k}: {p} is not {c}" for k, (p, c) in facts.items() if p != c]
        wrong += [f"{place}: {told}" for told in wrong_scales(printed)]
    return wrong


def pooled_years(cell: Cell, cells: list[Cell], n: int, settings: Settings) -> list[int]:
    if n == cell.n:
        return []
    window = range(cell.year - (settings.years or 1) + 1, cell.year + 1)
    return sorted({other.year for other in cells if other.series == cell.series} & set(window))


def ends(printed: dict | None) -> tuple[str, str] | None:
    return (printed["lower"], printed["upper"]) if printed else None


def interval(low: int, n: int, settings: Settings) -> tuple[str, str] | None:
    """Compute Wilson's ends as the formula stands, with sixty digits."""
    if settings.interval != "wilson":
        return exact_ends(low, n, settings)
    with localcontext(prec=60):
        p, m = Decimal(low) / n, Decimal(n)
        z = Decimal(settings.z.numerator) / Decimal(settings.z.denominator)
        c = (p + z * z / (2 * m)) / (1 + z * z / m)
        h = z * (p * (1 - p) / m + z * z / (4 * m * m)).sqrt() / (1 + z * z / m)
        unit = Decimal("0.000001")
        found = [max(Decimal(0), c - h), min(Decimal(1), c + h)]
        lower, upper = (end.quantize(unit, rounding=ROUND_HALF_UP) for end in found)
    return str(lower), str(upper)


def exact_ends(low: int, n: int, settings: Settings) -> tuple[str, str]:
    """Find the ends of the exact interval by trying millionths: where does the tail fit?"""
    tail = settings.tail

    def above(share: Fraction) -> Fraction:
        return sum(comb(n, k) * share**k * (1 - share) ** (n - k) for k in range(low, n + 1))

    def below(share: Fraction) -> Fraction:
        return sum(comb(n, k) * share**k * (1 - share) ** (n - k) for k in range(low + 1))

    def first(fits) -> Fraction:
        """The rounded place (half up) where ``fits`` turns true."""
        start, end = 0, 10**6
        while start < end:
            middle = (start + end) // 2
            if fits(Fraction(2 * middle + 1, 2 * 10**6)):
                end = middle
            else:
                start = middle + 1
        return Fraction(start, 10**6)

    lower = first(lambda share: above(share) > tail) if low else Fraction(0)
    upper = first(lambda share: below(share) < tail) if low < n else Fraction(1)
    with localcontext(prec=30):
        return tuple(
            str((Decimal(end.numerator) / end.denominator).quantize(Decimal("0.000001")))
            for end in (lower, upper)
        )


def first_numbers(n: int, settings: Settings, prior=None) -> tuple[int, int, int]:
    """Try every number of low results: where does each class begin?"""
    found = {}
    for low in range(n + 1):
        name = class_of(low, n, settings, too_few=False, prior=prior)
        found.setdefault(name, low)
    beyond = n + 1
    certain = found.get("certain", beyond)
    possible = min(found.get("possible", beyond), certain)
    return min(found.get("not_excluded", beyond), possible), possible, certain


def wrong_scales(printed: dict) -> list[str]:
    wrong = []
    for subject in printed["subjects"]:
        lower = Fraction(subject["minimum"]) + Fraction(subject["margin_share"]) * Fraction(
            subject["maximum"]
        )
        if Fraction(subject["bmin"]) != lower:
            wrong.append(f"{subject['subject']}: bmin {subject['bmin']} is not {lower}")
        if Fraction(subject["bmid"]) != (lower + Fraction(subject["top"])) / 2:
            wrong.append(f"{subject['subject']}: bmid {subject['bmid']}")
    return wrong


def wrong_rules(trace: dict) -> list[str]:
    found = classes_by_year(trace)
    wrong = []
    for rule in trace["rules"]:
        name, answered = class_of_rule([(y["year"], y["at_least"]) for y in rule["years"]], found)
        holds = name in {"possible", "certain"}
        printed = rule["certainty"], rule["is_answerable"], rule["holds"]
        if printed != (name, answered, holds):
            wrong.append(f"rule {rule['code']}: {printed} is not {(name, answered, holds)}")
        for year in rule["years"]:
            classes = [CLASSES.index(c) for c in found.get(year["year"], [])]
            counts = [len(classes), *(sum(c >= at for c in classes) for at in (4, 3, 2))]
            told = [year[k] for k in ("with_data", "certain", "possible", "not_excluded")]
            if told != counts:
                wrong.append(f"rule {rule['code']} {year['year']}: {told} is not {counts}")
    return wrong


def text_number(told: str) -> Fraction:
    return Fraction(told.replace(",", ".").replace(" ", ""))


def numbers_in(told: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", told)]
