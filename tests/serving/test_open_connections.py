"""Given places for connections, when all are taken, then the one that has been idle for longest goes."""

from __future__ import annotations

import pytest

from serving.open_connections import OpenConnections, network_of


class Connection:
    """Remembers that it had to go."""

    def __init__(self, address: str = "10.0.0.1") -> None:
        self.address = address
        self.evicted = False

    def evict(self) -> None:
        self.evicted = True

    def close_if_idle(self) -> None:
        pass


def taken(places: OpenConnections, count: int, address: str = "10.0.0.1") -> list[Connection]:
    connections = [Connection(address) for _ in range(count)]
    assert all(places.add(connection) for connection in connections)
    return connections


def evicted(connections: list[Connection]) -> list[int]:
    return [number for number, connection in enumerate(connections) if connection.evicted]


def test_the_one_that_has_been_idle_for_longest_goes() -> None:
    places = OpenConnections(4, 4)
    connections = taken(places, 4)
    places.busy(connections[0])
    places.busy(connections[1])
    places.idle(connections[1])
    assert places.add(Connection("10.0.0.2"))
    assert evicted(connections) == [2]
    assert len(list(places)) == 4


def test_at_an_addresss_cap_its_own_goes_however_long_others_have_been_idle() -> None:
    places = OpenConnections(10, 3)
    others, own = taken(places, 3, "10.0.0.2"), taken(places, 3, "10.0.0.1")
    assert places.add(Connection("10.0.0.1"))
    assert evicted(others) == []
    assert evicted(own) == [0]


def test_where_all_are_busy_the_new_one_is_not_taken() -> None:
    places = OpenConnections(2, 2)
    for connection in taken(places, 2):
        places.busy(connection)
    assert not places.add(Connection("10.0.0.2"))
    assert len(list(places)) == 2


def test_an_address_that_keeps_all_of_its_own_busy_takes_no_more_of_the_others() -> None:
    places = OpenConnections(4, 2)
    for connection in taken(places, 2, "10.0.0.1"):
        places.busy(connection)
    others = taken(places, 2, "10.0.0.2")
    assert not places.add(Connection("10.0.0.1"))
    assert evicted(others) == []


def test_one_that_had_to_go_ends_once() -> None:
    places = OpenConnections(1, 1)
    (gone,) = taken(places, 1)
    new = Connection()
    assert places.add(new)
    places.idle(gone)
    places.busy(gone)
    places.remove(gone)
    assert list(places) == [new]


def test_of_addresses_that_are_gone_nothing_is_kept() -> None:
    places = OpenConnections(2, 2)
    for number in range(100):
        connection = Connection(f"10.0.0.{number}")
        places.add(connection)
        places.remove(connection)
    assert places._of_address == {}


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("10.1.2.3", "10.1.2.3"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("::ffff:10.1.2.3", "10.1.2.3"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::/64"),
        ("", ""),
        ("no:address", "no:address"),
    ],
)
def test_an_address_is_counted_by_its_network(address: str, network: str) -> None:
    assert network_of(address) == network
