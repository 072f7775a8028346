"""The gateway asks where a new account stands (gateway/accounts/territory.py)."""

from tests.support.contracts import Use

CONSUMER, PROVIDER = "gateway", "registry"

USES = (
    Use(
        "get",
        "/api/registry/v1/municipalities/{}",
        answer={"id": "integer", "region_id": "integer"},
    ),
    Use(
        "get",
        "/api/registry/v1/schools/{}",
        answer={"id": "integer", "region_id": "integer", "municipality_id": "integer"},
    ),
)
