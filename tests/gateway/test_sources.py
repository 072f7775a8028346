"""Whose request it is, said by sockets and by our own proxies only."""

from ipaddress import ip_network

import pytest

from gateway.sources import UNKNOWN, Sources, source_of

PROXIES = Sources([ip_network("10.0.0.0/8"), ip_network("fd00::/8")])


def scope(peer, *forwarded):
    headers = [(b"x-forwarded-for", value.encode()) for value in forwarded]
    return {"type": "http", "client": (peer, 4000) if peer else None, "headers": headers}


@pytest.mark.parametrize(
    ("peer", "forwarded", "source"),
    [
        ("203.0.113.7", [], "203.0.113.7"),
        # Nobody is believed about himself.
        ("203.0.113.7", ["198.51.100.1"], "203.0.113.7"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        # The client wrote the left part itself.
        ("10.0.0.1", ["192.0.2.66, 198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["192.0.2.66", "198.51.100.1, 10.0.0.2"], "198.51.100.1"),
        ("10.0.0.1", ["192.0.2.66, nonsense, 10.0.0.2"], "10.0.0.2"),
        ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ("10.0.0.1", [""], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.1," * 100_000 + "192.0.2.1"], "192.0.2.1"),
        # One household or one machine has a whole /64.
        ("2001:db8:1:2:aaaa::1", [], "2001:db8:1:2::/64"),
        ("fd00::1", ["2001:db8:1:2:bbbb::9"], "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.7", [], "203.0.113.7"),
        ("::ffff:10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("", ["198.51.100.1"], UNKNOWN),
        ("testclient", [], UNKNOWN),
    ],
)
def test_the_source_is_the_nearest_address_that_is_not_ours(peer, forwarded, source):
    request = scope(peer, *forwarded)

    assert PROXIES.mark(request) == source
    assert source_of(request) == source


def test_without_the_edge_the_socket_counts_and_no_header():
    assert source_of(scope("10.0.0.1", "198.51.100.1")) == "10.0.0.1"
