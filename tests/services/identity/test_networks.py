"""Where a key may be used from."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.identity.networks import are_within, is_within, network_of_text

V4 = st.integers(0, 2**32 - 1).map(ipaddress.IPv4Address)


@given(V4, st.integers(0, 32))
def test_an_address_of_ipv4_is_the_same_host_written_as_ipv6(address: ipaddress.IPv4Address, bits: int) -> None:
    network = ipaddress.ip_network((address, bits), strict=False)
    mapped = network_of_text(f"::ffff:{network.network_address}/{bits + 96}")
    assert mapped == network_of_text(str(network)) == network
    assert is_within(str(address), [mapped])
    assert is_within(f"::ffff:{address}", [network])


@given(V4, st.integers(1, 32))
def test_a_network_lies_in_a_wider_one_but_not_the_reverse(address: ipaddress.IPv4Address, bits: int) -> None:
    inner = ipaddress.ip_network((address, bits), strict=False)
    outer = inner.supernet()
    assert are_within([inner], [outer])
    assert not are_within([outer], [inner])
    assert not are_within([inner, outer], [inner])
    assert are_within([], [inner])


@pytest.mark.parametrize("text", ["", "10.0.0.1/8", "10.0.0.0/33", "10.0.0", "localhost", "10.0.0.1 ", "::ffff:0:1/96"])
def test_what_is_no_network_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        network_of_text(text)


def test_the_two_families_never_lie_in_each_other() -> None:
    four, six = network_of_text("0.0.0.0/0"), network_of_text("::/0")
    assert not are_within([four], [six])
    assert not are_within([six], [four])
    assert not is_within("10.0.0.1", [six])
    assert not is_within("2001:db8::1", [four])
