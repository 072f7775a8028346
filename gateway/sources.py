"""Where a request comes from: the address that limits and session lists count by.

A header says nothing about a client unless one of our own proxies wrote it: the socket's address
counts, and only behind a peer named in the settings is `X-Forwarded-For` read, from its right end,
up to the first address that is not ours.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final, cast

from starlette.types import Scope

__all__ = ["UNKNOWN", "Network", "Sources", "source_of"]

Network = IPv4Network | IPv6Network

UNKNOWN: Final = "unknown"
"""The source of a request whose socket has no address (a Unix socket)."""

_SCOPE_KEY: Final = "opora.source"
_MOST_HOPS: Final = 32


class Sources:
    """Reads the sources of requests; knows which peers are proxies of ours."""

    def __init__(self, trusted: Iterable[Network] = ()) -> None:
        self._trusted = tuple(trusted)
        # A proxy or a client comes thousands of times; parsing an address costs more than a look-up.
        self._judge = lru_cache(maxsize=4096)(self._judged)

    def mark(self, scope: Scope) -> str:
        """Find the request's source and leave it in the scope, where `source_of` reads it."""
        client = scope.get("client")
        source, is_proxy = self._judge(client[0] if client else "")
        if is_proxy:
            source = self._forwarded(scope["headers"], source)
        scope[_SCOPE_KEY] = source
        return source

    def _forwarded(self, headers: Sequence[tuple[bytes, bytes]], peer: str) -> str:
        values = [value for name, value in headers if name == b"x-forwarded-for"]
        hops = b",".join(values).decode("latin-1").split(",")
        nearest = peer
        for hop in reversed(hops[-_MOST_HOPS:]):
            source, is_proxy = self._judge(hop.strip())
            if source == UNKNOWN:
                # What a proxy of ours wrote is an address; what stands left of nonsense is a claim.
                return nearest
            if not is_proxy:
                return source
            nearest = source
        return nearest

    def _judged(self, text: str) -> tuple[str, bool]:
        """Return the source an address counts as, and whether it is a proxy of ours."""
        try:
            address = ip_address(text)
        except ValueError:
            return UNKNOWN, False
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        is_proxy = any(address in network for network in self._trusted)
        return _counted_as(address), is_proxy


def _counted_as(address: IPv4Address | IPv6Address) -> str:
    """Return the text of an IPv4 address, or of the /64 that one IPv6 client has to itself."""
    if isinstance(address, IPv4Address):
        return str(address)
    return str(IPv6Network((int(address) >> 64 << 64, 64)))


_DIRECT = Sources()


def source_of(scope: Scope) -> str:
    """Return the source of a request: an IPv4 address, an IPv6 /64, or `unknown`.

    Behind the gateway's edge it is what the edge found; an application that runs without it (a
    test) trusts nobody and sees the socket's address.
    """
    found = scope.get(_SCOPE_KEY)
    return _DIRECT.mark(scope) if found is None else cast("str", found)
