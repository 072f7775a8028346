"""openapi/problems.md lists what the code can refuse, and every code means one thing."""

from pathlib import Path

from services.kit.contracts import problem_list
from services.kit.problems import Problem

COMMITTED = Path(__file__).parents[2] / "openapi" / "problems.md"


def kinds(kind=Problem):
    for narrower in kind.__subclasses__():
        yield narrower
        yield from kinds(narrower)


def ours():
    problem_list()  # imports every module
    return [kind for kind in kinds() if kind.__module__.startswith(("services.", "gateway."))]


def test_the_committed_list_is_current():
    assert COMMITTED.exists(), "openapi/problems.md is missing: run `make contracts`, commit it"
    assert COMMITTED.read_text(encoding="utf-8") == problem_list(), (
        "openapi/problems.md is stale: run `make contracts`, read the diff, commit it"
    )


def test_a_code_of_a_service_means_one_thing():
    meanings = {}
    for kind in ours():
        meanings.setdefault(kind.type_uri(), set()).add((kind.status, kind.title))

    assert {uri: said for uri, said in meanings.items() if len(said) > 1} == {}


def test_every_problem_is_told_in_russian_with_a_status_of_its_own_kind():
    wrong = [
        kind.type_uri()
        for kind in ours()
        if not 400 <= kind.status <= 599
        or (kind.title == Problem.title and not kind.__subclasses__())
        or not any("а" <= letter <= "я" for letter in kind.title.lower())
    ]

    assert wrong == []
