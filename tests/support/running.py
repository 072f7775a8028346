"""A service under test: its real application on a real database, called with real tokens."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from fastapi import FastAPI

from services.kit.database import Database
from services.kit.jobs import running_worker
from services.kit.service import Service, build
from services.kit.settings import ServiceSettings
from tests.support.callers import TEST_JWKS, bearer
from tests.support.databases import DatabaseUrls


@dataclass
class Running:
    """What a test holds of a running service."""

    service: Service
    app: FastAPI
    settings: ServiceSettings
    urls: DatabaseUrls

    @property
    def database(self) -> Database:
        return self.app.state.database

    def as_(self, token: str | None) -> httpx.AsyncClient:
        """Return a client that calls with this token (`callers.py` makes them)."""
        return httpx.AsyncClient(
            # A failure of ours must come out as the caller would see it: a 500 problem.
            transport=httpx.ASGITransport(self.app, raise_app_exceptions=False),
            base_url=f"http://{self.service.name}",
            headers=bearer(token),
        )

    @asynccontextmanager
    async def worker(self) -> AsyncIterator[None]:
        """Keep the service's worker running in this loop."""
        async with running_worker(self.service, self.settings):
            yield


def settings_for(service: Service, urls: DatabaseUrls, **values: Any) -> ServiceSettings:
    """Return settings of a service under test; nothing comes from the environment."""
    return service.settings(
        **{
            "database_url": urls.app,
            "owner_database_url": urls.owner,
            "jwks": TEST_JWKS,
            "cursor_secret": "test",
            "access_log": False,
        }
        | values,
    )


@asynccontextmanager
async def running(service: Service, urls: DatabaseUrls, **values: Any) -> AsyncIterator[Running]:
    """Start the application (its lifespan) in this event loop."""
    settings = settings_for(service, urls, **values)
    app = build(service, settings)
    async with app.router.lifespan_context(app):
        yield Running(service, app, settings, urls)


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Return the problem document of an answer, after checking that it is that problem."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    document = answer.json()
    assert (answer.status_code, document["code"]) == (status, code), json.dumps(
        document, ensure_ascii=False
    )
    return document
