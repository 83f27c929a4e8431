"""Rules are remembered for a moment; whoever asks is not harmed by who forgets them meanwhile."""

import pytest

from api.intake import rules_cache
from api.intake.rules_cache import RulesCache
from services.stocks.listing import StockRules


@pytest.fixture
def asked(monkeypatch):
    """What the database was asked for; `meanwhile` is done while it answers."""

    def rule_values(session, symbols):
        asked.append(sorted(symbols))
        asked.meanwhile()
        return {symbol: [symbol] * len(StockRules.__slots__) for symbol in symbols if symbol != "NOSUCH"}

    class Asked(list):
        @staticmethod
        def meanwhile():
            """Nothing happens."""

    asked = Asked()
    monkeypatch.setattr(rules_cache, "rule_values", rule_values)
    return asked


def test_what_is_remembered_is_not_asked_for_again(asked):
    cache = RulesCache()
    for symbols in (["A"], ["A", "B"], ["A", "B", "NOSUCH"]):
        assert set(cache.recent(None, symbols)) == set(symbols) - {"NOSUCH"}
    assert asked == [["A"], ["B"], ["NOSUCH"]]


def test_of_symbols_that_nobody_listed_nothing_is_kept(asked, monkeypatch):
    """Anybody may send thousands of them: read along, they would cost all others their time."""
    cache = RulesCache()
    for _ in range(3):
        assert set(cache.recent(None, ["A", "NOSUCH"])) == {"A"}
    monkeypatch.setattr(rules_cache, "BELIEVED_SECONDS", 0.0)
    cache.recent(None, ["A"])
    assert asked[-1] == ["A"]
    assert cache._used_at.keys() == {"A"}


def test_who_asks_while_another_forgets_gets_all_that_is_listed(asked):
    """A change of state forgets the rules, while orders for other stocks wait for the database."""
    cache = RulesCache()
    cache.recent(None, ["A", "B"])
    asked.meanwhile = cache.forget
    assert set(cache.recent(None, ["A", "B", "C"])) == {"A", "B", "C"}
    asked.meanwhile = lambda: None
    assert set(cache.recent(None, ["A"])) == {"A"}
    assert asked == [["A", "B"], ["C"], ["A"]]
