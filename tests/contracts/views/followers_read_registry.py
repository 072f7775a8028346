"""Indicators, monitoring and training keep copies of the registry's rows (services/kit/feed.py)."""

from tests.support.contracts import Use

CONSUMER, PROVIDER = "followers", "registry"

USES = (
    Use(
        "get",
        "/api/registry/v1/changes",
        query={"after": "string", "wait": "integer", "limit": "integer"},
        answer={
            "items[].kind": "string",
            "items[].op": "string",
            "items[].id": "integer",
            "items[].key": "object",
            "items[].body": "object?",
            "items[].at": "string",
            "next": "string",
            "is_caught_up": "boolean",
        },
    ),
)
