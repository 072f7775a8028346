"""What a person recognises a session by: the kind of device, and roughly from where."""

from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from fastapi import Request

from gateway.sources import UNKNOWN, source_of

__all__ = ["Seen", "seen_in"]

_MOST_CHARACTERS = 40

# The first that the header names counts: Edge and Opera call themselves Chrome too, everybody Safari.
_BROWSERS = (
    ("YaBrowser", "Яндекс Браузер"),
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("Firefox", "Firefox"),
    ("Chromium", "Chromium"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)


@dataclass(frozen=True, slots=True)
class Seen:
    """A device and its network, as coarse as they are kept."""

    device: str
    source: str | None


def seen_in(request: Request) -> Seen:
    """Return what a request shows of its device."""
    return Seen(_device(request.headers.get("user-agent", "")), _network(source_of(request.scope)))


def _device(user_agent: str) -> str:
    """Return «Firefox, Linux»: no version, by which a device could be told from its likes."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), None)
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), None)
    if browser or system:
        return ", ".join(name for name in (browser, system) if name)
    # A program names itself before its version: python-httpx/0.28.1.
    program = "".join(
        letter for letter in user_agent.partition("/")[0] if letter.isalnum() or letter in " -_."
    ).strip()
    return program[:_MOST_CHARACTERS] or "Неизвестное устройство"


def _network(source: str) -> str | None:
    """Return the network of an address: /24 of IPv4, /48 of IPv6."""
    if source == UNKNOWN:
        return None
    address = ip_address(source.partition("/")[0])
    return str(ip_network(f"{address}/{24 if address.version == 4 else 48}", strict=False))
