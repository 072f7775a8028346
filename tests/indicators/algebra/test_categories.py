from services.indicators.algebra.categories import Category, Flag, ambiguous, category_of

LOW, ADVERSE = Flag.LOW_RESULTS, Flag.ADVERSE_CONDITIONS
SMOLENSK = [
    Category("nro", has=LOW, has_not=ADVERSE),
    Category("fnsu", has=ADVERSE, has_not=LOW),
    Category("both", has=LOW | ADVERSE, has_not=Flag(0)),
]


def test_flags_give_one_category():
    assert category_of(LOW, SMOLENSK).code == "nro"
    assert category_of(ADVERSE, SMOLENSK).code == "fnsu"
    assert category_of(LOW | ADVERSE, SMOLENSK).code == "both"
    assert category_of(Flag(0), SMOLENSK) is None


def test_overlapping_and_missing_categories_are_found():
    assert ambiguous([LOW, ADVERSE], SMOLENSK) == []
    assert ambiguous([LOW, ADVERSE], SMOLENSK[:2]) == [(LOW | ADVERSE, 0)]
    overlapping = [Category("nro", has=LOW, has_not=Flag(0)), *SMOLENSK[1:]]
    assert ambiguous([LOW, ADVERSE], overlapping) == [(LOW | ADVERSE, 2)]


def test_codes_of_flags_are_stable():
    assert [flag.code for flag in Flag] == [
        "low_results",
        "adverse_conditions",
        "biased_results",
        "decline_risk",
        "prevention",
    ]
