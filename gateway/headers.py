"""Which headers travel onward to a service and back to the client."""

from starlette.types import Scope

from gateway.refusals import AmbiguousAuthorization, MalformedHeaders

__all__ = ["declared_length", "offered_request_id", "onward", "passed_back"]

_HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    },
)
# `expect` is answered by our own server, `x-request-id` and the budget are set here; the rest are a client's claims
# about itself that a server behind us might believe (uvicorn does, when they come from loopback).
_NOT_ONWARD = _HOP_BY_HOP | {
    b"expect",
    b"forwarded",
    b"x-forwarded-for",
    b"x-forwarded-host",
    b"x-forwarded-port",
    b"x-forwarded-proto",
    b"x-opora-budget-ms",
    b"x-real-ip",
    b"x-request-id",
}
# Our own server writes `date` and `server`: two of each would be malformed.
_NOT_BACK = _HOP_BY_HOP | {b"date", b"server", b"x-request-id"}


def offered_request_id(scope: Scope) -> str | None:
    """Return the request id that the client offers, unchecked."""
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            return str(value, "latin-1")
    return None


def onward(scope: Scope, request_id: str) -> list[tuple[str, str]]:
    """Return the headers for the service: the client's, without those that end at this hop.

    Raises:
        AmbiguousAuthorization: There are two `Authorization` headers.
        MalformedHeaders: A value is not UTF-8, which is how it would be written onward.
    """
    passed = [("x-request-id", request_id)]
    authorizations = 0
    dropped = _NOT_ONWARD
    for name, value in scope["headers"]:
        if name == b"connection" and value.lower() not in (b"keep-alive", b"close"):
            dropped = dropped | {token.strip() for token in value.lower().split(b",")}
    try:
        for name, value in scope["headers"]:
            if name in dropped:
                continue
            if name == b"authorization":
                authorizations += 1
            passed.append((name.decode(), value.decode()))
    except UnicodeDecodeError as error:
        raise MalformedHeaders("Передайте значения заголовков в UTF-8.") from error
    if authorizations > 1:
        raise AmbiguousAuthorization("Оставьте один заголовок Authorization.")
    return passed


def declared_length(scope: Scope) -> int | None:
    """Return the length of the request's body in bytes; 0 without a body, None when it is chunked.

    Raises:
        MalformedHeaders: The length is said twice; two servers could believe different halves.
    """
    lengths = [value for name, value in scope["headers"] if name == b"content-length"]
    chunked = any(name == b"transfer-encoding" for name, _ in scope["headers"])
    if len(lengths) + chunked > 1 or not all(length.isdigit() for length in lengths):
        raise MalformedHeaders("Передайте один Content-Length либо Transfer-Encoding: chunked.")
    if chunked:
        return None
    return int(lengths[0]) if lengths else 0


def passed_back(
    raw: tuple[tuple[bytes, bytes], ...],
    request_id: str,
) -> list[tuple[bytes, bytes]]:
    """Return the headers for the client: the service's, without those that end at this hop."""
    lowered = ((name.lower(), value) for name, value in raw)
    headers = [pair for pair in lowered if pair[0] not in _NOT_BACK]
    headers.append((b"x-request-id", request_id.encode()))
    return headers
