"""docs/settings.md says what the settings classes say."""

from tests.support.settings_table import DOCUMENT, installation_table, settings_document


def test_the_table_of_settings_is_current():
    assert DOCUMENT.read_text("utf-8") == settings_document(), (
        "docs/settings.md is stale: run `python -m tests.support.settings_table`"
    )


def test_the_readme_shows_the_settings_of_one_machine():
    readme = (DOCUMENT.parents[1] / "README.md").read_text("utf-8")

    assert installation_table() in readme, "copy the first table of docs/settings.md into README.md"
