"""Given headers that say where a request comes from, then only those of our own proxies are believed."""

from __future__ import annotations

import pytest

from serving.forwarded import HEADER, UNKNOWN, Proxies

PROXIES = Proxies(["10.0.0.0/24", "2001:db8:ff::/48", "192.0.2.200"])


@pytest.mark.parametrize(
    ("peer", "header", "client"),
    [
        ("10.0.0.7", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.7", "203.0.113.9, 198.51.100.1", "198.51.100.1"),  # what the client wrote is on the left
        ("10.0.0.7", "198.51.100.1, 10.0.0.8", "198.51.100.1"),  # two of ours, one behind the other
        ("10.0.0.7", "203.0.113.9, 198.51.100.1, 192.0.2.200, 10.0.0.8", "198.51.100.1"),
        ("10.0.0.7", "10.0.0.9", "10.0.0.9"),  # a proxy itself asks
        ("10.0.0.7", "198.51.100.1:4711", "198.51.100.1"),
        ("10.0.0.7", "[2001:db8:1::5]:4711", "2001:db8:1::5"),
        ("10.0.0.7", "2001:db8:1::5", "2001:db8:1::5"),
        ("10.0.0.7", "::ffff:198.51.100.1", "198.51.100.1"),
        ("::ffff:10.0.0.7", "198.51.100.1", "198.51.100.1"),
        ("2001:db8:ff::1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.7", "127.0.0.1", "127.0.0.1"),  # no proxy of ours says so: then it is so
        ("10.0.0.7", "", UNKNOWN),
        ("10.0.0.7", "unknown", UNKNOWN),
        ("10.0.0.7", "198.51.100.1, _hidden", UNKNOWN),
        ("10.0.0.7", "198.51.100.1,", UNKNOWN),
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),  # a stranger claims it
        ("127.0.0.1", "198.51.100.1", "127.0.0.1"),
        ("", "198.51.100.1", ""),
    ],
)
def test_the_first_stranger_from_the_right_is_the_client(peer: str, header: str, client: str) -> None:
    environ = {"REMOTE_ADDR": peer, "REMOTE_PORT": "1", HEADER: header}
    PROXIES.tell(environ)
    assert environ["REMOTE_ADDR"] == client


def test_without_a_header_or_without_proxies_it_is_the_peer() -> None:
    environ = {"REMOTE_ADDR": "10.0.0.7"}
    PROXIES.tell(environ)
    assert environ == {"REMOTE_ADDR": "10.0.0.7"}
    environ[HEADER] = "198.51.100.1"
    nobody = Proxies([])
    assert not nobody
    nobody.tell(environ)
    assert environ["REMOTE_ADDR"] == "10.0.0.7"
