"""The merged contract of all services, as committed in openapi/."""

from typing import cast

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from gateway.settings import GatewaySettings
from services.kit.problems import Problem

__all__ = ["contract"]

contract = APIRouter()


class ContractMissing(Problem):
    """This installation was shipped without the merged contract."""

    status = 404
    title = "Описание API не входит в эту установку"


@contract.get("/openapi.json", include_in_schema=False)
async def read_contract(request: Request) -> Response:
    """Единый контракт шлюза и служб (OpenAPI 3.1)."""
    settings = cast("GatewaySettings", request.app.state.settings)
    try:
        content = await run_in_threadpool(settings.merged_contract.read_bytes)
    except FileNotFoundError:
        raise ContractMissing from None
    return Response(
        content, media_type="application/json", headers={"Cache-Control": "public, max-age=300"}
    )
