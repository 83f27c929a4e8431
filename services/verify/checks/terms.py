"""4 and 6. Orders, commands and events have the terms that their kind has, and no others.

PostgreSQL itself holds the rules that money and shares depend on; to have it look at these for every statement took a
seventh of its time.
"""

from collections.abc import Iterable

from engine.terms.order_types import LIMITED, STOPS, TIFS, TYPES
from engine.terms.orders import SIDES
from models.command import ABOUT_ORDERS, KINDS
from services.verify.checks.rule import Rule


def one_of(words: Iterable[str]) -> str:
    """The words as IN takes them."""
    return f"({', '.join(repr(word) for word in sorted(words))})"


def said(words: Iterable[str]) -> str:
    """The words as a text of SQL."""
    return f"'one of {', '.join(words)}'"


TABLES = ("orders",)
RECORD_TABLES = ("commands", "account_events")

RULES = (
    Rule(
        "orders",
        f"""
        SELECT o.id, terms.what, terms.found, terms.expected
        FROM orders o CROSS JOIN LATERAL (VALUES
            ('side', o.side IN {one_of(SIDES)}, o.side, {said(SIDES)}),
            ('order_type', o.order_type IN {one_of(TYPES)}, o.order_type, {said(TYPES)}),
            ('time_in_force', o.time_in_force IN {one_of(TIFS)}, o.time_in_force, {said(TIFS)}),
            ('price', CASE WHEN o.order_type IN {one_of(LIMITED)} THEN coalesce(o.price > 0, false)
                ELSE o.price IS NULL END, CAST(o.price AS text), format('what a %s order has', o.order_type)),
            ('stop_price', CASE WHEN o.order_type IN {one_of(STOPS)} THEN coalesce(o.stop_price > 0, false)
                ELSE o.stop_price IS NULL END, CAST(o.stop_price AS text), format('what a %s order has', o.order_type)),
            ('status', o.status <> 'untriggered' OR o.stop_price IS NOT NULL, o.status,
                'one for an order without a stop'),
            ('quantity', o.quantity > 0, CAST(o.quantity AS text), 'more than 0'),
            ('display_quantity', coalesce(o.display_quantity > 0, true), CAST(o.display_quantity AS text),
                'more than 0'),
            ('shown_quantity', coalesce(o.shown_quantity >= 0, true), CAST(o.shown_quantity AS text), 'at least 0'),
            ('prevented_quantity', o.prevented_quantity BETWEEN 0 AND o.cancelled_quantity,
                CAST(o.prevented_quantity AS text), format('a part of the %s cancelled', o.cancelled_quantity))
        ) AS terms (what, holds, found, expected)
        WHERE NOT (
            o.side IN {one_of(SIDES)} AND o.order_type IN {one_of(TYPES)} AND o.time_in_force IN {one_of(TIFS)}
            AND (o.order_type IN {one_of(LIMITED)}) = (o.price IS NOT NULL)
            AND (o.order_type IN {one_of(STOPS)}) = (o.stop_price IS NOT NULL)
            AND (o.status <> 'untriggered' OR o.stop_price IS NOT NULL)
            AND least(o.price, o.stop_price, o.display_quantity, o.quantity) > 0 AND coalesce(o.shown_quantity, 0) >= 0
            AND o.prevented_quantity BETWEEN 0 AND o.cancelled_quantity
        ) AND NOT terms.holds
        ORDER BY o.id
        """,  # noqa: S608 - words of ours
    ),
)

RECORDS = (
    Rule(
        "commands",
        f"""
        SELECT c.id, terms.what, terms.found, terms.expected
        FROM commands c CROSS JOIN LATERAL (VALUES
            ('kind', c.kind IN {one_of(KINDS)}, c.kind, {said(KINDS)}),
            ('order_id', c.kind NOT IN {one_of(ABOUT_ORDERS)} OR c.order_id IS NOT NULL, CAST(c.order_id AS text),
                'the order that it is about'),
            ('sequenced_at', (c.sequence IS NULL) = (c.sequenced_at IS NULL), CAST(c.sequenced_at AS text),
                'a time if it has a sequence, and only then'),
            ('reserved', c.reserved >= 0, CAST(c.reserved AS text), 'at least 0')
        ) AS terms (what, holds, found, expected)
        WHERE NOT (
            c.kind IN {one_of(KINDS)}
            AND (c.kind NOT IN {one_of(ABOUT_ORDERS)} OR c.order_id IS NOT NULL)
            AND (c.sequence IS NULL) = (c.sequenced_at IS NULL) AND c.reserved >= 0
        ) AND NOT terms.holds
        ORDER BY c.id
        """,  # noqa: S608 - words of ours
    ),
    Rule(
        "account_events",
        """
        SELECT broker_id, sequence, 'trade of a ' || kind AS what, trade_id AS found,
            'one if it is a fill, and only then' AS expected
        FROM account_events WHERE (kind = 'ORDER_FILLED') <> (trade_id IS NOT NULL)
        ORDER BY broker_id, sequence
        """,
    ),
)
