"""Requests to an external issuer: few bytes, few seconds, no redirects."""

import asyncio
import json
import ssl
from collections.abc import Mapping
from typing import Any, Final

import httpx

from gateway.issuers.refusals import IssuerUnavailable
from gateway.issuers.settings import OidcIssuer
from services.kit.logs import log

__all__ = ["Asking"]

_SECONDS: Final = 5.0
"""For a whole exchange, whatever it consists of."""
_MOST_BYTES: Final = 64 * 1024


class Asking:
    """The way to one issuer."""

    def __init__(self, issuer: OidcIssuer) -> None:
        self._issuer = issuer
        # Reading the certificates takes longer than the rest of an exchange: once.
        self._trust = ssl.create_default_context(cafile=issuer.ca_file)

    async def get(self, url: str) -> dict[str, Any]:
        """Return a document of the issuer.

        Raises:
            IssuerUnavailable: No answer, or none that is a JSON object.
        """
        status, document = await self._ask("GET", url)
        if status != httpx.codes.OK or document is None:
            raise self._unavailable(url, f"status {status}")
        return document

    async def post(
        self, url: str, form: Mapping[str, str], *, basic: tuple[str, str] | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Send a form; return the status, 200 or a refusal of ours, and the JSON object.

        Raises:
            IssuerUnavailable: No answer, or none that is a JSON object, or a failure of its own.
        """
        status, document = await self._ask("POST", url, data=dict(form), auth=basic)
        if document is None or not (
            status == httpx.codes.OK or httpx.codes.is_client_error(status)
        ):
            raise self._unavailable(url, f"status {status}")
        return status, document

    async def _ask(
        self, method: str, url: str, **options: Any
    ) -> tuple[int, dict[str, Any] | None]:
        try:
            async with (
                asyncio.timeout(_SECONDS),
                httpx.AsyncClient(
                    timeout=_SECONDS, verify=self._trust, follow_redirects=False
                ) as client,
                client.stream(
                    method, url, headers={"Accept": "application/json"}, **options
                ) as answer,
            ):
                content = b""
                async for chunk in answer.aiter_bytes():
                    content += chunk
                    if len(content) > _MOST_BYTES:
                        raise self._unavailable(url, "too much")
                return answer.status_code, _object(content)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError) as error:
            raise self._unavailable(url, type(error).__name__) from error

    def _unavailable(self, url: str, reason: str) -> IssuerUnavailable:
        log.warning("issuer_not_asked", issuer=self._issuer.name, url=url, reason=reason)
        return IssuerUnavailable(
            f"«{self._issuer.title}» не отвечает как положено.",
            hint="Повторите попытку позже или войдите по паролю.",
            issuer=self._issuer.name,
        )


def _object(content: bytes) -> dict[str, Any] | None:
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None
