"""Why a command is refused: every code the engine gives, and what it means, in one place.

A code is stable: programs compare it. The message is for people and may be reworded. FIX carries the same
in OrdRejReason (103) and CxlRejReason (102); the words here are the exchange's own.
"""

from typing import Final

OFF_TICK: Final = "off_tick"
OFF_LOT: Final = "off_lot"
INVALID_PRICE: Final = "invalid_price"
INVALID_QUANTITY: Final = "invalid_quantity"
PRICE_OUTSIDE_BAND: Final = "price_outside_band"
DUPLICATE_ID: Final = "duplicate_id"
UNKNOWN_ORDER: Final = "unknown_order"
INVALID_POST_ONLY: Final = "invalid_post_only"
POST_ONLY_WOULD_TAKE: Final = "post_only_would_take"
INVALID_STOP_PRICE: Final = "invalid_stop_price"
INVALID_DISPLAY_QUANTITY: Final = "invalid_display_quantity"
NOT_AMENDABLE: Final = "not_amendable"
NOT_IN_AUCTION: Final = "not_in_auction"
NO_AUCTION: Final = "no_auction"
STOCK_HALTED: Final = "stock_halted"
STOCK_CLOSED: Final = "stock_closed"
STOCK_DELISTED: Final = "stock_delisted"
INVALID_STATE: Final = "invalid_state"
STATE_NOT_LEFT: Final = "state_not_left"
UNSUPPORTED: Final = "unsupported"
NO_POSITION: Final = "no_position"
INSUFFICIENT_FUNDS: Final = "insufficient_funds"
INSUFFICIENT_SHARES: Final = "insufficient_shares"

MESSAGES: Final[dict[str, str]] = {
    OFF_TICK: "The price is not a multiple of the tick.",
    OFF_LOT: "The quantity is not a multiple of the lot.",
    INVALID_PRICE: "A limit order needs a price of at least one cent; a market order's protection price, too.",
    INVALID_QUANTITY: "The quantity must be at least one share.",
    PRICE_OUTSIDE_BAND: "The price is outside the band around the session reference price.",
    DUPLICATE_ID: "An order with this id exists already.",
    UNKNOWN_ORDER: "No open order has this id.",
    INVALID_POST_ONLY: "Only a limit order that may rest can be post-only.",
    POST_ONLY_WOULD_TAKE: "The order is post-only, and its price meets an order of the other side.",
    INVALID_STOP_PRICE: "A stop order, and no other, needs a stop price of at least one cent.",
    INVALID_DISPLAY_QUANTITY: "Only a limit order that may rest can hide a part, and must show whole lots of it.",
    NOT_AMENDABLE: "A market or stop order has no limit price to amend, and only a stop that waits a stop price.",
    NOT_IN_AUCTION: "Before an auction nothing trades: immediate, fill-or-kill and post-only orders have to wait.",
    NO_AUCTION: "No orders are being gathered for an auction.",
    STOCK_HALTED: "Trading is halted: only cancels are taken.",
    STOCK_CLOSED: "The market is closed: only cancels are taken.",
    STOCK_DELISTED: "The stock is listed no more.",
    INVALID_STATE: "There is no such trading state.",
    STATE_NOT_LEFT: "The stock is in a state that this change does not end, such as an operator's halt.",
    UNSUPPORTED: "The engine knows no such order type or time in force.",
    NO_POSITION: "There was nothing left to close when the order's turn came.",
    INSUFFICIENT_FUNDS: "Not enough cash is available to buy back what was sold short.",
    INSUFFICIENT_SHARES: "The shares are reserved for orders that came later.",
}
"""One sentence for each code."""

REQUESTED: Final = "requested"
AMENDED: Final = "amended"
SELF_TRADE_PREVENTION: Final = "self_trade_prevention"

INTERNAL_ERROR: Final = "internal_error"
DELISTED: Final = "delisted"
SHORTFALL: Final = "shortfall"

VOLATILITY: Final = "volatility"

REASONS: Final[dict[str, str]] = {
    REQUESTED: "A cancel asked for it.",
    DELISTED: "The stock was delisted.",
    SHORTFALL: "Its owner owes to the guarantee account what the order had reserved.",
    AMENDED: "An amendment left the order no more quantity than it has already used.",
    SELF_TRADE_PREVENTION: "The quantity would have traded with an order of the same account.",
    INTERNAL_ERROR: "What the order was to bring could not be settled; it was taken out so that others can trade.",
    PRICE_OUTSIDE_BAND: "The resting order was reached, but the band has moved and a trade at its price may not print.",
}
"""One sentence for each reason a `Cancelled` event carries."""
