"""Which service answers a path: data, and nothing else decides where a request goes.

A path is matched by its raw bytes, before any percent-decoding: a prefix that is spelled
differently (`//api`, `/api/%72egistry/`) is not a known path, so the gateway and a service can
never read one path as two routes.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Destination:
    """A service behind the gateway."""

    service: str
    """Its name, as in the settings (`registry_url`) and in problems."""

    prefix: bytes
    """What its paths start with; the path is passed on unchanged."""

    uploads: tuple[bytes, ...] = ()
    """Prefixes under which a request carries a file, so that the large body limit holds."""


DESTINATIONS = (
    Destination(
        service="registry",
        prefix=b"/api/registry/",
        uploads=(b"/api/registry/v1/school-imports",),
    ),
    Destination(
        service="indicators",
        prefix=b"/api/indicators/",
        uploads=(b"/api/indicators/v1/imports", b"/api/indicators/v1/profile-imports"),
    ),
    Destination(service="monitoring", prefix=b"/api/monitoring/"),
    Destination(service="training", prefix=b"/api/training/"),
)

_BY_PREFIX = {destination.prefix: destination for destination in DESTINATIONS}
_SERVICE_STARTS = len(b"/api/")


def destination_of(raw_path: bytes) -> Destination | None:
    """Name the service of a path, or None when the path is the gateway's own or unknown."""
    return _BY_PREFIX.get(raw_path[: raw_path.find(b"/", _SERVICE_STARTS) + 1])
