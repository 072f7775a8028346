"""A small client of Opora: everything over HTTP through the gateway, as any other program would do it.

It logs in and stays logged in, names every act with an Idempotency-Key, sends files as streams, waits for
work in the background, and can show each of its calls as a `curl` command.
"""

import shlex
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

__all__ = ["Answer", "Client", "Refused", "as_curl", "digest_header"]

_RENEW_SECONDS = 60
"""An access token is renewed this long before it expires."""

_PATIENCE_SECONDS = 60.0
"""How long a call is repeated while a service is being restarted."""

_PASSING = {502, 503, 504}

Told = Callable[[str], None]


class Refused(Exception):  # noqa: N818  the service said no; it is not a failure of the client
    """The service answered with a problem (RFC 9457)."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        self.status = status
        self.code = str(problem.get("code", ""))
        self.problem = problem
        told = [problem.get("title"), problem.get("detail"), problem.get("hint")]
        super().__init__(". ".join(str(part).rstrip(".") for part in told if part))


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the document, and the tag by which it may be changed."""

    body: Any
    etag: str | None


@dataclass
class Client:
    """One caller: a person or a machine.

    `grant` is what the token endpoint gets: a login and a password, or a client id and its secret.
    `told` hears every call as a `curl` command.
    """

    http: httpx.Client
    name: str
    grant: Mapping[str, str]
    told: Told = lambda _: None
    _access: str = field(default="", repr=False)
    _refresh: str | None = field(default=None, repr=False)
    _expires_at: float = 0.0

    def token(self) -> str:
        """Return an access token that holds for at least a minute.

        Raises:
            Refused: The login or the password is wrong.
        """
        if time.monotonic() > self._expires_at - _RENEW_SECONDS:
            self._renew()
        return self._access

    def _renew(self) -> None:
        grants = [self.grant]
        if self._refresh is not None:
            grants.insert(0, {"grant_type": "refresh_token", "refresh_token": self._refresh})
        # A session that ended is begun anew.
        for grant in grants:
            answer = self._sent(self.http.build_request("POST", "/api/auth/token", json=grant))
            if answer.is_success:
                break
        body = _document(answer)
        self._access, self._refresh = body["access_token"], body.get("refresh_token")
        self._expires_at = time.monotonic() + body["expires_in"]

    def get(self, path: str, **params: str | int | bool) -> Any:
        """Read a document."""
        return self.read(path, **params).body

    def read(self, path: str, **params: str | int | bool) -> Answer:
        """Read a document together with its tag."""
        return self._call("GET", path, params=params)

    def download(self, path: str) -> bytes:
        """Read a file."""
        request = self.http.build_request("GET", path, headers=self._headers())
        answer = self._sent(request)
        if not answer.is_success:
            _document(answer)
        return answer.content

    def every(self, path: str, **params: str | int | bool) -> Iterator[dict[str, Any]]:
        """Read all elements of a list, page by page."""
        cursor: dict[str, str] = {}
        while True:
            page = self.get(path, limit=200, **params, **cursor)
            yield from page["items"]
            if page["next"] is None:
                return
            cursor = {"cursor": page["next"]}

    def post(self, path: str, body: object = None, *, key: str, etag: str | None = None) -> Answer:
        """Do something once: the same key again has no second effect."""
        headers = {"Idempotency-Key": key}
        if etag is not None:
            headers["If-Match"] = etag
        return self._call("POST", path, json=body, headers=headers)

    def issue(self, path: str, *, etag: str) -> Answer:
        """Do something that the version alone protects from being done twice."""
        return self._call("POST", path, headers={"If-Match": etag}, is_repeatable=False)

    def upload(
        self,
        method: str,
        path: str,
        file: Path,
        *,
        headers: Mapping[str, str],
        sent: Callable[[int], None] = lambda _: None,
    ) -> Answer:
        """Send a file as it is, in pieces; `sent` hears how many bytes have gone.

        A broken connection begins the file anew.
        """
        kind = {"Content-Type": "text/csv", "Content-Length": str(file.stat().st_size)}
        return self._call(
            method,
            path,
            headers={**headers, **kind},
            file=file,
            content=lambda: _pieces(file, sent),
        )

    def follow(
        self,
        path: str,
        *,
        while_in: tuple[str, ...],
        seen: Callable[[dict[str, Any]], None] = lambda _: None,
        every_seconds: float = 0.15,
        within_seconds: float = 600,
    ) -> dict[str, Any]:
        """Watch a resource until its state is none of these; `seen` hears each reading.

        Raises:
            TimeoutError: It did not leave these states in time.
        """
        deadline = time.monotonic() + within_seconds
        while True:
            body: dict[str, Any] = self.read(path).body
            seen(body)
            if body["state"] not in while_in:
                return body
            if time.monotonic() > deadline:
                raise TimeoutError(f"{path} остаётся в состоянии {body['state']}")
            time.sleep(every_seconds)

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token()}"}

    def _call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int | bool] | None = None,
        headers: Mapping[str, str] | None = None,
        json: object = None,
        file: Path | None = None,
        content: Callable[[], Iterator[bytes]] | None = None,
        is_repeatable: bool = True,
    ) -> Answer:
        given = dict(headers or {})

        def built() -> httpx.Request:
            return self.http.build_request(
                method,
                path,
                params=params or None,
                headers=self._headers() | given,
                json=json,
                content=content() if content is not None else None,
            )

        request = built()
        if method != "GET":
            self.told(as_curl(request, file=file, name=self.name))
        answer = self._sent(request, again=built if is_repeatable else None)
        return Answer(_document(answer), answer.headers.get("etag"))

    def _sent(
        self, request: httpx.Request, *, again: Callable[[], httpx.Request] | None = None
    ) -> httpx.Response:
        """Send; while a service is away and the call may be repeated, wait and send again."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                answer = self.http.send(request)
            except httpx.TransportError:
                if again is None or time.monotonic() > deadline:
                    raise
            else:
                passing = answer.status_code in _PASSING
                if not passing or again is None or time.monotonic() > deadline:
                    return answer
            time.sleep(0.5)
            request = again()


def as_curl(request: httpx.Request, *, file: Path | None = None, name: str = "") -> str:
    """Write a call as a command of the shell; `$OPORA` is the gateway, `$TOKEN_<name>` the caller's token."""
    url = '"$OPORA"' + shlex.quote(request.url.raw_path.decode())
    parts = ["curl", "-sS", "-X", request.method, url]
    parts += ["-H", f'"Authorization: Bearer $TOKEN_{name}"'] if name else []
    for header in ("Idempotency-Key", "If-Match", "Repr-Digest"):
        if header in request.headers:
            parts += ["-H", shlex.quote(f"{header}: {request.headers[header]}")]
    if file is None and request.content:
        # The very bytes: a key names one request, and a space more would be another one.
        parts += ["-H", "'Content-Type: application/json'", "-d"]
        parts += [shlex.quote(request.content.decode())]
    if file is not None:
        parts += ["-H", "'Content-Type: text/csv'", "-T", shlex.quote(str(file))]
    return " ".join(parts)


def digest_header(sha256: bytes) -> dict[str, str]:
    """Return the header by which a file is recognised before it is sent. Source: RFC 9530."""
    return {"Repr-Digest": f"sha-256=:{b64encode(sha256).decode()}:"}


def _pieces(file: Path, sent: Callable[[int], None]) -> Iterator[bytes]:
    done = 0
    with file.open("rb") as opened:
        while piece := opened.read(256 * 1024):
            yield piece
            done += len(piece)
            sent(done)


def _document(answer: httpx.Response) -> Any:
    """Return what an answer holds.

    Raises:
        Refused: It is a problem.
    """
    body = answer.json() if "json" in answer.headers.get("content-type", "") else {}
    if answer.is_success:
        return body
    raise Refused(answer.status_code, body or {"title": f"Ответ {answer.status_code}"})
