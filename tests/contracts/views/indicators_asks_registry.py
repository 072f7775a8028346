"""Indicators makes participations of a published list (services/indicators/peers/registry.py)."""

from tests.support.contracts import Use

CONSUMER, PROVIDER = "indicators", "registry"

USES = (
    Use(
        "post",
        "/api/registry/v1/participations/bulk",
        sent={
            "region_id": "integer",
            "year": "integer",
            "source": "string",
            "run_id": "integer",
            "order_number": "string",
            "order_date": "string",
            "entries": "array",
            "entries[].school_id": "integer",
            "entries[].categories": "array",
        },
        answer={"joined": "integer", "withdrawn": "integer", "already_applied": "boolean"},
    ),
)
