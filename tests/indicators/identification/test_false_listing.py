"""How many stable schools each way of judging lists falsely: a simulation with a fixed seed.

Nobody in these regions is low: every school keeps a true share below the threshold, year after year. A
school that is listed is listed by chance. The sizes are those of Vologda's rural schools (209, of which
134 have fewer than 100 pupils and 55 fewer than 40; peers 3), a class being about a tenth of the pupils.
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np

from services.indicators.algebra.certainty import Certainty
from services.indicators.algebra.rules import answer_all
from services.indicators.identification.answering.judging import Cells, judge, priors_of
from services.indicators.methodologies.document import Methodology
from services.indicators.methodologies.shipped import shipped_methodologies
from tests.support import reports

SEED = 20261122
REGIONS = 200
YEARS = (1, 2, 3)
SERIES = 4
# So many schools with so many takers in a parallel: 55 below 40 pupils, 79 below 100, 75 above.
SIZES = [(4, 30), (3, 25), (6, 40), (9, 39), (14, 40), (20, 35)]
# Schools that are low: ten of a size, ten small ones (takers); their true share.
REAL_SIZES, REAL_SHARE = [(40, 10), (6, 10)], 0.5
RULES = [
    {"code": "a", "title": "Две процедуры прошлого года", "years_back": [1], "at_least": 2},
    {"code": "b", "title": "По одной два года подряд", "years_back": [1, 2], "at_least": 1},
]
BARE = {"small_n": {"below": 1, "policy": "flag"}}
POOLED = {"small_n": {"below": 10, "policy": "pool", "years": 2}}
SHRUNKEN = {"certainty": {"z": "1.959964", "shrinkage": "beta_binomial"}}


@dataclass(frozen=True)
class World:
    """Schools of many regions as one: the first ``stable`` of each region are not low."""

    cells: Cells
    stable: int
    real: int

    def listed(self, document: Methodology, at: Certainty) -> np.ndarray:
        """Say for each region and school whether a rule holds with this certainty."""
        each = self.stable + self.real
        answers = answer_all(
            document.as_rules(),
            schools=REGIONS * each,
            school=self.cells.school,
            years_back=self.cells.years_back,
            found=judge(self.cells, document, priors_of(self.cells)).certainty,
        )
        return (answers.certainty.max(axis=0) >= at).reshape(REGIONS, each)


def simulated() -> World:
    """Draw the regions; every school has a share of its own that stays as it is."""
    rng = np.random.default_rng(SEED)
    takers = np.concatenate([np.full(many, n) for n, many in SIZES + REAL_SIZES])
    real = sum(many for _, many in REAL_SIZES)
    stable = len(takers) - real
    schools = REGIONS * len(takers)
    n = np.tile(takers, REGIONS)
    # Between 8 and 24 %: below the 30 % of the threshold, each school its own.
    true = rng.uniform(0.08, 0.24, size=schools)
    true[np.tile(np.arange(len(takers)) >= stable, REGIONS)] = REAL_SHARE
    each = [(series, back) for series in range(SERIES) for back in YEARS]
    low = np.stack([rng.binomial(n, true) for _ in each])
    everyone = np.arange(schools)
    return World(
        Cells(
            school=np.tile(everyone, len(each)),
            series=np.repeat([series for series, _ in each], schools),
            years_back=np.repeat([back for _, back in each], schools),
            n=np.tile(n, len(each)),
            low=low.reshape(-1).astype(np.int64),
        ),
        stable,
        real,
    )


def methodology(**changed) -> Methodology:
    document = shipped_methodologies()["smolensk-nro-fnsu"].canonical()
    return Methodology.model_validate(document | {"rules": RULES} | changed)


def factor(bare: np.ndarray, careful: np.ndarray) -> tuple[float, float]:
    """Give how many times fewer are listed, with its standard error over the regions."""
    b, c = bare.mean(), careful.mean()
    ratio = b / c
    covariance = np.cov(bare, careful)
    relative = covariance[0, 0] / b**2 + covariance[1, 1] / c**2 - 2 * covariance[0, 1] / (b * c)
    return ratio, ratio * sqrt(max(relative, 0) / len(bare))


def test_certainty_classes_list_fewer_stable_schools_falsely_than_the_bare_rule():
    world = simulated()
    ways = {
        "сами доли, без оговорок": (methodology(**BARE), Certainty.POSSIBLE),
        "доли, малые сложены за два года": (methodology(**POOLED), Certainty.POSSIBLE),
        "и стянутые доли": (methodology(**POOLED, **SHRUNKEN), Certainty.POSSIBLE),
        "класс «устойчиво»": (methodology(**BARE), Certainty.CERTAIN),
        "малые сложены, класс «устойчиво»": (methodology(**POOLED), Certainty.CERTAIN),
    }
    found = {name: world.listed(*way) for name, way in ways.items()}
    false = {name: listed[:, : world.stable].sum(axis=1) for name, listed in found.items()}
    bare = false["сами доли, без оговорок"]
    large = slice(world.stable, world.stable + REAL_SIZES[0][1])
    small = slice(world.stable + REAL_SIZES[0][1], None)
    about = (
        f"{REGIONS} регионов, в каждом {world.stable} не низких школ (истинная доля 8–24 %, порог 30 %) и "
        f"{world.real} низких (50 %): 10 с {REAL_SIZES[0][0]} участниками, 10 с {REAL_SIZES[1][0]}; "
        f"процедур в году {SERIES}; зерно {SEED}. Данные придуманы: показана арифметика."
    )
    lines = [
        "# Ложные попадания в список: стабильные малые школы",
        "",
        about,
        "",
        "| как судить | ложно в списке за год | во сколько раз меньше | найдено низких | из них малых |",
        "|---|---|---|---|---|",
    ]
    for name, listed in found.items():
        times, error = factor(bare, false[name])
        lines.append(
            f"| {name} | {false[name].mean():.1f} | {times:.2f} ± {error:.2f} "
            f"| {listed[:, large].mean():.1%} | {listed[:, small].mean():.1%} |"
        )
    reports.write("false_listing.md", "\n".join(lines) + "\n")

    pooled, pooled_error = factor(bare, false["доли, малые сложены за два года"])
    drawn, drawn_error = factor(bare, false["и стянутые доли"])
    sure, sure_error = factor(bare, false["класс «устойчиво»"])
    assert bare.mean() > 40
    assert pooled - 3 * pooled_error > 2
    assert drawn - 3 * drawn_error > 5
    assert sure - 3 * sure_error > 10
    # What is really low, and of a size, is not lost.
    assert found["и стянутые доли"][:, large].mean() > 0.99
    assert found["класс «устойчиво»"][:, large].mean() > 0.95
