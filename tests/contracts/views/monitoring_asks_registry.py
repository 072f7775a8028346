"""Monitoring asks who takes part in a year (services/monitoring/peers/registry.py)."""

from tests.support.contracts import Use

CONSUMER, PROVIDER = "monitoring", "registry"

USES = (
    Use(
        "get",
        "/api/registry/v1/participations",
        query={"year": "integer", "limit": "integer", "cursor": "string"},
        answer={
            "items[].school_id": "integer",
            "items[].withdrawn_on": "string?",
            "next": "string?",
        },
    ),
)
