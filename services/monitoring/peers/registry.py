"""The registry as monitoring uses it: who takes part in a year."""

from services.kit.peers import Peer

__all__ = ["Registry"]


class Registry:
    """Asked with the originating user's token, so that the registry decides what to show."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    async def participating_schools(self, year: int) -> list[int]:
        """Return the ids of the schools that take part in the programme year now."""
        schools: list[int] = []
        cursor: str | None = None
        while True:
            asked = {"year": year, "limit": 500} | ({"cursor": cursor} if cursor else {})
            page = await self._peer.get("/api/registry/v1/participations", params=asked)
            schools += [
                int(item["school_id"]) for item in page["items"] if item["withdrawn_on"] is None
            ]
            cursor = page["next"]
            if cursor is None:
                return schools
