"""What the documents name exists: files, tests, settings, decisions."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))
DOCUMENTS = [
    *DECISIONS,
    *(
        path
        for path in (
            ROOT / "README.md",
            ROOT / "CHANGELOG.md",
            ROOT / "openapi" / "README.md",
            ROOT / "deploy" / "README.md",
        )
        if path.exists()
    ),
]
FOLDERS = "services|gateway|tests|openapi|deploy|docs|bench|demo"
SECTIONS = ["Context", "Decision", "Consequences", "Alternatives", "References"]

each_document = pytest.mark.parametrize(
    "document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT))
)


def named(document):
    """Yield (path, test name or None) of each file that the document names in backticks."""
    for found in re.finditer(
        rf"`((?:{FOLDERS})/[\w./*-]*)(?:::(\w+))?`", document.read_text("utf-8")
    ):
        yield found[1], found[2]


@each_document
def test_every_named_file_exists(document):
    assert [path for path, _ in named(document) if not list(ROOT.glob(path.rstrip("/")))] == []


@each_document
def test_every_named_test_exists(document):
    missing = [
        f"{path}::{test}"
        for path, test in named(document)
        if test and not re.search(rf"def {test}\(", (ROOT / path).read_text("utf-8"))
    ]

    assert missing == []


@each_document
def test_every_link_leads_somewhere(document):
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text("utf-8"))

    assert [target for target in targets if not (document.parent / target).exists()] == []


@pytest.mark.parametrize("decision", DECISIONS, ids=lambda path: path.stem[:4])
def test_a_decision_is_one_screen_in_the_usual_order_and_says_what_holds_it(decision):
    text = decision.read_text("utf-8")

    assert len(text.splitlines()) <= 70
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == SECTIONS
    assert "Held by" in text.split("## References")[1]


def test_decisions_are_numbered_without_gaps():
    assert [path.name[:4] for path in DECISIONS] == [
        f"{n:04}" for n in range(1, len(DECISIONS) + 1)
    ]


def test_the_readme_lists_every_decision_under_its_own_title():
    readme = (ROOT / "README.md").read_text("utf-8")
    titles = [path.read_text("utf-8").splitlines()[0].removeprefix("# ") for path in DECISIONS]
    lines = [
        f"- [{title[:4]}]({path.relative_to(ROOT)}) {title[6:]}"
        for path, title in zip(DECISIONS, titles, strict=True)
    ]

    assert [line for line in lines if line not in readme] == []


def test_decisions_that_code_or_documents_cite_exist():
    known = {path.name[:4] for path in DECISIONS}
    cited = {
        number
        for folder in ("services", "gateway", "bench", "demo")
        for path in (ROOT / folder).rglob("*.py")
        for number in re.findall(r"docs/decisions/(\d{4})", path.read_text("utf-8"))
    } | {
        number
        for document in DOCUMENTS
        for number in re.findall(r"\((00\d\d)\)", document.read_text("utf-8"))
    }

    assert cited <= known
