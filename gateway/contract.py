"""The contracts as committed in openapi/: all services merged, and each by its name."""

from functools import cache
from pathlib import Path
from typing import cast

from fastapi import APIRouter, Request, Response

from gateway.routing import DESTINATIONS
from gateway.settings import GatewaySettings
from gateway.stored import Stored, answer
from services.kit.problems import Problem

__all__ = ["contract"]

contract = APIRouter(include_in_schema=False)

_NAMES = frozenset({"gateway", *(one.service for one in DESTINATIONS)})
_HEADERS = {"Cache-Control": "public, max-age=300"}


class ContractMissing(Problem):
    """This installation was shipped without this contract, or there is no such service."""

    status = 404
    title = "Описание API не входит в эту установку"


# Not coroutines: reading and packing a megabyte the first time would hold up everybody else.
@contract.get("/openapi.json")
def read_contract(request: Request) -> Response:
    """Единый контракт шлюза и служб (OpenAPI 3.1)."""
    return answer(request, _stored(_merged(request)), _HEADERS)


@contract.get("/openapi/{service}.json")
def read_contract_of_service(request: Request, service: str) -> Response:
    """Контракт одной службы (OpenAPI 3.1)."""
    if service not in _NAMES:
        raise ContractMissing
    return answer(request, _stored(_merged(request).with_name(f"{service}.json")), _HEADERS)


def _merged(request: Request) -> Path:
    return cast("GatewaySettings", request.app.state.settings).merged_contract


@cache
def _stored(path: Path) -> Stored:
    try:
        return Stored.of(path.read_bytes(), "application/json")
    except FileNotFoundError:
        raise ContractMissing from None
