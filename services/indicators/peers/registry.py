"""What indicators asks of the registry."""

import datetime as dt
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from services.kit.peers import Peer

__all__ = ["Applied", "Registry"]


class Applied(BaseModel):
    """What a published list changed in the registry; only the fields that are used here."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="ignore", frozen=True)

    joined: int
    withdrawn: int
    already_applied: bool


class Registry:
    """The registry, asked with the identity that the peer carries."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    async def apply_list(
        self,
        *,
        region_id: int,
        run_id: int,
        year: int,
        order_number: str,
        order_date: dt.date,
        categories: dict[int, str],
    ) -> Applied:
        """Make participations of a published list: the category of each school, by its id.

        The key is the run, so that a repeated call after a crash changes nothing more.
        """
        answer = await self._peer.post(
            "/api/registry/v1/participations/bulk",
            {
                "region_id": region_id,
                "year": year,
                "source": "identification",
                "run_id": run_id,
                "order_number": order_number,
                "order_date": order_date.isoformat(),
                "entries": [
                    {"school_id": school_id, "categories": [category]}
                    for school_id, category in sorted(categories.items())
                ],
            },
            key=f"identification-run-{run_id}",
            timeout=60,
        )
        return Applied.model_validate(answer)
