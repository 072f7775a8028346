"""The contracts as the code of this moment writes them."""

import pytest

from services.kit.cli import MODULES, service_named
from services.kit.contracts import document, merge


@pytest.fixture(scope="session")
def documents():
    """Each service's document by the service's name."""
    return {name: document(service_named(name)) for name in MODULES}


@pytest.fixture(scope="session")
def merged(documents):
    return merge(documents)
