"""Given an address in any way of writing, then it is known for what it is."""

import socket

import pytest

from services.webhooks.addresses import address_of_text, is_of_this_machine, is_own_door, is_public, literal_address
from services.webhooks.urls import check_url, refused_address

PRIVATE = """
    0.0.0.0 10.1.2.3 100.64.0.1 127.0.0.1 127.255.255.254 169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.1 192.0.2.1
    192.168.1.1 198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
    :: ::1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 64:ff9b::7f00:1 64:ff9b:1::1 100::1 2001::1 2001:db8::1
    2002:7f00:1::1 fc00::1 fd12::1 fe80::1 fe80::1%eth0 fec0::1 ff02::1
"""
PUBLIC = """
    1.1.1.1 8.8.8.8 100.63.255.255 100.128.0.0 172.15.0.1 172.32.0.1 192.0.1.1 223.255.255.255 2606:4700::1111
    ::ffff:1.1.1.1
"""


@pytest.mark.parametrize("text", PRIVATE.split())
def test_what_no_receiver_on_the_internet_has(text):
    assert not is_public(address_of_text(text))


@pytest.mark.parametrize("text", PUBLIC.split())
def test_what_one_may_have(text):
    assert is_public(address_of_text(text))


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "017700000001"]
)
def test_the_many_ways_to_write_one(host):
    assert str(literal_address(host)) == "127.0.0.1"
    assert refused_address(f"http://{host}/", (), allow_private=False) == "Deliveries go to public addresses only."


@pytest.mark.parametrize("host", ["example.com", "a", "1.2.3.4.5", "0x", "256.1.1.1"])
def test_a_name_is_none(host):
    assert literal_address(host) is None


def test_the_exchange_knows_its_own_doors():
    for text in ("127.0.0.1", "::1", "::", "127.8.8.8"):
        assert is_own_door(address_of_text(text), 8_000, (8_000, 8_001))
        assert not is_own_door(address_of_text(text), 80, (8_000, 8_001))
    assert not is_own_door(address_of_text("1.1.1.1"), 8_000, (8_000,))
    own = socket.gethostbyname(socket.gethostname())
    assert is_of_this_machine(address_of_text(own))
    assert refused_address("http://localhost:8000/x", (8_000,), allow_private=True) == "This is the exchange itself."
    assert refused_address("http://[::ffff:127.0.0.1]:8000/", (8_000,), allow_private=True) is not None
    assert refused_address("http://localhost/x", (80,), allow_private=True) is not None
    assert refused_address("https://localhost/x", (80,), allow_private=True) is None


@pytest.mark.parametrize(
    "url",
    [
        "", "x", "ftp://a/", "http://", "http:///a", "http://x:99999/", "http://x:0/", "http://[::1", "http://x y/",
        "http://x/\u00a0", "javascript:alert(1)", "//a/b", "http://" + "a" * 64 + ".example/", "http://a..b/",
    ],
)  # fmt: skip
def test_what_is_no_url_of_ours(url):
    with pytest.raises(ValueError, match="http or https"):
        check_url(url)


def test_a_url_holds_no_password():
    for url in ("http://u@x/", "http://u:p@x/", "http://:p@x/", "http://@x/"):
        with pytest.raises(ValueError, match="password"):
            check_url(url)


@pytest.mark.parametrize(
    "url", ["http://a", "https://a.example:8443/x?y=z#w", "http://[2606:4700::1]/", "https://bücher.example/"]
)
def test_what_is_one(url):
    check_url(url)
    assert refused_address(url, (8_000,), allow_private=False) is None


def test_other_digits_and_dots_are_read_as_a_name_service_would():
    wide = "".join(chr(ord(letter) + 0xFEE0) if letter.isdecimal() else "\u3002" for letter in "127.0.0.1")
    assert refused_address(f"http://{wide}/", (), allow_private=False) is not None
    for name in ("localhost.", "api.localhost", "LOCALHOST"):
        assert refused_address(f"http://{name}/", (), allow_private=False) is not None
