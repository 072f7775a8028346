"""Every operation of every service, as data for the sweeps: read from the applications themselves."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.app import SERVICE as GATEWAY
from services.indicators.app import SERVICE as INDICATORS
from services.kit.contracts import document
from services.monitoring.app import SERVICE as MONITORING
from services.registry.app import SERVICE as REGISTRY
from services.training.app import SERVICE as TRAINING

SERVICES = (GATEWAY, REGISTRY, INDICATORS, MONITORING, TRAINING)


@dataclass(frozen=True)
class Operation:
    """One operation of a contract."""

    service: str
    id: str
    method: str
    path: str
    spec: dict[str, Any] = field(repr=False)
    schemas: dict[str, Any] = field(repr=False)

    @property
    def scopes(self) -> list[str]:
        """The scopes it asks for; empty when it asks for none."""
        return [
            scope
            for way in self.spec.get("security", [])
            for scopes in way.values()
            for scope in scopes
        ]

    @property
    def is_public(self) -> bool:
        """Whether it can be called without a token."""
        return not self.spec.get("security")

    @property
    def path_parameters(self) -> list[str]:
        return re.findall(r"{(\w+)}", self.path)

    def id_of(self, name: str, ids: Mapping[str, Any], default: Any = None) -> Any:
        """Return the id for one of its path parameters.

        Where two collections name their members by the same parameter, ids says which collection it
        means: `school-imports/import_id`.
        """
        collection = self.path.partition(f"/{{{name}}}")[0].rpartition("/")[2]
        return ids.get(f"{collection}/{name}", ids.get(name, default))

    def at(self, ids: Mapping[str, Any], default: Any = None) -> str:
        """Return its path with ids in place."""
        return self.path.format(**{p: self.id_of(p, ids, default) for p in self.path_parameters})

    def query(self) -> dict[str, Any]:
        """Return its required query parameters, with examples for values."""
        return {
            parameter["name"]: self.example(parameter["schema"])
            for parameter in self.spec.get("parameters", [])
            if parameter["in"] == "query" and parameter.get("required")
        }

    @property
    def is_list(self) -> bool:
        """Whether it answers with a page of items."""
        content = (
            self.spec["responses"].get("200", {}).get("content", {}).get("application/json", {})
        )
        shape = self.resolved(content.get("schema", {}))
        return self.method == "GET" and "items" in shape.get("properties", {})

    def resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in schema:
            schema = self.schemas[schema["$ref"].rsplit("/", 1)[-1]]
        return schema

    def body(self) -> Any:
        """Return a JSON body made of the contract's own examples; None when there is no such body."""
        content = self.spec.get("requestBody", {}).get("content", {}).get("application/json")
        return None if content is None else self.example(content["schema"])

    def example(self, schema: dict[str, Any]) -> Any:
        if schema.get("examples"):
            return schema["examples"][0]
        if "default" in schema:
            return schema["default"]
        resolved = self.resolved(schema)
        if resolved is not schema:
            return self.example(resolved)
        for choice in ("anyOf", "oneOf"):
            if choice in schema:
                return self.example(schema[choice][0])
        if "enum" in schema:
            return schema["enum"][0]
        if "const" in schema:
            return schema["const"]
        match schema.get("type"):
            case "object":
                return {
                    name: self.example(part)
                    for name, part in schema.get("properties", {}).items()
                    if name in schema.get("required", [])
                }
            case "array":
                return [self.example(schema["items"])]
            case "integer" | "number":
                return schema.get("minimum", 1)
            case "boolean":
                return False
            case "string":
                return {"date": "2026-03-15", "date-time": "2026-03-15T00:00:00Z"}.get(
                    schema.get("format", ""), "образец"
                )
        return None


def operations() -> Iterator[Operation]:
    """Yield every operation of the five contracts."""
    for service in SERVICES:
        contract = document(service)
        for path, methods in contract["paths"].items():
            for method, spec in methods.items():
                yield Operation(
                    service.name,
                    spec["operationId"],
                    method.upper(),
                    path,
                    spec,
                    contract["components"]["schemas"],
                )


EVERY = tuple(operations())
