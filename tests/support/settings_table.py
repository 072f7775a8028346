"""docs/settings.md from the settings classes: `python -m tests.support.settings_table` writes it."""

from pathlib import Path
from typing import Any

from pydantic import SecretStr
from pydantic_settings import BaseSettings

from services.kit.cli import MODULES, service_named
from services.kit.installation import Installation
from services.kit.settings import ServiceSettings

DOCUMENT = Path(__file__).parents[2] / "docs" / "settings.md"

_HEAD = """\
# Settings

Everything is set by environment variables; nothing is read from a file. Written from the settings classes
by `python -m tests.support.settings_table`; a test keeps it current.
"""


def settings_document() -> str:
    """Return the document: the installation's variables, those of every service, those of one."""
    parts = [
        _HEAD,
        "## One machine: `opora up`, `opora demo`, `opora bootstrap`\n",
        installation_table(),
        "## Every service\n",
        "`<SERVICE>` is " + ", ".join(f"`{name.upper()}`" for name in MODULES) + ". `opora up` sets"
        " addresses and secrets of the services by itself; what the operator sets wins.\n",
        _table(ServiceSettings, "OPORA_<SERVICE>_", set()),
    ]
    for name in MODULES:
        settings = service_named(name).settings
        own = settings.model_fields.keys() - ServiceSettings.model_fields.keys()
        if own:
            parts += [
                f"## {name}\n",
                _table(settings, f"OPORA_{name.upper()}_", set(ServiceSettings.model_fields)),
            ]
    return "\n".join(parts)


def installation_table() -> str:
    """Return the table of the variables of one machine."""
    return _table(Installation, "OPORA_", set())


def _table(settings: type[BaseSettings], prefix: str, known: set[str]) -> str:
    rows = [
        f"| `{prefix}{name.upper()}` | {_default(field)} | {field.description} |"
        for name, field in settings.model_fields.items()
        if name not in known
    ]
    return "\n".join(["| variable | by default | meaning |", "|---|---|---|", *rows, ""])


def _default(field: Any) -> str:
    default = field.default
    if field.is_required():
        return "must be set"
    if default is None or default == ():
        return "none"
    if isinstance(default, SecretStr):
        return "for trials only"
    if isinstance(default, Path) and default.is_absolute():
        return f"`{default.relative_to(DOCUMENT.parents[1])}`"
    if isinstance(default, tuple):
        return f"`{','.join(default)}`"
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


if __name__ == "__main__":
    DOCUMENT.write_text(settings_document(), encoding="utf-8")
