"""What may be wrong with a trade: one small rule a file, and here all of them, in the order in which they are asked.

A rule is off, refers what breaks it to a person, or busts it: `[clearing]` of the settings says which.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from services.clearing.rules import burst, halted, price, same_document, size
from services.clearing.rules.rule import Broken, JudgedTrade, Rule
from settings.clearing import OFF, Clearing

RULES: Final[tuple[Rule, ...]] = (
    price.RULE,
    size.RULE,
    same_document.RULE,
    halted.RULE,
    burst.RULE,
)


def names() -> list[str]:
    """Of all rules: the keys of their actions in `[clearing]`."""
    return [rule.name for rule in RULES]


def action_of(rule: Rule, terms: Clearing) -> str:
    """What the settings say: off, refer or bust."""
    return str(getattr(terms, rule.name))


def judge(trades: Iterable[JudgedTrade], terms: Clearing) -> Iterator[tuple[JudgedTrade, list[Broken]]]:
    """Each trade that breaks a rule which is not off, and what it breaks, those first that bust."""
    rules = [rule for rule in RULES if action_of(rule, terms) != OFF]
    for trade in trades:
        broken = [
            Broken(rule.name, action_of(rule, terms), figures)
            for rule in rules
            if (figures := rule.figures(trade, terms)) is not None
        ]
        if broken:
            yield trade, sorted(broken, key=lambda each: each.action)
