"""For every school of a published run a stranger to the service decides again from the printed trace."""

import pytest

from tests.support.running import problem
from tests.trace_checker.printed import decide, parts_of_document, parts_of_page
from tests.trace_checker.recompute import disagreements, recompute

RUNS = "/api/indicators/v1/identification-runs"


@pytest.fixture(scope="module")
async def schools(smolensk):
    return await smolensk.region.analyst.all(f"{RUNS}/{smolensk.run['id']}/schools")


async def test_every_school_of_smolensk_is_decided_again_from_its_trace(smolensk, schools):
    analyst, run = smolensk.region.analyst, smolensk.run["id"]
    listed = 0
    for school in schools:
        trace = await analyst.get(f"{RUNS}/{run}/schools/{school['school_id']}/trace")

        answer = recompute(trace)

        assert (answer.category, answer.certainty) == (school["category"], school["certainty"])
        assert sorted(answer.flags) == sorted(school["flags"])
        assert disagreements(trace) == []
        listed += answer.category is not None
    assert (len(schools), listed) == (75 + 27, 75)


async def test_a_head_teacher_reads_it_on_paper(smolensk):
    """The page and the document of the school's own person, through the gateway."""
    mine, run = smolensk.own_school, smolensk.run["id"]
    sheet = f"{RUNS}/{run}/schools/{mine['id']}/sheet"
    trace = await smolensk.school_user.get(f"{RUNS}/{run}/schools/{mine['id']}/trace")

    page = await smolensk.school_user.ask("GET", sheet)
    document = await smolensk.school_user.ask("GET", f"{sheet}.docx", params={"is_exact": "true"})

    assert "style-src 'sha256-" in page.headers["content-security-policy"]
    assert page.headers["x-content-type-options"] == "nosniff"
    decision = decide(parts_of_page(page.text))
    assert decision == decide(parts_of_document(document.content))
    assert decision.category == trace["category_title"]
    assert decision.certainty == trace["school"]["certainty"]
    elsewhere = f"{RUNS}/{run}/schools/{smolensk.granted_school['id']}/sheet"
    problem(await smolensk.school_user.ask("GET", elsewhere), 404, "run-school-not-found")
