"""The merged contract of all services, as committed in openapi/."""

from pathlib import Path

from fastapi import APIRouter, Response
from starlette.concurrency import run_in_threadpool

from services.kit.problems import Problem

__all__ = ["contract"]

_MERGED = Path(__file__).parents[1] / "openapi" / "opora.json"

contract = APIRouter()


class ContractMissing(Problem):
    """This installation was shipped without the merged contract."""

    status = 404
    title = "Описание API не входит в эту установку"


@contract.get("/openapi.json", include_in_schema=False)
async def read_contract() -> Response:
    """Единый контракт шлюза и служб (OpenAPI 3.1)."""
    try:
        content = await run_in_threadpool(_MERGED.read_bytes)
    except FileNotFoundError:
        raise ContractMissing from None
    return Response(
        content, media_type="application/json", headers={"Cache-Control": "public, max-age=300"}
    )
