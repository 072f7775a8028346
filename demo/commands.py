"""Every changing call of the demonstration as a script of `curl` commands, in the order they were made.

Each call carries its key or its version, so running the script again changes nothing; with another key
it is another act.
"""

import json
from collections.abc import Mapping
from pathlib import Path

__all__ = ["Commands", "login_line"]

_HEADER = """#!/bin/sh
# Вызовы показа по порядку. Каждый назван ключом: повтор ничего не меняет; с другим ключом это другое действие.
# Другой адрес: OPORA=http://... sh commands.sh
curl() { command curl "$@"; echo; }
"""


class Commands:
    """The script in the data directory; it holds passwords, so it is for its owner only."""

    def __init__(self, path: Path, base_url: str) -> None:
        self.path = path
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(f"{_HEADER}OPORA=${{OPORA:-{base_url}}}\n", encoding="utf-8")
        self._known = set(path.read_text(encoding="utf-8").splitlines())

    def note(self, caller: str, grant: Mapping[str, str], command: str) -> None:
        """Add a call unless it is there; before the first call of a caller comes its login."""
        for line in (login_line(f"TOKEN_{caller}", grant), command):
            if line not in self._known:
                self._known.add(line)
                with self.path.open("a", encoding="utf-8") as script:
                    script.write(f"{line}\n")


def login_line(variable: str, grant: Mapping[str, str]) -> str:
    """Return the line of the shell that puts a token into a variable."""
    return (
        f"{variable}=$(curl -sS \"$OPORA/api/auth/token\" -H 'Content-Type: application/json' "
        f'-d \'{json.dumps(grant)}\' | sed \'s/.*"access_token":"\\([^"]*\\)".*/\\1/\')'
    )
