"""docs/settings.md says what the settings classes say."""

from tests.support.settings_table import DOCUMENT, settings_document


def test_the_table_of_settings_is_current():
    assert DOCUMENT.read_text("utf-8") == settings_document(), (
        "docs/settings.md is stale: run `python -m tests.support.settings_table`"
    )
