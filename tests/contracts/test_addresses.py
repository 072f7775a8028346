"""A word that is an address of its own is never read as the number of a record."""

import pytest
from starlette.routing import Match

from services.kit.cli import MODULES, service_named
from services.kit.service import build


def shadowed(paths):
    """Yield (path, methods of the record whose number the last word could be taken for)."""
    for fixed in paths:
        folder, _, word = fixed.rpartition("/")
        for other in paths:
            beside, _, last = other.rpartition("/")
            if beside == folder and last.startswith("{") and not word.startswith("{"):
                yield fixed, set(paths[other]) - set(paths[fixed])


@pytest.mark.parametrize("name", tuple(MODULES))
def test_methods_of_a_record_are_no_methods_of_a_word_beside_it(name, documents):
    service = service_named(name)
    app = build(service, service.settings(database_url="postgresql+asyncpg://nowhere"))

    answered = [
        f"{method.upper()} {path}"
        for path, methods in shadowed(documents[name]["paths"])
        for method in methods & {"get", "post", "put", "patch", "delete"}
        for route in app.routes
        if route.matches({"type": "http", "method": method.upper(), "path": path})[0] is Match.FULL
    ]

    assert answered == []
