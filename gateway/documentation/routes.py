"""Routes of the documentation page and its files."""

import hashlib
from functools import cache
from importlib.resources import files

from fastapi import APIRouter, Request, Response

from gateway.stored import Stored, answer
from services.kit.problems import Problem

__all__ = ["documentation"]

documentation = APIRouter(prefix="/docs", include_in_schema=False)

_OURS = {"page.css": "text/css", "start.js": "text/javascript"}
_SWAGGER_UI = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "favicon-32x32.png": "image/png",
}

_POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    # Swagger UI sets style attributes; a style cannot run anything.
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data:",
    "connect-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}
CONTENT_SECURITY_POLICY = "; ".join(f"{what} {allowed}" for what, allowed in _POLICY.items())


class DocumentationFileNotFound(Problem):
    """The page has no such file, or the file belongs to another release."""

    status = 404
    title = "Файл документации не найден"


@cache
def _assets() -> dict[str, Stored]:
    """Return the files of the page by their names."""
    own = files("gateway.documentation")
    foreign = files("fastapi_swagger").joinpath("resources")
    return {
        name: Stored.of(folder.joinpath(name).read_bytes(), media_type)
        for folder, names in ((own, _OURS), (foreign, _SWAGGER_UI))
        for name, media_type in names.items()
    }


@cache
def _version() -> str:
    """Return a name of all the files together: a new release is a new address, so caches never lie."""
    marks = "".join(stored.mark for _, stored in sorted(_assets().items()))
    return hashlib.sha256(marks.encode()).hexdigest()[:16]


@cache
def _page() -> Stored:
    page = files("gateway.documentation").joinpath("page.html").read_text(encoding="utf-8")
    return Stored.of(page.replace("VERSION", _version()).encode(), "text/html; charset=utf-8")


# Not coroutines: reading and packing the files the first time would hold up everybody else.
@documentation.get("")
def read_documentation(request: Request) -> Response:
    """Страница документации API."""
    headers = {
        "Cache-Control": "no-cache",
        "Content-Security-Policy": CONTENT_SECURITY_POLICY,
        "X-Frame-Options": "DENY",
    }
    return answer(request, _page(), headers)


@documentation.get("/{version}/{name}")
def read_documentation_file(request: Request, version: str, name: str) -> Response:
    """Файл страницы документации."""
    stored = _assets().get(name)
    if stored is None or version != _version():
        raise DocumentationFileNotFound
    return answer(request, stored, {"Cache-Control": "public, max-age=31536000, immutable"})
